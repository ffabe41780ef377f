#include "admin/request.h"

#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "enrol_wait.h"

/* People's yes and no, and issuing upon the last yes. */

const struct option answer_options[] = {
	{ "as", NULL, OPT_TEXT, "NAME",
	    "root alone: it is this person's answer" },
	{ "reason", NULL, OPT_TEXT, "TEXT", "why, for the record" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};

#define HOST_MAX 64

/* Who answers; borrows from cmd and host. */
static enum err
answerer(
    const struct command *cmd, char host[HOST_MAX + 1], struct approval *out)
{
	const char *as = opt_text(cmd, "as");

	if (as != NULL && !cmd->root)
		return say(ERR_REFUSED,
		    "--as %s: only root says yes or no for others", as);
	if (as != NULL && *as == '\0')
		return say(ERR_REFUSED, "--as wants a name");
	host[0] = host[HOST_MAX] = '\0';
	(void)gethostname(host, HOST_MAX);
	*out = (struct approval){ .uid = cmd->uid,
		.name = cmd->user.len > 0 ? (char *)cmd->user.data : NULL,
		.as = (char *)(uintptr_t)as,
		.reason = (char *)(uintptr_t)opt_text(cmd, "reason"),
		.host = host,
		.time = cmd->now };
	return OK;
}

/* For the audit: which one, and for whom it was said. */
static enum err
note(struct command *cmd, const struct sighting *s)
{
	const char *as = opt_text(cmd, "as"), *why = opt_text(cmd, "reason");

	buf_clear(&cmd->object);
	buf_clear(&cmd->detail);
	if (!buf_str(&cmd->object, s->w.id) ||
	    !buf_printf(&cmd->detail, "alias %s, %s, %s", s->w.alias,
		s->w.username, s->w.subject != NULL ? s->w.subject : "") ||
	    (as != NULL && !buf_printf(&cmd->detail, "; for %s", as)) ||
	    (why != NULL && !buf_printf(&cmd->detail, "; %s", why)))
		return ERR_SYSTEM;
	return OK;
}

/* What became of it without a certificate or a no. */
static const char *const ends[OUTCOME__MAX] = {
	[OUTCOME_ABANDONED] = "was moved to another alias; `scep request list` "
			      "shows it",
	[OUTCOME_EXPIRED] = "has expired; the device has to ask again",
	[OUTCOME_PASSED] = "was approved, and the device got its certificate "
			   "by another request",
};

/* What became of it already; every answer but "it waits" is a refusal. */
static enum err
say_decided(const struct sighting *s)
{
	const struct outcome *o = &s->outcome;
	const char *id = s->w.id;
	char when[TIME_TEXT];

	if (s->standing == STANDS_OVER)
		return say(
		    ERR_REFUSED, "request %.16s %s", id, ends[OUTCOME_EXPIRED]);
	if (s->standing != STANDS_DECIDED)
		return OK;
	time_text(o->issued, when);
	if (o->kind == OUTCOME_CERTIFICATE)
		return say(ERR_REFUSED,
		    "request %.16s was issued already: `scep cert show %s`, "
		    "`scep cert revoke %s`",
		    id, o->serial, o->serial);
	if (o->kind == OUTCOME_DENIED)
		return say(ERR_REFUSED,
		    "request %.16s was denied already, %s by %s%s%s", id, when,
		    o->by, o->why != NULL ? ": " : "",
		    o->why != NULL ? o->why : "");
	return say(ERR_REFUSED, "request %.16s %s", id, ends[o->kind]);
}

/* This yes was among those that it took; who wrote the certificate is all one. */
static enum err
say_issued(const struct command *cmd, const struct sighting *s)
{
	const struct outcome *o = &s->outcome;

	if (s->standing != STANDS_DECIDED || o->kind != OUTCOME_CERTIFICATE)
		return say_decided(s);
	(void)fprintf(cmd->out, "issued %s to %s\n", o->serial, s->w.username);
	return OK;
}

/* --- issuing ------------------------------------------------------------ */

/* What a grant needs, of a home. */
struct desk {
	struct profiles *profiles;
	struct cas *cas;
	struct aliases *aliases;
	struct site site;
	const struct alias *alias;
	const struct ca *ca;
};

static enum err
desk_open(const struct command *cmd, const struct waiting *w, struct desk *k)
{
	enum err e;

	k->site = (struct site)SITE_INIT;
	if ((e = profiles_new(cmd->home, &k->profiles)) != OK ||
	    (e = cas_new(cmd->home, &k->cas)) != OK ||
	    (e = aliases_new(cmd->home, &k->aliases)) != OK ||
	    (e = site_read(cmd->home, &k->site)) != OK)
		return e;
	e = aliases_find(k->aliases, w->alias, &k->alias);
	if (e == ERR_NOTFOUND)
		return say(ERR_REFUSED,
		    "approved, but there is no alias %s any more; if it was "
		    "being renamed, do that again",
		    w->alias);
	if (e == OK)
		e = cas_find(k->cas, w->ca, &k->ca);
	if (e == ERR_NOTFOUND)
		return say(ERR_REFUSED,
		    "approved, but there is no CA %s any more", w->ca);
	return e;
}

static void
desk_close(struct desk *k)
{
	aliases_free(k->aliases);
	cas_free(k->cas);
	profiles_free(k->profiles);
}

/*
 * The grant itself.  Somebody else may have decided it meanwhile: what stands
 * in the store is the answer.
 */
static enum err
grant(struct command *cmd, const struct desk *k, struct decision *d)
{
	const struct enrol in = { .store = &cmd->store,
		.profiles = k->profiles,
		.baseurl = *k->site.baseurl ? k->site.baseurl : NULL,
		.home = cmd->home };
	struct pkimsg msg;
	enum err e;

	e = enrol_revive(&in, k->alias, k->ca, cmd->now, &msg, d);
	if (e == OK && d->verdict == VERDICT_GRANT)
		e = enrol_grant(&in, &msg,
		    d->waiting.remote != NULL ? d->waiting.remote : "",
		    cmd->now, d);
	pkimsg_release(&msg);
	if (e == OK && d->verdict == VERDICT_REFUSE)
		e = say(ERR_REFUSED,
		    "approved, but it cannot be issued: %s; mend that, and "
		    "the device gets it when it asks again, or by the same "
		    "command",
		    d->reason);
	else if (e == OK)
		(void)fprintf(cmd->out, "issued %s to %s\n", d->outcome.serial,
		    d->waiting.username);
	return e;
}

/* The request once more, as a decision; alias rename may have moved it. */
static enum err
issue(struct command *cmd, struct sighting *s)
{
	struct desk k = { .cas = NULL };
	struct decision d;
	enum err e;

	decision_init(&d);
	e = waiting_latest(
	    &cmd->store, s->w.transaction, &d.waiting, &d.attempt);
	if (e == OK && d.attempt != s->w.attempt)
		e = ERR_NOTFOUND;
	if (e == OK && (e = desk_open(cmd, &s->w, &k)) == OK)
		e = grant(cmd, &k, &d);
	decision_release(&d);
	desk_close(&k);
	if (e != ERR_NOTFOUND && e != ERR_BUSY)
		return e;
	/* decided meanwhile, or the CA, say, is not valid: that was logged */
	if (sighting_look(cmd, s) == OK && s->standing == STANDS_DECIDED)
		return say_issued(cmd, s);
	return e;
}

/*
 * Only a request that failed to issue is to be found by its entity under
 * another transaction.  Until then, whoever knows the alias's secret could be
 * faster than the device whose CSR people saw, and get their yes.
 */
static enum err
issue_or_keep(struct command *cmd, struct sighting *s)
{
	enum err e = issue(cmd, s), kept;

	if (e == OK)
		return OK;
	kept = sighting_look(cmd, s);
	if (kept == OK && s->standing == STANDS_APPROVED)
		kept = approved_add(&cmd->store, &s->w);
	return kept == OK ? e : kept;
}

/* --- yes ---------------------------------------------------------------- */

static enum err
say_twice(struct command *cmd, const struct sighting *s, unsigned count)
{
	const char *as = opt_text(cmd, "as");

	cmd->unchanged = true;
	return say(ERR_REFUSED,
	    "%s has said yes to this request before: it has %u of %u, and "
	    "each person counts once",
	    as != NULL ? as : buf_cstr(&cmd->who), count, s->w.required);
}

static enum err
approve(struct command *cmd, struct sighting *s)
{
	struct approval yes = APPROVAL_INIT; /* borrows */
	char host[HOST_MAX + 1];
	unsigned count = 0;
	bool added;
	enum err e;

	if ((e = say_decided(s)) != OK || (e = answerer(cmd, host, &yes)) != OK)
		return e;
	e = approval_add(&cmd->store, &s->w, &yes, &count);
	if (e == ERR_EXISTS && count < s->w.required)
		return say_twice(cmd, s, count);
	if (e != OK && e != ERR_EXISTS)
		return e;
	/* a no, the end of its time, or the device may have come between */
	added = e == OK;
	if ((e = sighting_look(cmd, s)) != OK)
		return e;
	if (s->standing == STANDS_DECIDED || s->standing == STANDS_OVER)
		return added ? say_issued(cmd, s) : say_decided(s);
	(void)fprintf(cmd->out, "request %.16s has %u of %u yeses\n", s->w.id,
	    count, s->w.required);
	return count < s->w.required ? OK : issue_or_keep(cmd, s);
}

enum err
run_approve(struct command *cmd)
{
	struct sighting s = SIGHTING_INIT;
	enum err e = request_find(cmd, &s);

	if (e == OK)
		e = note(cmd, &s);
	if (e == OK)
		e = approve(cmd, &s);
	sighting_release(&s);
	return e;
}

/* --- no ----------------------------------------------------------------- */

static enum err
deny(struct command *cmd, struct sighting *s, const char *why)
{
	struct outcome no = { .kind = OUTCOME_DENIED,
		.attempt = s->w.attempt,
		.alias = s->w.alias,
		.why = (char *)(uintptr_t)why,
		.issued = cmd->now };
	const char *as = opt_text(cmd, "as");
	struct buf by = BUF_INIT;
	enum err e;

	memcpy(no.transaction, s->w.transaction, sizeof(no.transaction));
	if (!buf_str(&by, buf_cstr(&cmd->who)) ||
	    (as != NULL && !buf_printf(&by, " for %s", as))) {
		e = ERR_SYSTEM;
		goto out;
	}
	no.by = (char *)by.data;
	e = outcome_decide(&cmd->store, &no);
	if (e == ERR_EXISTS && (e = sighting_look(cmd, s)) == OK)
		e = say_decided(s);
out:
	buf_release(&by);
	return e;
}

enum err
run_deny(struct command *cmd)
{
	struct sighting s = SIGHTING_INIT;
	struct approval no = APPROVAL_INIT;
	char host[HOST_MAX + 1];
	enum err e = request_find(cmd, &s);

	if (e == OK && (e = note(cmd, &s)) == OK &&
	    (e = say_decided(&s)) == OK && (e = answerer(cmd, host, &no)) == OK)
		e = deny(cmd, &s, opt_text(cmd, "reason"));
	if (e == OK)
		(void)fprintf(cmd->out, "request %.16s is denied\n", s.w.id);
	sighting_release(&s);
	return e;
}

struct deny_all {
	struct command *cmd;
	const char *alias, *reason;
	unsigned *n;
};

static enum err
deny_one(const struct sighting *s, void *arg)
{
	struct deny_all *all = arg;
	struct sighting again = SIGHTING_INIT;
	enum err e;

	if (strcmp(s->w.alias, all->alias) != 0)
		return OK;
	e = waiting_find(
	    &all->cmd->store, s->w.transaction, s->w.attempt, &again.w);
	if (e == OK)
		e = deny(all->cmd, &again, all->reason);
	if (e == OK)
		e = audit_object(all->cmd, s->w.id);
	if (e == OK)
		++*all->n;
	sighting_release(&again);
	return e == ERR_REFUSED ? OK : e; /* decided meanwhile */
}

enum err
request_deny_all(
    struct command *cmd, const char *alias, const char *reason, unsigned *n)
{
	struct deny_all all = { cmd, alias, reason, n };

	*n = 0;
	return request_each(cmd, deny_one, &all);
}
