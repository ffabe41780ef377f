#include <string.h>
#include <strings.h>

#include "query.h"

#define HEAD_DIGITS 8 /* of base64: six bytes, tag and any length */

bool
query_value(struct span query, const char *name, struct span *raw)
{
	size_t namelen = strlen(name);
	size_t at = 0;

	while (at < query.len) {
		const char *p = (const char *)query.p + at;
		const char *amp = memchr(p, '&', query.len - at);
		size_t len = amp ? (size_t)(amp - p) : query.len - at;
		const char *eq = memchr(p, '=', len);
		size_t keylen = eq ? (size_t)(eq - p) : len;

		if (keylen == namelen && strncasecmp(p, name, namelen) == 0) {
			size_t skip = eq ? keylen + 1 : keylen;

			*raw = span_of(p + skip, len - skip);
			return true;
		}
		at += len + 1;
	}
	return false;
}

static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum err
percent_decode(struct span raw, struct buf *out)
{
	if (!buf_reserve(out, raw.len + 1))
		return ERR_SYSTEM;
	for (size_t i = 0; i < raw.len; i++) {
		uint8_t c = raw.p[i];

		if (c == '%' && raw.len - i > 2) {
			int high = hex_digit(raw.p[i + 1]);
			int low = hex_digit(raw.p[i + 2]);

			if (high >= 0 && low >= 0) {
				c = (uint8_t)(high << 4 | low);
				i += 2;
			}
		}
		if (!buf_byte(out, c))
			return ERR_SYSTEM;
	}
	return OK;
}

/* 0 to 63; -1: line ends, skipped; -2: padding; -3: not base64. */
static int
base64_digit(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	/* A form decoder on the way made blanks of '+'; '-', '_': base64url. */
	if (c == '+' || c == ' ' || c == '-')
		return 62;
	if (c == '/' || c == '_')
		return 63;
	if (c == '\n' || c == '\r')
		return -1;
	return c == '=' ? -2 : -3;
}

static enum err
base64_decode(struct span text, struct buf *out)
{
	uint32_t bits = 0;
	size_t digits = 0;
	bool padding = false;

	if (!buf_reserve(out, text.len / 4 * 3 + 3))
		return ERR_SYSTEM;
	for (size_t i = 0; i < text.len; i++) {
		int d = base64_digit(text.p[i]);

		if (d == -1)
			continue;
		if (d == -2)
			padding = true;
		if (d == -3 || (d >= 0 && padding))
			return ERR_INPUT;
		if (d < 0)
			continue;
		bits = bits << 6 | (uint32_t)d;
		if (++digits % 4 == 0) {
			uint8_t three[3] = { (uint8_t)(bits >> 16),
				(uint8_t)(bits >> 8), (uint8_t)bits };

			if (!buf_add(out, three, sizeof(three)))
				return ERR_SYSTEM;
		}
	}
	/* Padding may be missing; what it stood for must still add up. */
	if (digits == 0 || digits % 4 == 1)
		return ERR_INPUT;
	if (digits % 4 == 2)
		return buf_byte(out, (uint8_t)(bits >> 4)) ? OK : ERR_SYSTEM;
	if (digits % 4 == 3)
		return buf_byte(out, (uint8_t)(bits >> 10)) &&
			       buf_byte(out, (uint8_t)(bits >> 2)) ?
			   OK :
			   ERR_SYSTEM;
	return OK;
}

/*
 * The digits that a DER element takes, as its own length says; 0 where the
 * text begins with none, or with one of indefinite length.
 */
static size_t
digits_wanted(struct span text)
{
	struct span head = text;
	struct buf bytes = BUF_INIT;
	size_t total = 0, n;

	head.len = head.len < HEAD_DIGITS ? head.len : HEAD_DIGITS;
	head.len -= head.len % 4 == 1; /* half a byte */
	if (base64_decode(head, &bytes) != OK || bytes.len < 2)
		goto out;
	n = bytes.data[1];
	if (n < 0x80) {
		total = 2 + n;
	} else if (n > 0x80 && n <= 0x84 && bytes.len >= 2 + n - 0x80) {
		n -= 0x80;
		for (size_t i = 0; i < n; i++)
			total = total << 8 | bytes.data[2 + i];
		total += 2 + n;
	}
out:
	buf_release(&bytes);
	return (total * 4 + 2) / 3;
}

/*
 * A line end that a form decoder or an escape made a blank: it stands behind
 * padding, or behind all digits that the message's own length asks for, or,
 * where that says nothing, is one digit too many.  Any other blank is a '+'.
 */
static struct span
trim_line_end(struct span text)
{
	size_t wanted = digits_wanted(text);
	size_t digits = 0;
	bool padding = false;

	for (size_t i = 0; i < text.len; i++) {
		int d = base64_digit(text.p[i]);

		padding = padding || d == -2;
		digits += d >= 0 ? 1 : 0;
	}
	while (text.len > 0 && text.p[text.len - 1] == ' ' &&
	       (padding || (wanted > 0 ? digits > wanted : digits % 4 == 1))) {
		text.len--;
		digits--;
	}
	return text;
}

enum err
message_decode(struct span raw, struct buf *der)
{
	struct buf once = BUF_INIT;
	struct buf twice = BUF_INIT;
	struct span text;
	enum err e;

	if ((e = percent_decode(raw, &once)) != OK)
		goto out;
	text = buf_span(&once);
	if (once.len > 0 && memchr(once.data, '%', once.len) != NULL) {
		/* '%' is no base64 digit: it was escaped twice. */
		if ((e = percent_decode(text, &twice)) != OK)
			goto out;
		text = buf_span(&twice);
	}
	text = trim_line_end(text);
	e = base64_decode(text, der);
out:
	buf_release(&once);
	buf_release(&twice);
	return e;
}
