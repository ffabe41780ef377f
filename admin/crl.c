#include "admin/movein.h"
#include "aliases/alias.h"
#include "base/time.h"
#include "ca/crl.h"
#include "ca/dn.h"
#include "crl.h"

/* --- which generations --------------------------------------------------- */

struct round {
	struct command *cmd;
	struct crl_times times;
	enum err (*each)(struct round *r, const struct crl_source *from);
	unsigned found;
	unsigned to_come; /* keys that have signed none yet */
	unsigned abroad;  /* of these, those on another host */
};

static enum err
each_generation(struct round *r, const struct ca *ca)
{
	struct crl_source from = { &r->cmd->store, ca, NULL, r->times };
	enum err e = OK, one;

	for (size_t i = 0; i < ca->ngen; i++) {
		/* those with one key have one CRL (C-202) */
		if (ca_of_key(ca, ca->gen[i].n) != &ca->gen[i])
			continue;
		from.gen = &ca->gen[i];
		one = r->each(r, &from);
		e = e == OK ? one : e;
	}
	return e;
}

/* All CAs, or the one that was named; one's trouble does not stop another. */
static enum err
each_ca(struct round *r)
{
	struct command *cmd = r->cmd;
	const char *only = cmd->names > 0 ? cmd->name[0] : NULL;
	const struct ca *ca = NULL;
	struct ca_list list = { NULL, 0 };
	struct cas *cas = NULL;
	enum err e, one;
	bool known = false;

	if ((e = ca_list_read(cmd, &list)) != OK ||
	    (e = cas_new(cmd->home, &cas)) != OK)
		goto out;
	for (size_t i = 0; i < list.n; i++) {
		if (only != NULL && strcmp(only, list.name[i]) != 0)
			continue;
		known = true;
		one = cas_find(cas, list.name[i], &ca);
		if (one == OK)
			one = each_generation(r, ca);
		e = e == OK ? one : e;
	}
	if (only != NULL && !known)
		e = say(
		    ERR_NOTFOUND, "no CA %s; `scep ca list` shows them", only);
out:
	cas_free(cas);
	ca_list_release(&list);
	return e;
}

static enum err
walk(struct round *r)
{
	struct site site;
	enum err e;

	if ((e = site_read(r->cmd->home, &site)) != OK)
		return e;
	r->times = (struct crl_times){ site.crlvalidity, site.crloverlap };
	return each_ca(r);
}

/* --- issue --------------------------------------------------------------- */

static void
print_line(const struct command *cmd, const char *ca, const struct crl *crl)
{
	char number[24], until[TIME_TEXT], generation[12];

	(void)snprintf(
	    number, sizeof(number), "%llu", (unsigned long long)crl->number);
	(void)snprintf(generation, sizeof(generation), "%u", crl->generation);
	time_text(crl->next_update, until);
	print_cell(cmd->out, ca, 20);
	print_cell(cmd->out, generation, 3);
	print_cell(cmd->out, number, 8);
	print_cell(cmd->out, until, 0);
}

/* What has ended, or has not begun, has no CRLs to come. */
static enum err
issue_one(struct round *r, const struct crl_source *from)
{
	struct command *cmd = r->cmd;
	struct crl crl = CRL_INIT;
	bool due = true;
	enum err e = OK;

	if (cmd->now < from->gen->not_before ||
	    cmd->now >= from->gen->not_after)
		return OK;
	r->found++;
	if (opt_flag(cmd, "due"))
		e = crl_due(from, &due);
	if (e != OK || !due)
		return e;
	if ((e = crl_issue(from, &crl)) != OK)
		goto out;
	print_line(cmd, from->ca->called, &crl);
	buf_clear(&cmd->detail);
	e = ERR_SYSTEM;
	if (buf_printf(&cmd->detail, "generation %u, number %llu",
		crl.generation, (unsigned long long)crl.number))
		e = audit_object(cmd, from->ca->called);
out:
	crl_release(&crl);
	return e;
}

enum err
run_crl_issue(struct command *cmd)
{
	struct round r = { .cmd = cmd, .each = issue_one };
	enum err e = walk(&r);

	cmd->unchanged = e == OK; /* each has its own audit line */
	if (e == OK && r.found == 0)
		return say(ERR_NOTFOUND,
		    "no CA whose certificate is valid now; `scep ca list` "
		    "shows them");
	return e;
}

/* --- show ---------------------------------------------------------------- */

struct sight {
	struct crl_view view;
	struct buf issuer;
	int64_t entries;
};

static enum err
sight_fill(const struct crl *crl, struct sight *s)
{
	struct crl_entry entry;
	struct span rest;
	enum err e;

	if (crl_view(buf_span(&crl->der), &s->view) != OK)
		return say(ERR_SYSTEM, "CRL %llu cannot be read",
		    (unsigned long long)crl->number);
	rest = s->view.entries;
	while ((e = crl_next(&rest, &entry)) == OK)
		s->entries++;
	return e == ERR_NOTFOUND ? dn_text(s->view.issuer, &s->issuer) : e;
}

static const char *
state(const struct crl *crl, bool due, int64_t now)
{
	if (crl->next_update <= now)
		return "expired";
	return due ? "due" : "current";
}

static void
print_crl(const struct command *cmd, const char *ca, const struct crl *crl,
    const struct sight *s, bool due)
{
	FILE *out = cmd->out;

	if (opt_flag(cmd, "json")) {
		json_begin(out);
		json_text(out, "ca", ca);
		json_num(out, "generation", crl->generation);
		json_num(out, "number", (int64_t)crl->number);
		json_text(out, "state", state(crl, due, cmd->now));
		json_text(out, "issuer", buf_cstr(&s->issuer));
		json_time(out, "this_update", crl->this_update);
		json_time(out, "next_update", crl->next_update);
		json_num(out, "entries", s->entries);
		json_end(out);
		return;
	}
	print_field(out, "CA:", ca);
	(void)fprintf(out, "%-14s%u\n", "Generation:", crl->generation);
	(void)fprintf(
	    out, "%-14s%llu\n", "Number:", (unsigned long long)crl->number);
	print_field(out, "State:", state(crl, due, cmd->now));
	print_field(out, "Issuer:", buf_cstr(&s->issuer));
	print_time(out, "This update:", crl->this_update);
	print_time(out, "Next update:", crl->next_update);
	(void)fprintf(out, "%-14s%lld\n", "Entries:", (long long)s->entries);
}

enum err
crl_write(const struct command *cmd, const struct crl *crl)
{
	struct buf pem = BUF_INIT;
	enum err e = OK;

	if (opt_flag(cmd, "pem"))
		e = crl_pem(buf_span(&crl->der), &pem);
	else if (!buf_add(&pem, crl->der.data, crl->der.len))
		e = ERR_SYSTEM;
	if (e == OK)
		(void)fwrite(pem.data, 1, pem.len, cmd->out);
	buf_release(&pem);
	return e;
}

/* It only looks: what is due is issued by whoever fetches it. */
static enum err
show_one(struct round *r, const struct crl_source *from)
{
	struct command *cmd = r->cmd;
	struct sight s = { .issuer = BUF_INIT };
	struct crl crl = CRL_INIT;
	bool due = false;
	enum err e;

	if (opt_number(cmd, "generation", from->gen->n) != from->gen->n)
		return OK;
	e = crl_last(&cmd->store, from->ca->name, from->gen->n, &crl);
	if (e == ERR_NOTFOUND) {
		r->to_come++;
		r->abroad += key_elsewhere(from->gen->key);
		e = OK;
		goto out;
	}
	if (e == OK)
		e = crl_due(from, &due);
	if (e != OK)
		goto out;
	if (opt_flag(cmd, "pem") || opt_given(cmd, "out")) {
		e = crl_write(cmd, &crl);
	} else if ((e = sight_fill(&crl, &s)) == OK) {
		if (r->found > 0 && !opt_flag(cmd, "json"))
			(void)fputc('\n', cmd->out);
		print_crl(cmd, from->ca->called, &crl, &s, due);
	}
	r->found++;
out:
	buf_release(&s.issuer);
	crl_release(&crl);
	return e;
}

static enum err
run_show(struct command *cmd)
{
	struct round r = { .cmd = cmd, .each = show_one };
	enum err e = walk(&r);

	if (e != OK || r.found > 0)
		return e;
	if (r.abroad > 0 && r.abroad == r.to_come)
		return say(ERR_NOTFOUND,
		    "no CRL yet; the key is on another host, and `scep queue "
		    "pull` there brings one");
	return say(ERR_NOTFOUND,
	    "no CRL yet; `scep crl issue` or the first who asks for "
	    "one makes it");
}

#define END                                      \
	{                                        \
		NULL, NULL, OPT_FLAG, NULL, NULL \
	}

static const struct option issue_options[] = {
	{ "due", NULL, OPT_FLAG, NULL, "only where one is due, for cron" },
	END,
};
static const struct option show_options[] = {
	{ "json", NULL, OPT_FLAG, NULL, "one JSON object a line" },
	{ "generation", NULL, OPT_NUMBER, "N", "only of this generation" },
	{ "pem", NULL, OPT_FLAG, NULL, "the CRL itself, as PEM" },
	{ "out", NULL, OPT_OUT, "FILE", "the CRL itself, as DER, to FILE" },
	END,
};

static const struct verb crl_verbs[] = {
	{ "issue", { NULL }, "[CA]", 0, 1, issue_options, run_crl_issue,
	    "issue a CRL for each key of a CA, or of all",
	    "Prints CA, generation, number and the end of each new one.  "
	    "Nobody has to: a CRL\nis issued when it is asked for and a new "
	    "one is due, or something was revoked\nsince.  --due does the same "
	    "ahead, so that nobody waits for it:\n\n"
	    "  17 * * * *  scep crl issue --due",
	    true, false, NAMES_PLAIN },
	{ "show", { "list", NULL, NULL }, "[CA]", 0, 1, show_options, run_show,
	    "show the newest CRL of each key",
	    "  scep crl show ManagementCA --out - | openssl crl -inform DER "
	    "-text",
	    false, false, NAMES_PLAIN },
	{ "import", { NULL }, "FILE", 1, 1, crl_import_options, run_crl_import,
	    "take over a CRL that was issued elsewhere",
	    "Its entries become revocations, and the next CRL has a number "
	    "above its own.\nFor a CA that moved in with its key (`scep ca "
	    "import`).",
	    true, false, NAMES_FILES },
	{ .name = NULL },
};

const struct noun noun_crl = { "crl", "certificate revocation lists",
	crl_verbs };
