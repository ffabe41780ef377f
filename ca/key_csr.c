#include "ca/key_own.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/log.h"

/* What the issuer should write, in the words of openssl(1). */
static const struct {
	unsigned bit;
	const char *word;
} words[] = {
	{ KU_DIGITAL_SIGNATURE, "digitalSignature" },
	{ KU_KEY_ENCIPHERMENT, "keyEncipherment" },
	{ KU_KEY_CERT_SIGN, "keyCertSign" },
	{ KU_CRL_SIGN, "cRLSign" },
};

static bool
push(STACK_OF(X509_EXTENSION) * list, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	if (ext != NULL && sk_X509_EXTENSION_push(list, ext) > 0)
		return true;
	X509_EXTENSION_free(ext);
	return false;
}

static bool
add_wishes(X509_REQ *req, unsigned usage)
{
	STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
	struct buf text = BUF_INIT;
	bool good = buf_str(&text, "critical");

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (usage & words[i].bit)
			good = good && buf_printf(&text, ",%s", words[i].word);
	good = good && list != NULL &&
	       ((usage & KU_KEY_CERT_SIGN) == 0 ||
		   push(list, NID_basic_constraints, "critical,CA:TRUE")) &&
	       push(list, NID_key_usage, buf_cstr(&text)) &&
	       X509_REQ_add_extensions(req, list) == 1;
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	buf_release(&text);
	return good;
}

static bool
set_subject(X509_REQ *req, struct span subject)
{
	const unsigned char *p = subject.p;
	X509_NAME *name = d2i_X509_NAME(NULL, &p, (long)subject.len);
	bool good = name != NULL && X509_REQ_set_subject_name(req, name) == 1;

	X509_NAME_free(name);
	return good;
}

static enum err
write_csr(X509_REQ *req, struct buf *pem)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	enum err e = ERR_CRYPTO;
	long len;

	if (bio == NULL || PEM_write_bio_X509_REQ(bio, req) != 1)
		log_openssl("writing a request");
	else if ((len = BIO_get_mem_data(bio, &text)) > 0)
		e = buf_add(pem, text, (size_t)len) ? OK : ERR_SYSTEM;
	BIO_free(bio);
	return e;
}

enum err
key_csr(struct key *key, struct span subject, unsigned usage, struct buf *pem)
{
	X509_REQ *req = NULL;
	enum err e = key_here(key);

	if (e != OK)
		return e;
	e = ERR_CRYPTO;
	req = X509_REQ_new();
	if (req == NULL || X509_REQ_set_version(req, X509_REQ_VERSION_1) != 1 ||
	    !set_subject(req, subject) ||
	    X509_REQ_set_pubkey(req, key->pkey) != 1 ||
	    !add_wishes(req, usage) ||
	    X509_REQ_sign(req, key->pkey, key_digest(key)) <= 0)
		log_openssl("making a request for a certificate");
	else
		e = write_csr(req, pem);
	X509_REQ_free(req);
	return e;
}
