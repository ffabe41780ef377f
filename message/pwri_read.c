#include "message/envelope.h"

#include "base/limits.h"

/* A PasswordRecipientInfo as it was received (RFC 5652 6.2.4). */

/* The literals are OID contents; sizeof drops the NUL. */
#define OID(s)                                      \
	{                                           \
		(const uint8_t *)(s), sizeof(s) - 1 \
	}
#define RSADSI "\x2a\x86\x48\x86\xf7\x0d"

static const struct span oid_pbkdf2 = OID(RSADSI "\x01\x05\x0c");
static const struct span oid_pwri_kek = OID(RSADSI "\x01\x09\x10\x03\x09");

/* RFC 8018 B.1.1: HMAC with these digests */
static const struct {
	struct span oid;
	enum digest digest;
} prfs[] = {
	{ OID(RSADSI "\x02\x07"), DIGEST_SHA1 },
	{ OID(RSADSI "\x02\x09"), DIGEST_SHA256 },
	{ OID(RSADSI "\x02\x0a"), DIGEST_SHA384 },
	{ OID(RSADSI "\x02\x0b"), DIGEST_SHA512 },
};

/* A positive INTEGER of at most max; false for all others. */
static bool
number_read(struct span *in, unsigned max, unsigned *out)
{
	struct span n;

	if (!der_get(in, DER_INTEGER, &n) || n.len == 0 || n.len > 5 ||
	    (n.p[0] & 0x80) != 0)
		return false;
	*out = 0;
	for (size_t i = 0; i < n.len; i++) {
		if (*out > max >> 8)
			return false;
		*out = *out << 8 | n.p[i];
	}
	return *out <= max;
}

/* HMAC-SHA-1 where none is named (RFC 8018 A.2). */
static bool
prf_read(struct span in, enum digest *out)
{
	struct alg prf;

	*out = DIGEST_SHA1;
	if (in.len == 0)
		return true;
	if (!alg_read(&in, &prf) || in.len > 0 || !alg_plain(&prf))
		return false;
	for (size_t i = 0; i < sizeof(prfs) / sizeof(*prfs); i++)
		if (span_eq(prfs[i].oid, prf.oid)) {
			*out = prfs[i].digest;
			return true;
		}
	return false;
}

/*
 * PBKDF2-params: specified salt, iterations, the key's length where it is
 * said.  The count is held against both limits before anything is computed
 * (C-93, C-177).
 */
static bool
kdf_read(struct span params, struct pwri *out, const char **why)
{
	struct span seq;
	unsigned length = 0;

	*why = "PBKDF2's parameters are not supported";
	if (!der_one(params, DER_SEQUENCE, &seq) ||
	    !der_get(&seq, DER_OCTETS, &out->salt) ||
	    out->salt.len < MIN_SALT || out->salt.len > MAX_SALT)
		return false;
	*why = "PBKDF2's iteration count is out of range";
	if (!number_read(&seq, MAX_PBKDF2, &out->iterations) ||
	    out->iterations < MIN_PBKDF2)
		return false;
	*why = "PBKDF2's parameters are not supported";
	if (der_tag(seq) == DER_INTEGER &&
	    (!number_read(&seq, MAX_PBKDF2, &length) ||
		length != cipher_of(out->kek)->key))
		return false;
	return prf_read(seq, &out->prf);
}

/* PWRI-KEK's parameter is the cipher, whose own parameter is the IV. */
static bool
kek_read(const struct alg *alg, struct pwri *out)
{
	const struct cipher_kind *kind;
	struct span params = alg->params;
	struct alg cipher;

	if (!span_eq(alg->oid, oid_pwri_kek) || !alg_read(&params, &cipher) ||
	    params.len > 0)
		return false;
	kind = cipher_find(cipher.oid);
	if (kind == NULL || kind->never != NULL ||
	    !der_one(cipher.params, DER_OCTETS, &out->iv) ||
	    out->iv.len != kind->block)
		return false;
	out->kek = kind->id;
	return true;
}

/* [0] IMPLICIT AlgorithmIdentifier; must be there (C-93). */
static bool
derivation_read(struct span *in, struct alg *out)
{
	struct span body;
	struct der params;

	*out = (struct alg){ { NULL, 0 }, { NULL, 0 } };
	if (!der_get(in, DER_NESTED, &body) ||
	    !der_get(&body, DER_OID, &out->oid) || !der_next(&body, &params) ||
	    body.len > 0)
		return false;
	out->params = params.whole;
	return span_eq(out->oid, oid_pbkdf2);
}

bool
pwri_read(struct span in, struct pwri *out, const char **why)
{
	struct alg kdf, kek;
	struct span version;
	size_t block;

	*out = (struct pwri){ .iterations = 0 };
	*why = "the password recipient is unreadable or not supported";
	if (!der_get(&in, DER_INTEGER, &version) ||
	    !span_eq(version, DER_BYTES("\0")) || !derivation_read(&in, &kdf) ||
	    !alg_read(&in, &kek) || !kek_read(&kek, out) ||
	    !der_one(in, DER_OCTETS, &out->wrapped))
		return false;
	block = out->iv.len;
	if (out->wrapped.len < 2 * block || out->wrapped.len % block != 0 ||
	    out->wrapped.len > MAX_WRAPPED)
		return false;
	return kdf_read(kdf.params, out, why);
}
