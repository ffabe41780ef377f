/* The reader of PKCS#10 requests (C-106 to C-111, C-117). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/limits.h"
#include "ca/der.h"
#include "tests/unit/cms.h"

#define P9	  "\x2a\x86\x48\x86\xf7\x0d\x01\x09"
#define CHALLENGE DER_BYTES(P9 "\x07")
#define EXTREQ	  DER_BYTES(P9 "\x0e")
#define MICROSOFT DER_BYTES("\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x0e")
#define VERISIGN  DER_BYTES("\x60\x86\x48\x01\x86\xf8\x45\x01\x09\x08")
#define SAN	  DER_BYTES("\x55\x1d\x11")
#define SAN_A	  DER_BYTES("\x30\x03\x82\x01\x61") /* dNSName a */
#define SAN_B	  DER_BYTES("\x30\x03\x82\x01\x62")

static EVP_PKEY *key;

static int
setup(void **state)
{
	(void)state;
	key = EVP_RSA_gen(2048);
	return key == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
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

/* SEQUENCE { oid, SET { value } }; value is DER already. */
static void
attr(struct buf *out, struct span oid, struct span value)
{
	struct buf body = BUF_INIT;

	put(&body, DER_OID, oid);
	put(&body, DER_SET, value);
	put(out, DER_SEQUENCE, buf_span(&body));
	buf_release(&body);
}

/* An attribute with one string. */
static void
text(struct buf *out, struct span oid, int tag, struct span value)
{
	struct buf s = BUF_INIT;

	put(&s, tag, value);
	attr(out, oid, buf_span(&s));
	buf_release(&s);
}

/* An attribute of one extension. */
static void
extension(
    struct buf *out, struct span attribute, struct span oid, struct span value)
{
	struct buf ext = BUF_INIT;

	put(&ext, DER_OID, oid);
	put(&ext, DER_BOOLEAN, DER_BYTES("\xff"));
	put(&ext, DER_OCTETS, value);
	wrap(&ext, DER_SEQUENCE);
	wrap(&ext, DER_SEQUENCE);
	attr(out, attribute, buf_span(&ext));
	buf_release(&ext);
}

/* certificationRequestInfo around attributes, signed with SHA-256. */
static void
request(int version, const struct buf *attributes, struct buf *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t sig[512] = { 0 }, v = (uint8_t)version;
	unsigned char *spki = NULL;
	struct buf info = BUF_INIT;
	size_t n = sizeof(sig) - 1;
	int len = i2d_PUBKEY(key, &spki);

	put(&info, DER_INTEGER, span_of(&v, 1));
	assert_int_equal(dn_parse("CN=router1", &info), OK);
	assert_true(buf_add(&info, spki, (size_t)len));
	if (attributes != NULL)
		put(&info, DER_NESTED, buf_span(attributes));
	wrap(&info, DER_SEQUENCE);
	EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key);
	assert_int_equal(
	    EVP_DigestSign(ctx, sig + 1, &n, info.data, info.len), 1);
	buf_clear(out);
	assert_true(buf_add(out, info.data, info.len));
	put(out, DER_SEQUENCE,
	    DER_BYTES("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00"));
	put(out, DER_BITS, span_of(sig, n + 1));
	wrap(out, DER_SEQUENCE);
	OPENSSL_free(spki);
	EVP_MD_CTX_free(ctx);
	buf_release(&info);
}

/* What must come out; NULL challenge: refused by a rule. */
static void
reads(const struct buf *der, const char *challenge, struct span san)
{
	struct csr csr;
	const char *reason = NULL;
	bool verified = false;
	enum err e = csr_read(buf_span(der), &csr, &verified, &reason);

	if (challenge == NULL) {
		assert_int_equal(e, ERR_INPUT);
		assert_non_null(reason);
		assert_int_equal(csr.der.len, 0);
	} else {
		assert_int_equal(e, OK);
		assert_true(verified);
		assert_string_equal(buf_cstr(&csr.challenge), challenge);
		assert_int_equal(csr.challenge.len, strlen(challenge));
		assert_true(span_eq(csr.san, san));
		assert_int_equal(strlen(csr.digest), 64);
		assert_true(span_eq(buf_span(&csr.der), buf_span(der)));
	}
	csr_release(&csr);
}

static void
reads_attrs(struct buf *attrs, const char *challenge, struct span san)
{
	struct buf der = BUF_INIT;

	request(0, attrs, &der);
	reads(&der, challenge, san);
	buf_release(&der);
	buf_release(attrs);
}

static const struct span none = { NULL, 0 };

/* C-108, C-109 */
static void
versions(void **state)
{
	struct buf der = BUF_INIT, empty = BUF_INIT;

	(void)state;
	for (int v = 0; v <= 2; v++) {
		request(v, &empty, &der);
		reads(&der, "", none);
		request(v, NULL, &der);
		reads(&der, "", none);
	}
	request(3, &empty, &der);
	reads(&der, NULL, none);
	buf_release(&der);
}

#define U "\xc3\xbc" /* u with dots */
static const struct {
	int tag;
	const uint8_t *in;
	size_t len;
	const char *out; /* NULL: refused */
} strings[] = {
#define ROW(s) (const uint8_t *)(s), sizeof(s) - 1
	{ DER_PRINT, ROW("secret"), "secret" },
	{ DER_UTF8, ROW("s" U), "s" U },
	{ DER_UTF8, ROW("s\xff"), NULL },
	{ DER_T61, ROW("s\xfc"), "s" U },
	{ DER_IA5, ROW("secret"), "secret" },
	{ DER_BMP, ROW("\0s\0\xfc"), "s" U },
	{ DER_BMP, ROW("\0s\0"), NULL },
	{ 0x1c, ROW("\0\0\0s\0\0\0\xfc"), "s" U },
	{ 0x1c, ROW("\0\0\0s\0"), NULL },
	{ DER_UTF8, ROW(""), "" }, /* C-111 */
	{ DER_PRINT, ROW(""), "" },
	{ DER_UTF8, ROW("a\0b"), NULL },
	{ DER_BMP, ROW("\0a\0\0"), NULL },
	{ DER_INTEGER, ROW("\x05"), NULL },
	{ DER_OCTETS, ROW("secret"), NULL },
};

/* C-110, directly and inside extensionRequest */
static void
challenges(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(strings) / sizeof(*strings); i++) {
		struct span in = span_of(strings[i].in, strings[i].len);
		struct buf attrs = BUF_INIT, value = BUF_INIT;

		text(&attrs, CHALLENGE, strings[i].tag, in);
		reads_attrs(&attrs, strings[i].out, none);
		put(&value, strings[i].tag, in);
		extension(&attrs, EXTREQ, CHALLENGE, buf_span(&value));
		reads_attrs(&attrs, strings[i].out, none);
		buf_release(&value);
	}
}

/* One too long, one as long as may be, in bytes of UTF-8 too. */
static void
long_challenges(void **state)
{
	(void)state;
	for (size_t n = MAX_CHALLENGE; n <= MAX_CHALLENGE + 1; n++) {
		struct buf attrs = BUF_INIT, ascii = BUF_INIT;
		struct buf wide = BUF_INIT;
		bool good = n == MAX_CHALLENGE;

		for (size_t i = 0; i < n; i++)
			assert_true(buf_str(&ascii, "x") && buf_str(&wide, U));
		text(&attrs, CHALLENGE, DER_PRINT, buf_span(&ascii));
		reads_attrs(&attrs, good ? buf_cstr(&ascii) : NULL, none);
		text(&attrs, CHALLENGE, DER_UTF8, buf_span(&wide));
		reads_attrs(&attrs, good ? buf_cstr(&wide) : NULL, none);
		buf_release(&ascii);
		buf_release(&wide);
	}
}

/* Two attributes, two values, one here and one there. */
static void
two_challenges(void **state)
{
	struct span a = DER_BYTES("a"), value = DER_BYTES("\x0c\x01"
							  "a");
	struct buf attrs = BUF_INIT;

	(void)state;
	text(&attrs, CHALLENGE, DER_UTF8, a);
	text(&attrs, CHALLENGE, DER_UTF8, a);
	reads_attrs(&attrs, NULL, none);
	attr(&attrs, CHALLENGE,
	    DER_BYTES("\x0c\x01"
		      "a\x0c\x01"
		      "a"));
	reads_attrs(&attrs, NULL, none);
	attr(&attrs, CHALLENGE, none);
	reads_attrs(&attrs, NULL, none);
	text(&attrs, CHALLENGE, DER_UTF8, a);
	extension(&attrs, EXTREQ, CHALLENGE, value);
	reads_attrs(&attrs, NULL, none);
}

/* C-117, C-62: the third spelling is Verisign's */
static void
alt_names(void **state)
{
	struct span kinds[] = { EXTREQ, MICROSOFT, VERISIGN };
	struct buf attrs = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		extension(&attrs, kinds[i], SAN, SAN_A);
		reads_attrs(&attrs, "", SAN_A);
	}
	extension(&attrs, EXTREQ, SAN, SAN_A);
	extension(&attrs, MICROSOFT, SAN, SAN_A);
	reads_attrs(&attrs, "", SAN_A);
	extension(&attrs, EXTREQ, SAN, SAN_A);
	extension(&attrs, MICROSOFT, SAN, SAN_B);
	reads_attrs(&attrs, NULL, none);
	extension(&attrs, EXTREQ, SAN, DER_BYTES("\x30\x00"));
	reads_attrs(&attrs, "", none);
	extension(&attrs, EXTREQ, SAN, DER_BYTES("\x04\x00"));
	reads_attrs(&attrs, NULL, none);
	extension(&attrs, EXTREQ, SAN, DER_BYTES("\x30\x02\x82\x00"));
	reads_attrs(&attrs, NULL, none);
	/* CA:TRUE is not even looked at (C-178) */
	extension(&attrs, EXTREQ, DER_BYTES("\x55\x1d\x13"),
	    DER_BYTES("\x30\x03\x01\x01\xff"));
	reads_attrs(&attrs, "", none);
	/* what is no list of extensions */
	attr(&attrs, EXTREQ, DER_BYTES("\x04\x00"));
	reads_attrs(&attrs, NULL, none);
	attr(&attrs, EXTREQ, DER_BYTES("\x30\x02\x05\x00"));
	reads_attrs(&attrs, NULL, none);
}

/* C-117: each once, in order, for the profile to choose from. */
static void
keeps_extensions(void **state)
{
	struct span one = DER_BYTES("\x2a\x03"), two = DER_BYTES("\x2a\x04");
	struct span null = DER_BYTES("\x05\x00");
	struct buf attrs = BUF_INIT, der = BUF_INIT;
	const char *reason = NULL;
	bool verified = false;
	struct csr csr;

	(void)state;
	extension(&attrs, EXTREQ, one, null);
	extension(&attrs, MICROSOFT, one, null);
	extension(&attrs, MICROSOFT, two, null);
	extension(&attrs, VERISIGN, one, SAN_A);
	request(0, &attrs, &der);
	assert_int_equal(
	    csr_read(buf_span(&der), &csr, &verified, &reason), OK);
	assert_int_equal(csr.nasked, 3);
	assert_true(span_eq(csr.asked[0].oid, one));
	assert_true(span_eq(csr.asked[0].value, null));
	assert_true(csr.asked[0].critical);
	assert_true(span_eq(csr.asked[1].oid, two));
	assert_true(span_eq(csr.asked[2].oid, one));
	assert_true(span_eq(csr.asked[2].value, SAN_A));
	csr_release(&csr);
	assert_int_equal(csr.nasked, 0);
	buf_release(&attrs);
	buf_release(&der);
}

static void
too_many(void **state)
{
	struct buf attrs = BUF_INIT, list = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < MAX_ATTRIBUTES; i++)
		attr(&attrs, DER_BYTES("\x2a\x03"), DER_BYTES("\x05\x00"));
	reads_attrs(&attrs, "", none);
	for (size_t i = 0; i <= MAX_ATTRIBUTES; i++)
		attr(&attrs, DER_BYTES("\x2a\x03"), DER_BYTES("\x05\x00"));
	reads_attrs(&attrs, NULL, none);
	for (size_t i = 0; i <= MAX_EXTENSIONS; i++)
		put(&list, DER_SEQUENCE, DER_BYTES("\x06\x01\x2a\x04\x00"));
	wrap(&list, DER_SEQUENCE);
	attr(&attrs, EXTREQ, buf_span(&list));
	reads_attrs(&attrs, NULL, none);
	buf_release(&list);
}

/* Real ones of every key, as OpenSSL writes them; damaged, not verified. */
static void
signatures(void **state)
{
	EVP_PKEY *keys[] = { EVP_RSA_gen(1024), EVP_EC_gen("P-256"),
		EVP_EC_gen("P-521"), EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const EVP_MD *md = i == 3 ? NULL : EVP_sha512();
		struct buf der = BUF_INIT;
		struct csr csr;
		const char *reason = NULL;
		bool verified = false;

		csr_make(keys[i], md, "x", MBSTRING_UTF8, &der);
		reads(&der, "x", none);
		der.data[der.len - 1] ^= 1;
		assert_int_equal(
		    csr_read(buf_span(&der), &csr, &verified, &reason), OK);
		assert_false(verified);
		csr_release(&csr);
		buf_release(&der);
		EVP_PKEY_free(keys[i]);
	}
}

/* Any damage: read or not, never verified, never a crash. */
static void
damage(void **state)
{
	struct buf der = BUF_INIT, attrs = BUF_INIT;
	struct csr csr;
	const char *reason;
	bool verified;

	(void)state;
	text(&attrs, CHALLENGE, DER_BMP, DER_BYTES("\0s\0e"));
	extension(&attrs, EXTREQ, SAN, SAN_A);
	request(0, &attrs, &der);
	for (size_t i = 0; i < der.len * 8; i++) {
		der.data[i / 8] ^= (uint8_t)(1 << i % 8);
		(void)csr_read(buf_span(&der), &csr, &verified, &reason);
		assert_false(verified);
		csr_release(&csr);
		der.data[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t n = 0; n < der.len; n++) {
		uint8_t *cut = malloc(n + 1);

		memcpy(cut, der.data, n);
		assert_int_equal(
		    csr_read(span_of(cut, n), &csr, &verified, &reason),
		    ERR_INPUT);
		csr_release(&csr);
		free(cut);
	}
	assert_true(buf_str(&der, "x"));
	assert_int_equal(
	    csr_read(buf_span(&der), &csr, &verified, &reason), ERR_INPUT);
	csr_release(&csr);
	buf_release(&der);
	buf_release(&attrs);
}

/* C-109: BER around the signed part; what was signed is DER. */
static void
indefinite(void **state)
{
	struct buf der = BUF_INIT, ber = BUF_INIT;
	struct span body;
	struct csr csr;
	const char *reason = NULL;
	bool verified = false;

	(void)state;
	csr_make(key, EVP_sha256(), "x", MBSTRING_UTF8, &der);
	assert_true(der_one(buf_span(&der), DER_SEQUENCE, &body));
	assert_true(buf_add(&ber, "\x30\x80", 2) &&
		    buf_add(&ber, body.p, body.len) &&
		    buf_add(&ber, "\0\0", 2));
	assert_int_equal(
	    csr_read(buf_span(&ber), &csr, &verified, &reason), OK);
	assert_true(verified);
	assert_true(span_eq(buf_span(&csr.der), buf_span(&der)));
	csr_release(&csr);
	buf_release(&der);
	buf_release(&ber);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions),
		cmocka_unit_test(challenges),
		cmocka_unit_test(long_challenges),
		cmocka_unit_test(two_challenges),
		cmocka_unit_test(alt_names),
		cmocka_unit_test(keeps_extensions),
		cmocka_unit_test(too_many),
		cmocka_unit_test(signatures),
		cmocka_unit_test(damage),
		cmocka_unit_test(indefinite),
	};

	return cmocka_run_group_tests_name("csr", tests, setup, teardown);
}
