/* base64 from the raw query string, as clients mangle it (C-10). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "query.h"

/* fb ff be: "+/++" in base64 has every letter that clients mangle. */
static const uint8_t plain[] = { 0xfb, 0xff, 0xbe, 0xfb, 0xef };

static void
decodes_every_mangling(void **state)
{
	static const char *const forms[] = {
		"%2B%2F%2B%2B%2B%2B8%3D", /* as the RFC wants it */
		"+/+++%2B8=",		  /* raw */
		"%20/%20%20%20%208=",	  /* a form decoder on the way */
		" /    8=",		  /* the same, decoded */
		"+/++%0A++8=%0A",	  /* line ends, strongSwan */
		"+/++%0D%0A++8=%0D%0A",
		"+/++\n++8=\n",
		"+/++++8", /* no padding */
		"-_----8", /* base64url, old micromdm */
		"%252B%252F%252B%252B%252B%252B8%253D", /* escaped twice */
		"+/++++8=%20", /* a line end that became a blank */
		"+/++++8= ",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		struct buf der = BUF_INIT;

		assert_int_equal(
		    message_decode(span_of(forms[i], strlen(forms[i])), &der),
		    OK);
		assert_int_equal(der.len, sizeof(plain));
		assert_memory_equal(der.data, plain, sizeof(plain));
		buf_release(&der);
	}
}

/* Three bytes that end in '+': the last blank is a digit, not a line end. */
static void
keeps_a_last_plus(void **state)
{
	static const uint8_t want[] = { 0xfb, 0xef, 0xbe };
	struct buf der = BUF_INIT;

	(void)state;
	assert_int_equal(message_decode(span_of("%20%20%20 ", 10), &der), OK);
	assert_int_equal(der.len, sizeof(want));
	assert_memory_equal(der.data, want, sizeof(want));
	buf_release(&der);
}

/*
 * C-10: without padding, and with blanks behind it where line ends were.  The
 * message's own length tells them from a '+' that became a blank; every byte
 * here ends in digits that are '+'.
 */
static void
trims_line_ends(void **state)
{
	static const char *const ends[] = { "", " ", "%20", "%20%20", "  ",
		"%0A", "%0D%0A ", "%2520" };
	static const uint8_t fill[] = { 0xfb, 0xef, 0xbe };

	(void)state;
	for (size_t n = 0; n < 300; n += n == 8 ? 200 : 1) {
		struct buf der = BUF_INIT;
		unsigned char text[600];
		size_t len;

		assert_true(buf_byte(&der, 0x30));
		if (n > 0x7f)
			assert_true(buf_byte(&der, n > 0xff ? 0x82 : 0x81));
		if (n > 0xff)
			assert_true(buf_byte(&der, (uint8_t)(n >> 8)));
		assert_true(buf_byte(&der, (uint8_t)n));
		while (der.len < n + 4)
			assert_true(buf_byte(&der, fill[der.len % 3]));
		der.len = n + (n > 0xff ? 4 : n > 0x7f ? 3 : 2);
		len = (size_t)EVP_EncodeBlock(text, der.data, (int)der.len);
		while (text[len - 1] == '=')
			len--;
		for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
			struct buf in = BUF_INIT, out = BUF_INIT;

			for (size_t k = 0; k < len; k++)
				if (text[k] == '+')
					text[k] = ' ';
			assert_true(
			    buf_add(&in, text, len) && buf_str(&in, ends[i]));
			assert_int_equal(
			    message_decode(buf_span(&in), &out), OK);
			assert_true(span_eq(buf_span(&out), buf_span(&der)));
			buf_release(&in);
			buf_release(&out);
		}
		buf_release(&der);
	}
}

static void
refuses_what_is_not_base64(void **state)
{
	static const char *const forms[] = { "", "=", "A", "AAAAA", "AA=A",
		"A*AA", "AA%00AA", "%", "%zz", "\xff\xfe" };

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		struct buf der = BUF_INIT;

		assert_int_equal(
		    message_decode(span_of(forms[i], strlen(forms[i])), &der),
		    ERR_INPUT);
		buf_release(&der);
	}
}

static void
finds_parameters(void **state)
{
	static const struct {
		const char *query, *name, *value;
	} rows[] = {
		{ "operation=GetCACaps", "operation", "GetCACaps" },
		{ "OPERATION=a&message=b=c", "message", "b=c" },
		{ "message=1&message=2", "message", "1" },
		{ "&&message=x", "message", "x" },
		{ "message", "message", "" },
		{ "message=", "message", "" },
		{ "messages=1", "message", NULL },
		{ "a=message=1", "message", NULL },
		{ "", "message", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct span value = { NULL, 0 };
		bool found =
		    query_value(span_of(rows[i].query, strlen(rows[i].query)),
			rows[i].name, &value);

		assert_int_equal(found, rows[i].value != NULL);
		if (found)
			assert_true(span_eq(value,
			    span_of(rows[i].value, strlen(rows[i].value))));
	}
}

static void
decodes_percent(void **state)
{
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(percent_decode(span_of("a%2Bb+c%zz%4", 12), &out), OK);
	assert_string_equal(buf_cstr(&out), "a+b+c%zz%4");
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_every_mangling),
		cmocka_unit_test(keeps_a_last_plus),
		cmocka_unit_test(trims_line_ends),
		cmocka_unit_test(refuses_what_is_not_base64),
		cmocka_unit_test(finds_parameters),
		cmocka_unit_test(decodes_percent),
	};

	return cmocka_run_group_tests_name("query", tests, NULL, NULL);
}
