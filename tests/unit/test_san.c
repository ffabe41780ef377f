/* Alternative names as text and DER, judged by OpenSSL's own printer (C-194). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/x509v3.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/names.h"
#include "ca/san.h"

static struct buf logged;

static void
keep_log(const char *line, void *arg)
{
	(void)arg;
	(void)buf_str(&logged, line);
}

/* What OpenSSL sees; "" if it sees no GeneralNames. */
static void
openssl_words(struct span der, char *out, int size)
{
	const unsigned char *p = der.p;
	GENERAL_NAMES *names = d2i_GENERAL_NAMES(NULL, &p, (long)der.len);
	BIO *bio = BIO_new(BIO_s_mem());
	int n;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		if (i > 0)
			(void)BIO_puts(bio, ", ");
		(void)GENERAL_NAME_print(bio, sk_GENERAL_NAME_value(names, i));
	}
	n = BIO_read(bio, out, size - 1);
	out[n > 0 ? n : 0] = '\0';
	/* versions differ: "othername: UPN::" and "othername:UPN:" */
	if (strncmp(out, "othername: UPN::", 16) == 0) {
		memmove(out + 10, out + 11, strlen(out + 11) + 1);
		memmove(out + 14, out + 15, strlen(out + 15) + 1);
	}
	BIO_free(bio);
	GENERAL_NAMES_free(names);
}

static const struct {
	const char *in;
	const char *openssl;
	const char *out; /* NULL: as in */
} names[] = {
	{ "dNSName=r1.lab", "DNS:r1.lab", NULL },
	{ "DNSNAME=*.lab", "DNS:*.lab", "dNSName=*.lab" },
	{ "dns=a", "DNS:a", "dNSName=a" },
	{ "iPAddress=10.0.0.1", "IP Address:10.0.0.1", NULL },
	{ "ip=2001:db8::1", "IP Address:2001:DB8:0:0:0:0:0:1",
	    "iPAddress=2001:db8::1" },
	{ "rfc822Name=a@b.c", "email:a@b.c", NULL },
	{ "email=a@b.c", "email:a@b.c", "rfc822Name=a@b.c" },
	{ "uri=http://a/b?c=d", "URI:http://a/b?c=d", NULL },
	{ "uniformResourceIdentifier=tag:microsoft.com\\,2022-09-14:sid:S-1",
	    "URI:tag:microsoft.com,2022-09-14:sid:S-1",
	    "uri=tag:microsoft.com\\,2022-09-14:sid:S-1" },
	{ "upn=a@b.c", "othername:UPN:a@b.c", NULL },
	{ "upn=DOM\\\\j\xc3\xa5", "othername:UPN:DOM\\j\xc3\xa5", NULL },
	{ "guid=00112233-4455-6677-8899-aabbccddeeff",
	    "othername:<unsupported>",
	    "guid=00112233445566778899aabbccddeeff" },
	{ "directoryName=CN=a\\,O=b", "DirName:CN = a, O = b", NULL },
	{ "directoryName=CN=a\\\\\\,b", "DirName:CN = \"a,b\"", NULL },
	{ "registeredID=1.2.3.4", "Registered ID:1.2.3.4", NULL },
	{ "otherName=1.2.3.4:0c0161", "othername:<unsupported>", NULL },
	{ "dNSName=xn--a-0_b.c9", "DNS:xn--a-0_b.c9", NULL },
	{ "rfc822Name=a.b+c@d-e.f", "email:a.b+c@d-e.f", NULL },
	{ "rfc822Name=\"a b@\"@c", "email:\"a b@\"@c", NULL },
	{ "dNSName=a, iPAddress=1.2.3.4,uri=u:v ",
	    "DNS:a, IP Address:1.2.3.4, URI:u:v",
	    "dNSName=a, iPAddress=1.2.3.4, uri=u:v" },
};

static void
test_names(void **state)
{
	struct buf der = BUF_INIT, text = BUF_INIT, again = BUF_INIT;
	char words[512];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		buf_clear(&der);
		buf_clear(&text);
		buf_clear(&again);
		if (san_parse(names[i].in, &der) != OK)
			fail_msg("%s: %s", names[i].in, buf_cstr(&logged));
		openssl_words(buf_span(&der), words, sizeof(words));
		assert_string_equal(words, names[i].openssl);
		assert_int_equal(san_check(buf_span(&der)), OK);
		assert_int_equal(san_text(buf_span(&der), &text), OK);
		assert_string_equal(
		    buf_cstr(&text), names[i].out ? names[i].out : names[i].in);
		assert_int_equal(san_parse(buf_cstr(&text), &again), OK);
		assert_true(span_eq(buf_span(&der), buf_span(&again)));
	}
	buf_release(&der);
	buf_release(&text);
	buf_release(&again);
}

#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const char *const bad[] = { "", " ", "a", "dNSName",
	"dNSName=", "dNSName=a,", "dNSName=a,,dNSName=b", "dNSName=a b",
	"dNSName=\xc3\xa5", "nosuch=a", "iPAddress=10.0.0",
	"iPAddress=10.0.0.1/24", "iPAddress=a", "rfc822Name=a",
	"rfc822Name=", "uri=a b", "upn=", "upn=\xff", "guid=00", "guid=zz",
	"registeredID=a", "registeredID=", "directoryName=", "directoryName=x",
	"otherName=1.2.3", "dNSName=a\\", "otherName=1.2.3:0c05",
	"otherName=x:0c0161", "dNSName=a\\b", "=a",
	/* RFC 5280 4.2.1.6, C-194: host names */
	"dNSName=a..b", "dNSName=.a", "dNSName=a.", "dNSName=.", "dNSName=*",
	"dNSName=a.*.b", "dNSName=*a.b", "dNSName=**.b", "dNSName=-a.b",
	"dNSName=a-.b", "dNSName=a/b", "dNSName=a:1", "dNSName=http://a",
	"dNSName=" L63 "a", "dNSName=" L63 "." L63 "." L63 "." L63,
	/* mailboxes */
	"rfc822Name=@b", "rfc822Name=a@", "rfc822Name=a@b..c",
	"rfc822Name=a b@c", "rfc822Name=a@b@c", "rfc822Name=a@*.b",
	"rfc822Name=Anna <a@b.c>", "rfc822Name=\xc3\xa5@b",
	/* URIs */
	"uri=a", "uri=/a", "uri=:a", "uri=a:", "uri=1a:b", "uri=a_b:c",
	"uri=a.example/x" };

static void
test_bad(void **state)
{
	struct buf der = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		buf_clear(&logged);
		if (san_parse(bad[i], &der) != ERR_INPUT)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(der.len, 0);
		assert_true(logged.len > 0);
	}
	buf_release(&der);
}

/* Readable, so that a request may have it; not good enough to be issued. */
static void
test_issuable(void **state)
{
	static const struct {
		const char *hex;
		enum err e;
	} der[] = {
		{ "3003 820161", OK },
		{ "3003 82012a", ERR_INPUT }, /* dNSName=* */
		{ "3005 8203612e2e", ERR_INPUT },
		{ "3003 810161", ERR_INPUT }, /* rfc822Name=a */
		{ "3005 8103614062", OK },
		{ "3003 860161", ERR_INPUT }, /* uri=a */
		{ "3008 820161 8603613a62", OK },
		{ "3006 820161 860161", ERR_INPUT },
	};
	struct buf bytes = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(der) / sizeof(*der); i++) {
		buf_clear(&bytes);
		assert_int_equal(hex_read(der[i].hex, &bytes), OK);
		assert_int_equal(san_check(buf_span(&bytes)), OK);
		assert_int_equal(san_issuable(buf_span(&bytes)), der[i].e);
	}
	assert_int_equal(san_issuable(span_of("\x30\x00", 2)), ERR_INPUT);
	buf_release(&bytes);
}

static void
test_count(void **state)
{
	struct buf text = BUF_INIT, der = BUF_INIT, more = BUF_INIT;

	(void)state;
	for (int i = 0; i < MAX_SAN; i++)
		assert_true(buf_str(&text, i ? ",dns=a" : "dns=a"));
	assert_int_equal(san_parse(buf_cstr(&text), &der), OK);
	assert_int_equal(san_check(buf_span(&der)), OK);
	assert_true(buf_str(&text, ",dns=a"));
	assert_int_equal(san_parse(buf_cstr(&text), &der), ERR_INPUT);
	/* one more in DER: 101 names of 3 bytes */
	assert_true(buf_add(&more, "\x30\x82\x01\x2f", 4));
	for (int i = 0; i <= MAX_SAN; i++)
		assert_true(buf_add(&more,
		    "\x82\x01"
		    "a",
		    3));
	assert_int_equal(san_check(buf_span(&more)), ERR_INPUT);
	buf_release(&text);
	buf_release(&der);
	buf_release(&more);
}

static const struct {
	const char *what;
	const char *der;
} hostile[] = {
	{ "nothing", "" },
	{ "empty list", "3000" },
	{ "empty name", "3002 8200" },
	{ "blank in dNSName", "3005 8203 612062" },
	{ "NUL in dNSName", "3005 8203 610062" },
	{ "NUL in rfc822Name", "3005 8103 610062" },
	{ "8-bit dNSName", "3003 8201 e5" },
	{ "address of 5 bytes", "3007 8705 0102030405" },
	{ "empty address", "3002 8700" },
	{ "x400Address", "3004 a302 0500" },
	{ "ediPartyName", "3004 a502 0500" },
	{ "empty directoryName", "3004 a402 3000" },
	{ "broken directoryName", "3004 a402 3005" },
	{ "otherName without value", "3006 a004 0602 2a03" },
	{ "UPN of no string", "3012 a010 060a2b060104018237140203 a002 0500" },
	{ "UPN with bytes behind",
	    "3017 a015 060a2b060104018237140203 a005 0c0161 0500" },
	{ "empty registeredID", "3002 8800" },
	{ "bytes behind", "3003 820161 00" },
	{ "short", "3004 820161" },
	{ "a SET", "3103 820161" },
	{ "long length", "3004 82810161" },
	{ "long length outside", "308103 820161" },
	{ "directoryName with a BOOLEAN",
	    "300f a40d 300b 31093007 0603550403 0100" },
};

static void
test_hostile(void **state)
{
	struct buf der = BUF_INIT, text = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++) {
		buf_clear(&der);
		if (*hostile[i].der != '\0')
			assert_int_equal(hex_read(hostile[i].der, &der), OK);
		if (san_check(buf_span(&der)) != ERR_INPUT)
			fail_msg("taken: %s", hostile[i].what);
		assert_int_equal(san_text(buf_span(&der), &text), ERR_INPUT);
	}
	buf_release(&der);
	buf_release(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_issuable),
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_hostile),
	};
	int failed;

	log_sink(keep_log, NULL);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	buf_release(&logged);
	return failed;
}
