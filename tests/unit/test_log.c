#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "base/log.h"
#include "base/time.h"

static char last[16384];
static int lines;

static void
keep(const char *line, void *arg)
{
	assert_ptr_equal(arg, &lines);
	(void)snprintf(last, sizeof(last), "%s", line);
	lines++;
}

static int
setup(void **state)
{
	(void)state;
	last[0] = '\0';
	lines = 0;
	log_hat(LOG_SERVER);
	log_request(NULL);
	log_sink(keep, &lines);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	log_hat(LOG_SERVER);
	log_request(NULL);
	log_sink(NULL, NULL);
	return 0;
}

/* The line must be a time of now, a blank, and `rest`. */
static void
expect(const char *rest)
{
	char stamp[TIME_TEXT];
	int64_t t;

	assert_int_equal(lines, 1);
	lines = 0;
	assert_true(strlen(last) > TIME_TEXT);
	memcpy(stamp, last, TIME_TEXT - 1);
	stamp[TIME_TEXT - 1] = '\0';
	assert_int_equal(time_read(stamp, &t), OK);
	assert_in_range(time_now() - t, 0, 5);
	assert_int_equal(last[TIME_TEXT - 1], ' ');
	assert_string_equal(last + TIME_TEXT, rest);
}

static void
test_sentences(void **state)
{
	(void)state;
	log_error("cannot open %s", "x.pem");
	expect("level=error msg=\"cannot open x.pem\"");
	log_warn("careful");
	expect("level=warn msg=\"careful\"");
	log_info("%d served", 3);
	expect("level=info msg=\"3 served\"");
	log_request("ab12");
	log_info("hello");
	expect("level=info req=ab12 msg=\"hello\"");
	log_request(NULL);
	log_info("hello");
	expect("level=info msg=\"hello\"");
}

/* C-181: nobody can write a line, end a value or colour a terminal. */
static void
test_forgery(void **state)
{
	struct logline l;

	(void)state;
	log_error("name %s", "a\nlevel=info msg=\"ok\\\x1b[31m\xc3\xa9");
	expect("level=error msg=\"name a\\x0alevel=info msg=\\\"ok\\\\"
	       "\\x1b[31m\\xc3\\xa9\"");
	log_request("x\" msg=\"y");
	log_begin(&l, LOG_WARN, "request");
	log_text(&l, "cn", "r 1\nreq=2");
	log_text(&l, "eq", "a=b");
	log_text(&l, "quote", "\"");
	log_end(&l);
	expect("level=warn event=request req=\"x\\\" msg=\\\"y\" "
	       "cn=\"r 1\\x0areq=2\" eq=\"a=b\" quote=\"\\\"\"");
}

static void
test_values(void **state)
{
	struct logline l;

	(void)state;
	log_request("77");
	log_begin(&l, LOG_INFO, "request");
	log_text(&l, "alias", "scep");
	log_text(&l, "none", NULL);
	log_text(&l, "empty", "");
	log_span(&l, "zero", span_of("a\0b", 3));
	log_span(&l, "nothing", span_of(NULL, 0));
	log_num(&l, "ms", -12);
	log_num(&l, "big", INT64_MAX);
	log_end(&l);
	expect("level=info event=request req=77 alias=scep zero=\"a\\x00b\" "
	       "ms=-12 big=9223372036854775807");
	assert_null(l.text.data);
}

static void
test_errno(void **state)
{
	(void)state;
	errno = ENOENT;
	log_errno("cannot open %s", "f");
	assert_int_equal(errno, ENOENT);
	expect("level=error msg=\"cannot open f: No such file or directory\"");
}

static void
test_openssl(void **state)
{
	(void)state;
	ERR_clear_error();
	ERR_raise(ERR_LIB_USER, ERR_R_MALLOC_FAILURE);
	ERR_raise(ERR_LIB_USER, ERR_R_PASSED_NULL_PARAMETER);
	log_openssl("cannot sign");
	expect("level=error msg=\"cannot sign: malloc failure; "
	       "passed a null parameter\"");
	assert_int_equal(ERR_peek_error(), 0);
	log_openssl("again");
	expect("level=error msg=\"again\"");
}

static void
test_command(void **state)
{
	struct logline l;

	(void)state;
	log_hat(LOG_COMMAND);
	log_request("77");
	log_info("quiet");
	log_begin(&l, LOG_INFO, "quiet");
	log_end(&l);
	assert_int_equal(lines, 0);
	log_error("no alias \"%s\": see scep alias list", "a\x1b[2J");
	assert_string_equal(
	    last, "scep: no alias \"a\\x1b[2J\": see scep alias list");
	/* what a person typed is shown as it was typed */
	log_warn("name \"%s\"", "CN=a\\,b");
	assert_string_equal(last, "scep: name \"CN=a\\,b\"");
	log_begin(&l, LOG_WARN, "check");
	log_text(&l, "file", "x y");
	log_end(&l);
	assert_string_equal(last, "scep: check file=\"x y\"");
	assert_int_equal(lines, 3);
}

/* Over-long text is cut, never written past its array. */
static void
test_long(void **state)
{
	static char many[20000];
	struct logline l;

	(void)state;
	memset(many, '\n', sizeof(many) - 1);
	log_error("%s", many);
	assert_int_equal(lines, 1);
	assert_true(strlen(last) > 8000);
	assert_true(strlen(last) < 8448);
	assert_int_equal(last[strlen(last) - 1], '"');
	log_request(many);
	log_error("x");
	assert_int_equal(lines, 2);
	memset(many, 'a', 8000);
	many[8000] = '\0';
	log_request(NULL);
	log_begin(&l, LOG_ERROR, "e");
	log_text(&l, "k", many);
	log_end(&l);
	assert_non_null(strstr(last, many));
}

/* One write() with its newline on standard error. */
static void
test_stderr(void **state)
{
	char got[256];
	struct logline l;
	int fds[2], saved;
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	saved = dup(STDERR_FILENO);
	assert_int_equal(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	log_sink(NULL, NULL);
	log_hat(LOG_COMMAND);
	log_error("one");
	log_begin(&l, LOG_ERROR, "two");
	log_num(&l, "n", 2);
	log_end(&l);
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	(void)close(saved);
	(void)close(fds[1]);
	n = read(fds[0], got, sizeof(got) - 1);
	(void)close(fds[0]);
	assert_true(n > 0);
	got[n] = '\0';
	assert_string_equal(got, "scep: one\nscep: two n=2\n");
}

static void
test_escape(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	log_escape(&b, span_of("a b\t\"\\\x7f\xff~", 9));
	assert_string_equal(buf_cstr(&b), "a b\\x09\\\"\\\\\\x7f\\xff~");
	buf_release(&b);
}

/* A buffer that cannot grow: what is missing is not passed over. */
static void
test_escape_is_cut(void **state)
{
	struct buf full = { .len = SIZE_MAX / 4 };

	(void)state;
	assert_true(log_escape(&full, span_of("", 0)));
	assert_false(log_escape(&full, span_of("a", 1)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_sentences, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forgery, setup, teardown),
		cmocka_unit_test_setup_teardown(test_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errno, setup, teardown),
		cmocka_unit_test_setup_teardown(test_openssl, setup, teardown),
		cmocka_unit_test_setup_teardown(test_command, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stderr, setup, teardown),
		cmocka_unit_test_setup_teardown(test_escape, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_escape_is_cut, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
