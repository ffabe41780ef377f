#ifndef ENROL_WAIT_H
#define ENROL_WAIT_H

#include "enrol.h"

/*
 * Requests that people have to say yes to (C-131 to C-139), between enrolment
 * and the store.  enrol_wait.c: how a transaction stands, and putting a
 * request into the queue; enrol_revive.c: taking it out again.
 */
enum waiting_state {
	WAITING_NONE,
	WAITING_OPEN,	  /* d->waiting has no yes yet, or not all */
	WAITING_APPROVED, /* d->waiting has, and nothing came of it yet */
	WAITING_DENIED	  /* a person said no, not long ago */
};

/*
 * How d->transaction stands.  Fills d->waiting (OPEN, APPROVED) and
 * d->attempt, the one that a grant would decide.  What is over its time
 * becomes `expired` here.
 */
enum err enrol_waiting(const struct store *st, const struct alias *a,
    int64_t now, struct decision *d, enum waiting_state *out);

/*
 * How many people have to say yes: the highest of alias, d->profile and the
 * message's CA; of a renewal, of those that say so.
 */
unsigned enrol_yeses(
    const struct alias *a, const struct pkimsg *msg, const struct decision *d);

/*
 * Does the yes to this record hold for what d and msg would issue?  The same
 * alias, CA, profile, entity and names, and the same extensions asked for;
 * the key may be another.
 */
bool enrol_covers(const struct waiting *w, const struct pkimsg *msg,
    const struct decision *d);

/*
 * An approved request of d->entity whose time is not over, that was not issued
 * under its own transaction and covers this one: d->waiting is filled, d->pay
 * is PAY_APPROVAL.  ERR_NOTFOUND: none.
 */
enum err enrol_approved(const struct store *st, const struct pkimsg *msg,
    int64_t now, struct decision *d);

/*
 * Links the request, durably, as attempt d->attempt; then d->verdict is WAIT
 * and d->waiting the record; another one of the same attempt if that was
 * first.  Where a code pays, it has paid before, and is not asked again: what
 * is spent is the right to be shown to people.  REFUSE: it was used up
 * meanwhile.  ERR_BUSY (logged): over a limit of the alias (HTTP 503).
 */
enum err enrol_wait(const struct enrol *in, const struct pkimsg *msg,
    const char *remote, int64_t now, struct decision *d);

/*
 * Redeems the approval of another transaction that d is to be granted by;
 * where it is d's own, or none, nothing is to be done.  ERR_REFUSED: it was
 * used meanwhile.
 */
enum err enrol_pass(const struct store *st, const struct decision *d);

/*
 * The approved request in d->waiting as a message again, and d as
 * enrol_decide() would leave it: GRANT, for enrol_grant(), or REFUSE.  Spans
 * borrow from d->waiting.  alias and ca are the record's; borrowed.
 * pkimsg_release() after it, in any case.
 */
enum err enrol_revive(const struct enrol *in, const struct alias *alias,
    const struct ca *ca, int64_t now, struct pkimsg *msg, struct decision *d);

/* Extensions (RFC 5280) of what a request asks for, and back; spans borrow. */
enum err asked_encode(const struct csr *csr, struct buf *der);
enum err asked_decode(struct span der, struct csr *csr);

#endif
