/*
 * EJBCA's files and keys: lines as Java's Properties reads them, values as
 * EJBCA takes them, and nothing that shows a secret.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "admin/ejbca.h"
#include "aliases/alias.h"
#include "base/log.h"

/* The only line, or the first one, of text is this. */
static void
expect(const char *text, const char *key, const char *value, int line)
{
	struct span rest = span_of(text, strlen(text));
	struct property p = PROPERTY_INIT;

	assert_true(property_next(&rest, &p));
	assert_string_equal(buf_cstr(&p.key), key);
	assert_string_equal(buf_cstr(&p.value), value);
	assert_int_equal(p.line, line);
	property_release(&p);
}

static void
lines(void **state)
{
	(void)state;
	expect("a=b", "a", "b", 1);
	expect("  a.b = c d \n", "a.b", "c d ", 1);
	expect("a:b\r\nc=d", "a", "b", 1);
	expect("a b c", "a", "b c", 1);
	expect("a\t=\tb", "a", "b", 1);
	expect("a==b", "a", "=b", 1);
	expect("a", "a", "", 1);
	expect("a=", "a", "", 1);
	expect("=b", "", "b", 1);
	expect("# no\n ! no\n\n\r\r\na = b", "a", "b", 6);
	expect("a = # yes", "a", "# yes", 1);
	expect("a = b\\\n   c\\\n\td", "a", "bcd", 3);
	expect("a = b\\\\\nc", "a", "b\\", 1);
	expect("a = b\\\n# c", "a", "b# c", 2);
	expect("a = b\\", "a", "b", 1);
	expect("a\\ b\\=c\\:d = e", "a b=c:d", "e", 1);
	expect("a = \\t\\n\\r\\f\\x\\\"", "a", "\t\n\r\fx\"", 1);
	expect("a = \\u0041\\u00e5\\u20AC", "a", "A\xc3\xa5\xe2\x82\xac", 1);
	expect("a = \\ud83d\\ude00!", "a", "\xf0\x9f\x98\x80!", 1);
	expect("a = \\ud83d-\\ude00", "a", "\xef\xbf\xbd-\xef\xbf\xbd", 1);
	expect("a = \\ud83d\\u0041", "a",
	    "\xef\xbf\xbd"
	    "A",
	    1);
	expect("a = \\u00", "a", "u00", 1);
	expect("a = \\u00g0", "a", "u00g0", 1);
	expect("a = \\u", "a", "u", 1);
}

static void
ends(void **state)
{
	static const char *const nothing[] = { "", "\n", "#", "# a\\\n", "  \\",
		"\\\n\\\n" };
	struct property p = PROPERTY_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(nothing) / sizeof(*nothing); i++) {
		struct span rest = span_of(nothing[i], strlen(nothing[i]));

		assert_false(property_next(&rest, &p));
		assert_false(property_next(&rest, &p));
	}
	property_release(&p);
}

static void
hush(const char *line, void *arg)
{
	(void)line;
	(void)arg;
}

static void
values(void **state)
{
	static const struct {
		const char *key, *theirs, *ours, *shown;
	} rows[] = {
		{ "operationmode", "RA", "ra", "ra" },
		{ "operationmode", "Ca", "ca", "ca" },
		{ "operationmode", "other", "ca", "ca" },
		{ "ra.createOrEditUser", "TRUE", "ra", "ra" },
		{ "ra.createOrEditUser", "yes", "ca", "ca" },
		{ "includeca", "TrUe", "yes", "true" },
		{ "includeca", "yes", "no", "false" },
		{ "includeca", "", "no", "false" },
		{ "ra.authPwd", "", "none", "none" },
		{ "ra.authPwd", "None", "none", "none" },
		{ "ra.authPwd", "s3cret", "s3cret", "hidden" },
		{ "ra.namegenerationprefix", "", "", "" },
		{ "ra.defaultCA", "My CA", "My CA", "My CA" },
	};
	const struct ejbca_key *k;
	struct buf ours = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_non_null(k = ejbca_key_find(rows[i].key));
		buf_clear(&ours);
		assert_int_equal(ejbca_value(k, rows[i].theirs, &ours), OK);
		assert_string_equal(buf_cstr(&ours), rows[i].ours);
		assert_string_equal(
		    ejbca_shown(k, buf_cstr(&ours)), rows[i].shown);
	}
	assert_non_null(k = ejbca_key_find("ra.authPwd"));
	log_sink(hush, NULL);
	assert_int_equal(ejbca_value(k, "hidden", &ours), ERR_REFUSED);
	log_sink(NULL, NULL);
	buf_release(&ours);
}

/* Each of EJBCA's keys is a key of ours, which alias_parse() knows. */
static void
keys(void **state)
{
	(void)state;
	for (const struct ejbca_key *k = ejbca_keys; k->name; k++) {
		const struct alias_key *a = alias_keys;

		assert_ptr_equal(ejbca_key_find(k->name), k);
		while (a->section && (strcmp(a->section, k->section) != 0 ||
					 strcmp(a->key, k->key) != 0))
			a++;
		assert_non_null(a->section);
	}
	assert_null(ejbca_key_find("includeCA"));
	assert_string_equal(ejbca_key_near("ra.AuthPwd"), "ra.authPwd");
	assert_string_equal(ejbca_key_near("include"), "includeca");
}

/* What is not here has an answer; what is here has none. */
static void
instead(void **state)
{
	(void)state;
	assert_non_null(ejbca_instead("ra", "keyrecover"));
	assert_non_null(ejbca_instead("roles", NULL));
	assert_non_null(ejbca_instead("roles", "anything"));
	assert_null(ejbca_instead("ra", NULL));
	assert_null(ejbca_instead("ra", "nonsense"));
	assert_null(ejbca_instead("nonsense", NULL));
	for (size_t n = 0; nouns[n] != NULL; n++) {
		const struct verb *v = nouns[n]->verbs;

		for (; v->name != NULL; v++)
			assert_null(ejbca_instead(nouns[n]->name, v->name));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(ends),
		cmocka_unit_test(values),
		cmocka_unit_test(keys),
		cmocka_unit_test(instead),
	};

	return cmocka_run_group_tests_name("EJBCA", tests, NULL, NULL);
}
