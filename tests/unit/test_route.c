/* The alias of a path (C-2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "route.h"

/* The table of README: what each client's URL means. */
static const struct {
	const char *path, *variable, *alias; /* NULL: 404 */
} rows[] = {
	{ "/ejbca/publicweb/apply/scep/A/pkiclient.exe", NULL, "A" },
	{ "/ejbca/publicweb/apply/scep/pkiclient.exe", NULL, "scep" },
	{ "/scepraserver/scep/A/pkiclient.exe", NULL, "A" },
	{ "/scepraserver/scep/pkiclient.exe", NULL, "scep" },
	{ "/scep/A", NULL, "A" },
	{ "/scep/A/", NULL, "A" },
	{ "//scep//A//pkiclient.exe", NULL, "A" },
	{ "/scep/A/pkiclient.exe", NULL, "A" },
	{ "/scep/A/anything/at/all", NULL, "A" },
	{ "/scep", NULL, "scep" },
	{ "/scep/", NULL, "scep" },
	{ "/scep/pkiclient.exe", NULL, "scep" },
	{ "/cgi-bin/pkiclient.exe", NULL, "scep" },
	{ "/cgi-bin/scep", NULL, "scep" },
	{ "/cgi-bin/scep/A/pkiclient.exe", NULL, "A" },
	{ "/certsrv/mscep/mscep.dll", NULL, "scep" },
	{ "/certsrv/mscep/mscep.dll/pkiclient.exe", NULL, "scep" },
	{ "", NULL, "scep" },
	{ "/anything", "B", "B" },
	{ "/scep/A/pkiclient.exe", "B", "B" },
	{ "/scep/a-b_c9", NULL, "a-b_c9" },
	{ "/scep/12345678901234567890123456789012", NULL,
	    "12345678901234567890123456789012" },
	{ "/scep/123456789012345678901234567890123", NULL, NULL },
	{ "/scep/../A", NULL, NULL },
	{ "/scep/a.b", NULL, NULL },
	{ "/scep/a b", NULL, NULL },
	{ "/scep/admin", NULL, NULL },
	{ "/scep/metrics", NULL, NULL },
	{ "/scep/crl", NULL, NULL },
	{ "/scep/ca", NULL, NULL },
	{ "/scep/A", "../B", NULL },
};

static void
routes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char alias[MAX_ALIAS + 1] = "";
		enum err e =
		    route_alias(span_of(rows[i].path, strlen(rows[i].path)),
			rows[i].variable, alias);

		if (rows[i].alias == NULL) {
			assert_int_equal(e, ERR_NOTFOUND);
			continue;
		}
		assert_int_equal(e, OK);
		assert_string_equal(alias, rows[i].alias);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes),
	};

	return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
