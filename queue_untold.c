#include <stdlib.h>

#include "base/log.h"
#include "enrol_own.h"
#include "queue.h"
#include "queue_own.h"

/*
 * Judges that must hear what became of their yes (judge_holds()), at an
 * external RA.  They are told of the request as it came, and a poll does not
 * bring that: it is kept, as a letter of the RA to itself, so that its secret
 * stands in no file in clear.
 *
 *	untold/ -> out/ -> outcome: held  --told, mark-->  leaves, untold/ goes
 *	                                  `--spent: untold/ goes, FAILURE
 *	                   outcome: refused  --told--> untold/ goes, FAILURE
 */

enum err
queue_untold_keep(const struct queue_side *s, const struct pkimsg *msg,
    const struct decision *d)
{
	const struct untold u = { s->alias->name, d->transaction.name,
		d->attempt, msg->csr.digest };
	char name[QUEUE_NAME];
	struct letter letter = { .kind = LETTER_UNTOLD, .name = name };
	struct buf der = BUF_INIT;
	enum err e;

	queue_name(d->transaction.name, d->attempt, name);
	letter.text = span_of("", 0);
	letter.part[0] = buf_span(&msg->csr.der);
	if ((e = random_bytes(letter.nonce, LETTER_NONCE)) == OK &&
	    (e = letter_seal(&letter, msg->by, msg->to, &der)) == OK)
		e = untold_link(s->store, &u, buf_span(&der));
	buf_release(&der);
	return e;
}

void
queue_untold_drop(const struct queue_side *s, const struct pkimsg *msg,
    const struct decision *d)
{
	const struct untold u = { s->alias->name, d->transaction.name,
		d->attempt, msg->csr.digest };

	untold_drop(s->store, &u);
}

/* The RA that has signed it; its other half has the key, if it has two. */
static struct key *
key_of(const struct ca *ca, const struct letter_opened *l)
{
	for (size_t i = 0; i < ca->nra; i++)
		if (span_eq(l->signer, buf_span(&ra_signer(&ca->ra[i])->cert)))
			return ca->ra[i].enc.key;
	return NULL;
}

/* By any RA certificate that this host has had of the CA, ended or not. */
static enum err
open_letter(
    const struct ca *ca, const char *name, struct span der, struct buf *csr)
{
	struct span *signer = calloc(ca->nra + 1, sizeof(*signer));
	struct letter_rule rule = { .kind = LETTER_UNTOLD,
		.name = name,
		.signer = signer,
		.n = ca->nra };
	struct letter_opened l = { .plain = BUF_SECRET };
	const char *why = "memory is out";
	enum err e = ERR_SYSTEM;

	for (size_t i = 0; signer != NULL && i < ca->nra; i++)
		signer[i] = buf_span(&ra_signer(&ca->ra[i])->cert);
	if (signer != NULL && (e = letter_verify(der, &rule, &l, &why)) == OK &&
	    (e = letter_open_own(&l, key_of(ca, &l), &why)) == OK)
		e = buf_add(csr, l.part[0].p, l.part[0].len) ? OK : ERR_SYSTEM;
	if (e != OK)
		log_error("what was kept of the request %s is not taken: %s",
		    name, why);
	letter_release(&l);
	free(signer);
	return e;
}

/* ERR_NOTFOUND: there is none that is good; logged, unless `silent`. */
static enum err
find(const struct queue_side *s, const struct ca *ca, const struct outcome *o,
    bool silent, struct buf *csr)
{
	const struct untold u = { s->alias->name, o->transaction, o->attempt,
		o->csr };
	char name[QUEUE_NAME];
	struct buf der = BUF_INIT;
	enum err e = untold_find(s->store, &u, &der);

	queue_name(o->transaction, o->attempt, name);
	if (e == OK)
		e = open_letter(ca, name, buf_span(&der), csr);
	if (e != OK && !(silent && e == ERR_NOTFOUND))
		log_error("alias %s: queue/%s/untold/%s,%s %s: restore it, or "
			  "have the device send its request again",
		    s->alias->name, s->alias->name, name, o->csr,
		    e == ERR_NOTFOUND ? "is missing" : "is of no use");
	buf_release(&der);
	return e == ERR_INPUT ? ERR_NOTFOUND : e;
}

enum err
queue_recall(
    const struct queue_side *s, const struct ca *ca, struct decision *d)
{
	const struct outcome *o = &d->outcome;
	const struct untold u = { s->alias->name, o->transaction, o->attempt,
		o->csr };
	bool released = false, spent = false;
	enum err e;

	if (o->held == NULL)
		return OK;
	e = outcome_released(s->store, o, &released);
	if (e == OK && !released)
		e = queue_spent(s, o, &spent);
	if (e == OK && spent) {
		untold_drop(s->store, &u);
		return decision_unreleased(d);
	}
	if (e == OK && !released)
		e = find(s, ca, o, false, &d->received);
	return e == ERR_NOTFOUND ? OK : e; /* then the gate stays shut */
}

/* Once: what was kept is the only sign that it was not told. */
void
queue_tell_refused(const struct enrol *in, const struct queue_side *s,
    const struct pkimsg *msg, const struct outcome *o)
{
	const struct untold u = { s->alias->name, o->transaction, o->attempt,
		o->csr };
	struct decision d;

	if (o->kind != OUTCOME_REFUSED || *o->csr == '\0')
		return;
	decision_init(&d);
	d.alias = s->alias;
	(void)decision_refuse(&d, (enum failinfo)o->fail,
	    o->why != NULL ? o->why : "the CA refused it");
	if (find(s, msg->ca, o, true, &d.received) == OK) {
		enrol_tell_refusal(in, msg, s->now, &d);
		untold_drop(s->store, &u);
	}
	decision_release(&d);
}
