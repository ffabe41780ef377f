#include "ca/key_own.h"

#include <openssl/pkcs12.h>

#include "base/limits.h"
#include "base/log.h"
#include "ca/cert.h"

#define ITERATIONS 100000 /* of PBKDF2: it leaves the house */

/* The certificates of a PKCS#12 as PEM. */
static enum err
add_pem(X509 *cert, struct buf *pem)
{
	unsigned char *der = NULL;
	int len = i2d_X509(cert, &der);
	enum err e = ERR_CRYPTO;

	if (len > 0)
		e = cert_pem(span_of(der, (size_t)len), pem);
	OPENSSL_free(der);
	return e;
}

static enum err
take_pkcs12(PKCS12 *p12, const char *pass, struct key **out, struct buf *cert,
    struct buf *chain)
{
	STACK_OF(X509) *more = NULL;
	EVP_PKEY *pkey = NULL;
	X509 *own = NULL;
	enum err e = ERR_INPUT;

	if (PKCS12_parse(p12, pass, &pkey, &own, &more) != 1) {
		log_openssl("PKCS#12: wrong passphrase, or algorithms of "
			    "former days; then convert it: openssl pkcs12 "
			    "-legacy -in OLD -nodes | openssl pkcs12 -export "
			    "-out NEW");
		goto out;
	}
	if (pkey == NULL || own == NULL) {
		log_error("PKCS#12: it must hold a key and its certificate");
		goto out;
	}
	e = add_pem(own, cert);
	for (int i = 0; e == OK && i < sk_X509_num(more); i++)
		e = add_pem(sk_X509_value(more, i), chain);
	if (e == OK) {
		e = key_wrap("PKCS#12", pkey, out);
		pkey = NULL;
	}
out:
	EVP_PKEY_free(pkey);
	X509_free(own);
	sk_X509_pop_free(more, X509_free);
	return e;
}

enum err
key_pkcs12(struct span der, struct span passphrase, struct key **out,
    struct buf *cert, struct buf *chain)
{
	const unsigned char *p = der.p;
	struct buf pass = BUF_SECRET;
	PKCS12 *p12 = NULL;
	enum err e = ERR_INPUT;

	if (der.len > MAX_PEM) {
		log_error("PKCS#12: too large");
		return ERR_TOOBIG;
	}
	if ((p12 = d2i_PKCS12(NULL, &p, (long)der.len)) == NULL)
		log_openssl("PKCS#12: unreadable");
	else if (buf_add(&pass, passphrase.p, passphrase.len))
		e = take_pkcs12(p12, buf_cstr(&pass), out, cert, chain);
	else
		e = ERR_SYSTEM;
	buf_release(&pass);
	PKCS12_free(p12);
	return e;
}

/* The issuers as OpenSSL wants them. */
static STACK_OF(X509) * stack_of(const struct buf *chain, size_t n)
{
	STACK_OF(X509) *list = sk_X509_new_null();

	for (size_t i = 0; list != NULL && i < n; i++) {
		const unsigned char *p = chain[i].data;
		X509 *x = d2i_X509(NULL, &p, (long)chain[i].len);

		if (x == NULL || sk_X509_push(list, x) <= 0) {
			X509_free(x);
			sk_X509_pop_free(list, X509_free);
			list = NULL;
		}
	}
	return list;
}

static enum err
write_pkcs12(PKCS12 *p12, struct buf *out)
{
	unsigned char *der = NULL;
	int len = i2d_PKCS12(p12, &der);
	enum err e = ERR_CRYPTO;

	if (len <= 0) {
		log_openssl("writing a PKCS#12");
		return e;
	}
	out->secret = true;
	e = buf_add(out, der, (size_t)len) ? OK : ERR_SYSTEM;
	OPENSSL_clear_free(der, (size_t)len);
	return e;
}

enum err
key_export(const struct key *key, const struct pkcs12 *in, struct buf *out)
{
	const unsigned char *p = in->cert.p;
	struct buf pass = BUF_SECRET;
	STACK_OF(X509) *chain = NULL;
	X509 *cert = NULL;
	PKCS12 *p12 = NULL;
	enum err e;

	if ((e = key_here(key)) != OK)
		goto out;
	e = ERR_SYSTEM;
	if (!buf_add(&pass, in->passphrase.p, in->passphrase.len))
		goto out;
	e = ERR_CRYPTO;
	if ((cert = d2i_X509(NULL, &p, (long)in->cert.len)) == NULL ||
	    (chain = stack_of(in->chain, in->nchain)) == NULL ||
	    (p12 = PKCS12_create(buf_cstr(&pass), in->name, key->pkey, cert,
		 chain, 0, 0, ITERATIONS, ITERATIONS, 0)) == NULL)
		log_openssl("making a PKCS#12");
	else
		e = write_pkcs12(p12, out);
out:
	PKCS12_free(p12);
	X509_free(cert);
	sk_X509_pop_free(chain, X509_free);
	buf_release(&pass);
	return e;
}
