#include "judge/intune.h"

#include <string.h>

#include "admin/alias.h"
#include "base/names.h"
#include "ca/ca.h"
#include "ca/cert.h"
#include "ca/dn.h"
#include "store/cert.h"
#include "store/revoked.h"

/*
 * `intune revocations`: what Intune wants revoked is revoked here, and Intune
 * is told of each.  In that order: where the telling is lost, the next run
 * gets the same requests and finds the certificates revoked (4005).
 */

#define USUAL 100 /* requests of one run */

struct run {
	struct command *cmd;
	struct alias *alias;
	struct cas *cas;
	unsigned reason;
	bool dry;
	unsigned trouble; /* of ours */
};

/* Where a certificate is filed; ca is borrowed of run.cas. */
struct filed {
	const struct ca *ca;
	unsigned generation;
	struct outcome o;
};

/* Hex as the store has it; Java leaves out a zero in front. */
static bool
serial_read(const char *text, char out[CERT_SERIAL])
{
	struct buf even = BUF_INIT, raw = BUF_INIT;
	struct span serial;
	bool good;

	good =
	    buf_printf(&even, "%s%s", strlen(text) % 2 == 1 ? "0" : "", text) &&
	    hex_read(buf_cstr(&even), &raw) == OK;
	serial = buf_span(&raw);
	while (serial.len > 1 && serial.p[0] == 0)
		serial = span_of(serial.p + 1, serial.len - 1);
	good = good && serial.len <= (CERT_SERIAL - 1) / 2;
	if (good)
		hex_text(serial.p, serial.len, out);
	buf_release(&even);
	buf_release(&raw);
	return good;
}

/* One of this CA with that serial number; issuer: Name DER, empty for any. */
static enum err
find_of(struct run *r, const struct ca *ca, struct span issuer,
    const char *serial, struct filed *out)
{
	enum err e = ERR_NOTFOUND;

	for (size_t i = ca->ngen; i > 0 && e == ERR_NOTFOUND; i--) {
		const struct generation *gen = &ca->gen[i - 1];

		if (issuer.len > 0 && !dn_eq(gen->subject, issuer))
			continue;
		out->ca = ca;
		out->generation = gen->n;
		e = cert_find(
		    &r->cmd->store, ca->name, gen->n, serial, &out->o);
	}
	return e;
}

/* Among the CAs of the alias: Intune has no say over others. */
static enum err
find_cert(
    struct run *r, struct span issuer, const char *serial, struct filed *out)
{
	const struct ca *ca = NULL;
	enum err e = ERR_NOTFOUND;

	for (size_t i = 0; i < r->alias->ncas && e == ERR_NOTFOUND; i++) {
		e = cas_find(r->cas, r->alias->cas[i], &ca);
		if (e == OK)
			e = find_of(r, ca, issuer, serial, out);
	}
	return e;
}

/* What revoked_add() would say: a hold it turns into a revocation. */
static enum err
would_revoke(struct command *cmd, const struct issuer *by, const char *serial)
{
	struct revocation now;
	enum err e = revoked_find(&cmd->store, by, serial, &now);

	if (e == OK && now.n % 2 == 1 && now.reason != REASON_HOLD)
		return ERR_EXISTS;
	return e == ERR_NOTFOUND ? OK : e;
}

static enum err
revoke_it(struct run *r, const struct filed *f)
{
	struct command *cmd = r->cmd;
	struct issuer by = { f->ca->name, f->generation };
	struct revocation what = { .reason = r->reason,
		.date = cmd->now,
		.written = cmd->now,
		.not_after = f->o.not_after };
	enum err e;

	memcpy(what.serial, f->o.serial, sizeof(what.serial));
	if (r->dry)
		return would_revoke(cmd, &by, what.serial);
	if ((e = revoked_add(&cmd->store, &by, &what)) != OK)
		return e;
	buf_clear(&cmd->detail);
	if (!buf_printf(&cmd->detail, "CA %s, generation %u, %s, by Intune",
		f->ca->name, f->generation, reason_name(r->reason)))
		return ERR_SYSTEM;
	return audit_object(cmd, what.serial);
}

/* What came of one request, for Intune and for people. */
static const struct result {
	enum err e;
	enum intune_result result;
	const char *why, *word;
} results[] = {
	{ OK, INTUNE_DONE, NULL, "revoked" },
	{ ERR_INPUT, INTUNE_BAD, "serialNumber or issuerName cannot be read",
	    "unreadable" },
	{ ERR_NOTFOUND, INTUNE_NOTFOUND, "no such certificate", "not-found" },
	{ ERR_EXISTS, INTUNE_CONFLICT, "it is revoked already", "already" },
	{ ERR_SYSTEM, INTUNE_RETRYABLE, "trouble of the CA's; try again",
	    "failed" }, /* and every other error */
};

static const struct result *
result_of(enum err e)
{
	const struct result *last =
	    &results[sizeof(results) / sizeof(*results) - 1];
	const struct result *r = results;

	while (r != last && r->e != e)
		r++;
	return r;
}

/* Revokes it, if that can be. */
static const struct result *
work_one(struct run *r, struct intune_revocation *one)
{
	struct filed f = { .o = OUTCOME_INIT };
	struct buf issuer = BUF_INIT;
	char serial[CERT_SERIAL] = "";
	const struct result *result;
	enum err e = ERR_INPUT;

	if (serial_read(one->serial, serial))
		e = *one->issuer != '\0' ? dn_parse(one->issuer, &issuer) : OK;
	if (e == OK)
		e = find_cert(r, buf_span(&issuer), serial, &f);
	if (e == OK)
		e = revoke_it(r, &f);
	result = result_of(e);
	one->result = result->result;
	one->why = result->why;
	r->trouble += one->result == INTUNE_RETRYABLE;
	outcome_release(&f.o);
	buf_release(&issuer);
	return result;
}

static void
print_one(const struct run *r, const struct intune_revocation *one,
    const struct result *result)
{
	const char *word =
	    r->dry && result->e == OK ? "to-revoke" : result->word;
	FILE *out = r->cmd->out;

	if (!opt_flag(r->cmd, "json")) {
		print_cell(out, *one->serial ? one->serial : NULL, 40);
		print_cell(out, word, 10);
		print_cell(out, *one->issuer ? one->issuer : NULL, 0);
		return;
	}
	json_begin(out);
	json_text(out, "serial", one->serial);
	json_text(out, "issuer", one->issuer);
	json_text(out, "result", word);
	json_num(out, "code", one->result);
	json_end(out);
}

static enum err
work(struct run *r, const struct intune *in, int64_t max)
{
	struct intune_revocations list = { .n = 0 };
	enum err e;

	e = intune_download(in, max, opt_text(r->cmd, "issuer"), &list);
	for (size_t i = 0; i < list.n && e == OK; i++)
		print_one(r, &list.item[i], work_one(r, &list.item[i]));
	if (e == OK && list.n > 0 && !r->dry)
		e = intune_upload(in, &list);
	if (e == OK && list.n == 0 && !opt_flag(r->cmd, "json"))
		(void)fprintf(r->cmd->out, "nothing to revoke\n");
	if (e == OK && r->trouble > 0)
		e = say(ERR_BUSY,
		    "%u of %zu could not be revoked now; Intune asks again",
		    r->trouble, list.n);
	intune_revocations_release(&list);
	return e;
}

static enum err
load_alias(struct run *r, const char *name)
{
	struct command *cmd = r->cmd;
	struct buf path = BUF_INIT, text = BUF_SECRET;
	enum err e;

	if ((e = alias_load(cmd, name, &path, &text)) == OK)
		e = alias_check_text(
		    cmd, name, buf_cstr(&path), buf_span(&text), &r->alias);
	if (e == OK && r->alias->mode == MODE_EXTERNALRA)
		e = say(ERR_REFUSED,
		    "alias %s is an external RA: certificates are revoked on "
		    "the CA's host, by `scep cert revoke`",
		    name);
	if (e == OK && r->alias->challenge.judge != JUDGE_INTUNE)
		e = say(ERR_REFUSED,
		    "the judge of alias %s is not Intune ([challenge] judge)",
		    name);
	buf_release(&path);
	buf_release(&text);
	return e;
}

static enum err
run_revocations(struct command *cmd)
{
	struct run r = { .cmd = cmd, .dry = opt_flag(cmd, "dry-run") };
	const char *name = opt_text(cmd, "alias"),
		   *reason = opt_text(cmd, "reason");
	int64_t max = opt_number(cmd, "max", USUAL);
	struct intune in;
	enum err e;

	if (name == NULL)
		return usage(cmd, "intune revocations wants --alias NAME");
	if (max < 1 || max > INTUNE_MAX_REVOKE)
		return usage(cmd, "--max is from 1 to %d", INTUNE_MAX_REVOKE);
	if (reason != NULL &&
	    (!reason_read(reason, &r.reason) || r.reason == REASON_HOLD))
		return usage(cmd, "no reason to revoke for good: %s", reason);
	if (!buf_str(&cmd->object, name))
		return ERR_SYSTEM;
	if ((e = load_alias(&r, name)) == OK &&
	    (e = cas_new(cmd->home, &r.cas)) == OK) {
		e = intune_open(r.alias, cmd->home, cmd->now, &in);
		if (e == OK)
			e = work(&r, &in, max);
		intune_close(&in);
	}
	/* each certificate has its own line */
	cmd->unchanged = e == OK;
	cas_free(r.cas);
	alias_free(r.alias);
	return e;
}

static const struct option revocations_options[] = {
	{ "alias", NULL, OPT_TEXT, "NAME", "the alias whose judge is Intune" },
	{ "max", NULL, OPT_NUMBER, "N",
	    "so many at most, 1 to 500; default 100" },
	{ "issuer", NULL, OPT_TEXT, "DN",
	    "only those of this issuer, as Intune knows it" },
	{ "reason", NULL, OPT_TEXT, "R", "why; default unspecified" },
	{ "dry-run", NULL, OPT_FLAG, NULL,
	    "revoke nothing and tell Intune nothing" },
	{ "json", NULL, OPT_FLAG, NULL, "one JSON object a line" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};

static const struct verb intune_verbs[] = {
	{ "revocations", { NULL }, "--alias NAME", 0, 0, revocations_options,
	    run_revocations, "revoke what Intune wants revoked, and tell it",
	    "Prints serial number, what became of it, and issuer.  For cron "
	    "or systemd\n(examples/scep-intune.timer):\n\n"
	    "  */15 * * * *  scep intune revocations --alias mdm\n\n"
	    "Exit status 75: Intune cannot be asked now, or not all went "
	    "well.",
	    true, false, NAMES_PLAIN },
	{ .name = NULL },
};

const struct noun noun_intune = { "intune", "Microsoft Intune", intune_verbs };
