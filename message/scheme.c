#include "message/alg.h"

#define MAX_PSS_SALT 64 /* bytes: as long as the longest digest */

/* Signature algorithms (C-50, C-105), as a table. */

/* The literals are OID contents; sizeof drops the NUL. */
#define OID(s)                                      \
	{                                           \
		(const uint8_t *)(s), sizeof(s) - 1 \
	}
#define PKCS1 "\x2a\x86\x48\x86\xf7\x0d\x01\x01"
#define ECDSA "\x2a\x86\x48\xce\x3d\x04"

static const struct sigalg sigalgs[] = {
	{ OID(PKCS1 "\x01"), KEY_RSA, DIGEST__MAX },
	{ OID(PKCS1 "\x04"), KEY_RSA, DIGEST_MD5 },
	{ OID(PKCS1 "\x05"), KEY_RSA, DIGEST_SHA1 },
	{ OID("\x2b\x0e\x03\x02\x1d"), KEY_RSA, DIGEST_SHA1 },
	{ OID(PKCS1 "\x0b"), KEY_RSA, DIGEST_SHA256 },
	{ OID(PKCS1 "\x0c"), KEY_RSA, DIGEST_SHA384 },
	{ OID(PKCS1 "\x0d"), KEY_RSA, DIGEST_SHA512 },
	{ OID(ECDSA "\x01"), KEY_EC, DIGEST_SHA1 },
	{ OID(ECDSA "\x03\x02"), KEY_EC, DIGEST_SHA256 },
	{ OID(ECDSA "\x03\x03"), KEY_EC, DIGEST_SHA384 },
	{ OID(ECDSA "\x03\x04"), KEY_EC, DIGEST_SHA512 },
	{ OID("\x2b\x65\x70"), KEY_EDDSA, DIGEST__MAX },
};
#define SIGALGS (sizeof(sigalgs) / sizeof(*sigalgs))

static const struct span oid_pss = OID(PKCS1 "\x0a");

static const struct sigalg *
sigalg_find(struct span oid)
{
	for (size_t i = 0; i < SIGALGS; i++)
		if (span_eq(sigalgs[i].oid, oid))
			return &sigalgs[i];
	return NULL;
}

/* [2] saltLength, 20 if absent; [3] trailerField, which can only be 1. */
static bool
salt_read(struct span *in, unsigned *salt)
{
	struct span inner, n;

	*salt = 20;
	if (der_get(in, DER_NESTED + 2, &inner)) {
		if (!der_one(inner, DER_INTEGER, &n) || n.len != 1 ||
		    n.p[0] > MAX_PSS_SALT)
			return false;
		*salt = n.p[0];
	}
	if (der_get(in, DER_NESTED + 3, &inner))
		return der_one(inner, DER_INTEGER, &n) &&
		       span_eq(n, DER_BYTES("\x01"));
	return true;
}

/*
 * RFC 8017 A.2.3, with the SHA-2 family alone and one digest in both places
 * (C-105): SHA-1, which absent parameters mean, has no users here.
 */
static bool
pss_read(struct span params, struct scheme *out)
{
	enum digest mask;
	struct span seq;

	if (!der_one(params, DER_SEQUENCE, &seq) ||
	    !params_hash(&seq, &out->digest) || !params_mask(&seq, &mask) ||
	    !salt_read(&seq, &out->salt) || seq.len > 0)
		return false;
	out->key = KEY_RSA;
	out->pss = true;
	return out->digest == mask && out->digest >= DIGEST_SHA256;
}

bool
scheme_read(const struct alg *alg, struct scheme *out)
{
	const struct sigalg *found;

	*out = (struct scheme){ .digest = DIGEST__MAX };
	if (span_eq(alg->oid, oid_pss))
		return pss_read(alg->params, out);
	found = sigalg_find(alg->oid);
	if (found == NULL || !alg_plain(alg))
		return false;
	out->key = found->key;
	out->digest = found->digest;
	return true;
}

/* RSA goes by rsaEncryption alone: spec of strongSwan 5.9 (C-50). */
const struct sigalg *
sigalg_for(enum key_type key, enum digest digest)
{
	for (size_t i = 0; i < SIGALGS; i++)
		if (sigalgs[i].key == key && key != KEY_EDDSA &&
		    (key == KEY_RSA || sigalgs[i].digest == digest))
			return &sigalgs[i];
	return NULL;
}
