#ifndef ENROL_UNIQUE_H
#define ENROL_UNIQUE_H

#include "enrol.h"

/*
 * The end-entity part of a profile at an enrolment: its rules for names, and
 * what must be unique (C-119).
 */

/*
 * Do the names of the certificate to be, d->subject and d->san, fit the rules
 * of the profile `entity`, with a certificate of the profile `certificate`?
 * Is what must be unique free?  Nothing is claimed.  A refusal is d's, with
 * d->field.  Ends what d->profile borrows: find that behind it.
 */
enum err enrol_rules(const struct enrol *in, const char *entity,
    const char *certificate, const struct pkimsg *msg, int64_t now,
    struct decision *d);

/*
 * Has d->entity had as many certificates as d->enrolments, of the rules, says?
 * Then d is a refusal.  In CA mode its code is counted, and nothing here.
 */
enum err enrol_count(
    const struct enrol *in, const struct pkimsg *msg, struct decision *d);

/*
 * Behind payment and before the signature: claims the key, then the subject,
 * where the rules ask for it, for d->transaction and d->attempt.  Where others
 * have one, d becomes a refusal, or ERR_BUSY while theirs is undecided, and
 * the attempt is abandoned: what was paid and claimed for it is free again.
 * Once more for the same attempt: the same claims.
 */
enum err enrol_unique_claim(const struct enrol *in, const struct pkimsg *msg,
    int64_t now, struct decision *d);

#endif
