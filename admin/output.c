#include "admin/admin.h"

#include <stdarg.h>
#include <unistd.h>

#include "base/log.h"
#include "base/time.h"

static char last_said[512];
static bool json_first; /* no comma before the next field */

/* The sentence of an error, on standard error and kept for the audit. */
static void __attribute__((format(printf, 1, 0)))
sentence(const char *fmt, va_list ap)
{
	(void)vsnprintf(last_said, sizeof(last_said), fmt, ap);
	log_error("%s", last_said);
}

enum err
say(enum err e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	sentence(fmt, ap);
	va_end(ap);
	return e;
}

enum err
usage(struct command *cmd, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	sentence(fmt, ap);
	va_end(ap);
	cmd->exit_status = 2;
	return ERR_INPUT;
}

const char *
said(void)
{
	return last_said;
}

enum err
confirm(const struct command *cmd, const char *question)
{
	char answer[16];

	if (cmd->sure || opt_flag(cmd, "yes") || !isatty(STDIN_FILENO))
		return OK;
	(void)fprintf(stderr, "%s [y/N] ", question);
	if (fgets(answer, sizeof(answer), stdin) != NULL &&
	    (answer[0] == 'y' || answer[0] == 'Y'))
		return OK;
	return say(ERR_REFUSED, "nothing was changed");
}

/*
 * How many bytes of s make one character that may be shown as it is: 0 for
 * control characters, broken UTF-8 and what turns text around (bidi).
 */
static size_t
shown(const uint8_t *s)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t c = s[0];
	size_t len, i;

	if (c < 0x80)
		return c >= 0x20 && c != 0x7f ? 1 : 0;
	if (c < 0xc2 || c > 0xf4)
		return 0;
	len = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	c &= 0x7fU >> len;
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ||
	    c < 0xa0 || (c >= 0x202a && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069) || c == 0x2028 || c == 0x2029)
		return 0;
	return len;
}

/* Returns the columns that it took, a character being one. */
static int
put_text(FILE *out, const char *value)
{
	const uint8_t *s = (const uint8_t *)(value != NULL ? value : "-");
	int columns = 0;
	size_t n;

	for (; *s != '\0'; s += n == 0 ? 1 : n) {
		n = shown(s);
		if (n == 0)
			columns += fprintf(out, "\\x%02x", *s);
		else
			columns += fwrite(s, 1, n, out) == n;
	}
	return columns;
}

void
print_text(FILE *out, const char *value)
{
	(void)put_text(out, value);
}

void
print_cell(FILE *out, const char *value, int width)
{
	int used = put_text(out, value == NULL || !*value ? "-" : value);

	if (width == 0)
		(void)fputc('\n', out);
	else
		(void)fprintf(
		    out, "%*s", used < width ? width - used + 2 : 2, "");
}

void
print_heading(const struct command *cmd, const struct heading *columns)
{
	if (opt_flag(cmd, "json") || !isatty(fileno(cmd->out)))
		return;
	do
		print_cell(cmd->out, columns->name, columns->width);
	while (columns++->width != 0);
}

void
print_field(FILE *out, const char *label, const char *value)
{
	if (value == NULL)
		return;
	(void)fprintf(out, "%-14s", label);
	print_text(out, value);
	(void)fputc('\n', out);
}

void
print_time(FILE *out, const char *label, int64_t value)
{
	char text[TIME_TEXT];

	time_text(value, text);
	print_field(out, label, text);
}

/* A byte that is no part of good UTF-8 stands as the Latin-1 character. */
void
json_string(FILE *out, const char *value)
{
	const uint8_t *s = (const uint8_t *)value;
	size_t n;

	(void)fputc('"', out);
	for (; *s != '\0'; s += n == 0 ? 1 : n) {
		n = shown(s);
		if (n == 0)
			(void)fprintf(out, "\\u%04x", *s);
		else if (*s == '"' || *s == '\\')
			(void)fprintf(out, "\\%c", *s);
		else
			(void)fwrite(s, 1, n, out);
	}
	(void)fputc('"', out);
}

static void
json_key(FILE *out, const char *key)
{
	if (!json_first)
		(void)fputc(',', out);
	json_first = false;
	json_string(out, key);
	(void)fputc(':', out);
}

void
json_begin(FILE *out)
{
	(void)fputc('{', out);
	json_first = true;
}

void
json_text(FILE *out, const char *key, const char *value)
{
	if (value == NULL)
		return;
	json_key(out, key);
	json_string(out, value);
}

void
json_num(FILE *out, const char *key, int64_t value)
{
	json_key(out, key);
	(void)fprintf(out, "%lld", (long long)value);
}

void
json_bool(FILE *out, const char *key, bool value)
{
	json_key(out, key);
	(void)fputs(value ? "true" : "false", out);
}

void
json_time(FILE *out, const char *key, int64_t value)
{
	char text[TIME_TEXT];

	time_text(value, text);
	json_text(out, key, text);
}

void
json_end(FILE *out)
{
	(void)fputs("}\n", out);
}
