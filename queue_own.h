#ifndef QUEUE_OWN_H
#define QUEUE_OWN_H

#include "queue.h"

/* queue.c: is a certificate of no use any more: expired, or on the CRL? */
enum err queue_spent(
    const struct queue_side *s, const struct outcome *o, bool *yes);

/* queue_untold.c, for queue.c alone. */

/*
 * Keeps this request, durably, until its judge has heard what became of it;
 * and takes that back.
 */
enum err queue_untold_keep(const struct queue_side *s, const struct pkimsg *msg,
    const struct decision *d);
void queue_untold_drop(const struct queue_side *s, const struct pkimsg *msg,
    const struct decision *d);

/*
 * The request of the certificate in d->outcome into d->received, if its judge
 * is still to be told and it was kept; what is missing is logged.  Of one that
 * is spent it is not told any more: d becomes a refusal.
 */
enum err queue_recall(
    const struct queue_side *s, const struct ca *ca, struct decision *d);

/* A refusal of the CA, which the judge has not heard of yet, is told to it. */
void queue_tell_refused(const struct enrol *in, const struct queue_side *s,
    const struct pkimsg *msg, const struct outcome *o);

/* queue_room.c, for queue.c alone. */

/*
 * May one more wait?  At the limit answers that have come are taken first, for
 * whomever they are.  ERR_BUSY (logged): there are [queue] limit.
 */
enum err queue_check_room(const struct queue_side *s);

/* queue_ra.c, for queue_answer.c alone. */

/*
 * A request's letter by a certificate of [queue] ra that has begun, and not
 * ended longer than RA_GRACE ago.  ERR_INPUT: *why; others are logged.
 */
enum err queue_ra_verify(const struct queue_desk *desk, const char *name,
    struct span der, struct letter_opened *letter, const char **why);
/* Had that certificate not ended when this was written?  ERR_INPUT: *why. */
enum err queue_ra_held(struct span signer, int64_t written, const char **why);

/* queue_done.c, for queue_answer.c alone. */

/* A letter may be dated so far ahead: clocks differ. */
#define QUEUE_AHEAD DAY

/*
 * What was said to the letter whose nonce has this SHA-256, under this name.
 * The nonce is signed: what surrounds the signature anybody could vary, and
 * have us sign each time.  ERR_EXISTS: nothing, but *out was said to another
 * one of that name.  ERR_NOTFOUND: nothing to either.
 */
enum err queue_said(const struct queue_desk *desk, const char *name,
    const char letter[SHA256_HEX], struct queue_done *out);

/*
 * With ERR_EXISTS, where both have the same CSR: the same is said to this one
 * too, durably, and is in *said then.
 */
struct queue_further {
	const char *letter; /* the SHA-256 of its nonce */
	struct span nonce;
	const struct generation *by; /* signs */
};
enum err queue_say_again(const struct queue_desk *desk, const char *name,
    const struct queue_further *to, struct queue_done *said);

/* queue_news.c, for queue_tell.c: what the hosts agree about. */

/* The name of the letter that a former key's CRL comes in. */
enum err queue_former_name(
    const struct generation *gen, char out[QUEUE_NEWS_NAME]);
/*
 * The i-th generation, borrowed, if the CA has another key now and it is the
 * newest of its own among those that have begun; else NULL.
 */
const struct generation *queue_former(
    const struct ca *ca, size_t i, int64_t now);

/* queue_letter.c, for queue.c alone. */

/*
 * The RA's certificate that signs what goes to the CA of `msg`, borrowed.
 * ERR_BUSY (logged): none is valid now.
 */
enum err queue_signer(const struct queue_side *s, const struct pkimsg *msg,
    const struct generation **by);

/* Fills q->letter and q->nonce; `d` has what the judge here said. */
enum err queue_compose(const struct enrol *in, const struct queue_side *s,
    const struct pkimsg *msg, const struct decision *d, struct queued *q);

#endif
