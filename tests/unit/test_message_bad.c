/*
 * Messages that must be refused, and how (C-155 to C-168).  What no client
 * makes is written by hand here, signed with EVP.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ca/der.h"
#include "tests/unit/cms.h"

#define P7   "\x2a\x86\x48\x86\xf7\x0d\x01\x07"
#define P9   "\x2a\x86\x48\x86\xf7\x0d\x01\x09"
#define SCEP "\x60\x86\x48\x01\x86\xf8\x45\x01\x09"

static struct house house;
static struct actor device;
static struct buf cert;	    /* the device's */
static struct buf csr;	    /* its PKCS#10 */
static struct buf envelope; /* that, for the house */
static const struct message_policy all = { .sha1 = true,
	.des3 = true,
	.samekey = true };

static int
setup(void **state)
{
	struct recipe r = { .type = NULL };
	unsigned char *der = NULL;

	(void)state;
	house_new(&house, "CN=Management CA,O=Lab");
	actor_new(&device, 2048, "router1", 4711);
	cms_take(&cert, &der, i2d_X509(device.cert, &der));
	csr_make(device.key, EVP_sha256(), "secret", MBSTRING_UTF8, &csr);
	envelope_make(&r, house.cert, buf_span(&csr), &envelope);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	house_free(&house);
	actor_free(&device);
	buf_release(&cert);
	buf_release(&csr);
	buf_release(&envelope);
	return 0;
}

static void
put(struct buf *out, int tag, struct span body)
{
	assert_true(der_put(out, (uint8_t)tag, body));
}

static void
wrap(struct buf *b, int tag)
{
	struct buf whole = BUF_INIT;

	put(&whole, tag, buf_span(b));
	buf_release(b);
	*b = whole;
}

static void
attr(struct buf *out, struct span oid, int tag, struct span value)
{
	struct buf body = BUF_INIT, set = BUF_INIT;

	put(&set, tag, value);
	put(&body, DER_OID, oid);
	put(&body, DER_SET, buf_span(&set));
	put(out, DER_SEQUENCE, buf_span(&body));
	buf_release(&body);
	buf_release(&set);
}

/* What is wrong with a handmade message; zeros: nothing. */
struct wrong {
	const char *type;  /* messageType */
	struct span txid;  /* "T1" */
	struct span nonce; /* 16 bytes */
	int txid_tag;	   /* PrintableString */
	size_t drop;	   /* attribute left out, from 1, see below */
	size_t twice;	   /* attribute written twice */
	size_t values;	   /* attribute with two values */
	size_t many;	   /* further attributes */
	unsigned signers;  /* SignerInfos but one */
	bool no_signers;   /* none at all */
	bool no_cert;	   /* without the signer's certificate */
	bool bad_digest;   /* messageDigest of something else */
	bool bad_signature;
	bool unsorted;		 /* attributes signed as they stand */
	bool sorted_signed;	 /* stand unsorted, signed sorted */
	bool unsigned_attrs;	 /* what is dropped stands there */
	struct span type_oid;	 /* eContentType */
	struct span content_oid; /* contentType attribute */
	struct span digest_oid;	 /* digestAlgorithm */
	struct span sig_oid;	 /* signatureAlgorithm */
	struct span tail;	 /* behind the ContentInfo */
	int version;
	bool bare;    /* no eContent */
	size_t certs; /* copies of the certificate more */
	const struct actor *by;
};
enum { A_CONTENT = 1, A_DIGEST, A_TYPE, A_NONCE, A_TXID, A_END };

static struct span
or_else(struct span s, struct span other)
{
	return s.p != NULL ? s : other;
}

static void
one_attr(
    struct buf *out, const struct wrong *w, size_t which, struct span digest)
{
	const char *type = w->type ? w->type : "19";
	struct span oid[A_END] = { [A_CONTENT] = DER_BYTES(P9 "\x03"),
		[A_DIGEST] = DER_BYTES(P9 "\x04"),
		[A_TYPE] = DER_BYTES(SCEP "\x02"),
		[A_NONCE] = DER_BYTES(SCEP "\x05"),
		[A_TXID] = DER_BYTES(SCEP "\x07") };
	struct span value[A_END] = { [A_CONTENT] = or_else(
					 w->content_oid, DER_BYTES(P7 "\x01")),
		[A_DIGEST] = digest,
		[A_TYPE] = span_of(type, strlen(type)),
		[A_NONCE] = or_else(w->nonce, DER_BYTES(CMS_NONCE)),
		[A_TXID] = or_else(w->txid, DER_BYTES(CMS_TXID)) };
	int tag[A_END] = { [A_CONTENT] = DER_OID,
		[A_DIGEST] = DER_OCTETS,
		[A_TYPE] = DER_PRINT,
		[A_NONCE] = DER_OCTETS,
		[A_TXID] = w->txid_tag ? w->txid_tag : DER_PRINT };
	struct buf a = BUF_INIT;

	attr(&a, oid[which], tag[which], value[which]);
	if (w->values == which) {
		struct buf body = BUF_INIT, set = BUF_INIT;

		put(&set, tag[which], value[which]);
		put(&set, tag[which], value[which]);
		put(&body, DER_OID, oid[which]);
		put(&body, DER_SET, buf_span(&set));
		buf_clear(&a);
		put(&a, DER_SEQUENCE, buf_span(&body));
		buf_release(&body);
		buf_release(&set);
	}
	assert_true(buf_add(out, a.data, a.len));
	buf_release(&a);
}

/* In DER order, which here is the order of their lengths. */
static void
attributes(
    const struct wrong *w, struct span digest, bool backwards, struct buf *out)
{
	static const size_t order[] = { A_TYPE, A_CONTENT, A_NONCE, A_TXID,
		A_DIGEST };
	size_t n = sizeof(order) / sizeof(*order);

	for (size_t i = 0; i < n; i++) {
		size_t which = order[backwards ? n - 1 - i : i];

		if (which == w->drop)
			continue;
		one_attr(out, w, which, digest);
		if (which == w->twice)
			one_attr(out, w, which, digest);
	}
	for (size_t i = 0; i < w->many; i++) {
		uint8_t oid[] = { 0x2a, 0x03, (uint8_t)i };

		attr(out, span_of(oid, 3), DER_OCTETS,
		    DER_BYTES(
			"xxxxxxxx"
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"));
	}
}

static void
sign(EVP_PKEY *key, struct span data, struct buf *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t sig[1024];
	size_t n = sizeof(sig);

	assert_int_equal(
	    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestSign(ctx, sig, &n, data.p, data.len), 1);
	assert_true(buf_add(out, sig, n));
	EVP_MD_CTX_free(ctx);
}

static void
put_alg(struct buf *out, struct span oid)
{
	struct buf body = BUF_INIT;

	put(&body, DER_OID, oid);
	put(&body, DER_NULL, span_of(NULL, 0));
	put(out, DER_SEQUENCE, buf_span(&body));
	buf_release(&body);
}

/* The SignerInfo over this content. */
static void
signer_info(const struct wrong *w, const struct actor *by, struct span content,
    struct buf *out)
{
	struct buf attrs = BUF_INIT, signed_as = BUF_INIT, sig = BUF_INIT;
	struct buf body = BUF_INIT, sid = BUF_INIT;
	struct cert_view v;
	uint8_t hash[SHA256_LEN];
	struct buf der = BUF_INIT;
	unsigned char *p = NULL;

	cms_take(&der, &p, i2d_X509(by->cert, &p));
	assert_int_equal(cert_view(buf_span(&der), &v), OK);
	assert_int_equal(sha256(content, hash), OK);
	hash[0] ^= w->bad_digest;
	attributes(w, span_of(hash, sizeof(hash)),
	    w->unsorted || w->sorted_signed, &attrs);
	attributes(w, span_of(hash, sizeof(hash)), w->unsorted, &signed_as);
	wrap(&signed_as, DER_SET);
	sign(by->key, buf_span(&signed_as), &sig);
	sig.data[sig.len / 2] ^= w->bad_signature;
	put(&body, DER_INTEGER, DER_BYTES("\x01"));
	assert_true(buf_add(&sid, v.issuer.p, v.issuer.len));
	put(&sid, DER_INTEGER, v.serial);
	put(&body, DER_SEQUENCE, buf_span(&sid));
	put_alg(&body, or_else(w->digest_oid,
			   DER_BYTES("\x60\x86\x48\x01\x65\x03\x04\x02\x01")));
	put(&body, DER_NESTED, buf_span(&attrs));
	put_alg(&body, or_else(w->sig_oid, DER_BYTES("\x2a\x86\x48\x86\xf7\x0d"
						     "\x01\x01\x01")));
	put(&body, DER_OCTETS, buf_span(&sig));
	if (w->unsigned_attrs) {
		struct buf un = BUF_INIT;

		one_attr(&un, w, w->drop, span_of(hash, sizeof(hash)));
		put(&body, DER_NESTED + 1, buf_span(&un));
		buf_release(&un);
	}
	put(out, DER_SEQUENCE, buf_span(&body));
	buf_release(&attrs);
	buf_release(&signed_as);
	buf_release(&sig);
	buf_release(&body);
	buf_release(&sid);
	buf_release(&der);
}

static void
put_content(const struct wrong *w, struct span content, struct buf *out)
{
	struct buf encap = BUF_INIT, octets = BUF_INIT;

	put(&encap, DER_OID, or_else(w->type_oid, DER_BYTES(P7 "\x01")));
	put(&octets, DER_OCTETS, content);
	if (!w->bare)
		put(&encap, DER_NESTED, buf_span(&octets));
	put(out, DER_SEQUENCE, buf_span(&encap));
	buf_release(&encap);
	buf_release(&octets);
}

/* A SignedData over content, with what w says wrong. */
static void
handmade(const struct wrong *w, struct span content, struct buf *out)
{
	const struct actor *by = w->by ? w->by : &device;
	uint8_t version = (uint8_t)(w->version ? w->version : 1);
	struct buf body = BUF_INIT, signers = BUF_INIT, certs = BUF_INIT;
	struct buf der = BUF_INIT;
	unsigned char *p = NULL;

	cms_take(&der, &p, i2d_X509(by->cert, &p));
	put(&body, DER_INTEGER, span_of(&version, 1));
	put(&body, DER_SET, span_of(NULL, 0)); /* C-51 */
	put_content(w, content, &body);
	for (size_t i = 0; i <= w->certs; i++)
		assert_true(buf_add(&certs, der.data, der.len));
	if (!w->no_cert)
		put(&body, DER_NESTED, buf_span(&certs));
	for (size_t i = 0; !w->no_signers && i <= w->signers; i++)
		signer_info(
		    w, by, w->bare ? span_of("", 0) : content, &signers);
	put(&body, DER_SET, buf_span(&signers));
	wrap(&body, DER_SEQUENCE);
	wrap(&body, DER_NESTED);
	buf_clear(out);
	put(out, DER_OID, DER_BYTES(P7 "\x02"));
	assert_true(buf_add(out, body.data, body.len));
	wrap(out, DER_SEQUENCE);
	if (w->tail.len > 0)
		assert_true(buf_add(out, w->tail.p, w->tail.len));
	buf_release(&body);
	buf_release(&signers);
	buf_release(&certs);
	buf_release(&der);
}

#define OID(s)                                      \
	{                                           \
		(const uint8_t *)(s), sizeof(s) - 1 \
	}
#define OID_ENVELOPED OID(P7 "\x03")
#define OID_MD5	      OID("\x2a\x86\x48\x86\xf7\x0d\x02\x05")
#define OID_SHA224    OID("\x60\x86\x48\x01\x65\x03\x04\x02\x04")
#define OID_SHA256RSA OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b")
#define OID_SHA512RSA OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d")
#define OID_PSS	      OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a")
#define OID_ECDSA256  OID("\x2a\x86\x48\xce\x3d\x04\x03\x02")
#define LONG50	      "01234567890123456789012345678901234567890123456789"

static const struct {
	struct wrong w;
	enum err e;
	enum failinfo fail;
} cases[] = {
	/* C-43 */
	{ { .version = 0 }, OK, FAIL_NONE },
	{ { .version = 3 }, OK, FAIL_NONE },
	{ { .version = 2 }, ERR_INPUT, FAIL_NONE },
	{ { .unsorted = true }, OK, FAIL_NONE },      /* C-46, as received */
	{ { .sorted_signed = true }, OK, FAIL_NONE }, /* C-46, re-sorted */
	/* C-91 */
	{ { .tail = { (const uint8_t *)"\r\n", 2 } }, OK, FAIL_NONE },
	{ { .tail = { (const uint8_t *)"\n", 1 } }, OK, FAIL_NONE },
	{ { .tail = { (const uint8_t *)"\n\n\n", 3 } }, ERR_INPUT, FAIL_NONE },
	{ { .tail = { (const uint8_t *)"x", 1 } }, ERR_INPUT, FAIL_NONE },
	{ { .signers = 1 }, ERR_INPUT, FAIL_NONE }, /* C-45 */
	{ { .no_signers = true }, ERR_INPUT, FAIL_NONE },
	{ { .drop = A_TXID }, ERR_INPUT, FAIL_NONE }, /* C-158 */
	/* C-59, C-66: what is not signed does not count */
	{ { .drop = A_NONCE }, ERR_INPUT, FAIL_NONE },
	{ { .drop = A_NONCE, .unsigned_attrs = true }, ERR_INPUT, FAIL_NONE },
	{ { .twice = A_TXID }, ERR_INPUT, FAIL_NONE },
	{ { .twice = A_NONCE }, ERR_INPUT, FAIL_NONE },
	{ { .values = A_TXID }, ERR_INPUT, FAIL_NONE },
	{ { .values = A_NONCE }, ERR_INPUT, FAIL_NONE },
	{ { .nonce = { (const uint8_t *)"1234567", 7 } }, ERR_INPUT,
	    FAIL_NONE },
	{ { .nonce = { (const uint8_t *)"12345678", 8 } }, OK, FAIL_NONE },
	{ { .nonce = { (const uint8_t *)LONG50 LONG50, 65 } }, ERR_INPUT,
	    FAIL_NONE },
	{ { .txid = { (const uint8_t *)"", 0 } }, ERR_INPUT, FAIL_NONE },
	{ { .txid = { (const uint8_t *)
			  LONG50 LONG50 LONG50 LONG50 LONG50 LONG50,
		255 } },
	    OK, FAIL_NONE },
	{ { .txid = { (const uint8_t *)
			  LONG50 LONG50 LONG50 LONG50 LONG50 LONG50,
		256 } },
	    ERR_INPUT, FAIL_NONE },
	{ { .txid = { (const uint8_t *)"../../x\0'\"", 10 } }, OK, FAIL_NONE },
	{ { .txid_tag = DER_UTF8 }, OK, FAIL_NONE },
	{ { .txid_tag = DER_OCTETS }, ERR_INPUT, FAIL_NONE },
	{ { .many = MAX_ATTRIBUTES - 5 }, OK, FAIL_NONE }, /* C-65, C-52 */
	{ { .many = MAX_ATTRIBUTES - 4 }, ERR_INPUT, FAIL_NONE },
	{ { .certs = MAX_CERTS - 1 }, OK, FAIL_NONE },
	{ { .certs = MAX_CERTS }, ERR_INPUT, FAIL_NONE },
	/* C-159 */
	{ { .bad_signature = true }, OK, FAIL_BADMESSAGECHECK },
	{ { .bad_digest = true }, OK, FAIL_BADMESSAGECHECK },
	{ { .no_cert = true }, OK, FAIL_BADMESSAGECHECK },
	{ { .drop = A_CONTENT }, OK, FAIL_BADMESSAGECHECK },
	{ { .drop = A_DIGEST }, OK, FAIL_BADMESSAGECHECK },
	{ { .twice = A_CONTENT }, OK, FAIL_BADMESSAGECHECK },
	{ { .twice = A_DIGEST }, OK, FAIL_BADMESSAGECHECK },
	{ { .values = A_DIGEST }, OK, FAIL_BADMESSAGECHECK },
	{ { .content_oid = OID_ENVELOPED }, OK, FAIL_BADMESSAGECHECK },
	{ { .type_oid = OID_ENVELOPED }, OK, FAIL_BADMESSAGECHECK },
	{ { .bad_signature = true, .twice = A_TYPE }, OK,
	    FAIL_BADMESSAGECHECK },
	/* C-55, C-162 */
	{ { .drop = A_TYPE }, OK, FAIL_BADREQUEST },
	{ { .twice = A_TYPE }, OK, FAIL_BADREQUEST },
	{ { .values = A_TYPE }, OK, FAIL_BADREQUEST },
	{ { .type = "3" }, OK, FAIL_BADREQUEST },
	/* no eContent: not enveloped */
	{ { .bare = true }, OK, FAIL_BADREQUEST },
	/* C-160, C-66 */
	{ { .digest_oid = OID_MD5 }, OK, FAIL_BADALG },
	{ { .digest_oid = OID_SHA224 }, OK, FAIL_BADALG },
	{ { .sig_oid = OID_SHA512RSA }, OK, FAIL_BADALG }, /* C-50 */
	{ { .sig_oid = OID_PSS }, OK, FAIL_BADALG },
	{ { .sig_oid = OID_ECDSA256 }, OK, FAIL_BADALG },
	{ { .sig_oid = OID_SHA256RSA }, OK, FAIL_NONE },
};

static void
attributes_and_signers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buf der = BUF_INIT;
		struct pkimsg msg;
		enum err e;

		handmade(&cases[i].w, buf_span(&envelope), &der);
		e = message_open(house.list, 1, &all, buf_span(&der), &msg);
		if (e != cases[i].e || msg.fail != cases[i].fail)
			fail_msg("case %zu: %d, %s, %s", i, (int)e,
			    failinfo_name(msg.fail),
			    msg.reason ? msg.reason : "no reason");
		if (e == OK) {
			assert_true(msg.txid.len > 0 && msg.nonce.len >= 8);
			assert_true(
			    (msg.reason != NULL) == (msg.fail != FAIL_NONE));
			assert_true(
			    (msg.csr.der.len > 0) == (msg.fail == FAIL_NONE));
		} else {
			assert_non_null(msg.reason);
		}
		pkimsg_release(&msg);
		buf_release(&der);
	}
}

static void
not_messages(void **state)
{
	static const char *const text[] = { "", "\n", "GET", "0", "\x30",
		"-----BEGIN PKCS7-----" };
	uint8_t *big = calloc(1, MAX_BODY + 1);
	struct pkimsg msg;

	(void)state;
	for (size_t i = 0; i < sizeof(text) / sizeof(*text); i++) {
		assert_int_equal(message_open(house.list, 1, &all,
				     span_of(text[i], strlen(text[i])), &msg),
		    ERR_INPUT);
		assert_non_null(msg.reason);
		pkimsg_release(&msg);
	}
	assert_int_equal(
	    message_open(house.list, 1, &all, span_of(big, MAX_BODY + 1), &msg),
	    ERR_INPUT);
	pkimsg_release(&msg);
	pkimsg_release(&msg); /* twice is fine */
	assert_int_equal(
	    message_open(house.list, 1, &all, span_of(NULL, 0), &msg),
	    ERR_INPUT);
	pkimsg_release(&msg);
	free(big);
}

/* A signer nobody has a certificate of: another's in its place. */
static void
foreign_certificate(void **state)
{
	struct actor liar = { NULL, NULL };
	struct wrong w = { .by = &liar };
	struct buf der = BUF_INIT;
	struct pkimsg msg;

	(void)state;
	/* the device's certificate, somebody else's key */
	liar.key = EVP_RSA_gen(2048);
	liar.cert = device.cert;
	handmade(&w, buf_span(&envelope), &der);
	assert_int_equal(
	    message_open(house.list, 1, &all, buf_span(&der), &msg), OK);
	assert_int_equal(msg.fail, FAIL_BADMESSAGECHECK);
	pkimsg_release(&msg);
	buf_release(&der);
	EVP_PKEY_free(liar.key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attributes_and_signers),
		cmocka_unit_test(not_messages),
		cmocka_unit_test(foreign_certificate),
	};

	return cmocka_run_group_tests_name(
	    "refused messages", tests, setup, teardown);
}
