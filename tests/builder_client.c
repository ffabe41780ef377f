#include "builder.h"

#include <stdio.h>
#include <string.h>

/*
 * What real clients make of a request, one row each, for t0500 to t0502;
 * CLIENTS.md says from what source each row is.  `--as NAME` takes a row;
 * options that are given too stand above it.
 */
static const struct client {
	const char *name;
	const char *digest, *csr_digest, *cipher, *transport;
	const char *signer; /* subject of its certificate; NULL: the CSR's */
	enum id id;	    /* how its transactionID is made */
	enum serial_flaw serial;
	enum extra extra;
	int nonce; /* bytes; 0: 16 */
	int csr_version;
	bool ber, v1, aki;
} clients[] = {
	{ .name = "cisco-ios", /* a clock that stands in 1993 */
	    .digest = "SHA1",
	    .csr_digest = "SHA1",
	    .cipher = "des3",
	    .id = ID_MD5_SPKI_UPPER,
	    .extra = EXTRA_TIME },
	{ .name = "pix", /* its ID is its certificate's serial, as text */
	    .digest = "MD5",
	    .csr_digest = "MD5",
	    .cipher = "des",
	    .id = ID_MD5_SPKI_LOWER,
	    .serial = SERIAL_ID,
	    .ber = true,
	    .v1 = true },
	{ .name = "cisco-vpn",
	    .digest = "MD5",
	    .csr_digest = "MD5",
	    .cipher = "des",
	    .id = ID_SERIAL },
	{ .name = "juniper",
	    .digest = "SHA1",
	    .csr_digest = "SHA1",
	    .cipher = "des3" },
	{ .name = "windows",
	    .digest = "SHA1",
	    .transport = "oaep", /* with an empty SEQUENCE */
	    .signer = "/CN=SCEP Protocol Certificate",
	    .id = ID_SHA1_SPKI_LOWER,
	    .aki = true },
	{ .name = "apple",
	    .digest = "SHA1",
	    .csr_digest = "SHA1",
	    .cipher = "des3",
	    .signer = "/CN=MDM SCEP SIGNER/C=US",
	    .id = ID_SHA1_RSA_UPPER,
	    .serial = SERIAL_ONE,
	    .nonce = 8,
	    .csr_version = 2,
	    .ber = true },
	{ .name = "mikrotik",
	    .digest = "SHA1",
	    .csr_digest = "SHA1",
	    .cipher = "des3" },
	{ .name = "sscep", /* the strongest that is listed */
	    .digest = "SHA512",
	    .id = ID_MD5_SPKI_UPPER,
	    .serial = SERIAL_ID },
	{ .name = "jscep", .digest = "SHA512", .ber = true },
	{ .name = "autosscep",
	    .digest = "SHA1",
	    .csr_digest = "SHA1",
	    .cipher = "des3",
	    .id = ID_MD5_SPKI_UPPER,
	    .serial = SERIAL_ZERO },
	{ .name = "openscep",
	    .digest = "MD5",
	    .csr_digest = "MD5",
	    .cipher = "des",
	    .id = ID_MD5_SPKI_UPPER },
	{ .name = "cryptlib", .extra = EXTRA_NONCE },
};

static const struct client *
find(const char *name)
{
	for (size_t i = 0; i < sizeof(clients) / sizeof(*clients); i++)
		if (strcmp(clients[i].name, name) == 0)
			return &clients[i];
	die("no such --as; builder_client.c has them");
}

static void
choose(const char **to, const char *option, const char *row)
{
	if (option == NULL && row != NULL)
		*to = row;
}

void
client_apply(struct plan *p, const char *name)
{
	const struct client *c = find(name);

	choose(&p->digest, p->o->digest, c->digest);
	choose(&p->cipher, p->o->cipher, c->cipher);
	choose(&p->transport, p->o->transport, c->transport);
	choose(&p->csr_digest, NULL, c->csr_digest);
	choose(&p->signer_name, p->o->signer_subject, c->signer);
	p->id = c->id;
	p->serial_form = c->serial;
	p->extra = c->extra;
	p->nonce_bytes = c->nonce;
	p->csr_version = c->csr_version;
	p->ber = p->ber || c->ber;
	p->cert_v1 = c->v1;
	p->cert_aki = c->aki;
}

static struct bytes
digest_of_key(const EVP_PKEY *key, const char *digest, bool rsa_only)
{
	struct bytes b = { hold(EVP_MAX_MD_SIZE), 0 }, der;
	unsigned char *p = NULL;
	int n = rsa_only ? i2d_PublicKey(key, &p) : i2d_PUBKEY(key, &p);

	der = take(p, n);
	if (EVP_Q_digest(NULL, digest, NULL, der.p, der.n, b.p, &b.n) != 1)
		die(digest);
	return b;
}

/* How an ID is made of the key, or, without a digest, of the serial. */
static const struct rule {
	const char *digest;
	bool rsa_only; /* of PKCS#1's RSAPublicKey, not the whole SPKI */
	const char *digits;
} rules[ID__MAX] = {
	[ID_SHA1_SPKI_UPPER] = { "SHA1", false, "0123456789ABCDEF" },
	[ID_SHA1_SPKI_LOWER] = { "SHA1", false, "0123456789abcdef" },
	[ID_SHA1_RSA_UPPER] = { "SHA1", true, "0123456789ABCDEF" },
	[ID_MD5_SPKI_UPPER] = { "MD5", false, "0123456789ABCDEF" },
	[ID_MD5_SPKI_LOWER] = { "MD5", false, "0123456789abcdef" },
	[ID_SERIAL] = { NULL, false, "0123456789ABCDEF" },
};

struct bytes
client_txid(const struct plan *p)
{
	const struct rule *r = &rules[p->id];
	struct bytes of, id;

	if (r->digest != NULL)
		of = digest_of_key(p->key, r->digest, r->rsa_only);
	else /* behind the tag and a length of one byte */
		of = raw(p->serial.p + 2, p->serial.n - 2);
	id.n = 2 * of.n;
	id.p = hold(id.n);
	for (size_t i = 0; i < id.n; i++)
		id.p[i] = (unsigned char)
			      r->digits[of.p[i / 2] >> (i % 2 ? 0 : 4) & 15];
	return id;
}

/* As unescape() reads it. */
static struct bytes
escaped(struct bytes b)
{
	char *s = (char *)hold(4 * b.n + 1), *end = s;

	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] > 0x1f && b.p[i] < 0x7f && b.p[i] != '\\')
			*end++ = (char)b.p[i];
		else
			end += snprintf(end, 5, "\\x%02x", b.p[i]);
	return text(s);
}

static struct bytes
digits(struct bytes b)
{
	char *s = (char *)hold(2 * b.n + 1);

	for (size_t i = 0; i < b.n; i++)
		snprintf(s + 2 * i, 3, "%02x", b.p[i]);
	return text(s);
}

void
client_said(const struct plan *p, const char *path)
{
	write_file(path, JOIN(text("txid="), escaped(p->txid), text("\nnonce="),
			     digits(p->nonce), text("\n")));
}
