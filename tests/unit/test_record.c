#include "tests/unit/storehome.h"

#include "store/record.h"

#define PEM                                   \
	"-----BEGIN CERTIFICATE-----\nAAAA\n" \
	"-----END CERTIFICATE-----\n"

static enum err
parse(const char *s, struct record *r)
{
	return record_parse("a file", "outcome", text(s), r);
}

static void
rejects(const char *s)
{
	struct record r = { 0 };

	assert_int_equal(parse(s, &r), ERR_INPUT);
	assert_non_null(strstr(said, "a file"));
	assert_null(r.kind);
}

static void
round_trip(struct span value)
{
	struct buf b = BUF_INIT;
	struct record r = { 0 };

	assert_true(record_begin(&b, "outcome"));
	assert_true(record_span(&b, "id", value));
	assert_true(record_text(&b, "last", "x"));
	assert_int_equal(
	    record_parse("a file", "outcome", buf_span(&b), &r), OK);
	assert_true(span_eq(record_get_span(&r, "id"), value));
	assert_string_equal(record_get(&r, "last"), "x");
	record_release(&r);
	buf_release(&b);
}

static void
keeps_every_byte(void **state)
{
	uint8_t all[256];

	(void)state;
	for (int i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	round_trip(span_of(all, sizeof(all)));
	round_trip(text(" leading and trailing "));
	round_trip(text("\nkind = abandoned\n[outcome]\n"));
	round_trip(text("%41 is not A, \\n no newline, \"quoted\""));
	round_trip(text("-----BEGIN CERTIFICATE-----"));
	round_trip(text("C=SE,CN=\xc3\x85sa"));
	round_trip(text("\xc3")); /* half a character */
	round_trip(text(" "));
}

static void
writes_for_people(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	assert_true(record_begin(&b, "entity"));
	assert_true(record_text(&b, "subject", "CN=\xc3\x85sa, 100%\n"));
	assert_true(record_text(&b, "none", NULL));
	assert_true(record_text(&b, "empty", ""));
	assert_true(record_text(&b, "bell", "\x07\xc2\x9b[2J\xff"));
	assert_true(record_num(&b, "n", -42));
	assert_true(record_time(&b, "at", 0));
	assert_string_equal(buf_cstr(&b), "[entity]\n"
					  "subject = CN=\xc3\x85sa, 100%25%0A\n"
					  "bell = %07%C2%9B[2J%FF\n"
					  "n = -42\n"
					  "at = 1970-01-01T00:00:00Z\n");
	buf_release(&b);
}

static void
reads(void **state)
{
	struct record r = { 0 };
	int64_t n = 0;

	(void)state;
	assert_int_equal(parse("[outcome]\n; a person's note\n\n# and more\n"
			       "a = 1\nb = 2026-11-23T19:00:00Z\nc = %00x\n"
			       "from_the_future = %E2%82%AC\n" PEM,
			     &r),
	    OK);
	assert_int_equal(record_get_num(&r, "a", &n), OK);
	assert_int_equal(n, 1);
	assert_int_equal(record_get_time(&r, "b", &n), OK);
	assert_int_equal(n, 1795460400);
	assert_null(record_get(&r, "c"));
	assert_int_equal(record_get_span(&r, "c").len, 2);
	assert_null(record_get(&r, "d"));
	assert_int_equal(record_get_num(&r, "d", &n), ERR_NOTFOUND);
	assert_int_equal(record_get_time(&r, "a", &n), ERR_INPUT);
	assert_int_equal(record_get_num(&r, "b", &n), ERR_INPUT);
	assert_string_equal(buf_cstr(&r.pem), PEM);
	record_release(&r);
	record_release(&r);
}

static void
numbers_are_strict(void **state)
{
	static const char *const bad[] = { "+1", "01", " 1", "1 ", "0x1", "-0",
		"1e3", "9223372036854775808" };
	char line[64];
	struct record r = { 0 };
	int64_t n = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(
		    line, sizeof(line), "[outcome]\na = %s\n", bad[i]);
		assert_int_equal(parse(line, &r), OK);
		assert_int_equal(record_get_num(&r, "a", &n), ERR_INPUT);
		record_release(&r);
	}
	assert_int_equal(n, 7);
	assert_int_equal(parse("[outcome]\na = 9223372036854775807\n", &r), OK);
	assert_int_equal(record_get_num(&r, "a", &n), OK);
	assert_true(n == INT64_MAX);
	record_release(&r);
}

static void
rejects_damage(void **state)
{
	(void)state;
	rejects("");
	rejects("[outcome]");
	rejects("[entity]\na = 1\n");
	rejects("[outcome\na = 1\n");
	rejects("a = 1\n");
	rejects("[outcome]\na = 1\nb = ");
	rejects("[outcome]\na = 1\na = 2\n");
	rejects("[outcome]\na=1\n");
	rejects("[outcome]\na\n");
	rejects("[outcome]\n = 1\n");
	rejects("[outcome]\nA = 1\n");
	rejects("[outcome]\na = %4\n");
	rejects("[outcome]\na = %\n");
	rejects("[outcome]\na = %zz\n");
	rejects("[outcome]\na = % 1\n");
	rejects("[outcome]\na = \t\n");
	rejects("[outcome]\na = 1\r\n");
	rejects("[outcome]\na = 1\n-----BEGIN CERTIFICATE-----\nAAAA\n");
	rejects("[outcome]\n" PEM "more = 1\n");
	assert_non_null(strstr(said, "a file, line"));
	rejects("[outcome]\na = 1\n[outcome]\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_every_byte),
		cmocka_unit_test(writes_for_people),
		cmocka_unit_test(reads),
		cmocka_unit_test(numbers_are_strict),
		cmocka_unit_test(rejects_damage),
	};

	log_sink(keep_line, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
