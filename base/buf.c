#include "base/buf.h"

#include <stdarg.h>

#include "base/log.h"
#include "base/names.h"

void
buf_init(struct buf *b)
{
	*b = (struct buf)BUF_INIT;
}

void
buf_release(struct buf *b)
{
	if (b->secret && b->data != NULL)
		wipe(b->data, b->cap);
	free(b->data);
	b->data = NULL;
	b->len = 0;
	b->cap = 0;
}

void
buf_clear(struct buf *b)
{
	if (b->data != NULL) {
		if (b->secret)
			wipe(b->data, b->cap);
		b->data[0] = '\0';
	}
	b->len = 0;
}

/* realloc() would leave a copy of a secret behind. */
static uint8_t *
moved(const struct buf *b, size_t cap)
{
	uint8_t *p;

	if (!b->secret)
		return realloc(b->data, cap);
	p = malloc(cap);
	if (p == NULL)
		return NULL;
	if (b->data != NULL) {
		memcpy(p, b->data, b->len);
		wipe(b->data, b->cap);
		free(b->data);
	}
	return p;
}

bool
buf_reserve(struct buf *b, size_t more)
{
	uint8_t *p;
	size_t cap, need;

	/* Half of the address space, so that doubling cannot overflow. */
	if (more >= SIZE_MAX / 4 || b->len >= SIZE_MAX / 4 - more) {
		log_error("out of memory: a buffer of %zu bytes more", more);
		return false;
	}
	need = b->len + more + 1;
	if (need <= b->cap)
		return true;
	cap = b->cap < 64 ? 64 : b->cap;
	while (cap < need)
		cap *= 2;
	p = moved(b, cap);
	if (p == NULL) {
		log_error("out of memory: a buffer of %zu bytes", cap);
		return false;
	}
	b->data = p;
	b->cap = cap;
	b->data[b->len] = '\0';
	return true;
}

bool
buf_add(struct buf *b, const void *p, size_t len)
{
	if (!buf_reserve(b, len))
		return false;
	if (len > 0)
		memcpy(b->data + b->len, p, len);
	b->len += len;
	b->data[b->len] = '\0';
	return true;
}

bool
buf_str(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

bool
buf_byte(struct buf *b, uint8_t c)
{
	return buf_add(b, &c, 1);
}

bool
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		log_error("cannot format text");
		return false;
	}
	if (!buf_reserve(b, (size_t)n))
		return false;
	va_start(ap, fmt);
	(void)vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return true;
}

bool
buf_hex(struct buf *b, const void *p, size_t len)
{
	if (len >= SIZE_MAX / 8) {
		log_error("out of memory: %zu bytes as hex", len);
		return false;
	}
	if (!buf_reserve(b, 2 * len))
		return false;
	hex_text(p, len, (char *)b->data + b->len);
	b->len += 2 * len;
	return true;
}

const char *
buf_cstr(const struct buf *b)
{
	return b->data == NULL ? "" : (const char *)b->data;
}

struct span
buf_span(const struct buf *b)
{
	return span_of(b->data, b->len);
}

struct span
span_of(const void *p, size_t len)
{
	return (struct span){ .p = p, .len = len };
}

bool
span_eq(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

bool
span_has_control(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < 0x20 || s.p[i] == 0x7f)
			return true;
	return false;
}

char *
str_dup(const char *s)
{
	char *copy;
	size_t size;

	if (s == NULL)
		return NULL;
	size = strlen(s) + 1;
	copy = malloc(size);
	if (copy == NULL) {
		log_error("out of memory: a text of %zu bytes", size);
		return NULL;
	}
	memcpy(copy, s, size);
	return copy;
}
