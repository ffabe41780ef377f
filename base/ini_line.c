#include "base/ini_line.h"

/* C locale, whatever the process has: files must not change with it. */
static bool
blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

static struct span
trim(struct span s)
{
	while (s.len > 0 && blank(s.p[0])) {
		s.p++;
		s.len--;
	}
	while (s.len > 0 && blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

static struct span
from(struct span s, size_t n)
{
	return span_of(s.p + n, s.len - n);
}

/* The offset of the first c, s.len if there is none. */
static size_t
find(struct span s, uint8_t c)
{
	const uint8_t *p;

	p = s.len > 0 ? memchr(s.p, c, s.len) : NULL;
	return p == NULL ? s.len : (size_t)(p - s.p);
}

bool
ini_name_eq(struct span a, const char *name)
{
	size_t i;

	if (a.len != strlen(name))
		return false;
	for (i = 0; i < a.len; i++) {
		if (lower(a.p[i]) != lower((uint8_t)name[i]))
			return false;
	}
	return true;
}

const char *
ini_name_wrong(struct span name, enum ini_kind kind)
{
	size_t i;
	uint8_t c;

	if (name.len == 0)
		return "an empty name";
	if (name.len > INI_NAME)
		return "a name over 100 bytes";
	for (i = 0; i < name.len; i++) {
		c = name.p[i];
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-')
			continue;
		/* iniparser's own separator stands in neither. */
		if (kind == INI_SECTION && (c == ' ' || c == '/') && i > 0)
			continue;
		return "a name with other characters than A-Z a-z 0-9 . _ -";
	}
	return NULL;
}

/*
 * A quoted value must end with its quote, and only a comment may follow:
 * iniparser would cut the rest off in silence.
 */
static const char *
quotes_wrong(struct span value)
{
	struct span rest;
	size_t n;

	if (value.len == 0 || (value.p[0] != '"' && value.p[0] != '\''))
		return NULL;
	n = find(from(value, 1), value.p[0]) + 1;
	if (n == value.len)
		return "a quote that is not closed";
	rest = trim(from(value, n + 1));
	if (rest.len == 0)
		return NULL;
	/* Behind "" iniparser takes all for the value, quotes included. */
	if (n == 1)
		return "text after an empty quoted value";
	if (rest.p[0] != '#' && rest.p[0] != ';')
		return "text after the closing quote (inside \"...\" use "
		       "', inside '...' use \")";
	return NULL;
}

char
ini_value_cut(struct span value)
{
	size_t semicolon = find(value, ';'), hash = find(value, '#');
	size_t n = semicolon < hash ? semicolon : hash;

	if (n == 0 || n == value.len || value.p[0] == '"' ||
	    value.p[0] == '\'' || blank(value.p[n - 1]))
		return '\0';
	return (char)value.p[n];
}

static void
read_section(struct ini_line *l, struct span s)
{
	size_t n = find(s, ']');

	l->kind = INI_SECTION;
	if (n + 1 != s.len) {
		l->wrong = "a section must be [name] alone on its line";
		return;
	}
	l->name = trim(span_of(s.p + 1, n - 1));
	l->wrong = ini_name_wrong(l->name, INI_SECTION);
}

static void
read_key(struct ini_line *l, struct span s)
{
	size_t n = find(s, '=');

	l->kind = INI_KEY;
	if (n == s.len) {
		l->wrong = "neither [section] nor key = value";
		return;
	}
	l->name = trim(span_of(s.p, n));
	l->value = trim(from(s, n + 1));
	l->wrong = ini_name_wrong(l->name, INI_KEY);
	if (l->wrong == NULL)
		l->wrong = quotes_wrong(l->value);
}

/* "; key = value" shows where such a line may stand. */
static void
read_comment(struct ini_line *l, struct span s)
{
	struct span name;
	size_t n;

	l->kind = INI_COMMENT;
	while (s.len > 0 && (s.p[0] == ';' || s.p[0] == '#'))
		s = from(s, 1);
	n = find(s, '=');
	if (n == s.len)
		return;
	name = trim(span_of(s.p, n));
	if (ini_name_wrong(name, INI_KEY) == NULL)
		l->example = name;
}

/* What no line may have, comments included; NULL if there is nothing. */
static const char *
bytes_wrong(struct span raw)
{
	struct span s = trim(raw);
	size_t i;

	if (raw.len > INI_LINE)
		return "a line over 1000 bytes";
	for (i = 0; i < raw.len; i++) {
		if (raw.p[i] == '\0')
			return "a NUL byte";
		if ((raw.p[i] < ' ' && raw.p[i] != '\t') || raw.p[i] == 0x7f)
			return "a control character";
	}
	/* iniparser would join the next line to it, even to a comment. */
	if (s.len > 0 && s.p[s.len - 1] == '\\')
		return "a line that ends with a backslash (quote the value)";
	return NULL;
}

bool
ini_line_next(struct span text, size_t *at, struct ini_line *l)
{
	struct span rest, s;
	size_t n, end;
	int number = l->number + 1;

	if (*at >= text.len)
		return false;
	rest = from(text, *at);
	n = find(rest, '\n');
	end = n < rest.len ? n + 1 : n;
	if (n < rest.len && n > 0 && rest.p[n - 1] == '\r')
		n--;
	*l = (struct ini_line){ .number = number };
	l->raw = span_of(rest.p, n);
	l->end = span_of(rest.p + n, end - n);
	*at += end;
	s = trim(l->raw);
	if (s.len == 0)
		l->kind = INI_BLANK;
	else if (s.p[0] == '#' || s.p[0] == ';')
		read_comment(l, s);
	else if (s.p[0] == '[')
		read_section(l, s);
	else
		read_key(l, s);
	if (bytes_wrong(l->raw) != NULL)
		l->wrong = bytes_wrong(l->raw);
	return true;
}
