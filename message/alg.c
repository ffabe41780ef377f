#include "message/alg.h"

#include <openssl/err.h>

#include "message/legacy.h"

/* The literals are OID contents; sizeof drops the NUL. */
#define OID(s)                                      \
	{                                           \
		(const uint8_t *)(s), sizeof(s) - 1 \
	}
#define PKCS1  "\x2a\x86\x48\x86\xf7\x0d\x01\x01"
#define PKCS7  "\x2a\x86\x48\x86\xf7\x0d\x01\x07"
#define RSADSI "\x2a\x86\x48\x86\xf7\x0d"
#define NIST   "\x60\x86\x48\x01\x65\x03\x04"

const struct span oid_data = OID(PKCS7 "\x01");
const struct span oid_signed = OID(PKCS7 "\x02");
const struct span oid_enveloped = OID(PKCS7 "\x03");
static const struct span oid_mgf1 = OID(PKCS1 "\x08");
static const struct span oid_specified = OID(PKCS1 "\x09");

static const struct span digest_oids[DIGEST__MAX] = {
	[DIGEST_MD5] = OID(RSADSI "\x02\x05"),
	[DIGEST_SHA1] = OID("\x2b\x0e\x03\x02\x1a"),
	[DIGEST_SHA256] = OID(NIST "\x02\x01"),
	[DIGEST_SHA384] = OID(NIST "\x02\x02"),
	[DIGEST_SHA512] = OID(NIST "\x02\x03"),
};

/*
 * Those that are served stand at their number; the others are here to be
 * named in the log (C-86).
 */
static const struct cipher_kind ciphers[] = {
	[CIPHER_AES128] = { OID(NIST "\x01\x02"), "AES-128-CBC", NULL,
	    CIPHER_AES128, 16, 16 },
	[CIPHER_AES192] = { OID(NIST "\x01\x16"), "AES-192-CBC", NULL,
	    CIPHER_AES192, 24, 16 },
	[CIPHER_AES256] = { OID(NIST "\x01\x2a"), "AES-256-CBC", NULL,
	    CIPHER_AES256, 32, 16 },
	[CIPHER_DES3] = { OID(RSADSI "\x03\x07"), "DES-EDE3-CBC", NULL,
	    CIPHER_DES3, 24, 8 },
	[CIPHER_DES] = { OID("\x2b\x0e\x03\x02\x07"), "DES-CBC", NULL,
	    CIPHER_DES, 8, 8 },
	{ OID(RSADSI "\x03\x02"), "RC2-CBC", "content is encrypted with RC2",
	    CIPHER__MAX, 16, 8 },
	{ OID(RSADSI "\x03\x04"), "RC4", "content is encrypted with RC4",
	    CIPHER__MAX, 16, 1 },
};
#define CIPHERS (sizeof(ciphers) / sizeof(*ciphers))

static const struct {
	struct span oid;
	enum digest digest;
} transports[TRANSPORT__MAX] = {
	[TRANSPORT_V15] = { OID(PKCS1 "\x01"), DIGEST__MAX },
	[TRANSPORT_OAEP_SHA1] = { OID(PKCS1 "\x07"), DIGEST_SHA1 },
	[TRANSPORT_OAEP_SHA256] = { OID(PKCS1 "\x07"), DIGEST_SHA256 },
};

bool
alg_read(struct span *in, struct alg *out)
{
	struct span seq, rest = *in;
	struct der param;

	*out = (struct alg){ { NULL, 0 }, { NULL, 0 } };
	if (!der_get(&rest, DER_SEQUENCE, &seq) ||
	    !der_get(&seq, DER_OID, &out->oid))
		return false;
	if (seq.len > 0) {
		if (!der_next(&seq, &param) || seq.len > 0)
			return false;
		out->params = param.whole;
	}
	*in = rest;
	return true;
}

bool
alg_plain(const struct alg *alg)
{
	struct span null;

	return alg->params.len == 0 ||
	       (der_one(alg->params, DER_NULL, &null) && null.len == 0);
}

bool
digest_find(struct span oid, enum digest *out)
{
	for (unsigned d = 0; d < DIGEST__MAX; d++)
		if (span_eq(digest_oids[d], oid)) {
			*out = (enum digest)d;
			return true;
		}
	return false;
}

struct span
digest_oid(enum digest d)
{
	return digest_oids[d];
}

bool
params_hash(struct span *in, enum digest *out)
{
	struct span inner;
	struct alg hash;

	*out = DIGEST_SHA1;
	if (der_tag(*in) != DER_NESTED)
		return true;
	return der_get(in, DER_NESTED, &inner) && alg_read(&inner, &hash) &&
	       inner.len == 0 && alg_plain(&hash) && digest_find(hash.oid, out);
}

bool
params_mask(struct span *in, enum digest *out)
{
	struct span inner, params;
	struct alg mgf, hash;

	*out = DIGEST_SHA1;
	if (der_tag(*in) != DER_NESTED + 1)
		return true;
	if (!der_get(in, DER_NESTED + 1, &inner) || !alg_read(&inner, &mgf) ||
	    inner.len > 0 || !span_eq(mgf.oid, oid_mgf1))
		return false;
	params = mgf.params;
	return alg_read(&params, &hash) && params.len == 0 &&
	       alg_plain(&hash) && digest_find(hash.oid, out);
}

/* The label must be the empty one. */
static bool
oaep_label(struct span *in)
{
	struct span inner, label;
	struct alg source;

	if (der_tag(*in) != DER_NESTED + 2)
		return true;
	return der_get(in, DER_NESTED + 2, &inner) &&
	       alg_read(&inner, &source) && inner.len == 0 &&
	       span_eq(source.oid, oid_specified) &&
	       der_one(source.params, DER_OCTETS, &label) && label.len == 0;
}

bool
transport_read(const struct alg *alg, enum transport *out)
{
	enum digest hash = DIGEST_SHA1, mask = DIGEST_SHA1;
	struct span seq;

	if (span_eq(alg->oid, transports[TRANSPORT_V15].oid)) {
		*out = TRANSPORT_V15;
		return true;
	}
	if (!span_eq(alg->oid, transports[TRANSPORT_OAEP_SHA1].oid))
		return false;
	/* Windows sends an empty SEQUENCE, others NULL or nothing (C-84) */
	if (!alg_plain(alg) &&
	    (!der_one(alg->params, DER_SEQUENCE, &seq) ||
		!params_hash(&seq, &hash) || !params_mask(&seq, &mask) ||
		!oaep_label(&seq) || seq.len > 0))
		return false;
	*out =
	    hash == DIGEST_SHA1 ? TRANSPORT_OAEP_SHA1 : TRANSPORT_OAEP_SHA256;
	return hash == mask && hash == transports[*out].digest;
}

/* OAEP with SHA-1 is all defaults: DER writes an empty SEQUENCE. */
bool
transport_write(enum transport how, struct buf *out)
{
	/* SHA-256 as an AlgorithmIdentifier, 15 bytes */
#define SHA256_ALG "\x30\x0d\x06\x09" NIST "\x02\x01\x05\x00"
	static const char null[] = "\x05\x00";
	static const char oaep1[] = "\x30\x00";
	static const char oaep256[] =
	    "\x30\x2f\xa0\x0f" SHA256_ALG "\xa1\x1c\x30\x1a\x06\x09" PKCS1
	    "\x08" SHA256_ALG;
	static const struct span params[TRANSPORT__MAX] = {
		[TRANSPORT_V15] = OID(null),
		[TRANSPORT_OAEP_SHA1] = OID(oaep1),
		[TRANSPORT_OAEP_SHA256] = OID(oaep256),
	};
	struct buf body = BUF_INIT;
	bool good = der_put(&body, DER_OID, transports[how].oid) &&
		    buf_add(&body, params[how].p, params[how].len) &&
		    der_put(out, DER_SEQUENCE, buf_span(&body));

	buf_release(&body);
	return good;
}

enum digest
transport_digest(enum transport how)
{
	return transports[how].digest;
}

const struct cipher_kind *
cipher_find(struct span oid)
{
	for (size_t i = 0; i < CIPHERS; i++)
		if (span_eq(ciphers[i].oid, oid))
			return &ciphers[i];
	return NULL;
}

const struct cipher_kind *
cipher_of(enum cipher id)
{
	return &ciphers[id];
}

const EVP_CIPHER *
cipher_evp(enum cipher id)
{
	static EVP_CIPHER *evp[CIPHER__MAX]; /* kept until the process ends */

	if (id < 0 || id >= CIPHER__MAX)
		return NULL;
	if (evp[id] == NULL && (id != CIPHER_DES || legacy_load())) {
		ERR_set_mark();
		evp[id] = EVP_CIPHER_fetch(NULL, cipher_of(id)->name, NULL);
		ERR_pop_to_mark();
	}
	return evp[id];
}
