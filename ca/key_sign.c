#include "ca/key_own.h"

#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include "base/log.h"
#include "ca/der.h"
#include "ca/pubkey.h"
#include "ca/tbs.h"

/* What a key signs certificates with (C-184). */
static const struct suite {
	enum key_type type;
	unsigned bits; /* up to */
	enum digest digest;
	int nid;
} suites[] = {
	{ KEY_RSA, ~0u, DIGEST_SHA256, NID_sha256WithRSAEncryption },
	{ KEY_EC, 256, DIGEST_SHA256, NID_ecdsa_with_SHA256 },
	{ KEY_EC, 384, DIGEST_SHA384, NID_ecdsa_with_SHA384 },
	{ KEY_EC, ~0u, DIGEST_SHA512, NID_ecdsa_with_SHA512 },
};
#define SUITES (sizeof(suites) / sizeof(*suites))

static const struct suite *
suite_of(const struct key *key)
{
	for (size_t i = 0; i < SUITES; i++)
		if (suites[i].type == key->type && key->bits <= suites[i].bits)
			return &suites[i];
	log_error("no signature algorithm for this key");
	return NULL;
}

const EVP_MD *
key_digest(const struct key *key)
{
	const struct suite *suite = suite_of(key);

	return suite != NULL ? digest_md(suite->digest) : NULL;
}

static enum err
sign(struct key *key, enum digest digest, struct span bytes, struct buf *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const EVP_MD *md = digest_md(digest);
	size_t len = 0;
	enum err e = key_here(key);

	if (e != OK)
		goto out;
	e = ERR_CRYPTO;
	if (ctx == NULL || md == NULL ||
	    EVP_DigestSignInit(ctx, NULL, md, NULL, key->pkey) != 1 ||
	    EVP_DigestSign(ctx, NULL, &len, bytes.p, bytes.len) != 1)
		goto out;
	if (!buf_reserve(out, len)) {
		e = ERR_SYSTEM;
		goto out;
	}
	if (EVP_DigestSign(
		ctx, out->data + out->len, &len, bytes.p, bytes.len) != 1)
		goto out;
	out->len += len;
	out->data[out->len] = '\0';
	e = OK;
out:
	if (e == ERR_CRYPTO)
		log_openssl("signing");
	EVP_MD_CTX_free(ctx);
	return e;
}

/* messageType (2.16.840.1.113733.1.9.2) is a SET of PrintableString "3". */
static bool
is_certrep(struct span values)
{
	struct span text;

	return der_one(values, DER_PRINT, &text) && text.len == 1 &&
	       text.p[0] == '3';
}

/* The same of "101" to "104", which SCEP does not know. */
static bool
is_letter(struct span values)
{
	struct span text;

	return der_one(values, DER_PRINT, &text) && text.len == 3 &&
	       text.p[0] == '1' && text.p[1] == '0' && text.p[2] >= '1' &&
	       text.p[2] <= '4';
}

/*
 * 0x31 against 0x30 is what keeps replies and certificates apart (DESIGN 6);
 * a certificate in a SET is nonsense, but so is all else that is no CertRep.
 */
static bool
attributes_of(struct span der, bool (*is_type)(struct span values))
{
	static const char type[] = "\x60\x86\x48\x01\x86\xf8\x45\x01\x09\x02";
	struct span set, attribute, oid, values;
	size_t found = 0;

	if (!der_one(der, DER_SET, &set))
		return false;
	while (set.len > 0) {
		if (!der_get(&set, DER_SEQUENCE, &attribute) ||
		    !der_get(&attribute, DER_OID, &oid) ||
		    !der_one(attribute, DER_SET, &values))
			return false;
		if (!span_eq(oid, span_of(type, sizeof(type) - 1)))
			continue;
		if (!is_type(values))
			return false;
		found++;
	}
	return found == 1;
}

enum err
key_sign_attrs(
    struct key *key, enum digest digest, struct span der, struct buf *signature)
{
	if (!attributes_of(der, is_certrep)) {
		log_error("refused to sign what is not a CertRep");
		return ERR_REFUSED;
	}
	return sign(key, digest, der, signature);
}

enum err
key_sign_letter(
    struct key *key, enum digest digest, struct span der, struct buf *signature)
{
	if (!attributes_of(der, is_letter)) {
		log_error("refused to sign what is no letter");
		return ERR_REFUSED;
	}
	return sign(key, digest, der, signature);
}

/* OID and the one value of the next attribute of a SET. */
static bool
next_attribute(
    struct span *set, struct span type, uint8_t tag, struct span *out)
{
	struct span attribute, oid, values;

	return der_get(set, DER_SEQUENCE, &attribute) &&
	       der_get(&attribute, DER_OID, &oid) && span_eq(oid, type) &&
	       der_one(attribute, DER_SET, &values) &&
	       der_one(values, tag, out);
}

/* In DER's order: the shorter first. */
static bool
next_attributes(struct span der)
{
	const struct span content_type =
	    DER_BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03");
	const struct span digest =
	    DER_BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04");
	const struct span data =
	    DER_BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01");
	struct span set, value;

	return der_one(der, DER_SET, &set) &&
	       next_attribute(&set, content_type, DER_OID, &value) &&
	       span_eq(value, data) &&
	       next_attribute(&set, digest, DER_OCTETS, &value) && set.len == 0;
}

enum err
key_sign_next(
    struct key *key, enum digest digest, struct span der, struct buf *signature)
{
	if (!next_attributes(der)) {
		log_error("refused to sign what is not a GetNextCACert answer");
		return ERR_REFUSED;
	}
	return sign(key, digest, der, signature);
}

static enum err
finish(struct key *key, const struct suite *suite, struct span tbs,
    struct buf *der)
{
	struct buf signature = BUF_INIT;
	enum err e;

	if ((e = sign(key, suite->digest, tbs, &signature)) == OK)
		e = tbs_close(tbs, suite->nid, buf_span(&signature), der);
	buf_release(&signature);
	return e;
}

enum err
key_issue(struct key *key, const struct issue *in, struct buf *der)
{
	const struct suite *suite = suite_of(key);
	struct buf tbs = BUF_INIT;
	enum err e;

	if (suite == NULL)
		return ERR_CRYPTO;
	if ((e = tbs_leaf(in, suite->nid, &tbs)) == OK)
		e = finish(key, suite, buf_span(&tbs), der);
	buf_release(&tbs);
	return e;
}

enum err
key_sign_crl(struct key *key, const struct crl_header *in, struct buf *der)
{
	const struct suite *suite = suite_of(key);
	struct buf tbs = BUF_INIT;
	enum err e;

	if (suite == NULL)
		return ERR_CRYPTO;
	if ((e = tbs_crl(in, suite->nid, &tbs)) == OK)
		e = finish(key, suite, buf_span(&tbs), der);
	buf_release(&tbs);
	return e;
}

enum err
key_root(struct key *key, const struct root *in, struct buf *der)
{
	const struct suite *suite = suite_of(key);
	struct buf tbs = BUF_INIT, spki = BUF_INIT;
	enum err e = ERR_CRYPTO;

	if (suite == NULL || (e = key_spki(key, &spki)) != OK)
		goto out;
	if ((e = tbs_root(in, buf_span(&spki), suite->nid, &tbs)) == OK)
		e = finish(key, suite, buf_span(&tbs), der);
out:
	buf_release(&tbs);
	buf_release(&spki);
	return e;
}

enum err
key_ra(struct key *key, const struct issue *in, struct buf *der)
{
	const unsigned may = KU_KEY_ENCIPHERMENT | KU_DIGITAL_SIGNATURE;

	if ((in->usage & ~may) != 0 || in->san.len > 0 || in->eku != NULL) {
		log_error("not signed: an RA certificate has other rights");
		return ERR_REFUSED;
	}
	return key_issue(key, in, der);
}

enum err
key_subca(struct key *key, const struct subca *in, struct buf *der)
{
	const struct suite *suite = suite_of(key);
	struct buf tbs = BUF_INIT;
	enum err e;

	if (suite == NULL)
		return ERR_CRYPTO;
	if ((e = tbs_subca(in, suite->nid, &tbs)) == OK)
		e = finish(key, suite, buf_span(&tbs), der);
	buf_release(&tbs);
	return e;
}
