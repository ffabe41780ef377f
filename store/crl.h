#ifndef STORE_CRL_H
#define STORE_CRL_H

#include "store/revoked.h"

/*
 * CRLs: crl/<ca>/<generation>/<number>.crl, DER.  Numbers have no gaps above
 * the base, which is 0, or what crl/<ca>/<generation>/above,<k> says for the
 * highest k: a CA that moves in, or a home that comes back from a backup,
 * goes on above the numbers that were seen elsewhere (crls_raise()).
 */

/* The highest number there is: the base where no CRL is above it. */
enum err crls_highest(
    const struct store *st, const struct issuer *by, uint64_t *number);

/* Appends the CRL of that number.  ERR_NOTFOUND: none. */
enum err crls_read(const struct store *st, const struct issuer *by,
    uint64_t number, struct buf *der);

/*
 * Links a CRL under its number, durably.  ERR_EXISTS: that number is taken,
 * or the base was raised over it meanwhile: begin again with the highest.
 */
enum err crls_link(const struct store *st, const struct issuer *by,
    uint64_t number, struct span der);

/* Makes durable what others have linked here. */
enum err crls_sync(const struct store *st, const struct issuer *by);

/*
 * The next CRL has a number above this one.  OK also where that is so
 * already.
 */
enum err crls_raise(
    const struct store *st, const struct issuer *by, uint64_t number);

/*
 * The highest generation of a CA that has a room here; 0: none.  For when
 * the CA itself cannot be asked.
 */
enum err crls_generations(
    const struct store *st, const char *ca, unsigned *highest);

/*
 * The mark of an hour in which it was said that no CRL can be signed.
 * crls_warn(): OK is for the first who says it, ERR_EXISTS for all others.
 */
enum err crls_warned(
    const struct store *st, const struct issuer *by, int64_t now);
enum err crls_warn(
    const struct store *st, const struct issuer *by, int64_t now);

/* "4711" in decimal, the whole text; false for what is no such number. */
bool crl_number_read(const char *text, uint64_t *out);

#endif
