#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "store/approval.h"
#include "store/inside.h"

/* The waiting requests of an alias, by their hints; limits and expiry. */

struct listing {
	const struct store *st;
	const char *alias;
	enum err (*each)(const struct waiting *, void *arg);
	void *arg;
};

static enum err
decided(const struct store *st, const struct claim *c)
{
	struct buf path = BUF_INIT;
	enum err e;

	e = outcome_path(st, c->transaction, c->attempt, &path);
	if (e == OK)
		e = file_exists(st->root, buf_cstr(&path));
	buf_release(&path);
	return e;
}

/* A hint that is none is for `scep check` to tell. */
static enum err
list_one(const char *name, void *arg)
{
	const struct listing *l = arg;
	struct waiting w = WAITING_INIT;
	struct buf path = BUF_INIT;
	struct claim c;
	enum err e = ERR_SYSTEM;

	if (buf_printf(&path, "waiting/%s/%s", l->alias, name))
		e = waiting_hint(l->st, buf_cstr(&path), &c);
	if (e == OK && (e = decided(l->st, &c)) == OK) {
		waiting_hide(l->st, l->alias, c.transaction, c.attempt);
		goto out;
	}
	if (e == ERR_NOTFOUND)
		e = waiting_find(l->st, c.transaction, c.attempt, &w);
	if (e == OK && strcmp(w.alias, l->alias) == 0)
		e = l->each(&w, l->arg);
out:
	waiting_release(&w);
	buf_release(&path);
	return e == ERR_NOTFOUND || e == ERR_INPUT ? OK : e;
}

/* each(name) in waiting/<alias>; one that never had any has no room. */
static enum err
each_hint(const struct store *st, const char *alias,
    enum err (*each)(const char *name, void *arg), void *arg)
{
	struct buf dir = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (buf_printf(&dir, "waiting/%s", alias))
		e = dir_each(st->root, buf_cstr(&dir), each, arg);
	buf_release(&dir);
	return e == ERR_NOTFOUND ? OK : e;
}

enum err
waiting_each(const struct store *st, const char *alias,
    enum err (*each)(const struct waiting *, void *arg), void *arg)
{
	struct listing l = { st, alias, each, arg };

	return each_hint(st, alias, list_one, &l);
}

enum err
waiting_aliases(const struct store *st,
    enum err (*each)(const char *alias, void *arg), void *arg)
{
	enum err e = dir_each(st->root, "waiting", each, arg);

	return e == ERR_NOTFOUND ? OK : e; /* of an older version's home */
}

/* One that cannot be read, which was logged, must not hide the others. */
static enum err
walk_one(const char *path, void *arg)
{
	const struct listing *l = arg;
	struct waiting w = WAITING_INIT;
	enum err e;

	if (is_outcome_name(path) || is_released_name(path))
		return OK;
	e = waiting_read(l->st, path, &w);
	if (e == OK)
		e = l->each(&w, l->arg);
	else if (e == ERR_SYSTEM || e == ERR_NOTFOUND)
		e = OK;
	waiting_release(&w);
	return e;
}

enum err
waiting_walk(const struct store *st,
    enum err (*each)(const struct waiting *, void *arg), void *arg)
{
	struct listing l = { st, NULL, each, arg };

	return store_each(st, "transaction", walk_one, &l);
}

struct count {
	const struct store *st;
	const struct waiting_limit *limit;
	unsigned all, source;
};

static enum err
count_name(const char *name, void *arg)
{
	struct count *c = arg;

	(void)name;
	c->all++;
	return OK;
}

static enum err
count_living(const struct waiting *w, void *arg)
{
	struct count *c = arg;
	const char *remote = c->limit->remote;
	bool over = false;
	enum err e = waiting_over(c->st, w, c->limit->now, &over);

	if (e == OK && over)
		return waiting_expire(c->st, w);
	c->all++;
	if (remote != NULL && w->remote != NULL &&
	    strcmp(remote, w->remote) == 0)
		c->source++;
	return e;
}

/* Names are counted first: the records are read only where it matters. */
enum err
waiting_room(
    const struct store *st, const struct waiting_limit *limit, bool *by_source)
{
	struct count c = { .st = st, .limit = limit };
	enum err e;

	*by_source = false;
	e = each_hint(st, limit->alias, count_name, &c);
	if (e != OK || (c.all < limit->limit && limit->persource == 0))
		return e;
	c.all = 0;
	e = waiting_each(st, limit->alias, count_living, &c);
	if (e != OK)
		return e;
	*by_source = c.all < limit->limit;
	return c.all >= limit->limit ||
		       (limit->persource > 0 && c.source >= limit->persource) ?
		   ERR_REFUSED :
		   OK;
}

enum err
waiting_over(
    const struct store *st, const struct waiting *w, int64_t now, bool *over)
{
	int64_t last = 0, end = w->expires;
	unsigned yeses = 0;
	enum err e;

	*over = now >= end;
	if (!*over)
		return OK;
	e = approval_count(st, w->id, &yeses, &last);
	if (e == OK && yeses >= w->required)
		*over = now >= last + (w->expires - w->created);
	return e;
}

enum err
waiting_expire(const struct store *st, const struct waiting *w)
{
	struct outcome o = { .kind = OUTCOME_EXPIRED,
		.attempt = w->attempt,
		.alias = w->alias };
	enum err e;

	memcpy(o.transaction, w->transaction, sizeof(o.transaction));
	e = outcome_decide(st, &o);
	if (e == OK)
		log_info("a request of %s for alias %s has expired",
		    w->username, w->alias);
	return e == ERR_EXISTS ? OK : e;
}

enum err
waiting_pass(const struct store *st, const struct waiting *w,
    const char name[SHA256_HEX], unsigned attempt)
{
	struct outcome o = {
		.kind = OUTCOME_PASSED, .attempt = w->attempt, .alias = w->alias
	};
	struct buf by = BUF_INIT;
	enum err e;

	memcpy(o.transaction, w->transaction, sizeof(o.transaction));
	e = outcome_path(st, name, attempt, &by);
	if (e == OK) {
		o.by = (char *)by.data;
		e = outcome_decide(st, &o);
	}
	buf_release(&by);
	return e;
}

enum err
waiting_passed(const struct store *st, const struct waiting *w,
    const char name[SHA256_HEX], unsigned attempt)
{
	struct outcome o = OUTCOME_INIT;
	struct buf path = BUF_INIT, by = BUF_INIT;
	enum err e;

	e = outcome_path(st, w->transaction, w->attempt, &path);
	if (e == OK)
		e = outcome_read(st, buf_cstr(&path), &o);
	if (e == OK)
		e = outcome_path(st, name, attempt, &by);
	if (e == OK &&
	    (o.kind != OUTCOME_PASSED || strcmp(o.by, buf_cstr(&by)) != 0))
		e = ERR_EXISTS;
	outcome_release(&o);
	buf_release(&path);
	buf_release(&by);
	return e;
}
