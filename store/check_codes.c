#include <string.h>

#include "base/limits.h"
#include "store/check.h"
#include "store/onetime.h"
#include "store/waiting.h"
#include "store/queue.h"

/* Entities, their codes, redemptions and attempt marks. */

/* Splits at the last comma; false where there is none. */
static bool
split(const char *path, struct buf *stem, const char **tail)
{
	const char *comma = strrchr(store_base(path), ',');

	if (comma == NULL)
		return false;
	*tail = comma + 1;
	return buf_add(stem, path, (size_t)(comma - path));
}

/* Is "<stem>,<n>" there? */
static bool
has_version(const struct check *c, const char *stem, unsigned n)
{
	struct buf path = BUF_INIT;
	bool there;

	there = buf_printf(&path, "%s,%u", stem, n) &&
		file_exists(c->st->root, buf_cstr(&path)) == OK;
	buf_release(&path);
	return there;
}

/*
 * The present version's code must have its secret.  `setpwd` may change both
 * while we look, so a second look decides.
 */
static void
check_present(struct check *c, const char *path, const char *stem)
{
	struct entity who = ENTITY_INIT;
	struct code code = { 0 };
	enum err e = ERR_NOTFOUND;

	for (int look = 0; look < 2 && e == ERR_NOTFOUND; look++) {
		entity_release(&who);
		if (entity_read(c->st, stem, &who) != OK || who.deleted ||
		    who.code == NULL)
			break;
		e = code_find(c->st, who.username, who.code, &code);
		code_release(&code);
		if (e == ERR_NOTFOUND && look == 1)
			check_damage(c, path,
			    "its present code is gone; `scep entity setpwd` "
			    "gives it another");
	}
	entity_release(&who);
}

enum err
check_entity(const char *path, void *check)
{
	struct check *c = check;
	struct entity who = ENTITY_INIT;
	struct buf stem = BUF_INIT;
	struct file_facts facts;
	const char *tail = NULL;
	unsigned n = 0;

	if (!check_facts(c, path, FILE_REGULAR, &facts))
		goto out;
	if (!split(path, &stem, &tail)) {
		check_damage(c, path, STRANGE);
		goto out;
	}
	if (strcmp(tail, "blocked") == 0) {
		if (!has_version(c, buf_cstr(&stem), 1))
			check_damage(c, path, "blocks nobody; remove it");
		goto out;
	}
	if (!read_number(tail, &n) || n == 0) {
		check_damage(c, path, STRANGE);
		goto out;
	}
	if (n > 1 && !has_version(c, buf_cstr(&stem), n - 1))
		check_damage(c, path,
		    "the version before it is missing; restore it, for until "
		    "then this one is not seen");
	if (entity_version(c->st, buf_cstr(&stem), n, &who) == ERR_SYSTEM)
		check_damage(c, path, "cannot be read; restore it");
	else if (n == 1)
		check_present(c, path, buf_cstr(&stem));
out:
	entity_release(&who);
	buf_release(&stem);
	return OK;
}

/* Is this some living entity's present code? */
static enum err
is_present(const struct check *c, const struct code *code, bool *out)
{
	struct entity who = ENTITY_INIT;
	enum err e;

	*out = false;
	e = entity_find(
	    c->st, span_of(code->username, strlen(code->username)), &who);
	if (e == OK)
		*out = who.code != NULL && strcmp(who.code, code->id) == 0;
	entity_release(&who);
	return e == ERR_NOTFOUND ? OK : e;
}

/* A recoverable code that cannot be recovered opens no envelope. */
static void
check_sealed(struct check *c, const char *path, const struct code *code)
{
	struct buf secret = BUF_SECRET;

	if (code_reveal(c->st, code, &secret) != OK)
		check_damage(c, path,
		    "cannot be opened with seal.key; put back the seal.key of "
		    "this home, or set another code with `scep entity setpwd`");
	buf_release(&secret);
}

enum err
check_secret(const char *path, void *check)
{
	struct check *c = check;
	struct code code = { 0 };
	struct file_facts facts;
	bool present = true, fixed;
	enum err e;

	if (!check_facts(c, path, FILE_REGULAR, &facts))
		return OK;
	e = code_read(c->st, path, &code);
	if (e == ERR_SYSTEM)
		check_damage(c, path,
		    "cannot be read; restore it, or set "
		    "another with `scep entity setpwd`");
	if (e == OK && code.form == CODE_SEALED)
		check_sealed(c, path, &code);
	/* A young one may be waiting for its entity's next version. */
	if (e != OK || code.created > c->now - SETTLED)
		goto out;
	if (is_present(c, &code, &present) != OK || present)
		goto out;
	fixed = c->repair && code_retire(c->st, code.username, code.id) == OK;
	check_litter(
	    c, path, "is no entity's present code; repair retires it", fixed);
out:
	code_release(&code);
	return OK;
}

/* Over or used up it is no finding: `challenge delete --expired` is for it. */
enum err
check_onetime(const char *path, void *check)
{
	struct check *c = check;
	const char *name = store_base(path);
	struct onetime o = ONETIME_INIT;
	struct file_facts facts;
	enum err e;

	if (strlen(name) != CODE_ID - 1 || !is_hex(name, CODE_ID - 1) ||
	    !check_shard_of(c, path)) {
		check_damage(c, path, STRANGE);
		return OK;
	}
	if (!check_facts(c, path, FILE_REGULAR, &facts))
		return OK;
	e = onetime_get(c->st, name, &o);
	if (e != OK && e != ERR_NOTFOUND)
		check_damage(c, path,
		    "cannot be read; restore it, or move it away and make "
		    "another with `scep challenge new`");
	onetime_release(&o);
	return OK;
}

/* "<id>,<rest>" */
static bool
is_code_name(const char *name)
{
	return strlen(name) > CODE_ID && is_hex(name, CODE_ID - 1) &&
	       name[CODE_ID - 1] == ',';
}

bool
check_shard_of(const struct check *c, const char *path)
{
	const char *name = store_base(path);
	size_t digits = c->st->shards;

	return (size_t)(name - path) > digits &&
	       memcmp(name - 1 - digits, name, digits) == 0;
}

enum err
check_used(const char *path, void *check)
{
	struct check *c = check;
	const char *name = store_base(path);
	enum outcome_kind kind;
	struct file_facts facts;
	struct claim claim;
	unsigned k;
	bool fixed;
	enum err e;

	if (!is_code_name(name) || !read_number(name + CODE_ID, &k) ||
	    !check_shard_of(c, path)) {
		check_damage(c, path, STRANGE);
		return OK;
	}
	if (!check_facts(c, path, FILE_CLAIM, &facts))
		return OK;
	e = claim_read(c->st, path, &claim);
	if (e == ERR_INPUT)
		check_damage(c, path,
		    "does not name a transaction and attempt; restore it");
	if (e != OK)
		return e == ERR_SYSTEM ? e : OK;
	e = outcome_kind(c->st, claim.transaction, claim.attempt, &kind);
	/* An unreadable outcome is told where it lies. */
	if (e != ERR_NOTFOUND || facts.mtime > c->now - SETTLED ||
	    queue_waits(c->st, claim.transaction, claim.attempt) == OK)
		return OK;
	/* people may take their time */
	if (waiting_exists(c->st, claim.transaction, claim.attempt) !=
	    ERR_NOTFOUND)
		return OK;
	fixed = c->repair &&
		outcome_abandon(c->st, claim.transaction, claim.attempt) == OK;
	check_litter(c, path,
	    "was made by a process that died before it issued; the same "
	    "client's next try goes on with it, repair frees it",
	    fixed);
	return OK;
}

/*
 * "2026-11-23T19,4" of a wrong password, "2026-11-23T19.05,0" of one that is
 * being looked at.
 */
static bool
is_mark(const char *at)
{
	unsigned k;

	if (strlen(at) <= HOUR_TEXT)
		return false;
	if (at[HOUR_TEXT - 1] == ',')
		return read_number(at + HOUR_TEXT, &k);
	return at[HOUR_TEXT - 1] == '.' && strlen(at) > HOUR_TEXT + 3 &&
	       strspn(at + HOUR_TEXT, "0123456789") == 2 &&
	       at[HOUR_TEXT + 2] == ',' && read_number(at + HOUR_TEXT + 3, &k);
}

enum err
check_try(const char *path, void *check)
{
	struct check *c = check;
	const char *name = store_base(path);
	const char *at = name + CODE_ID;
	char hour[HOUR_TEXT];
	struct file_facts facts;
	bool fixed;

	if (!is_code_name(name) || !is_mark(at) || !check_shard_of(c, path)) {
		check_damage(c, path, STRANGE);
		return OK;
	}
	if (!check_facts(c, path, FILE_REGULAR, &facts))
		return OK;
	code_hour(c->now, hour);
	if (memcmp(at, hour, HOUR_TEXT - 1) >= 0)
		return OK;
	fixed = c->repair && file_unlink(c->st->root, path) == OK;
	check_litter(c, path,
	    "is an attempt mark of an hour that is over; repair removes it",
	    fixed);
	return OK;
}
