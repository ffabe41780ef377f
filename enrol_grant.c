#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "enrol.h"
#include "enrol_own.h"
#include "enrol_unique.h"
#include "enrol_wait.h"

/*
 * Granting what was decided, in the order of STORE.md, A grant.
 */

/* What `cert show` and replays need to know of the certificate. */
static enum err
describe(const struct pkimsg *msg, const char *remote, int64_t now,
    struct issued *cert, struct decision *d)
{
	const char *holder = judge_holds(d->alias);
	struct outcome *o = &d->outcome;
	enum err e;

	outcome_release(o);
	o->kind = OUTCOME_CERTIFICATE;
	memcpy(o->transaction, d->transaction.name, sizeof(o->transaction));
	o->attempt = d->attempt;
	o->alias = str_dup(d->transaction.alias);
	o->ca = str_dup(msg->ca->name);
	o->generation = msg->gen->n;
	o->entity = str_dup(d->entity.username);
	if (*d->code.id != '\0' && (o->code = str_dup(d->code.id)) == NULL)
		return ERR_SYSTEM;
	if (d->renews != NULL && (o->renews = str_dup(d->renews)) == NULL)
		return ERR_SYSTEM;
	if (holder != NULL && (o->held = str_dup(holder)) == NULL)
		return ERR_SYSTEM;
	o->profile = str_dup(d->profile->name);
	o->remote = str_dup(remote);
	memcpy(o->csr, msg->csr.digest, sizeof(o->csr));
	memcpy(o->serial, cert->serial, sizeof(o->serial));
	o->issued = now;
	o->registered = d->entity.created;
	o->not_before = cert->not_before;
	o->not_after = cert->not_after;
	o->cert = cert->der;
	cert->der = (struct buf)BUF_INIT;
	o->subject = str_dup(buf_cstr(&d->subject_text));
	if ((e = sha256_hex(msg->csr.spki, o->spki)) != OK)
		return e;
	if (!buf_add(&o->id, msg->txid.data, msg->txid.len) || !o->alias ||
	    !o->ca || !o->entity || !o->profile || !o->remote || !o->subject)
		e = ERR_SYSTEM;
	return e;
}

/*
 * Somebody else decided this attempt first.  Their certificate is the answer
 * if it is the one that we were to issue: the same entity and key, for the
 * same payment.  If not, or if the attempt was abandoned (a new code was set
 * meanwhile), the client tries again and gets the next attempt: our claim on
 * this one is dead (store/claim.c).
 */
static enum err
take_theirs(const struct store *st, struct decision *d)
{
	const struct outcome *o = &d->outcome;
	char spki[SHA256_HEX];
	enum err e;

	memcpy(spki, o->spki, sizeof(spki));
	outcome_release(&d->outcome);
	e = outcome_find(st, &d->transaction, d->attempt, &d->outcome);
	if (e != OK)
		return e;
	if (decision_paid(d, o) && o->entity != NULL &&
	    strcmp(o->entity, d->entity.username) == 0 &&
	    strcmp(o->spki, spki) == 0)
		return decision_keep(d);
	log_info("another decided attempt %u of this transaction; the client "
		 "has to try again",
	    d->attempt);
	return ERR_BUSY;
}

/* What a request that waited pays with: the record says. */
static enum payment
payment_of(const struct decision *d)
{
	if (d->pay != PAY_APPROVAL)
		return d->pay;
	return d->waiting.renews != NULL ? PAY_RENEWAL : PAY_SECRET;
}

static enum err
pay_road(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    struct decision *d)
{
	static const struct road *const roads[PAY__MAX] = {
		[PAY_CODE] = &road_code,
		[PAY_SECRET] = &road_secret,
		[PAY_JUDGE] = &road_judge,
		[PAY_RENEWAL] = &road_renewal,
	};

	d->pay = payment_of(d);
	return roads[d->pay]->pay(in, msg, now, d);
}

/* People's yes, given under this transaction or another. */
static enum err
pay_approval(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    struct decision *d)
{
	enum err e;

	(void)msg;
	(void)now;
	e = enrol_pass(in->store, d);
	return e == ERR_REFUSED ?
		   decision_refuse(d, FAIL_BADREQUEST,
		       "another request has had the approval meanwhile") :
		   e;
}

/*
 * 2. pay (STORE.md, A grant).  A yes is asked of people once: what is unique
 * is claimed before it is spent.
 */
static enum err
pay(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    struct decision *d)
{
	typedef enum err step(const struct enrol *, const struct pkimsg *,
	    int64_t, struct decision *);
	static step *const at_once[] = { pay_road, enrol_unique_claim, NULL };
	static step *const approved[] = { enrol_unique_claim, pay_approval,
		pay_road, NULL };
	step *const *next = d->waiting.attempt > 0 ? approved : at_once;
	enum err e = OK;

	while (e == OK && *next != NULL && d->verdict == VERDICT_GRANT)
		e = (*next++)(in, msg, now, d);
	return e;
}

/* 3. sign, 4. to 6. issue and audit */
static enum err
issue(const struct enrol *in, const struct pkimsg *msg, const char *remote,
    int64_t now, struct decision *d)
{
	struct leaf leaf = enrol_leaf(in, msg, d);
	struct issued cert = { .der = BUF_INIT };
	enum err e;

	if ((e = ca_issue(msg->gen, d->profile, &leaf, now, &cert)) != OK ||
	    (e = describe(msg, remote, now, &cert, d)) != OK)
		goto out;
	e = outcome_link(in->store, &d->outcome);
	if (e == ERR_EXISTS)
		e = take_theirs(in->store, d);
	else if (e == OK)
		d->verdict = VERDICT_ISSUED;
out:
	issued_release(&cert);
	return e;
}

enum err
enrol_grant(const struct enrol *in, const struct pkimsg *msg,
    const char *remote, int64_t now, struct decision *d)
{
	enum err e;

	if (d->verdict == VERDICT_ASK)
		return enrol_wait(in, msg, remote, now, d);
	assert(d->verdict == VERDICT_GRANT);
	if ((e = pay(in, msg, now, d)) != OK || d->verdict != VERDICT_GRANT)
		return e;
	return issue(in, msg, remote, now, d);
}
