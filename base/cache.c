#include "base/cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/time.h"

/*
 * The last good version of each file that was asked for.  A file is read
 * again when it is another version (file_stamp), and counts only if it has
 * been quiet for a second and did not change while it was read (DESIGN 7):
 *
 *	same version                 -> what it was, good or broken; a broken
 *	                                one is read and logged again every
 *	                                minute: the trouble may have been ours
 *	other version, being written -> the last good one, else ERR_BUSY
 *	other version, good          -> replaces
 *	other version, broken        -> the last good one, else ERR_SYSTEM
 *	no file                      -> forgotten, ERR_NOTFOUND
 */
struct slot {
	char name[MAX_NAME + 1];
	struct file_stamp stamp; /* of the version that was read last */
	void *good;		 /* the last good version, or NULL */
	int64_t complained;	 /* time_ticks() when it was found broken */
	bool broken;		 /* the version read last was */
	struct slot *next;
};

struct cache {
	int home; /* borrowed */
	const struct cache_kind *kind;
	struct slot *slots;
};

#define COMPLAIN_EVERY 60000 /* milliseconds */

enum err
cache_new(int home, const struct cache_kind *kind, struct cache **out)
{
	struct cache *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		log_error("out of memory");
		return ERR_SYSTEM;
	}
	c->home = home;
	c->kind = kind;
	*out = c;
	return OK;
}

static void
slot_free(const struct cache *c, struct slot *s)
{
	c->kind->free(s->good);
	free(s);
}

void
cache_free(struct cache *c)
{
	if (c == NULL)
		return;
	while (c->slots != NULL) {
		struct slot *next = c->slots->next;

		slot_free(c, c->slots);
		c->slots = next;
	}
	free(c);
}

/* Where the slot of that name hangs, or where it would. */
static struct slot **
find_slot(struct cache *c, const char *name)
{
	struct slot **at = &c->slots;

	while (*at != NULL && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	return at;
}

/* Only for a file that is there, so the list is as short as the folder. */
static struct slot *
add_slot(struct slot **at, const char *name)
{
	struct slot *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		log_error("out of memory");
		return NULL;
	}
	(void)snprintf(s->name, sizeof(s->name), "%s", name);
	*at = s;
	return s;
}

bool
cache_quiet(const struct file_stamp *stamp)
{
	int64_t age = time_now() - stamp->mtime_s;

	return age < 0 || age > 1;
}

/* Reads the version `stamp`; ERR_BUSY if the file does not stand still. */
static enum err
read_version(const struct cache *c, const char *path, const char *name,
    const struct file_stamp *stamp, void **out)
{
	struct buf text = BUF_SECRET; /* an alias may hold one */
	struct file_stamp after;
	enum err e = ERR_BUSY;

	if (!cache_quiet(stamp))
		goto out;
	if ((e = file_read(c->home, path, MAX_INI, &text)) != OK)
		goto out;
	if (file_stamp(c->home, path, &after) != OK ||
	    !file_stamp_eq(stamp, &after))
		e = ERR_BUSY;
	else
		e = c->kind->parse(name, path, buf_span(&text), out);
out:
	buf_release(&text);
	return e;
}

/* Takes a version that is not the one the slot has. */
static void
renew(const struct cache *c, struct slot *s, const char *path,
    const struct file_stamp *stamp)
{
	void *fresh = NULL;
	enum err e = read_version(c, path, s->name, stamp, &fresh);

	if (e == ERR_BUSY || e == ERR_NOTFOUND)
		return; /* its stamp stays unknown: looked at again */
	s->stamp = *stamp;
	s->broken = e != OK;
	s->complained = time_ticks();
	if (e != OK)
		return;
	c->kind->free(s->good);
	s->good = fresh;
}

/* Is there anything to be learnt from the file? */
static bool
due(const struct slot *s, const struct file_stamp *stamp)
{
	if (!file_stamp_eq(&s->stamp, stamp))
		return true;
	return s->broken && time_ticks() - s->complained >= COMPLAIN_EVERY;
}

enum err
cache_find(struct cache *c, const char *name, const void **out)
{
	struct slot **at = find_slot(c, name);
	struct buf path = BUF_INIT;
	struct file_stamp stamp;
	struct slot *s = *at;
	enum err e = ERR_SYSTEM;

	if (!buf_printf(&path, "%s/%s.ini", c->kind->room, name))
		goto out;
	e = file_stamp(c->home, buf_cstr(&path), &stamp);
	if (e == ERR_NOTFOUND && s != NULL) {
		*at = s->next;
		slot_free(c, s);
	}
	if (e != OK)
		goto out;
	e = ERR_SYSTEM;
	if (s == NULL && (s = add_slot(at, name)) == NULL)
		goto out;
	if (due(s, &stamp))
		renew(c, s, buf_cstr(&path), &stamp);
	*out = s->good;
	e = s->good ? OK : s->broken ? ERR_SYSTEM : ERR_BUSY;
out:
	buf_release(&path);
	return e;
}
