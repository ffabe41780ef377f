#include "message/envelope.h"

#include <openssl/hmac.h>

#include "base/limits.h"
#include "base/log.h"
#include "ca/pubkey.h"

/*
 * PWRI-KEK (RFC 3211 2.3): the content key behind its length and the
 * complement of its first three bytes, filled up with noise to whole blocks,
 * at least two, and encrypted twice in CBC without a reset, so that every
 * bit of the result hangs on every bit of the key.
 */
#define HEAD 4 /* length and three check bytes */

/* Masks without branches, as in unwrap.c: all ones for yes. */
static unsigned
equal(unsigned a, unsigned b)
{
	volatile unsigned x = a ^ b;

	return 0U - ((~x & (x - 1)) >> 31);
}

/* The key that wraps, from the secret (RFC 8018 5.2). */
static enum err
derive(const struct pwri *p, struct span secret, uint8_t *kek)
{
	const char *pass = secret.len > 0 ? (const char *)secret.p : "";

	if (PKCS5_PBKDF2_HMAC(pass, (int)secret.len, p->salt.p,
		(int)p->salt.len, (int)p->iterations, digest_md(p->prf),
		(int)cipher_of(p->kek)->key, kek) == 1)
		return OK;
	log_openssl("PBKDF2");
	return ERR_CRYPTO;
}

/* One pass in CBC without padding; from and to may be the same. */
static bool
cbc(EVP_CIPHER_CTX *ctx, const uint8_t *from, size_t len, uint8_t *to)
{
	int n = 0;

	return EVP_CipherUpdate(ctx, to, &n, from, (int)len) == 1 &&
	       (size_t)n == len;
}

static bool
start(EVP_CIPHER_CTX *ctx, enum cipher kek, const uint8_t *key,
    const uint8_t *iv, bool encrypt)
{
	return EVP_CipherInit_ex2(
		   ctx, cipher_evp(kek), key, iv, encrypt, NULL) == 1 &&
	       EVP_CIPHER_CTX_set_padding(ctx, 0) == 1;
}

/*
 * Backwards: the last block first, whose plaintext is the chaining value
 * that the outer pass began with; then the others; then the inner pass.
 */
static bool
unwrap(const struct pwri *p, const uint8_t *kek, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	size_t block = p->iv.len, rest = p->wrapped.len - block;
	const uint8_t *in = p->wrapped.p;
	bool good;

	good = ctx != NULL &&
	       start(ctx, p->kek, kek, in + rest - block, false) &&
	       cbc(ctx, in + rest, block, out + rest) &&
	       start(ctx, p->kek, kek, out + rest, false) &&
	       cbc(ctx, in, rest, out) &&
	       start(ctx, p->kek, kek, p->iv.p, false) &&
	       cbc(ctx, out, p->wrapped.len, out);
	EVP_CIPHER_CTX_free(ctx);
	return good;
}

/* What stands in for the content key, the same for the same message. */
static bool
replacement(const struct pwri *p, const uint8_t *kek, uint8_t *out)
{
	unsigned n = SHA256_LEN;

	return HMAC(digest_md(DIGEST_SHA256), kek, (int)cipher_of(p->kek)->key,
		   p->wrapped.p, p->wrapped.len, out, &n) != NULL;
}

enum err
pwri_unwrap(const struct pwri *p, struct span secret, size_t len, uint8_t *key)
{
	uint8_t kek[EVP_MAX_KEY_LENGTH], other[SHA256_LEN];
	uint8_t block[MAX_WRAPPED] = { 0 };
	unsigned good;
	enum err e;

	if ((e = derive(p, secret, kek)) != OK)
		goto out;
	if (!unwrap(p, kek, block) || !replacement(p, kek, other)) {
		log_openssl("PWRI-KEK with %s", cipher_name(p->kek));
		e = ERR_CRYPTO;
		goto out;
	}
	good = equal(block[0], (unsigned)len);
	for (size_t i = 0; i < 3; i++)
		good &= equal(block[1 + i] ^ block[HEAD + i], 0xff);
	/* public lengths: a key that cannot stand in there is a wrong one */
	if (HEAD + len > p->wrapped.len)
		good = 0;
	for (size_t i = 0; i < len; i++)
		key[i] =
		    (uint8_t)((block[HEAD + i] & good) | (other[i] & ~good));
out:
	wipe(kek, sizeof(kek));
	wipe(other, sizeof(other));
	wipe(block, sizeof(block));
	return e;
}

/* Length, check bytes, key and noise, twice encrypted. */
static enum err
wrap(const struct pwri *p, const uint8_t *kek, const uint8_t *key, size_t len,
    struct buf *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	size_t block = p->iv.len, total;
	uint8_t bytes[MAX_WRAPPED];
	enum err e;

	total = (HEAD + len + block - 1) / block * block;
	if (total < 2 * block)
		total = 2 * block;
	if ((e = random_bytes(bytes, total)) != OK)
		goto out;
	bytes[0] = (uint8_t)len;
	for (size_t i = 0; i < 3; i++)
		bytes[1 + i] = (uint8_t)~key[i];
	memcpy(bytes + HEAD, key, len);
	e = ERR_CRYPTO;
	if (ctx == NULL || !start(ctx, p->kek, kek, p->iv.p, true) ||
	    !cbc(ctx, bytes, total, bytes) || !cbc(ctx, bytes, total, bytes))
		log_openssl("PWRI-KEK with %s", cipher_name(p->kek));
	else
		e = buf_add(out, bytes, total) ? OK : ERR_SYSTEM;
out:
	wipe(bytes, sizeof(bytes));
	EVP_CIPHER_CTX_free(ctx);
	return e;
}

/* [0] PBKDF2 with SEND_PBKDF2 iterations of HMAC-SHA-256. */
static bool
put_derivation(const struct pwri *p, struct buf *out)
{
#define RSADSI "\x2a\x86\x48\x86\xf7\x0d"
	const uint8_t n[] = { (uint8_t)(p->iterations >> 16),
		(uint8_t)(p->iterations >> 8), (uint8_t)p->iterations };
	struct buf params = BUF_INIT, prf = BUF_INIT, body = BUF_INIT;
	bool good;

	good = der_put(&params, DER_OCTETS, p->salt) &&
	       der_put(&params, DER_INTEGER, span_of(n, sizeof(n))) &&
	       der_put(&prf, DER_OID, DER_BYTES(RSADSI "\x02\x09")) &&
	       der_put(&prf, DER_NULL, span_of(NULL, 0)) &&
	       der_put(&params, DER_SEQUENCE, buf_span(&prf)) &&
	       der_put(&body, DER_OID, DER_BYTES(RSADSI "\x01\x05\x0c")) &&
	       der_put(&body, DER_SEQUENCE, buf_span(&params)) &&
	       der_put(out, DER_NESTED, buf_span(&body));
	buf_release(&params);
	buf_release(&prf);
	buf_release(&body);
	return good;
}

static bool
put_encryption(const struct pwri *p, struct buf *out)
{
	struct buf cipher = BUF_INIT, body = BUF_INIT;
	bool good;

	good =
	    der_put(&cipher, DER_OID, cipher_of(p->kek)->oid) &&
	    der_put(&cipher, DER_OCTETS, p->iv) &&
	    der_put(&body, DER_OID, DER_BYTES(RSADSI "\x01\x09\x10\x03\x09")) &&
	    der_put(&body, DER_SEQUENCE, buf_span(&cipher)) &&
	    der_put(out, DER_SEQUENCE, buf_span(&body));
	buf_release(&cipher);
	buf_release(&body);
	return good;
}

static enum err
put_recipient(const struct pwri *p, struct span wrapped, struct buf *out)
{
	struct buf body = BUF_INIT;
	bool good;

	good = der_put(&body, DER_INTEGER, DER_BYTES("\0")) &&
	       put_derivation(p, &body) && put_encryption(p, &body) &&
	       der_put(&body, DER_OCTETS, wrapped) &&
	       der_put(out, DER_NESTED + 3, buf_span(&body));
	buf_release(&body);
	return good ? OK : ERR_SYSTEM;
}

enum err
pwri_wrap(enum cipher kek, struct span secret, const uint8_t *key, size_t len,
    struct buf *out)
{
	uint8_t salt[16] = { 0 }, iv[EVP_MAX_IV_LENGTH] = { 0 };
	uint8_t derived[EVP_MAX_KEY_LENGTH];
	struct pwri p = { .salt = span_of(salt, sizeof(salt)),
		.iterations = SEND_PBKDF2,
		.prf = DIGEST_SHA256,
		.kek = kek,
		.iv = span_of(iv, cipher_of(kek)->block) };
	struct buf wrapped = BUF_INIT;
	enum err e;

	if ((e = random_bytes(salt, sizeof(salt))) != OK ||
	    (e = random_bytes(iv, p.iv.len)) != OK ||
	    (e = derive(&p, secret, derived)) != OK ||
	    (e = wrap(&p, derived, key, len, &wrapped)) != OK)
		goto out;
	e = put_recipient(&p, buf_span(&wrapped), out);
out:
	wipe(derived, sizeof(derived));
	buf_release(&wrapped);
	return e;
}
