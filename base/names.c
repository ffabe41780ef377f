#include "base/names.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/limits.h"
#include "base/log.h"

/* Not isalnum(): a locale must not change what a file is called. */
static bool
plain(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* The value of a hex digit of either case, -1 for anything else. */
static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Stops growing soon after MAX_NAME: such a name becomes a hash anyway. */
static bool
escape(struct span text, struct buf *out)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t i, from = out->len;
	uint8_t c;
	bool ok;

	if (text.len == 0)
		return buf_byte(out, '%');
	for (i = 0; i < text.len && out->len - from <= MAX_NAME; i++) {
		c = text.p[i];
		if (plain(c) || (c == '.' && i > 0 && i + 1 < text.len))
			ok = buf_byte(out, c);
		else
			ok = buf_byte(out, '%') &&
			     buf_byte(out, (uint8_t)hex[c >> 4]) &&
			     buf_byte(out, (uint8_t)hex[c & 15]);
		if (!ok)
			return false;
	}
	return true;
}

/* Forgets what was added since len. */
static void
shorten(struct buf *b, size_t len)
{
	if (b->data == NULL)
		return;
	if (b->secret && len < b->len)
		wipe(b->data + len, b->len - len);
	b->len = len;
	b->data[len] = '\0';
}

enum err
name_escape(struct span text, struct buf *out)
{
	char hash[SHA256_HEX];
	size_t from = out->len;
	enum err e = ERR_SYSTEM;

	if (!escape(text, out))
		goto out;
	if (out->len - from > MAX_NAME) {
		shorten(out, from);
		e = sha256_hex(text, hash);
		if (e != OK)
			goto out;
		if (!buf_byte(out, '=') || !buf_str(out, hash)) {
			e = ERR_SYSTEM;
			goto out;
		}
	}
	e = OK;
out:
	if (e != OK)
		shorten(out, from);
	return e;
}

/* ERR_INPUT where a '%' has no two hex digits behind it. */
static enum err
unescape(const char *s, struct buf *out)
{
	int high, low;

	for (; *s != '\0'; s++) {
		if (*s != '%') {
			if (!buf_byte(out, (uint8_t)*s))
				return ERR_SYSTEM;
			continue;
		}
		high = digit(s[1]);
		low = high < 0 ? -1 : digit(s[2]);
		if (low < 0)
			return ERR_INPUT;
		if (!buf_byte(out, (uint8_t)(high * 16 + low)))
			return ERR_SYSTEM;
		s += 2;
	}
	return OK;
}

enum err
name_unescape(const char *name, struct buf *out)
{
	struct buf again = BUF_INIT;
	size_t from = out->len;
	enum err e = OK;

	if (strcmp(name, "%") == 0)
		return OK;
	e = unescape(name, out);
	if (e != OK)
		goto out;
	if (out->len == from) {
		e = ERR_INPUT;
		goto out;
	}
	/* One text, one name: only the canonical form counts. */
	e = name_escape(span_of(out->data + from, out->len - from), &again);
	if (e == OK && strcmp(buf_cstr(&again), name) != 0)
		e = ERR_INPUT;
out:
	if (e != OK)
		shorten(out, from);
	buf_release(&again);
	return e;
}

enum err
sha256(struct span bytes, uint8_t out[SHA256_LEN])
{
	if (EVP_Digest(bytes.len > 0 ? (const void *)bytes.p : "", bytes.len,
		out, NULL, EVP_sha256(), NULL) != 1) {
		log_openssl("cannot compute SHA-256");
		return ERR_CRYPTO;
	}
	return OK;
}

enum err
sha256_hex(struct span bytes, char out[SHA256_HEX])
{
	uint8_t md[SHA256_LEN];
	enum err e;

	e = sha256(bytes, md);
	if (e == OK)
		hex_text(md, sizeof(md), out);
	return e;
}

enum err
hmac_sha256(struct span key, struct span bytes, uint8_t out[SHA256_LEN])
{
	if (key.len > INT_MAX ||
	    HMAC(EVP_sha256(), key.len > 0 ? (const void *)key.p : "",
		(int)key.len, bytes.p, bytes.len, out, NULL) == NULL) {
		log_openssl("cannot compute HMAC-SHA-256");
		return ERR_CRYPTO;
	}
	return OK;
}

enum err
random_bytes(void *out, size_t len)
{
	if (len > INT_MAX || RAND_priv_bytes(out, (int)len) != 1) {
		log_openssl("cannot get %zu random bytes", len);
		return ERR_CRYPTO;
	}
	return OK;
}

enum err
random_hex(char *out, size_t n)
{
	uint8_t *raw = (uint8_t *)out + n + 1;
	enum err e;

	/* Into the rear half of out; read there before it is overwritten. */
	e = random_bytes(raw, n);
	if (e == OK)
		hex_text(raw, n, out);
	return e;
}

void
hex_text(const void *p, size_t len, char *out)
{
	static const char hex[] = "0123456789abcdef";
	const uint8_t *b = p;
	uint8_t c;
	size_t i;

	for (i = 0; i < len; i++) {
		c = b[i];
		out[2 * i] = hex[c >> 4];
		out[2 * i + 1] = hex[c & 15];
	}
	out[2 * len] = '\0';
}

enum err
hex_read(const char *s, struct buf *out)
{
	size_t from = out->len;
	int high = -1, d;
	enum err e = ERR_INPUT;

	for (; *s != '\0'; s++) {
		if (*s == ':' || *s == ' ' || *s == '\t')
			continue;
		d = digit(*s);
		if (d < 0)
			goto out;
		if (high < 0) {
			high = d;
			continue;
		}
		if (!buf_byte(out, (uint8_t)(high * 16 + d))) {
			e = ERR_SYSTEM;
			goto out;
		}
		high = -1;
	}
	if (high < 0 && out->len > from)
		e = OK;
out:
	if (e != OK)
		shorten(out, from);
	return e;
}

void
wipe(void *p, size_t len)
{
	OPENSSL_cleanse(p, len);
}

int
secret_eq(struct span a, struct span b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int differ;

	differ = n > 0 && CRYPTO_memcmp(a.p, b.p, n) != 0;
	return !differ & (a.len == b.len);
}
