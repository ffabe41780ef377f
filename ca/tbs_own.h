#ifndef CA_TBS_OWN_H
#define CA_TBS_OWN_H

#include <openssl/x509.h>

#include "ca/key.h"

/* What tbs.c and tbs_ext.c share; nobody else includes it. */

/* Appends one extension; the OID as content bytes, the value as DER. */
enum err tbs_add(X509_EXTENSIONS *list, const struct extension *ext);

/*
 * Appends what a profile adds: CRL distribution point, authorityInfoAccess,
 * policies, Microsoft's template, and what was copied from the request.
 */
enum err tbs_add_profile(X509_EXTENSIONS *list, const struct issue *in);

/* Why not, or NULL: what this door never signs of all that (C-178). */
const char *tbs_bad_profile(const struct issue *in);

#endif
