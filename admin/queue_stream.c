#include <string.h>

#include "admin/queue_verbs.h"
#include "base/limits.h"

#define FIRST "scep-queue 1\n"
#define LAST  "end\n"

bool
stream_begin(struct buf *out)
{
	return buf_str(out, FIRST);
}

bool
stream_put(
    struct buf *out, const char *alias, const char *name, struct span bytes)
{
	return buf_printf(out, "file %s %s %zu\n", alias, name, bytes.len) &&
	       buf_add(out, bytes.p, bytes.len) && buf_byte(out, '\n');
}

bool
stream_end(struct buf *out)
{
	return buf_str(out, LAST);
}

/* Takes these bytes off the front. */
static bool
take(struct span *in, const char *text)
{
	size_t len = strlen(text);

	if (in->len < len || memcmp(in->p, text, len) != 0)
		return false;
	*in = span_of(in->p + len, in->len - len);
	return true;
}

/* A word of at most size - 1 characters, and the one that ends it. */
static bool
take_word(struct span *in, char end, char *out, size_t size)
{
	size_t n = 0;

	while (n < in->len && in->p[n] != (uint8_t)end)
		if (in->p[n] <= ' ' || in->p[n] > '~' || ++n >= size)
			return false;
	if (n == 0 || n >= in->len)
		return false;
	memcpy(out, in->p, n);
	out[n] = '\0';
	*in = span_of(in->p + n + 1, in->len - n - 1);
	return true;
}

struct entry {
	char alias[MAX_ALIAS + 1], name[QUEUE_NAME];
	struct span bytes;
};

static bool
take_file(struct span *in, struct entry *e)
{
	char length[10];
	size_t n;

	if (!take(in, "file ") ||
	    !take_word(in, ' ', e->alias, sizeof(e->alias)) ||
	    !take_word(in, ' ', e->name, sizeof(e->name)) ||
	    !take_word(in, '\n', length, sizeof(length)) ||
	    strspn(length, "0123456789") != strlen(length))
		return false;
	n = (size_t)strtoul(length, NULL, 10);
	if (in->len <= n || in->p[n] != '\n')
		return false;
	e->bytes = span_of(in->p, n);
	*in = span_of(in->p + n + 1, in->len - n - 1);
	return true;
}

/* Once without each, to see that it is whole. */
static enum err
walk(struct span in,
    enum err (*each)(
	const char *alias, const char *name, struct span bytes, void *arg),
    void *arg)
{
	struct entry entry;
	enum err e = OK;

	if (!take(&in, FIRST))
		return ERR_INPUT;
	while (e == OK && !take(&in, LAST)) {
		if (!take_file(&in, &entry))
			return ERR_INPUT;
		if (each != NULL)
			e = each(entry.alias, entry.name, entry.bytes, arg);
	}
	return e == OK && in.len > 0 ? ERR_INPUT : e;
}

enum err
stream_each(struct span in,
    enum err (*each)(
	const char *alias, const char *name, struct span bytes, void *arg),
    void *arg)
{
	enum err e = walk(in, NULL, NULL);

	return e == OK ? walk(in, each, arg) : e;
}
