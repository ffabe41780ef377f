#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "ca/cert.h"
#include "ca/dn.h"
#include "ca/san.h"
#include "enrol_name.h"
#include "enrol_own.h"
#include "enrol_unique.h"
#include "judge/judge.h"
#include "store/issued.h"

/*
 * The road of RA mode (ejbca-behaviour 4): whoever knows the alias's secret
 * gets a certificate for a name that the alias makes of the request, and the
 * entity of that name is made, or edited, with it.
 *
 * The entity's new version says for which attempt it was made, so that a
 * retry after a crash, or of a client that lost our answer, goes on with it.
 */

/*
 * Approved, and the judge is not asked again: a subjectAltName that is not the
 * request's own wish is what the judge has said then.
 */
static enum err
keep_san(const struct pkimsg *msg, struct decision *d)
{
	const struct waiting *w = &d->waiting;

	if (span_eq(buf_span(&w->san_der), msg->csr.san))
		return OK;
	free(d->over.san);
	d->over.san = str_dup(w->san != NULL ? w->san : "");
	return d->over.san != NULL ? OK : ERR_SYSTEM;
}

static enum err
ask_judge(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    struct decision *d)
{
	struct judgement j;
	enum err e;

	/*
	 * Approved: what it paid with to wait may be over by now.  A judge who
	 * wants to know what becomes of requests is asked about each.
	 */
	if (d->waiting.code != NULL && judge_holds(d->alias) == NULL &&
	    strcmp(d->waiting.csr, msg->csr.digest) == 0) {
		decision_paid_before(d);
		d->verdict = VERDICT_GRANT;
		return keep_san(msg, d);
	}
	judgement_init(&j);
	e = enrol_judge(in, msg, now, d, &j);
	if (e == OK && d->verdict == VERDICT_GRANT)
		decision_take(d, &j);
	judgement_release(&j);
	return e;
}

/*
 * Is this the request once more that this certificate was for?  For another
 * subject a name is made anew: under the first one, that subject's own entity
 * would not be asked for, which may be blocked.
 */
static bool
is_repeated(const struct outcome *last, const struct pkimsg *msg,
    const char spki[SHA256_HEX])
{
	struct cert_view v;

	return last->entity != NULL && last->renews == NULL &&
	       strcmp(last->spki, spki) == 0 &&
	       cert_view(buf_span(&last->cert), &v) == OK &&
	       dn_eq(v.subject, msg->csr.subject);
}

/*
 * Who is it?  A name is made once for a transaction: a request that is sent
 * again has the one that its certificate, or its place in the queue, has.
 */
static enum err
find_username(
    const struct enrol *in, const struct pkimsg *msg, struct decision *d)
{
	struct outcome last = OUTCOME_INIT;
	char spki[SHA256_HEX];
	const char *made = d->waiting.username;
	enum err e;

	if ((e = sha256_hex(msg->csr.spki, spki)) != OK)
		return e;
	e = outcome_latest(in->store, &d->transaction, &last);
	if (made == NULL)
		made = d->over.username;
	if (e == OK && made == NULL && is_repeated(&last, msg, spki))
		made = last.entity;
	if (e != OK && e != ERR_NOTFOUND)
		goto out;
	free(d->username);
	d->username = NULL;
	if (made == NULL)
		e = enrol_generate(d->alias, msg->csr.subject, &d->username);
	else
		e = (d->username = str_dup(made)) ? OK : ERR_SYSTEM;
	if (e == ERR_INPUT)
		e = decision_refuse(d, FAIL_BADREQUEST,
		    "no username can be made of the request's subject (`[ra] "
		    "namegenerationparameters`)");
out:
	outcome_release(&last);
	return e;
}

/* Was this version made for the very attempt that is decided? */
static bool
is_ours(const struct entity *who, const struct decision *d)
{
	struct buf name = BUF_INIT;
	bool same;

	same = who->transaction != NULL && decision_attempt(d, &name) &&
	       strcmp(who->transaction, buf_cstr(&name)) == 0;
	buf_release(&name);
	return same;
}

/*
 * The attempt that an entity's present version was made for is to be over
 * before the next version is made: it has an outcome, or its request waits, or
 * it is given up for dead and can have none.
 */
static enum err
end_maker(const struct enrol *in, const struct entity *who, int64_t now)
{
	const char *comma =
	    who->transaction == NULL ? NULL : strchr(who->transaction, ',');
	char name[SHA256_HEX] = "";
	unsigned attempt;
	enum err e;

	if (comma == NULL || comma - who->transaction != SHA256_HEX - 1)
		return OK;
	memcpy(name, who->transaction, SHA256_HEX - 1);
	attempt = (unsigned)strtoul(comma + 1, NULL, 10);
	e = outcome_finish(in->store, name, attempt);
	if (e == ERR_NOTFOUND)
		e = waiting_exists(in->store, name, attempt);
	if (e != ERR_NOTFOUND)
		return e;
	/* younger than that, it may be about to get its first certificate */
	if (who->changed > now - SETTLED) {
		log_warn(
		    "entity %s is being made by somebody else", who->username);
		return ERR_BUSY;
	}
	e = outcome_abandon(in->store, name, attempt);
	return e == ERR_EXISTS ? ERR_BUSY : e; /* it lives after all */
}

static enum err
check_none_issued(
    const struct enrol *in, const struct entity *who, struct decision *d)
{
	struct outcome last = OUTCOME_INIT;
	enum err e = issued_latest(in->store, who->username, &last);

	outcome_release(&last);
	if (e == OK)
		return decision_refuse(d, FAIL_BADREQUEST,
		    "the entity exists: only its certificate may ask for "
		    "another (`existing = renew`)");
	return e == ERR_NOTFOUND ? OK : e;
}

/*
 * An entity that this alias made and that never got a certificate is nobody's
 * yet, once whoever made it must be through: it may have got one since we
 * looked first.
 */
static enum err
check_unborn(const struct enrol *in, const struct entity *who, int64_t now,
    struct decision *d)
{
	enum err e;

	if (who->alias == NULL || strcmp(who->alias, d->alias->name) != 0)
		return decision_refuse(d, FAIL_BADREQUEST,
		    "the entity was not made by this alias; `existing = edit` "
		    "would take it");
	if ((e = check_none_issued(in, who, d)) != OK ||
	    d->verdict != VERDICT_GRANT || (e = end_maker(in, who, now)) != OK)
		return e;
	return check_none_issued(in, who, d);
}

static bool
set_text(char **member, const char *value)
{
	char *copy = value == NULL ? NULL : str_dup(value);

	if (value != NULL && copy == NULL)
		return false;
	free(*member);
	*member = copy;
	return true;
}

static enum err
find_entity(const struct enrol *in, struct decision *d)
{
	struct span name = span_of(d->username, strlen(d->username));
	enum err e;

	e = entity_find(in->store, name, &d->entity);
	if (e == ERR_NOTFOUND)
		e = set_text(&d->entity.username, d->username) ? OK :
								 ERR_SYSTEM;
	if (e == OK && d->entity.blocked)
		return decision_refuse(d, FAIL_BADREQUEST, "entity is blocked");
	return e;
}

static enum err
ask(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    struct decision *d)
{
	enum err e;

	d->pay = PAY_SECRET;
	if ((e = ask_judge(in, msg, now, d)) != OK ||
	    d->verdict == VERDICT_REFUSE ||
	    (e = enrol_strength(msg, d)) != OK ||
	    d->verdict == VERDICT_REFUSE ||
	    (e = find_username(in, msg, d)) != OK ||
	    d->verdict == VERDICT_REFUSE)
		return e;
	return find_entity(in, d);
}

/* What the request makes of its entity; names come with enrol_look(). */
static enum err
edit(struct decision *d)
{
	struct entity *who = &d->entity;
	bool ok;

	ok = set_text(&who->subject, NULL) && set_text(&who->san, "request") &&
	     set_text(&who->ca, d->transaction.ca) &&
	     set_text(&who->profile, d->alias->ra.profile) &&
	     set_text(&who->alias, d->alias->name);
	return ok ? decision_override(d) : ERR_SYSTEM;
}

/* May the request have the entity, and is there a code left, if one pays? */
static enum err
room(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    struct decision *d)
{
	const enum existing existing = d->alias->ra.existing;
	enum err e = enrol_code_room(in, now, d);

	(void)msg;
	if (e != OK || d->verdict != VERDICT_GRANT)
		return e;
	if (d->entity.version == 0 || is_ours(&d->entity, d))
		return edit(d);
	if (existing == EXISTING_REFUSE)
		return decision_refuse(d, FAIL_BADREQUEST,
		    "the entity exists (`existing = refuse`)");
	if (existing == EXISTING_RENEW)
		e = check_unborn(in, &d->entity, now, d);
	return e == OK && d->verdict == VERDICT_GRANT ? edit(d) : e;
}

/* The names that the certificate will have, for people and renewals. */
static enum err
register_names(struct decision *d)
{
	struct buf san = BUF_INIT, name = BUF_INIT;
	enum err e = OK;
	bool ok;

	if (d->san.len > 0)
		e = san_text(buf_span(&d->san), &san);
	if (e != OK)
		goto out;
	ok = decision_attempt(d, &name) &&
	     set_text(&d->entity.transaction, buf_cstr(&name)) &&
	     set_text(&d->entity.subject, buf_cstr(&d->subject_text)) &&
	     set_text(&d->entity.san, d->san.len > 0 ? buf_cstr(&san) : NULL);
	e = ok ? OK : ERR_SYSTEM;
out:
	buf_release(&san);
	buf_release(&name);
	return e;
}

/* Did somebody make this very version, a moment ago, for this attempt? */
static enum err
find_twin(const struct enrol *in, struct decision *d)
{
	struct entity there = ENTITY_INIT;
	struct span name = span_of(d->username, strlen(d->username));
	enum err e;

	e = entity_find(in->store, name, &there);
	if (e == OK && !is_ours(&there, d))
		e = ERR_BUSY;
	if (e == OK)
		d->entity.created = there.created;
	if (e == ERR_NOTFOUND || e == ERR_BUSY) {
		log_info("entity %s was changed meanwhile; the client has to "
			 "try again",
		    d->username);
		e = ERR_BUSY;
	}
	entity_release(&there);
	return e;
}

/*
 * Pays, and makes or edits the entity.  Where somebody else has done that since we
 * looked, the client tries again, and is decided about anew.  What can refuse
 * comes before the code, which would be spent on a refusal.
 */
static enum err
pay(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    struct decision *d)
{
	bool ours = d->entity.version > 0 && is_ours(&d->entity, d);
	enum err e = OK;

	/*
	 * Nobody else is at it once the version's maker has ended; whoever
	 * comes after this count makes a version before ours, which then is
	 * not made.
	 */
	if (!ours && d->entity.version > 0 && d->enrolments > 0 &&
	    (e = end_maker(in, &d->entity, now)) == OK)
		e = enrol_count(in, msg, d);
	if (e != OK || d->verdict != VERDICT_GRANT)
		return e;
	if ((e = enrol_code_pay(in, now, d)) != OK ||
	    d->verdict != VERDICT_GRANT || ours ||
	    (e = register_names(d)) != OK)
		return e;
	e = d->entity.version == 0 ? entity_add(in->store, &d->entity) :
				     entity_update(in->store, &d->entity);
	return e == ERR_EXISTS || e == ERR_BUSY ? find_twin(in, d) : e;
}

const struct road road_secret = { ask, room, pay };
