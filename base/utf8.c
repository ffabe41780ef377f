#include "base/utf8.h"

/* Length of the well-formed character at p; 0 if it is none (RFC 3629 4). */
static size_t
utf8_char(const uint8_t *p, size_t left)
{
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	if (n == 1)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4 || left < n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

bool
utf8_valid(struct span s)
{
	size_t n;

	for (; s.len > 0; s.p += n, s.len -= n)
		if ((n = utf8_char(s.p, s.len)) == 0)
			return false;
	return true;
}
