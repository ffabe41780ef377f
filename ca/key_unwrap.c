#include "ca/key_own.h"

#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include "base/log.h"
#include "ca/pubkey.h"

/*
 * Unwrapping a content key without telling anybody whether it worked
 * (DESIGN 5, C-168).  What the private operation yields is secret: from
 * there to the caller no branch and no address depends on it.  What is
 * public may branch: the block, its length, the modulus, the scheme.
 */

/* Keeps a compiler from learning what it could turn into a branch. */
static unsigned
hide(unsigned x)
{
	volatile unsigned v = x;

	return v;
}

/* All ones if x is 0, else 0. */
static unsigned
is_zero(unsigned x)
{
	return hide(0u - ((~x & (x - 1)) >> 31));
}

static unsigned
is_equal(unsigned a, unsigned b)
{
	return is_zero(a ^ b);
}

/*
 * Both decoders know where the content key must stand, for its length is
 * given: it is the end of the block.  They answer a mask; em has k bytes and
 * may be changed before its last len.  ERR_CRYPTO is our own trouble.
 */

/* RFC 8017 7.2.2: 00 02, at least eight bytes not zero, 00, content key. */
static enum err
decode_v15(uint8_t *em, size_t k, size_t len, const EVP_MD *md, unsigned *mask)
{
	unsigned good;

	(void)md;
	*mask = 0;
	if (k < len + 11)
		return OK;
	good = is_zero(em[0]) & is_equal(em[1], 2) & is_zero(em[k - len - 1]);
	for (size_t i = 2; i < k - len - 1; i++)
		good &= ~is_zero(em[i]);
	*mask = good;
	return OK;
}

/* RFC 8017 B.2.1, xored onto `on`. */
static bool
mgf1_xor(
    const EVP_MD *md, const uint8_t *seed, size_t nseed, uint8_t *on, size_t n)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t hash[EVP_MAX_MD_SIZE];
	size_t h = (size_t)EVP_MD_get_size(md);
	bool good = ctx != NULL;

	for (size_t done = 0; good && done < n; done += h) {
		uint32_t c = (uint32_t)(done / h);
		uint8_t count[4] = { (uint8_t)(c >> 24), (uint8_t)(c >> 16),
			(uint8_t)(c >> 8), (uint8_t)c };

		good = EVP_DigestInit_ex(ctx, md, NULL) == 1 &&
		       EVP_DigestUpdate(ctx, seed, nseed) == 1 &&
		       EVP_DigestUpdate(ctx, count, sizeof(count)) == 1 &&
		       EVP_DigestFinal_ex(ctx, hash, NULL) == 1;
		for (size_t i = 0; good && i < h && done + i < n; i++)
			on[done + i] ^= hash[i];
	}
	wipe(hash, sizeof(hash));
	EVP_MD_CTX_free(ctx);
	return good;
}

/* RFC 8017 7.1.2: 00, seed, hash of the empty label, 00..., 01, content key. */
static enum err
decode_oaep(uint8_t *em, size_t k, size_t len, const EVP_MD *md, unsigned *mask)
{
	uint8_t label[EVP_MAX_MD_SIZE];
	size_t h = (size_t)EVP_MD_get_size(md), ndb, i;
	uint8_t *seed = em + 1, *db = em + 1 + h;
	unsigned good;

	*mask = 0;
	if (k < 2 * h + 2 + len)
		return OK;
	ndb = k - 1 - h;
	if (!mgf1_xor(md, db, ndb, seed, h) ||
	    !mgf1_xor(md, seed, h, db, ndb) ||
	    EVP_Digest("", 0, label, NULL, md, NULL) != 1) {
		log_openssl("OAEP");
		return ERR_CRYPTO;
	}
	good = is_zero(em[0]);
	for (i = 0; i < h; i++)
		good &= is_equal(db[i], label[i]);
	for (; i < ndb - len - 1; i++)
		good &= is_zero(db[i]);
	*mask = good & is_equal(db[i], 1);
	return OK;
}

static const struct {
	enum err (*decode)(uint8_t *em, size_t k, size_t len, const EVP_MD *md,
	    unsigned *mask);
	enum digest digest; /* of OAEP and its MGF1 */
} scheme[TRANSPORT__MAX] = {
	[TRANSPORT_V15] = { decode_v15, DIGEST_SHA1 },
	[TRANSPORT_OAEP_SHA1] = { decode_oaep, DIGEST_SHA1 },
	[TRANSPORT_OAEP_SHA256] = { decode_oaep, DIGEST_SHA256 },
};

/* The raw private operation; in and out have the modulus's length. */
static enum err
raw_decrypt(struct key *key, const uint8_t *in, uint8_t *out)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
	size_t k = key->modulus.len, len = k;
	enum err e = OK;

	if (ctx == NULL || EVP_PKEY_decrypt_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) != 1 ||
	    EVP_PKEY_decrypt(ctx, out, &len, in, k) != 1 || len != k) {
		log_openssl("the private operation of a CA key");
		e = ERR_CRYPTO;
	}
	EVP_PKEY_CTX_free(ctx);
	return e;
}

/*
 * A block of another length, or not below the modulus, cannot be unwrapped;
 * 2 stands in for it, so that the work is the same.
 */
static enum err
decode(struct key *key, enum transport how, struct span block, size_t len,
    uint8_t *em, unsigned *mask)
{
	size_t k = key->modulus.len;
	struct buf in = BUF_INIT;
	unsigned sane = 0;
	enum err e = ERR_SYSTEM;

	*mask = 0;
	if (!buf_reserve(&in, k))
		return e;
	if (block.len == k && memcmp(block.p, key->modulus.data, k) < 0) {
		memcpy(in.data, block.p, k);
		sane = ~0u;
	} else {
		memset(in.data, 0, k);
		in.data[k - 1] = 2;
	}
	if ((e = raw_decrypt(key, in.data, em)) == OK)
		e = scheme[how].decode(
		    em, k, len, digest_md(scheme[how].digest), mask);
	*mask &= sane;
	buf_release(&in);
	return e;
}

static enum err
replacement(const struct key *key, struct span block, uint8_t out[SHA256_LEN])
{
	const uint8_t *p = block.len > 0 ? block.p : (const uint8_t *)"";
	unsigned n = SHA256_LEN;

	if (HMAC(digest_md(DIGEST_SHA256), key->secret, sizeof(key->secret), p,
		block.len, out, &n) != NULL)
		return OK;
	log_openssl("HMAC");
	return ERR_CRYPTO;
}

enum err
key_unwrap(struct key *key, enum transport how, struct span block, size_t len,
    uint8_t *out)
{
	struct buf em = BUF_SECRET;
	uint8_t other[SHA256_LEN];
	size_t k = key->modulus.len;
	unsigned mask = 0;
	enum err e;

	if (len > sizeof(other) || len == 0 || how < 0 ||
	    how >= TRANSPORT__MAX) {
		log_error("key_unwrap: no such content key or scheme");
		return ERR_CRYPTO;
	}
	if ((e = key_here(key)) != OK ||
	    (e = replacement(key, block, other)) != OK)
		goto out;
	if (!buf_reserve(&em, k + sizeof(other))) {
		e = ERR_SYSTEM;
		goto out;
	}
	/* an EC key unwraps nothing: every block is a bad one */
	memset(em.data, 0, k + sizeof(other));
	em.len = k + sizeof(other);
	if (key->type != KEY_RSA)
		k = sizeof(other);
	else if ((e = decode(key, how, block, len, em.data, &mask)) != OK)
		goto out;
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)((em.data[k - len + i] & mask) |
				   (other[i] & ~mask));
out:
	wipe(other, sizeof(other));
	buf_release(&em);
	return e;
}
