#include "builder.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#define HUGE_BYTES 2048 /* a modulus of 16384 bits */

EVP_PKEY *
key_read(const char *path)
{
	BIO *in = BIO_new_file(path, "r");
	EVP_PKEY *key = NULL;

	if (in != NULL)
		key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
	BIO_free(in);
	if (key == NULL)
		die(path);
	return key;
}

EVP_PKEY *
key_new(const char *kind)
{
	static const struct {
		const char *name, *type, *curve;
	} kinds[] = {
		{ "0", "EC", "P-256" },
		{ "p256", "EC", "P-256" },
		{ "p384", "EC", "P-384" },
		{ "p521", "EC", "P-521" },
		{ "ed25519", "ED25519", NULL },
	};
	EVP_PKEY *key = NULL;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kinds[i].name, kind) == 0)
			key = EVP_PKEY_Q_keygen(
			    NULL, NULL, kinds[i].type, kinds[i].curve);
	if (key == NULL && strtoul(kind, NULL, 10) >= 512)
		key = EVP_RSA_gen((unsigned)strtoul(kind, NULL, 10));
	if (key == NULL)
		die("key");
	return key;
}

X509 *
cert_read(const char *path)
{
	BIO *in = BIO_new_file(path, "r");
	X509 *cert = NULL;

	if (in != NULL)
		cert = PEM_read_bio_X509(in, NULL, NULL, NULL);
	BIO_free(in);
	if (cert == NULL)
		die(path);
	return cert;
}

struct bytes
cert_issuer(const X509 *cert)
{
	unsigned char *der = NULL;
	int n = i2d_X509_NAME(X509_get_issuer_name(cert), &der);

	return take(der, n);
}

struct bytes
cert_subject(const X509 *cert)
{
	unsigned char *der = NULL;
	int n = i2d_X509_NAME(X509_get_subject_name(cert), &der);

	return take(der, n);
}

struct bytes
cert_serial(const X509 *cert)
{
	unsigned char *der = NULL;
	int n = i2d_ASN1_INTEGER(X509_get0_serialNumber(cert), &der);

	return take(der, n);
}

/* modulus and exponent as an RSA SubjectPublicKeyInfo */
static struct bytes
rsa_spki(struct bytes n, struct bytes e)
{
	struct bytes zero = raw("", 1);
	struct bytes key = SEQ(tlv(0x02, JOIN(zero, n)), tlv(0x02, e));

	return SEQ(algorithm("1.2.840.113549.1.1.1"), bit_string(key));
}

static struct bytes
modulus(const EVP_PKEY *key)
{
	BIGNUM *n = NULL;
	struct bytes b;

	if (EVP_PKEY_get_bn_param(key, "n", &n) != 1)
		die("no RSA key");
	b.n = (size_t)BN_num_bytes(n);
	b.p = hold(b.n);
	BN_bn2bin(n, b.p);
	BN_free(n);
	return b;
}

/* Of this key, or a made-up one that nobody has. */
struct bytes
key_spki(const EVP_PKEY *key, int flaw)
{
	unsigned char *der = NULL;
	struct bytes big;
	int n;

	if (flaw == KEY_E_ONE)
		return rsa_spki(modulus(key), raw("\1", 1));
	if (flaw == KEY_HUGE || flaw == KEY_E_HUGE) {
		big = noise(flaw == KEY_HUGE ? HUGE_BYTES : 250);
		big.p[0] = (unsigned char)(big.p[0] | 0x80);
		big.p[big.n - 1] |= 1;
		if (flaw == KEY_HUGE)
			return rsa_spki(big, raw("\1\0\1", 3));
		return rsa_spki(modulus(key), JOIN(raw("", 1), big));
	}
	if (flaw == KEY_NOBODYS)
		return rsa_spki(JOIN(raw("\xc5", 1), noise(254), raw("\1", 1)),
		    raw("\1\0\1", 3));
	n = i2d_PUBKEY(key, &der);
	return take(der, n);
}

static void
pss_set(EVP_PKEY_CTX *ctx)
{
	if (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) != 1)
		die("PSS");
}

struct bytes
key_sign(EVP_PKEY *key, const char *digest, bool pss, struct bytes data)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	size_t n = 0;
	struct bytes sig;

	if (EVP_PKEY_is_a(key, "ED25519"))
		digest = NULL;
	if (ctx == NULL || EVP_DigestSignInit_ex(
			       ctx, &pctx, digest, NULL, NULL, key, NULL) != 1)
		die("signature");
	if (pss && EVP_PKEY_is_a(key, "RSA"))
		pss_set(pctx);
	if (EVP_DigestSign(ctx, NULL, &n, data.p, data.n) != 1)
		die("signature");
	sig.p = hold(n);
	if (EVP_DigestSign(ctx, sig.p, &n, data.p, data.n) != 1)
		die("signature");
	sig.n = n;
	EVP_MD_CTX_free(ctx);
	return sig;
}

static const struct {
	const char *digest, *rsa, *ec;
	long size;
} sign_oids[] = {
	{ "MD5", "1.2.840.113549.1.1.4", NULL, 16 },
	{ "SHA1", "1.2.840.113549.1.1.5", "1.2.840.10045.4.1", 20 },
	{ "SHA256", "1.2.840.113549.1.1.11", "1.2.840.10045.4.3.2", 32 },
	{ "SHA384", "1.2.840.113549.1.1.12", "1.2.840.10045.4.3.3", 48 },
	{ "SHA512", "1.2.840.113549.1.1.13", "1.2.840.10045.4.3.4", 64 },
};

/* RFC 8017 A.2.3, one digest in both places, a salt of its length. */
static struct bytes
pss_alg(const char *digest, long salt)
{
	struct bytes hash = algorithm(digest_oid(digest));
	struct bytes mask = SEQ(oid("1.2.840.113549.1.1.8"), hash);

	return SEQ(oid("1.2.840.113549.1.1.10"),
	    SEQ(tlv(0xa0, hash), tlv(0xa1, mask), tlv(0xa2, number(salt))));
}

struct bytes
key_sign_alg(EVP_PKEY *key, const char *digest, bool pss)
{
	if (EVP_PKEY_is_a(key, "ED25519"))
		return SEQ(oid("1.3.101.112"));
	for (size_t i = 0; i < sizeof(sign_oids) / sizeof(*sign_oids); i++) {
		if (strcmp(sign_oids[i].digest, digest) != 0)
			continue;
		if (EVP_PKEY_is_a(key, "EC") && sign_oids[i].ec != NULL)
			return SEQ(oid(sign_oids[i].ec));
		return pss ? pss_alg(digest, sign_oids[i].size) :
			     algorithm(sign_oids[i].rsa);
	}
	die("no such digest");
}

/* One attribute of a name, "CN=x"; with joined it enters the last RDN. */
static void
name_add(X509_NAME *name, char *part, bool joined)
{
	char *value = strchr(part, '=');

	if (value == NULL)
		die("subject is not /TYPE=value/TYPE=value");
	*value++ = '\0';
	if (X509_NAME_add_entry_by_txt(name, part, MBSTRING_UTF8,
		(const unsigned char *)value, -1, -1, joined ? -1 : 0) != 1)
		die(part);
}

/* "/CN=x/O=y", "+" inside an RDN, "" for an empty name, "\" before "/" "+". */
struct bytes
name_der(const char *subject)
{
	X509_NAME *name = X509_NAME_new();
	char *part = (char *)hold(strlen(subject));
	unsigned char *der = NULL;
	size_t n = 0;
	bool joined = false;
	int used;

	for (const char *s = subject; name != NULL; s++) {
		if (*s == '\\' && s[1] != '\0') {
			part[n++] = *++s;
			continue;
		}
		if (*s != '/' && *s != '+' && *s != '\0') {
			part[n++] = *s;
			continue;
		}
		part[n] = '\0';
		if (n > 0)
			name_add(name, part, joined);
		n = 0;
		joined = *s == '+';
		if (*s == '\0')
			break;
	}
	if (name == NULL)
		die("no memory");
	used = i2d_X509_NAME(name, &der);
	X509_NAME_free(name);
	return take(der, used);
}

struct bytes
ski_of(struct bytes spki)
{
	struct bytes b = { hold(EVP_MAX_MD_SIZE), 0 };

	if (EVP_Q_digest(NULL, "SHA1", NULL, spki.p, spki.n, b.p, &b.n) != 1)
		die("digest");
	return b;
}

static struct bytes
serial_of(int form)
{
	struct bytes b = noise(9);

	b.p[0] &= 0x3f;
	b.p[0] |= 0x40;
	if (form == SERIAL_NEGATIVE)
		b.p[0] |= 0x80;
	else if (form == SERIAL_ZERO)
		b = raw("", 1);
	else if (form == SERIAL_ONE)
		b = raw("\1", 1);
	else if (form == SERIAL_LONG) /* PIX: its ID as text */
		b = text("0123456789ABCDEF0123456789ABCDEF");
	return tlv(0x02, b);
}

static struct bytes
validity(bool old)
{
	const char *from = old ? "700101000000Z" : "200101000000Z";
	const char *to = old ? "710101000000Z" : "491231235959Z";

	return SEQ(tlv(0x17, text(from)), tlv(0x17, text(to)));
}

static struct bytes
extensions(const struct plan *p, struct bytes ski)
{
	struct bytes aki = NOTHING;
	struct bytes yes = tlv(0x01, raw("\xff", 1));

	if (p->cert_v1)
		return NOTHING;
	if (p->cert_aki) /* Windows */
		aki =
		    SEQ(oid("2.5.29.35"), yes, tlv(0x04, SEQ(tlv(0x80, ski))));
	return tlv(
	    0xa3, SEQ(SEQ(oid("2.5.29.14"), tlv(0x04, tlv(0x04, ski))), aki));
}

/* The self-signed certificate that clients make for the request. */
static void
self_sign(struct plan *p, struct bytes spki)
{
	struct bytes name = name_der(p->signer_name);
	struct bytes alg = key_sign_alg(p->signer, "SHA256", false);
	struct bytes tbs;

	p->serial = p->serial_form == SERIAL_ID ? tlv(0x02, client_txid(p)) :
						  serial_of(p->serial_form);
	p->issuer = name;
	p->ski = ski_of(spki);
	tbs = SEQ(p->cert_v1 ? NOTHING : tlv(0xa0, number(2)), p->serial, alg,
	    name, validity(p->cert_old), name, spki, extensions(p, p->ski));
	p->cert = SEQ(
	    tbs, alg, bit_string(key_sign(p->signer, "SHA256", false, tbs)));
}

static void
given(struct plan *p)
{
	X509 *cert = cert_read(p->o->signer_cert);
	const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(cert);
	unsigned char *der = NULL;
	int n = i2d_X509(cert, &der);

	p->cert = take(der, n);
	p->issuer = cert_issuer(cert);
	p->serial = cert_serial(cert);
	if (ski != NULL)
		p->ski = raw(ASN1_STRING_get0_data(ski),
		    (size_t)ASN1_STRING_length(ski));
	X509_free(cert);
}

void
key_signer(struct plan *p)
{
	const char *path = p->o->signer_key ? p->o->signer_key : p->o->key;

	if (p->signer_key == KEY_SMALL)
		p->signer = key_new("512");
	else if (p->signer_key == KEY_OTHER)
		p->signer = key_new("2048");
	else if (p->signer_key == KEY_EC)
		p->signer = key_new("p256");
	else
		p->signer = key_read(path);
	if (p->o->signer_cert != NULL)
		given(p);
	else
		self_sign(p, key_spki(p->signer, p->signer_key));
}
