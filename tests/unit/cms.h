#ifndef TESTS_UNIT_CMS_H
#define TESTS_UNIT_CMS_H

/*
 * What clients send, made with OpenSSL's CMS API, which the program itself
 * does not use (DESIGN 5): an independent writer and reader of messages.
 * Include after cmocka.h.
 */
#include <openssl/cms.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "base/time.h"
#include "ca/ca.h"
#include "ca/cert.h"
#include "ca/dn.h"
#include "message/message.h"

#define CMS_TXID  "7XXEY-ERLPU-2JDR9"
#define CMS_NONCE "0123456789abcdef"

/* A certificate with its key: a signer. */
struct actor {
	EVP_PKEY *key;
	X509 *cert;
};

/* A CA of one generation, as message_open() wants it, and as OpenSSL does. */
struct house {
	struct ca ca;
	struct generation gen;
	const struct ca *list[1];
	X509 *cert;
};

/* What messages are made of, and how it must be answered. */
struct cms_kind {
	const EVP_CIPHER *(*cipher)(void);
	const EVP_MD *(*md)(void);
	const EVP_MD *(*oaep)(void);
	int digest;
	enum cipher cipher_id;
	enum transport transport;
};

static const struct cms_kind cms_kinds[] = {
	{ EVP_aes_128_cbc, EVP_sha256, NULL, NID_sha256, CIPHER_AES128,
	    TRANSPORT_V15 },
	{ EVP_aes_192_cbc, EVP_sha384, NULL, NID_sha384, CIPHER_AES192,
	    TRANSPORT_V15 },
	{ EVP_aes_256_cbc, EVP_sha512, NULL, NID_sha512, CIPHER_AES256,
	    TRANSPORT_V15 },
	{ EVP_des_ede3_cbc, EVP_sha1, NULL, NID_sha1, CIPHER_DES3,
	    TRANSPORT_V15 },
	{ EVP_aes_128_cbc, EVP_sha1, EVP_sha1, NID_sha1, CIPHER_AES128,
	    TRANSPORT_OAEP_SHA1 },
	{ EVP_aes_256_cbc, EVP_sha256, EVP_sha256, NID_sha256, CIPHER_AES256,
	    TRANSPORT_OAEP_SHA256 },
};
#define CMS_KINDS (sizeof(cms_kinds) / sizeof(*cms_kinds))

static inline void
cms_take(struct buf *out, unsigned char **der, int len)
{
	assert_true(len > 0);
	buf_clear(out);
	assert_true(buf_add(out, *der, (size_t)len));
	OPENSSL_free(*der);
}

static inline void
actor_make(struct actor *a, EVP_PKEY *key, const char *cn, long serial)
{
	X509_NAME *name;

	assert_non_null(key);
	a->key = key;
	a->cert = X509_new();
	assert_non_null(a->cert);
	name = X509_get_subject_name(a->cert);
	assert_true(X509_NAME_add_entry_by_txt(
	    name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0));
	X509_set_issuer_name(a->cert, name);
	X509_set_version(a->cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(a->cert), serial);
	X509_gmtime_adj(X509_getm_notBefore(a->cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(a->cert), 3600);
	X509_set_pubkey(a->cert, key);
}

static inline void
actor_sign(struct actor *a)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx(&ctx, a->cert, a->cert, NULL, NULL, 0);
	ext =
	    X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_key_identifier, "hash");
	assert_non_null(ext);
	X509_add_ext(a->cert, ext, -1);
	X509_EXTENSION_free(ext);
	assert_true(X509_sign(a->cert, a->key, EVP_sha256()) > 0);
}

static inline void
actor_new(struct actor *a, unsigned bits, const char *cn, long serial)
{
	actor_make(a, EVP_RSA_gen(bits), cn, serial);
	actor_sign(a);
}

static inline void
actor_free(struct actor *a)
{
	EVP_PKEY_free(a->key);
	X509_free(a->cert);
}

static inline void
house_new(struct house *h, const char *name)
{
	struct root root = { .pathlen = -1,
		.not_before = time_now() - DAY,
		.not_after = time_now() + DAY,
		.usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT |
			 KU_KEY_CERT_SIGN };
	struct buf pem = BUF_SECRET, subject = BUF_INIT;
	struct cert_view v;
	const uint8_t *p;

	memset(h, 0, sizeof(*h));
	assert_int_equal(dn_parse(name, &subject), OK);
	root.subject = buf_span(&subject);
	assert_int_equal(key_generate("rsa:2048", &pem), OK);
	assert_int_equal(
	    key_read("ca", buf_span(&pem), span_of("", 0), &h->gen.key), OK);
	assert_int_equal(key_root(h->gen.key, &root, &h->gen.cert), OK);
	assert_int_equal(cert_view(buf_span(&h->gen.cert), &v), OK);
	h->gen.n = 1;
	h->gen.subject = v.subject;
	h->gen.issuer = v.issuer;
	h->gen.serial = v.serial;
	h->gen.spki = v.spki;
	h->gen.ski = v.ski;
	h->ca.name = (char *)(uintptr_t) "ManagementCA";
	h->ca.gen = &h->gen;
	h->ca.ngen = 1;
	h->list[0] = &h->ca;
	p = h->gen.cert.data;
	h->cert = d2i_X509(NULL, &p, (long)h->gen.cert.len);
	assert_non_null(h->cert);
	buf_release(&pem);
	buf_release(&subject);
}

static inline void
house_free(struct house *h)
{
	key_close(h->gen.key);
	buf_release(&h->gen.cert);
	X509_free(h->cert);
}

/* A PKCS#10, not signed yet; the challenge is left out where NULL. */
static inline X509_REQ *
csr_start(EVP_PKEY *key, const char *challenge, int kind)
{
	X509_REQ *req = X509_REQ_new();
	X509_NAME *name = X509_REQ_get_subject_name(req);

	assert_true(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
	    (const unsigned char *)"router1", -1, -1, 0));
	X509_REQ_set_pubkey(req, key);
	if (challenge != NULL)
		assert_true(
		    X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword,
			kind, (const unsigned char *)challenge, -1));
	return req;
}

static inline void
csr_make(EVP_PKEY *key, const EVP_MD *md, const char *challenge, int kind,
    struct buf *out)
{
	X509_REQ *req = csr_start(key, challenge, kind);
	unsigned char *der = NULL;

	assert_true(X509_REQ_sign(req, key, md) > 0);
	cms_take(out, &der, i2d_X509_REQ(req, &der));
	X509_REQ_free(req);
}

/* The same signed with RSASSA-PSS. */
static inline void
csr_pss(EVP_PKEY *key, const EVP_MD *md, const char *challenge, struct buf *out)
{
	X509_REQ *req = csr_start(key, challenge, MBSTRING_UTF8);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char *der = NULL;
	EVP_PKEY_CTX *pctx;

	assert_int_equal(EVP_DigestSignInit(ctx, &pctx, md, NULL, key), 1);
	EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING);
	EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST);
	assert_true(X509_REQ_sign_ctx(req, ctx) > 0);
	cms_take(out, &der, i2d_X509_REQ(req, &der));
	X509_REQ_free(req);
	EVP_MD_CTX_free(ctx);
}

/* How a message is made; zeros are the usual client. */
struct recipe {
	const EVP_CIPHER *cipher; /* AES-128-CBC */
	const EVP_MD *md;	  /* SHA-256 */
	const EVP_MD *oaep;	  /* PKCS#1 v1.5 */
	const char *type;	  /* "19" */
	bool stream;		  /* indefinite lengths, pieces */
	bool keyid;		  /* subjectKeyIdentifier, not issuer+serial */
	bool pss;    /* RSASSA-PSS, its salt as long as the digest */
	X509 *extra; /* a certificate that is not the signer's */
};

static inline struct recipe
recipe_of(const struct cms_kind *k)
{
	return (struct recipe){ .cipher = k->cipher(),
		.md = k->md(),
		.oaep = k->oaep ? k->oaep() : NULL };
}

static inline void
envelope_out(CMS_ContentInfo *cms, BIO *in, bool stream, struct buf *out)
{
	BIO *mem = BIO_new(BIO_s_mem());
	char *p = NULL;
	long len;

	assert_true(i2d_CMS_bio_stream(
	    mem, cms, in, stream ? CMS_STREAM | CMS_BINARY : CMS_BINARY));
	len = BIO_get_mem_data(mem, &p);
	assert_true(len > 0);
	buf_clear(out);
	assert_true(buf_add(out, p, (size_t)len));
	BIO_free(mem);
}

static inline void
envelope_make(
    const struct recipe *r, X509 *to, struct span content, struct buf *out)
{
	unsigned flags =
	    CMS_BINARY | CMS_PARTIAL | (r->stream ? CMS_STREAM : 0);
	BIO *in = BIO_new_mem_buf(content.p, (int)content.len);
	CMS_ContentInfo *cms = CMS_encrypt(
	    NULL, NULL, r->cipher ? r->cipher : EVP_aes_128_cbc(), flags);
	CMS_RecipientInfo *ri;
	EVP_PKEY_CTX *ctx;

	assert_non_null(cms);
	ri = CMS_add1_recipient_cert(
	    cms, to, CMS_KEY_PARAM | (r->keyid ? CMS_USE_KEYID : 0));
	assert_non_null(ri);
	ctx = CMS_RecipientInfo_get0_pkey_ctx(ri);
	if (r->oaep != NULL) {
		EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING);
		EVP_PKEY_CTX_set_rsa_oaep_md(ctx, r->oaep);
		EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, r->oaep);
	}
	if (!r->stream)
		assert_true(CMS_final(cms, in, NULL, flags));
	envelope_out(cms, in, r->stream, out);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
}

static inline void
attribute_add(CMS_SignerInfo *si, const char *oid, int kind, const char *value)
{
	ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);

	assert_true(CMS_signed_add1_attr_by_OBJ(
	    si, obj, kind, value, (int)strlen(value)));
	ASN1_OBJECT_free(obj);
}

#define SCEP_OID "2.16.840.1.113733.1.9."

static inline void
message_make(const struct recipe *r, const struct actor *by,
    struct span content, struct buf *out)
{
	unsigned flags =
	    CMS_BINARY | CMS_PARTIAL | (r->stream ? CMS_STREAM : 0);
	BIO *in = BIO_new_mem_buf(content.p, (int)content.len);
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, in, flags);
	CMS_SignerInfo *si;

	assert_non_null(cms);
	if (r->extra != NULL)
		assert_true(CMS_add1_cert(cms, r->extra));
	si = CMS_add1_signer(cms, by->cert, by->key,
	    r->md ? r->md : EVP_sha256(),
	    flags | CMS_NOSMIMECAP | (r->keyid ? CMS_USE_KEYID : 0) |
		(r->pss ? CMS_KEY_PARAM : 0));
	assert_non_null(si);
	if (r->pss) {
		EVP_PKEY_CTX *ctx = CMS_SignerInfo_get0_pkey_ctx(si);

		EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING);
		EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST);
	}
	attribute_add(
	    si, SCEP_OID "2", V_ASN1_PRINTABLESTRING, r->type ? r->type : "19");
	attribute_add(si, SCEP_OID "7", V_ASN1_PRINTABLESTRING, CMS_TXID);
	attribute_add(si, SCEP_OID "5", V_ASN1_OCTET_STRING, CMS_NONCE);
	if (!r->stream)
		assert_true(CMS_final(cms, in, NULL, flags));
	envelope_out(cms, in, r->stream, out);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
}

/* A whole PKCSReq with this content for the house's CA. */
static inline void
pkcsreq_make(const struct recipe *r, const struct house *h,
    const struct actor *by, struct span content, struct buf *out)
{
	struct buf envelope = BUF_INIT;

	envelope_make(r, h->cert, content, &envelope);
	message_make(r, by, buf_span(&envelope), out);
	buf_release(&envelope);
}

#endif
