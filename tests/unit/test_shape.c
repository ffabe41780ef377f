/* What a profile makes of a request (C-117, C-178, C-186, C-189 to C-192). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/log.h"
#include "ca/der.h"
#include "ca/profile.h"

#define NOW 1700000000

static struct buf rsa, ec, ed; /* SubjectPublicKeyInfo */
static struct generation gen = { .n = 7,
	.not_before = NOW - 300,
	.not_after = NOW + 1000 };

static void
make(EVP_PKEY *key, struct buf *spki)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);

	assert_true(len > 0 && buf_add(spki, der, (size_t)len));
	OPENSSL_free(der);
	EVP_PKEY_free(key);
}

static int
setup(void **state)
{
	(void)state;
	make(EVP_RSA_gen(2048), &rsa);
	make(EVP_EC_gen("P-256"), &ec);
	make(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), &ed);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	buf_release(&rsa);
	buf_release(&ec);
	buf_release(&ed);
	return 0;
}

static struct profile *
profile(const char *text)
{
	struct buf all = BUF_INIT;
	struct profile *p = NULL;

	assert_true(buf_printf(&all, "[certificate]\n%s", text));
	assert_int_equal(profile_parse("x", "x", buf_span(&all), &p), OK);
	buf_release(&all);
	return p;
}

/* Shapes, and says what it came to. */
static enum err
shape(const char *text, const struct leaf *leaf, struct shape *out,
    struct profile **p, const char **why)
{
	*p = profile(text);
	return profile_shape(*p, &gen, leaf, NOW, out, why);
}

static void
cuts_times(void **state)
{
	static const struct {
		const char *text;
		int64_t from, until; /* from now; until 0: refused */
	} rows[] = {
		{ "validity = 500s\nbackdate = 100s\n", -100, 500 },
		{ "validity = 1000s\nbackdate = 300s\n", -300, 1000 },
		{ "validity = 1d\nbackdate = 10m\n", -300, 1000 },
		{ "validity = 2023-11-14T22:20:00Z\nbackdate = 0s\n", 0, 400 },
		{ "validity = 2099-01-01\nbackdate = 0s\n", 0, 1000 },
		{ "validity = 2023-11-14T22:13:20Z\n", 0, 0 },
		{ "validity = 2001-01-01\n", 0, 0 },
	};
	struct leaf leaf = { .spki = buf_span(&rsa) };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct profile *p = NULL;
		const char *why = NULL;
		struct shape s;
		enum err e = shape(rows[i].text, &leaf, &s, &p, &why);

		assert_int_equal(e, rows[i].until ? OK : ERR_REFUSED);
		if (e == OK) {
			assert_int_equal(s.not_before, NOW + rows[i].from);
			assert_int_equal(s.not_after, NOW + rows[i].until);
		} else {
			assert_string_equal(
			    why, "the profile's validity has ended");
		}
		shape_release(&s);
		profile_free(p);
	}
}

/* Who said yes wanted less; more than the profile's is the profile's. */
static void
cuts_by_judge(void **state)
{
	static const struct {
		const char *text;
		int64_t validity, until; /* from now */
	} rows[] = {
		{ "validity = 500s\nbackdate = 100s\n", 0, 500 },
		{ "validity = 500s\nbackdate = 100s\n", 1, 1 },
		{ "validity = 500s\nbackdate = 100s\n", 499, 499 },
		{ "validity = 500s\nbackdate = 100s\n", 501, 500 },
		{ "validity = 1d\nbackdate = 0s\n", INT64_MAX, 1000 },
		{ "validity = 2099-01-01\nbackdate = 0s\n", 300, 300 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct leaf leaf = { .spki = buf_span(&rsa),
			.validity = rows[i].validity };
		struct profile *p = NULL;
		const char *why = NULL;
		struct shape s;

		assert_int_equal(shape(rows[i].text, &leaf, &s, &p, &why), OK);
		assert_int_equal(s.not_after, NOW + rows[i].until);
		shape_release(&s);
		profile_free(p);
	}
}

#define USAGE(bytes)                                         \
	{                                                    \
		OID_KEY_USAGE, true, DER_BYTES("\x03" bytes) \
	}

/* A request narrows the key usage; nothing widens it. */
static void
narrows_usage(void **state)
{
	const struct extension asked[] = { USAGE("\x02\x07\x80"),
		USAGE("\x02\x01\x86"), USAGE("\x02\x01\x06"),
		USAGE("\x03\x07\x00\x80"), USAGE("\x01\x00"),
		USAGE("\x02\x08\x80"),
		{ OID_KEY_USAGE, true, DER_BYTES("\x05\x00") } };
	const struct {
		const struct buf *spki;
		const char *text;
		size_t asked; /* which of them; 9: none */
		unsigned usage;
		const char *why;
	} rows[] = {
		{ &rsa, "", 9, 0xa0, NULL },
		{ &ec, "", 9, 0x80, NULL },
		{ &ed, "", 9, 0x80, NULL },
		{ &ec, "keyusageec = digitalSignature, keyAgreement\n", 9, 0x88,
		    NULL },
		{ &ed, "keyusageec = digitalSignature, keyAgreement\n", 9, 0x80,
		    NULL },
		{ &ed, "keyusageec = keyAgreement\n", 9, 0,
		    "the profile has no key usage for this type of key" },
		{ &rsa, "", 0, 0xa0, NULL }, /* not copied: not looked at */
		{ &rsa, "", 6, 0xa0, NULL },
		{ &rsa, "copy = keyUsage\n", 9, 0xa0, NULL },
		{ &rsa, "copy = keyUsage\n", 0, 0x80, NULL },
		{ &rsa, "copy = keyUsage\n", 1, 0x80, NULL },
		{ &rsa, "copy = keyUsage\n", 2, 0,
		    "no requested key usage is the profile's" },
		{ &rsa, "copy = keyUsage\n", 3, 0,
		    "no requested key usage is the profile's" },
		{ &rsa, "copy = keyUsage\n", 4, 0,
		    "the requested keyUsage is unreadable" },
		{ &rsa, "copy = keyUsage\n", 5, 0,
		    "the requested keyUsage is unreadable" },
		{ &rsa, "copy = keyUsage\n", 6, 0,
		    "the requested keyUsage is unreadable" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		size_t which = rows[i].asked;
		struct leaf leaf = { .spki = buf_span(rows[i].spki),
			.asked = which == 9 ? NULL : &asked[which],
			.nasked = which != 9 };
		struct profile *p = NULL;
		const char *why = NULL;
		struct shape s;
		enum err e = shape(rows[i].text, &leaf, &s, &p, &why);

		assert_int_equal(e, rows[i].why ? ERR_REFUSED : OK);
		if (rows[i].why != NULL)
			assert_string_equal(why, rows[i].why);
		else
			assert_int_equal(s.usage, rows[i].usage);
		shape_release(&s);
		profile_free(p);
	}
}

#define CLIENT "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02"
#define OCSP   "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x09"

static void
narrows_eku(void **state)
{
	const struct extension both[] = {
		{ OID_EKU, false, DER_BYTES("\x30\x14" OCSP CLIENT) },
		{ OID_EKU, false, DER_BYTES("\x30\x0a" OCSP) },
		{ OID_EKU, false, DER_BYTES("\x06\x01\x2a") },
	};
	static const char text[] =
	    "eku = serverAuth, clientAuth\ncopy = extendedKeyUsage\n";
	struct leaf leaf = { .spki = buf_span(&rsa) };
	struct profile *p = NULL;
	const char *why = NULL;
	struct shape s;

	(void)state;
	assert_int_equal(shape(text, &leaf, &s, &p, &why), OK);
	assert_non_null(s.eku[1]); /* nothing asked: all of them */
	shape_release(&s);
	profile_free(p);
	leaf.nasked = 1;
	leaf.asked = &both[0];
	assert_int_equal(shape(text, &leaf, &s, &p, &why), OK);
	assert_string_equal(s.eku[0], "1.3.6.1.5.5.7.3.2");
	assert_null(s.eku[1]);
	shape_release(&s);
	profile_free(p);
	leaf.asked = &both[1];
	assert_int_equal(shape(text, &leaf, &s, &p, &why), ERR_REFUSED);
	assert_non_null(strstr(why, "extended key usage"));
	profile_free(p);
	leaf.asked = &both[2];
	assert_int_equal(shape(text, &leaf, &s, &p, &why), ERR_REFUSED);
	assert_non_null(strstr(why, "unreadable"));
	profile_free(p);
	leaf.asked = both; /* two that differ */
	leaf.nasked = 2;
	assert_int_equal(shape(text, &leaf, &s, &p, &why), ERR_REFUSED);
	assert_non_null(strstr(why, "twice"));
	profile_free(p);
	assert_int_equal(shape("", &leaf, &s, &p, &why), OK); /* not copied */
	shape_release(&s);
	profile_free(p);
}

#define SID_HEAD                                                           \
	"\x30\x1d\xa0\x1b\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x19\x02\x01" \
	"\xa0\x0d\x04\x0b"
#define SID_OTHER                                                          \
	"\x30\x1d\xa0\x1b\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x19\x02\x02" \
	"\xa0\x0d\x04\x0b"

/* C-193, C-194: only what is listed, whole, readable, and never critical. */
static void
copies_what_is_listed(void **state)
{
	static uint8_t big[MAX_COPIED + 1] = { 0x04, 0x82, 0x0f, 0xfd };
	const struct {
		const char *copy;
		struct extension ext;
		size_t copied;
		const char *why;
	} rows[] = {
		{ "1.2.3", { DER_BYTES("\x2a\x03"), true, DER_BYTES("\x05\0") },
		    1, NULL },
		{ "1.2.4", { DER_BYTES("\x2a\x03"), true, DER_BYTES("\x05\0") },
		    0, NULL },
		{ "none", { OID_SID, false, DER_BYTES("\x05\0") }, 0, NULL },
		{ "1.2.3", { DER_BYTES("\x2a\x03"), false, DER_BYTES("\x05") },
		    0, "not DER" },
		{ "1.2.3",
		    { DER_BYTES("\x2a\x03"), false, DER_BYTES("\x05\0\0") }, 0,
		    "not DER" },
		{ "1.2.3", { DER_BYTES("\x2a\x03"), false, DER_BYTES("") }, 0,
		    "not DER" },
		{ "1.2.3",
		    { DER_BYTES("\x2a\x03"), false, span_of(big, sizeof(big)) },
		    0, "too large" },
		{ "sid", { OID_SID, false, DER_BYTES(SID_HEAD "S-1-5-21-42") },
		    1, NULL },
		{ "sid", { OID_SID, false, DER_BYTES(SID_HEAD "S-1-5-21-4x") },
		    0, "SID" },
		{ "sid", { OID_SID, false, DER_BYTES(SID_HEAD "X-1-5-21-42") },
		    0, "SID" },
		{ "sid", { OID_SID, false, DER_BYTES(SID_OTHER "S-1-5-21-42") },
		    0, "SID" },
		{ "sid", { OID_SID, false, DER_BYTES("\x05\0") }, 0, "SID" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct leaf leaf = { .spki = buf_span(&rsa),
			.asked = &rows[i].ext,
			.nasked = 1 };
		struct buf text = BUF_INIT;
		struct profile *p = NULL;
		const char *why = NULL;
		struct shape s;
		enum err e;

		assert_true(buf_printf(&text, "copy = %s\n", rows[i].copy));
		e = shape(buf_cstr(&text), &leaf, &s, &p, &why);
		assert_int_equal(e, rows[i].why ? ERR_REFUSED : OK);
		if (rows[i].why != NULL)
			assert_non_null(strstr(why, rows[i].why));
		else
			assert_int_equal(s.ncopied, rows[i].copied);
		if (e == OK && s.ncopied == 1)
			assert_false(s.copied[0].critical);
		shape_release(&s);
		profile_free(p);
		buf_release(&text);
	}
}

/* A CA's name is one segment of the path, whatever it is. */
static void
fills_urls(void **state)
{
	static const struct {
		const char *text, *ca, *base, *url;
	} rows[] = {
		{ "", "Test CA", "http://h/x",
		    "http://h/x/crl/Test%20CA/7.crl" },
		{ "", "../a/b%$", "http://h",
		    "http://h/crl/%2E.%2Fa%2Fb%25%24/7.crl" },
		{ "", "\xc3\xa4", "http://h", "http://h/crl/%C3%A4/7.crl" },
		{ "", "A", NULL, NULL },
		{ "", NULL, "http://h", NULL },
		{ "crlurl = none\n", "A", "http://h", NULL },
		{ "crlurl = ${baseurl}/x http://y/$1\n", "A", NULL,
		    "http://y/$1" },
		{ "crlurl = http://y/${generation}/${ca}${ca}\n", "A", NULL,
		    "http://y/7/AA" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct leaf leaf = { .spki = buf_span(&rsa),
			.ca = rows[i].ca,
			.baseurl = rows[i].base };
		struct profile *p = NULL;
		const char *why = NULL;
		struct shape s;

		assert_int_equal(shape(rows[i].text, &leaf, &s, &p, &why), OK);
		if (rows[i].url == NULL) {
			assert_null(s.url[URL_CRL][0]);
		} else {
			assert_string_equal(s.url[URL_CRL][0], rows[i].url);
			assert_null(s.url[URL_CRL][1]);
		}
		assert_null(s.url[URL_OCSP][0]);
		shape_release(&s);
		profile_free(p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_times),
		cmocka_unit_test(cuts_by_judge),
		cmocka_unit_test(narrows_usage),
		cmocka_unit_test(narrows_eku),
		cmocka_unit_test(copies_what_is_listed),
		cmocka_unit_test(fills_urls),
	};

	return cmocka_run_group_tests_name("shape", tests, setup, teardown);
}
