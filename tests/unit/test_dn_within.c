#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ca/dn.h"

/* One name inside another (C-123): what a renewal may ask for. */

static const char *const ignore[] = { "unstructuredName", "serialNumber" };

static const struct {
	const char *part, *whole;
	bool yes;
} names[] = {
	{ "CN=r1", "CN=r1,O=Lab", true },
	{ "O=Lab,CN=r1", "CN=r1,O=Lab", true },
	{ "CN=R1,O=  lab", "CN=r1,O=Lab ", true },
	{ "CN=a  b", "CN=A b", true },
	{ "CN=ab", "CN=a b", false },
	{ "CN=r2", "CN=r1", false },
	{ "CN=r1,OU=Sales", "CN=r1", false },
	{ "O=r1", "CN=r1", false },
	{ "CN=r1,SN=4711,UNSTRUCTUREDNAME=x.y", "CN=r1", true },
	{ "UNSTRUCTUREDNAME=x.y", "UNSTRUCTUREDNAME=x.y", true },
	{ "UNSTRUCTUREDNAME=x.y", "CN=r1", false },
	{ "", "CN=r1", false },
	{ "", "", true },
	{ "CN=r1+SN=1", "CN=r1", true },
};

static void
compares(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct buf part = BUF_INIT, whole = BUF_INIT;
		bool yes = !names[i].yes;

		assert_int_equal(dn_parse(names[i].part, &part), OK);
		assert_int_equal(dn_parse(names[i].whole, &whole), OK);
		assert_int_equal(dn_within(buf_span(&part), buf_span(&whole),
				     ignore, 2, &yes),
		    OK);
		assert_int_equal(yes, names[i].yes);
		buf_release(&part);
		buf_release(&whole);
	}
}

/* What cannot be read is within nothing. */
static void
refuses_noise(void **state)
{
	struct buf whole = BUF_INIT;
	bool yes = true;

	(void)state;
	assert_int_equal(dn_parse("CN=r1", &whole), OK);
	assert_int_equal(
	    dn_within(span_of("noise", 5), buf_span(&whole), ignore, 2, &yes),
	    OK);
	assert_false(yes);
	buf_release(&whole);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares),
		cmocka_unit_test(refuses_noise),
	};

	return cmocka_run_group_tests_name("dn_within", tests, NULL, NULL);
}
