#include "ca/tbs.h"

#include <openssl/asn1t.h>
#include <openssl/x509v3.h>

#include "base/log.h"
#include "base/names.h"
#include "ca/der.h"
#include "ca/dn.h"
#include "ca/pubkey.h"
#include "ca/san.h"
#include "ca/tbs_own.h"

#define MAX_SERIAL 20 /* octets, RFC 5280 4.1.2.2 */

/*
 * RFC 5280 4.1, as templates.  ASN1_SEQUENCE is any SEQUENCE as it stands,
 * with tag and length: what is not ours to re-encode.
 */
struct validity {
	ASN1_TIME *from;
	ASN1_TIME *until;
};
ASN1_SEQUENCE(VALIDITY) = {
	ASN1_SIMPLE(struct validity, from, ASN1_TIME),
	ASN1_SIMPLE(struct validity, until, ASN1_TIME),
} static_ASN1_SEQUENCE_END_name(struct validity, VALIDITY)

struct tbs {
	ASN1_INTEGER *version;
	ASN1_INTEGER *serial;
	X509_ALGOR *signature;
	ASN1_STRING *issuer;
	struct validity *validity;
	ASN1_STRING *subject;
	ASN1_STRING *spki;
	X509_EXTENSIONS *extensions;
};
ASN1_SEQUENCE(TBS) = {
	ASN1_EXP(struct tbs, version, ASN1_INTEGER, 0),
	ASN1_SIMPLE(struct tbs, serial, ASN1_INTEGER),
	ASN1_SIMPLE(struct tbs, signature, X509_ALGOR),
	ASN1_SIMPLE(struct tbs, issuer, ASN1_SEQUENCE),
	ASN1_SIMPLE(struct tbs, validity, VALIDITY),
	ASN1_SIMPLE(struct tbs, subject, ASN1_SEQUENCE),
	ASN1_SIMPLE(struct tbs, spki, ASN1_SEQUENCE),
	ASN1_EXP_SEQUENCE_OF_OPT(struct tbs, extensions, X509_EXTENSION, 3),
} static_ASN1_SEQUENCE_END_name(struct tbs, TBS)

struct certificate {
	ASN1_STRING *tbs;
	X509_ALGOR *algorithm;
	ASN1_BIT_STRING *signature;
};
ASN1_SEQUENCE(CERTIFICATE) = {
	ASN1_SIMPLE(struct certificate, tbs, ASN1_SEQUENCE),
	ASN1_SIMPLE(struct certificate, algorithm, X509_ALGOR),
	ASN1_SIMPLE(struct certificate, signature, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END_name(struct certificate, CERTIFICATE)

/* What leaf and root have in common. */
struct body {
	struct span issuer, subject, spki, serial;
	int64_t from, until;
	int sig_nid;
};

static enum err
trouble(const char *what)
{
	log_openssl("building a certificate: %s", what);
	return ERR_CRYPTO;
}

static enum err
encode(const void *value, const ASN1_ITEM *item, struct buf *out)
{
	unsigned char *der = NULL;
	int len = ASN1_item_i2d(value, &der, item);
	enum err e = ERR_CRYPTO;

	if (len <= 0)
		e = trouble("encoding");
	else
		e = buf_add(out, der, (size_t)len) ? OK : ERR_SYSTEM;
	OPENSSL_free(der);
	return e;
}

static bool
set_string(ASN1_STRING *s, struct span bytes)
{
	return ASN1_STRING_set(s, bytes.p, (int)bytes.len) == 1;
}

/* RSA's parameters are NULL, ECDSA's are absent (C-184). */
static bool
set_algorithm(X509_ALGOR *algor, int nid)
{
	int type =
	    nid == NID_sha256WithRSAEncryption ? V_ASN1_NULL : V_ASN1_UNDEF;

	return X509_ALGOR_set0(algor, OBJ_nid2obj(nid), type, NULL) == 1;
}

static enum err
add_raw(X509_EXTENSIONS *list, ASN1_OBJECT *oid, int critical, struct span der)
{
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext = NULL;
	enum err e = OK;

	if (value != NULL && set_string(value, der))
		ext = X509_EXTENSION_create_by_OBJ(NULL, oid, critical, value);
	if (ext == NULL || sk_X509_EXTENSION_push(list, ext) <= 0) {
		X509_EXTENSION_free(ext);
		e = trouble("an extension");
	}
	ASN1_OCTET_STRING_free(value);
	return e;
}

enum err
tbs_add(X509_EXTENSIONS *list, const struct extension *ext)
{
	struct buf der = BUF_INIT;
	ASN1_OBJECT *oid = NULL;
	const unsigned char *p;
	enum err e = ERR_SYSTEM;

	if (!der_put(&der, DER_OID, ext->oid))
		goto out;
	p = der.data;
	if ((oid = d2i_ASN1_OBJECT(NULL, &p, (long)der.len)) == NULL)
		e = trouble("an extension's type");
	else
		e = add_raw(list, oid, ext->critical, ext->value);
out:
	ASN1_OBJECT_free(oid);
	buf_release(&der);
	return e;
}

static enum err
add(X509_EXTENSIONS *list, int nid, int critical, const void *value,
    const ASN1_ITEM *item)
{
	struct buf der = BUF_INIT;
	enum err e;

	if ((e = encode(value, item, &der)) == OK)
		e = add_raw(list, OBJ_nid2obj(nid), critical, buf_span(&der));
	buf_release(&der);
	return e;
}

/* C-188: keyIdentifier alone, so that a renewed CA certificate still fits. */
static enum err
add_aki(X509_EXTENSIONS *list, struct span id)
{
	AUTHORITY_KEYID *aki = AUTHORITY_KEYID_new();
	enum err e;

	if (aki == NULL || (aki->keyid = ASN1_OCTET_STRING_new()) == NULL ||
	    !set_string(aki->keyid, id))
		e = trouble("authorityKeyIdentifier");
	else
		e = add(list, NID_authority_key_identifier, 0, aki,
		    ASN1_ITEM_rptr(AUTHORITY_KEYID));
	AUTHORITY_KEYID_free(aki);
	return e;
}

enum err
spki_id(struct span spki, uint8_t id[20])
{
	struct span seq, alg, bits;

	if (!der_one(spki, DER_SEQUENCE, &seq) ||
	    !der_get(&seq, DER_SEQUENCE, &alg) ||
	    !der_one(seq, DER_BITS, &bits) || bits.len < 2)
		return ERR_INPUT;
	if (EVP_Digest(bits.p + 1, bits.len - 1, id, NULL,
		digest_md(DIGEST_SHA1), NULL) != 1)
		return trouble("SHA-1 for a key identifier");
	return OK;
}

/* own: what the certificate before had; empty: of the key. */
static enum err
add_ski(X509_EXTENSIONS *list, struct span spki, struct span own)
{
	ASN1_OCTET_STRING *ski = ASN1_OCTET_STRING_new();
	uint8_t id[20];
	enum err e;

	if ((e = spki_id(spki, id)) != OK)
		goto out;
	if (own.len == 0)
		own = span_of(id, sizeof(id));
	if (ski == NULL || !set_string(ski, own))
		e = trouble("subjectKeyIdentifier");
	else
		e = add(list, NID_subject_key_identifier, 0, ski,
		    ASN1_ITEM_rptr(ASN1_OCTET_STRING));
out:
	ASN1_OCTET_STRING_free(ski);
	return e;
}

/* usage as OpenSSL's KU_*; bit 0 of the BIT STRING is 0x80 (C-189). */
static enum err
add_usage(X509_EXTENSIONS *list, unsigned usage)
{
	ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
	bool good = bits != NULL;
	enum err e;

	for (int i = 0; good && i < 9; i++)
		if (usage & (i < 8 ? 0x80u >> i : KU_DECIPHER_ONLY))
			good = ASN1_BIT_STRING_set_bit(bits, i, 1) == 1;
	if (!good)
		e = trouble("keyUsage");
	else
		e = add(list, NID_key_usage, 1, bits,
		    ASN1_ITEM_rptr(ASN1_BIT_STRING));
	ASN1_BIT_STRING_free(bits);
	return e;
}

/*
 * A leaf says that it is none by an empty SEQUENCE (C-190): some devices
 * take a certificate without the extension for a CA's.
 */
static enum err
add_basic(X509_EXTENSIONS *list, bool ca, int pathlen)
{
	BASIC_CONSTRAINTS *basic = BASIC_CONSTRAINTS_new();
	enum err e;

	if (basic == NULL ||
	    (pathlen >= 0 &&
		((basic->pathlen = ASN1_INTEGER_new()) == NULL ||
		    ASN1_INTEGER_set(basic->pathlen, pathlen) != 1))) {
		BASIC_CONSTRAINTS_free(basic);
		return trouble("basicConstraints");
	}
	basic->ca = ca ? 0xff : 0;
	e = add(list, NID_basic_constraints, ca, basic,
	    ASN1_ITEM_rptr(BASIC_CONSTRAINTS));
	BASIC_CONSTRAINTS_free(basic);
	return e;
}

static enum err
add_eku(X509_EXTENSIONS *list, const char *const *oid)
{
	EXTENDED_KEY_USAGE *eku = NULL;
	ASN1_OBJECT *obj = NULL;
	enum err e;

	if (oid == NULL || *oid == NULL)
		return OK;
	if ((eku = EXTENDED_KEY_USAGE_new()) == NULL)
		return trouble("extKeyUsage");
	for (; *oid != NULL; oid++) {
		if ((obj = OBJ_txt2obj(*oid, 1)) == NULL ||
		    sk_ASN1_OBJECT_push(eku, obj) <= 0) {
			ASN1_OBJECT_free(obj);
			e = trouble("extKeyUsage");
			goto out;
		}
	}
	e = add(list, NID_ext_key_usage, 0, eku,
	    ASN1_ITEM_rptr(EXTENDED_KEY_USAGE));
out:
	EXTENDED_KEY_USAGE_free(eku);
	return e;
}

/* C-187: critical exactly where there is no subject. */
static enum err
add_san(X509_EXTENSIONS *list, struct span san, bool critical)
{
	if (san.len == 0)
		return OK;
	return add_raw(list, OBJ_nid2obj(NID_subject_alt_name), critical, san);
}

/* RFC 5280 4.1.2.5: UTCTime through 2049, then GeneralizedTime (C-186). */
static bool
set_validity(struct validity *v, int64_t from, int64_t until)
{
	return ASN1_TIME_set(v->from, (time_t)from) != NULL &&
	       ASN1_TIME_set(v->until, (time_t)until) != NULL;
}

static bool
set_serial(ASN1_INTEGER *serial, struct span bytes)
{
	BIGNUM *n = BN_bin2bn(bytes.p, (int)bytes.len, NULL);
	bool good = n != NULL && BN_to_ASN1_INTEGER(n, serial) != NULL;

	BN_free(n);
	return good;
}

static enum err
build(const struct body *in, X509_EXTENSIONS *list, struct buf *out)
{
	void *item = ASN1_item_new(ASN1_ITEM_rptr(TBS));
	struct tbs *tbs = item;
	enum err e;

	if (tbs == NULL || ASN1_INTEGER_set(tbs->version, 2) != 1 ||
	    !set_serial(tbs->serial, in->serial) ||
	    !set_algorithm(tbs->signature, in->sig_nid) ||
	    !set_string(tbs->issuer, in->issuer) ||
	    !set_validity(tbs->validity, in->from, in->until) ||
	    !set_string(tbs->subject, in->subject) ||
	    !set_string(tbs->spki, in->spki)) {
		e = trouble("TBSCertificate");
	} else {
		tbs->extensions = list;
		e = encode(tbs, ASN1_ITEM_rptr(TBS), out);
		tbs->extensions = NULL; /* the caller's */
	}
	ASN1_item_free(item, ASN1_ITEM_rptr(TBS));
	return e;
}

static enum err
refuse(const struct issue *in, const char *why)
{
	log_error("transaction %s: not signed: %s",
	    in->transaction ? in->transaction : "-", why);
	return ERR_REFUSED;
}

/* What this door never signs, whoever asks (C-178, C-183, C-186). */
static enum err
leaf_check(const struct issue *in)
{
	struct span body, subject;
	const char *why = tbs_bad_profile(in);

	if (why != NULL)
		return refuse(in, why);
	if (in->usage & (KU_KEY_CERT_SIGN | KU_CRL_SIGN))
		return refuse(in, "CA rights in a leaf certificate");
	if (in->usage == 0 || (in->usage & ~(0xffu | KU_DECIPHER_ONLY)))
		return refuse(in, "no such key usage");
	if (in->serial.len == 0 || in->serial.len > MAX_SERIAL ||
	    (in->serial.p[0] & 0x80) || in->serial.p[0] == 0)
		return refuse(in, "a serial that is not 1 to 20 bytes "
				  "without sign and leading zero");
	if (in->not_before >= in->not_after)
		return refuse(in, "notAfter is not behind notBefore");
	if (!der_one(in->issuer, DER_SEQUENCE, &body) || body.len == 0 ||
	    !der_one(in->subject, DER_SEQUENCE, &subject) ||
	    !der_one(in->spki, DER_SEQUENCE, &body))
		return refuse(in, "a name or key that is no SEQUENCE");
	if (dn_check(in->subject, &why) != OK)
		return refuse(in, why);
	if (in->authority.len == 0)
		return refuse(in, "no identifier of the CA's key");
	if (in->san.len > 0 && san_check(in->san) != OK)
		return refuse(in, "unreadable subject alternative names");
	if (subject.len == 0 && in->san.len == 0)
		return refuse(in, "neither subject nor alternative name");
	return OK;
}

enum err
tbs_leaf(const struct issue *in, int sig_nid, struct buf *tbs)
{
	struct body body = { in->issuer, in->subject, in->spki, in->serial,
		in->not_before, in->not_after, sig_nid };
	X509_EXTENSIONS *list = NULL;
	struct span rdns = { NULL, 0 };
	enum err e;

	if ((e = leaf_check(in)) != OK)
		return e;
	if ((list = sk_X509_EXTENSION_new_null()) == NULL)
		return trouble("memory");
	(void)der_one(in->subject, DER_SEQUENCE, &rdns);
	if ((e = add_aki(list, in->authority)) == OK &&
	    (e = add_ski(list, in->spki, span_of(NULL, 0))) == OK &&
	    (e = add_usage(list, in->usage)) == OK &&
	    (e = add_basic(list, false, -1)) == OK &&
	    (e = add_eku(list, in->eku)) == OK &&
	    (e = add_san(list, in->san, rdns.len == 0)) == OK &&
	    (e = tbs_add_profile(list, in)) == OK)
		e = build(&body, list, tbs);
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	return e;
}

/* A CA's certificate; authority is empty where it signs itself. */
static enum err
ca_build(const struct body *body, const struct subca *in, struct buf *tbs)
{
	const struct issue urls = { .crl = in->crl, .issuers = in->issuers };
	X509_EXTENSIONS *list = sk_X509_EXTENSION_new_null();
	enum err e = OK;

	if (list == NULL)
		return trouble("memory");
	if (in->authority.len > 0)
		e = add_aki(list, in->authority);
	if (e == OK && (e = add_ski(list, in->spki, in->ski)) == OK &&
	    (e = add_usage(list, in->usage)) == OK &&
	    (e = add_basic(list, true, in->pathlen)) == OK &&
	    (e = tbs_add_profile(list, &urls)) == OK)
		e = build(body, list, tbs);
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	return e;
}

enum err
tbs_subca(const struct subca *in, int sig_nid, struct buf *tbs)
{
	uint8_t serial[16] = { 0 };
	struct body body = { in->issuer, in->subject, in->spki,
		span_of(serial, sizeof(serial)), in->not_before, in->not_after,
		sig_nid };
	enum err e;

	if ((e = serial_random(serial, sizeof(serial))) != OK)
		return e;
	return ca_build(&body, in, tbs);
}

enum err
tbs_root(const struct root *in, struct span spki, int sig_nid, struct buf *tbs)
{
	struct subca own = { .issuer = in->subject,
		.subject = in->subject,
		.spki = spki,
		.not_before = in->not_before,
		.not_after = in->not_after,
		.ski = in->ski,
		.usage = in->usage,
		.pathlen = in->pathlen };

	return tbs_subca(&own, sig_nid, tbs);
}

enum err
tbs_close(struct span tbs, int sig_nid, struct span signature, struct buf *der)
{
	void *item = ASN1_item_new(ASN1_ITEM_rptr(CERTIFICATE));
	struct certificate *cert = item;
	enum err e;

	if (cert == NULL || !set_string(cert->tbs, tbs) ||
	    !set_algorithm(cert->algorithm, sig_nid) ||
	    !set_string(cert->signature, signature)) {
		e = trouble("Certificate");
	} else {
		/* eight bits in every byte, whatever the last one is */
		cert->signature->flags |= ASN1_STRING_FLAG_BITS_LEFT;
		e = encode(cert, ASN1_ITEM_rptr(CERTIFICATE), der);
	}
	ASN1_item_free(item, ASN1_ITEM_rptr(CERTIFICATE));
	return e;
}

enum err
serial_random(uint8_t *serial, size_t len)
{
	enum err e;

	do {
		if ((e = random_bytes(serial, len)) != OK)
			return e;
		serial[0] &= 0x7f;
	} while (serial[0] == 0);
	return OK;
}
