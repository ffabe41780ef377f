#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/ini.h"
#include "base/limits.h"
#include "base/log.h"

static char last[4096];
static int lines;

static void
keep(const char *line, void *arg)
{
	(void)arg;
	(void)snprintf(last, sizeof(last), "%s", line);
	lines++;
}

static int
setup(void **state)
{
	(void)state;
	last[0] = '\0';
	lines = 0;
	log_hat(LOG_COMMAND);
	log_sink(keep, NULL);
	return 0;
}

static struct span
text(const char *s)
{
	return span_of(s, strlen(s));
}

static void
expect(const struct ini *ini, const char *section, const char *key,
    const char *value)
{
	const struct ini_entry *entry = ini_find(ini, section, key);

	assert_non_null(entry);
	assert_string_equal(entry->value, value);
}

static void
test_parse(void **state)
{
	struct ini *ini = NULL;

	(void)state;
	assert_int_equal(
	    ini_parse("scep.ini",
		text("# comment\n\n[General]\n Mode = CA  \r\nempty =\n"
		     "q=\"a # b ; c\" ; comment\n;x = y\n[ Other ]\n"
		     "mode\t=\t'say \"hi\"'\ne2=\"\"\nn = v # c\nb=a\\b\n"
		     "eq = CN=r1,O=Lab"),
		&ini),
	    OK);
	assert_int_equal(lines, 0);
	assert_string_equal(ini->where, "scep.ini");
	assert_int_equal(ini->n, 8);
	expect(ini, "general", "mode", "CA");
	expect(ini, "general", "empty", "");
	expect(ini, "general", "q", "a # b ; c");
	expect(ini, "other", "mode", "say \"hi\"");
	expect(ini, "other", "e2", "");
	expect(ini, "other", "n", "v");
	expect(ini, "other", "b", "a\\b");
	expect(ini, "other", "eq", "CN=r1,O=Lab");
	assert_int_equal(ini_find(ini, "general", "q")->line, 6);
	assert_int_equal(ini_find(ini, "other", "eq")->line, 13);
	assert_null(ini_find(ini, "general", "x"));
	assert_null(ini_find(ini, "none", "mode"));
	ini_free(ini);
	ini_free(NULL);
}

/* Where a value ends that is not quoted, though no comment begins there. */
static void
test_cut(void **state)
{
	static const struct {
		const char *text;
		char cut;
	} rows[] = {
		{ "UID;SN;CN", ';' },
		{ "a#b", '#' },
		{ "a#b;c", '#' },
		{ "a;b#c", ';' },
		{ "a ; b;c", '\0' }, /* the first one counts */
		{ "a;", ';' },
		{ "CN=a; CN=b", ';' },
		{ "a\t# b", '\0' },
		{ "30d ; a month", '\0' },
		{ "; nothing", '\0' },
		{ ";", '\0' },
		{ "", '\0' },
		{ "\"UID;SN;CN\"", '\0' },
		{ "'a#b' ; c", '\0' },
		{ "\"a\";c", '\0' },
	};
	char file[80];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ini *ini = NULL;

		(void)snprintf(
		    file, sizeof(file), "[s]\nkey = %s\n", rows[i].text);
		assert_int_equal(ini_parse("x.ini", text(file), &ini), OK);
		if (ini_find(ini, "s", "key")->cut != rows[i].cut)
			fail_msg("%s", rows[i].text);
		ini_free(ini);
	}
	assert_int_equal(lines, 0);
}

static void
test_empty(void **state)
{
	struct ini *ini = NULL;

	(void)state;
	assert_int_equal(ini_parse("x", span_of(NULL, 0), &ini), OK);
	assert_int_equal(ini->n, 0);
	ini_free(ini);
	ini = NULL;
	assert_int_equal(ini_parse("x", text("[only]"), &ini), OK);
	assert_int_equal(ini->n, 0);
	ini_free(ini);
}

/* What iniparser passes over in silence is an error with its line. */
static void
test_wrong(void **state)
{
	static const struct {
		const char *text;
		const char *says;
	} bad[] = {
		{ "[a]\nb=1\nB = 2\n", "x.ini:3: b stands in [a] already, "
				       "in line 2" },
		{ "[a]\nb=1\n[c]\n[A]\nb=2", "x.ini:5: b stands in" },
		{ "b=1\n[a]\n", "x.ini:1: a key before any" },
		{ "[a]\nword\n", "x.ini:2: neither" },
		{ "[a]\nw", "x.ini:2: neither" },
		{ "[a]\n=x\n", "x.ini:2: an empty name" },
		{ "[]\n", "x.ini:1: an empty name" },
		{ "[a\n", "x.ini:1: a section must be" },
		{ "[a]b=1\n", "x.ini:1: a section must be" },
		{ "[a] ; c\n", "x.ini:1: a section must be" },
		{ "[a]\nb:c=1\n", "x.ini:2: a name with other" },
		{ "[a]\nb;c=1\n", "x.ini:2: a name with other" },
		{ "[a:b]\nc=1\n", "x.ini:1: a name with other" },
		{ "[a]\n\"b\"=1\n", "x.ini:2: a name with other" },
		{ "\xef\xbb\xbf[a]\n", "x.ini:1: neither" },
		{ "[a]\nb=\"c\n", "x.ini:2: a quote that is not closed" },
		{ "[a]\nb=\"\n", "x.ini:2: a quote that is not closed" },
		{ "[a]\nb='c\"\n", "x.ini:2: a quote that is not closed" },
		{ "[a]\nb=\"c\"d\"\n", "x.ini:2: text after the closing" },
		{ "[a]\nb=\"\"c\n", "x.ini:2: text after an empty" },
		{ "[a]\nb=\"\" ; c\n", "x.ini:2: text after an empty" },
		{ "[a]\nb=c\\\nd=e\n", "x.ini:2: a line that ends with" },
		{ "[a]\n; c:\\  \nd=e\n", "x.ini:2: a line that ends with" },
		{ "[a]\nb=\"c\\\n", "x.ini:2: a line that ends with" },
		{ "[a]\nb=\x01\n", "x.ini:2: a control character" },
		{ "[a]\rb=c\n", "x.ini:1: a control character" },
		{ "[a]\nb=\x7f\n", "x.ini:2: a control character" },
	};
	struct ini *ini = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		lines = 0;
		if (ini_parse("x.ini", text(bad[i].text), &ini) != ERR_INPUT)
			fail_msg("accepted: %s", bad[i].text);
		assert_null(ini);
		assert_int_equal(lines, 1);
		if (strstr(last, bad[i].says) == NULL)
			fail_msg("%s: %s", bad[i].text, last);
	}
}

static void
test_nul(void **state)
{
	struct ini *ini = NULL;

	(void)state;
	assert_int_equal(
	    ini_parse("x", span_of("[a]\nb=c\0d\n", 10), &ini), ERR_INPUT);
	assert_string_equal(last, "scep: x:2: a NUL byte");
}

static void
test_long_lines(void **state)
{
	struct buf b = BUF_INIT;
	struct ini *ini = NULL;

	(void)state;
	assert_true(buf_str(&b, "[a]\nb="));
	while (b.len < 4 + 1000)
		assert_true(buf_byte(&b, 'x'));
	assert_true(buf_str(&b, "\nc=d\n"));
	assert_int_equal(ini_parse("x", buf_span(&b), &ini), OK);
	assert_int_equal(strlen(ini_find(ini, "a", "b")->value), 998);
	expect(ini, "a", "c", "d");
	ini_free(ini);
	ini = NULL;
	b.len -= 5;
	assert_true(buf_str(&b, "y\nc=d\n"));
	assert_int_equal(ini_parse("x", buf_span(&b), &ini), ERR_INPUT);
	assert_string_equal(last, "scep: x:2: a line over 1000 bytes");
	while (b.len <= MAX_INI)
		assert_true(buf_str(&b, "# more\n"));
	assert_int_equal(ini_parse("x", buf_span(&b), &ini), ERR_TOOBIG);
	buf_release(&b);
}

/* iniparser's own words must not get to standard error. */
static void
test_quiet(void **state)
{
	struct ini *ini = NULL;
	int fds[2], saved;
	char c;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	saved = dup(STDERR_FILENO);
	assert_int_equal(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	(void)ini_parse("x", text("[a]\nword\n"), &ini);
	(void)ini_parse("x", text("[a]\nb=c\n"), &ini);
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	(void)close(saved);
	(void)close(fds[1]);
	assert_int_equal(read(fds[0], &c, 1), 0);
	(void)close(fds[0]);
	ini_free(ini);
}

static void
test_set(void **state)
{
	static const struct {
		const char *before, *section, *key, *value, *after;
	} table[] = {
		/* in place, with what stands around it */
		{ "[a]\nb = 1\nc = 2\n", "a", "b", "x", "[a]\nb = x\nc = 2\n" },
		{ "[a]\n\tB=1 # why\n", "a", "b", "x", "[a]\n\tB=x # why\n" },
		{ "[a]\nb=\"1\"#why\n", "a", "b", "x y", "[a]\nb=x y#why\n" },
		{ "[a]\nb = 1;why\n", "A", "B", "x;y",
		    "[a]\nb = \"x;y\";why\n" },
		{ "[a]\nb =\n", "a", "b", "x", "[a]\nb = x\n" },
		{ "[a]\nb=\n", "a", "b", "x", "[a]\nb=x\n" },
		{ "[a]\nb = # none\n", "a", "b", "x", "[a]\nb = x # none\n" },
		{ "[a]\r\nb = 1\r\n", "a", "b", "x", "[a]\r\nb = x\r\n" },
		{ "[a]\nb = 1", "a", "b", "x", "[a]\nb = x" },
		{ "[a]\nb = 1\n", "a", "b", "", "[a]\nb = \n" },
		/* at the end of the section, comments stay */
		{ "[a]\nb = 1\n\n# next\n[c]\nb = 2\n", "a", "d", "x",
		    "[a]\nb = 1\nd = x\n\n# next\n[c]\nb = 2\n" },
		{ "[c]\nb = 2\n[a]\n", "a", "b", "x",
		    "[c]\nb = 2\n[a]\nb = x\n" },
		{ "[a]\nb = 1", "a", "d", "x", "[a]\nb = 1\nd = x\n" },
		{ "[a]\r\nb = 1", "a", "d", "x", "[a]\r\nb = 1\r\nd = x\r\n" },
		/* behind its example */
		{ "[a]\n# what b is\n;b = 0\n\n; c = 9\nd = 1\n", "a", "b", "x",
		    "[a]\n# what b is\n;b = 0\nb = x\n\n; c = 9\nd = 1\n" },
		{ "[z]\n#b = 0\n[a]\n#b = 0\nq = 1\n", "a", "b", "x",
		    "[z]\n#b = 0\n[a]\n#b = 0\nb = x\nq = 1\n" },
		/* the key itself goes before its example */
		{ "[a]\n#b = 0\nb = 1\n", "a", "b", "x",
		    "[a]\n#b = 0\nb = x\n" },
		/* a new section */
		{ "[a]\nb = 1\n", "n", "b", "x", "[a]\nb = 1\n\n[n]\nb = x\n" },
		{ "[a]\nb = 1", "n", "b", "x", "[a]\nb = 1\n\n[n]\nb = x\n" },
		{ "", "n", "b", "x", "[n]\nb = x\n" },
	};
	struct buf out = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		buf_clear(&out);
		assert_int_equal(
		    ini_set(text(table[i].before), table[i].section,
			table[i].key, table[i].value, &out),
		    OK);
		assert_string_equal(buf_cstr(&out), table[i].after);
	}
	buf_clear(&out);
	assert_int_equal(ini_set(span_of(NULL, 0), "s", "k", "v", &out), OK);
	assert_string_equal(buf_cstr(&out), "[s]\nk = v\n");
	assert_int_equal(lines, 0);
	buf_release(&out);
}

/* Whatever is written reads back, byte for byte. */
static void
test_set_values(void **state)
{
	static const char *const good[] = { "", " ", "  two  ", "\t", "x",
		"a b", "#", ";", "a#b", "a;b", "a # b", "\"", "'", "\"\"", "''",
		"it's", "say \"hi\"", "'q'", "\"q\"", "a\"b'c", "\\", "a\\",
		"a\\b", "\\\\", "a \\", "=", "a=b", "[x]", "]",
		"CN=r1,O=Lab\\, Inc.+OU=x", "%s%n", "\xc3\xa9", "x\"", "y'",
		" it's", "it's; yes", "say \"hi\" #1", "no", "a\tb" };
	static const char *const bad[] = { "a\nb", "a\rb", "\n", "x\ny = 2",
		"it's \"both\" # kinds", " 'a\"", "'a\" ", "\"'", "'\"",
		"a\"b'\\", "\x01", "a\x7f", "a\vb" };
	struct buf out = BUF_INIT;
	struct ini *ini = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		buf_clear(&out);
		if (ini_set(text("[s]\nk = 1 ; c\nz = 1\n"), "s", "k", good[i],
			&out) != OK)
			fail_msg("refused: %s", good[i]);
		assert_int_equal(ini_parse("x", buf_span(&out), &ini), OK);
		expect(ini, "s", "k", good[i]);
		expect(ini, "s", "z", "1");
		assert_int_equal(ini->n, 2);
		ini_free(ini);
		ini = NULL;
	}
	assert_int_equal(lines, 0);
	buf_clear(&out);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (ini_set(text("[s]\n"), "s", "k", bad[i], &out) != ERR_INPUT)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(lines, (int)i + 1);
		assert_int_equal(out.len, 0);
	}
	buf_release(&out);
}

static void
test_set_refused(void **state)
{
	struct buf out = BUF_INIT;
	char *many;

	(void)state;
	assert_int_equal(
	    ini_set(text("[a]\n"), "a", "b c", "x", &out), ERR_INPUT);
	assert_int_equal(ini_set(text("[a]\n"), "a", "", "x", &out), ERR_INPUT);
	assert_int_equal(
	    ini_set(text("[a]\n"), "a]", "b", "x", &out), ERR_INPUT);
	assert_int_equal(
	    ini_set(text("[a]\nword\n"), "a", "b", "x", &out), ERR_INPUT);
	assert_int_equal(
	    ini_set(text("[a]\nb=1\nb=2\n"), "a", "b", "x", &out), ERR_INPUT);
	many = malloc(1001);
	assert_non_null(many);
	memset(many, 'x', 1000);
	many[1000] = '\0';
	assert_int_equal(
	    ini_set(text("[a]\n"), "a", "b", many, &out), ERR_INPUT);
	assert_int_equal(lines, 6);
	assert_null(strstr(last, "xxx")); /* it may be a secret */
	assert_int_equal(out.len, 0);
	free(many);
	buf_release(&out);
}

static void
test_unset(void **state)
{
	const char *before = "[a]\n;b = 0\nb = 1 # c\n\n[c]\nb = 2";
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(ini_unset(text(before), "a", "b", &out), OK);
	assert_string_equal(buf_cstr(&out), "[a]\n;b = 0\n\n[c]\nb = 2");
	buf_clear(&out);
	assert_int_equal(ini_unset(text(before), "C", "B", &out), OK);
	assert_string_equal(buf_cstr(&out), "[a]\n;b = 0\nb = 1 # c\n\n[c]\n");
	assert_int_equal(ini_unset(text(before), "a", "d", &out), ERR_NOTFOUND);
	assert_int_equal(ini_unset(text(before), "n", "b", &out), ERR_NOTFOUND);
	assert_int_equal(
	    ini_unset(span_of(NULL, 0), "n", "b", &out), ERR_NOTFOUND);
	assert_int_equal(lines, 0);
	assert_int_equal(ini_unset(text("word"), "a", "b", &out), ERR_INPUT);
	buf_release(&out);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_parse),
		TEST(test_cut),
		TEST(test_empty),
		TEST(test_wrong),
		TEST(test_nul),
		TEST(test_long_lines),
		TEST(test_quiet),
		TEST(test_set),
		TEST(test_set_values),
		TEST(test_set_refused),
		TEST(test_unset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
