/* base64 from the raw query string, as clients mangle it (C-10). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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
		cmocka_unit_test(refuses_what_is_not_base64),
		cmocka_unit_test(finds_parameters),
		cmocka_unit_test(decodes_percent),
	};

	return cmocka_run_group_tests_name("query", tests, NULL, NULL);
}
