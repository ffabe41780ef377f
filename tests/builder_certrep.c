#include "builder.h"

#include <stdio.h>
#include <string.h>

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>

#define SCEP "2.16.840.1.113733.1.9."

/* A reply on its way through the reader. */
struct reply {
	const struct opts *o;
	CMS_ContentInfo *cms;
	CMS_SignerInfo *si;
	X509 *ca;
	BIO *content;
	bool wrong; /* something is not as it must be */
};

static void
say(const char *key, const char *value)
{
	printf("%s=%s\n", key, value);
}

/* A finding: what is not "yes" makes the reader's exit status 1. */
static void
verdict(struct reply *r, const char *key, bool good)
{
	say(key, good ? "yes" : "no");
	if (!good) {
		r->wrong = true;
		ERR_clear_error();
	}
}

/* The only value of an attribute that stands once; NULL: none such. */
static const ASN1_STRING *
attribute(const struct reply *r, const char *dotted, int *type)
{
	ASN1_OBJECT *obj = OBJ_txt2obj(dotted, 1);
	int at = CMS_signed_get_attr_by_OBJ(r->si, obj, -1);
	X509_ATTRIBUTE *attr = NULL;
	const ASN1_TYPE *value = NULL;

	if (at >= 0 && CMS_signed_get_attr_by_OBJ(r->si, obj, at) < 0)
		attr = CMS_signed_get_attr(r->si, at);
	ASN1_OBJECT_free(obj);
	if (attr != NULL && X509_ATTRIBUTE_count(attr) == 1)
		value = X509_ATTRIBUTE_get0_type(attr, 0);
	if (value == NULL || value->type == V_ASN1_OBJECT ||
	    value->type == V_ASN1_BOOLEAN || value->type == V_ASN1_NULL)
		return NULL;
	if (type != NULL)
		*type = value->type;
	return value->value.asn1_string;
}

static void
say_text(const struct reply *r, const char *key, const char *dotted)
{
	const ASN1_STRING *s = attribute(r, dotted, NULL);

	if (s == NULL)
		return;
	printf("%s=", key);
	for (int i = 0; i < ASN1_STRING_length(s); i++) {
		unsigned char c = ASN1_STRING_get0_data(s)[i];

		if (c >= 0x20 && c < 0x7f && c != '\\')
			putchar(c);
		else
			printf("\\x%02x", c);
	}
	putchar('\n');
}

static bool
equals(const ASN1_STRING *s, struct bytes b)
{
	return s != NULL && (size_t)ASN1_STRING_length(s) == b.n &&
	       memcmp(ASN1_STRING_get0_data(s), b.p, b.n) == 0;
}

static void
read_attributes(struct reply *r)
{
	const ASN1_STRING *s;
	int type = 0;

	say_text(r, "type", SCEP "2");
	say_text(r, "status", SCEP "3");
	say_text(r, "failinfo", SCEP "4");
	say_text(r, "failinfotext", "1.3.6.1.5.5.7.24.1");
	say_text(r, "txid", SCEP "7");
	if (r->o->txid != NULL)
		verdict(r, "txid_ok",
		    equals(
			attribute(r, SCEP "7", &type), unescape(r->o->txid)));
	if (attribute(r, SCEP "7", &type) != NULL)
		printf("txid_tag=%d\n", type);
	if (r->o->nonce != NULL)
		verdict(r, "recipient_nonce_ok",
		    equals(attribute(r, SCEP "6", NULL), hex(r->o->nonce)));
	s = attribute(r, SCEP "5", &type);
	if (s == NULL || type != V_ASN1_OCTET_STRING) {
		verdict(r, "sender_nonce", false);
	} else {
		printf("sender_nonce=%d\nsender_nonce_hex=",
		    ASN1_STRING_length(s));
		for (int i = 0; i < ASN1_STRING_length(s); i++)
			printf("%02x", ASN1_STRING_get0_data(s)[i]);
		putchar('\n');
	}
	if (attribute(r, "1.2.840.113549.1.9.5", NULL) != NULL)
		say("signing_time", "present");
}

static const char *
oid_name(const X509_ALGOR *alg, char *to, int len)
{
	const ASN1_OBJECT *obj = NULL;
	int nid;

	X509_ALGOR_get0(&obj, NULL, NULL, alg);
	nid = OBJ_obj2nid(obj);
	if (nid != NID_undef)
		return OBJ_nid2sn(nid);
	OBJ_obj2txt(to, len, obj, 1);
	return to;
}

/* The one signer, its algorithms, and whether it is the CA. */
static bool
read_signer(struct reply *r)
{
	STACK_OF(CMS_SignerInfo) *all = CMS_get0_SignerInfos(r->cms);
	X509_ALGOR *digest = NULL, *signature = NULL;
	STACK_OF(X509) * certs;
	char name[80];

	if (sk_CMS_SignerInfo_num(all) != 1) {
		verdict(r, "one_signer", false);
		return false;
	}
	r->si = sk_CMS_SignerInfo_value(all, 0);
	CMS_SignerInfo_get0_algs(r->si, NULL, NULL, &digest, &signature);
	say("digest", oid_name(digest, name, sizeof(name)));
	say("signature", oid_name(signature, name, sizeof(name)));
	if (r->ca != NULL)
		verdict(r, "signed_by_ca",
		    CMS_SignerInfo_cert_cmp(r->si, r->ca) == 0);
	certs = CMS_get1_certs(r->cms);
	printf("outer_certs=%d\n", certs ? sk_X509_num(certs) : 0);
	sk_X509_pop_free(certs, X509_free);
	return true;
}

/* The signature, with the CA's certificate and no other. */
static void
verify(struct reply *r)
{
	STACK_OF(X509) *with = sk_X509_new_null();
	ASN1_OCTET_STRING **pos = CMS_get0_content(r->cms);
	BIO *none = NULL;
	bool good;

	if (with == NULL || r->ca == NULL || !sk_X509_push(with, r->ca))
		die("certrep wants --ca");
	if (pos == NULL)
		die("a reply without content type");
	if (*pos == NULL)
		none = BIO_new_mem_buf("", 0);
	say("content", none			    ? "absent" :
		       ASN1_STRING_length(*pos) > 0 ? "present" :
						      "empty");
	good = CMS_verify(r->cms, with, NULL, none, r->content,
		   CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY) == 1;
	verdict(r, "verified", good);
	BIO_free(none);
	sk_X509_free(with);
}

static void
read_recipient(struct reply *r, CMS_ContentInfo *env, X509 *cert)
{
	STACK_OF(CMS_RecipientInfo) *all = CMS_get0_RecipientInfos(env);
	CMS_RecipientInfo *ri;
	X509_ALGOR *alg = NULL;
	char name[80];

	printf("recipients=%d\n", sk_CMS_RecipientInfo_num(all));
	ri = sk_CMS_RecipientInfo_value(all, 0);
	if (r->o->password != NULL) {
		say("transport", "password");
		verdict(r, "recipient_ok",
		    sk_CMS_RecipientInfo_num(all) == 1 &&
			CMS_RecipientInfo_type(ri) == CMS_RECIPINFO_PASS);
		return;
	}
	if (sk_CMS_RecipientInfo_num(all) != 1 ||
	    CMS_RecipientInfo_type(ri) != CMS_RECIPINFO_TRANS) {
		verdict(r, "one_recipient", false);
		return;
	}
	if (CMS_RecipientInfo_ktri_get0_algs(ri, NULL, NULL, &alg) == 1)
		say("transport", oid_name(alg, name, sizeof(name)));
	verdict(
	    r, "recipient_ok", CMS_RecipientInfo_ktri_cert_cmp(ri, cert) == 0);
}

/*
 * The content cipher has no getter: it is the OID in front of the [0] that
 * holds the encrypted content, so the first of those we know.
 */
static void
say_cipher(struct bytes env)
{
	static const struct {
		const char *name, *oid;
	} known[] = {
		{ "AES-128-CBC", "2.16.840.1.101.3.4.1.2" },
		{ "AES-192-CBC", "2.16.840.1.101.3.4.1.22" },
		{ "AES-256-CBC", "2.16.840.1.101.3.4.1.42" },
		{ "DES-EDE3-CBC", "1.2.840.113549.3.7" },
		{ "DES-CBC", "1.3.14.3.2.7" },
	};

	for (size_t k = 0; k < sizeof(known) / sizeof(*known); k++) {
		struct bytes id = oid(known[k].oid);

		for (size_t i = 0; i + id.n <= env.n; i++)
			if (memcmp(env.p + i, id.p, id.n) == 0) {
				say("cipher", known[k].name);
				return;
			}
	}
	say("cipher", "unknown");
}

/* The first CRL inside, to PREFIXcrl.pem. */
static void
write_crl(const struct reply *r, X509_CRL *crl)
{
	char path[4096];
	BIO *out;

	snprintf(path, sizeof(path), "%scrl.pem", r->o->out_prefix);
	out = BIO_new_file(path, "w");
	if (out == NULL || !PEM_write_bio_X509_CRL(out, crl))
		die(path);
	BIO_free(out);
}

/* The certificates inside, in their order, to PREFIX0.pem and so on. */
static void
read_certs(struct reply *r, BIO *plain)
{
	CMS_ContentInfo *inner = d2i_CMS_bio(plain, NULL);
	STACK_OF(X509) *certs = inner ? CMS_get1_certs(inner) : NULL;
	STACK_OF(X509_CRL) *crls = inner ? CMS_get1_crls(inner) : NULL;
	char path[4096];

	verdict(r, "degenerate",
	    inner != NULL &&
		OBJ_obj2nid(CMS_get0_type(inner)) == NID_pkcs7_signed &&
		sk_CMS_SignerInfo_num(CMS_get0_SignerInfos(inner)) <= 0 &&
		BIO_pending(plain) == 0);
	printf("ncerts=%d\n", certs ? sk_X509_num(certs) : 0);
	printf("ncrls=%d\n", crls ? sk_X509_CRL_num(crls) : 0);
	for (int i = 0; r->o->out_prefix && certs && i < sk_X509_num(certs);
	     i++) {
		BIO *out;

		snprintf(path, sizeof(path), "%s%d.pem", r->o->out_prefix, i);
		out = BIO_new_file(path, "w");
		if (out == NULL ||
		    !PEM_write_bio_X509(out, sk_X509_value(certs, i)))
			die(path);
		BIO_free(out);
	}
	if (r->o->out_prefix && crls && sk_X509_CRL_num(crls) > 0)
		write_crl(r, sk_X509_CRL_value(crls, 0));
	sk_X509_pop_free(certs, X509_free);
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
	CMS_ContentInfo_free(inner);
}

static void
open_envelope(struct reply *r)
{
	char *p = NULL;
	long n = BIO_get_mem_data(r->content, &p);
	struct bytes der = raw(p, (size_t)n);
	CMS_ContentInfo *env = d2i_CMS_bio(r->content, NULL);
	EVP_PKEY *key = r->o->key ? key_read(r->o->key) : NULL;
	X509 *cert = r->o->cert ? cert_read(r->o->cert) : NULL;
	BIO *plain = BIO_new(BIO_s_mem());
	bool good;

	verdict(r, "enveloped",
	    env != NULL &&
		OBJ_obj2nid(CMS_get0_type(env)) == NID_pkcs7_enveloped);
	if (env == NULL || key == NULL || cert == NULL || plain == NULL)
		goto out;
	say_cipher(der);
	read_recipient(r, env, cert);
	if (r->o->password != NULL) {
		good =
		    CMS_decrypt_set1_password(
			env, text(r->o->password).p, -1) == 1 &&
		    CMS_decrypt(env, NULL, NULL, NULL, plain, CMS_BINARY) == 1;
	} else {
		good =
		    CMS_decrypt(env, key, cert, NULL, plain, CMS_BINARY) == 1;
	}
	verdict(r, "decrypted", good);
	if (good)
		read_certs(r, plain);
out:
	CMS_ContentInfo_free(env);
	EVP_PKEY_free(key);
	X509_free(cert);
	BIO_free(plain);
}

/* Key=value lines about a CertRep; 0: verified and as the standard says. */
int
certrep_main(const struct opts *o)
{
	struct reply r = { .o = o };
	struct bytes der;
	BIO *in;

	if (o->in == NULL || o->ca == NULL)
		die("certrep wants --in and --ca");
	if (o->legacy != NULL &&
	    (OSSL_PROVIDER_load(NULL, "default") == NULL ||
		OSSL_PROVIDER_load(NULL, "legacy") == NULL))
		die("no legacy provider");
	der = read_file(o->in);
	in = BIO_new_mem_buf(der.p, (int)der.n);
	r.ca = cert_read(o->ca);
	r.content = BIO_new(BIO_s_mem());
	if (in == NULL || r.content == NULL)
		die("no memory");
	r.cms = d2i_CMS_bio(in, NULL);
	verdict(&r, "readable", r.cms != NULL && BIO_pending(in) == 0);
	if (r.cms != NULL && read_signer(&r)) {
		read_attributes(&r);
		verify(&r);
		if (BIO_pending(r.content) > 0)
			open_envelope(&r);
	}
	CMS_ContentInfo_free(r.cms);
	X509_free(r.ca);
	BIO_free(r.content);
	BIO_free(in);
	return r.wrong ? 1 : 0;
}
