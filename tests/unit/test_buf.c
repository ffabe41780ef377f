#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"

static int lines;

static void
count_lines(const char *line, void *arg)
{
	(void)line;
	(void)arg;
	lines++;
}

static void
test_empty(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	assert_string_equal(buf_cstr(&b), "");
	assert_int_equal(buf_span(&b).len, 0);
	assert_true(span_eq(buf_span(&b), span_of("", 0)));
	buf_clear(&b);
	assert_true(buf_add(&b, NULL, 0));
	assert_non_null(b.data);
	assert_int_equal(b.data[0], 0);
	buf_release(&b);
	buf_release(&b);
	assert_null(b.data);
}

static void
test_adders(void **state)
{
	static const uint8_t bytes[] = { 0x00, 0xff, 0x5a };
	struct buf b;

	(void)state;
	buf_init(&b);
	assert_true(buf_str(&b, "ab"));
	assert_true(buf_byte(&b, 'c'));
	assert_true(buf_add(&b, "def", 2));
	assert_true(buf_printf(&b, " %d-%s", 42, "x"));
	assert_true(buf_hex(&b, bytes, sizeof(bytes)));
	assert_true(buf_hex(&b, NULL, 0));
	assert_string_equal(buf_cstr(&b), "abcde 42-x00ff5a");
	assert_int_equal(b.len, strlen("abcde 42-x00ff5a"));
	buf_clear(&b);
	assert_int_equal(b.len, 0);
	assert_string_equal(buf_cstr(&b), "");
	assert_true(buf_add(&b, bytes, sizeof(bytes)));
	assert_int_equal(b.len, 3);
	assert_int_equal(b.data[3], 0);
	buf_release(&b);
}

/* Many small pieces over several moves, plain and secret. */
static void
grow(bool secret)
{
	struct buf b = BUF_INIT;
	size_t i;

	b.secret = secret;
	for (i = 0; i < 10000; i++)
		assert_true(buf_byte(&b, (uint8_t)(i * 7)));
	assert_int_equal(b.len, 10000);
	assert_true(b.cap > b.len);
	for (i = 0; i < b.len; i++)
		assert_int_equal(b.data[i], (uint8_t)(i * 7));
	assert_int_equal(b.data[b.len], 0);
	buf_release(&b);
	assert_int_equal(b.secret, secret);
}

static void
test_grow(void **state)
{
	(void)state;
	grow(false);
	grow(true);
}

static void
test_long_printf(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	assert_true(buf_printf(&b, "%5000s", "x"));
	assert_int_equal(b.len, 5000);
	assert_int_equal(b.data[4999], 'x');
	buf_release(&b);
}

static void
test_clear_wipes(void **state)
{
	struct buf b = BUF_SECRET;
	size_t i;

	(void)state;
	assert_true(buf_str(&b, "hunter2 hunter2"));
	buf_clear(&b);
	for (i = 0; i < b.cap; i++)
		assert_int_equal(b.data[i], 0);
	buf_release(&b);
}

/* Sizes that overflow are refused, logged, and change nothing. */
static void
test_too_much(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	assert_true(buf_str(&b, "keep"));
	lines = 0;
	log_sink(count_lines, NULL);
	assert_false(buf_reserve(&b, SIZE_MAX));
	assert_false(buf_reserve(&b, SIZE_MAX - 4));
	assert_false(buf_add(&b, "x", SIZE_MAX / 2));
	assert_false(buf_hex(&b, "x", SIZE_MAX / 2 + 1));
	log_sink(NULL, NULL);
	assert_int_equal(lines, 4);
	assert_string_equal(buf_cstr(&b), "keep");
	buf_release(&b);
}

static void
test_spans(void **state)
{
	(void)state;
	assert_true(span_eq(span_of("abc", 3), span_of("abcd", 3)));
	assert_false(span_eq(span_of("abc", 3), span_of("abd", 3)));
	assert_false(span_eq(span_of("abc", 3), span_of("abc", 2)));
	assert_true(span_eq(span_of(NULL, 0), span_of("abc", 0)));
	assert_false(span_eq(span_of(NULL, 0), span_of("abc", 1)));
}

static void
test_str_dup(void **state)
{
	char *s = str_dup("text");

	(void)state;
	assert_string_equal(s, "text");
	free(s);
	assert_null(str_dup(NULL));
}

static void
test_err(void **state)
{
	int e;

	(void)state;
	assert_int_equal(err_http(OK), 200);
	assert_int_equal(err_http(ERR_INPUT), 400);
	assert_int_equal(err_http(ERR_NOTFOUND), 404);
	assert_int_equal(err_http(ERR_TOOBIG), 413);
	assert_int_equal(err_http(ERR_BUSY), 503);
	assert_int_equal(err_http(ERR_SYSTEM), 503);
	assert_int_equal(err_http(ERR_CRYPTO), 503);
	assert_int_equal(err_exit(OK), 0);
	assert_int_equal(err_exit(ERR_REFUSED), 1);
	assert_int_equal(err_exit(ERR_NOTFOUND), 1);
	assert_int_equal(err_exit(ERR_BUSY), 75);
	assert_string_equal(err_name(ERR_NOTFOUND), "not found");
	for (e = OK; e < ERR__MAX; e++) {
		assert_non_null(err_name((enum err)e));
		assert_in_range(err_http((enum err)e), 200, 503);
		assert_int_equal(err_exit((enum err)e) == 0, e == OK);
	}
}

static void
test_control(void **state)
{
	(void)state;
	assert_false(span_has_control(span_of(NULL, 0)));
	assert_false(span_has_control(span_of(" ~\xc3\xa9\x80", 5)));
	assert_true(span_has_control(span_of("a\x1f", 2)));
	assert_true(span_has_control(span_of("\x7f", 1)));
	assert_true(span_has_control(span_of("a\0b", 3)));
	assert_false(span_has_control(span_of("a\n", 1)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_adders),
		cmocka_unit_test(test_grow),
		cmocka_unit_test(test_long_printf),
		cmocka_unit_test(test_clear_wipes),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_control),
		cmocka_unit_test(test_str_dup),
		cmocka_unit_test(test_err),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
