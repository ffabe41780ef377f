/*
 * Names as text and DER: every short name, every escape, odd string types that
 * are kept (C-120).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/x509.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/names.h"
#include "ca/dn.h"

static struct buf logged;

static void
keep_log(const char *line, void *arg)
{
	(void)arg;
	(void)buf_str(&logged, line);
}

static void
parse(const char *text, struct buf *der)
{
	if (dn_parse(text, der) != OK)
		fail_msg("cannot parse: %s: %s", text, buf_cstr(&logged));
}

static void
unhex(const char *hex, struct buf *out)
{
	assert_int_equal(hex_read(hex, out), OK);
}

/* What OpenSSL reads in our DER, in its own words (RFC 2253, types shown). */
static void
openssl_words(struct span der, char *out, int size)
{
	const unsigned char *p = der.p;
	X509_NAME *name = d2i_X509_NAME(NULL, &p, (long)der.len);
	BIO *bio = BIO_new(BIO_s_mem());
	int n;

	assert_non_null(name);
	assert_ptr_equal(p, der.p + der.len);
	assert_true(X509_NAME_print_ex(bio, name, 0,
			ASN1_STRFLGS_SHOW_TYPE | XN_FLAG_SEP_COMMA_PLUS |
			    XN_FLAG_FN_LN | ASN1_STRFLGS_ESC_2253) >= 0);
	n = BIO_read(bio, out, size - 1);
	out[n > 0 ? n : 0] = '\0'; /* -1: empty */
	BIO_free(bio);
	X509_NAME_free(name);
}

/* Every name: what is typed, what OpenSSL calls it, what we write. */
static const struct {
	const char *in;
	const char *openssl;
	const char *out; /* NULL: as in */
} names[] = {
	{ "CN=a", "commonName=UTF8STRING:a", NULL },
	{ "cn=a", "commonName=UTF8STRING:a", "CN=a" },
	{ "SN=4711", "serialNumber=PRINTABLESTRING:4711", NULL },
	{ "serialNumber=4711", "serialNumber=PRINTABLESTRING:4711", "SN=4711" },
	{ "SURNAME=a", "surname=UTF8STRING:a", NULL },
	{ "GIVENNAME=a", "givenName=UTF8STRING:a", NULL },
	{ "INITIALS=a", "initials=UTF8STRING:a", NULL },
	{ "T=a", "title=UTF8STRING:a", NULL },
	{ "Title=a", "title=UTF8STRING:a", "T=a" },
	{ "GENERATION=a", "generationQualifier=UTF8STRING:a", NULL },
	{ "GENERATIONQUALIFIER=a", "generationQualifier=UTF8STRING:a",
	    "GENERATION=a" },
	{ "DNQUALIFIER=a", "dnQualifier=PRINTABLESTRING:a", NULL },
	{ "DN=a", "dnQualifier=PRINTABLESTRING:a", "DNQUALIFIER=a" },
	{ "PSEUDONYM=a", "pseudonym=UTF8STRING:a", NULL },
	{ "NAME=a", "name=UTF8STRING:a", NULL },
	{ "O=a", "organizationName=UTF8STRING:a", NULL },
	{ "OU=a", "organizationalUnitName=UTF8STRING:a", NULL },
	{ "C=SE", "countryName=PRINTABLESTRING:SE", NULL },
	{ "L=a", "localityName=UTF8STRING:a", NULL },
	{ "ST=a", "stateOrProvinceName=UTF8STRING:a", NULL },
	{ "S=a", "stateOrProvinceName=UTF8STRING:a", "ST=a" },
	{ "STREET=a", "streetAddress=UTF8STRING:a", NULL },
	{ "POSTALCODE=a", "postalCode=UTF8STRING:a", NULL },
	{ "BUSINESSCATEGORY=a", "businessCategory=UTF8STRING:a", NULL },
	{ "TELEPHONENUMBER=+1", "telephoneNumber=PRINTABLESTRING:\\+1", NULL },
	{ "UID=a", "userId=UTF8STRING:a", NULL },
	{ "DC=a", "domainComponent=IA5STRING:a", NULL },
	{ "E=a@b", "emailAddress=IA5STRING:a@b", NULL },
	{ "EMAIL=a@b", "emailAddress=IA5STRING:a@b", "E=a@b" },
	{ "EMAILADDRESS=a@b", "emailAddress=IA5STRING:a@b", "E=a@b" },
	{ "UNSTRUCTUREDNAME=r1.lab", "unstructuredName=IA5STRING:r1.lab",
	    NULL },
	{ "UNSTRUCTUREDADDRESS=10.0.0.1",
	    "unstructuredAddress=UTF8STRING:10.0.0.1", NULL },
	{ "2.5.4.3=a", "commonName=UTF8STRING:a", "CN=a" },
	{ "OID.2.5.4.6=SE", "countryName=PRINTABLESTRING:SE", "C=SE" },
	{ "CN=#0c0161", "commonName=UTF8STRING:a", "CN=a" },
	/* order, several values, blanks */
	{ "CN=router1,O=Lab,C=SE",
	    "commonName=UTF8STRING:router1,organizationName=UTF8STRING:Lab,"
	    "countryName=PRINTABLESTRING:SE",
	    NULL },
	{ " CN = a b , O=c ",
	    "commonName=UTF8STRING:a b,organizationName=UTF8STRING:c",
	    "CN=a b,O=c" },
	{ "CN=a+SN=1",
	    "commonName=UTF8STRING:a+serialNumber="
	    "PRINTABLESTRING:1",
	    NULL },
	/* what the usual type cannot hold */
	{ "UNSTRUCTUREDNAME=\xc3\xa5", "unstructuredName=UTF8STRING:\xe5",
	    NULL },
	{ "SN=a_b", "serialNumber=UTF8STRING:a_b", NULL },
	{ "", "", NULL },
};

static void
test_names(void **state)
{
	struct buf der = BUF_INIT, text = BUF_INIT;
	char words[512];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *in = names[i].in;
		const char *openssl = names[i].openssl;

		/* a plus sign is escaped where it is a value's */
		if (strcmp(in, "TELEPHONENUMBER=+1") == 0)
			in = "TELEPHONENUMBER=\\+1";
		buf_clear(&der);
		buf_clear(&text);
		parse(in, &der);
		openssl_words(buf_span(&der), words, sizeof(words));
		if (strstr(in, "+SN") != NULL) /* DER sorts a SET */
			assert_non_null(strstr(words, "PRINTABLESTRING:1"));
		else
			assert_string_equal(words, openssl);
		assert_int_equal(dn_text(buf_span(&der), &text), OK);
		assert_string_equal(
		    buf_cstr(&text), names[i].out ? names[i].out : in);
	}
	buf_release(&der);
	buf_release(&text);
}

/* Escapes: typed, value in bytes, written. */
static const struct {
	const char *in;
	const char *value;
	const char *out; /* NULL: as in */
} escapes[] = {
	{ "CN=a\\,b", "a,b", NULL },
	{ "CN=a\\+b", "a+b", NULL },
	{ "CN=a\\\"b", "a\"b", NULL },
	{ "CN=a\\\\b", "a\\b", NULL },
	{ "CN=a\\<b\\>", "a<b>", NULL },
	{ "CN=a\\;b", "a;b", NULL },
	{ "CN=a\\=b", "a=b", "CN=a=b" },
	{ "CN=a=b", "a=b", NULL },
	{ "CN=\\#a", "#a", NULL },
	{ "CN=a#", "a#", NULL },
	{ "CN=\\ a\\ ", " a ", NULL },
	{ "CN= \\  ", " ", "CN=\\ " },
	{ "CN=a\\0Ab", "a\nb", NULL },
	{ "CN=a\\7fb",
	    "a\x7f"
	    "b",
	    "CN=a\\7Fb" },
	{ "CN=\\c3\\A5", "\xc3\xa5", "CN=\xc3\xa5" },
	{ "CN=\xc3\xa5", "\xc3\xa5", NULL },
	{ "CN=\xf0\x9f\x94\x91", "\xf0\x9f\x94\x91", NULL },
	{ "CN=a;b", "a;b", "CN=a\\;b" },
};

static void
test_escapes(void **state)
{
	struct buf der = BUF_INIT, text = BUF_INIT, value = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(escapes) / sizeof(*escapes); i++) {
		const char *in = escapes[i].in, *out = escapes[i].out;

		buf_clear(&der);
		buf_clear(&text);
		buf_clear(&value);
		parse(in, &der);
		assert_int_equal(dn_value(buf_span(&der), "cn", &value), OK);
		assert_string_equal(buf_cstr(&value), escapes[i].value);
		assert_int_equal(dn_text(buf_span(&der), &text), OK);
		assert_string_equal(buf_cstr(&text), out ? out : in);
	}
	buf_release(&der);
	buf_release(&text);
	buf_release(&value);
}

static const char *const bad[] = {
	"router1",
	"=a",
	"CN",
	"CN=",
	"CN= ",
	"CN=a,",
	"CN=a,,O=b",
	"CN=a,b",
	"CN=a+b",
	"CN=a+",
	"XX=a",
	"CN=\"a\"",
	"CN=a\\",
	"CN=a\\q",
	"CN=a\\4",
	"C=SWE",
	"C=S",
	"C=\xc3\xa5",
	"CN=\xff",
	"CN=\xc0\x80",
	"CN=\\ff",
	"CN=\xed\xa0\x80",
	"CN=#",
	"CN=#zz",
	"CN=#0c05",
	"CN=#0c0161ff",
	"1.=a",
	"9.9.9=a",
	"1..2=a",
	"2.5.4.3 4=a",
	"CN=#0c0161 x",
	/* no other type will do, and no NUL in any */
	"E=\xc3\xa5@b",
	"EMAILADDRESS=a@\xc3\xa5",
	"DC=\xc3\xa5",
	"1.2.840.113549.1.9.1=\xc3\xa5",
	"CN=a\\00b",
	"CN=\\00",
	"E=a\\00b",
	"CN=#0c03610062",
	"CN=#1e0400610000",
};

static void
test_bad(void **state)
{
	struct buf der = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		buf_clear(&logged);
		if (dn_parse(bad[i], &der) != ERR_INPUT)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(der.len, 0);
		assert_non_null(strstr(buf_cstr(&logged), "at character"));
	}
	buf_release(&der);
}

static void
test_too_long(void **state)
{
	struct buf text = BUF_INIT, der = BUF_INIT;

	(void)state;
	assert_true(buf_str(&text, "CN="));
	while (text.len <= MAX_DN_TEXT)
		assert_true(buf_byte(&text, 'a'));
	assert_int_equal(dn_parse(buf_cstr(&text), &der), ERR_TOOBIG);
	buf_clear(&text);
	for (int i = 0; i < 40; i++)
		assert_true(buf_str(&text, i ? "+OU=a" : "OU=a"));
	assert_int_equal(dn_parse(buf_cstr(&text), &der), ERR_INPUT);
	buf_release(&text);
	buf_release(&der);
}

/* SET OF is sorted by its encodings, whatever the order typed. */
static void
test_set_order(void **state)
{
	struct buf a = BUF_INIT, b = BUF_INIT;

	(void)state;
	parse("SN=1+CN=a", &a);
	parse("CN=a+SN=1", &b);
	assert_true(span_eq(buf_span(&a), buf_span(&b)));
	buf_release(&a);
	buf_release(&b);
}

/* String types of others: DER of a name with one CN, value as UTF-8. */
static const struct {
	const char *der;  /* the value alone, in hex */
	const char *utf8; /* NULL: unreadable */
	const char *text;
} types[] = {
	{ "0c 02 c3a5", "\xc3\xa5", "CN=\xc3\xa5" },
	{ "13 01 61", "a", "CN=a" }, { "16 01 61", "a", "CN=a" },
	{ "12 01 31", "1", "CN=1" }, { "1a 01 61", "a", "CN=a" },
	{ "14 01 e5", "\xc3\xa5", "CN=\xc3\xa5" },
	{ "1e 02 00e5", "\xc3\xa5", "CN=\xc3\xa5" },
	{ "1e 04 d83ddd11", "\xf0\x9f\x94\x91", "CN=\xf0\x9f\x94\x91" },
	{ "1c 04 0001f511", "\xf0\x9f\x94\x91", "CN=\xf0\x9f\x94\x91" },
	{ "1e 01 00", NULL, "2.5.4.3=#1e0100" },
	{ "1e 02 d83d", NULL, "2.5.4.3=#1e02d83d" },
	{ "1e 02 dd11", NULL, "2.5.4.3=#1e02dd11" },
	{ "1e 04 d83d0061", NULL, "2.5.4.3=#1e04d83d0061" },
	{ "1c 04 00110000", NULL, "2.5.4.3=#1c0400110000" },
	{ "13 01 e5", NULL, "2.5.4.3=#1301e5" },
	{ "0c 01 e5", NULL, "2.5.4.3=#0c01e5" },
	{ "04 01 61", NULL, "2.5.4.3=#040161" },
	{ "0c 03 610062", NULL, "CN=a\\00b" }, /* a NUL names nobody */
};

static void
test_types(void **state)
{
	struct buf in = BUF_INIT, der = BUF_INIT, utf8 = BUF_INIT,
		   text = BUF_INIT, back = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		struct buf hex = BUF_INIT;
		size_t n;

		buf_clear(&in);
		buf_clear(&utf8);
		buf_clear(&text);
		buf_clear(&back);
		unhex(types[i].der, &in);
		n = in.len;
		assert_true(buf_printf(&hex, "30%02zx31%02zx30%02zx0603550403",
		    n + 9, n + 7, n + 5));
		buf_clear(&der);
		unhex(buf_cstr(&hex), &der);
		assert_true(buf_add(&der, in.data, in.len));
		assert_int_equal(dn_value(buf_span(&der), "CN", &utf8),
		    types[i].utf8 ? OK : ERR_INPUT);
		if (types[i].utf8 != NULL)
			assert_string_equal(buf_cstr(&utf8), types[i].utf8);
		assert_int_equal(dn_text(buf_span(&der), &text), OK);
		assert_string_equal(buf_cstr(&text), types[i].text);
		/* what we write we read, but for a NUL: #hex exactly */
		if (strstr(types[i].text, "\\00") != NULL)
			assert_int_equal(
			    dn_parse(buf_cstr(&text), &back), ERR_INPUT);
		else
			parse(buf_cstr(&text), &back);
		if (strchr(types[i].text, '#') != NULL)
			assert_true(span_eq(buf_span(&back), buf_span(&der)));
		buf_release(&hex);
	}
	buf_release(&in);
	buf_release(&der);
	buf_release(&utf8);
	buf_release(&text);
	buf_release(&back);
}

static void
test_value(void **state)
{
	struct buf der = BUF_INIT, value = BUF_INIT;
	struct span name;

	(void)state;
	parse("O=x,CN=first,CN=second+SN=9,1.2.3.4=z", &der);
	name = buf_span(&der);
	assert_int_equal(dn_value(name, "CN", &value), OK);
	assert_string_equal(buf_cstr(&value), "first");
	buf_clear(&value);
	assert_int_equal(dn_value(name, "SN", &value), OK);
	assert_string_equal(buf_cstr(&value), "9");
	buf_clear(&value);
	assert_int_equal(dn_value(name, "1.2.3.4", &value), OK);
	assert_string_equal(buf_cstr(&value), "z");
	buf_clear(&value);
	assert_int_equal(
	    dn_value(name, "UNSTRUCTUREDNAME", &value), ERR_NOTFOUND);
	assert_int_equal(dn_value(name, "NOSUCH", &value), ERR_NOTFOUND);
	assert_int_equal(
	    dn_value(span_of("\x30\x05", 2), "CN", &value), ERR_INPUT);
	buf_release(&der);
	buf_release(&value);
}

static const struct {
	const char *a, *b;
	bool equal;
} pairs[] = {
	{ "CN=a,O=b", "CN=a,O=b", true },
	{ "CN=Router  One", "CN=router one", true },
	{ "CN=\\ a\\ ", "CN=a", true },
	{ "CN=#130161", "CN=a", true }, /* string types */
	{ "CN=#1e020061", "CN=a", true },
	{ "CN=a+SN=1", "SN=1+CN=A", true },
	{ "CN=a,O=b", "O=b,CN=a", false },
	{ "CN=a", "O=a", false },
	{ "CN=a", "CN=b", false },
	{ "CN=a", "CN=a,O=b", false },
	{ "CN=a,SN=1", "CN=a+SN=1", false },
	{ "CN=a", "", false },
	{ "", "", true },
};

static void
test_equal(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		struct buf a = BUF_INIT, b = BUF_INIT;

		parse(pairs[i].a, &a);
		parse(pairs[i].b, &b);
		if (dn_eq(buf_span(&a), buf_span(&b)) != pairs[i].equal)
			fail_msg("%s and %s", pairs[i].a, pairs[i].b);
		buf_release(&a);
		buf_release(&b);
	}
	assert_false(dn_eq(span_of("\x30\x01", 2), span_of("\x30\x00", 2)));
	assert_false(dn_eq(span_of("\x30\x00\x00", 3), span_of("\x30\x00", 2)));
}

static void
test_empty(void **state)
{
	struct buf der = BUF_INIT;

	(void)state;
	parse("", &der);
	assert_true(dn_empty(buf_span(&der)));
	assert_true(dn_empty(span_of(NULL, 0)));
	buf_clear(&der);
	parse("CN=a", &der);
	assert_false(dn_empty(buf_span(&der)));
	buf_release(&der);
}

/* A name that OpenSSL made, every prefix of it, every byte changed. */
static void
test_foreign(void **state)
{
	X509_NAME *name = X509_NAME_new();
	struct buf text = BUF_INIT;
	unsigned char *der = NULL;
	int len;

	(void)state;
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "C", MBSTRING_UTF8,
			     (const unsigned char *)"DE", -1, -1, 0),
	    1);
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
			     (const unsigned char *)"a,b", -1, -1, 0),
	    1);
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "SN", MBSTRING_UTF8,
			     (const unsigned char *)"Smith", -1, -1, -1),
	    1);
	len = i2d_X509_NAME(name, &der);
	assert_true(len > 0);
	assert_int_equal(dn_text(span_of(der, (size_t)len), &text), OK);
	/* the surname joined the RDN before it and sorts before or after */
	assert_true(
	    strcmp(buf_cstr(&text), "C=DE,CN=a\\,b+SURNAME=Smith") == 0 ||
	    strcmp(buf_cstr(&text), "C=DE,SURNAME=Smith+CN=a\\,b") == 0);
	for (int i = 0; i < len; i++) {
		buf_clear(&text);
		assert_int_equal(
		    dn_text(span_of(der, (size_t)i), &text), ERR_INPUT);
		assert_int_equal(text.len, 0);
	}
	for (int i = 0; i < len; i++) {
		der[i] ^= 0xff;
		buf_clear(&text);
		(void)dn_text(span_of(der, (size_t)len), &text);
		(void)dn_value(span_of(der, (size_t)len), "CN", &text);
		der[i] ^= 0xff;
	}
	OPENSSL_free(der);
	X509_NAME_free(name);
	buf_release(&text);
}

#define CN_A "310a3008 0603550403 0c0161"
static const struct {
	const char *what;
	const char *der;
	bool good;
} certified[] = {
	{ "no RDN", "3000", true },
	{ "CN=a", "300c" CN_A, true },
	{ "a value without text", "300b 3109 3007 0603550403 0c00", true },
	{ "two parts, unsorted",
	    "3016 3114 3008 0603550403 0c0162 3008 0603550403 0c0161", true },
	{ "'@' in a PrintableString", "300c 310a3008 0603550403 130140", true },
	{ "BMPString", "300d 310b3009 0603550403 1e020061", true },
	{ "nothing", "", false },
	{ "a SET", "3100", false },
	{ "an empty RDN", "3002 3100", false },
	{ "bytes behind", "300c" CN_A "00", false },
	{ "long length outside", "30810c" CN_A, false },
	{ "long length of a value", "300d 310b3009 0603550403 0c810161",
	    false },
	{ "no value", "3009 31073005 0603550403", false },
	{ "two values", "300f 310d300b 0603550403 0c0161 0c0162", false },
	{ "an OID that does not end", "300b 31093007 06025580 0c0161", false },
	{ "a padded OID", "300c 310a3008 0603558004 0c0161", false },
	{ "an empty OID", "3009 31073005 0600 0c0161", false },
	{ "an empty BOOLEAN", "300b 31093007 0603550403 0100", false },
	{ "an INTEGER", "300c 310a3008 0603550403 020101", false },
	{ "an OCTET STRING", "300c 310a3008 0603550403 040161", false },
	{ "a SEQUENCE", "300b 31093007 0603550403 3000", false },
	{ "a NUL", "300d 310b3009 0603550403 13020061", false },
	{ "eight bits in a PrintableString", "300c 310a3008 0603550403 1301ff",
	    false },
	{ "UTF-8 cut short", "300c 310a3008 0603550403 0c01c3", false },
	{ "BMPString cut short", "300c 310a3008 0603550403 1e0161", false },
	{ "NUL in a BMPString", "300d 310b3009 0603550403 1e020000", false },
};

/* What may stand in a certificate. */
static void
test_check(void **state)
{
	struct buf der = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(certified) / sizeof(*certified); i++) {
		const char *why = NULL;
		enum err e;

		buf_clear(&der);
		if (*certified[i].der != '\0')
			unhex(certified[i].der, &der);
		e = dn_check(buf_span(&der), &why);
		if (e != (certified[i].good ? OK : ERR_INPUT))
			fail_msg("%s: %d", certified[i].what, e);
		assert_int_equal(why == NULL, certified[i].good);
	}
	buf_release(&der);
}

/* One attribute, or one byte, too many. */
static void
test_check_caps(void **state)
{
	struct buf text = BUF_INIT, der = BUF_INIT;
	const char *why = NULL;

	(void)state;
	for (int i = 0; i < MAX_NAME_PARTS; i++)
		assert_true(buf_str(&text, i > 0 ? ",O=a" : "O=a"));
	parse(buf_cstr(&text), &der);
	assert_int_equal(dn_check(buf_span(&der), &why), OK);
	assert_true(buf_str(&text, ",O=a"));
	buf_clear(&der);
	parse(buf_cstr(&text), &der);
	assert_int_equal(dn_check(buf_span(&der), &why), ERR_INPUT);
	buf_clear(&text);
	assert_true(buf_str(&text, "O="));
	for (int i = 0; i < MAX_SUBJECT - 21; i++)
		assert_true(buf_byte(&text, 'a'));
	buf_clear(&der);
	parse(buf_cstr(&text), &der);
	assert_int_equal(der.len, MAX_SUBJECT);
	assert_int_equal(dn_check(buf_span(&der), &why), OK);
	assert_true(buf_byte(&text, 'a'));
	buf_clear(&der);
	parse(buf_cstr(&text), &der);
	assert_int_equal(dn_check(buf_span(&der), &why), ERR_INPUT);
	buf_release(&text);
	buf_release(&der);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_set_order),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_value),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_check_caps),
	};
	int failed;

	log_sink(keep_log, NULL);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	buf_release(&logged);
	return failed;
}
