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

/* Files of a CA's; kind -1: none. */
static void
documents(void **state)
{
	static const struct {
		const char *path;
		int kind;
		const char *ca;
		unsigned generation;
	} docs[] = {
		{ "/crl/A.crl", DOCUMENT_CRL, "A", 0 },
		{ "/crl/A/1.crl", DOCUMENT_CRL, "A", 1 },
		{ "/scep/crl/A.crl", DOCUMENT_CRL, "A", 0 },
		{ "/x/y/crl/A/999999999.crl", DOCUMENT_CRL, "A", 999999999 },
		{ "//crl//A%20B//2.crl/", DOCUMENT_CRL, "A%20B", 2 },
		{ "/crl/7.crl", DOCUMENT_CRL, "7", 0 },
		{ "/crl/crl/7.crl", DOCUMENT_CRL, "crl", 7 },
		{ "/crl/crl.crl", DOCUMENT_CRL, "crl", 0 },
		{ "/scep/crl/crl/x.crl", DOCUMENT_CRL, "x", 0 },
		{ "/ca/ca/1.cer", DOCUMENT_CERT, "ca", 1 },
		{ "/crl/a.crl.crl", DOCUMENT_CRL, "a.crl", 0 },
		{ "/ca/A.cer", DOCUMENT_CERT, "A", 0 },
		{ "/ca/A/3.cer", DOCUMENT_CERT, "A", 3 },
		{ "/ca/A.crl", -1, "", 0 },
		{ "/crl/A.cer", -1, "", 0 },
		{ "/crl/A/0.crl", -1, "", 0 },
		{ "/crl/A/01.crl", -1, "", 0 },
		{ "/crl/A/1000000000.crl", -1, "", 0 },
		{ "/crl/A/x.crl", -1, "", 0 },
		{ "/crl/A/1/2.crl", -1, "", 0 },
		{ "/crl/.crl", -1, "", 0 },
		{ "/A.crl", -1, "", 0 },
		{ "/crl", -1, "", 0 },
		{ "", -1, "", 0 },
		{ "/scep/A/pkiclient.exe", -1, "", 0 },
	};
	struct document d;

	(void)state;
	for (size_t i = 0; i < sizeof(docs) / sizeof(*docs); i++) {
		struct span path = span_of(docs[i].path, strlen(docs[i].path));
		bool found = route_document(path, &d);

		if (found != (docs[i].kind >= 0))
			fail_msg("%s", docs[i].path);
		if (!found)
			continue;
		assert_int_equal((int)d.kind, docs[i].kind);
		assert_true(
		    span_eq(d.ca, span_of(docs[i].ca, strlen(docs[i].ca))));
		assert_int_equal(d.generation, docs[i].generation);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes),
		cmocka_unit_test(documents),
	};

	return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
