/* The names that RA mode makes: every example of the fact sheet's table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <ctype.h>
#include <string.h>

#include "ca/dn.h"
#include "enrol_name.h"

#define SAMPLE "C=SE,O=FooO,UID=foo,CN=bar"

static char none[] = "";

/* The name that comes of it, "" if none can. */
static enum err
generate(const struct ra_rules *ra, struct span der, char **out)
{
	struct alias a = { .mode = MODE_RA, .ra = *ra };

	if (a.ra.prefix == NULL)
		a.ra.prefix = none;
	if (a.ra.postfix == NULL)
		a.ra.postfix = none;
	return enrol_generate(&a, der, out);
}

static char *
name_of(const struct ra_rules *ra, const char *subject)
{
	struct buf der = BUF_INIT;
	char *name = NULL;

	assert_int_equal(dn_parse(subject, &der), OK);
	assert_int_equal(generate(ra, buf_span(&der), &name), OK);
	assert_non_null(name);
	buf_release(&der);
	return name;
}

static void
gives(const struct ra_rules *ra, const char *subject, const char *want)
{
	char *name = name_of(ra, subject);

	assert_string_equal(name, want);
	free(name);
}

static void
gives_none(const struct ra_rules *ra, const char *subject)
{
	struct buf der = BUF_INIT;
	char *name = NULL;

	assert_int_equal(dn_parse(subject, &der), OK);
	assert_int_equal(generate(ra, buf_span(&der), &name), ERR_INPUT);
	assert_null(name);
	buf_release(&der);
}

/* So many letters and digits, and then this. */
static const char *
skip_random(const char *p)
{
	for (int i = 0; i < 12; i++, p++)
		assert_true(isalnum((unsigned char)*p));
	return p;
}

/* ---- the table, row by row ------------------------------------------- */

static void
one_component(void **state)
{
	char p[] = "CN";

	(void)state;
	gives(&(struct ra_rules){ .parameters = p }, SAMPLE, "bar");
}

static void
first_component_there(void **state)
{
	char p[] = "UID;SN;CN";

	(void)state;
	gives(&(struct ra_rules){ .parameters = p }, SAMPLE, "foo");
}

/* "As given": in the request's order, whichever that is. */
static void
whole_subject(void **state)
{
	(void)state;
	gives(&(struct ra_rules){ .parameters = none },
	    "CN=bar,UID=foo,O=FooO,C=SE", "CN=bar,UID=foo,O=FooO,C=SE");
	gives(&(struct ra_rules){ .parameters = none }, SAMPLE, SAMPLE);
}

static void
with_a_prefix(void **state)
{
	char p[] = "UID", prefix[] = "pre-";

	(void)state;
	gives(&(struct ra_rules){ .parameters = p, .prefix = prefix }, SAMPLE,
	    "pre-foo");
}

static void
with_a_random_prefix(void **state)
{
	char p[] = "UID", prefix[] = "pre-${RANDOM}-";
	struct ra_rules ra = { .parameters = p, .prefix = prefix };
	char *one = name_of(&ra, SAMPLE), *two = name_of(&ra, SAMPLE);

	(void)state;
	assert_memory_equal(one, "pre-", 4);
	assert_string_equal(skip_random(one + 4), "-foo");
	assert_string_not_equal(one, two);
	free(one);
	free(two);
}

/* EJBCA makes the name "null" of it. */
static void
no_component_there(void **state)
{
	char p[] = "UNSTRUCTUREDNAME;SN", prefix[] = "pre-";

	(void)state;
	gives_none(&(struct ra_rules){ .parameters = p }, SAMPLE);
	gives_none(
	    &(struct ra_rules){
		.parameters = p, .prefix = prefix, .postfix = prefix },
	    SAMPLE);
}

static void
username(void **state)
{
	char p[] = "UID";

	(void)state;
	gives(&(struct ra_rules){ .scheme = NAMEGEN_USERNAME, .parameters = p },
	    "CN=bar,UID=foo,O=FooO,C=SE", "CN=bar,UID=foo,O=FooO,C=SE");
}

/* Every client is one entity. */
static void
fixed(void **state)
{
	char p[] = "device", post[] = "-x";
	struct ra_rules ra = {
		.scheme = NAMEGEN_FIXED, .parameters = p, .postfix = none
	};

	(void)state;
	gives(&ra, SAMPLE, "device");
	gives(&ra, "CN=another", "device");
	ra.postfix = post;
	gives(&ra, "CN=another", "device-x");
}

static void
random_name(void **state)
{
	char p[] = "CN";
	struct ra_rules ra = { .scheme = NAMEGEN_RANDOM, .parameters = p };
	char *one = name_of(&ra, SAMPLE), *two = name_of(&ra, SAMPLE);

	(void)state;
	assert_string_equal(skip_random(one), "");
	assert_string_not_equal(one, two);
	free(one);
	free(two);
}

/* EJBCA's own test of SN;CN. */
static void
serial_number_or_name(void **state)
{
	char p[] = "SN;CN";
	struct ra_rules ra = { .parameters = p };

	(void)state;
	gives(&ra, "CN=test", "test");
	gives(&ra, "CN=test,SN=12345", "12345");
	gives_none(&ra, "O=org");
}

/* ---- what the table leaves open -------------------------------------- */

static void
each_random_is_another(void **state)
{
	char p[] = "CN", both[] = "${RANDOM}.${RANDOM}.";
	struct ra_rules ra = {
		.parameters = p, .prefix = both, .postfix = both
	};
	char *name = name_of(&ra, "CN=a");
	const size_t at[] = { 0, 13, 27, 40 };

	(void)state;
	assert_int_equal(strlen(name), 4 * 13 + 1);
	assert_int_equal(name[26], 'a');
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(*skip_random(name + at[i]), '.');
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(name + at[i], name + at[k], 12);
	}
	free(name);
}

/* All 62 come up, none much more often than another. */
static void
random_is_fair(void **state)
{
	char p[] = "CN";
	struct ra_rules ra = { .scheme = NAMEGEN_RANDOM, .parameters = p };
	unsigned count[128] = { 0 }, kinds = 0;
	const unsigned rounds = 2000; /* 24,000 characters, 387 of each */

	(void)state;
	for (unsigned i = 0; i < rounds; i++) {
		char *name = name_of(&ra, "CN=a");

		for (char *c = name; *c != '\0'; c++)
			count[*c & 0x7f]++;
		free(name);
	}
	for (int c = 0; c < 128; c++) {
		if (count[c] == 0)
			continue;
		kinds++;
		/* seven deviations; byte % 62 would put 469 on the first 8 */
		assert_in_range(count[c], 387 - 138, 387 + 138);
	}
	assert_int_equal(kinds, 62);
	/* those eight together, which % would favour: seven deviations */
	assert_in_range(count['A'] + count['B'] + count['C'] + count['D'] +
			    count['E'] + count['F'] + count['G'] + count['H'],
	    3097 - 364, 3097 + 364);
}

/* Cisco sends one RDN with several attributes. */
static void
multi_valued(void **state)
{
	char p[] = " SN ; CN ", q[] = "UNSTRUCTUREDNAME";

	(void)state;
	gives(&(struct ra_rules){ .parameters = p },
	    "O=x,UNSTRUCTUREDNAME=r.example+SN=FTX1", "FTX1");
	gives(&(struct ra_rules){ .parameters = q },
	    "O=x,UNSTRUCTUREDNAME=r.example+SN=FTX1", "r.example");
	gives(&(struct ra_rules){ .parameters = none },
	    "O=x,SN=FTX1+UNSTRUCTUREDNAME=r", "O=x,SN=FTX1+UNSTRUCTUREDNAME=r");
}

/* cutusername is of CA mode; of several, the first counts. */
static void
values_are_whole(void **state)
{
	char p[] = "cn", oid[] = "2.5.4.3";
	struct ra_rules ra = { .parameters = p };

	(void)state;
	gives(&ra, "CN=Tomas G,CN=other", "Tomas G");
	gives(&ra, "CN=\xc3\xa5\\,b", "\xc3\xa5,b");
	ra.parameters = oid;
	gives(&ra, "CN=Tomas G", "Tomas G");
}

/* The longest name that an entity can have, and one byte more. */
static void
as_long_as_a_name_may_be(void **state)
{
	char p[] = "CN", prefix[] = "p", long_dn[300];
	struct ra_rules ra = { .parameters = p };
	char *name;

	(void)state;
	(void)snprintf(long_dn, sizeof(long_dn), "CN=%0255d", 1);
	name = name_of(&ra, long_dn);
	assert_int_equal(strlen(name), 255);
	free(name);
	ra.prefix = prefix;
	gives_none(&ra, long_dn);
	ra.prefix = none;
	ra.scheme = NAMEGEN_USERNAME;
	gives_none(&ra, long_dn);
}

/* What DER can say and no name may hold; nothing of it, or no DER. */
static void
hostile(void **state)
{
	static const struct {
		const char *what;
		const char *der;
		size_t len;
	} rows[] = {
#define DER(s) s, sizeof(s) - 1
		{ "a line break", DER("\x30\x0e\x31\x0c\x30\x0a\x06\x03\x55\x04"
				      "\x03\x0c\x03"
				      "a\nb") },
		{ "a NUL", DER("\x30\x0e\x31\x0c\x30\x0a\x06\x03\x55\x04\x03"
			       "\x0c\x03"
			       "a\0b") },
		{ "DEL", DER("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c"
			     "\x01\x7f") },
		{ "no value", DER("\x30\x0b\x31\x09\x30\x07\x06\x03\x55\x04"
				  "\x03\x0c\x00") },
		{ "an INTEGER", DER("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04"
				    "\x03\x02\x01\x05") },
		{ "no RDN", DER("\x30\x00") },
		{ "half of one", DER("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55") },
		{ "nothing", DER("") },
	};
	char p[] = "CN", more[] = "CN;O";

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ra_rules ra = { .parameters = p };
		struct span der = span_of(rows[i].der, rows[i].len);
		char *name = NULL;

		if (generate(&ra, der, &name) != ERR_INPUT)
			fail_msg("%s", rows[i].what);
		assert_null(name);
	}
	/* unreadable is there all the same: the next is not asked */
	{
		struct ra_rules ra = { .parameters = more };
		char *name = NULL;

		assert_int_equal(
		    generate(&ra,
			span_of(DER("\x30\x18\x31\x0a\x30\x08\x06\x03\x55\x04"
				    "\x03\x02\x01\x05\x31\x0a\x30\x08\x06\x03"
				    "\x55\x04\x0a\x0c\x01x")),
			&name),
		    ERR_INPUT);
		assert_null(name);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_component),
		cmocka_unit_test(first_component_there),
		cmocka_unit_test(whole_subject),
		cmocka_unit_test(with_a_prefix),
		cmocka_unit_test(with_a_random_prefix),
		cmocka_unit_test(no_component_there),
		cmocka_unit_test(username),
		cmocka_unit_test(fixed),
		cmocka_unit_test(random_name),
		cmocka_unit_test(serial_number_or_name),
		cmocka_unit_test(each_random_is_another),
		cmocka_unit_test(random_is_fair),
		cmocka_unit_test(multi_valued),
		cmocka_unit_test(values_are_whole),
		cmocka_unit_test(as_long_as_a_name_may_be),
		cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests_name("enrol name", tests, NULL, NULL);
}
