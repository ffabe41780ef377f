#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/base64.h"
#include "base/limits.h"
#include "base/log.h"
#include "ca/cert.h"
#include "judge/intune.h"

/*
 * A JSON Web Token that proves who we are to the directory (RFC 7515, RFC
 * 7523).  Its key is no CA's: the application's own, registered with the
 * directory, so it lies in a file that the alias names and not behind the door
 * of ca/key.h.  Here alone it is touched, and only signs what is made here.
 */

#define LIFE ((int64_t)60) /* seconds */

/* RFC 4648 5, without padding. */
static bool
put_base64url(struct buf *out, struct span bytes)
{
	size_t at = out->len;

	if (!base64_put(out, bytes))
		return false;
	for (size_t i = at; i < out->len; i++) {
		if (out->data[i] == '+')
			out->data[i] = '-';
		else if (out->data[i] == '/')
			out->data[i] = '_';
	}
	while (out->len > at && out->data[out->len - 1] == '=')
		out->data[--out->len] = '\0';
	return true;
}

/* Nobody is asked for a passphrase. */
static int
no_passphrase(char *text, int size, int writing, void *arg)
{
	(void)text;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static EVP_PKEY *
read_key(const char *where, struct span pem)
{
	BIO *in = BIO_new_mem_buf(pem.p, (int)pem.len);
	EVP_PKEY *key = NULL;

	if (in != NULL)
		key = PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL);
	BIO_free(in);
	if (key == NULL || !EVP_PKEY_is_a(key, "RSA") ||
	    EVP_PKEY_get_bits(key) < 2048) {
		log_error("aadkeybinding: %s has no RSA key of 2048 bits or "
			  "more without a passphrase",
		    where);
		ERR_clear_error();
		EVP_PKEY_free(key);
		return NULL;
	}
	return key;
}

/* alg, typ, x5t and x5c: which of its certificates the directory looks at. */
static enum err
put_header(struct span cert, struct buf *out)
{
	struct buf text = BUF_INIT, x5t = BUF_INIT, x5c = BUF_INIT;
	struct json *j = json_new(), *list = NULL;
	unsigned char digest[EVP_MAX_MD_SIZE];
	size_t len = 0;
	enum err e = ERR_CRYPTO;

	if (EVP_Q_digest(NULL, "SHA1", NULL, cert.p, cert.len, digest, &len) !=
	    1) {
		log_openssl("cannot make a SHA-1 thumbprint");
		goto out;
	}
	e = ERR_SYSTEM;
	if (!put_base64url(&x5t, span_of(digest, len)) ||
	    !base64_put(&x5c, cert))
		goto out;
	if ((e = json_put_str(j, "alg", "RS256")) != OK ||
	    (e = json_put_str(j, "typ", "JWT")) != OK ||
	    (e = json_put_text(j, "x5t", buf_span(&x5t))) != OK)
		goto out;
	list = json_put_array(j, "x5c");
	if ((e = json_put_text(list, NULL, buf_span(&x5c))) == OK &&
	    (e = json_print(j, &text)) == OK &&
	    !put_base64url(out, buf_span(&text)))
		e = ERR_SYSTEM;
out:
	json_free(j);
	buf_release(&text);
	buf_release(&x5t);
	buf_release(&x5c);
	return e;
}

static enum err
put_claims(const struct intune_claims *c, struct buf *out)
{
	struct buf text = BUF_INIT;
	struct json *j = json_new();
	char id[UUID_TEXT];
	enum err e;

	if ((e = intune_uuid(id)) != OK ||
	    (e = json_put_str(j, "aud", c->audience)) != OK ||
	    (e = json_put_str(j, "iss", c->client)) != OK ||
	    (e = json_put_str(j, "sub", c->client)) != OK ||
	    (e = json_put_str(j, "jti", id)) != OK ||
	    (e = json_put_number(j, "nbf", c->now)) != OK ||
	    (e = json_put_number(j, "exp", c->now + LIFE)) != OK ||
	    (e = json_print(j, &text)) != OK)
		goto out;
	if (!buf_byte(out, '.') || !put_base64url(out, buf_span(&text)))
		e = ERR_SYSTEM;
out:
	json_free(j);
	buf_release(&text);
	return e;
}

/* RS256: RSASSA-PKCS1-v1_5 with SHA-256 of what stands in out. */
static enum err
sign(EVP_PKEY *key, struct buf *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char signature[MAX_RSA / 8];
	size_t len = sizeof(signature);
	enum err e = ERR_CRYPTO;

	if (ctx == NULL ||
	    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) != 1 ||
	    EVP_DigestSign(ctx, signature, &len, out->data, out->len) != 1) {
		log_openssl("cannot sign a token request");
		goto out;
	}
	e = buf_byte(out, '.') && put_base64url(out, span_of(signature, len)) ?
		OK :
		ERR_SYSTEM;
out:
	EVP_MD_CTX_free(ctx);
	return e;
}

/* The certificate of that key, among those that stand beside it. */
static const struct buf *
find_cert(EVP_PKEY *key, const struct buf *certs, size_t n)
{
	unsigned char *spki = NULL;
	int len = i2d_PUBKEY(key, &spki);
	const struct buf *found = NULL;
	struct cert_view v;

	for (size_t i = 0; len > 0 && i < n && found == NULL; i++)
		if (cert_view(buf_span(&certs[i]), &v) == OK &&
		    span_eq(v.spki, span_of(spki, (size_t)len)))
			found = &certs[i];
	OPENSSL_free(spki);
	return found;
}

enum err
intune_jwt(const struct intune_claims *c, struct span pem, struct buf *out)
{
	EVP_PKEY *key = read_key(c->where, pem);
	const struct buf *cert;
	struct buf *certs = NULL;
	size_t n = 0;
	enum err e = ERR_INPUT;

	if (key == NULL || (e = certs_read(c->where, pem, &certs, &n)) != OK)
		goto out;
	e = ERR_INPUT;
	if ((cert = find_cert(key, certs, n)) == NULL) {
		log_error("aadkeybinding: %s has no certificate of its key",
		    c->where);
		goto out;
	}
	if ((e = put_header(buf_span(cert), out)) == OK &&
	    (e = put_claims(c, out)) == OK)
		e = sign(key, out);
out:
	certs_free(certs, n);
	EVP_PKEY_free(key);
	return e;
}
