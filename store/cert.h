#ifndef STORE_CERT_H
#define STORE_CERT_H

#include "store/transaction.h"

/* Certificates by serial: cert/<ca>/<generation>/5d/5d03....pem. */
enum err cert_find(const struct store *st, const char *ca, unsigned generation,
    const char *serial, struct outcome *out);

/*
 * All of them (administrators only).  ERR_INPUT (logged): some could not be
 * read and were passed over.
 */
enum err cert_each(const struct store *st,
    enum err (*each)(const struct outcome *, void *arg), void *arg);

/*
 * Makes the rooms of a generation, cert/<ca>/<generation>/ and those under
 * revoked/ and crl/, with their directories, in a way that can be repeated;
 * `ca create` and `ca import` call it, a request never.
 */
enum err cert_rooms(
    const struct store *st, const char *ca, unsigned generation);

#endif
