#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"

/* Seconds as GNU date(1) and RFC 3339 calendars have them. */
static const struct {
	int64_t t;
	const char *text;
} known[] = {
	{ 0, "1970-01-01T00:00:00Z" },
	{ -1, "1969-12-31T23:59:59Z" },
	{ 951782400, "2000-02-29T00:00:00Z" },
	{ 951868800, "2000-03-01T00:00:00Z" },
	{ 1077926400, "2004-02-28T00:00:00Z" },
	{ 1078099199, "2004-02-29T23:59:59Z" },
	{ 1795460400, "2026-11-23T19:00:00Z" },
	{ 2147483647, "2038-01-19T03:14:07Z" },
	{ 2147483648, "2038-01-19T03:14:08Z" },
	{ 2524607999, "2049-12-31T23:59:59Z" },
	{ 2524608000, "2050-01-01T00:00:00Z" },
	{ 4107542400, "2100-03-01T00:00:00Z" },
	{ -2203891200, "1900-03-01T00:00:00Z" },
	{ -62167219200, "0000-01-01T00:00:00Z" },
	{ -62162035201, "0000-02-29T23:59:59Z" },
	{ 253402300799, "9999-12-31T23:59:59Z" },
};

static void
test_known(void **state)
{
	char text[TIME_TEXT];
	int64_t t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		time_text(known[i].t, text);
		assert_string_equal(text, known[i].text);
		assert_int_equal(time_read(known[i].text, &t), OK);
		assert_int_equal(t, known[i].t);
	}
}

static void
test_clamp(void **state)
{
	char text[TIME_TEXT];

	(void)state;
	time_text(253402300800, text);
	assert_string_equal(text, "9999-12-31T23:59:59Z");
	time_text(INT64_MAX, text);
	assert_string_equal(text, "9999-12-31T23:59:59Z");
	time_text(INT64_MIN, text);
	assert_string_equal(text, "0000-01-01T00:00:00Z");
}

/* Every day of ten thousand years, counted by hand beside it. */
static void
test_every_day(void **state)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	int year = 0, month = 1, day = 1, last;
	struct date d;
	int64_t t;

	(void)state;
	for (t = -62167219200; t <= 253402300799; t += DAY) {
		time_split(t + 45296, &d); /* 12:34:56 */
		if (d.year != year || d.month != month || d.day != day ||
		    d.hour != 12 || d.minute != 34 || d.second != 56 ||
		    time_join(&d) != t + 45296)
			fail_msg("%d-%d-%d", year, month, day);
		last = days[month - 1];
		if (month == 2 &&
		    (year % 400 == 0 || (year % 4 == 0 && year % 100 != 0)))
			last = 29;
		if (++day > last) {
			day = 1;
			if (++month > 12) {
				month = 1;
				year++;
			}
		}
	}
	assert_int_equal(year, 10000);
}

/* Fields that are out of range carry over. */
static void
test_carry(void **state)
{
	struct date d = { .year = 2026, .month = 13, .day = 1 };
	char text[TIME_TEXT];

	(void)state;
	time_text(time_join(&d), text);
	assert_string_equal(text, "2027-01-01T00:00:00Z");
	d.month = 3;
	d.day = 0;
	time_text(time_join(&d), text);
	assert_string_equal(text, "2026-02-28T00:00:00Z");
	d.month = 0;
	d.day = 31;
	d.hour = 24;
	time_text(time_join(&d), text);
	assert_string_equal(text, "2026-01-01T00:00:00Z");
}

static void
test_unreadable(void **state)
{
	static const char *const bad[] = {
		"",
		"2026",
		"2026-11-23",
		"2026-11-23T19:00:00",
		"2026-11-23T19:00:00z",
		"2026-11-23t19:00:00Z",
		"2026-11-23 19:00:00Z",
		"2026-11-23T19:00:00ZZ",
		" 2026-11-23T19:00:00Z",
		"2026-11-23T19:00:00+00:00",
		"2026-11-23T24:00:00Z",
		"2026-11-23T19:60:00Z",
		"2026-11-23T19:00:60Z",
		"2026-11-31T19:00:00Z",
		"2026-02-29T19:00:00Z",
		"2026-13-01T19:00:00Z",
		"2026-00-01T19:00:00Z",
		"2026-01-00T19:00:00Z",
		"+026-01-01T19:00:00Z",
		"20260-01-01T19:00:0Z",
	};
	int64_t t = 5;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (time_read(bad[i], &t) != ERR_INPUT)
			fail_msg("accepted: %s", bad[i]);
	}
	assert_int_equal(t, 5);
}

static void
test_option(void **state)
{
	static const struct {
		const char *s;
		int past;
		int64_t want;
	} good[] = {
		{ "30d", 0, 1000 + 30 * DAY },
		{ "30d", 1, 1000 - 30 * DAY },
		{ "12h", 0, 1000 + 12 * 3600 },
		{ "60m", 0, 1000 + 3600 },
		{ "90s", 1, 910 },
		{ "0s", 0, 1000 },
		{ "007d", 0, 1000 + 7 * DAY },
		{ "2027-01-31", 0, 1801353600 },
		{ "2027-01-31", 1, 1801353600 },
		{ "2026-11-23T19:00:00Z", 0, 1795460400 },
	};
	static const char *const bad[] = { "", "d", "30", "30w", "30dd", "-3d",
		"+3d", " 3d", "3 d", "3d ", "3.5d", "0x3d", "2027-02-30",
		"2027-1-31", "2027/01/31", "tomorrow", "99999999999999999d",
		"9999999999d" };
	int64_t t = 5;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (time_option(bad[i], 0, 1000, &t) != ERR_INPUT)
			fail_msg("accepted: %s", bad[i]);
	}
	assert_int_equal(t, 5);
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(
		    time_option(good[i].s, good[i].past, 1000, &t), OK);
		assert_int_equal(t, good[i].want);
	}
}

static void
test_clocks(void **state)
{
	struct timespec ts;
	int64_t a, b;

	(void)state;
	assert_int_equal(clock_gettime(CLOCK_REALTIME, &ts), 0);
	assert_in_range(time_now() - ts.tv_sec, 0, 2);
	a = time_ticks();
	ts.tv_sec = 0;
	ts.tv_nsec = 20000000;
	(void)nanosleep(&ts, NULL);
	b = time_ticks();
	assert_in_range(b - a, 15, 10000);
}

static void
test_http(void **state)
{
	static const struct {
		int64_t t;
		const char *text;
	} rows[] = {
		{ 784111777, "Sun, 06 Nov 1994 08:49:37 GMT" },
		{ 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ -1, "Wed, 31 Dec 1969 23:59:59 GMT" },
		{ 1709164800, "Thu, 29 Feb 2024 00:00:00 GMT" },
		{ INT64_C(253402300799), "Fri, 31 Dec 9999 23:59:59 GMT" },
	};
	static const char *const bad[] = { "", "Sun, 06 Nov 1994 08:49:37",
		"Mon, 06 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:37 GMT ",
		"Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
		"Sun, 06 nov 1994 08:49:37 GMT", "Sun Nov  6 08:49:37 1994" };
	char text[TIME_HTTP];
	int64_t t = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		time_http(rows[i].t, text);
		assert_string_equal(text, rows[i].text);
		assert_int_equal(time_http_read(text, &t), OK);
		assert_int_equal(t, rows[i].t);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(time_http_read(bad[i], &t), ERR_INPUT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_clamp),
		cmocka_unit_test(test_every_day),
		cmocka_unit_test(test_carry),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_option),
		cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_http),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
