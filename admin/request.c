#include "admin/request.h"

#include <fnmatch.h>

#include "base/time.h"
#include "ca/attr.h"
#include "ca/pubkey.h"
#include "enrol_wait.h"

/* Requests that wait for people: list and show. */

#define SHORT_ID 16 /* digits in a list */

static const struct {
	int64_t unit;
	char letter;
} units[] = { { DAY, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };

/* The whole of it: "90m" is not "1h". */
static bool
duration_text(int64_t seconds, struct buf *out)
{
	size_t i = 0;

	while (i < 3 && seconds % units[i].unit != 0)
		i++;
	return buf_printf(out, "%lld%c", (long long)(seconds / units[i].unit),
	    units[i].letter);
}

/* "5m", "3h", "12d" */
static void
age_text(int64_t seconds, char out[24])
{
	size_t i = 0;

	if (seconds < 0)
		seconds = 0;
	while (i < 3 && seconds < units[i].unit)
		i++;
	(void)snprintf(out, 24, "%lld%c", (long long)(seconds / units[i].unit),
	    units[i].letter);
}

/* "RSA 2048 bits" */
static bool
key_text(struct span spki, struct buf *out)
{
	static const char *const names[KEY__MAX] = { "RSA", "EC", "EdDSA" };
	enum key_type type;
	unsigned bits = 0;

	if (pubkey_look(spki, &type, &bits) != OK)
		return buf_str(out, "unknown");
	return buf_printf(out, "%s %u bits", names[type], bits);
}

/* "2.5.29.17, ...": what is asked for beside names and key. */
static enum err
asked_text(const struct waiting *w, struct buf *out)
{
	struct csr csr = { .nasked = 0 };
	enum err e = asked_decode(buf_span(&w->asked_der), &csr);

	for (size_t i = 0; i < csr.nasked && e == OK; i++) {
		if (i > 0 && !buf_str(out, ", "))
			return ERR_SYSTEM;
		e = oid_text(csr.asked[i].oid, out);
		if (e == ERR_INPUT)
			e = buf_str(out, "unreadable OID") ? OK : ERR_SYSTEM;
	}
	return e;
}

static bool
yeses_text(const struct sighting *s, struct buf *out)
{
	return buf_printf(out, "%u of %u", s->yeses, s->w.required);
}

/* --- list --------------------------------------------------------------- */

static bool
is_listed(const struct command *cmd, const struct waiting *w)
{
	const char *alias = opt_text(cmd, "alias");
	const char *match = opt_text(cmd, "match");

	if (alias != NULL && strcmp(alias, w->alias) != 0)
		return false;
	return match == NULL || fnmatch(match, w->username, 0) == 0 ||
	       (w->subject != NULL && fnmatch(match, w->subject, 0) == 0);
}

static enum err json_request(
    struct command *cmd, const struct sighting *s, bool all);

static enum err
list_one(const struct sighting *s, void *arg)
{
	struct command *cmd = arg;
	const struct waiting *w = &s->w;
	struct buf yeses = BUF_INIT;
	char id[SHORT_ID + 1] = "", age[24];

	if (!is_listed(cmd, w))
		return OK;
	if (opt_flag(cmd, "json"))
		return json_request(cmd, s, false);
	memcpy(id, w->id, SHORT_ID);
	age_text(cmd->now - w->created, age);
	(void)yeses_text(s, &yeses);
	print_cell(cmd->out, id, SHORT_ID);
	print_cell(cmd->out, age, 4);
	print_cell(cmd->out, sighting_word(s), 8);
	print_cell(cmd->out, buf_cstr(&yeses), 6);
	print_cell(cmd->out, w->alias, 12);
	print_cell(cmd->out, w->username, 16);
	print_cell(cmd->out, w->subject, 0);
	buf_release(&yeses);
	return OK;
}

static enum err
run_list(struct command *cmd)
{
	static const struct heading columns[] = { { "REQUEST", SHORT_ID },
		{ "AGE", 4 }, { "STATE", 8 }, { "YESES", 6 }, { "ALIAS", 12 },
		{ "USERNAME", 16 }, { "SUBJECT", 0 } };

	print_heading(cmd, columns);
	return request_each(cmd, list_one, cmd);
}

/* --- show --------------------------------------------------------------- */

static enum err
print_yes(const struct approval *a, void *arg)
{
	FILE *out = arg;
	struct buf text = BUF_INIT;
	char when[TIME_TEXT];

	time_text(a->time, when);
	if (approver_text(a, &text) && buf_printf(&text, ", %s", when) &&
	    (a->reason == NULL || buf_printf(&text, ": %s", a->reason)))
		print_field(out, "Yes of:", buf_cstr(&text));
	buf_release(&text);
	return OK;
}

/* What its outcome says beside its kind. */
static void
print_outcome(FILE *out, const struct sighting *s)
{
	const struct outcome *o = &s->outcome;

	if (s->standing != STANDS_DECIDED)
		return;
	if (o->kind == OUTCOME_CERTIFICATE)
		print_field(out, "Serial:", o->serial);
	if (o->kind == OUTCOME_DENIED) {
		print_field(out, "Denied by:", o->by);
		print_time(out, "Denied:", o->issued);
		print_field(out, "Reason:", o->why);
	}
	if (o->kind == OUTCOME_PASSED)
		print_field(out, "Passed to:", o->by);
}

static void
print_digests(FILE *out, const struct waiting *w)
{
	print_field(out, "CSR SHA-256:", w->csr);
	print_field(out, "CSR SHA-1:", w->sha1);
	print_field(out, "CSR SHA-512:", w->sha512);
	print_field(out, "CSR MD5:", w->md5);
}

static enum err
print_request(struct command *cmd, const struct sighting *s)
{
	const struct waiting *w = &s->w;
	struct buf key = BUF_INIT, asked = BUF_INIT, yeses = BUF_INIT;
	struct buf age = BUF_INIT, most = BUF_INIT;
	FILE *out = cmd->out;
	char ago[24];
	enum err e;

	age_text(cmd->now - w->created, ago);
	if ((e = asked_text(w, &asked)) != OK)
		goto out;
	e = ERR_SYSTEM;
	if (!key_text(buf_span(&w->spki_der), &key) || !yeses_text(s, &yeses) ||
	    !buf_printf(&age, "%s ago", ago) ||
	    (w->validity > 0 && (!buf_str(&most, "at most ") ||
				    !duration_text(w->validity, &most))))
		goto out;
	print_field(out, "Request:", w->id);
	print_field(out, "State:", sighting_word(s));
	print_field(out, "Subject:", w->subject);
	print_field(out, "SAN:", w->san);
	print_field(out, "Key:", buf_cstr(&key));
	print_field(out, "Key SHA-256:", w->spki);
	print_digests(out, w);
	print_field(out, "Asked for:", asked.len > 0 ? buf_cstr(&asked) : NULL);
	print_field(out, "Username:", w->username);
	print_field(out, "Alias:", w->alias);
	print_field(out, "CA:", w->ca);
	print_field(out, "Profile:", w->profile);
	print_field(out, "Entities:", w->entityprofile);
	print_field(out, "Validity:", most.len > 0 ? buf_cstr(&most) : NULL);
	print_field(out, "Renews:", w->renews);
	print_field(out, "Code:", w->code);
	print_field(out, "From:", w->remote);
	print_time(out, "Since:", w->created);
	print_field(out, "Age:", buf_cstr(&age));
	print_time(out, "Until:", w->expires);
	print_field(out, "Yeses:", buf_cstr(&yeses));
	print_outcome(out, s);
	e = approval_each(&cmd->store, w->id, print_yes, out);
out:
	buf_release(&key);
	buf_release(&asked);
	buf_release(&yeses);
	buf_release(&age);
	buf_release(&most);
	return e;
}

/* One object; `all`: everything that `show` tells. */
static enum err
json_request(struct command *cmd, const struct sighting *s, bool all)
{
	const struct waiting *w = &s->w;
	struct buf key = BUF_INIT, asked = BUF_INIT;
	FILE *out = cmd->out;
	enum err e;

	e = asked_text(w, &asked);
	if (e == OK && !key_text(buf_span(&w->spki_der), &key))
		e = ERR_SYSTEM;
	if (e != OK)
		goto out;
	json_begin(out);
	json_text(out, "request", w->id);
	json_text(out, "state", sighting_word(s));
	json_text(out, "subject", w->subject);
	json_text(out, "san", w->san);
	json_text(out, "username", w->username);
	json_text(out, "alias", w->alias);
	json_text(out, "ca", w->ca);
	json_text(out, "profile", w->profile);
	json_text(out, "remote", w->remote);
	json_num(out, "yeses", s->yeses);
	json_num(out, "required", w->required);
	json_time(out, "created", w->created);
	json_time(out, "expires", w->expires);
	json_text(out, "csr_sha256", w->csr);
	if (all) {
		json_text(out, "csr_sha1", w->sha1);
		json_text(out, "csr_sha512", w->sha512);
		json_text(out, "csr_md5", w->md5);
		json_text(out, "key", buf_cstr(&key));
		json_text(out, "key_sha256", w->spki);
		json_text(
		    out, "asked", asked.len > 0 ? buf_cstr(&asked) : NULL);
		json_text(out, "entityprofile", w->entityprofile);
		if (w->validity > 0)
			json_num(out, "validity", w->validity);
		json_text(out, "renews", w->renews);
		json_text(out, "code", w->code);
		json_text(out, "transaction", w->transaction);
		json_num(out, "attempt", w->attempt);
	}
	json_end(out);
out:
	buf_release(&key);
	buf_release(&asked);
	return e;
}

static enum err
run_show(struct command *cmd)
{
	struct sighting s = SIGHTING_INIT;
	enum err e = request_find(cmd, &s);

	if (e == OK)
		e = opt_flag(cmd, "json") ? json_request(cmd, &s, true) :
					    print_request(cmd, &s);
	sighting_release(&s);
	return e;
}

static const struct option list_options[] = {
	{ "alias", NULL, OPT_TEXT, "NAME", "only those of this alias" },
	{ "match", NULL, OPT_TEXT, "GLOB",
	    "only usernames or subjects like it" },
	{ "json", NULL, OPT_FLAG, NULL, "one JSON object a line" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};
static const struct option show_options[] = {
	{ "json", NULL, OPT_FLAG, NULL, "one JSON object" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};

static const struct verb request_verbs[] = {
	{ "list", { NULL }, "", 0, 0, list_options, run_list,
	    "list those that wait: number, age, state, yeses, alias, "
	    "username, subject",
	    NULL, false, false, NAMES_PLAIN },
	{ "show", { NULL }, "WHICH", 1, 1, show_options, run_show,
	    "show what a request asks for, and who has said yes",
	    "WHICH is its number, or the first 8 or more digits of it.  "
	    "Compare the digests of\nthe CSR, or of the key, with what the "
	    "device shows before you say yes.\n\n"
	    "  scep request show 5f3c92aa1b",
	    false, false, NAMES_PLAIN },
	{ "approve", { NULL }, "WHICH", 1, 1, answer_options, run_approve,
	    "say yes; the last one that is needed issues the certificate",
	    "WHICH as for `scep request show`.  The yes is bound to what was "
	    "shown there.  Each\nperson counts once: the real user, under "
	    "sudo the one who typed.  --as is for root,\nwho says it for "
	    "somebody else.\n\n"
	    "  scep request approve 5f3c92aa1b --reason 'ticket 4711'",
	    true, false, NAMES_PLAIN },
	{ "deny", { NULL }, "WHICH", 1, 1, answer_options, run_deny,
	    "say no, which ends it",
	    "One no is enough.  It is remembered for a while ([approval] "
	    "denied of the alias):\nso long the device is refused in the "
	    "same transaction; in another one people are\nasked again.",
	    true, false, NAMES_PLAIN },
	{ .name = NULL },
};

const struct noun noun_request = { "request",
	"requests that wait for people's yes", request_verbs };
