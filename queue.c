#include "queue.h"

#include <string.h>

#include "base/log.h"
#include "ca/dn.h"
#include "crl.h"
#include "enrol_own.h"
#include "queue_own.h"
#include "store/revoked.h"

/* The RA's side: requests are taken in, and answered when the CA has been. */

#define ROUNDS 100 /* answers of one transaction that are taken at once */

/* How a transaction stands. */
struct standing {
	bool waits;
	struct queued queued; /* then */
	struct outcome last;  /* of the attempt before; or none */
	bool any;	      /* there is one */
};

static void
standing_release(struct standing *t)
{
	queued_release(&t->queued);
	outcome_release(&t->last);
	*t = (struct standing){ .waits = false };
}

/* One that is refused is as none. */
static enum err
take_answer(const struct queue_side *s, const char *name)
{
	const char *why = NULL;
	enum err e = queue_take(s, name, &why);

	if (e != ERR_INPUT)
		return e;
	log_warn("alias %s: the answer %s is not taken: %s", s->alias->name,
	    name, why);
	return ERR_NOTFOUND;
}

/* One look; ERR_EXISTS: an answer was taken meanwhile, look again. */
static enum err
look_once(const struct queue_side *s, struct decision *d, struct standing *out)
{
	char name[QUEUE_NAME];
	enum err e;

	e = outcome_latest(s->store, &d->transaction, &out->last);
	if (e != OK && e != ERR_NOTFOUND)
		return e;
	out->any = e == OK;
	d->attempt = out->any ? out->last.attempt + 1 : 1;
	e = queue_find(s->store, s->alias->name, d->transaction.name,
	    d->attempt, &out->queued);
	if (e == ERR_NOTFOUND)
		return OK;
	if (e != OK)
		return e;
	queue_name(d->transaction.name, d->attempt, name);
	e = take_answer(s, name);
	if (e == OK)
		return ERR_EXISTS;
	out->waits = e == ERR_NOTFOUND;
	return out->waits ? OK : e;
}

static enum err
look(const struct queue_side *s, struct decision *d, struct standing *out)
{
	enum err e = ERR_EXISTS;

	*out = (struct standing){ .waits = false };
	for (int i = 0; i < ROUNDS && e == ERR_EXISTS; i++) {
		standing_release(out);
		e = look_once(s, d, out);
	}
	return e == ERR_EXISTS ? ERR_BUSY : e;
}

static enum err
wait(struct decision *d)
{
	memcpy(d->waiting.id, d->transaction.name, sizeof(d->waiting.id));
	d->verdict = VERDICT_WAIT;
	return OK;
}

static enum err
name_transaction(
    const struct queue_side *s, const struct pkimsg *msg, struct decision *d)
{
	d->alias = s->alias;
	d->transaction = (struct transaction){ .alias = s->alias->name,
		.ca = msg->ca->name,
		.id = buf_span(&msg->txid) };
	return transaction_name(&d->transaction, msg->signer_key);
}

/* ---- polls -------------------------------------------------------------- */

enum err
queue_poll(const struct enrol *in, const struct queue_side *s,
    const struct pkimsg *msg, struct decision *d)
{
	struct standing t;
	enum err e;

	if ((e = name_transaction(s, msg, d)) != OK)
		return e;
	if ((e = look(s, d, &t)) != OK)
		goto out;
	if (t.waits) {
		e = wait(d);
	} else if (t.any && t.last.kind == OUTCOME_CERTIFICATE) {
		d->outcome = t.last;
		t.last = (struct outcome)OUTCOME_INIT;
		if ((e = decision_keep(d)) == OK)
			e = queue_recall(s, msg->ca, d);
	} else if (t.any && t.last.kind == OUTCOME_REFUSED) {
		queue_tell_refused(in, s, msg, &t.last);
		e = decision_refuse(
		    d, (enum failinfo)t.last.fail, "the CA refused it");
	} else {
		e = decision_refuse(
		    d, FAIL_BADCERTID, "no such transaction of this key");
	}
out:
	standing_release(&t);
	return e;
}

/* ---- requests that have their certificate ------------------------------- */

enum err
queue_spent(const struct queue_side *s, const struct outcome *o, bool *yes)
{
	struct buf serial = BUF_INIT;
	enum err e;

	*yes = s->now >= o->not_after;
	if (*yes)
		return OK;
	if ((e = hex_read(o->serial, &serial)) == OK)
		e = crl_lists(
		    s->store, o->ca, o->generation, buf_span(&serial), yes);
	buf_release(&serial);
	return e;
}

/*
 * The very CSR once more: what it got.  A client that renews with the CSR it
 * enrolled with signs with that certificate, and does not ask for it again.
 */
static enum err
find_replay(
    const struct queue_side *s, const struct pkimsg *msg, struct decision *d)
{
	bool no = false;
	enum err e;

	e = outcome_replay(
	    s->store, &d->transaction, msg->csr.digest, NULL, &d->outcome);
	if (e != OK)
		return e;
	e = queue_spent(s, &d->outcome, &no);
	if (e == OK && msg->renews)
		no |= span_eq(
		    buf_span(&d->outcome.cert), buf_span(&msg->signer_cert));
	if (e == OK && !no)
		return decision_keep(d);
	outcome_release(&d->outcome);
	return e == OK ? ERR_NOTFOUND : e;
}

/*
 * Another message of the same key, who has the judge's yes: a fresh run
 * instead of a poll (AutoSscep) gets the certificate, before its half-life.
 */
static enum err
find_answer(const struct queue_side *s, const struct pkimsg *msg,
    struct standing *t, struct decision *d)
{
	struct outcome *o = &t->last;
	char spki[SHA256_HEX];
	bool spent = false;
	enum err e;

	if (!t->any || o->kind != OUTCOME_CERTIFICATE || msg->renews ||
	    !decision_paid(d, o) ||
	    s->now >= o->not_before + (o->not_after - o->not_before) / 2)
		return OK;
	if ((e = sha256_hex(msg->csr.spki, spki)) != OK ||
	    strcmp(spki, o->spki) != 0 ||
	    (e = queue_spent(s, o, &spent)) != OK || spent)
		return e;
	d->outcome = *o;
	*o = (struct outcome)OUTCOME_INIT;
	return decision_keep(d);
}

/* ---- requests that go to the CA ------------------------------------------ */

static enum err
fill_texts(const struct enrol *in, const struct pkimsg *msg,
    const struct decision *d, struct queued *q)
{
	const char *name = d->over.username;
	struct buf text = BUF_INIT;
	enum err e = OK;

	if (name == NULL)
		name = d->entity.username ? d->entity.username : d->username;
	if (msg->csr.subject.len > 0 && msg->csr.subject.len <= MAX_SUBJECT)
		e = dn_text(msg->csr.subject, &text);
	if (e == OK && text.len > 0 &&
	    (q->subject = str_dup(buf_cstr(&text))) == NULL)
		e = ERR_SYSTEM;
	buf_release(&text);
	if (e != OK && e != ERR_INPUT) /* it cannot be written */
		return e;
	q->alias = str_dup(d->alias->name);
	q->ca = str_dup(msg->ca->name);
	q->username = str_dup(name);
	q->remote = str_dup(in->remote);
	q->code = *d->code.id != '\0' ? str_dup(d->code.id) : NULL;
	q->held = str_dup(judge_holds(d->alias));
	return q->alias && q->ca && (q->username || !name) &&
		       (q->remote || !in->remote) &&
		       (q->code || *d->code.id == '\0') &&
		       (q->held || !judge_holds(d->alias)) &&
		       buf_add(&q->txid, msg->txid.data, msg->txid.len) ?
		   OK :
		   ERR_SYSTEM;
}

/* Another request of this client was faster: then only that one is kept. */
static enum err
link_queued(const struct queue_side *s, const struct pkimsg *msg,
    const struct decision *d, const struct queued *q)
{
	struct queued first = { .attempt = 0 };
	enum err e = OK;

	if (q->held != NULL)
		e = queue_untold_keep(s, msg, d);
	if (e != OK || (e = queue_link(s->store, q)) == OK || q->held == NULL)
		return e;
	if (e == ERR_EXISTS &&
	    queue_find(
		s->store, q->alias, q->transaction, q->attempt, &first) == OK &&
	    strcmp(first.csr, q->csr) != 0)
		queue_untold_drop(s, msg, d);
	queued_release(&first);
	return e;
}

/* All that a record has; what is too large for one is refused. */
static enum err
compose(const struct enrol *in, const struct queue_side *s,
    const struct pkimsg *msg, struct decision *d, struct queued *q)
{
	enum err e;

	q->attempt = d->attempt;
	q->created = s->now;
	memcpy(q->transaction, d->transaction.name, SHA256_HEX);
	memcpy(q->csr, msg->csr.digest, SHA256_HEX);
	if ((e = sha256_hex(msg->csr.spki, q->spki)) != OK ||
	    (e = fill_texts(in, msg, d, q)) != OK ||
	    (e = queue_compose(in, s, msg, d, q)) != OK ||
	    (e = queue_fits(q)) != ERR_TOOBIG)
		return e;
	return decision_refuse(
	    d, FAIL_BADREQUEST, "the request is too large for a record");
}

/* A code pays for what can be queued, and for nothing else. */
static enum err
pay(const struct enrol *in, const struct queue_side *s, struct decision *d)
{
	enum err e = enrol_code_room(in, s->now, d);

	return e == OK && d->verdict == VERDICT_GRANT ?
		   enrol_code_pay(in, s->now, d) :
		   e;
}

/* Into the queue; the same client may have been faster than itself. */
static enum err
enqueue(const struct enrol *in, const struct queue_side *s,
    const struct pkimsg *msg, struct decision *d)
{
	struct queued q = { .attempt = 0 };
	enum err e;

	if ((e = compose(in, s, msg, d, &q)) == OK &&
	    d->verdict == VERDICT_GRANT && (e = pay(in, s, d)) == OK &&
	    d->verdict == VERDICT_GRANT) {
		e = link_queued(s, msg, d, &q);
		if (e == OK && (e = enrol_code_paid(in, d)) == ERR_BUSY)
			queue_drop(s->store, q.alias, q.transaction, q.attempt);
		if (e == OK || e == ERR_EXISTS)
			e = wait(d);
	}
	queued_release(&q);
	return e;
}

static enum err
ask_judge(const struct enrol *in, const struct queue_side *s,
    const struct pkimsg *msg, struct decision *d)
{
	struct judgement j;
	enum err e;

	d->verdict = VERDICT_GRANT;
	if (msg->renews && !s->alias->renewal.challenge)
		return OK;
	judgement_init(&j);
	e = enrol_judge(in, msg, s->now, d, &j);
	if (e == OK && d->verdict == VERDICT_GRANT) {
		decision_take(d, &j);
		e = msg->renews ? OK : enrol_strength(msg, d);
	}
	judgement_release(&j);
	return e;
}

/*
 * Whoever was not here before: judged, paid for, and into the queue; nobody is
 * judged who could not be sent on.
 */
static enum err
admit(const struct enrol *in, const struct queue_side *s,
    const struct pkimsg *msg, struct standing *t, struct decision *d)
{
	const struct generation *by = NULL;
	enum err e;

	if ((e = queue_signer(s, msg, &by)) != OK ||
	    (e = ask_judge(in, s, msg, d)) != OK ||
	    d->verdict != VERDICT_GRANT ||
	    (e = find_answer(s, msg, t, d)) != OK ||
	    d->verdict != VERDICT_GRANT || (e = queue_check_room(s)) != OK)
		return e;
	return enqueue(in, s, msg, d);
}

enum err
queue_enrol(const struct enrol *in, const struct queue_side *s,
    const struct pkimsg *msg, struct decision *d)
{
	struct standing t = { .waits = false };
	enum err e;

	if ((e = name_transaction(s, msg, d)) != OK ||
	    (e = enrol_username(s->alias, msg->csr.subject, &d->username)) !=
		OK ||
	    (e = look(s, d, &t)) != OK)
		goto out;
	if (t.waits) {
		if (strcmp(t.queued.csr, msg->csr.digest) != 0)
			log_warn("transaction %s: another request than the one "
				 "that waits; the CA will not see it",
			    d->transaction.name);
		e = wait(d);
		goto out;
	}
	e = find_replay(s, msg, d);
	if (e == ERR_NOTFOUND) {
		if (t.any)
			queue_tell_refused(in, s, msg, &t.last);
		e = admit(in, s, msg, &t, d);
	}
out:
	standing_release(&t);
	return e;
}
