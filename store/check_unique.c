#include <string.h>

#include "base/limits.h"
#include "store/check.h"
#include "store/waiting.h"

/* The claims of keys and subjects, key/ and subject/ (unique.h). */

/* "<hash>,<n>" in the shard of its first digits; the place of its number. */
static const char *
slot_number(const struct check *c, const char *path, unsigned *n)
{
	const char *name = store_base(path);
	const char *number = name + SHA256_HEX;
	struct buf own = BUF_INIT;
	char hash[SHA256_HEX] = "";
	bool good = false;

	if (strlen(name) <= SHA256_HEX || name[SHA256_HEX - 1] != ',' ||
	    !is_hex(name, SHA256_HEX - 1) || !read_number(number, n))
		return NULL;
	memcpy(hash, name, SHA256_HEX - 1);
	good = store_path_hex(c->st, *path == 'k' ? "key" : "subject", hash,
		   ",", &own) == OK &&
	       strncmp(buf_cstr(&own), path, own.len) == 0;
	buf_release(&own);
	return good ? number : NULL;
}

/* Is the slot before it there? */
static bool
has_before(
    const struct check *c, const char *path, const char *number, unsigned n)
{
	struct buf before = BUF_INIT;
	bool there;

	there =
	    buf_printf(&before, "%.*s%u", (int)(number - path), path, n - 1) &&
	    file_exists(c->st->root, buf_cstr(&before)) == OK;
	buf_release(&before);
	return there;
}

enum err
check_unique(const char *path, void *check)
{
	struct check *c = check;
	struct file_facts facts;
	enum outcome_kind kind;
	struct claim claim;
	unsigned n = 0;
	const char *number = slot_number(c, path, &n);
	bool fixed;
	enum err e;

	if (number == NULL) {
		check_damage(c, path,
		    "has a name that the store does not give; move it away");
		return OK;
	}
	if (!check_facts(c, path, FILE_CLAIM, &facts))
		return OK;
	if (n > 0 && !has_before(c, path, number, n))
		check_damage(c, path,
		    "the claim before it is missing; restore it, for until "
		    "then this one is not seen");
	e = claim_read(c->st, path, &claim);
	if (e == ERR_INPUT)
		check_damage(c, path,
		    "does not name a transaction and attempt; restore it");
	if (e != OK)
		return e == ERR_SYSTEM ? e : OK;
	e = outcome_kind(c->st, claim.transaction, claim.attempt, &kind);
	/* An unreadable outcome is told where it lies. */
	if (e != ERR_NOTFOUND || facts.mtime > c->now - SETTLED ||
	    waiting_exists(c->st, claim.transaction, claim.attempt) == OK)
		return OK;
	fixed = c->repair &&
		outcome_abandon(c->st, claim.transaction, claim.attempt) == OK;
	check_litter(c, path,
	    "was made by a process that died before it issued; the same "
	    "client's next try goes on with it, repair frees it",
	    fixed);
	return OK;
}
