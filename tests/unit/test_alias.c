#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aliases/alias.h"
#include "base/ini.h"
#include "base/limits.h"
#include "base/log.h"
#include "tests/unit/cli.h"
#include "tests/unit/logged.h"

static bool
known(const char *ca, void *arg)
{
	(void)arg;
	return strcmp(ca, "A") == 0 || strcmp(ca, "Big CA") == 0;
}

static enum err
parse(const char *text, struct alias **out)
{
	return alias_parse(
	    "x", "x.ini", span_of(text, strlen(text)), known, NULL, out);
}

#define HEAD "[scep]\noperationmode = ca\n"

static void
reads_every_key(void **state)
{
	struct alias *a = NULL;

	(void)state;
	assert_int_equal(parse(HEAD "cas = A\n", &a), OK);
	assert_string_equal(a->name, "x");
	assert_int_equal(a->ncas, 1);
	assert_string_equal(a->defaultca, "A");
	assert_true(a->sha1 && a->des3 && a->cutusername && a->samekey);
	assert_false(a->includeca);
	assert_null(a->profile);
	alias_free(a);
	a = NULL;
	assert_int_equal(
	    parse("[scep]\nOperationMode = CA\ncas = A , Big CA\n"
		  "defaultca = Big CA\nincludeca = YES\nsha1 = no\n"
		  "des3 = off\ncutusername = 0\nsamekey = false\n"
		  "profile = vpn\n"
		  "[identifiers]\nMobileIronSCEP = Big CA\n",
		&a),
	    OK);
	assert_int_equal(a->ncas, 2);
	assert_string_equal(a->cas[1], "Big CA");
	assert_false(a->sha1 || a->des3 || a->cutusername || a->samekey);
	assert_true(a->includeca);
	assert_string_equal(a->profile, "vpn");
	assert_true(alias_serves(a, "Big CA"));
	assert_false(alias_serves(a, "big ca"));
	alias_free(a);
}

static void
chooses_the_ca(void **state)
{
	static const struct {
		const char *ident, *ca;
	} rows[] = { { "", "Big CA" }, { "A", "A" }, { "a", "Big CA" },
		{ "mobileironscep", "A" }, { "MobileIronSCEP", "A" },
		{ "CAIdentifier", "Big CA" }, { "0", "Big CA" } };
	struct alias *a = NULL;

	(void)state;
	assert_int_equal(parse(HEAD "cas = A, Big CA\ndefaultca = Big CA\n"
				    "[identifiers]\nMobileIronSCEP = A\n",
			     &a),
	    OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_string_equal(
		    alias_ca(a, span_of(rows[i].ident, strlen(rows[i].ident))),
		    rows[i].ca);
	alias_free(a);
}

/* Half a file never opens a door; what is wrong is said with its line. */
static void
refuses_bad_files(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "", "operationmode is missing" },
		{ "[scep]\ncas = A\n", "operationmode is missing" },
		{ HEAD, "cas is missing" },
		{ "[scep]\noperationmode = proxy\ncas = A\n",
		    "x.ini:3: cas: with operationmode = proxy only" },
		{ "[scep]\noperationmode = x\ncas = A\n",
		    "it must be ca, ra, proxy or externalra" },
		{ HEAD "cas =\n", "x.ini:3: cas: it has an empty name" },
		{ HEAD "cas = A,,B\n", "empty name" },
		{ HEAD "cas = A, None\n", "None is no CA" },
		{ HEAD "cas = A\ndefaultca = Big CA\n",
		    "defaultca: Big CA is not one of cas" },
		{ HEAD "cas = A\ndefaultca =\n", "must not be empty" },
		{ HEAD "cas = A\n[identifiers]\nx = B\n", "is not one of cas" },
		{ HEAD "cas = A\nincludeca = maybe\n",
		    "x.ini:4: includeca: it must be yes or no" },
		{ HEAD "cas = A\nincluedca = yes\n", "x.ini:4: incluedca" },
		{ HEAD "cas = A\n[raa]\nx = 1\n", "no such section" },
		{ HEAD "cas = A\ncas = A\n", "x.ini:4" },
		{ "cas = A\n", "x.ini:1" },
		{ HEAD "cas = 1,2,3,4,5,6,7,8,9,a,b,c,d,e,f,g,h,i,j,k,l\n",
		    "too many names" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct alias *a = NULL;

		buf_clear(&logged);
		assert_int_equal(parse(rows[i].text, &a), ERR_INPUT);
		assert_null(a);
		if (strstr(buf_cstr(&logged), rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].says, buf_cstr(&logged));
	}
}

static void
reports_all_errors(void **state)
{
	struct alias *a = NULL;

	(void)state;
	assert_int_equal(
	    parse(HEAD "cas = A\nsha1 = x\ndes3 = y\nwhat = z\n", &a),
	    ERR_INPUT);
	assert_non_null(strstr(buf_cstr(&logged), "x.ini:4"));
	assert_non_null(strstr(buf_cstr(&logged), "x.ini:5"));
	assert_non_null(strstr(buf_cstr(&logged), "x.ini:6"));
}

static void
knows_names(void **state)
{
	static const struct {
		const char *name;
		bool good;
	} rows[] = { { "scep", true }, { "A-b_9", true }, { "", false },
		{ "12345678901234567890123456789012", true },
		{ "123456789012345678901234567890123", false },
		{ "a.b", false }, { "../x", false }, { "a b", false },
		{ "\xc3\xa4", false }, { "admin", false }, { "metrics", false },
		{ "crl", false }, { "ca", false }, { "cax", true } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(
		    alias_name_ok(span_of(rows[i].name, strlen(rows[i].name))),
		    rows[i].good);
}

/* One line of the example: with its comment sign gone if it is a setting. */
static void
put_line(struct buf *out, const char *line, const char *but, bool real)
{
	bool example = line[0] == ';' && line[1] != ' ' && line[1];

	line += example && real ? 1 : 0;
	if (but == NULL || strncmp(line, but, strlen(but)) != 0)
		assert_true(buf_str(out, line) && buf_byte(out, '\n'));
}

/* One way to use the example: what is made real in it. */
struct use {
	const char *mode, *judge;
	const char *sections; /* beside those that every mode but proxy has */
	const char *but;      /* without the line that begins so */
};

static bool
is_real(const struct use *use, const char *head)
{
	static const char always[] = "[scep] [approval] [renewal] [challenge] "
				     "[access] [identifiers]";
	static const char passes[] = "[access]";

	return strstr(use->sections, head) != NULL ||
	       strstr(strcmp(use->mode, "proxy") == 0 ? passes : always,
		   head) != NULL;
}

static bool
is_intune(const struct use *use)
{
	return use->judge != NULL && strcmp(use->judge, "intune") == 0;
}

/* What another line of the file, the mode or the judge excludes. */
static bool
is_stray(const struct use *use, const char *head, const char *line)
{
	static const struct {
		const char *mode, *head, *line;
	} rows[] = {
		{ "ra", "[scep]", ";defaultca = ManagementCA" },
		{ "ra", "[scep]", ";profile = ENDUSER" },
		{ "externalra", "[scep]", ";profile = ENDUSER" },
		{ "externalra", "[queue]", ";ra = queue-ra.pem" },
		{ "externalra", "[queue]", ";target = ra" },
		{ "externalra", "[queue]", ";profiles = tls-server, vpn" },
		{ "ca", "[queue]", ";profiles = tls-server, vpn" },
		{ "ca", "[queue]", ";limit = 1000" },
		{ "ra", "[queue]", ";limit = 1000" },
	};

	/* of three secrets one counts */
	if (is_intune(use) && (strncmp(line, ";aadappkeyfile", 14) == 0 ||
				  strncmp(line, ";aadkeybinding", 14) == 0))
		return true;
	if (strcmp(head, "[challenge]") == 0)
		return (use->judge == NULL ||
			   strcmp(use->judge, "onetime") != 0) &&
		       (strncmp(line, ";ttl", 4) == 0 ||
			   strncmp(line, ";page", 5) == 0);
	if (strcmp(use->mode, "externalra") == 0 &&
	    (strcmp(head, "[approval]") == 0 || strcmp(head, "[ra]") == 0))
		return line[0] == ';' && line[1] != '[' &&
		       strncmp(line, ";authpwd", 8) != 0;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(rows[i].mode, use->mode) == 0 &&
		    strcmp(head, rows[i].head) == 0 &&
		    strcmp(line, rows[i].line) == 0)
			return true;
	return false;
}

/* The example with its settings made real, for one use. */
static void
make_real(const struct buf *text, const struct use *use, struct buf *out)
{
	struct buf copy = BUF_INIT;
	char *line, *rest, head[32] = "";

	assert_true(buf_add(&copy, text->data, text->len));
	rest = (char *)copy.data;
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (line[0] == '[' || strncmp(line, ";[", 2) == 0)
			(void)snprintf(
			    head, sizeof(head), "%s", line + (line[0] == ';'));
		if (strcmp(line, "operationmode = ca") == 0)
			assert_true(
			    buf_printf(out, "operationmode = %s\n", use->mode));
		else if (strcmp(line, ";target = ra") == 0 &&
			 strstr(use->sections, "[queue]") != NULL &&
			 strcmp(use->mode, "ca") == 0)
			assert_true(buf_str(out, "target = ca\n"));
		else if (strcmp(line, ";judge = entity") == 0)
			assert_true(
			    use->judge == NULL ||
			    buf_printf(out, "judge = %s\n", use->judge));
		else if (is_intune(use) && strcmp(line, ";challenge = no") == 0)
			assert_true(buf_str(out, "challenge = yes\n"));
		else if (strcmp(use->mode, "proxy") == 0 &&
			 (strcmp(line, "cas = ManagementCA") == 0 ||
			     strcmp(head, "[identifiers]") == 0))
			continue;
		else if (!is_stray(use, head, line))
			put_line(out, line, use->but, is_real(use, head));
	}
	buf_release(&copy);
}

static void
example_parses(const struct buf *text)
{
	struct alias *a = NULL;

	if (alias_parse(
		"example", "example.ini", buf_span(text), NULL, NULL, &a) != OK)
		fail_msg("%s", buf_cstr(&logged));
	alias_free(a);
}

/* aliases/example.ini names every key that there is, and no other. */
static void
example_is_complete(void **state)
{
	static const struct use uses[] = {
		{ "ca", NULL, "", NULL },
		{ "ca", "entity", "", NULL },
		{ "ca", "onetime", "", NULL },
		{ "ca", "program", "[program]", NULL },
		{ "ca", "web", "[web]", NULL },
		{ "ra", NULL, "[ra]", "authpwdfile" },
		{ "ra", "secret", "[ra]", "authpwd " },
		{ "ra", "onetime", "[ra]", "authpwd" },
		{ "ra", "program", "[ra] [program]", "authpwd" },
		{ "ra", "web", "[ra] [web]", "authpwd" },
		{ "ra", "intune", "[ra] [intune]", "authpwd" },
		{ "ca", NULL, "[queue]", NULL },
		{ "ra", NULL, "[ra] [queue]", "authpwd" },
		{ "externalra", "entity", "[queue]", NULL },
		{ "externalra", "secret", "[ra] [queue]", "authpwd " },
		{ "externalra", "intune", "[intune] [queue]", NULL },
		{ "proxy", NULL, "[proxy]", NULL },
	};
	struct buf text = BUF_INIT, all = BUF_INIT;
	struct ini *ini = NULL;
	size_t n = 0;

	(void)state;
	assert_int_equal(
	    file_read(AT_FDCWD, "aliases/example.ini", MAX_INI, &text), OK);
	example_parses(&text);
	for (size_t i = 0; i < sizeof(uses) / sizeof(*uses); i++) {
		buf_clear(&all);
		make_real(&text, &uses[i], &all);
		example_parses(&all);
	}
	for (char *p = (char *)text.data; (p = strstr(p, "\n;")) != NULL; p++)
		if (p[2] != ' ' && p[2] != '\n')
			p[1] = ' ';
	assert_int_equal(ini_parse("example", buf_span(&text), &ini), OK);
	for (const struct alias_key *k = alias_keys; k->section; k++, n++)
		if (ini_find(ini, k->section, k->key) == NULL)
			fail_msg("example.ini lacks %s", k->key);
	assert_int_equal(ini->n, n + 1); /* and one identifier */
	ini_free(ini);
	buf_release(&text);
	buf_release(&all);
}

static void
site_has_limits(void **state)
{
	static const struct {
		const char *text;
		enum err e;
		size_t body;
	} rows[] = {
		{ "", OK, MAX_BODY },
		{ "[limits]\nbody = 4096\n", OK, 4096 },
		{ "[limits]\nbody = 0\n", ERR_INPUT, 0 },
		{ "[limits]\nbody = 1k\n", ERR_INPUT, 0 },
		{ "[limits]\nbody = 99999999\n", ERR_INPUT, 0 },
		{ "[limits]\nbodies = 1\n", ERR_INPUT, 0 },
	};
	char path[200];
	int home = cli_tmpdir(path, sizeof(path));
	struct site site;

	(void)state;
	assert_true(home >= 0);
	assert_int_equal(site_read(home, &site), OK); /* no file */
	assert_int_equal(site.maxquery, MAX_QUERY);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(
		    file_replace(home, "scep.ini",
			span_of(rows[i].text, strlen(rows[i].text)),
			FILE_RECORD),
		    OK);
		assert_int_equal(site_read(home, &site), rows[i].e);
		if (rows[i].e == OK)
			assert_int_equal(site.maxbody, rows[i].body);
	}
	(void)close(home);
	cli_remove(path);
}

/* The start of every URL, as it is put together: no '/' at its end. */
static void
site_has_a_baseurl(void **state)
{
	static const struct {
		const char *text, *url; /* NULL: refused */
	} rows[] = {
		{ "", "" },
		{ "[site]\nbaseurl = http://a.example/scep/\n",
		    "http://a.example/scep" },
		{ "[site]\nbaseurl = HTTPS://a:8080//\n", "HTTPS://a:8080" },
		{ "[site]\nbaseurl =\n", NULL },
		{ "[site]\nbaseurl = a.example\n", NULL },
		{ "[site]\nbaseurl = http://\n", NULL },
		{ "[site]\nbaseurl = https:///\n", NULL },
		{ "[site]\nbaseurl = ftp://a\n", NULL },
		{ "[site]\nbaseurl = http://a b\n", NULL },
		{ "[site]\nbaseurl = http://a/${ca}\n", NULL },
		{ "[site]\nbaseurl = http://\xc3\xa4\n", NULL },
		{ "[site]\nurl = http://a\n", NULL },
	};
	char path[200];
	int home = cli_tmpdir(path, sizeof(path));

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct site site = SITE_INIT;

		assert_int_equal(
		    file_replace(home, "scep.ini",
			span_of(rows[i].text, strlen(rows[i].text)),
			FILE_RECORD),
		    OK);
		assert_int_equal(
		    site_read(home, &site), rows[i].url ? OK : ERR_INPUT);
		assert_string_equal(
		    site.baseurl, rows[i].url ? rows[i].url : "");
	}
	(void)close(home);
	cli_remove(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_key),
		cmocka_unit_test(chooses_the_ca),
		cmocka_unit_test(refuses_bad_files),
		cmocka_unit_test(reports_all_errors),
		cmocka_unit_test(knows_names),
		cmocka_unit_test(example_is_complete),
		cmocka_unit_test(site_has_limits),
		cmocka_unit_test(site_has_a_baseurl),
	};

	return cmocka_run_group_tests_name(
	    "alias", tests, logged_setup, logged_teardown);
}
