#include "admin/challenge.h"

#include <string.h>

#include "admin/alias.h"
#include "admin/entity.h"
#include "base/limits.h"
#include "base/time.h"
#include "ca/dn.h"
#include "ca/profile.h"
#include "enrol.h"

/* One-time codes: making them; challenge_list.c lists and deletes. */

void
challenge_release(struct challenge *c)
{
	onetime_release(&c->o);
	*c = (struct challenge)CHALLENGE_INIT;
}

/* --alias, which must ask for such codes. */
static enum err
find_alias(struct command *cmd, struct alias **out)
{
	const char *name = opt_text(cmd, "alias");
	struct buf path = BUF_INIT, text = BUF_SECRET;
	enum err e;

	if (name == NULL)
		return usage(cmd, "say where it is to be good: --alias NAME");
	if ((e = alias_load(cmd, name, &path, &text)) == OK)
		e = alias_check_text(
		    cmd, name, buf_cstr(&path), buf_span(&text), out);
	if (e == OK && (*out)->challenge.judge != JUDGE_ONETIME)
		e = say(ERR_REFUSED,
		    "alias %s takes no one-time codes; `scep alias set %s "
		    "challenge.judge onetime` changes that",
		    name, name);
	buf_release(&path);
	buf_release(&text);
	return e;
}

/* --for: a name that a request can have, in our own writing. */
static enum err
take_subject(struct command *cmd, struct buf *der, struct onetime *o)
{
	const char *subject = opt_text(cmd, "for"), *why = NULL;
	struct buf text = BUF_INIT;
	enum err e;

	if (subject == NULL)
		return OK;
	if ((e = check_subject(subject)) != OK ||
	    (e = dn_parse(subject, der)) != OK)
		return e;
	if ((e = dn_check(buf_span(der), &why)) == OK)
		e = dn_text(buf_span(der), &text);
	if (e == ERR_INPUT)
		e = say(e, "--for %s: %s", subject,
		    why != NULL ? why : "it cannot be a subject");
	if (e == OK && (o->subject = str_dup(buf_cstr(&text))) == NULL)
		e = ERR_SYSTEM;
	buf_release(&text);
	return e;
}

/* --san: what else a request of that subject may be called. */
static enum err
take_san(struct command *cmd, const struct alias *a, struct onetime *o)
{
	const char *san = opt_text(cmd, "san");
	enum err e;

	if (san == NULL)
		return OK;
	if (o->subject == NULL)
		return usage(cmd,
		    "--san belongs to --for: a code for any subject has the "
		    "names that the request asks for");
	if (a->mode == MODE_CA)
		return usage(cmd,
		    "alias %s is in CA mode, where certificates have their "
		    "entity's SAN: `scep entity set NAME --san`",
		    a->name);
	if ((e = check_san(san)) != OK)
		return e;
	return (o->san = str_dup(san)) != NULL ? OK : ERR_SYSTEM;
}

/* CA mode: the entity that the subject speaks for, which is registered. */
static enum err
take_entity(struct command *cmd, const struct alias *a, struct span subject,
    struct onetime *o)
{
	struct entity who = ENTITY_INIT;
	enum err e;

	if (o->subject == NULL)
		return usage(cmd,
		    "alias %s is in CA mode, where a code is for one entity: "
		    "--for CN=NAME",
		    a->name);
	if ((e = enrol_username(a, subject, &o->entity)) != OK)
		return e;
	if (o->entity == NULL)
		return say(ERR_REFUSED,
		    "--for %s: no username comes of it; it needs a CN, SN or "
		    "UNSTRUCTUREDNAME",
		    o->subject);
	e = entity_get(cmd, o->entity, &who);
	if (e == OK && who.blocked)
		e = say(ERR_REFUSED,
		    "entity %s is blocked; `scep entity unblock %s` first",
		    o->entity, o->entity);
	entity_release(&who);
	return e;
}

static enum err
take_profile(struct command *cmd, struct onetime *o)
{
	const char *name = opt_text(cmd, "profile");
	const struct profile *profile = NULL;
	struct profiles *all = NULL;
	enum err e;

	if (name == NULL)
		return OK;
	if ((e = profiles_new(cmd->home, &all)) == OK)
		e = profiles_find(all, name, &profile);
	if (e == ERR_NOTFOUND)
		e = say(
		    e, "no profile %s; `scep profile list` shows them", name);
	if (e == OK && (o->profile = str_dup(name)) == NULL)
		e = ERR_SYSTEM;
	profiles_free(all);
	return e;
}

static enum err
take_limits(struct command *cmd, const struct alias *a, struct onetime *o)
{
	int64_t count = opt_number(cmd, "count", 1);

	if (count < 1 || count > MAX_CODE_COUNT)
		return usage(cmd, "--count is 1 to %d", MAX_CODE_COUNT);
	o->code.count = (unsigned)count;
	o->code.expires = opt_time(cmd, "ttl", cmd->now + a->challenge.ttl);
	if (o->code.expires <= cmd->now)
		return usage(cmd, "--ttl is a time in the past");
	o->alias = str_dup(a->name);
	o->by = str_dup(buf_cstr(&cmd->who));
	return o->alias != NULL && o->by != NULL ? OK : ERR_SYSTEM;
}

static enum err
take_all(struct command *cmd, struct onetime *o)
{
	struct alias *a = NULL;
	struct buf subject = BUF_INIT;
	enum err e;

	if ((e = find_alias(cmd, &a)) != OK || a == NULL ||
	    (e = take_subject(cmd, &subject, o)) != OK ||
	    (e = take_san(cmd, a, o)) != OK ||
	    (e = take_limits(cmd, a, o)) != OK ||
	    (e = take_profile(cmd, o)) != OK)
		goto out;
	if (a->mode == MODE_CA)
		e = take_entity(cmd, a, buf_span(&subject), o);
out:
	buf_release(&subject);
	alias_free(a);
	return e;
}

/* For the audit: what it is good for, never the code. */
static bool
note(struct command *cmd, const struct onetime *o)
{
	char until[TIME_TEXT];

	time_text(o->code.expires, until);
	buf_clear(&cmd->object);
	buf_clear(&cmd->detail);
	return buf_str(&cmd->object, o->code.id) &&
	       buf_printf(&cmd->detail, "alias %s, for %s, %u time%s, until %s",
		   o->alias, o->subject != NULL ? o->subject : "any subject",
		   o->code.count, o->code.count == 1 ? "" : "s", until) &&
	       (o->san == NULL ||
		   buf_printf(&cmd->detail, ", SAN %s", o->san)) &&
	       (o->profile == NULL ||
		   buf_printf(&cmd->detail, ", profile %s", o->profile));
}

static enum err
run_new(struct command *cmd)
{
	struct challenge c = CHALLENGE_INIT;
	struct buf code = BUF_SECRET;
	enum err e;

	if ((e = take_all(cmd, &c.o)) != OK ||
	    (e = onetime_add(&cmd->store, &c.o, &code)) != OK)
		goto out;
	if (!note(cmd, &c.o))
		e = ERR_SYSTEM;
	if (opt_flag(cmd, "json"))
		challenge_json(cmd, &c, buf_cstr(&code));
	else
		(void)fprintf(cmd->out, "%s\n", buf_cstr(&code));
out:
	buf_release(&code);
	challenge_release(&c);
	return e;
}

static const struct option new_options[] = {
	{ "alias", NULL, OPT_TEXT, "NAME", "where the code is good" },
	{ "for", "subject", OPT_TEXT, "DN",
	    "only for requests of this subject" },
	{ "san", "altname", OPT_TEXT, "SAN",
	    "with --for, in RA mode: dNSName=a, ...; or: request (else none)" },
	{ "ttl", NULL, OPT_TIME, "TIME",
	    "good until then: 60m, 2d, a date (else [challenge] ttl of the "
	    "alias)" },
	{ "profile", NULL, OPT_TEXT, "NAME",
	    "certificate profile, instead of the alias's or entity's" },
	{ "count", NULL, OPT_NUMBER, "N", "certificates it pays for (else 1)" },
	{ "json", NULL, OPT_FLAG, NULL,
	    "one JSON object: code, id, and what it is good for" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};
static const struct option list_options[] = {
	{ "alias", NULL, OPT_TEXT, "NAME", "only those of this alias" },
	{ "match", NULL, OPT_TEXT, "GLOB", "only those for subjects like it" },
	{ "since", NULL, OPT_SINCE, "TIME",
	    "only those made since: 7d, a date" },
	{ "json", NULL, OPT_FLAG, NULL, "one JSON object a line" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};
static const struct option delete_options[] = {
	{ "code", NULL, OPT_SECRET, "CODE",
	    "the code itself; \"-\" reads it (ps shows it otherwise)" },
	{ "expired", NULL, OPT_FLAG, NULL,
	    "all that are expired or used up, too" },
	{ "yes", NULL, OPT_FLAG, NULL, "do not ask" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};

static const struct verb challenge_verbs[] = {
	{ "new", { "add", "create" }, "", 0, 0, new_options, run_new,
	    "make a one-time code, and print it alone",
	    "A device brings it as its challengePassword.  Nobody can see it "
	    "again: kept is a\nhash.  The alias must have `[challenge] judge = "
	    "onetime`.  In CA mode --for is\nneeded, and names a registered "
	    "entity.  In RA mode a code without --for is good\nfor any "
	    "names; with it the certificate has the subjectAltName of "
	    "--san, or none:\n`--san request` leaves that to the device.  "
	    "With `[ra] existing = renew`, the\ndefault, no code is good for "
	    "a name that has had a certificate.\n\n"
	    "  scep challenge new --alias net --for CN=router1,O=Lab --ttl 2h\n"
	    "  scep challenge new --alias net --for CN=router1 --san "
	    "dNSName=r1.example",
	    true, false, NAMES_PLAIN },
	{ "list", { NULL }, "", 0, 0, list_options, run_challenge_list,
	    "list codes by their ids: state, used, expiry, alias, for whom, "
	    "who made it",
	    NULL, false, false, NAMES_PLAIN },
	{ "delete", { "remove" }, "[ID...]", 0, -1, delete_options,
	    run_challenge_delete, "end codes; what they paid for stays",
	    "ID is the number that `scep challenge list` shows, or the first 8 "
	    "or more digits\nof it.  A request that waits for approval goes on "
	    "waiting.\n\n"
	    "  scep challenge delete --expired",
	    true, false, NAMES_PLAIN },
	{ .name = NULL },
};

const struct noun noun_challenge = { "challenge", "one-time codes for requests",
	challenge_verbs };
