#include "ca/pubkey.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include "base/limits.h"
#include "ca/der.h"

/* What an SPKI says, before any key is made; spans borrow from it. */
struct spki {
	const struct kind *kind;
	unsigned bits;
	struct span n, e;  /* RSA: magnitudes without leading zeros */
	struct span point; /* EC and EdDSA: the public octets */
};

struct kind {
	struct span algorithm; /* OID */
	struct span curve;     /* OID in the parameters; EC alone */
	enum key_type type;
	unsigned bits;	   /* 0: the key says */
	const char *name;  /* OpenSSL's name of the key type */
	const char *group; /* and of the curve */
	size_t field;	   /* bytes of a coordinate, or of the key */
	enum err (*look)(struct spki *s, struct span params, struct span key);
};

static enum err look_rsa(struct spki *s, struct span params, struct span key);
static enum err look_ec(struct spki *s, struct span params, struct span key);
static enum err look_ed(struct spki *s, struct span params, struct span key);

/* The literals are OID contents; sizeof drops the NUL. */
#define OID(s)                                      \
	{                                           \
		(const uint8_t *)(s), sizeof(s) - 1 \
	}
#define OID_RSA	    OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01")
#define OID_EC	    OID("\x2a\x86\x48\xce\x3d\x02\x01")
#define OID_P256    OID("\x2a\x86\x48\xce\x3d\x03\x01\x07")
#define OID_P384    OID("\x2b\x81\x04\x00\x22")
#define OID_P521    OID("\x2b\x81\x04\x00\x23")
#define OID_ED25519 OID("\x2b\x65\x70")

static const struct kind kinds[] = {
	{ OID_RSA, { NULL, 0 }, KEY_RSA, 0, "RSA", NULL, 0, look_rsa },
	{ OID_EC, OID_P256, KEY_EC, 256, "EC", "P-256", 32, look_ec },
	{ OID_EC, OID_P384, KEY_EC, 384, "EC", "P-384", 48, look_ec },
	{ OID_EC, OID_P521, KEY_EC, 521, "EC", "P-521", 66, look_ec },
	{ OID_ED25519, { NULL, 0 }, KEY_EDDSA, 256, "ED25519", NULL, 32,
	    look_ed },
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

static unsigned
span_bits(struct span n)
{
	unsigned bits = (unsigned)n.len * 8;

	for (uint8_t top = n.p[0]; (top & 0x80) == 0; top = (uint8_t)(top << 1))
		bits--;
	return bits;
}

/* A positive INTEGER as its magnitude. */
static bool
magnitude(struct span *in, struct span *out)
{
	if (!der_get(in, DER_INTEGER, out) || out->len == 0 ||
	    (out->p[0] & 0x80) != 0)
		return false;
	while (out->len > 0 && out->p[0] == 0) {
		out->p++;
		out->len--;
	}
	return out->len > 0;
}

/* C-177, C-195: caps and sanity before OpenSSL sees a number. */
static enum err
look_rsa(struct spki *s, struct span params, struct span key)
{
	struct span seq, null;

	if (params.len > 0 && (!der_one(params, DER_NULL, &null) || null.len))
		return ERR_INPUT;
	if (!der_one(key, DER_SEQUENCE, &seq) || !magnitude(&seq, &s->n) ||
	    !magnitude(&seq, &s->e) || seq.len > 0)
		return ERR_INPUT;
	if (s->n.len > MAX_RSA / 8 || s->e.len > MAX_RSA_E / 8 + 1)
		return ERR_REFUSED;
	s->bits = span_bits(s->n);
	if (s->bits < 512 || span_bits(s->e) > MAX_RSA_E)
		return ERR_REFUSED;
	if ((s->n.p[s->n.len - 1] & 1) == 0 ||
	    (s->e.p[s->e.len - 1] & 1) == 0 || span_bits(s->e) < 2)
		return ERR_INPUT;
	return OK;
}

/* RFC 5480 2.2: 04 X Y, or compressed 02 X and 03 X. */
static enum err
look_ec(struct spki *s, struct span params, struct span key)
{
	size_t field = s->kind->field;
	uint8_t form = der_tag(key);

	(void)params; /* it chose the kind */
	if ((form != 4 || key.len != 1 + 2 * field) &&
	    ((form != 2 && form != 3) || key.len != 1 + field))
		return ERR_INPUT;
	s->bits = s->kind->bits;
	s->point = key;
	return OK;
}

static enum err
look_ed(struct spki *s, struct span params, struct span key)
{
	if (params.len != 0 || key.len != s->kind->field)
		return ERR_INPUT;
	s->bits = s->kind->bits;
	s->point = key;
	return OK;
}

static const struct kind *
kind_find(struct span algorithm, struct span params)
{
	struct span curve = { NULL, 0 };

	(void)der_one(params, DER_OID, &curve);
	for (size_t i = 0; i < KINDS; i++)
		if (span_eq(kinds[i].algorithm, algorithm) &&
		    (kinds[i].curve.len == 0 || span_eq(kinds[i].curve, curve)))
			return &kinds[i];
	return NULL;
}

static enum err
look(struct span der, struct spki *s)
{
	struct span seq, alg, oid, bits;

	*s = (struct spki){ .kind = NULL };
	if (!der_one(der, DER_SEQUENCE, &seq) ||
	    !der_get(&seq, DER_SEQUENCE, &alg) ||
	    !der_get(&alg, DER_OID, &oid) || !der_one(seq, DER_BITS, &bits) ||
	    bits.len < 2 || bits.p[0] != 0)
		return ERR_INPUT;
	if ((s->kind = kind_find(oid, alg)) == NULL)
		return ERR_REFUSED;
	return s->kind->look(s, alg, span_of(bits.p + 1, bits.len - 1));
}

enum err
pubkey_look(struct span spki, enum key_type *type, unsigned *bits)
{
	struct spki s;
	enum err e = look(spki, &s);

	if (e == OK) {
		*type = s.kind->type;
		*bits = s.bits;
	}
	return e;
}

enum err
pubkey_modulus(struct span spki, struct span *n)
{
	struct spki s;
	enum err e = look(spki, &s);

	if (e == OK && s.kind->type != KEY_RSA)
		e = ERR_REFUSED;
	if (e == OK)
		*n = s.n;
	return e;
}

/* X alone decides about a point but for the sign of its Y. */
static bool
odd(const struct spki *s)
{
	return (s->point.p[s->point.p[0] == 4 ? s->point.len - 1 : 0] & 1) != 0;
}

/* One point, written in full or compressed (RFC 5480 2.2). */
static bool
same_point(const struct spki *a, const struct spki *b)
{
	size_t field = a->kind->field;

	return span_eq(a->point, b->point) ||
	       (a->kind->type == KEY_EC && odd(a) == odd(b) &&
		   memcmp(a->point.p + 1, b->point.p + 1, field) == 0);
}

bool
pubkey_same(struct span a, struct span b)
{
	struct spki x, y;

	return look(a, &x) == OK && look(b, &y) == OK && x.kind == y.kind &&
	       span_eq(x.n, y.n) && span_eq(x.e, y.e) && same_point(&x, &y);
}

static bool
push(OSSL_PARAM_BLD *bld, const struct spki *s, BIGNUM *n, BIGNUM *e)
{
	if (n != NULL)
		return OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) &&
		       OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e);
	if (s->kind->group != NULL &&
	    !OSSL_PARAM_BLD_push_utf8_string(
		bld, OSSL_PKEY_PARAM_GROUP_NAME, s->kind->group, 0))
		return false;
	return OSSL_PARAM_BLD_push_octet_string(
	    bld, OSSL_PKEY_PARAM_PUB_KEY, s->point.p, s->point.len);
}

static OSSL_PARAM *
params_of(const struct spki *s)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	BIGNUM *n = NULL, *e = NULL;

	if (s->kind->type == KEY_RSA) {
		n = BN_bin2bn(s->n.p, (int)s->n.len, NULL);
		e = BN_bin2bn(s->e.p, (int)s->e.len, NULL);
		if (n == NULL || e == NULL)
			goto out;
	}
	if (bld != NULL && push(bld, s, n, e))
		params = OSSL_PARAM_BLD_to_param(bld);
out:
	BN_free(n);
	BN_free(e);
	OSSL_PARAM_BLD_free(bld);
	return params;
}

/*
 * Making an EC key checks that the point is on the curve; the curves' order
 * is prime, so the quick check says as much as the slow one.
 */
static bool
point_good(EVP_PKEY *pkey)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	bool good = ctx != NULL && EVP_PKEY_public_check_quick(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	return good;
}

enum err
pubkey_read(struct span spki, EVP_PKEY **out)
{
	EVP_PKEY_CTX *ctx = NULL;
	OSSL_PARAM *params = NULL;
	EVP_PKEY *pkey = NULL;
	struct spki s;
	enum err e;

	if ((e = look(spki, &s)) != OK)
		return e;
	e = ERR_INPUT;
	ERR_set_mark();
	params = params_of(&s);
	ctx = EVP_PKEY_CTX_new_from_name(NULL, s.kind->name, NULL);
	if (params != NULL && ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) == 1 &&
	    (s.kind->type != KEY_EC || point_good(pkey))) {
		*out = pkey;
		pkey = NULL;
		e = OK;
	}
	ERR_pop_to_mark();
	EVP_PKEY_free(pkey);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return e;
}

const EVP_MD *
digest_md(enum digest d)
{
	static const char *const name[DIGEST__MAX] = { "MD5", "SHA1",
		"SHA2-256", "SHA2-384", "SHA2-512" };
	static EVP_MD *md[DIGEST__MAX]; /* kept until the process ends */

	if (d < 0 || d >= DIGEST__MAX)
		return NULL;
	if (md[d] == NULL) {
		ERR_set_mark();
		md[d] = EVP_MD_fetch(NULL, name[d], NULL);
		ERR_pop_to_mark();
	}
	return md[d];
}
