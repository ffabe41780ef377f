#include "store/text.h"

/* Well-formed UTF-8 (Unicode, table 3-7), by first byte. */
static const struct {
	uint8_t first, last; /* range of the first byte */
	uint8_t low, high;   /* range of the second */
	size_t len;
} forms[] = {
	{ 0xc2, 0xc2, 0xa0, 0xbf, 2 }, /* 80 to 9f are C1 controls */
	{ 0xc3, 0xdf, 0x80, 0xbf, 2 },
	{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 },
	{ 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
	{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

size_t
text_plain(struct span text, size_t at)
{
	const uint8_t *p = text.p + at;
	size_t i, k, left = text.len - at;

	if (*p < 0x80)
		return *p >= 0x20 && *p < 0x7f ? 1 : 0;
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (*p < forms[i].first || *p > forms[i].last)
			continue;
		if (left < forms[i].len || p[1] < forms[i].low ||
		    p[1] > forms[i].high)
			return 0;
		for (k = 2; k < forms[i].len; k++) {
			if (p[k] < 0x80 || p[k] > 0xbf)
				return 0;
		}
		return forms[i].len;
	}
	return 0;
}
