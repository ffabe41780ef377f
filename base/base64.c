#include "base/base64.h"

#include <string.h>

#include "base/names.h"

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwx"
    "yz0123456789+/";

bool
base64_put(struct buf *out, struct span bytes)
{
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
		uint32_t three = 0;
		char four[5] = "====";

		for (size_t k = 0; k < 3; k++)
			three = three << 8 | (k < n ? bytes.p[i + k] : 0U);
		for (size_t k = 0; k <= n; k++)
			four[k] = digits[three >> (18 - 6 * k) & 63];
		if (!buf_add(out, four, 4))
			return false;
	}
	return true;
}

/* Of four characters one to three bytes; 0: they are not so. */
static size_t
quartet(const uint8_t *p, uint8_t out[3])
{
	size_t n = p[3] != '=' ? 3 : p[2] != '=' ? 2 : 1;
	uint32_t three = 0;

	for (size_t k = 0; k < 4; k++) {
		const char *at = k <= n ? strchr(digits, p[k]) : digits;

		if (at == NULL || *at == '\0')
			return 0;
		three = three << 6 | (uint32_t)(at - digits);
	}
	out[0] = (uint8_t)(three >> 16);
	out[1] = (uint8_t)(three >> 8);
	out[2] = (uint8_t)three;
	for (size_t k = n; k < 3; k++)
		if (out[k] != 0)
			return 0;
	return n;
}

enum err
base64_read(struct span text, struct buf *out)
{
	struct buf bytes = BUF_SECRET;
	uint8_t three[3] = { 0 };
	enum err e = text.len % 4 == 0 ? OK : ERR_INPUT;

	for (size_t i = 0; e == OK && i < text.len; i += 4) {
		size_t n = quartet(text.p + i, three);

		if (n == 0 || (n < 3 && i + 4 < text.len))
			e = ERR_INPUT;
		else if (!buf_add(&bytes, three, n))
			e = ERR_SYSTEM;
	}
	if (e == OK && !buf_add(out, bytes.data, bytes.len))
		e = ERR_SYSTEM;
	wipe(three, sizeof(three));
	buf_release(&bytes);
	return e;
}
