#include "ca/cert.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/names.h"
#include "ca/der.h"
#include "ca/pubkey.h"

static void
see_ski(struct span value, struct cert_view *v)
{
	struct span id;

	if (der_one(value, DER_OCTETS, &id))
		v->ski = id;
}

/* Bits as OpenSSL's KU_*: first byte low, second byte high. */
static void
see_usage(struct span value, struct cert_view *v)
{
	struct span bits;

	if (!der_one(value, DER_BITS, &bits) || bits.len < 1)
		return;
	v->usage = bits.len > 1 ? bits.p[1] : 0;
	if (bits.len > 2)
		v->usage |= (unsigned)bits.p[2] << 8;
}

static void
see_basic(struct span value, struct cert_view *v)
{
	struct span seq, flag, len;

	v->ca = der_one(value, DER_SEQUENCE, &seq) &&
		der_get(&seq, DER_BOOLEAN, &flag) && flag.len == 1 &&
		flag.p[0] != 0;
	if (v->ca && der_get(&seq, DER_INTEGER, &len) && len.len == 1)
		v->pathlen = len.p[0];
}

static void
see_san(struct span value, struct cert_view *v)
{
	v->san = value;
}

static void
see_aki(struct span value, struct cert_view *v)
{
	struct span seq, id;

	if (der_one(value, DER_SEQUENCE, &seq) &&
	    der_get(&seq, DER_CONTEXT, &id))
		v->aki = id;
}

static const struct {
	uint8_t last; /* of 2.5.29.x */
	void (*see)(struct span value, struct cert_view *v);
} extension[] = {
	{ 14, see_ski },
	{ 15, see_usage },
	{ 17, see_san },
	{ 19, see_basic },
	{ 35, see_aki },
};

/* Extensions we do not know, or cannot read, do not matter here (C-76). */
static void
see_extensions(struct span list, struct cert_view *v)
{
	struct span ext, oid, flag, value;

	while (der_get(&list, DER_SEQUENCE, &ext)) {
		if (!der_get(&ext, DER_OID, &oid) || oid.len != 3 ||
		    oid.p[0] != 0x55 || oid.p[1] != 0x1d)
			continue;
		(void)der_get(&ext, DER_BOOLEAN, &flag);
		if (!der_get(&ext, DER_OCTETS, &value))
			continue;
		for (size_t i = 0; i < sizeof(extension) / sizeof(*extension);
		     i++)
			if (extension[i].last == oid.p[2])
				extension[i].see(value, v);
	}
}

/* TBSCertificate (RFC 5280 4.1), version ignored. */
static bool
see_tbs(struct span tbs, struct cert_view *v)
{
	struct der issuer, subject, spki, from, until;
	struct span skip, validity, wrapped, list;

	if (der_tag(tbs) == DER_NESTED && !der_get(&tbs, DER_NESTED, &skip))
		return false;
	if (!der_get(&tbs, DER_INTEGER, &v->serial) ||
	    !der_get(&tbs, DER_SEQUENCE, &skip) || !der_next(&tbs, &issuer) ||
	    !der_get(&tbs, DER_SEQUENCE, &validity) ||
	    !der_next(&tbs, &subject) || !der_next(&tbs, &spki))
		return false;
	if (issuer.tag != DER_SEQUENCE || subject.tag != DER_SEQUENCE ||
	    spki.tag != DER_SEQUENCE || v->serial.len == 0)
		return false;
	v->issuer = issuer.whole;
	v->subject = subject.whole;
	v->spki = spki.whole;
	if (der_next(&validity, &from) && der_next(&validity, &until)) {
		v->not_before = der_time(&from);
		v->not_after = der_time(&until);
	}
	(void)der_get(&tbs, DER_CONTEXT + 1, &skip); /* issuerUniqueID */
	(void)der_get(&tbs, DER_CONTEXT + 2, &skip);
	if (der_get(&tbs, DER_NESTED + 3, &wrapped) &&
	    der_get(&wrapped, DER_SEQUENCE, &list))
		see_extensions(list, v);
	return true;
}

bool
cert_serial(struct span serial, char out[CERT_SERIAL])
{
	while (serial.len > 1 && serial.p[0] == 0)
		serial = span_of(serial.p + 1, serial.len - 1);
	if (serial.len == 0 || serial.len > (CERT_SERIAL - 1) / 2)
		return false;
	hex_text(serial.p, serial.len, out);
	return true;
}

enum err
cert_view(struct span der, struct cert_view *out)
{
	struct cert_view v = { .der = der, .usage = UINT32_MAX, .pathlen = -1 };
	struct span cert, tbs, alg, signature;

	if (!der_one(der, DER_SEQUENCE, &cert) ||
	    !der_get(&cert, DER_SEQUENCE, &tbs) ||
	    !der_get(&cert, DER_SEQUENCE, &alg) ||
	    !der_one(cert, DER_BITS, &signature) || !see_tbs(tbs, &v))
		return ERR_INPUT;
	v.self_signed = span_eq(v.issuer, v.subject);
	*out = v;
	return OK;
}

/* Appends the next PEM certificate of bio; ERR_NOTFOUND: there is none. */
static enum err
pem_next(BIO *bio, struct buf *der)
{
	unsigned char *data = NULL;
	long len = 0;
	enum err e;

	ERR_set_mark();
	if (PEM_bytes_read_bio(
		&data, &len, NULL, PEM_STRING_X509, bio, NULL, NULL) != 1)
		e = ERR_NOTFOUND;
	else
		e = buf_add(der, data, (size_t)len) ? OK : ERR_SYSTEM;
	ERR_pop_to_mark();
	OPENSSL_free(data);
	return e;
}

static enum err
read_one(const char *where, BIO *bio, struct span bytes, struct buf *der)
{
	struct cert_view v;
	enum err e;

	if (cert_view(bytes, &v) == OK)
		return buf_add(der, bytes.p, bytes.len) ? OK : ERR_SYSTEM;
	if ((e = pem_next(bio, der)) == ERR_SYSTEM)
		return e;
	if (e == OK && cert_view(buf_span(der), &v) == OK)
		return OK;
	log_error("%s: no certificate in it, neither PEM nor DER", where);
	return ERR_INPUT;
}

enum err
cert_read(const char *where, struct span bytes, struct buf *der)
{
	BIO *bio = NULL;
	enum err e;

	if (bytes.len > MAX_PEM) {
		log_error("%s: too large for a certificate", where);
		return ERR_TOOBIG;
	}
	if (bytes.len == 0) { /* BIO_new_mem_buf() takes it for an error */
		log_error("%s: empty", where);
		return ERR_INPUT;
	}
	if ((bio = BIO_new_mem_buf(bytes.p, (int)bytes.len)) == NULL) {
		log_openssl("%s: memory", where);
		return ERR_SYSTEM;
	}
	buf_clear(der);
	e = read_one(where, bio, bytes, der);
	BIO_free(bio);
	return e;
}

static enum err
list_add(struct buf der, struct buf **list, size_t *n)
{
	struct buf *more = realloc(*list, (*n + 1) * sizeof(**list));

	if (more == NULL) {
		log_error("out of memory");
		return ERR_SYSTEM;
	}
	*list = more;
	more[(*n)++] = der;
	return OK;
}

static enum err
read_list(const char *where, BIO *bio, struct buf **list, size_t *n)
{
	struct buf der = BUF_INIT;
	struct cert_view v;
	enum err e;

	while ((e = pem_next(bio, &der)) == OK) {
		e = ERR_INPUT;
		if (*n == MAX_CERTS || cert_view(buf_span(&der), &v) != OK)
			log_error("%s: certificate %zu is unreadable or one "
				  "too many",
			    where, *n + 1);
		else
			e = list_add(der, list, n);
		if (e != OK)
			break;
		buf_init(&der);
	}
	buf_release(&der);
	return e == ERR_NOTFOUND ? OK : e;
}

enum err
certs_read(const char *where, struct span pem, struct buf **list, size_t *count)
{
	struct buf *found = NULL;
	size_t n = 0;
	BIO *bio = NULL;
	enum err e = ERR_SYSTEM;

	if (pem.len > MAX_PEM) {
		log_error("%s: too large for certificates", where);
		return ERR_TOOBIG;
	}
	if (pem.len == 0) {
		*list = NULL;
		*count = 0;
		return OK;
	}
	if ((bio = BIO_new_mem_buf(pem.p, (int)pem.len)) == NULL)
		log_openssl("%s: memory", where);
	else if ((e = read_list(where, bio, &found, &n)) == OK) {
		*list = found;
		*count = n;
		found = NULL;
	}
	BIO_free(bio);
	certs_free(found, n);
	return e;
}

static enum err
each_der(struct span bytes, enum err (*each)(struct span, void *), void *arg)
{
	struct cert_view v;
	struct der d;
	enum err e = OK;

	while (bytes.len > 0 && e == OK) {
		e = ERR_INPUT;
		if (der_next(&bytes, &d) && cert_view(d.whole, &v) == OK)
			e = each(d.whole, arg);
	}
	return e;
}

static enum err
each_pem(struct span bytes, enum err (*each)(struct span, void *), void *arg)
{
	BIO *bio = BIO_new_mem_buf(bytes.p, (int)bytes.len);
	struct buf der = BUF_INIT;
	struct cert_view v;
	unsigned n = 0;
	enum err e;

	if (bio == NULL)
		return ERR_SYSTEM;
	while ((e = pem_next(bio, &der)) == OK) {
		e = ERR_INPUT;
		if (cert_view(buf_span(&der), &v) == OK)
			e = each(buf_span(&der), arg);
		if (e != OK)
			break;
		n++;
		buf_clear(&der);
	}
	BIO_free(bio);
	buf_release(&der);
	if (e == ERR_NOTFOUND)
		e = n > 0 ? OK : ERR_INPUT;
	return e;
}

enum err
certs_each(const char *where, struct span bytes,
    enum err (*each)(struct span der, void *arg), void *arg)
{
	enum err e = ERR_INPUT;

	if (bytes.len > 0 && bytes.len <= MAX_IMPORT)
		e = (bytes.p[0] == DER_SEQUENCE ? each_der : each_pem)(
		    bytes, each, arg);
	if (e == ERR_INPUT)
		log_error("%s: no certificate in it, neither PEM nor DER, or "
			  "something else too",
		    where);
	return e;
}

void
certs_free(struct buf *list, size_t n)
{
	for (size_t i = 0; list != NULL && i < n; i++)
		buf_release(&list[i]);
	free(list);
}

enum err
cert_pem(struct span der, struct buf *pem)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	enum err e = ERR_SYSTEM;
	long len;

	if (bio == NULL ||
	    PEM_write_bio(bio, PEM_STRING_X509, "", der.p, (long)der.len) <= 0)
		log_openssl("writing a certificate as PEM");
	else if ((len = BIO_get_mem_data(bio, &text)) > 0 &&
		 buf_add(pem, text, (size_t)len))
		e = OK;
	BIO_free(bio);
	return e;
}
