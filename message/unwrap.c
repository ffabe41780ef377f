#include "message/envelope.h"

#include "base/log.h"

/* Masks without branches: all ones for yes, 0 for no. */
static unsigned
hide(unsigned x)
{
	volatile unsigned v = x; /* what a compiler cannot see, it keeps */

	return v;
}

static unsigned
less(unsigned a, unsigned b) /* both below 2^31 */
{
	return hide(0U - ((a - b) >> 31));
}

static unsigned
equal(unsigned a, unsigned b)
{
	return ~less(a, b) & ~less(b, a);
}

/*
 * RFC 5652 6.3: the last byte says how many there are, each says the same.
 * Every byte of the last block is read, whatever the last one says.
 */
static unsigned
padding(const uint8_t *p, size_t n, size_t block, unsigned *count)
{
	unsigned last = p[n - 1];
	unsigned good = ~less(last, 1) & ~less((unsigned)block, last);

	for (unsigned i = 0; i < block; i++)
		good &= ~less(i, last) | equal(p[n - 1 - i], last);
	*count = last & good;
	return good;
}

static enum err
decrypt(enum cipher id, const uint8_t *key, struct span iv, struct span in,
    struct buf *plain)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	const EVP_CIPHER *evp = cipher_evp(id);
	size_t len = in.len;
	enum err e = ERR_CRYPTO;
	int n = 0, rest = 0;

	if (!buf_reserve(plain, len + EVP_MAX_BLOCK_LENGTH)) {
		e = ERR_SYSTEM;
		goto out;
	}
	if (ctx == NULL || evp == NULL ||
	    EVP_DecryptInit_ex2(ctx, evp, key, iv.p, NULL) != 1 ||
	    EVP_CIPHER_CTX_set_padding(ctx, 0) != 1 ||
	    EVP_DecryptUpdate(ctx, plain->data, &n, in.p, (int)len) != 1 ||
	    EVP_DecryptFinal_ex(ctx, plain->data + n, &rest) != 1 ||
	    (size_t)n + (size_t)rest != len) {
		log_openssl("decrypting with %s", cipher_name(id));
		goto out;
	}
	plain->len = len;
	plain->data[len] = '\0';
	e = OK;
out:
	EVP_CIPHER_CTX_free(ctx);
	return e;
}

/* [0] IMPLICIT OCTET STRING, in one piece or in several (C-82). */
static enum err
gather(const struct der *content, struct buf *out)
{
	struct span in = content->body, piece;

	if (content->tag == DER_CONTEXT)
		return buf_add(out, in.p, in.len) ? OK : ERR_SYSTEM;
	while (in.len > 0) {
		if (!der_get(&in, DER_OCTETS, &piece))
			return ERR_INPUT;
		if (!buf_add(out, piece.p, piece.len))
			return ERR_SYSTEM;
	}
	return OK;
}

enum err
envelope_unwrap(const struct envelope *env, const struct unwrap *how,
    struct buf *plain, unsigned *good, size_t *len)
{
	const struct cipher_kind *kind = cipher_of(how->cipher);
	struct buf in = BUF_INIT;
	uint8_t key[32] = { 0 };
	struct span iv;
	unsigned count = 0;
	enum err e;

	*good = 0;
	*len = 0;
	plain->secret = true;
	if (!der_one(env->cipher.params, DER_OCTETS, &iv) ||
	    iv.len != kind->block)
		return ERR_INPUT;
	if ((e = gather(&env->content, &in)) != OK)
		goto out;
	if (in.len == 0 || in.len % kind->block != 0 || in.len > MAX_BODY) {
		e = ERR_INPUT;
		goto out;
	}
	if (how->pwri != NULL)
		e = pwri_unwrap(how->pwri, how->secret, kind->key, key);
	else
		e = key_unwrap(
		    how->key, how->transport, how->block, kind->key, key);
	if (e != OK)
		goto out;
	e = decrypt(how->cipher, key, iv, buf_span(&in), plain);
	if (e != OK)
		goto out;
	*good = padding(plain->data, plain->len, kind->block, &count);
	*len = plain->len - count;
out:
	wipe(key, sizeof(key));
	buf_release(&in);
	return e;
}
