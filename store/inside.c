#include "store/inside.h"

#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"

enum err
store_read(const struct store *st, const char *path, const char *kind,
    struct record *out)
{
	struct buf text = BUF_INIT;
	enum err e;

	e = file_read(st->root, path, MAX_RECORD, &text);
	if (e == OK)
		e = record_parse(path, kind, buf_span(&text), out);
	/* Not the client's fault: HTTP 503, not 400. */
	if (e == ERR_INPUT || e == ERR_TOOBIG)
		e = ERR_SYSTEM;
	buf_release(&text);
	return e;
}

/* Is "<stem>,<n><tail>" there? */
static enum err
numbered(const struct store *st, const char *stem, const char *tail, unsigned n)
{
	struct buf path = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (buf_printf(&path, "%s,%u%s", stem, n, tail))
		e = file_exists(st->root, buf_cstr(&path));
	buf_release(&path);
	return e;
}

#define HIGHEST (1U << 30)

enum err
store_highest(
    const struct store *st, const char *stem, const char *tail, unsigned *n)
{
	unsigned low = 0, high = 1, middle;
	enum err e;

	while ((e = numbered(st, stem, tail, high)) == OK && high < HIGHEST) {
		low = high;
		high *= 2;
	}
	/* low is there (or 0), high is not */
	while ((e == OK || e == ERR_NOTFOUND) && high - low > 1) {
		middle = low + (high - low) / 2;
		e = numbered(st, stem, tail, middle);
		if (e == OK)
			low = middle;
		else
			high = middle;
	}
	if (e != OK && e != ERR_NOTFOUND)
		return e;
	*n = low;
	return OK;
}

unsigned
store_shard(const struct store *st, unsigned i, char out[SHARD_TEXT])
{
	unsigned digits = st->shards == 3 ? 3 : 2;

	(void)snprintf(out, SHARD_TEXT, "%0*x", (int)digits,
	    i & (digits == 3 ? 0xfff : 0xff));
	return 1U << (4 * digits);
}

struct walk {
	const char *dir;
	enum err (*each)(const char *path, void *arg);
	void *arg;
};

/* A name may go while we walk; whoever reads it takes ERR_NOTFOUND calmly. */
static enum err
walk_name(const char *name, void *arg)
{
	const struct walk *w = arg;
	struct buf path = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (buf_printf(&path, "%s/%s", w->dir, name))
		e = w->each(buf_cstr(&path), w->arg);
	buf_release(&path);
	return e;
}

enum err
store_each(const struct store *st, const char *kind,
    enum err (*each)(const char *path, void *arg), void *arg)
{
	struct walk w = { NULL, each, arg };
	struct buf dir = BUF_INIT;
	char shard[SHARD_TEXT];
	enum err e = OK;

	for (unsigned i = 0; i < store_shard(st, i, shard) && e == OK; i++) {
		buf_clear(&dir);
		if (!buf_printf(&dir, "%s/%s", kind, shard)) {
			e = ERR_SYSTEM;
			break;
		}
		w.dir = buf_cstr(&dir);
		e = dir_each(st->root, w.dir, walk_name, &w);
		if (e == ERR_NOTFOUND) /* store_check() tells */
			e = OK;
	}
	buf_release(&dir);
	return e;
}

enum err
store_shards(const struct store *st, const char *kind)
{
	struct buf dir = BUF_INIT;
	char shard[SHARD_TEXT];
	enum err e = OK;

	for (unsigned i = 0; i < store_shard(st, i, shard) && e == OK; i++) {
		buf_clear(&dir);
		if (!buf_printf(&dir, "%s/%s", kind, shard)) {
			e = ERR_SYSTEM;
			break;
		}
		e = dir_make(st->root, buf_cstr(&dir));
		if (e == ERR_EXISTS)
			e = OK;
	}
	if (e == OK)
		e = dir_sync(st->root, kind);
	buf_release(&dir);
	return e;
}

enum err
store_room(const struct store *st, const char *kind)
{
	enum err e = dir_make(st->root, kind);

	if (e == OK || e == ERR_EXISTS)
		e = store_shards(st, kind);
	return e == OK ? dir_sync(st->root, ".") : e;
}

enum err
generation_room(
    const char *kind, const char *ca, unsigned generation, struct buf *out)
{
	enum err e = ERR_SYSTEM;

	if (buf_printf(out, "%s/", kind))
		e = name_escape(span_of(ca, strlen(ca)), out);
	if (e == OK && !buf_printf(out, "/%u", generation))
		e = ERR_SYSTEM;
	return e;
}

const char *
store_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

bool
read_number(const char *text, unsigned *out)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; text[i] >= '0' && text[i] <= '9'; i++) {
		if (i == 9)
			return false;
		n = n * 10 + (unsigned)(text[i] - '0');
	}
	if (i == 0 || text[i] != '\0' || (text[0] == '0' && i > 1))
		return false;
	*out = n;
	return true;
}

bool
is_hex(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if ((text[i] < '0' || text[i] > '9') &&
		    (text[i] < 'a' || text[i] > 'f'))
			return false;
	}
	return true;
}

enum err
record_digits(const struct record *r, const char *key, size_t least,
    size_t most, char *out)
{
	const char *value = record_get(r, key);
	size_t len = value == NULL ? 0 : strlen(value);

	if (value == NULL || len < least || len > most || len % 2 != 0 ||
	    !is_hex(value, len))
		return ERR_INPUT;
	memcpy(out, value, len + 1);
	return OK;
}

enum err
store_sync_above(const struct store *st, const char *path)
{
	struct buf dir = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (buf_add(&dir, path, (size_t)(store_base(path) - path)) &&
	    buf_byte(&dir, '.'))
		e = dir_sync(st->root, buf_cstr(&dir));
	if (e == ERR_NOTFOUND) {
		log_error("%s is missing; `scep check --repair` makes the "
			  "directories of a generation",
		    buf_cstr(&dir));
		e = ERR_SYSTEM;
	}
	buf_release(&dir);
	return e;
}

static bool
ends_with(const char *path, const char *tail)
{
	size_t len = strlen(path), n = strlen(tail);

	return len > n && strcmp(path + len - n, tail) == 0;
}

bool
is_outcome_name(const char *path)
{
	return ends_with(path, ",outcome");
}

bool
is_released_name(const char *path)
{
	return ends_with(path, ",released");
}
