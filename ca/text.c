#include "ca/text.h"

#define DER_NUMERIC   0x12
#define DER_VISIBLE   0x1a
#define DER_UNIVERSAL 0x1c

static bool
put_char(struct buf *out, uint32_t c)
{
	if (c < 0x80)
		return buf_byte(out, (uint8_t)c);
	if (c < 0x800)
		return buf_byte(out, (uint8_t)(0xc0 | c >> 6)) &&
		       buf_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
	if (c < 0x10000)
		return buf_byte(out, (uint8_t)(0xe0 | c >> 12)) &&
		       buf_byte(out, (uint8_t)(0x80 | (c >> 6 & 0x3f))) &&
		       buf_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
	return buf_byte(out, (uint8_t)(0xf0 | c >> 18)) &&
	       buf_byte(out, (uint8_t)(0x80 | (c >> 12 & 0x3f))) &&
	       buf_byte(out, (uint8_t)(0x80 | (c >> 6 & 0x3f))) &&
	       buf_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
}

static uint32_t
unit(const uint8_t *p, size_t width)
{
	uint32_t c = 0;

	for (size_t i = 0; i < width; i++)
		c = c << 8 | p[i];
	return c;
}

/*
 * Characters of one, two or four bytes.  BMPString with surrogate pairs is
 * wrong and usual (Windows).
 */
static enum err
wide(struct span s, size_t width, uint32_t max, struct buf *out)
{
	if (s.len % width != 0)
		return ERR_INPUT;
	for (; s.len > 0; s.p += width, s.len -= width) {
		uint32_t c = unit(s.p, width);

		if (width == 2 && c >= 0xd800 && c < 0xdc00 && s.len >= 4) {
			uint32_t low = unit(s.p + 2, 2);

			if (low < 0xdc00 || low > 0xdfff)
				return ERR_INPUT;
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			s.p += 2;
			s.len -= 2;
		}
		if (c > max || (c >= 0xd800 && c <= 0xdfff))
			return ERR_INPUT;
		if (!put_char(out, c))
			return ERR_SYSTEM;
	}
	return OK;
}

static const struct {
	uint8_t tag;
	uint8_t width; /* bytes of a character */
	uint32_t max;  /* highest character */
} strings[] = {
	{ DER_NUMERIC, 1, 0x7f },
	{ DER_PRINT, 1, 0x7f },
	{ DER_T61, 1, 0xff },
	{ DER_IA5, 1, 0x7f },
	{ DER_VISIBLE, 1, 0x7f },
	{ DER_UNIVERSAL, 4, 0x10ffff },
	{ DER_BMP, 2, 0x10ffff },
};

enum err
string_utf8(const struct der *value, struct buf *utf8)
{
	struct span s = value->body;

	if (value->tag == DER_UTF8) {
		if (!utf8_valid(s))
			return ERR_INPUT;
		return buf_add(utf8, s.p, s.len) ? OK : ERR_SYSTEM;
	}
	for (size_t i = 0; i < sizeof(strings) / sizeof(*strings); i++)
		if (strings[i].tag == value->tag)
			return wide(s, strings[i].width, strings[i].max, utf8);
	return ERR_INPUT;
}
