#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * One line per event, one write().  As a server:
 *   2026-11-23T19:00:00Z level=error req=<id> msg="a sentence"
 *   2026-11-23T19:00:00Z level=info event=request req=<id> key=value ...
 * in UTC; a value with a blank, '=' or anything escaped stands in quotes.
 * Escaped are quote and backslash, by a backslash, and every byte that is
 * not printable ASCII, as \xNN, so that a client cannot forge a line or a
 * key (C-181).  On the command line: `scep: sentence`, errors and warnings
 * only, quotes and backslashes as they are.  errno is kept.
 */
enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG__MAX };
enum log_hat { LOG_SERVER, LOG_COMMAND };

/* Which of the two forms; LOG_SERVER until told otherwise. */
void log_hat(enum log_hat hat);

/*
 * Where lines go: sink(line without newline, arg); NULL is standard error.
 * FastCGI sends them to the web server's log during a request.
 */
void log_sink(void (*sink)(const char *line, void *arg), void *arg);

/*
 * While on, nothing is written: for trying again what has just failed, and was
 * told of.  Whoever turns it on turns it off.
 */
void log_mute(bool on);

/*
 * A word that every line carries until changed: the request's id, copied, at
 * most 63 bytes; NULL ends.
 */
void log_request(const char *id);

/* One sentence: what, where, and for administrators what to do. */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* As log_error(), with errno's text behind it. */
void log_errno(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* As log_error(), with OpenSSL's error queue behind it; empties the queue. */
void log_openssl(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * A line of named values: log_begin(&l, LOG_INFO, "request"), any number of
 * log_text/log_num, log_end(&l) writes and releases.  Keys are our own
 * constants; values may be hostile.  Empty and NULL values are left out.
 */
struct logline {
	struct buf text;
	enum log_level level;
};
void log_begin(struct logline *l, enum log_level level, const char *event);
void log_text(struct logline *l, const char *key, const char *value);
void log_span(struct logline *l, const char *key, struct span value);
void log_num(struct logline *l, const char *key, int64_t value);
void log_end(struct logline *l);

/*
 * Appends value escaped as log lines have it (blanks stay), also for terminal
 * output.  False: memory was out, and the rest is not there (logged).
 */
bool log_escape(struct buf *out, struct span value);

#endif
