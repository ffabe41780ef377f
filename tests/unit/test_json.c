/* JSON: what is one value and what is none, members read and written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/log.h"

static enum err
parse(const char *text, size_t len, struct json **out)
{
	assert_null(*out);
	return json_parse(span_of(text, len), out);
}

static struct json *
good(const char *text)
{
	struct json *j = NULL;

	assert_int_equal(parse(text, strlen(text), &j), OK);
	assert_non_null(j);
	return j;
}

static void
refused_with(const char *text, size_t len, enum err want)
{
	struct json *j = NULL;
	enum err e = parse(text, len, &j);

	if (e != want)
		fail_msg("%s: %s, not %s", text, err_name(e), err_name(want));
	assert_null(j);
}

static void
one_value_is_read(void **state)
{
	static const char *const texts[] = { "{}", "[]", " \t\r\n{ } \n", "1",
		"-0", "0.5e+3", "\"\"", "\"\xc3\xa5\"", "\"\\ud83d\\ude00\"",
		"true", "false", "null", "[1,\"a\",{\"b\":[]}]",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e5\"" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		json_free(good(texts[i]));
	json_free(NULL);
}

/* Much of this cJSON by itself would take. */
static void
anything_else_is_refused(void **state)
{
	static const char *const texts[] = { "", " ", "{", "}", "{}{}", "{} x",
		"{}\x01", "\x01{}", "\xef\xbb\xbf{}", "{\"a\":1,}", "[1,]",
		"[1 2]", "{\"a\" 1}", "{a:1}", "{'a':1}", "01", "-01", "1.",
		".5", "+1", "1e", "1e+", "0x1", "-", "nul", "True", "NaN", "\"",
		"\"\n\"", "\"\x1f\"", "\"\\u0000\"", "\"\\u12\"", "\"\\u12g4\"",
		"\"\\x\"", "\"\\\"", "\"\\ud800\"", "\"\\udc00\"",
		"\"\\ud800\\u0041\"", "\"\xff\"", "\"\xc0\x80\"",
		"\"\xed\xa0\x80\"", "/**/{}", "{}//", "\"a\"\"b\"", "truefalse",
		"1234567890123456789012345678901234567890123456789012345678901",
		"<html>" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		refused_with(texts[i], strlen(texts[i]), ERR_INPUT);
	refused_with("{}\0", 3, ERR_INPUT);
	refused_with("\0{}", 3, ERR_INPUT);
	refused_with("\"a\0b\"", 5, ERR_INPUT);
	/* nothing behind the span is looked at */
	refused_with("{\"a\":1}", 6, ERR_INPUT);
	refused_with("\"\\u0041\"", 6, ERR_INPUT);
	refused_with("true", 3, ERR_INPUT);
}

static void
size_and_depth_have_an_end(void **state)
{
	char text[2 * MAX_JSON_DEPTH + 2];
	struct json *j = NULL;
	struct buf b = BUF_INIT;

	(void)state;
	memset(text, '[', MAX_JSON_DEPTH);
	memset(text + MAX_JSON_DEPTH, ']', MAX_JSON_DEPTH);
	assert_int_equal(parse(text, sizeof(text) - 2, &j), OK);
	json_free(j);
	memset(text, '[', MAX_JSON_DEPTH + 1);
	memset(text + MAX_JSON_DEPTH + 1, ']', MAX_JSON_DEPTH + 1);
	refused_with(text, sizeof(text), ERR_TOOBIG);

	j = NULL;
	assert_true(buf_reserve(&b, MAX_JSON + 1));
	memset(b.data, ' ', MAX_JSON + 1);
	b.data[0] = '1';
	assert_int_equal(parse((char *)b.data, MAX_JSON, &j), OK);
	json_free(j);
	refused_with((char *)b.data, MAX_JSON + 1, ERR_TOOBIG);
	buf_release(&b);
}

static void
members_are_read(void **state)
{
	struct json *j =
	    good("{\"t\":\"\\u00e5\",\"n\":-7,\"w\":1e3,\"b\":true,"
		 "\"f\":false,\"z\":null,\"o\":{\"a\":1},"
		 "\"l\":[\"x\",2,\"y\"],\"T\":\"big\"}");
	const struct json *found = NULL, *i;
	const char *text = NULL;
	int64_t n = 0;
	bool yes = false;

	(void)state;
	assert_int_equal(json_get0_text(j, "t", &text), OK);
	assert_string_equal(text, "\xc3\xa5");
	assert_int_equal(json_get0_text(j, "T", &text), OK);
	assert_string_equal(text, "big");
	assert_int_equal(json_get_number(j, "n", &n), OK);
	assert_int_equal(n, -7);
	assert_int_equal(json_get_number(j, "w", &n), OK);
	assert_int_equal(n, 1000);
	assert_int_equal(json_get_bool(j, "b", &yes), OK);
	assert_true(yes);
	assert_int_equal(json_get_bool(j, "f", &yes), OK);
	assert_false(yes);
	assert_int_equal(json_get0(j, "z", &found), OK);
	assert_int_equal(json_kind(found), JSON_NULL);
	assert_int_equal(json_get0_object(j, "o", &found), OK);
	assert_int_equal(json_get_number(found, "a", &n), OK);
	assert_int_equal(json_get0_array(j, "l", &found), OK);
	assert_int_equal(json_count(found), 3);
	i = json_first(found);
	assert_string_equal(json_text0(i), "x");
	i = json_next(i);
	assert_null(json_text0(i));
	assert_string_equal(json_text0(json_next(i)), "y");
	assert_null(json_next(json_next(i)));
	json_free(j);
}

/* A wrong member is never taken for a missing one, and changes nothing. */
static void
members_that_are_not_so(void **state)
{
	struct json *j =
	    good("{\"t\":\"1\",\"n\":1,\"h\":1.5,\"big\":1e17,"
		 "\"huge\":1e999,\"z\":null,\"d\":1,\"d\":1,"
		 "\"s\":\"true\",\"l\":[],\"exact\":9007199254740991}");
	const struct json *found = NULL;
	const char *text = NULL;
	int64_t n = 42;
	bool yes = true;

	(void)state;
	assert_int_equal(json_get0_text(j, "absent", &text), ERR_NOTFOUND);
	assert_int_equal(json_get0_text(j, "z", &text), ERR_NOTFOUND);
	assert_int_equal(json_get0_text(j, "n", &text), ERR_INPUT);
	assert_int_equal(json_get_number(j, "t", &n), ERR_INPUT);
	assert_int_equal(json_get_number(j, "h", &n), ERR_INPUT);
	assert_int_equal(json_get_number(j, "big", &n), ERR_INPUT);
	assert_int_equal(json_get_number(j, "huge", &n), ERR_INPUT);
	assert_int_equal(json_get_number(j, "d", &n), ERR_INPUT);
	assert_int_equal(json_get0(j, "d", &found), ERR_INPUT);
	assert_int_equal(json_get_bool(j, "s", &yes), ERR_INPUT);
	assert_int_equal(json_get_bool(j, "n", &yes), ERR_INPUT);
	assert_int_equal(json_get0_object(j, "l", &found), ERR_INPUT);
	assert_int_equal(json_get0_array(j, "n", &found), ERR_INPUT);
	assert_null(text);
	assert_null(found);
	assert_int_equal(n, 42);
	assert_int_equal(json_get_number(j, "exact", &n), OK);
	assert_int_equal(n, 9007199254740991);
	assert_int_equal(json_get0(json_first(j), "t", &found), ERR_INPUT);
	assert_int_equal(json_get0(NULL, "t", &found), ERR_INPUT);
	assert_int_equal(json_count(json_first(j)), 0);
	assert_null(json_first(NULL));
	assert_null(json_text0(NULL));
	json_free(j);
}

static void
what_is_written(void **state)
{
	struct json *j = json_new(), *list, *in;
	struct buf out = BUF_SECRET;

	(void)state;
	assert_int_equal(json_put_str(j, "t", "a\"\\/\n\x01\xc3\xa5"), OK);
	assert_int_equal(json_put_text(j, "e", span_of(NULL, 0)), OK);
	assert_int_equal(json_put_number(j, "u", UINT32_MAX), OK);
	assert_int_equal(json_put_number(j, "max", INT64_MAX), OK);
	assert_int_equal(json_put_number(j, "min", INT64_MIN), OK);
	assert_int_equal(json_put_bool(j, "b", true), OK);
	assert_int_equal(json_put_null(j, "z"), OK);
	list = json_put_array(j, "l");
	assert_int_equal(json_put_str(list, NULL, "x"), OK);
	in = json_put_object(list, NULL);
	assert_int_equal(json_put_bool(in, "no", false), OK);
	assert_int_equal(json_print(j, &out), OK);
	assert_string_equal(buf_cstr(&out),
	    "{\"t\":\"a\\\"\\\\/\\n\\u0001\xc3\xa5\",\"e\":\"\","
	    "\"u\":4294967295,\"max\":9223372036854775807,"
	    "\"min\":-9223372036854775808,\"b\":true,\"z\":null,"
	    "\"l\":[\"x\",{\"no\":false}]}");
	json_free(j);
	j = good(buf_cstr(&out));
	json_free(j);
	buf_release(&out);
}

static void
count_line(const char *line, void *arg)
{
	(void)line;
	++*(int *)arg;
}

static void
what_cannot_be_written(void **state)
{
	struct json *j = json_new();
	struct buf out = BUF_INIT;
	int lines = 0;

	(void)state;
	log_sink(count_line, &lines);
	assert_int_equal(json_put_str(j, "t", "\xff"), ERR_INPUT);
	assert_int_equal(json_put_text(j, "t", span_of("a\0b", 3)), ERR_INPUT);
	assert_int_equal(json_put_str(NULL, "t", "a"), ERR_SYSTEM);
	assert_null(json_put_object(NULL, "t"));
	assert_null(json_put_array(NULL, "t"));
	assert_int_equal(json_print(NULL, &out), ERR_SYSTEM);
	log_sink(NULL, NULL);
	assert_int_equal(lines, 6);
	assert_int_equal(json_print(j, &out), OK);
	assert_string_equal(buf_cstr(&out), "{}");
	json_free(j);
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_value_is_read),
		cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(size_and_depth_have_an_end),
		cmocka_unit_test(members_are_read),
		cmocka_unit_test(members_that_are_not_so),
		cmocka_unit_test(what_is_written),
		cmocka_unit_test(what_cannot_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
