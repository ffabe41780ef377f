#ifndef STORE_SUPERSEDE_H
#define STORE_SUPERSEDE_H

#include "store/revoked.h"
#include "store/transaction.h"

/*
 * Old certificates that were renewed, and are revoked as superseded (C-126):
 * at once, or at a time that supersede/<ca>/<generation>/<serial> says, a
 * claim (base/file.h) whose word is that time.  A hint: it is gone when it
 * was carried out.
 */

/*
 * old: "<ca>/<generation>/<serial>".  OK also where it was revoked before, or
 * is not here.  Durable, and on the next CRL.
 */
enum err supersede_now(const struct store *st, const char *old, int64_t now);

/* When it is due.  OK also where it was revoked before. */
enum err supersede_later(const struct store *st, const char *old, int64_t due);

/* Carries out what is due of one key of a CA; whoever issues its CRLs. */
enum err supersede_due(
    const struct store *st, const struct issuer *by, int64_t now);

#endif
