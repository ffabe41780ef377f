/*
 * Writes and reads SCEP messages for the tests; shares no code with the
 * server.
 *
 *	builder key OUT.pem [KIND]             a private key: bits of RSA,
 *	                                       0 or p256, p384, p521, ed25519
 *	builder pkcsreq --ca F --key F --subject /CN=x [options] --out F
 *	builder certrep --ca F --key F --cert F --in F [options]
 *	builder wanted --cert F [--serial HEX] --out F
 *	builder wanted --ca F --subject /CN=x --out F
 *	                                       the content of GetCert, GetCRL
 *	builder get --in F [--style S]         base64 for a query string
 *	builder grammar --port N --ca F --key F [options]  all fields, all ways
 *	builder --list-breaks                  name, answer, what; by tabs
 *
 * usage() has the options; builder_break.c what can be wrong, builder_get.c
 * the styles.
 */
#include "builder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

static const struct option {
	const char *name;
	size_t at;
	const char *arg; /* NULL: a flag */
	const char *help;
} options[] = {
#define O(name, field, arg, help)                             \
	{                                                     \
		name, offsetof(struct opts, field), arg, help \
	}
	O("--ca", ca, "FILE", "the CA's certificate: recipient, or signer"),
	O("--key", key, "FILE", "the client's key"),
	O("--cert", cert, "FILE", "whom a reply is for, or what is wanted"),
	O("--serial", serial, "HEX", "another serial number than its own"),
	O("--as", as, "CLIENT", "what a real client sends; builder_client.c"),
	O("--said", said, "FILE", "where to keep transactionID and nonce"),
	O("--signer-cert", signer_cert, "FILE", "signs instead, with"),
	O("--signer-key", signer_key, "FILE", "its key"),
	O("--signer-subject", signer_subject, "NAME",
	    "of its certificate, if not the CSR's"),
	O("--subject", subject, "NAME", "of the CSR: /CN=x/O=y"),
	O("--challenge", challenge, "TEXT", "challengePassword"),
	O("--challenge-type", challenge_type, "KIND",
	    "printable utf8 t61 bmp universal ia5"),
	O("--challenge-in-extension", in_extension, NULL,
	    "challengePassword inside extensionRequest"),
	O("--san", san, "LIST", "dns:a,ip:10.0.0.1,email:x@y,uri:z"),
	O("--extensions", extensions, "LIST",
	    "asked for: OID=HEX,!OID=HEX,... (! critical)"),
	O("--attributes", attributes, "LIST", "of the CSR: OID=HEX,..."),
	O("--txid", txid, "TEXT", "transactionID; \\xNN is a byte"),
	O("--cipher", cipher, "C", "aes128 aes192 aes256 des3 des"),
	O("--digest", digest, "D", "sha1 sha256 sha384 sha512 md5"),
	O("--transport", transport, "T",
	    "v15 oaep oaep-null oaep-absent oaep256"),
	O("--pss", pss, NULL, "RSASSA-PSS signatures, message and CSR"),
	O("--password", password, "TEXT",
	    "a password recipient instead of the CA's key; or it opens a reply"),
	O("--iterations", iterations, "N", "of its PBKDF2"),
	O("--legacy", legacy, NULL, "read single DES too"),
	O("--type", type, "N", "messageType"),
	O("--nonce", nonce, "HEX", "senderNonce"),
	O("--csr", csr, "FILE", "a CSR (DER or PEM) instead of a new one"),
	O("--envelope", envelope, "FILE", "an EnvelopedData to sign as it is"),
	O("--csr-out", csr_out, "FILE", "where to keep the CSR"),
	O("--cert-out", cert_out, "FILE", "where to keep the signer's"),
	O("--ber", ber, "indefinite", "indefinite lengths"),
	O("--break", flaws, "A,B", "what is wrong; --list-breaks"),
	O("--block", block, "N", "flips a bit of the N-th block"),
	O("--in", in, "FILE", "what to read"),
	O("--out", out, "FILE", "where to write"),
	O("--style", style, "S", "how a GET is mangled"),
	O("--port", port, "N", "of the server on 127.0.0.1"),
	O("--out-prefix", out_prefix, "P", "certificates go to P0.pem ..."),
#undef O
};
#define OPTIONS (sizeof(options) / sizeof(*options))

static int
usage(void)
{
	fprintf(stderr, "usage: builder key|pkcsreq|certrep|wanted|get "
			"[options]\n");
	for (size_t i = 0; i < OPTIONS; i++)
		fprintf(stderr, "  %s %s\t%s\n", options[i].name,
		    options[i].arg ? options[i].arg : "", options[i].help);
	return 2;
}

static void
parse(int argc, char **argv, struct opts *o)
{
	for (int i = 0; i < argc; i++) {
		const struct option *found = NULL;
		const char *value = "yes";

		for (size_t k = 0; k < OPTIONS; k++)
			if (strcmp(options[k].name, argv[i]) == 0)
				found = &options[k];
		if (found == NULL)
			die(argv[i]);
		if (found->arg != NULL && (value = argv[++i]) == NULL)
			die("an option has no value");
		*(const char **)(void *)((char *)o + found->at) = value;
	}
}

static int
key_main(int argc, char **argv)
{
	EVP_PKEY *key;
	BIO *out;

	if (argc < 1)
		return usage();
	key = key_new(argc > 1 ? argv[1] : "2048");
	out = BIO_new_file(argv[0], "w");
	if (out == NULL ||
	    PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) != 1)
		die(argv[0]);
	BIO_free(out);
	EVP_PKEY_free(key);
	return 0;
}

static const char *
upper(const char *s)
{
	char *up = (char *)hold(strlen(s));

	for (size_t i = 0; s[i] != '\0'; i++)
		up[i] = (char)(s[i] >= 'a' && s[i] <= 'z' ? s[i] - 32 : s[i]);
	return up;
}

static const char * or (const char *a, const char *b)
{
	return a != NULL ? a : b;
}

static void
plan_fill(struct plan *p, const struct opts *o)
{
	p->o = o;
	p->cipher = or (o->cipher, "aes128");
	p->digest = upper(or (o->digest, "sha256"));
	p->transport = or (o->transport, "v15");
	p->type = or (o->type, "19");
	p->challenge = o->challenge;
	p->csr_digest = "SHA256";
	p->txid_text = o->txid;
	p->ber = o->ber != NULL;
	p->signers = 1;
	p->version = 1;
	p->signer_name = or (o->signer_subject, o->subject);
	if (o->as != NULL)
		client_apply(p, o->as);
	if (o->block != NULL) {
		p->flip = FLIP_AT;
		p->flip_at = (int)strtol(o->block, NULL, 10);
	}
	if (o->flaws != NULL)
		flaws_apply(p, o->flaws);
	p->ca = cert_read(o->ca);
	p->key = key_read(o->key);
	key_signer(p);
	p->nonce = noise(p->nonce_bytes > 0 ? (size_t)p->nonce_bytes : 16);
	if (o->nonce != NULL)
		p->nonce = hex(o->nonce);
	p->txid = p->txid_text ? unescape(p->txid_text) : client_txid(p);
}

static void
keep_cert(const char *path, struct bytes der)
{
	const unsigned char *p = der.p;
	X509 *cert = d2i_X509(NULL, &p, (long)der.n);
	BIO *out = BIO_new_file(path, "w");

	if (cert == NULL || out == NULL || PEM_write_bio_X509(out, cert) != 1)
		die(path);
	X509_free(cert);
	BIO_free(out);
}

/* DER, or the PEM of `openssl req`. */
static struct bytes
csr_read(const char *path)
{
	struct bytes b = read_file(path);
	unsigned char *der = NULL;
	long n = 0;
	char *name = NULL, *header = NULL;
	BIO *in;

	if (b.n < 5 || memcmp(b.p, "-----", 5) != 0)
		return b;
	in = BIO_new_mem_buf(b.p, (int)b.n);
	if (in == NULL || PEM_read_bio(in, &name, &header, &der, &n) != 1)
		die(path);
	OPENSSL_free(name);
	OPENSSL_free(header);
	BIO_free(in);
	return take(der, (int)n);
}

static int
pkcsreq_main(const struct opts *o)
{
	static struct plan p;
	struct bytes csr;

	if (!o->ca || !o->key || !o->out || (!o->subject && !o->csr))
		return usage();
	plan_fill(&p, o);
	csr = o->csr ? csr_read(o->csr) : csr_build(&p);
	write_file(o->out, message_build(&p, csr));
	if (o->csr_out)
		write_file(o->csr_out, csr);
	if (o->cert_out)
		keep_cert(o->cert_out, p.cert);
	if (o->said)
		client_said(&p, o->said);
	X509_free(p.ca);
	EVP_PKEY_free(p.key);
	EVP_PKEY_free(p.signer);
	return 0;
}

/*
 * IssuerAndSerialNumber of a certificate, to go into a message by
 * `pkcsreq --type 21 --csr`; with --ca IssuerAndSubject, for type 20.
 */
static int
wanted_main(const struct opts *o)
{
	struct bytes serial;
	X509 *cert;

	if ((!o->cert && !o->ca) || !o->out)
		return usage();
	if (o->ca != NULL) {
		cert = cert_read(o->ca);
		write_file(
		    o->out, SEQ(cert_subject(cert), name_der(o->subject)));
		X509_free(cert);
		return 0;
	}
	cert = cert_read(o->cert);
	serial = o->serial ? tlv(0x02, hex(o->serial)) : cert_serial(cert);
	write_file(o->out, SEQ(cert_issuer(cert), serial));
	X509_free(cert);
	return 0;
}

/* A PKCSReq with all its parts, and what GetCert and GetCRL carry. */
static int
grammar_main(const struct opts *o)
{
	static const struct {
		const char *type, *name;
	} types[] = { { "19", "PKCSReq" }, { "21", "GetCert" },
		{ "22", "GetCRL" } };
	unsigned tried = 0, wrong = 0;

	if (!o->port || !o->ca || !o->key || !o->subject)
		return usage();
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		static struct plan p;
		unsigned n = 0;

		p = (struct plan){ .o = NULL };
		plan_fill(&p, o);
		p.type = types[i].type;
		wrong += grammar_walk(&p, types[i].name,
		    i == 0 ? csr_build(&p) :
			     SEQ(cert_issuer(p.ca), cert_serial(p.ca)),
		    (int)strtol(o->port, NULL, 10), &n);
		tried += n;
		X509_free(p.ca);
		EVP_PKEY_free(p.key);
		EVP_PKEY_free(p.signer);
	}
	printf("%u variants, %u wrong\n", tried, wrong);
	return wrong > 0;
}

int
main(int argc, char **argv)
{
	static struct opts o;

	if (argc > 1 && strcmp(argv[1], "--list-breaks") == 0)
		return flaws_list();
	if (argc > 1 && strcmp(argv[1], "key") == 0)
		return key_main(argc - 2, argv + 2);
	if (argc < 3)
		return usage();
	parse(argc - 2, argv + 2, &o);
	if (o.subject == NULL)
		o.subject = "/CN=builder";
	if (strcmp(argv[1], "pkcsreq") == 0)
		return pkcsreq_main(&o);
	if (strcmp(argv[1], "grammar") == 0)
		return grammar_main(&o);
	if (strcmp(argv[1], "certrep") == 0)
		return certrep_main(&o);
	if (strcmp(argv[1], "wanted") == 0)
		return wanted_main(&o);
	if (strcmp(argv[1], "get") == 0)
		return get_main(&o);
	return usage();
}
