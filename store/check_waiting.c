#include <string.h>

#include "store/approval.h"
#include "store/check.h"

/* Requests that waited or wait, the hints to them, and people's yeses. */

#define YOUNG	((int64_t)60) /* seconds in which a request may be half done */
#define STRANGE "has a name that the store does not give; move it away"

/* A hint without its request, or whose request is over. */
#define DANGLING "leads to no request that waits; repair removes it"

static enum err
is_decided(const struct check *c, const char name[SHA256_HEX], unsigned attempt,
    bool *yes)
{
	enum outcome_kind kind;
	enum err e = outcome_kind(c->st, name, attempt, &kind);

	*yes = e == OK || e == ERR_SYSTEM; /* damage is told where it lies */
	return e == OK || e == ERR_NOTFOUND || e == ERR_SYSTEM ? OK : e;
}

/* Its name in waiting/<alias>, which repair makes again. */
static enum err
check_shown_waiting(struct check *c, const char *path, const struct waiting *w)
{
	struct buf hint = BUF_INIT;
	bool fixed;
	enum err e = ERR_SYSTEM;

	if (buf_printf(&hint, "waiting/%s/%s,%u", w->alias, w->transaction,
		w->attempt))
		e = file_exists(c->st->root, buf_cstr(&hint));
	if (e == ERR_NOTFOUND && w->created <= c->now - YOUNG) {
		fixed = c->repair && waiting_show(c->st, w) == OK;
		check_mended(
		    c, path, "has no name in waiting/; repair makes it", fixed);
	}
	buf_release(&hint);
	return e == ERR_NOTFOUND ? OK : e;
}

static enum err
same_request(const struct waiting *w, void *arg)
{
	const struct waiting *wanted = arg;

	return strcmp(w->transaction, wanted->transaction) == 0 &&
		       w->attempt == wanted->attempt ?
		   ERR_EXISTS :
		   OK;
}

/* An approved one's name in approved/, by which its entity finds it. */
static enum err
check_shown_approved(struct check *c, const char *path, struct waiting *w)
{
	unsigned yeses = 0;
	int64_t last = 0;
	bool fixed;
	enum err e;

	e = approval_count(c->st, w->id, &yeses, &last);
	if (e != OK || yeses < w->required || last > c->now - YOUNG)
		return e == ERR_SYSTEM ? OK : e; /* told where it lies */
	e = approved_each(c->st, w->username, same_request, w);
	if (e == OK) {
		fixed = c->repair && approved_add(c->st, w) == OK;
		check_mended(c, path,
		    "is approved and has no name in approved/; repair makes "
		    "it",
		    fixed);
	}
	return e == ERR_EXISTS ? OK : e;
}

enum err
check_request(const char *path, void *check)
{
	struct check *c = check;
	struct waiting w = WAITING_INIT;
	struct buf own = BUF_INIT;
	bool decided = false;
	enum err e;

	e = waiting_read(c->st, path, &w);
	if (e != OK) {
		if (e != ERR_NOTFOUND)
			check_damage(c, path, "cannot be read; restore it");
		return OK;
	}
	e = waiting_path(c->st, w.transaction, w.attempt, &own);
	if (e == OK && strcmp(buf_cstr(&own), path) != 0) {
		check_damage(c, path,
		    "is another attempt's request, or has a name that the "
		    "store does not give; move it away");
		goto out;
	}
	if (e == OK)
		e = is_decided(c, w.transaction, w.attempt, &decided);
	if (e == OK && !decided)
		e = check_shown_waiting(c, path, &w);
	if (e == OK && !decided)
		e = check_shown_approved(c, path, &w);
out:
	waiting_release(&w);
	buf_release(&own);
	return e;
}

/* What people decided about, or let expire, must be there. */
enum err
check_decided(struct check *c, const char *path, const struct outcome *o)
{
	struct buf request = BUF_INIT;
	enum err e;

	if (o->kind == OUTCOME_ABANDONED || o->kind == OUTCOME_REFUSED)
		return OK;
	e = waiting_path(c->st, o->transaction, o->attempt, &request);
	if (e == OK)
		e = file_exists(c->st->root, buf_cstr(&request));
	if (e == ERR_NOTFOUND) {
		check_damage(c, path, "its request is missing; restore it");
		e = OK;
	}
	buf_release(&request);
	return e;
}

/* A hint may be made while its request is decided: a young one is left. */
static void
dangling(struct check *c, const char *path, const struct file_facts *facts)
{
	bool fixed;

	if (facts->mtime > c->now - YOUNG)
		return;
	fixed = c->repair && file_unlink(c->st->root, path) == OK;
	check_litter(c, path, DANGLING, fixed);
}

static enum err
check_hint(const char *path, void *check)
{
	struct check *c = check;
	struct waiting w = WAITING_INIT;
	struct buf own = BUF_INIT;
	struct file_facts facts;
	struct claim at;
	bool decided = false;
	enum err e;

	if (!check_facts(c, path, FILE_CLAIM, &facts))
		return OK;
	e = waiting_hint(c->st, path, &at);
	if (e == OK)
		e = is_decided(c, at.transaction, at.attempt, &decided);
	if (e == OK && !decided)
		e = waiting_find(c->st, at.transaction, at.attempt, &w);
	if (e == OK && !decided &&
	    !buf_printf(
		&own, "waiting/%s/%s,%u", w.alias, w.transaction, w.attempt))
		e = ERR_SYSTEM;
	if (e == OK && !decided && strcmp(buf_cstr(&own), path) != 0)
		check_damage(c, path, STRANGE);
	else if (e == ERR_INPUT || e == ERR_NOTFOUND || (e == OK && decided))
		dangling(c, path, &facts);
	waiting_release(&w);
	buf_release(&own);
	return OK; /* what cannot be read is told where it lies */
}

static enum err
check_alias_room(const char *path, void *check)
{
	return check_flat(check, path, check_hint);
}

enum err
check_waiting(struct check *c)
{
	return check_flat(c, "waiting", check_alias_room);
}

enum err
check_approval(const char *path, void *check)
{
	struct check *c = check;
	const char *name = store_base(path);
	struct approval a = APPROVAL_INIT;
	struct buf before = BUF_INIT;
	struct file_facts facts;
	unsigned slot = 0;
	enum err e;

	if (strlen(name) <= SHA256_HEX || !is_hex(name, SHA256_HEX - 1) ||
	    name[SHA256_HEX - 1] != ',' ||
	    !read_number(name + SHA256_HEX, &slot) || slot == 0 ||
	    strncmp(path + strlen("approval/"), name, c->st->shards) != 0) {
		check_damage(c, path, STRANGE);
		return OK;
	}
	if (!check_facts(c, path, FILE_REGULAR, &facts))
		return OK;
	e = approval_read(c->st, path, &a);
	if (e != OK && e != ERR_NOTFOUND)
		check_damage(c, path, "cannot be read; restore it");
	else if (e == OK && strncmp(a.request, name, SHA256_HEX - 1) != 0)
		check_damage(c, path, "is of another request; move it away");
	if (slot > 1 &&
	    buf_printf(&before, "approval/%.*s/%.64s,%u", (int)c->st->shards,
		name, name, slot - 1) &&
	    file_exists(c->st->root, buf_cstr(&before)) == ERR_NOTFOUND)
		check_damage(c, path,
		    "the yes before it is missing; restore it, for until then "
		    "this one does not count");
	approval_release(&a);
	buf_release(&before);
	return OK;
}

/* Whose yes it was may have been decided long ago: then it is of no use. */
enum err
check_approved(const char *path, void *check)
{
	struct check *c = check;
	struct waiting w = WAITING_INIT;
	struct buf stem = BUF_INIT;
	struct file_facts facts;
	struct claim at;
	enum err e;

	if (!check_facts(c, path, FILE_CLAIM, &facts))
		return OK;
	e = waiting_hint(c->st, path, &at);
	if (e == OK)
		e = waiting_find(c->st, at.transaction, at.attempt, &w);
	if (e == OK)
		e = store_path(c->st, "approved",
		    span_of(w.username, strlen(w.username)), ",", &stem);
	if (e == OK && strncmp(buf_cstr(&stem), path, stem.len) != 0)
		check_damage(c, path, STRANGE);
	else if (e == ERR_INPUT || e == ERR_NOTFOUND)
		dangling(c, path, &facts);
	waiting_release(&w);
	buf_release(&stem);
	return OK;
}
