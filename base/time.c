#include "base/time.h"

/*
 * Calendar arithmetic on whole days in 400-year eras of the Gregorian
 * calendar, each year beginning in March so that the leap day comes last.
 */
#define ERA_DAYS   146097	    /* days of 400 years */
#define EPOCH_DAYS 719468	    /* days from 0000-03-01 to 1970-01-01 */
#define SHIFT	   INT64_C(1000000) /* eras that keep years positive */

#define TIME_MIN (INT64_C(-62167219200)) /* 0000-01-01T00:00:00Z */
#define TIME_MAX INT64_C(253402300799)	 /* 9999-12-31T23:59:59Z */

int64_t
time_now(void)
{
	struct timespec ts = { 0, 0 };

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec;
}

int64_t
time_ticks(void)
{
	struct timespec ts = { 0, 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void
time_split(int64_t t, struct date *out)
{
	int64_t days, rest, era, day, year, month;

	if (t < TIME_MIN)
		t = TIME_MIN;
	if (t > TIME_MAX)
		t = TIME_MAX;
	/* From one era earlier, so that nothing below is negative. */
	t += (EPOCH_DAYS + (int64_t)ERA_DAYS) * DAY;
	days = t / DAY;
	rest = t % DAY;
	era = days / ERA_DAYS;
	day = days % ERA_DAYS;
	year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	day -= 365 * year + year / 4 - year / 100;
	month = (5 * day + 2) / 153; /* 0 is March */
	out->day = (int)(day - (153 * month + 2) / 5 + 1);
	out->month = (int)(month < 10 ? month + 3 : month - 9);
	out->year = (int)(year + (era - 1) * 400 + (month < 10 ? 0 : 1));
	out->hour = (int)(rest / 3600);
	out->minute = (int)(rest / 60 % 60);
	out->second = (int)(rest % 60);
}

int64_t
time_join(const struct date *d)
{
	int64_t year, month, era, day;

	/* Months beyond December or before January count on in years. */
	year = (int64_t)d->year * 12 + d->month - 3 + SHIFT * 400 * 12;
	month = year % 12; /* 0 is March */
	year = year / 12;
	era = year / 400;
	year %= 400;
	day = (153 * month + 2) / 5 + d->day - 1;
	day += 365 * year + year / 4 - year / 100;
	day += (era - SHIFT) * ERA_DAYS - EPOCH_DAYS;
	return day * DAY + d->hour * INT64_C(3600) + d->minute * INT64_C(60) +
	       d->second;
}

/* n decimal digits, most significant first. */
static void
put_digits(char *out, int n, int value)
{
	while (n-- > 0) {
		out[n] = (char)('0' + value % 10);
		value /= 10;
	}
}

void
time_text(int64_t t, char out[TIME_TEXT])
{
	struct date d;

	time_split(t, &d);
	memcpy(out, "0000-00-00T00:00:00Z", TIME_TEXT);
	put_digits(out, 4, d.year);
	put_digits(out + 5, 2, d.month);
	put_digits(out + 8, 2, d.day);
	put_digits(out + 11, 2, d.hour);
	put_digits(out + 14, 2, d.minute);
	put_digits(out + 17, 2, d.second);
}

/* n decimal digits; the caller knows that they are digits. */
static int
get_digits(const char *s, int n)
{
	int value = 0;

	while (n-- > 0)
		value = value * 10 + (*s++ - '0');
	return value;
}

enum err
time_read(const char *s, int64_t *out)
{
	static const char form[] = "0000-00-00T00:00:00Z";
	char again[TIME_TEXT];
	struct date d;
	int64_t t;
	size_t i;

	for (i = 0; i < sizeof(form); i++) {
		if (form[i] == '0' ? s[i] < '0' || s[i] > '9' : s[i] != form[i])
			return ERR_INPUT;
	}
	d.year = get_digits(s, 4);
	d.month = get_digits(s + 5, 2);
	d.day = get_digits(s + 8, 2);
	d.hour = get_digits(s + 11, 2);
	d.minute = get_digits(s + 14, 2);
	d.second = get_digits(s + 17, 2);
	t = time_join(&d);
	/* 31 February would have become a day in March. */
	time_text(t, again);
	if (strcmp(again, s) != 0)
		return ERR_INPUT;
	*out = t;
	return OK;
}

/* "30d" and the like as seconds; -1 if it is not that. */
static int64_t
duration(const char *s)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = {
		{ 'd', 86400 },
		{ 'h', 3600 },
		{ 'm', 60 },
		{ 's', 1 },
	};
	int64_t n = 0;
	size_t i, u;

	for (i = 0; s[i] >= '0' && s[i] <= '9'; i++) {
		if (i == 12)
			return -1;
		n = n * 10 + (s[i] - '0');
	}
	if (i == 0 || s[i] == '\0' || s[i + 1] != '\0')
		return -1;
	for (u = 0; u < sizeof(units) / sizeof(units[0]); u++) {
		if (units[u].letter == s[i])
			return n * units[u].seconds;
	}
	return -1;
}

enum err
time_option(const char *s, int past, int64_t now, int64_t *out)
{
	char full[TIME_TEXT];
	int64_t n;

	n = duration(s);
	if (n >= 0) {
		n = past ? now - n : now + n;
		if (n < TIME_MIN || n > TIME_MAX)
			return ERR_INPUT;
		*out = n;
		return OK;
	}
	if (strlen(s) != 10)
		return time_read(s, out);
	memcpy(full, s, 10);
	memcpy(full + 10, "T00:00:00Z", sizeof(full) - 10);
	return time_read(full, out);
}

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

void
time_http(int64_t t, char out[TIME_HTTP])
{
	static const char days[] = "ThuFriSatSunMonTueWed"; /* from 1970 on */
	struct date d, midnight;
	int64_t day;

	time_split(t, &d);
	midnight = (struct date){ d.year, d.month, d.day, 0, 0, 0 };
	day = (time_join(&midnight) / DAY % 7 + 7) % 7;
	memcpy(out, "xxx, 00 xxx 0000 00:00:00 GMT", TIME_HTTP);
	memcpy(out, days + 3 * day, 3);
	put_digits(out + 5, 2, d.day);
	memcpy(out + 8, months + (size_t)3 * ((size_t)d.month - 1), 3);
	put_digits(out + 12, 4, d.year);
	put_digits(out + 17, 2, d.hour);
	put_digits(out + 20, 2, d.minute);
	put_digits(out + 23, 2, d.second);
}

enum err
time_http_read(const char *s, int64_t *out)
{
	static const char form[] = "xxx, 00 xxx 0000 00:00:00 GMT";
	char again[TIME_HTTP];
	struct date d = { 0 };
	int64_t t;
	size_t i;

	for (i = 0; i < sizeof(form); i++) {
		if (s[i] == '\0' && form[i] != '\0')
			return ERR_INPUT;
		if (form[i] == '0' && (s[i] < '0' || s[i] > '9'))
			return ERR_INPUT;
	}
	for (d.month = 1; d.month <= 12; d.month++) {
		if (memcmp(months + (size_t)3 * ((size_t)d.month - 1), s + 8,
			3) == 0)
			break;
	}
	d.day = get_digits(s + 5, 2);
	d.year = get_digits(s + 12, 4);
	d.hour = get_digits(s + 17, 2);
	d.minute = get_digits(s + 20, 2);
	d.second = get_digits(s + 23, 2);
	t = time_join(&d);
	/* All that is not as it must be would be written otherwise. */
	time_http(t, again);
	if (strcmp(again, s) != 0)
		return ERR_INPUT;
	*out = t;
	return OK;
}
