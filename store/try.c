#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/time.h"
#include "store/inside.h"

/* Attempt marks of chosen passwords: they delay guessing, they lock nothing. */

void
code_hour(int64_t t, char out[HOUR_TEXT])
{
	char text[TIME_TEXT];

	time_text(t, text);
	memcpy(out, text, HOUR_TEXT - 1);
	out[HOUR_TEXT - 1] = '\0';
}

/* "try/5f/<id>,2026-11-23T19,<k>" */
static enum err
mark_path(
    const struct store *st, const char *id, int64_t now, int k, struct buf *out)
{
	char hour[HOUR_TEXT], tail[32];

	buf_clear(out);
	code_hour(now, hour);
	(void)snprintf(tail, sizeof(tail), ",%s,%d", hour, k);
	return store_path_hex(st, "try", id, tail, out);
}

/* Looks first: a refusal must not cost ten temporary files. */
static enum err
take(const struct store *st, const char *path)
{
	enum err e = file_exists(st->root, path);

	if (e == OK)
		return ERR_EXISTS;
	if (e != ERR_NOTFOUND)
		return e;
	return file_mark(st->tmp, st->root, path, span_of(NULL, 0));
}

enum err
code_try(const struct store *st, const char *id, int64_t now,
    struct try_mark *mark, int64_t *again)
{
	struct buf path = BUF_INIT;
	enum err e = ERR_EXISTS;

	mark->path[0] = '\0';
	for (int k = 0; k < MAX_TRIES && e == ERR_EXISTS; k++) {
		e = mark_path(st, id, now, k, &path);
		if (e == OK)
			e = take(st, buf_cstr(&path));
	}
	if (e == ERR_EXISTS) {
		*again = now - now % 3600 + 3600;
		e = ERR_REFUSED;
	}
	if (e == OK && path.len >= sizeof(mark->path))
		e = ERR_SYSTEM;
	if (e == OK)
		memcpy(mark->path, buf_cstr(&path), path.len + 1);
	buf_release(&path);
	return e;
}

void
code_try_clear(const struct store *st, const struct try_mark *mark)
{
	if (mark->path[0] != '\0')
		(void)file_unlink(st->root, mark->path);
}

enum err
code_unlock(
    const struct store *st, const char *id, int64_t now, unsigned *removed)
{
	struct buf path = BUF_INIT;
	enum err e = OK;

	*removed = 0;
	for (int k = 0; k < MAX_TRIES && e == OK; k++) {
		e = mark_path(st, id, now, k, &path);
		if (e == OK)
			e = file_unlink(st->root, buf_cstr(&path));
		if (e == OK)
			++*removed;
		if (e == ERR_NOTFOUND)
			e = OK;
	}
	buf_release(&path);
	return e;
}
