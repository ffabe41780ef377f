#include "builder.h"

#include <string.h>

#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#define ID_DATA	     "1.2.840.113549.1.7.1"
#define ID_ENVELOPED "1.2.840.113549.1.7.3"
#define RSA_V15	     "1.2.840.113549.1.1.1"
#define RSA_OAEP     "1.2.840.113549.1.1.7"
#define MGF1	     "1.2.840.113549.1.1.8"
#define SHA256	     "2.16.840.1.101.3.4.2.1"

static const struct cipher {
	const char *name;
	const char *oid;
	const char *evp;
	size_t key;   /* bytes that travel */
	size_t times; /* single DES is triple DES with one key thrice */
} ciphers[] = {
	{ "aes128", "2.16.840.1.101.3.4.1.2", "AES-128-CBC", 16, 1 },
	{ "aes192", "2.16.840.1.101.3.4.1.22", "AES-192-CBC", 24, 1 },
	{ "aes256", "2.16.840.1.101.3.4.1.42", "AES-256-CBC", 32, 1 },
	{ "des3", "1.2.840.113549.3.7", "DES-EDE3-CBC", 24, 1 },
	{ "des", "1.3.14.3.2.7", "DES-EDE3-CBC", 8, 3 },
	{ "rc4", "1.2.840.113549.3.4", "AES-128-CBC", 16, 1 },
	{ "unknown", "1.2.840.113549.3.999", "AES-128-CBC", 16, 1 },
};

static const struct cipher *
cipher_find(const char *name)
{
	for (size_t i = 0; i < sizeof(ciphers) / sizeof(*ciphers); i++)
		if (strcmp(ciphers[i].name, name) == 0)
			return &ciphers[i];
	die("no such --cipher");
}

/* RFC 5652 6.3, or nearly. */
static struct bytes
pad(struct bytes content, size_t block, int flaw)
{
	size_t n = block - content.n % block;
	struct bytes tail = { hold(n), n };

	memset(tail.p, (int)n, n);
	if (flaw == PAD_ZERO)
		tail.p[n - 1] = 0;
	else if (flaw == PAD_LONG)
		tail.p[n - 1] = (unsigned char)(block + 1);
	else if (flaw == PAD_UNEVEN)
		tail.p[0] ^= n > 1 ? 0x01 : 0x40;
	return JOIN(content, tail);
}

/* Writes the bit where the plan says: an attacker has no key, but this. */
static void
flip(const struct plan *p, struct bytes crypted, struct bytes iv)
{
	size_t blocks = crypted.n / iv.n;
	size_t at = 0;

	if (p->flip == FLIP_NONE)
		return;
	if (p->flip == FLIP_IV) {
		iv.p[0] ^= 0x01;
		return;
	}
	if (p->flip == FLIP_MIDDLE)
		at = blocks / 2;
	else if (p->flip == FLIP_LAST)
		at = blocks - 1;
	else if (p->flip == FLIP_AT)
		at = (size_t)p->flip_at % blocks;
	crypted.p[at * iv.n + 3] ^= 0x01;
}

static struct bytes
encrypt(const struct plan *p, const struct cipher *c, struct bytes cek,
    struct bytes content, struct bytes *iv)
{
	EVP_CIPHER *evp = EVP_CIPHER_fetch(NULL, c->evp, NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	struct bytes key = NOTHING, out;
	int n = 0, rest = 0;

	if (evp == NULL || ctx == NULL)
		die(c->evp);
	for (size_t i = 0; i < c->times; i++)
		key = JOIN(key, cek);
	*iv = noise((size_t)EVP_CIPHER_get_iv_length(evp));
	content = pad(content, iv->n, p->pad);
	out.p = hold(content.n + EVP_MAX_BLOCK_LENGTH);
	if (EVP_EncryptInit_ex2(ctx, evp, key.p, iv->p, NULL) != 1 ||
	    EVP_CIPHER_CTX_set_padding(ctx, 0) != 1 ||
	    EVP_EncryptUpdate(ctx, out.p, &n, content.p, (int)content.n) != 1 ||
	    EVP_EncryptFinal_ex(ctx, out.p + n, &rest) != 1)
		die("encryption");
	out.n = (size_t)n;
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(evp);
	flip(p, out, *iv);
	return out;
}

/* A block that looks like PKCS#1, but not quite. */
static struct bytes
bad_block(int flaw, size_t size, struct bytes cek)
{
	struct bytes b = { hold(size), size };

	memset(b.p, 0x5a, size);
	b.p[0] = 0;
	b.p[1] = flaw == BLOCK_TYPE1 ? 1 : 2;
	memcpy(b.p + size - cek.n, cek.p, cek.n);
	if (flaw != BLOCK_NO_ZERO)
		b.p[size - cek.n - 1] = 0;
	else
		memset(b.p + size - cek.n, 0x33, cek.n);
	if (flaw == BLOCK_EARLY_ZERO)
		b.p[5] = 0;
	return b;
}

static void
transport_set(EVP_PKEY_CTX *ctx, const char *name, bool hand)
{
	int mode = RSA_PKCS1_OAEP_PADDING;

	if (hand)
		mode = RSA_NO_PADDING;
	else if (strcmp(name, "v15") == 0)
		mode = RSA_PKCS1_PADDING;
	if (EVP_PKEY_encrypt_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(ctx, mode) != 1)
		die("key transport");
	if (!hand && strcmp(name, "oaep256") == 0 &&
	    (EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) != 1 ||
		EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) != 1))
		die("OAEP");
}

static struct bytes
wrap(const struct plan *p, EVP_PKEY *key, struct bytes cek)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	bool hand = p->block >= BLOCK_TYPE1 && p->block <= BLOCK_EARLY_ZERO;
	size_t n = (size_t)EVP_PKEY_get_size(key);
	struct bytes out = { hold(n), n };

	if (ctx == NULL)
		die("no memory");
	transport_set(ctx, p->transport, hand);
	if (hand)
		cek = bad_block(p->block, n, cek);
	if (EVP_PKEY_encrypt(ctx, out.p, &out.n, cek.p, cek.n) != 1)
		die("key transport");
	EVP_PKEY_CTX_free(ctx);
	if (p->block == BLOCK_FLIPPED)
		out.p[out.n / 2] ^= 0x04;
	else if (p->block == BLOCK_SHORT)
		out.n = 100;
	else if (p->block == BLOCK_CUT)
		out.n -= 20;
	else if (p->block == BLOCK_LARGE)
		memset(out.p, 0xff, out.n);
	return out;
}

static struct bytes
transport_alg(const struct plan *p)
{
	struct bytes md = algorithm(SHA256);

	if (p->transport_oid != NULL)
		return algorithm(p->transport_oid);
	if (p->oaep_mixed) /* MGF1 left out is by SHA-1 */
		return SEQ(oid(RSA_OAEP), SEQ(tlv(0xa0, md)));
	if (strcmp(p->transport, "v15") == 0)
		return algorithm(RSA_V15);
	if (strcmp(p->transport, "oaep") == 0) /* as Windows: empty */
		return SEQ(oid(RSA_OAEP), tlv(0x30, NOTHING));
	if (strcmp(p->transport, "oaep-null") == 0)
		return algorithm(RSA_OAEP);
	if (strcmp(p->transport, "oaep-absent") == 0)
		return SEQ(oid(RSA_OAEP));
	if (strcmp(p->transport, "oaep256") != 0)
		die("no such --transport");
	return SEQ(
	    oid(RSA_OAEP), SEQ(tlv(0xa0, md), tlv(0xa1, SEQ(oid(MGF1), md))));
}

/* One KeyTransRecipientInfo: ours, or with ours false for somebody else. */
static struct bytes
recipient(const struct plan *p, struct bytes cek, bool ours)
{
	struct bytes serial = cert_serial(p->ca), rid;
	const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(p->ca);
	EVP_PKEY *other = NULL;
	EVP_PKEY *key = X509_get0_pubkey(p->ca);
	struct bytes block;
	bool by_ski = p->recipient == TO_US_BY_SKI;

	if (!ours)
		serial.p[serial.n - 1] ^= 0x55;
	rid = SEQ(cert_issuer(p->ca), serial);
	if (by_ski) {
		if (ski == NULL)
			die("the CA has no subjectKeyIdentifier");
		rid = tlv(0x80, raw(ASN1_STRING_get0_data(ski),
				    (size_t)ASN1_STRING_length(ski)));
	}
	if (p->block == BLOCK_OTHER_KEY || !ours)
		key = other = key_new("2048");
	block = wrap(p, key, cek);
	EVP_PKEY_free(other);
	return SEQ(number(by_ski ? 2 : 0), rid, transport_alg(p),
	    octets(p->pieces, 0x04, block));
}

/* Shaped as RFC 5652 6.2.4, with noise for the wrapped key. */
static struct bytes
password_recipient(void)
{
	struct bytes kdf = JOIN(oid("1.2.840.113549.1.5.12"),
	    SEQ(tlv(0x04, noise(8)), number(2048)));
	struct bytes kek = SEQ(oid("1.2.840.113549.1.9.16.3.9"),
	    SEQ(oid("2.16.840.1.101.3.4.1.2"), tlv(0x04, noise(16))));

	return tlv(
	    0xa3, JOIN(number(0), tlv(0xa0, kdf), kek, tlv(0x04, noise(32))));
}

static struct bytes
recipients(const struct plan *p, struct bytes cek)
{
	struct bytes all = NOTHING;

	switch (p->recipient) {
	case TO_NOBODY:
		return NOTHING;
	case TO_OTHER:
		return recipient(p, cek, false);
	case TO_PASSWORD:
		return password_recipient();
	case TO_US_SECOND:
		return JOIN(recipient(p, cek, false), recipient(p, cek, true));
	case TO_US_TWICE:
		return JOIN(recipient(p, cek, true), recipient(p, cek, true));
	case TO_MANY:
		for (int i = 0; i < 12; i++)
			all = JOIN(all, password_recipient());
		return JOIN(all, recipient(p, cek, true));
	default:
		return recipient(p, cek, true);
	}
}

struct bytes
envelope_build(const struct plan *p, struct bytes content)
{
	const struct cipher *c = cipher_find(p->cipher);
	struct bytes cek = noise(c->key), sent = cek, iv, crypted, info, data;

	if (p->content == CONTENT_NOISE)
		content = noise(content.n);
	else if (p->content == CONTENT_NONE)
		content = NOTHING;
	else if (p->content == CONTENT_TRAILING)
		content = JOIN(content, text("more"));
	if (p->cek_more > 0)
		sent = JOIN(cek, noise((size_t)p->cek_more));
	else if (p->cek_more < 0)
		sent.n -= (size_t)-p->cek_more;
	if (p->o->password != NULL)
		return password_envelope(p, content);
	crypted = encrypt(p, c, cek, content, &iv);
	if (p->iv_more)
		iv = JOIN(iv, noise((size_t)p->iv_more));
	info =
	    JOIN(oid(ID_DATA), SEQ(oid(c->oid), octets(p->pieces, 0x04, iv)));
	if (p->content != CONTENT_ABSENT)
		info = JOIN(info, octets(p->ber, 0x80, crypted));
	data = JOIN(number(p->env_version), tlv(0x31, recipients(p, sent)),
	    tlv_ber(p->ber, 0x30, info));
	data = tlv_ber(p->ber, 0xa0, tlv_ber(p->ber, 0x30, data));
	return tlv_ber(p->ber, 0x30, JOIN(oid(ID_ENVELOPED), data));
}
