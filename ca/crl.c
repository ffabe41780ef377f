#include "ca/crl.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/time.h"
#include "ca/cert.h"
#include "ca/der.h"
#include "ca/pubkey.h"

#define DER_ENUMERATED 0x0a
#define MAX_SERIAL     20

/* A positive INTEGER without its leading zeros; false: negative or long. */
static bool
positive(struct span *n)
{
	if (n->len == 0 || (n->p[0] & 0x80) != 0)
		return false;
	while (n->len > 1 && n->p[0] == 0)
		*n = span_of(n->p + 1, n->len - 1);
	return n->len <= MAX_SERIAL;
}

static bool
get_time(struct span *in, int64_t *out)
{
	struct der d;

	if (!der_next(in, &d))
		return false;
	*out = der_time(&d);
	return *out != 0;
}

static void
see_number(struct span value, struct crl_view *v)
{
	struct span n;

	if (!der_one(value, DER_INTEGER, &n) || !positive(&n) ||
	    n.len > sizeof(v->number))
		return;
	for (v->number = 0; n.len > 0; n = span_of(n.p + 1, n.len - 1))
		v->number = v->number << 8 | n.p[0];
	v->numbered = true;
}

static void
see_authority(struct span value, struct crl_view *v)
{
	struct span seq, id;

	if (der_one(value, DER_SEQUENCE, &seq) &&
	    der_get(&seq, DER_CONTEXT, &id))
		v->authority = id;
}

/* Calls see(value) for the extension 2.5.29.<last> of a list. */
static bool
find_extension(struct span list, uint8_t last, struct span *value)
{
	struct span ext, oid, flag;

	while (der_get(&list, DER_SEQUENCE, &ext)) {
		if (!der_get(&ext, DER_OID, &oid) || oid.len != 3 ||
		    oid.p[0] != 0x55 || oid.p[1] != 0x1d || oid.p[2] != last)
			continue;
		(void)der_get(&ext, DER_BOOLEAN, &flag);
		return der_get(&ext, DER_OCTETS, value);
	}
	return false;
}

/* TBSCertList (RFC 5280 5.1.2); a v1 CRL has neither version nor extensions. */
static bool
see_tbs(struct span tbs, struct crl_view *v)
{
	struct span skip, wrapped, list, value;
	struct der issuer;

	if (der_tag(tbs) == DER_INTEGER && !der_get(&tbs, DER_INTEGER, &skip))
		return false;
	if (!der_get(&tbs, DER_SEQUENCE, &skip) || !der_next(&tbs, &issuer) ||
	    issuer.tag != DER_SEQUENCE || !get_time(&tbs, &v->this_update))
		return false;
	v->issuer = issuer.whole;
	if ((der_tag(tbs) == DER_UTCTIME || der_tag(tbs) == DER_TIME) &&
	    !get_time(&tbs, &v->next_update))
		return false;
	(void)der_get(&tbs, DER_SEQUENCE, &v->entries);
	if (tbs.len == 0)
		return true;
	if (!der_one(tbs, DER_NESTED, &wrapped) ||
	    !der_one(wrapped, DER_SEQUENCE, &list))
		return false;
	if (find_extension(list, 20, &value))
		see_number(value, v);
	if (find_extension(list, 35, &value))
		see_authority(value, v);
	return true;
}

enum err
crl_view(struct span der, struct crl_view *out)
{
	struct crl_view v = { .der = der };
	struct span list, tbs, alg, signature;

	if (!der_one(der, DER_SEQUENCE, &list) ||
	    !der_get(&list, DER_SEQUENCE, &tbs) ||
	    !der_get(&list, DER_SEQUENCE, &alg) ||
	    !der_one(list, DER_BITS, &signature) || !see_tbs(tbs, &v))
		return ERR_INPUT;
	*out = v;
	return OK;
}

enum err
crl_next(struct span *entries, struct crl_entry *out)
{
	struct span entry, list, value, code;

	if (entries->len == 0)
		return ERR_NOTFOUND;
	*out = (struct crl_entry){ .reason = 0 };
	if (!der_get(entries, DER_SEQUENCE, &entry) ||
	    !der_get(&entry, DER_INTEGER, &out->serial) ||
	    !positive(&out->serial) || !get_time(&entry, &out->date))
		return ERR_INPUT;
	if (!der_get(&entry, DER_SEQUENCE, &list) ||
	    !find_extension(list, 21, &value))
		return OK;
	if (!der_one(value, DER_ENUMERATED, &code) || code.len != 1)
		return ERR_INPUT;
	out->reason = code.p[0];
	return OK;
}

bool
crl_signed(struct span der, struct span spki)
{
	const unsigned char *p = der.p;
	EVP_PKEY *pkey = NULL;
	X509_CRL *x = NULL;
	bool good;

	if (pubkey_read(spki, &pkey) != OK)
		return false;
	ERR_set_mark();
	x = d2i_X509_CRL(NULL, &p, (long)der.len);
	good = x != NULL && X509_CRL_verify(x, pkey) == 1;
	ERR_pop_to_mark();
	X509_CRL_free(x);
	EVP_PKEY_free(pkey);
	return good;
}

/* Appends the first PEM CRL of bytes; ERR_NOTFOUND: there is none. */
static enum err
read_pem(struct span bytes, struct buf *der)
{
	BIO *bio = BIO_new_mem_buf(bytes.p, (int)bytes.len);
	unsigned char *data = NULL;
	long len = 0;
	enum err e = ERR_NOTFOUND;

	ERR_set_mark();
	if (bio != NULL && PEM_bytes_read_bio(&data, &len, NULL,
			       PEM_STRING_X509_CRL, bio, NULL, NULL) == 1)
		e = buf_add(der, data, (size_t)len) ? OK : ERR_SYSTEM;
	ERR_pop_to_mark();
	OPENSSL_free(data);
	BIO_free(bio);
	return e;
}

enum err
crl_read(const char *where, struct span bytes, struct buf *der)
{
	struct crl_view v;
	enum err e = ERR_NOTFOUND;

	if (bytes.len > MAX_CRL) {
		log_error("%s: too large for a CRL", where);
		return ERR_TOOBIG;
	}
	if (crl_view(bytes, &v) == OK)
		return buf_add(der, bytes.p, bytes.len) ? OK : ERR_SYSTEM;
	if (bytes.len > 0)
		e = read_pem(bytes, der);
	if (e == OK && crl_view(buf_span(der), &v) != OK)
		e = ERR_NOTFOUND;
	if (e == ERR_NOTFOUND) {
		log_error("%s: no CRL in it, neither PEM nor DER", where);
		e = ERR_INPUT;
	}
	return e;
}

enum err
crl_pem(struct span der, struct buf *pem)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	enum err e = ERR_SYSTEM;
	long len;

	if (bio == NULL || PEM_write_bio(bio, PEM_STRING_X509_CRL, "", der.p,
			       (long)der.len) <= 0)
		log_openssl("writing a CRL as PEM");
	else if ((len = BIO_get_mem_data(bio, &text)) > 0 &&
		 buf_add(pem, text, (size_t)len))
		e = OK;
	BIO_free(bio);
	return e;
}

enum err
ca_crl(const struct generation *gen, struct crl_header *in, struct buf *der)
{
	char from[TIME_TEXT];

	if (in->this_update < gen->not_before) {
		time_text(gen->not_before, from);
		log_error(
		    "no CRL is signed: the CA certificate begins at %s", from);
		return ERR_REFUSED;
	}
	if (gen->usage != UINT32_MAX && (gen->usage & KU_CRL_SIGN) == 0) {
		log_error("no CRL is signed: the key usage of the CA "
			  "certificate lacks cRLSign");
		return ERR_REFUSED;
	}
	in->issuer = gen->subject;
	in->authority = gen->ski;
	return key_sign_crl(gen->key, in, der);
}
