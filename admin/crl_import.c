#include "admin/movein.h"
#include "base/log.h"
#include "base/names.h"
#include "base/time.h"
#include "ca/crl.h"
#include "store/cert.h"
#include "store/crl.h"

/* One entry as a revocation, with what the store knows of its certificate. */
static enum err
take_entry(struct command *cmd, const struct issuer *by,
    const struct crl_entry *entry, struct arrivals *out)
{
	struct arrival a = { .by = *by,
		.r = { .date = entry->date, .reason = entry->reason } };
	struct outcome o = OUTCOME_INIT;
	enum err e;

	if (entry->reason == REASON_REMOVE)
		return OK;
	hex_text(entry->serial.p, entry->serial.len, a.r.serial);
	if (reason_name(a.r.reason) == NULL) {
		log_warn("serial %s: reason %u does not exist; taken as "
			 "unspecified",
		    a.r.serial, a.r.reason);
		a.r.reason = REASON_UNSPECIFIED;
	}
	e = cert_find(&cmd->store, by->ca, by->generation, a.r.serial, &o);
	if (e == OK)
		a.r.not_after = o.not_after;
	outcome_release(&o);
	return e == OK || e == ERR_NOTFOUND ? arrival_add(out, &a) : e;
}

static enum err
take_entries(struct command *cmd, const struct issuer *by, struct span entries,
    struct arrivals *out)
{
	struct crl_entry entry;
	enum err e;

	while ((e = crl_next(&entries, &entry)) == OK)
		if ((e = take_entry(cmd, by, &entry, out)) != OK)
			return e;
	if (e == ERR_INPUT)
		return say(e, "%s: entry %zu cannot be read", cmd->name[0],
		    out->n + 1);
	return OK;
}

static enum err
write_all(struct command *cmd, const struct issuer *by,
    const struct crl_view *v, struct arrivals *revoked)
{
	unsigned done = 0, known = 0;
	enum err e = arrivals_revoke(cmd, revoked, &done, &known);

	if (e == OK && v->numbered)
		e = crls_raise(&cmd->store, by, v->number);
	if (e != OK)
		return e;
	if (!v->numbered)
		log_warn("%s has no number below 2^64; numbers go on as they "
			 "are",
		    cmd->name[0]);
	(void)buf_printf(&cmd->detail,
	    "CA %s, generation %u, number %llu, %u revoked", by->ca,
	    by->generation, (unsigned long long)v->number, done);
	(void)fprintf(cmd->out,
	    "%u revoked, %u known to be; the next CRL is number %llu or "
	    "higher\n",
	    done, known, (unsigned long long)v->number + 1);
	return OK;
}

enum err
run_crl_import(struct command *cmd)
{
	struct landlords lords = { .n = 0 };
	struct arrivals revoked = { .n = 0 };
	struct buf der = BUF_INIT;
	const struct generation *gen;
	const struct ca *ca = NULL;
	struct crl_view v;
	struct issuer by;
	enum err e;

	if ((e = crl_read(cmd->name[0], name_bytes(cmd, 0), &der)) != OK ||
	    (e = crl_view(buf_span(&der), &v)) != OK ||
	    (e = landlords_find(cmd, &lords)) != OK)
		goto out;
	gen = landlord_of(&lords, v.issuer, buf_span(&der), crl_signed, &ca);
	if (gen == NULL) {
		e = say(ERR_REFUSED,
		    "%s was signed by no CA that is here; `scep ca import` "
		    "brings one",
		    cmd->name[0]);
		goto out;
	}
	by = (struct issuer){ ca->name, gen->n };
	if ((e = take_entries(cmd, &by, v.entries, &revoked)) != OK)
		goto out;
	cmd->unchanged = opt_flag(cmd, "dry-run");
	if (!cmd->unchanged)
		e = write_all(cmd, &by, &v, &revoked);
	else
		(void)fprintf(cmd->out,
		    "CRL %llu of CA %s, generation %u: %zu entries\n",
		    (unsigned long long)v.number, by.ca, by.generation,
		    revoked.n);
out:
	arrivals_release(&revoked);
	landlords_release(&lords);
	buf_release(&der);
	return e;
}

const struct option crl_import_options[] = {
	{ "ca", NULL, OPT_TEXT, "NAME", "only of this CA" },
	{ "dry-run", NULL, OPT_FLAG, NULL, "check all, write nothing" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};
