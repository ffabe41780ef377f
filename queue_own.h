#ifndef QUEUE_OWN_H
#define QUEUE_OWN_H

#include "queue.h"

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
 * is still to be told and it was kept; what is missing is logged.
 */
enum err queue_recall(
    const struct queue_side *s, const struct ca *ca, struct decision *d);

/* A refusal of the CA, which the judge has not heard of yet, is told to it. */
void queue_tell_refused(const struct enrol *in, const struct queue_side *s,
    const struct pkimsg *msg, const struct outcome *o);

#endif
