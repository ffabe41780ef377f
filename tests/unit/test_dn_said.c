/* What a person is told about a name that cannot be: once, and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/log.h"
#include "ca/dn.h"
#include "ca/san.h"

static struct buf logged;

static void
keep_log(const char *line, void *arg)
{
	(void)arg;
	(void)buf_str(&logged, line);
}

struct sentence {
	const char *in, *said;
};

static const struct sentence names[] = {
	{ "CN=a\\zz", "name \"CN=a\\zz\": behind '\\' stands one of" },
	{ "C=SWE", "C has two letters (at character 6)" },
	{ "CN=\xff", "\": not UTF-8 (" },
	{ "E=\xc3\xa5", "E and DC have ASCII characters alone" },
	{ "CN=a\\00", "a NUL in it" },
	{ "XX=a", "no attribute has this name" },
};

static const struct sentence alternatives[] = {
	{ "a", "alternative name \"a\": here name=value must stand" },
	{ "", "alternative name \"\": nothing in it" },
	{ "uri=a\\x", "alternative name \"uri=a\": behind '\\' stands" },
	{ "dNSName=\xc3\xa5", "\"dNSName=\\xc3\\xa5\": a host name has" },
	{ "dNSName=", "\"dNSName=\": an empty value" },
	{ "rfc822Name=a", "\"rfc822Name=a\": a mailbox is local@domain" },
	{ "uri=a", "\"uri=a\": a URI has a scheme" },
	{ "directoryName=x", "name \"x\": here TYPE=value must stand" },
};

static void
says(enum err (*parse)(const char *text, struct buf *der),
    const struct sentence *s)
{
	struct buf der = BUF_INIT;
	const char *line;

	buf_clear(&logged);
	assert_int_equal(parse(s->in, &der), ERR_INPUT);
	line = buf_cstr(&logged);
	if (strstr(line, s->said) == NULL)
		fail_msg("%s", line);
	/* one line, one sentence */
	assert_null(strstr(line + 1, "scep:"));
	buf_release(&der);
}

static void
test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		says(dn_parse, &names[i]);
}

static void
test_alternatives(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(alternatives) / sizeof(*alternatives);
	     i++)
		says(san_parse, &alternatives[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_alternatives),
	};
	int failed;

	log_hat(LOG_COMMAND);
	log_sink(keep_log, NULL);
	failed = cmocka_run_group_tests_name("ca: words", tests, NULL, NULL);
	buf_release(&logged);
	return failed;
}
