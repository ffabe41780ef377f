#include "store/check.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/time.h"
#include "store/cert.h"

#define DIRECTORIES "make it again, owned as the home is"

static void
tell(struct check *c, const struct finding *f)
{
	if (!f->fixed && !f->warning)
		c->left++;
	c->found(f, c->arg);
}

void
check_damage(struct check *c, const char *where, const char *what)
{
	tell(c, &(struct finding){ .where = where, .what = what });
}

void
check_mended(struct check *c, const char *where, const char *what, bool fixed)
{
	tell(c,
	    &(struct finding){ .where = where, .what = what, .fixed = fixed });
}

void
check_litter(struct check *c, const char *where, const char *what, bool fixed)
{
	tell(c, &(struct finding){ .where = where,
		    .what = what,
		    .warning = true,
		    .fixed = fixed });
}

/* What each type of name should be; a link's mode says nothing. */
static const struct {
	mode_t mode;
	const char *wrong_type;
	const char *wrong_mode;
} types[] = {
	[FILE_REGULAR] = { FILE_RECORD, "is not a regular file; move it away",
	    "mode is not 0640; `chmod 0640` it" },
	[FILE_DIRECTORY] = { DIR_MODE, "is not a directory; move it away",
	    "mode is not 0750; `chmod 0750` it" },
	[FILE_CLAIM] = { 0,
	    "is not a claim (a symbolic link); restore it, for until then it "
	    "counts as used",
	    NULL },
};

bool
check_facts(struct check *c, const char *path, enum file_type type,
    struct file_facts *out)
{
	enum err e = file_facts(c->st->root, path, out);

	if (e != OK) {
		if (e != ERR_NOTFOUND)
			check_damage(c, path, "cannot be looked at");
		return false;
	}
	if (out->type != type) {
		check_damage(c, path, types[type].wrong_type);
		return false;
	}
	if (out->uid != c->uid)
		check_damage(c, path,
		    "belongs to somebody else than the home; `chown` it");
	else if (out->gid != c->gid)
		check_litter(c, path,
		    "belongs to another group than the home, which may read "
		    "it; `chgrp` it",
		    false);
	if (types[type].wrong_mode != NULL && out->mode != types[type].mode)
		check_damage(c, path, types[type].wrong_mode);
	return true;
}

/* The directories of a room, of which each must be there. */
enum err
check_shards(struct check *c, const char *kind, bool *whole)
{
	struct buf path = BUF_INIT;
	struct file_facts facts;
	char shard[SHARD_TEXT];
	enum err e = OK;

	for (unsigned i = 0; i < store_shard(c->st, i, shard); i++) {
		buf_clear(&path);
		if (!buf_printf(&path, "%s/%s", kind, shard)) {
			e = ERR_SYSTEM;
			break;
		}
		if (file_exists(c->st->root, buf_cstr(&path)) == ERR_NOTFOUND)
			*whole = false;
		else
			(void)check_facts(
			    c, buf_cstr(&path), FILE_DIRECTORY, &facts);
	}
	buf_release(&path);
	return e;
}

/*
 * Is the whole room missing?  One that an older version did not make holds
 * nothing yet, and repair makes it, or whoever needs it first; any other held
 * what is lost with it.
 */
static bool
check_absent(struct check *c, const char *kind, bool sharded)
{
	static const char *const later[] = { "key", "subject", "approval",
		"approved", "issued", "onetime", "renewed", "supersede",
		"waiting" };
	bool made = false, fixed;

	if (file_exists(c->st->root, kind) != ERR_NOTFOUND)
		return false;
	for (size_t i = 0; i < sizeof(later) / sizeof(*later); i++)
		made |= strcmp(kind, later[i]) == 0;
	if (!made) {
		check_damage(c, kind, "is missing; " DIRECTORIES);
		return true;
	}
	fixed = c->repair && dir_make(c->st->root, kind) == OK &&
		dir_sync(c->st->root, ".") == OK &&
		(!sharded || store_shards(c->st, kind) == OK);
	check_mended(c, kind, "is missing; repair makes it", fixed);
	return !fixed;
}

static enum err
check_sharded(struct check *c, const char *kind)
{
	struct file_facts facts;
	bool whole = true, fixed;
	enum err e;

	if (check_absent(c, kind, true) ||
	    !check_facts(c, kind, FILE_DIRECTORY, &facts))
		return OK;
	e = check_shards(c, kind, &whole);
	if (e != OK || whole)
		return e;
	fixed = c->repair && store_shards(c->st, kind) == OK;
	check_mended(c, kind,
	    "a directory of its shards is missing; repair makes it", fixed);
	return OK;
}

struct flat {
	struct check *c;
	const char *dir;
	enum err (*each)(const char *path, void *check);
};

static enum err
flat_name(const char *name, void *arg)
{
	const struct flat *f = arg;
	struct buf path = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (buf_printf(&path, "%s/%s", f->dir, name))
		e = f->each(buf_cstr(&path), f->c);
	buf_release(&path);
	return e;
}

enum err
check_flat(struct check *c, const char *dir,
    enum err (*each)(const char *path, void *check))
{
	struct flat f = { c, dir, each };
	struct file_facts facts;

	if (!check_facts(c, dir, FILE_DIRECTORY, &facts)) {
		check_damage(c, dir, "is missing; " DIRECTORIES);
		return OK;
	}
	return dir_each(c->st->root, dir, flat_name, &f);
}

/* Half-born files; while they are young, somebody may be at work on them. */
enum err
check_tmp(const char *path, void *check)
{
	struct check *c = check;
	struct file_facts facts;
	enum err e = file_facts(c->st->root, path, &facts);
	bool fixed;

	if (e != OK || facts.mtime > c->now - DAY)
		return e == ERR_NOTFOUND ? OK : e;
	if (facts.type != FILE_REGULAR && facts.type != FILE_CLAIM) {
		check_damage(c, path, types[FILE_REGULAR].wrong_type);
		return OK;
	}
	fixed = c->repair && file_unlink(c->st->root, path) == OK;
	check_litter(c, path,
	    "was left by a process that died; repair removes it", fixed);
	return OK;
}

enum err
check_audit(const char *path, void *check)
{
	struct file_facts facts;

	(void)check_facts(check, path, FILE_REGULAR, &facts);
	return OK;
}

/* In an order in which what repairs one room is seen by the next. */
static const struct {
	const char *kind;
	enum err (*each)(const char *path, void *check);
} rooms[] = {
	{ "entity", check_entity },
	{ "secret", check_secret },
	{ "onetime", check_onetime },
	{ "used", check_used },
	{ "try", check_try },
	{ "issued", check_issued },
	{ "key", check_unique },
	{ "subject", check_unique },
	{ "transaction", check_transaction },
	{ "approval", check_approval },
	{ "approved", check_approved },
};
#define ROOMS (sizeof(rooms) / sizeof(rooms[0]))

static enum err
check_top_name(const char *name, void *arg)
{
	static const char *const others[] = { "audit", "cert", "crl", "format",
		"kept", "queue", "renewed", "revoked", "supersede", "tmp",
		"waiting" };
	struct check *c = arg;
	struct file_facts facts;
	size_t i;

	for (i = 0; i < ROOMS; i++) {
		if (strcmp(name, rooms[i].kind) == 0)
			return OK;
	}
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (strcmp(name, others[i]) != 0)
			continue;
		if (strcmp(name, "format") == 0)
			(void)check_facts(c, name, FILE_REGULAR, &facts);
		return OK;
	}
	check_damage(c, name, "is nothing of the store's; move it away");
	return OK;
}

static enum err
walk_all(struct check *c)
{
	struct file_facts facts;
	size_t i;
	enum err e;

	(void)check_facts(c, ".", FILE_DIRECTORY, &facts);
	e = dir_each(c->st->root, ".", check_top_name, c);
	for (i = 0; i < ROOMS && e == OK; i++) {
		e = check_sharded(c, rooms[i].kind);
		if (e == OK)
			e = store_each(c->st, rooms[i].kind, rooms[i].each, c);
	}
	if (e == OK && !check_absent(c, "waiting", false))
		e = check_waiting(c);
	if (e == OK)
		e = check_queue(c);
	if (e == OK)
		e = check_unlisted(c);
	if (e == OK)
		e = check_kept(c);
	if (e == OK)
		e = check_generations(c);
	if (e == OK)
		e = check_flat(c, "tmp", check_tmp);
	if (e == OK)
		e = check_flat(c, "audit", check_audit);
	return e;
}

enum err
store_check(struct store *st, bool repair,
    void (*found)(const struct finding *, void *arg), void *arg, unsigned *left)
{
	struct check c = { .st = st,
		.repair = repair,
		.found = found,
		.arg = arg,
		.now = time_now() };
	struct file_facts home;
	enum err e;

	e = file_facts(st->root, "..", &home);
	if (e != OK)
		return e == ERR_NOTFOUND ? ERR_SYSTEM : e;
	c.uid = home.uid;
	c.gid = home.gid;
	e = walk_all(&c);
	*left = c.left;
	free(c.listed.item);
	free(c.unlisted.item);
	return e;
}
