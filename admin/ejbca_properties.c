#include "admin/ejbca.h"

#include <openssl/asn1.h>
#include <string.h>

#include "base/names.h"

void
property_release(struct property *p)
{
	buf_release(&p->key);
	buf_release(&p->value);
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\f';
}

static void
skip_blanks(struct span *s)
{
	while (s->len > 0 && is_blank(s->p[0]))
		*s = span_of(s->p + 1, s->len - 1);
}

/* One line without its end; CR LF is one end. */
static struct span
take_line(struct span *rest)
{
	struct span line = *rest;
	size_t n = 0, end;

	while (n < rest->len && rest->p[n] != '\n' && rest->p[n] != '\r')
		n++;
	line.len = n;
	end = n + (n < rest->len);
	if (n + 1 < rest->len && rest->p[n] == '\r' && rest->p[n + 1] == '\n')
		end++;
	*rest = span_of(rest->p + end, rest->len - end);
	return line;
}

/* Does it end with a backslash that has none before it? */
static bool
goes_on(struct span line)
{
	size_t n = 0;

	while (n < line.len && line.p[line.len - 1 - n] == '\\')
		n++;
	return n % 2 == 1;
}

/* A line and those that continue it, without blanks before each. */
static bool
take_logical(struct span *rest, int *line, struct buf *out)
{
	struct span part;
	bool more;

	do {
		part = take_line(rest);
		++*line;
		skip_blanks(&part);
		if (out->len == 0 && part.len > 0 &&
		    (part.p[0] == '#' || part.p[0] == '!'))
			return true;
		more = goes_on(part);
		if (!buf_add(out, part.p, part.len - more))
			return false;
	} while (more && rest->len > 0);
	return true;
}

/* Half of a pair that is alone is no character: U+FFFD stands for it. */
static bool
put_utf8(struct buf *out, unsigned long c)
{
	unsigned char utf8[4];
	int n = UTF8_putc(utf8, (int)sizeof(utf8), c);

	if (n <= 0)
		n = UTF8_putc(utf8, (int)sizeof(utf8), 0xfffd);
	return n > 0 && buf_add(out, utf8, (size_t)n);
}

/* The XXXX of \uXXXX; false where there are no four hex digits. */
static bool
take_code(struct span *s, unsigned *c)
{
	char digits[5] = "";
	struct buf raw = BUF_INIT;
	bool good = false;

	if (s->len >= 4)
		memcpy(digits, s->p, 4);
	if (strspn(digits, "0123456789abcdefABCDEF") == 4 &&
	    hex_read(digits, &raw) == OK) {
		*c = (unsigned)raw.data[0] << 8 | raw.data[1];
		*s = span_of(s->p + 4, s->len - 4);
		good = true;
	}
	buf_release(&raw);
	return good;
}

/* Behind \\uXXXX: beyond the first 65,536 a character takes a pair of them. */
static bool
put_code(struct span *s, unsigned high, struct buf *out)
{
	struct span rest = *s;
	unsigned low = 0;

	if (high >> 10 != 0xd800 >> 10 || rest.len < 2 || rest.p[0] != '\\' ||
	    rest.p[1] != 'u')
		return put_utf8(out, high);
	rest = span_of(rest.p + 2, rest.len - 2);
	if (!take_code(&rest, &low) || low >> 10 != 0xdc00 >> 10)
		return put_utf8(out, high);
	*s = rest;
	return put_utf8(
	    out, 0x10000UL + ((high & 0x3ffUL) << 10) + (low & 0x3ffUL));
}

/* What stands behind a backslash. */
static bool
put_escaped(struct span *s, struct buf *out)
{
	static const char letters[] = "tnrf", means[] = "\t\n\r\f";
	uint8_t c = s->p[0];
	const char *at = memchr(letters, c, sizeof(letters) - 1);
	unsigned code = 0;

	*s = span_of(s->p + 1, s->len - 1);
	if (c == 'u' && take_code(s, &code))
		return put_code(s, code, out);
	return buf_byte(out, at == NULL ? c : (uint8_t)means[at - letters]);
}

/* Up to what ends a key, or to the end of the line. */
static bool
take_part(struct span *s, bool key, struct buf *out)
{
	while (s->len > 0) {
		uint8_t c = s->p[0];

		if (key && (c == '=' || c == ':' || is_blank(c)))
			break;
		*s = span_of(s->p + 1, s->len - 1);
		if (c == '\\' && s->len > 0) {
			if (!put_escaped(s, out))
				return false;
		} else if (!buf_byte(out, c)) {
			return false;
		}
	}
	return true;
}

bool
property_next(struct span *rest, struct property *p)
{
	struct buf text = BUF_SECRET;
	bool found = false;

	buf_clear(&p->key);
	buf_clear(&p->value);
	while (!found && rest->len > 0) {
		struct span s;

		buf_clear(&text);
		if (!take_logical(rest, &p->line, &text))
			break;
		s = buf_span(&text);
		if (s.len == 0)
			continue;
		found = take_part(&s, true, &p->key);
		skip_blanks(&s);
		if (s.len > 0 && (s.p[0] == '=' || s.p[0] == ':'))
			s = span_of(s.p + 1, s.len - 1);
		skip_blanks(&s);
		found = found && take_part(&s, false, &p->value);
	}
	buf_release(&text);
	return found;
}
