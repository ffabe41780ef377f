#include "store/issued.h"

#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "store/inside.h"

#define ROUNDS 100 /* rivals that one link lets go first */

/* "issued/9c/<username>" */
static enum err
stem_of(const struct store *st, const char *username, struct buf *out)
{
	return store_path(
	    st, "issued", span_of(username, strlen(username)), "", out);
}

/* Number n of an entity; ERR_SYSTEM (logged) if it is another's. */
static enum err
read_one(const struct store *st, const struct buf *stem, unsigned n,
    const char *username, struct outcome *out)
{
	struct outcome o = OUTCOME_INIT;
	struct buf path = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (!buf_printf(&path, "%s,%u", buf_cstr(stem), n))
		goto out;
	if ((e = outcome_read(st, buf_cstr(&path), &o)) != OK)
		goto out;
	if (o.kind != OUTCOME_CERTIFICATE || o.entity == NULL ||
	    strcmp(o.entity, username) != 0) {
		log_error("%s is another entity's; `scep check` says more",
		    buf_cstr(&path));
		e = ERR_SYSTEM;
		goto out;
	}
	*out = o;
	o = (struct outcome)OUTCOME_INIT;
out:
	outcome_release(&o);
	buf_release(&path);
	return e;
}

enum err
issued_each(const struct store *st, const char *username,
    enum err (*each)(const struct outcome *, void *arg), void *arg)
{
	struct buf stem = BUF_INIT;
	struct outcome o;
	unsigned n = 0, last;
	enum err e;

	if ((e = stem_of(st, username, &stem)) == OK)
		e = store_highest(st, buf_cstr(&stem), "", &n);
	last = n > ISSUED_WALK ? n - ISSUED_WALK : 0;
	for (; e == OK && n > last; n--) {
		o = (struct outcome)OUTCOME_INIT;
		e = read_one(st, &stem, n, username, &o);
		if (e == OK)
			e = each(&o, arg);
		else if (e == ERR_NOTFOUND) /* lost; others are behind it */
			e = OK;
		outcome_release(&o);
	}
	buf_release(&stem);
	return e;
}

enum err
issued_enrolled(const struct store *st, const char *username, unsigned limit,
    unsigned *count)
{
	struct buf stem = BUF_INIT;
	struct outcome o;
	unsigned n = 0;
	enum err e;

	*count = 0;
	if ((e = stem_of(st, username, &stem)) == OK)
		e = store_highest(st, buf_cstr(&stem), "", &n);
	for (; e == OK && n > 0 && *count < limit; n--) {
		o = (struct outcome)OUTCOME_INIT;
		e = read_one(st, &stem, n, username, &o);
		if (e == OK && o.renews == NULL)
			++*count;
		if (e == ERR_NOTFOUND)
			e = OK;
		outcome_release(&o);
	}
	buf_release(&stem);
	return e;
}

enum err
issued_latest(const struct store *st, const char *username, struct outcome *out)
{
	struct buf stem = BUF_INIT;
	unsigned n = 0;
	enum err e;

	if ((e = stem_of(st, username, &stem)) == OK)
		e = store_highest(st, buf_cstr(&stem), "", &n);
	if (e == OK)
		e = n == 0 ? ERR_NOTFOUND :
			     read_one(st, &stem, n, username, out);
	buf_release(&stem);
	return e;
}

/* Is the last one this outcome?  *n is its number, 0 if there is none. */
static enum err
is_last(const struct store *st, const struct buf *stem, const struct outcome *o,
    unsigned *n, bool *yes)
{
	struct outcome last = OUTCOME_INIT;
	enum err e;

	*yes = false;
	e = store_highest(st, buf_cstr(stem), "", n);
	if (e != OK || *n == 0)
		return e;
	e = read_one(st, stem, *n, o->entity, &last);
	if (e == OK)
		*yes = strcmp(last.transaction, o->transaction) == 0 &&
		       last.attempt == o->attempt;
	outcome_release(&last);
	return e;
}

/*
 * Whoever finds an outcome without its name in cert/ comes here again, and
 * nearly always it is the last one then.  Where it is not, it stands here
 * twice, which harms nobody.
 */
enum err
issued_link(const struct store *st, const struct outcome *o, const char *from)
{
	struct buf stem = BUF_INIT, path = BUF_INIT;
	bool there = false;
	unsigned n = 0;
	enum err e = ERR_EXISTS;

	if (o->entity == NULL)
		return OK;
	if (stem_of(st, o->entity, &stem) != OK)
		e = ERR_SYSTEM;
	for (int i = 0; i < ROUNDS && e == ERR_EXISTS; i++) {
		if ((e = is_last(st, &stem, o, &n, &there)) != OK || there)
			break;
		buf_clear(&path);
		e = ERR_SYSTEM;
		if (buf_printf(&path, "%s,%u", buf_cstr(&stem), n + 1))
			e = file_link(st->root, from, buf_cstr(&path));
	}
	if (e == ERR_NOTFOUND) {
		log_error("%s cannot be linked; `scep check --repair` makes "
			  "the room where there is none",
		    buf_cstr(&path));
		e = ERR_SYSTEM;
	}
	buf_release(&stem);
	buf_release(&path);
	return e == ERR_EXISTS ? ERR_BUSY : e;
}
