#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes: whoever made the span says who owns them. */
struct span {
	const uint8_t *p; /* NULL only where len is 0 */
	size_t len;	  /* in bytes */
};

/*
 * Owned, growing bytes.  `data` always has a NUL after `len` once anything
 * was added, so text can be used as a C string.  BUF_INIT or buf_init()
 * before, buf_release() after; releasing twice is fine.  With `secret` set,
 * memory is wiped before it is freed or moved.
 */
struct buf {
	uint8_t *data; /* owned; NULL while empty */
	size_t len;    /* bytes in use, without the NUL */
	size_t cap;    /* bytes allocated */
	bool secret;   /* wipe before free */
};

#define BUF_INIT                  \
	{                         \
		NULL, 0, 0, false \
	}
#define BUF_SECRET               \
	{                        \
		NULL, 0, 0, true \
	}

void buf_init(struct buf *b);
void buf_release(struct buf *b);

/* Forgets the content (wiped if secret), keeps the memory. */
void buf_clear(struct buf *b);

/*
 * All adders return false, having changed nothing, only when memory is out;
 * then they have logged it.
 */
bool buf_reserve(struct buf *b, size_t more);
bool buf_add(struct buf *b, const void *p, size_t len);
bool buf_str(struct buf *b, const char *s);
bool buf_byte(struct buf *b, uint8_t c);
bool buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
bool buf_hex(struct buf *b, const void *p, size_t len); /* lower case */

/* The content as a C string: "" when empty, never NULL. */
const char *buf_cstr(const struct buf *b);
struct span buf_span(const struct buf *b);
struct span span_of(const void *p, size_t len);
bool span_eq(struct span a, struct span b); /* not constant time */
/* A control character of ASCII, DEL among them? */
bool span_has_control(struct span s);

/* A malloc'd copy of s, NULL (logged) when memory is out; NULL for NULL. */
char *str_dup(const char *s);

#endif
