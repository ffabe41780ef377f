#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "enrol_own.h"
#include "enrol_wait.h"
#include "store/revoked.h"

/*
 * The state of an enrolment, in the order in which it is found:
 *
 *	same CSR as an attempt that has a certificate      -> KEPT
 *	  but if that has expired or was revoked, and a
 *	  code that was set later admits it and has a
 *	  redemption left                                  -> GRANT
 *	the transaction waits for people                   -> WAIT
 *	  or was denied by one, not long ago               -> REFUSE
 *	who asks has no right to                           -> REFUSE
 *	same payment, certificate alive, before its
 *	half-life, not revoked                             -> KEPT
 *	nothing left to pay with for the next attempt      -> REFUSE
 *	names, profile, key or extensions do not fit       -> REFUSE
 *	people have to say yes, and have not               -> ASK
 *	otherwise                                          -> GRANT
 */

void
decision_init(struct decision *d)
{
	*d = (struct decision){ .verdict = VERDICT_REFUSE,
		.fail = FAIL_BADREQUEST,
		.received = BUF_SECRET };
}

void
decision_release(struct decision *d)
{
	free(d->username);
	free(d->renews);
	entity_release(&d->entity);
	code_release(&d->code);
	overrides_release(&d->over);
	buf_release(&d->received);
	buf_release(&d->subject);
	buf_release(&d->subject_text);
	buf_release(&d->san);
	outcome_release(&d->old);
	waiting_release(&d->waiting);
	outcome_release(&d->outcome);
	buf_release(&d->crl);
	decision_init(d);
}

enum err
decision_refuse(struct decision *d, enum failinfo fail, const char *reason)
{
	d->verdict = VERDICT_REFUSE;
	d->fail = fail;
	d->reason = reason;
	return OK;
}

enum err
decision_keep(struct decision *d)
{
	d->verdict = VERDICT_KEPT;
	d->attempt = d->outcome.attempt;
	return OK;
}

/* Equal texts, or neither is there. */
static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool
decision_paid(const struct decision *d, const struct outcome *o)
{
	const char *code = *d->code.id != '\0' ? d->code.id : NULL;

	return o->kind == OUTCOME_CERTIFICATE && same_text(o->code, code) &&
	       same_text(o->renews, d->renews);
}

bool
decision_attempt(const struct decision *d, struct buf *out)
{
	return buf_printf(out, "%s,%u", d->transaction.name, d->attempt);
}

/* Is this CSR, byte for byte, one that has its certificate? */
static enum err
find_replay(
    const struct store *st, const struct pkimsg *msg, struct decision *d)
{
	struct buf renews = BUF_INIT;
	enum err e = OK;

	if (msg->renews)
		e = enrol_renews(msg, &renews);
	if (e == OK)
		e = outcome_replay(st, &d->transaction, msg->csr.digest,
		    msg->renews ? buf_cstr(&renews) : NULL, &d->outcome);
	buf_release(&renews);
	return e;
}

/*
 * Does the last certificate of this transaction answer a re-signed request
 * (C-136 b)?  Only to the entity and key it was issued to, for what paid for
 * it, and before half its life has passed.
 */
static bool
answers(const struct outcome *last, const struct decision *d,
    const char spki[SHA256_HEX], int64_t now)
{
	int64_t half =
	    last->not_before + (last->not_after - last->not_before) / 2;

	return decision_paid(d, last) && last->entity != NULL &&
	       strcmp(last->entity, d->entity.username) == 0 &&
	       strcmp(last->spki, spki) == 0 && now < half;
}

/* The same, and is not revoked: then it is in d->outcome, kept. */
static enum err
find_answer(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    struct decision *d)
{
	const struct issuer by = { msg->ca->name, d->outcome.generation };
	char spki[SHA256_HEX];
	bool revoked = false;
	enum err e;

	if ((e = sha256_hex(msg->csr.spki, spki)) != OK ||
	    !answers(&d->outcome, d, spki, now))
		return e;
	e = revoked_now(in->store, &by, d->outcome.serial, &revoked);
	return e == OK && !revoked ? decision_keep(d) : e;
}

/* Finds which attempt this would be, or the certificate that answers it. */
static enum err
find_attempt(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    struct decision *d)
{
	enum err e;

	d->attempt = 1;
	e = outcome_latest(in->store, &d->transaction, &d->outcome);
	if (e == ERR_NOTFOUND)
		return OK;
	if (e != OK || (e = find_answer(in, msg, now, d)) != OK ||
	    d->verdict == VERDICT_KEPT)
		return e;
	d->attempt = d->outcome.attempt + 1;
	outcome_release(&d->outcome);
	return OK;
}

/*
 * Nothing is issued behind the CA's end, nor ahead of its beginning, but for
 * a next generation, whose certificates begin with it (C-128, C-129).
 */
static enum err
check_ca(const struct pkimsg *msg, int64_t now)
{
	const struct generation *gen = msg->gen;

	if (now < gen->not_after &&
	    (now >= gen->not_before || ca_current(msg->ca, now) != NULL))
		return OK;
	log_error("CA %s, generation %u, is %s: nothing can be issued",
	    msg->ca->called, gen->n,
	    now < gen->not_before ? "not valid yet" : "expired");
	return ERR_BUSY;
}

enum err
outcome_spent(
    const struct store *st, int64_t now, const struct outcome *o, bool *yes)
{
	const struct issuer by = { o->ca, o->generation };

	*yes = now >= o->not_after;
	return *yes ? OK : revoked_now(st, &by, o->serial, yes);
}

/*
 * People's yes, if it needs one.  It was for names, and is good for a new
 * key of the same: a request that was approved and could not be issued is
 * not asked about again.
 */
static enum err
find_yes(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    bool approved, struct decision *d)
{
	enum err e;

	if (approved)
		return enrol_covers(&d->waiting, msg, d) ?
			   OK :
			   decision_refuse(
			       d, FAIL_BADREQUEST, "not what was approved");
	if (enrol_yeses(d->alias, msg, d) == 0)
		return OK;
	if (d->alias->mode == MODE_CA || judge_holds(d->alias) != NULL) {
		log_error("alias %s: profile %s or CA %s asks for approval, "
			  "which %s%s has not (`scep alias check`)",
		    d->alias->name, d->profile->name, msg->ca->called,
		    d->alias->mode == MODE_CA ? "" : "judge = ",
		    d->alias->mode == MODE_CA ? "CA mode" :
						judge_holds(d->alias));
		return ERR_BUSY;
	}
	e = enrol_approved(in->store, msg, now, d);
	if (e == ERR_NOTFOUND)
		d->verdict = VERDICT_ASK;
	return e == ERR_NOTFOUND ? OK : e;
}

/* A replay gets what it got (C-173); see enrol_buys_again() for when not. */
static enum err
decide_replay(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    struct decision *d)
{
	bool spent = false, again = false;
	enum err e;

	e = outcome_spent(in->store, now, &d->outcome, &spent);
	if (e == OK && spent && now < msg->gen->not_after &&
	    d->alias->challenge.judge == JUDGE_ENTITY && !msg->renews)
		e = enrol_buys_again(in, msg, now, d, &again);
	if (e != OK)
		return e;
	if (!again) {
		d->reason = NULL;
		return decision_keep(d);
	}
	outcome_release(&d->outcome);
	if ((e = check_ca(msg, now)) != OK ||
	    (e = enrol_look(in, d->alias, msg, now, d)) != OK ||
	    d->verdict == VERDICT_REFUSE)
		return e;
	return find_yes(in, msg, now, false, d);
}

/*
 * It waits: whoever sends it again is told so, under the right that it came
 * with.  The first CSR is what people see (C-136 a, C-137).
 */
static enum err
go_on_waiting(const struct pkimsg *msg, struct decision *d)
{
	if (strcmp(d->waiting.csr, msg->csr.digest) != 0)
		log_warn("transaction %s: another request than the one that "
			 "waits; nobody will see it",
		    d->transaction.name);
	d->verdict = VERDICT_WAIT;
	return OK;
}

/* What waited is issued under the profile that it came with. */
enum err
decision_keep_rules(struct decision *d)
{
	char *profile;

	if (d->waiting.profile == NULL)
		return OK;
	if ((profile = str_dup(d->waiting.profile)) == NULL)
		return ERR_SYSTEM;
	free(d->entity.profile);
	d->entity.profile = profile;
	return OK;
}

static const struct road *
road_of(const struct decision *d, const struct pkimsg *msg)
{
	if (msg->renews)
		return &road_renewal;
	if (d->alias->mode == MODE_RA)
		return &road_secret;
	return d->alias->challenge.judge == JUDGE_ENTITY ? &road_code :
							   &road_judge;
}

/* The steps that every road has. */
static enum err
walk(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    struct decision *d)
{
	const struct road *road = road_of(d, msg);
	enum waiting_state state;
	enum err e;

	if ((e = enrol_waiting(in->store, d->alias, now, d, &state)) != OK)
		return e;
	if (state == WAITING_OPEN)
		return go_on_waiting(msg, d);
	if (state == WAITING_DENIED)
		return decision_refuse(
		    d, FAIL_BADREQUEST, "the request was denied");
	if ((e = road->ask(in, msg, now, d)) != OK ||
	    d->verdict == VERDICT_REFUSE)
		return e;
	if ((e = find_attempt(in, msg, now, d)) != OK ||
	    d->verdict != VERDICT_GRANT)
		return e;
	if ((e = road->room(in, msg, now, d)) != OK ||
	    d->verdict != VERDICT_GRANT)
		return e;
	if ((e = decision_keep_rules(d)) != OK ||
	    (e = enrol_look(in, d->alias, msg, now, d)) != OK ||
	    d->verdict != VERDICT_GRANT)
		return e;
	return find_yes(in, msg, now, state == WAITING_APPROVED, d);
}

enum err
enrol_decide(const struct enrol *in, const struct alias *alias,
    const struct pkimsg *msg, int64_t now, struct decision *d)
{
	enum err e;

	assert(msg->ca != NULL && msg->fail == FAIL_NONE);
	d->alias = alias;
	d->transaction = (struct transaction){ .alias = alias->name,
		.ca = msg->ca->name,
		.id = buf_span(&msg->txid) };
	if ((e = transaction_name(&d->transaction, msg->signer_key)) != OK)
		return e;
	e = enrol_username(alias, msg->csr.subject, &d->username);
	if (e != OK)
		return e;
	if ((e = find_replay(in->store, msg, d)) == OK)
		return decide_replay(in, msg, now, d);
	if (e != ERR_NOTFOUND)
		return e;
	if ((e = check_ca(msg, now)) != OK)
		return e;
	return walk(in, msg, now, d);
}
