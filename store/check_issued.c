#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/check.h"

/*
 * issued/: an entity's certificates in order.  Its names are walked first and
 * remembered; an outcome that is not among them is linked at the end, in the
 * order in which they were issued, which that of their names is not.
 */

static enum err
add(struct list *l, const struct outcome *o)
{
	size_t room = l->room == 0 ? 64 : 2 * l->room;
	struct listed *more = l->item;

	if (l->n == l->room) {
		more = realloc(l->item, room * sizeof(*more));
		if (more == NULL) {
			log_error("out of memory: %zu certificates", l->n);
			return ERR_SYSTEM;
		}
		l->item = more;
		l->room = room;
	}
	more += l->n++;
	memcpy(more->transaction, o->transaction, sizeof(more->transaction));
	more->attempt = o->attempt;
	more->issued = o->issued;
	return OK;
}

static int
by_name(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;
	int order = strcmp(x->transaction, y->transaction);

	return order != 0 ?
		   order :
		   (x->attempt > y->attempt) - (x->attempt < y->attempt);
}

static int
by_time(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;

	return x->issued != y->issued ? (x->issued > y->issued ? 1 : -1) :
					by_name(a, b);
}

/* NULL: the name is one that its entity has, and readers find. */
static const char *
entry_wrong(const struct check *c, const char *path, const struct outcome *o)
{
	const char *wrong = "is another entity's; repair removes it";
	struct buf own = BUF_INIT;
	unsigned n = 0, highest = 0;
	size_t stem;

	if (o->kind != OUTCOME_CERTIFICATE || o->entity == NULL ||
	    store_path(c->st, "issued", span_of(o->entity, strlen(o->entity)),
		"", &own) != OK)
		goto out;
	stem = own.len;
	if (strncmp(path, buf_cstr(&own), stem) != 0 || path[stem] != ',' ||
	    !read_number(path + stem + 1, &n) || n == 0)
		goto out;
	if (store_highest(c->st, buf_cstr(&own), "", &highest) == OK &&
	    n > highest) {
		wrong = "nobody finds it, as one before it is missing; repair "
			"links it again";
		goto out;
	}
	wrong = NULL;
out:
	buf_release(&own);
	return wrong;
}

/* Repair keeps it where it may be the last copy. */
static void
check_copy(struct check *c, const char *path, const struct outcome *o)
{
	struct buf own = BUF_INIT;

	if (outcome_path(c->st, o->transaction, o->attempt, &own) == OK &&
	    !check_same(c, path, buf_cstr(&own)))
		check_damage(c, path,
		    "is not the outcome of its transaction; restore that");
	buf_release(&own);
}

enum err
check_issued(const char *path, void *check)
{
	struct check *c = check;
	struct outcome o = OUTCOME_INIT;
	struct file_facts facts;
	const char *wrong = "cannot be read; repair removes it";
	enum err e;

	if (!check_facts(c, path, FILE_REGULAR, &facts))
		return OK;
	e = outcome_read(c->st, path, &o);
	if (e == ERR_NOTFOUND)
		return OK;
	if (e == OK)
		wrong = entry_wrong(c, path, &o);
	if (wrong != NULL) {
		check_mended(c, path, wrong,
		    c->repair && file_unlink(c->st->root, path) == OK);
		e = OK;
	} else {
		check_copy(c, path, &o);
		e = add(&c->listed, &o);
	}
	outcome_release(&o);
	return e;
}

enum err
check_listed(struct check *c, const struct outcome *o)
{
	struct listed wanted = { .attempt = o->attempt };

	/* sorted once: issued/ is walked before transaction/ */
	if (!c->sorted && c->listed.n > 0)
		qsort(c->listed.item, c->listed.n, sizeof(wanted), by_name);
	c->sorted = true;
	if (o->entity == NULL || o->issued > c->now - YOUNG)
		return OK;
	memcpy(wanted.transaction, o->transaction, sizeof(wanted.transaction));
	if (c->listed.n > 0 && bsearch(&wanted, c->listed.item, c->listed.n,
				   sizeof(wanted), by_name) != NULL)
		return OK;
	return add(&c->unlisted, o);
}

static enum err
link_one(struct check *c, const struct listed *l)
{
	struct outcome o = OUTCOME_INIT;
	struct buf path = BUF_INIT;
	bool fixed = false;
	enum err e;

	e = outcome_path(c->st, l->transaction, l->attempt, &path);
	if (e != OK)
		goto out;
	if (c->repair && outcome_read(c->st, buf_cstr(&path), &o) == OK)
		fixed = issued_link(c->st, &o, buf_cstr(&path)) == OK;
	check_mended(c, buf_cstr(&path),
	    "is not among its entity's in issued/; repair links it", fixed);
out:
	outcome_release(&o);
	buf_release(&path);
	return e;
}

enum err
check_unlisted(struct check *c)
{
	struct list *l = &c->unlisted;
	enum err e = OK;

	if (l->n > 0)
		qsort(l->item, l->n, sizeof(*l->item), by_time);
	for (size_t i = 0; i < l->n && e == OK; i++)
		e = link_one(c, &l->item[i]);
	return e;
}
