#ifndef STORE_ISSUED_H
#define STORE_ISSUED_H

#include "store/transaction.h"

/*
 * An entity's certificates in the order in which they were issued:
 * issued/9c/<username>,<n>, from 1 without gaps, is one more hard link of an
 * outcome.  A hint: `scep check --repair` makes again what was lost, and puts
 * it at the end.
 */
#define ISSUED_WALK 16 /* so many are looked at */

/*
 * each(outcome, arg) for the last ISSUED_WALK, newest first, as long as it
 * answers OK; that answer is returned.  No certificate at all is fine.
 */
enum err issued_each(const struct store *st, const char *username,
    enum err (*each)(const struct outcome *, void *arg), void *arg);

/*
 * How many of them were no renewals; counting ends at `limit`, so that a
 * request reads no more than it has to.
 */
enum err issued_enrolled(const struct store *st, const char *username,
    unsigned limit, unsigned *count);

/* The last one; ERR_NOTFOUND: there is none. */
enum err issued_latest(
    const struct store *st, const char *username, struct outcome *out);

#endif
