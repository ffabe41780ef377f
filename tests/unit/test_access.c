/* Subjects in the words of web servers, which [access] peers may rest on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/asn1.h>
#include <openssl/x509.h>

#include "ca/dn.h"
#include "tests/unit/logged.h"

/* How each server has OpenSSL print a subject. */
static const struct {
	const char *server;
	unsigned long flags;
} servers[] = {
	{ "nginx", XN_FLAG_RFC2253 },
	{ "Apache", XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB },
	{ "lighttpd", XN_FLAG_ONELINE & ~(unsigned long)ASN1_STRFLGS_ESC_MSB },
	{ "a line", XN_FLAG_ONELINE },
};

static const char *const names[] = {
	"CN=proxy1,O=Lab,C=SE",
	"C=SE,O=Lab,CN=proxy1",
	"CN=proxy1",
	"CN=a\\, b,O=c\\+d,OU=e\\;f\\<g\\>h=i",
	"CN=\\\"quoted\\\",O=back\\\\slash,OU=\\#hash",
	"CN=\\ blank before and behind\\ ,O=x",
	"CN=two  blanks,O=x",
	"CN=Zo\xc3\xab,O=\xe2\x82\xac,C=SE",
	"CN=a\\0ab\\7fc,O=x",
	"SURNAME=Doe,GIVENNAME=J,INITIALS=JD,SN=123,T=Dr",
	"E=a@example.org,UID=u1,DC=example,DC=org",
	"CN=a+UID=b,O=c+OU=d,C=SE",
	"CN=a/O=b,C=SE",
	"1.2.3.4=#0c0161,CN=x,UNSTRUCTUREDNAME=router,STREET=s,POSTALCODE=1",
};

static void
print(struct span der, unsigned long flags, char *out, int size)
{
	const unsigned char *p = der.p;
	X509_NAME *name = d2i_X509_NAME(NULL, &p, (long)der.len);
	BIO *bio = BIO_new(BIO_s_mem());
	int n;

	assert_non_null(name);
	assert_true(X509_NAME_print_ex(bio, name, 0, flags) >= 0);
	n = BIO_read(bio, out, size - 1);
	assert_true(n > 0);
	out[n] = '\0';
	BIO_free(bio);
	X509_NAME_free(name);
}

static void
reads_what_servers_say(void **state)
{
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		for (size_t s = 0; s < sizeof(servers) / sizeof(*servers);
		     s++) {
			struct buf der = BUF_INIT, back = BUF_INIT;

			assert_int_equal(dn_parse(names[i], &der), OK);
			print(buf_span(&der), servers[s].flags, text,
			    sizeof(text));
			if (dn_server(text, &back) != OK ||
			    !dn_eq(buf_span(&der), buf_span(&back)))
				fail_msg("%s: %s: %s", servers[s].server,
				    names[i], text);
			buf_release(&der);
			buf_release(&back);
		}
	assert_int_equal(logged.len, 0);
}

/* Another order is another name. */
static void
keeps_the_order(void **state)
{
	static const struct {
		const char *text, *name;
	} rows[] = {
		{ "C=SE,O=Lab,CN=proxy1", "CN=proxy1,O=Lab,C=SE" },
		{ "C = SE, O = Lab, CN = proxy1", "C=SE,O=Lab,CN=proxy1" },
		{ "C=SE, O=Lab, CN=proxy1", "C=SE,O=Lab,CN=proxy1" },
		{ "CN = \"a, b\", O = c", "CN=a\\, b,O=c" },
		{ "CN=\\C3\\AB", "CN=\xc3\xab" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf der = BUF_INIT, back = BUF_INIT;

		assert_int_equal(dn_parse(rows[i].name, &der), OK);
		assert_int_equal(dn_server(rows[i].text, &back), OK);
		assert_int_equal(der.len, back.len);
		assert_memory_equal(der.data, back.data, der.len);
		buf_release(&der);
		buf_release(&back);
	}
}

static void
refuses_the_rest(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"/C=SE/O=Lab/CN=proxy1", /* what /O=Lab\/CN=x says too */
		"proxy1",
		"CN",
		"=x",
		"CN=",
		"CN=a,",
		"CN=a, ",
		"CN=a,O=b, C=SE", /* half a line */
		"CN=a\"b",
		"CN=\"a",
		"CN=\"a\"b",
		"CN=a\\",
		"CN=a+",
		"CN=#zz",
		"CN=#0c01",
		"CN=#0c0161x",
		"NoSuchType=a",
		"CN=\\FF",
		"CN=a\\00b",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct buf der = BUF_INIT;

		if (dn_server(texts[i], &der) != ERR_INPUT)
			fail_msg("taken: %s", texts[i]);
		buf_release(&der);
	}
	assert_int_equal(logged.len, 0);
}

static void
bounds(void **state)
{
	struct buf text = BUF_INIT, der = BUF_INIT;

	(void)state;
	for (int i = 0; i < 65; i++)
		assert_true(buf_str(&text, i > 0 ? ",CN=a" : "CN=a"));
	assert_int_equal(dn_server(buf_cstr(&text), &der), ERR_INPUT);
	for (int i = 0; i < 1000; i++)
		assert_true(buf_str(&text, ",CN=a"));
	assert_int_equal(dn_server(buf_cstr(&text), &der), ERR_INPUT);
	buf_release(&text);
	buf_release(&der);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    reads_what_servers_say, logged_setup, logged_teardown),
		cmocka_unit_test(keeps_the_order),
		cmocka_unit_test_setup_teardown(
		    refuses_the_rest, logged_setup, logged_teardown),
		cmocka_unit_test(bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
