#include <string.h>

#include "base/json_own.h"
#include "base/utf8.h"

/* The words of a JSON text (RFC 8259 2, 6, 7), before cJSON looks at it. */

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* How many digits stand at i. */
static size_t
digits(struct span t, size_t i)
{
	size_t n = 0;

	while (i + n < t.len && is_digit(t.p[i + n]))
		n++;
	return n;
}

/* The value of the four hex digits at i; 0: they are none, or zero. */
static unsigned
hex4(struct span t, size_t i)
{
	unsigned value = 0;

	if (t.len - i < 4)
		return 0;
	for (size_t k = i; k < i + 4; k++) {
		uint8_t c = t.p[k], low = c | 0x20;

		if (is_digit(c))
			value = value << 4 | (unsigned)(c - '0');
		else if (low >= 'a' && low <= 'f')
			value = value << 4 | (unsigned)(low - 'a' + 10);
		else
			return 0;
	}
	return value;
}

/* Each of these gives the length of the word at i, 0: there is none such. */
static size_t
escape(struct span t, size_t i)
{
	if (t.len - i < 2)
		return 0;
	if (t.p[i + 1] == 'u')
		return hex4(t, i + 2) != 0 ? 6 : 0;
	return t.p[i + 1] != '\0' && strchr("\"\\/bfnrt", t.p[i + 1]) ? 2 : 0;
}

static size_t
string(struct span t, size_t i)
{
	size_t n, at = i + 1;

	for (; at < t.len && t.p[at] != '"'; at += n) {
		if (t.p[at] < 0x20)
			return 0;
		n = t.p[at] == '\\' ? escape(t, at) : 1;
		if (n == 0)
			return 0;
	}
	return at < t.len ? at + 1 - i : 0;
}

/* Longer ones than 60 characters cJSON would cut. */
static size_t
number(struct span t, size_t i)
{
	size_t n, at = i;

	if (t.p[at] == '-')
		at++;
	if ((n = digits(t, at)) == 0 || (n > 1 && t.p[at] == '0'))
		return 0;
	at += n;
	if (at < t.len && t.p[at] == '.') {
		if ((n = digits(t, at + 1)) == 0)
			return 0;
		at += 1 + n;
	}
	if (at < t.len && (t.p[at] | 0x20) == 'e') {
		at++;
		if (at < t.len && (t.p[at] == '+' || t.p[at] == '-'))
			at++;
		if ((n = digits(t, at)) == 0)
			return 0;
		at += n;
	}
	return at - i <= 60 ? at - i : 0;
}

static size_t
literal(struct span t, size_t i)
{
	static const char *const words[] = { "true", "false", "null" };

	for (size_t k = 0; k < sizeof(words) / sizeof(*words); k++) {
		size_t n = strlen(words[k]);

		if (t.len - i >= n && memcmp(t.p + i, words[k], n) == 0)
			return n;
	}
	return 0;
}

static size_t
word(struct span t, size_t i)
{
	uint8_t c = t.p[i];

	if (c == '"')
		return string(t, i);
	if (c == '-' || is_digit(c))
		return number(t, i);
	if (c >= 'a' && c <= 'z')
		return literal(t, i);
	return c != '\0' && strchr(" \t\r\n{}[],:", c) != NULL ? 1 : 0;
}

enum err
json_words(struct span text)
{
	size_t n, depth = 0;

	if (!utf8_valid(text))
		return ERR_INPUT;
	for (size_t i = 0; i < text.len; i += n) {
		uint8_t c = text.p[i];

		if ((n = word(text, i)) == 0)
			return ERR_INPUT;
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && depth > 0)
			depth--;
		if (depth > MAX_JSON_DEPTH)
			return ERR_TOOBIG;
	}
	return OK;
}
