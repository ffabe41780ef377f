#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/names.h"
#include "base/time.h"
#include "store/inside.h"

/*
 * Attempt marks of chosen passwords: they delay guessing, they lock nothing.
 *
 *	(nothing) --link--> looking --link--> wrong        (unlinks looking)
 *	                    looking --unlink--> (nothing)  it was right
 *
 *	looking   try/5f/<id>,<minute>,<k>
 *	wrong     try/5f/<id>,<hour>,<k>
 *
 * A password is looked at only while those being looked at and those found
 * wrong are MAX_TRIES at most, so parallel guesses cannot outrun the count,
 * and only what was found wrong is refused.  Each worker links its own mark
 * before it counts, and counts those who look before those found wrong, so
 * that a mark which changes meanwhile counts twice rather than never.
 *
 * The mark of a worker that died counts in its own minute and the next.
 */

#define MINUTE_TEXT 17 /* "2026-11-23T19.05" */

void
code_hour(int64_t t, char out[HOUR_TEXT])
{
	char text[TIME_TEXT];

	time_text(t, text);
	memcpy(out, text, HOUR_TEXT - 1);
	out[HOUR_TEXT - 1] = '\0';
}

static void
minute_of(int64_t t, char out[MINUTE_TEXT])
{
	char text[TIME_TEXT];

	time_text(t, text);
	(void)snprintf(out, MINUTE_TEXT, "%.13s.%.2s", text, text + 14);
}

/* "try/5f/<id>,<when>,<k>" */
static enum err
mark_path(const struct store *st, const char *id, const char *when, int k,
    struct buf *out)
{
	char tail[32];

	buf_clear(out);
	(void)snprintf(tail, sizeof(tail), ",%s,%d", when, k);
	return store_path_hex(st, "try", id, tail, out);
}

/* How many marks of that hour or minute there are. */
static enum err
count_marks(
    const struct store *st, const char *id, const char *when, int *count)
{
	struct buf path = BUF_INIT;
	enum err e = OK;

	for (int k = 0; k < MAX_TRIES && (e == OK || e == ERR_NOTFOUND); k++) {
		e = mark_path(st, id, when, k, &path);
		if (e == OK)
			e = file_exists(st->root, buf_cstr(&path));
		if (e == OK)
			++*count;
	}
	buf_release(&path);
	return e == ERR_NOTFOUND ? OK : e;
}

static enum err
count_wrong(const struct store *st, const char *id, int64_t now, int *count)
{
	char hour[HOUR_TEXT];

	code_hour(now, hour);
	*count = 0;
	return count_marks(st, id, hour, count);
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

/*
 * One of `places` marks of those who look; ERR_EXISTS: all are taken.  No
 * more than there is room for, so that of many workers one gets it.
 */
static enum err
take_any(const struct store *st, int places, struct try_mark *mark)
{
	struct buf path = BUF_INIT;
	char minute[MINUTE_TEXT];
	enum err e = ERR_EXISTS;

	minute_of(mark->now, minute);
	for (int k = 0; k < places && e == ERR_EXISTS; k++) {
		e = mark_path(st, mark->id, minute, k, &path);
		if (e == OK)
			e = take(st, buf_cstr(&path));
	}
	if (e == OK && path.len >= sizeof(mark->path))
		e = ERR_SYSTEM;
	if (e == OK)
		memcpy(mark->path, buf_cstr(&path), path.len + 1);
	buf_release(&path);
	return e;
}

/* With our own mark among them: ERR_BUSY if those are too many. */
static enum err
count_all(const struct store *st, const struct try_mark *mark)
{
	char minute[MINUTE_TEXT];
	int looking = 0, wrong = 0;
	enum err e = OK;

	for (int ago = 0; ago <= 60 && e == OK; ago += 60) {
		minute_of(mark->now - ago, minute);
		e = count_marks(st, mark->id, minute, &looking);
	}
	if (e == OK)
		e = count_wrong(st, mark->id, mark->now, &wrong);
	if (e != OK)
		return e;
	return looking + wrong > MAX_TRIES ? ERR_BUSY : OK;
}

enum err
code_locked(const struct store *st, const char *id, int64_t now, int64_t *until)
{
	int wrong = 0;
	enum err e;

	*until = 0;
	e = count_wrong(st, id, now, &wrong);
	if (e == OK && wrong >= MAX_TRIES)
		*until = now - now % 3600 + 3600;
	return e;
}

enum err
code_try(
    const struct store *st, const char *id, int64_t now, struct try_mark *mark)
{
	int wrong = 0;
	enum err e;

	*mark = (struct try_mark){ .now = now };
	(void)snprintf(mark->id, sizeof(mark->id), "%s", id);
	e = count_wrong(st, id, now, &wrong);
	if (e == OK && wrong >= MAX_TRIES)
		return ERR_REFUSED;
	if (e == OK)
		e = take_any(st, MAX_TRIES - wrong, mark);
	if (e == ERR_EXISTS)
		return ERR_BUSY;
	if (e == OK && (e = count_all(st, mark)) != OK)
		code_try_clear(st, mark);
	return e;
}

void
code_try_clear(const struct store *st, const struct try_mark *mark)
{
	if (mark->path[0] != '\0')
		(void)file_unlink(st->root, mark->path);
}

/* That all ten are there already needs an eleventh, which died and aged. */
enum err
code_try_wrong(const struct store *st, const struct try_mark *mark)
{
	struct buf path = BUF_INIT;
	char hour[HOUR_TEXT];
	enum err e = ERR_EXISTS;

	code_hour(mark->now, hour);
	for (int k = 0; k < MAX_TRIES && e == ERR_EXISTS; k++) {
		e = mark_path(st, mark->id, hour, k, &path);
		if (e == OK)
			e = file_link(st->root, mark->path, buf_cstr(&path));
	}
	code_try_clear(st, mark);
	buf_release(&path);
	if (e == ERR_NOTFOUND) /* somebody tidied up under us */
		e = ERR_BUSY;
	return e == ERR_EXISTS ? OK : e;
}

enum err
code_try_decoy(const struct store *st, int64_t now)
{
	struct try_mark mark;
	char id[CODE_ID];
	unsigned removed;
	enum err e;

	e = random_hex(id, (CODE_ID - 1) / 2);
	if (e == OK)
		e = code_try(st, id, now, &mark);
	if (e == OK)
		e = code_try_wrong(st, &mark);
	if (e == OK)
		e = code_unlock(st, id, now, &removed);
	return e;
}

enum err
code_unlock(
    const struct store *st, const char *id, int64_t now, unsigned *removed)
{
	struct buf path = BUF_INIT;
	char hour[HOUR_TEXT];
	enum err e = OK;

	*removed = 0;
	code_hour(now, hour);
	for (int k = 0; k < MAX_TRIES && e == OK; k++) {
		e = mark_path(st, id, hour, k, &path);
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
