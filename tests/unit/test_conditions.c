#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fresh.h"

#define WHEN "Sun, 06 Nov 1994 08:49:37 GMT"

static char *
copy(char to[128], const char *from)
{
	(void)snprintf(to, 128, "%s", from);
	return to;
}

static void
conditions(void **state)
{
	static const struct {
		const char *none_match, *since;
		bool fresh;
	} rows[] = {
		{ NULL, NULL, false }, { "\"abc\"", NULL, true },
		{ "W/\"abc\"", NULL, true }, { "*", NULL, true },
		{ " \"x\" ,\t\"abc\"\t", NULL, true }, { "abc", NULL, false },
		{ "\"abc", NULL, false }, { "\"ab\"", NULL, false },
		{ "\"abcd\"", NULL, false }, { "", NULL, false },
		{ ",", NULL, false }, { "W/", NULL, false },
		{ NULL, WHEN, true },
		/* exactly: a newer one may have the earlier time */
		{ NULL, "Sun, 06 Nov 1994 08:49:38 GMT", false },
		{ NULL, "Sun, 06 Nov 1994 08:49:36 GMT", false },
		{ NULL, "Sunday, 06-Nov-94 08:49:37 GMT", false },
		{ NULL, "", false },
		{ "\"x\"", WHEN, false }, /* the tag goes first */
	};
	struct reply reply = { .etag = "abc", .modified = 784111777 };
	char a[128], b[128];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct request r = { .method = HTTP_GET };

		if (rows[i].none_match)
			r.none_match = copy(a, rows[i].none_match);
		if (rows[i].since)
			r.modified_since = copy(b, rows[i].since);
		if (fresh(&r, &reply) != rows[i].fresh)
			fail_msg("row %zu", i);
	}
}

/* A reply without tag and time is never one that somebody has. */
static void
without(void **state)
{
	struct reply reply = { .modified = 0 };
	struct request r = { .method = HTTP_GET };
	char a[128];

	(void)state;
	r.none_match = copy(a, "*");
	assert_false(fresh(&r, &reply));
	r.none_match = NULL;
	r.modified_since = copy(a, "Thu, 01 Jan 1970 00:00:00 GMT");
	assert_false(fresh(&r, &reply));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions),
		cmocka_unit_test(without),
	};

	return cmocka_run_group_tests_name("conditions", tests, NULL, NULL);
}
