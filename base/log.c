#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/time.h"

#define SENTENCE 2048 /* bytes of one message before escaping; more is cut */
#define LINE	 (4 * SENTENCE + 256)
#define REQUEST	 64

static const char *const level_names[LOG__MAX] = { "error", "warn", "info" };

static enum log_hat the_hat = LOG_SERVER;
static void (*the_sink)(const char *line, void *arg);
static void *the_sink_arg;
static bool the_mute;
static char the_request[REQUEST];

/*
 * Sentences are put together in arrays, without malloc(): "out of memory" is
 * one of them.
 */
struct text {
	char s[LINE];
	size_t len;
};

static void
put(struct text *t, const char *s, size_t len)
{
	if (len > sizeof(t->s) - 1 - t->len)
		len = sizeof(t->s) - 1 - t->len;
	memcpy(t->s + t->len, s, len);
	t->len += len;
	t->s[t->len] = '\0';
}

static void
put_str(struct text *t, const char *s)
{
	put(t, s, strlen(s));
}

/* One byte as log lines have it; returns how many characters that took. */
static size_t
escape(char out[4], uint8_t c, bool quotes)
{
	static const char hex[] = "0123456789abcdef";

	if (c >= 0x20 && c < 0x7f && (!quotes || (c != '\\' && c != '"'))) {
		out[0] = (char)c;
		return 1;
	}
	out[0] = '\\';
	if (c == '\\' || c == '"') {
		out[1] = (char)c;
		return 2;
	}
	out[1] = 'x';
	out[2] = hex[c >> 4];
	out[3] = hex[c & 15];
	return 4;
}

static void
put_escaped(struct text *t, const char *s, bool quotes)
{
	char e[4];

	for (; *s != '\0'; s++)
		put(t, e, escape(e, (uint8_t)*s, quotes));
}

void
log_hat(enum log_hat hat)
{
	the_hat = hat;
}

void
log_sink(void (*sink)(const char *line, void *arg), void *arg)
{
	the_sink = sink;
	the_sink_arg = arg;
}

void
log_mute(bool on)
{
	the_mute = on;
}

void
log_request(const char *id)
{
	(void)snprintf(
	    the_request, sizeof(the_request), "%s", id == NULL ? "" : id);
}

/* `line` has room for a newline behind its len bytes instead of its NUL. */
static void
emit(char *line, size_t len)
{
	ssize_t n;

	if (the_mute)
		return;
	if (the_sink != NULL) {
		the_sink(line, the_sink_arg);
		return;
	}
	line[len] = '\n';
	do
		n = write(STDERR_FILENO, line, len + 1);
	while (n < 0 && errno == EINTR);
	line[len] = '\0';
}

/* On the command line only trouble is worth a line. */
static bool
silent(enum log_level level)
{
	return the_hat == LOG_COMMAND && level == LOG_INFO;
}

static void
sentence(enum log_level level, const char *message)
{
	struct text t = { .len = 0 };
	char now[TIME_TEXT];

	if (the_hat == LOG_COMMAND) {
		put_str(&t, "scep: ");
		put_escaped(&t, message, false);
		emit(t.s, t.len);
		return;
	}
	time_text(time_now(), now);
	put_str(&t, now);
	put_str(&t, " level=");
	put_str(&t, level_names[level]);
	if (the_request[0] != '\0') {
		put_str(&t, " req=");
		put_escaped(&t, the_request, true);
	}
	put_str(&t, " msg=\"");
	put_escaped(&t, message, true);
	put_str(&t, "\"");
	emit(t.s, t.len);
}

static void __attribute__((format(printf, 3, 0)))
say(enum log_level level, const char *behind, const char *fmt, va_list ap)
{
	char message[SENTENCE];
	int saved = errno;
	int n;

	if (silent(level))
		return;
	n = vsnprintf(message, sizeof(message), fmt, ap);
	if (n < 0)
		n = 0;
	if ((size_t)n < sizeof(message))
		(void)snprintf(
		    message + n, sizeof(message) - (size_t)n, "%s", behind);
	sentence(level, message);
	errno = saved;
}

void
log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(LOG_ERROR, "", fmt, ap);
	va_end(ap);
}

void
log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(LOG_WARN, "", fmt, ap);
	va_end(ap);
}

void
log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(LOG_INFO, "", fmt, ap);
	va_end(ap);
}

void
log_errno(const char *fmt, ...)
{
	char behind[256];
	va_list ap;

	(void)snprintf(behind, sizeof(behind), ": %s", strerror(errno));
	va_start(ap, fmt);
	say(LOG_ERROR, behind, fmt, ap);
	va_end(ap);
}

void
log_openssl(const char *fmt, ...)
{
	char behind[512] = "";
	const char *reason;
	unsigned long code;
	size_t len = 0;
	va_list ap;

	while ((code = ERR_get_error()) != 0) {
		reason = ERR_reason_error_string(code);
		if (reason == NULL)
			reason = "unknown reason";
		if (len + strlen(reason) + 3 > sizeof(behind))
			continue;
		(void)snprintf(behind + len, sizeof(behind) - len, "%s%s",
		    len == 0 ? ": " : "; ", reason);
		len = strlen(behind);
	}
	va_start(ap, fmt);
	say(LOG_ERROR, behind, fmt, ap);
	va_end(ap);
}

bool
log_escape(struct buf *out, struct span value)
{
	char e[4];
	size_t i;

	for (i = 0; i < value.len; i++) {
		if (!buf_add(out, e, escape(e, value.p[i], true)))
			return false;
	}
	return true;
}

void
log_begin(struct logline *l, enum log_level level, const char *event)
{
	char now[TIME_TEXT];

	buf_init(&l->text);
	l->level = level;
	if (the_hat == LOG_COMMAND) {
		(void)buf_printf(&l->text, "scep: %s", event);
		return;
	}
	time_text(time_now(), now);
	(void)buf_printf(
	    &l->text, "%s level=%s event=%s", now, level_names[level], event);
	log_text(l, "req", the_request);
}

void
log_span(struct logline *l, const char *key, struct span value)
{
	bool quoted = false;
	size_t i;

	if (value.len == 0)
		return;
	for (i = 0; i < value.len; i++) {
		if (value.p[i] <= ' ' || value.p[i] >= 0x7f ||
		    value.p[i] == '"' || value.p[i] == '\\' ||
		    value.p[i] == '=')
			quoted = true;
	}
	(void)buf_printf(&l->text, quoted ? " %s=\"" : " %s=", key);
	(void)log_escape(&l->text, value);
	if (quoted)
		(void)buf_byte(&l->text, '"');
}

void
log_text(struct logline *l, const char *key, const char *value)
{
	if (value != NULL)
		log_span(l, key, span_of(value, strlen(value)));
}

void
log_num(struct logline *l, const char *key, int64_t value)
{
	(void)buf_printf(&l->text, " %s=%lld", key, (long long)value);
}

void
log_end(struct logline *l)
{
	int saved = errno;

	/* The NUL that every buf has behind its text is emit()'s room. */
	if (!silent(l->level) && l->text.data != NULL)
		emit((char *)l->text.data, l->text.len);
	buf_release(&l->text);
	errno = saved;
}
