#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "store/inside.h"
#include "store/queue.h"

/*
 * On the CA's host: what was said, and up to which day that was forgotten.
 *
 *	done/ab/ab34...,1	linked once; removed behind a mark
 *	pruned,<seconds>	the highest counts, and only grows
 */

#define MARK	   "pruned,"
#define MARK_READS 3

static enum err
done_path(const char *alias, const char *name, struct buf *out)
{
	return buf_printf(out, "queue/%s/done/%.2s/%s", alias, name, name) ?
		   OK :
		   ERR_SYSTEM;
}

enum err
queue_done(const struct store *st, const char *alias, const char *name,
    struct queue_done *out)
{
	struct buf path = BUF_INIT;
	struct record r = { 0 };
	enum err e;

	if ((e = done_path(alias, name, &path)) != OK ||
	    (e = store_read(st, buf_cstr(&path), "done", &r)) != OK)
		goto out;
	e = record_digits(&r, "request", 64, 64, out->request);
	if (e == OK && record_get(&r, "csr") != NULL)
		e = record_digits(&r, "csr", 64, 64, out->csr);
	out->time = 0;
	if (e == OK && record_get(&r, "time") != NULL)
		e = record_get_time(&r, "time", &out->time);
	if (e == OK)
		e = pem_get(buf_span(&r.pem), QUEUE_LABEL, &out->letter);
	if (e == ERR_INPUT) {
		log_error("%s: a line is missing or not what it must be",
		    buf_cstr(&path));
		e = ERR_SYSTEM;
	}
out:
	record_release(&r);
	buf_release(&path);
	return e;
}

/* Whoever has made the folder may not have come to sync its name yet. */
static enum err
make_durable(const struct store *st, const char *path)
{
	enum err e = dir_make(st->root, path);

	return e == OK || e == ERR_EXISTS ? store_sync_above(st, path) : e;
}

static enum err
done_rooms(const struct store *st, const char *alias, const char *name)
{
	const char *const rooms[] = { "", "/done", "/done/" };
	struct buf path = BUF_INIT;
	enum err e = make_durable(st, "queue");

	for (size_t i = 0; i < 3 && e == OK; i++) {
		buf_clear(&path);
		e = buf_printf(&path, "queue/%s%s%.*s", alias, rooms[i],
			i == 2 ? 2 : 0, name) ?
			make_durable(st, buf_cstr(&path)) :
			ERR_SYSTEM;
	}
	buf_release(&path);
	return e;
}

enum err
queue_done_link(const struct store *st, const char *alias, const char *name,
    const struct queue_done *done)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (record_begin(&text, "done") && record_text(&text, "name", name) &&
	    record_text(&text, "request", done->request) &&
	    record_text(&text, "csr", *done->csr ? done->csr : NULL) &&
	    (done->time == 0 || record_time(&text, "time", done->time)) &&
	    pem_put(&text, QUEUE_LABEL, buf_span(&done->letter)))
		e = done_path(alias, name, &path);
	if (e == OK && (e = done_rooms(st, alias, name)) == OK)
		e = file_create_once(st->tmp, st->root, buf_cstr(&path),
		    buf_span(&text), FILE_RECORD, true);
	buf_release(&path);
	buf_release(&text);
	return e;
}

enum err
queue_done_drop(const struct store *st, const char *alias, const char *name)
{
	struct buf path = BUF_INIT;
	enum err e = done_path(alias, name, &path);

	if (e == OK)
		e = file_unlink(st->root, buf_cstr(&path));
	buf_release(&path);
	return e == ERR_NOTFOUND ? OK : e; /* another prune was faster */
}

/* A folder of it at a time. */
struct shards {
	const struct store *st;
	const char *alias;
	enum err (*each)(const char *name, void *arg);
	void *arg;
};

static enum err
each_shard(const char *shard, void *arg)
{
	const struct shards *s = arg;
	struct buf path = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (buf_printf(&path, "queue/%s/done/%s", s->alias, shard))
		e = dir_each(s->st->root, buf_cstr(&path), s->each, s->arg);
	buf_release(&path);
	return e == ERR_NOTFOUND ? OK : e;
}

enum err
queue_done_each(const struct store *st, const char *alias,
    enum err (*each)(const char *name, void *arg), void *arg)
{
	struct shards s = { st, alias, each, arg };
	struct buf path = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (buf_printf(&path, "queue/%s/done", alias))
		e = dir_each(st->root, buf_cstr(&path), each_shard, &s);
	buf_release(&path);
	return e == ERR_NOTFOUND ? OK : e;
}

/* ---- the mark ------------------------------------------------------------ */

bool
queue_mark_read(const char *name, int64_t *time)
{
	const char *digits = name + sizeof(MARK) - 1;
	size_t len;

	if (strncmp(name, MARK, sizeof(MARK) - 1) != 0)
		return false;
	len = strlen(digits);
	if (len == 0 || len > 12 || strspn(digits, "0123456789") != len)
		return false;
	*time = (int64_t)strtoll(digits, NULL, 10);
	return true;
}

static enum err
find_highest(const char *name, void *arg)
{
	int64_t *highest = arg, time;

	if (queue_mark_read(name, &time) && time > *highest)
		*highest = time;
	return OK;
}

static enum err
read_mark(const struct store *st, const char *alias, int64_t *time)
{
	struct buf path = BUF_INIT;
	enum err e = ERR_SYSTEM;

	*time = 0;
	if (buf_printf(&path, "queue/%s", alias))
		e = dir_each(st->root, buf_cstr(&path), find_highest, time);
	buf_release(&path);
	return e == ERR_NOTFOUND ? OK : e;
}

/*
 * Twice the same: whoever reads while a mark takes the place of another may
 * see neither.
 */
enum err
queue_mark(const struct store *st, const char *alias, int64_t *time)
{
	int64_t before;
	enum err e = read_mark(st, alias, time);

	for (int i = 0; e == OK && i < MARK_READS; i++) {
		before = *time;
		if ((e = read_mark(st, alias, time)) == OK && *time == before)
			return OK;
	}
	return e == OK ? ERR_BUSY : e;
}

struct lower {
	const struct store *st;
	const char *alias;
	int64_t than;
};

static enum err
drop_lower(const char *name, void *arg)
{
	const struct lower *l = arg;
	struct buf path = BUF_INIT;
	int64_t time;

	if (queue_mark_read(name, &time) && time < l->than &&
	    buf_printf(&path, "queue/%s/%s", l->alias, name))
		(void)file_unlink(l->st->root, buf_cstr(&path));
	buf_release(&path);
	return OK;
}

enum err
queue_mark_link(const struct store *st, const char *alias, int64_t time)
{
	struct lower l = { st, alias, time };
	struct buf path = BUF_INIT, text = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (record_begin(&text, "pruned") &&
	    record_time(&text, "before", time) &&
	    buf_printf(&path, "queue/%s/" MARK "%lld", alias, (long long)time))
		e = file_create_once(st->tmp, st->root, buf_cstr(&path),
		    buf_span(&text), FILE_RECORD, true);
	/* those below it say nothing more, now that it is durable */
	buf_clear(&path);
	if (e == OK)
		e = buf_printf(&path, "queue/%s", alias) ?
			dir_each(st->root, buf_cstr(&path), drop_lower, &l) :
			ERR_SYSTEM;
	buf_release(&path);
	buf_release(&text);
	return e;
}
