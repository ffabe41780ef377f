#ifndef CA_PROFILE_H
#define CA_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define MAX_EKU 16

/* What a certificate of this kind looks like (C-183 to C-195). */
struct profile {
	const char *name;
	int64_t validity; /* seconds; cut to the CA's notAfter */
	int64_t backdate; /* seconds; never before the CA's notBefore */
	/* keyUsage as KU_* of openssl/x509v3.h: for RSA, for EC and EdDSA */
	unsigned usage_rsa, usage_ec;
	const char *eku[MAX_EKU]; /* dotted OIDs, NULL-terminated */
	unsigned min_rsa;	  /* bits */
	unsigned max_rsa;
	bool ec;    /* P-256, P-384, P-521 allowed */
	bool eddsa; /* Ed25519 allowed */
};

/* A built-in profile, "ENDUSER" so far; NULL if unknown.  Never freed. */
const struct profile *profile_find(const char *name);

/* The i-th built-in profile, from 0; NULL behind the last. */
const struct profile *profile_at(size_t i);

/*
 * May this SPKI be certified under the profile (C-195)?  Size, exponent,
 * modulus, curve, point.  ERR_REFUSED: `why` is a constant sentence;
 * unsupported: *alg is set (badAlg, C-160).
 */
enum err profile_key(
    const struct profile *p, struct span spki, const char **why, bool *alg);

#endif
