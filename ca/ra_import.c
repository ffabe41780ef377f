#include <openssl/x509v3.h>

#include "base/log.h"
#include "ca/cert.h"
#include "ca/chain.h"
#include "ca/ra_make.h"

/* One key and certificate that were brought. */
struct brought {
	const char *what;
	struct key *key;
	struct buf cert;
};

static enum err
refuse(const struct brought *b, const char *why)
{
	log_error("%s: not imported: %s", b->what, why);
	return ERR_REFUSED;
}

static enum err
read_one(struct brought *b, const struct ra_import *in, struct span p12,
    struct span cert, struct span key)
{
	struct buf pem = BUF_INIT, chain = BUF_INIT;
	enum err e;

	if (p12.len > 0)
		e = key_pkcs12(p12, in->passphrase, &b->key, &pem, &chain);
	else if (!buf_add(&pem, cert.p, cert.len))
		e = ERR_SYSTEM;
	else
		e = key_read(b->what, key, in->passphrase, &b->key);
	if (e == OK)
		e = cert_read(b->what, buf_span(&pem), &b->cert);
	buf_release(&pem);
	buf_release(&chain);
	return e;
}

/* C-33: clients check that it is the CA's. */
static bool
issued_here(const struct ca *ca, struct span cert)
{
	for (size_t i = 0; i < ca->ngen; i++)
		if (cert_signed_by(cert, ca->gen[i].spki))
			return true;
	return false;
}

static void
warn(const char *sentence, void *arg)
{
	(void)arg;
	log_warn("%s", sentence);
}

static enum err
check(const struct brought *b, const struct ca *ca, unsigned usage, int64_t now)
{
	struct cert_view v;
	enum err e;

	if ((e = cert_view(buf_span(&b->cert), &v)) != OK)
		return e;
	if (v.ca)
		return refuse(b, "it is a CA's certificate; `scep ca import` "
				 "takes those");
	if (!key_fits(b->key, v.spki))
		return refuse(b, "the key is not the certificate's");
	if (key_type(b->key) != KEY_RSA)
		return refuse(b, "an RA needs an RSA key, as clients encrypt "
				 "to it and check its signatures");
	if (v.not_after <= now)
		return refuse(b, "the certificate has expired");
	if (!issued_here(ca, v.der))
		return refuse(b, "this CA has not issued the certificate, and "
				 "clients check that");
	(void)usage_lacks(b->what, v.usage, usage, warn, NULL);
	return OK;
}

static enum err
put(struct draft *d, const struct brought *b, const struct parts *parts,
    struct span passphrase)
{
	enum err e;

	e = draft_key(d, "", parts->key, b->key, passphrase);
	return e == OK ? draft_certs(d, "", parts->cert, &b->cert, 1) : e;
}

static enum err
store(int home, const struct ca *ca, const struct brought *enc,
    const struct brought *sign, struct span passphrase)
{
	struct buf path = BUF_INIT;
	struct draft d;
	enum err e;

	e = ra_next(home, ca, &d, &path);
	if (e == OK)
		e = put(&d, enc, &parts_ra, passphrase);
	if (e == OK && sign->key != NULL)
		e = put(&d, sign, &parts_sign, passphrase);
	e = draft_end(&d, buf_cstr(&path), e);
	buf_release(&path);
	return e;
}

enum err
ca_ra_import(
    int home, const struct ca *ca, const struct ra_import *in, int64_t now)
{
	bool two = in->sign_pkcs12.len > 0 || in->sign_cert.len > 0;
	struct brought enc = { two ? "the RA certificate for encryption" :
				     "the RA certificate",
		NULL, BUF_INIT };
	struct brought sign = { "the RA certificate for signatures", NULL,
		BUF_INIT };
	unsigned usage =
	    KU_KEY_ENCIPHERMENT | (two ? 0 : (unsigned)KU_DIGITAL_SIGNATURE);
	struct buf pass = BUF_SECRET;
	enum err e;

	e = seal_passphrase(home, ca->called, in->encrypt, &pass);
	if (e == OK)
		e = read_one(&enc, in, in->pkcs12, in->cert, in->key);
	if (e == OK)
		e = check(&enc, ca, usage, now);
	if (e == OK && two)
		e = read_one(
		    &sign, in, in->sign_pkcs12, in->sign_cert, in->sign_key);
	if (e == OK && two)
		e = check(&sign, ca, KU_DIGITAL_SIGNATURE, now);
	if (e == OK)
		e = store(home, ca, &enc, &sign, buf_span(&pass));
	key_close(enc.key);
	key_close(sign.key);
	buf_release(&enc.cert);
	buf_release(&sign.cert);
	buf_release(&pass);
	return e;
}
