#ifndef BASE_TIME_H
#define BASE_TIME_H

#include <stdint.h>

#include "base/err.h"

#define TIME_TEXT 21 /* "2026-11-23T19:00:00Z" and NUL */
#define DAY	  ((int64_t)86400)

/* Seconds since 1970, UTC.  The only reader of the clock. */
int64_t time_now(void);

/* Milliseconds of a clock that only goes forward, for durations in logs. */
int64_t time_ticks(void);

/* RFC 3339 in UTC, "2026-11-23T19:00:00Z"; years 0000 to 9999 (clamped). */
void time_text(int64_t t, char out[TIME_TEXT]);

/* Reads exactly what time_text() writes.  ERR_INPUT otherwise, silent. */
enum err time_read(const char *s, int64_t *out);

/* HTTP's form (RFC 9110 5.6.7), "Sun, 06 Nov 1994 08:49:37 GMT". */
#define TIME_HTTP 30 /* with NUL */
void time_http(int64_t t, char out[TIME_HTTP]);

/*
 * Reads exactly what time_http() writes; ERR_INPUT (silent) also for the two
 * forms that nobody sends any more.
 */
enum err time_http_read(const char *s, int64_t *out);

/*
 * What --ttl, --since, --days and the like take: "30d", "12h", "60m", "90s"
 * (each counted from now; backwards if past is nonzero), "2027-01-31" or the
 * form of time_text().  ERR_INPUT otherwise, silent.
 */
enum err time_option(const char *s, int past, int64_t now, int64_t *out);

/*
 * UTC calendar fields of t (clamped as above), and back; fields that are too
 * high or too low carry over: month 13 is the next January, day 0 the last
 * of the month before.
 */
struct date {
	int year, month, day, hour, minute, second; /* month and day from 1 */
};
void time_split(int64_t t, struct date *out);
int64_t time_join(const struct date *d);

#endif
