#include <string.h>

#include "base/limits.h"
#include "store/check.h"
#include "store/queue.h"

/* The queue between an external RA and its CA. */

/* An answer that no request of ours waits for, or that is none, may lie. */
static bool
is_hidden(const char *name)
{
	return *name == '.'; /* rsync writes there, before it renames */
}

/* What its judge is told of was kept before it was linked. */
static void
check_kept_for(struct check *c, const char *path, const struct queued *q)
{
	const struct untold u = { q->alias, q->transaction, q->attempt,
		q->csr };
	struct buf letter = BUF_INIT;

	if (q->held != NULL &&
	    untold_find(c->st, &u, &letter) == ERR_NOTFOUND &&
	    queue_waits(c->st, q->transaction, q->attempt) == OK)
		check_damage(c, path,
		    "has nothing in untold/ that its judge could be told of; "
		    "restore that, or have the device send its request again");
	buf_release(&letter);
}

/* One in out/: it can be read, and its attempt has no outcome. */
static enum err
check_out(const char *path, void *check)
{
	struct check *c = check;
	const char *name = store_base(path);
	char transaction[SHA256_HEX], alias[MAX_ALIAS + 1] = "";
	struct queued q = { .attempt = 0 };
	struct file_facts facts;
	enum outcome_kind kind;
	unsigned attempt = 0;
	bool fixed = false;
	enum err e;

	if (!check_facts(c, path, FILE_REGULAR, &facts))
		return OK;
	if (!queue_name_read(name, transaction, &attempt)) {
		check_damage(c, path, STRANGE);
		return OK;
	}
	(void)sscanf(path, "queue/%32[^/]", alias);
	e = queue_find(c->st, alias, transaction, attempt, &q);
	if (e == OK)
		check_kept_for(c, path, &q);
	queued_release(&q);
	if (e == ERR_SYSTEM)
		check_damage(c, path, "cannot be read; restore it");
	if (e != OK)
		return OK;
	if (outcome_kind(c->st, transaction, attempt, &kind) == ERR_NOTFOUND ||
	    facts.mtime > c->now - YOUNG)
		return OK;
	if (c->repair) {
		queue_drop(c->st, alias, transaction, attempt);
		fixed = file_exists(c->st->root, path) == ERR_NOTFOUND;
	}
	check_litter(c, path, "has its outcome; repair removes it", fixed);
	return OK;
}

/* Has the judge still to hear what becomes of this request? */
static enum err
is_untold(const struct store *st, const char *path,
    const char transaction[SHA256_HEX], unsigned attempt, bool *yes)
{
	struct outcome o = OUTCOME_INIT;
	struct buf at = BUF_INIT;
	bool released = false;
	enum err e;

	if ((*yes = queue_waits(st, transaction, attempt) == OK))
		return OK;
	if ((e = outcome_path(st, transaction, attempt, &at)) == OK)
		e = outcome_read(st, buf_cstr(&at), &o);
	if (e == OK && o.held != NULL)
		e = outcome_released(st, &o, &released);
	*yes = e == OK && !released && *o.csr != '\0' &&
	       (o.held != NULL || o.kind == OUTCOME_REFUSED) &&
	       strcmp(strrchr(path, ',') + 1, o.csr) == 0;
	outcome_release(&o);
	buf_release(&at);
	return e == ERR_NOTFOUND ? OK : e;
}

static enum err
check_untold(const char *path, void *check)
{
	struct check *c = check;
	char transaction[SHA256_HEX], csr[SHA256_HEX];
	struct buf letter = BUF_INIT;
	struct file_facts facts;
	unsigned attempt = 0;
	bool needed = false, fixed;
	enum err e;

	if (!check_facts(c, path, FILE_REGULAR, &facts))
		return OK;
	if (!untold_name_read(store_base(path), transaction, &attempt, csr)) {
		check_damage(c, path, STRANGE);
		return OK;
	}
	e = is_untold(c->st, path, transaction, attempt, &needed);
	if (e != OK || (!needed && facts.mtime > c->now - YOUNG))
		return OK; /* a broken outcome is told of where it lies */
	if (!needed) {
		fixed = c->repair && file_unlink(c->st->root, path) == OK;
		check_litter(c, path,
		    "nobody is to be told of it; repair removes it", fixed);
	} else if (queue_letter(c->st, path, &letter) == ERR_INPUT) {
		check_damage(c, path,
		    "cannot be read; restore it, or have the device send its "
		    "request again");
	}
	buf_release(&letter);
	return OK;
}

/* What came from elsewhere: its owner and mode are whoever's brought it. */
static enum err
check_in(const char *path, void *check)
{
	struct check *c = check;
	char transaction[SHA256_HEX];
	const char *name = store_base(path);
	struct file_facts facts;
	unsigned attempt = 0;
	bool fixed;

	if (is_hidden(name) || file_facts(c->st->root, path, &facts) != OK)
		return OK;
	if (facts.type != FILE_REGULAR) {
		check_damage(c, path, "is not a regular file; move it away");
		return OK;
	}
	if (strncmp(name, "news,", 5) == 0)
		return OK;
	if (queue_name_read(name, transaction, &attempt) &&
	    (queue_waits(c->st, transaction, attempt) == OK ||
		facts.mtime > c->now - YOUNG))
		return OK;
	fixed = c->repair && file_unlink(c->st->root, path) == OK;
	check_litter(
	    c, path, "answers no request that waits; repair removes it", fixed);
	return OK;
}

static enum err
check_done(const char *path, void *check)
{
	struct check *c = check;
	char transaction[SHA256_HEX], letter[SHA256_HEX];
	char alias[MAX_ALIAS + 1] = "";
	struct queue_done done = { .letter = BUF_INIT };
	struct file_facts facts;
	unsigned attempt = 0;
	enum err e;

	if (!check_facts(c, path, FILE_REGULAR, &facts))
		return OK;
	if (!queue_name_read(store_base(path), transaction, &attempt) &&
	    !untold_name_read(
		store_base(path), transaction, &attempt, letter)) {
		check_damage(c, path, STRANGE);
		return OK;
	}
	(void)sscanf(path, "queue/%32[^/]", alias);
	e = queue_done(c->st, alias, store_base(path), &done);
	if (e == ERR_SYSTEM)
		check_damage(c, path, "cannot be read; restore it");
	buf_release(&done.letter);
	return OK;
}

static enum err
check_done_shard(const char *path, void *check)
{
	return check_flat(check, path, check_done);
}

/* Below queue/<alias>/. */
static enum err
check_room(const char *path, void *check)
{
	static const struct {
		const char *name;
		enum err (*each)(const char *path, void *check);
	} rooms[] = {
		{ "out", check_out },
		{ "in", check_in },
		{ "done", check_done_shard },
		{ "untold", check_untold },
	};
	const char *name = store_base(path);
	struct file_facts facts;
	int64_t time;

	for (size_t i = 0; i < sizeof(rooms) / sizeof(*rooms); i++)
		if (strcmp(name, rooms[i].name) == 0)
			return check_flat(check, path, rooms[i].each);
	if (strncmp(name, "news,", 5) == 0 || queue_mark_read(name, &time))
		(void)check_facts(check, path, FILE_REGULAR, &facts);
	else
		check_damage(check, path, STRANGE);
	return OK;
}

static enum err
check_alias(const char *path, void *check)
{
	return check_flat(check, path, check_room);
}

/* It is made by who needs it first. */
enum err
check_queue(struct check *c)
{
	if (file_exists(c->st->root, "queue") == ERR_NOTFOUND)
		return OK;
	return check_flat(c, "queue", check_alias);
}
