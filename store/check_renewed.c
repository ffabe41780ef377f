#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/time.h"
#include "store/check.h"
#include "store/renewed.h"
#include "store/waiting.h"

/* What old certificates paid for: renewed/<ca>/<generation>/. */

/* "<serial>,<k>" */
static bool
is_claim_name(const char *name)
{
	size_t len = strcspn(name, ",");
	unsigned k;

	return len >= 2 && len <= 40 && len % 2 == 0 && is_hex(name, len) &&
	       name[len] == ',' && read_number(name + len + 1, &k);
}

enum err
check_renewed(const char *path, void *check)
{
	struct check *c = check;
	enum outcome_kind kind;
	struct file_facts facts;
	struct claim claim;
	bool fixed;
	enum err e;

	if (!is_claim_name(store_base(path)) || !check_shard_of(c, path)) {
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
	if (e != ERR_NOTFOUND || facts.mtime > c->now - SETTLED ||
	    waiting_exists(c->st, claim.transaction, claim.attempt) == OK)
		return OK;
	fixed = c->repair &&
		outcome_abandon(c->st, claim.transaction, claim.attempt) == OK;
	check_litter(c, path,
	    "was made by a process that died before it issued; the next "
	    "renewal goes on with it, repair frees it",
	    fixed);
	return OK;
}

/* supersede/: a serial number, and when it is due. */
enum err
check_superseded(const char *path, void *check)
{
	struct check *c = check;
	const char *serial = store_base(path);
	size_t len = strlen(serial);
	struct buf word = BUF_INIT;
	struct file_facts facts;
	int64_t due;

	if (len < 2 || len > 40 || len % 2 != 0 || !is_hex(serial, len)) {
		check_damage(c, path, STRANGE);
		return OK;
	}
	if (check_facts(c, path, FILE_CLAIM, &facts) &&
	    (file_claim_read(c->st->root, path, &word) != OK ||
		time_read(buf_cstr(&word), &due) != OK))
		check_damage(c, path,
		    "does not say when that certificate is superseded; remove "
		    "it, and revoke the certificate if it is to be");
	buf_release(&word);
	return OK;
}

/* The claim of this outcome among those of the old certificate. */
struct hunt {
	const struct check *c;
	const struct outcome *o;
	struct issuer by;
	char serial[41];
	struct buf path; /* of the first name that is free, if not found */
};

static enum err
hunt(struct hunt *h, bool *found)
{
	struct buf stem = BUF_INIT;
	struct claim there;
	enum err e;

	*found = false;
	e = renewed_stem(h->c->st, &h->by, h->serial, &stem);
	for (unsigned k = 0; e == OK && !*found; k++) {
		buf_clear(&h->path);
		if (!buf_printf(&h->path, "%s%u", buf_cstr(&stem), k)) {
			e = ERR_SYSTEM;
			break;
		}
		e = claim_read(h->c->st, buf_cstr(&h->path), &there);
		*found = e == OK && there.attempt == h->o->attempt &&
			 strcmp(there.transaction, h->o->transaction) == 0;
		if (e == ERR_INPUT) /* told where it lies */
			e = OK;
	}
	buf_release(&stem);
	return e == ERR_NOTFOUND ? OK : e;
}

/* Made again at the end of the claims: what it bought is known. */
static bool
mend(struct hunt *h)
{
	struct buf word = BUF_INIT;
	const struct store *st = h->c->st;
	bool ok;

	ok = claim_word(st, buf_cstr(&h->path), h->o->transaction,
		 h->o->attempt, &word) == OK &&
	     file_claim(st->root, buf_cstr(&h->path), buf_cstr(&word)) == OK &&
	     store_sync_above(st, buf_cstr(&h->path)) == OK;
	buf_release(&word);
	return ok;
}

enum err
check_renewal(struct check *c, const char *path, const struct outcome *o)
{
	struct hunt h = { .c = c, .o = o };
	bool found = false;
	char *ca = NULL;
	enum err e;

	if (o->renews == NULL)
		return OK;
	e = renewed_parse(o->renews, &ca, &h.by.generation, h.serial);
	if (e == ERR_INPUT)
		check_damage(c, path, "renews no certificate's name");
	if (e != OK)
		goto out;
	h.by.ca = ca;
	if ((e = hunt(&h, &found)) == OK && !found)
		check_mended(c, path,
		    "its old certificate does not know that it paid; repair "
		    "says so there",
		    c->repair && mend(&h));
out:
	free(ca);
	buf_release(&h.path);
	return e == ERR_INPUT ? OK : e;
}
