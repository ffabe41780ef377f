#include <string.h>

#include "base/limits.h"
#include "base/names.h"
#include "store/cert.h"
#include "store/check.h"

/* cert/, revoked/ and crl/: a directory for each CA and each generation. */

static enum err
cert_room(struct check *c, const char *path)
{
	return store_each(c->st, path, check_cert, c);
}

static enum err
revoked_room(struct check *c, const char *path)
{
	struct buf news = BUF_INIT;
	enum err e;

	e = store_each(c->st, path, check_revoked, c);
	if (e == OK && !buf_printf(&news, "%s/new", path))
		e = ERR_SYSTEM;
	/* Where it is missing, that was told in cert/. */
	if (e == OK && file_exists(c->st->root, buf_cstr(&news)) == OK)
		e = check_flat(c, buf_cstr(&news), check_news);
	buf_release(&news);
	return e;
}

/* The newest, by which the others are judged; damage is told where it lies. */
static void
load_newest(struct check *c)
{
	struct buf der = BUF_INIT;
	const unsigned char *p;

	c->newest = NULL;
	c->number = 0;
	if (crls_highest(c->st, &c->by, &c->number) != OK ||
	    crls_read(c->st, &c->by, c->number, &der) != OK)
		goto out;
	p = der.data;
	c->newest = d2i_X509_CRL(NULL, &p, (long)der.len);
out:
	buf_release(&der);
}

static enum err
crl_room(struct check *c, const char *path)
{
	enum err e;

	load_newest(c);
	e = check_flat(c, path, check_crl);
	if (e == OK && c->newest != NULL)
		e = check_shown(c);
	X509_CRL_free(c->newest);
	c->newest = NULL;
	return e;
}

static enum err
claims_room(struct check *c, const char *path)
{
	return store_each(c->st, path, check_renewed, c);
}

static enum err
superseded_room(struct check *c, const char *path)
{
	return check_flat(c, path, check_superseded);
}

/* In this order: what is revoked must be looked at before what shows it. */
static const struct {
	const char *kind;
	bool shards;
	enum err (*each)(struct check *c, const char *path);
} rooms[] = {
	{ "cert", true, cert_room },
	{ "revoked", true, revoked_room },
	{ "crl", false, crl_room },
	{ "renewed", true, claims_room },
	{ "supersede", false, superseded_room },
};
#define ROOMS (sizeof(rooms) / sizeof(*rooms))

/* Two levels of directories: CA and generation. */
struct level {
	struct check *c;
	size_t room;
	const char *above; /* "cert" or "cert/<ca>" */
	const char *ca;	   /* unescaped; NULL on the first level */
	enum err (*each)(struct level *l, const char *path, const char *name);
};

static enum err
level_name(const char *name, void *arg)
{
	struct level *l = arg;
	struct buf path = BUF_INIT;
	struct file_facts facts;
	enum err e = OK;

	if (!buf_printf(&path, "%s/%s", l->above, name))
		e = ERR_SYSTEM;
	else if (check_facts(l->c, buf_cstr(&path), FILE_DIRECTORY, &facts))
		e = l->each(l, buf_cstr(&path), name);
	buf_release(&path);
	return e;
}

/* Where its room in cert/ is, the others must be. */
static enum err
rooms_whole(struct level *l, bool *whole)
{
	struct buf path = BUF_INIT;
	enum err e = OK;

	for (size_t i = 0; i < ROOMS && e == OK; i++) {
		buf_clear(&path);
		e = generation_room(
		    rooms[i].kind, l->c->by.ca, l->c->by.generation, &path);
		if (e == OK && i == 1 && !buf_str(&path, "/new"))
			e = ERR_SYSTEM;
		if (e == OK &&
		    file_exists(l->c->st->root, buf_cstr(&path)) != OK)
			*whole = false;
	}
	buf_release(&path);
	return e;
}

static enum err
each_generation(struct level *l, const char *path, const char *name)
{
	struct check *c = l->c;
	bool whole = true, fixed;
	unsigned n = 0;
	enum err e = OK;

	if (!read_number(name, &n) || n == 0) {
		check_damage(c, path, "is no generation; move it away");
		return OK;
	}
	c->by = (struct issuer){ l->ca, n };
	if (rooms[l->room].shards)
		e = check_shards(c, path, &whole);
	if (e == OK && l->room == 0)
		e = rooms_whole(l, &whole);
	if (e != OK)
		return e;
	if (!whole) {
		fixed = c->repair && cert_rooms(c->st, l->ca, n) == OK;
		check_mended(c, path,
		    "a directory of this generation's rooms is missing; "
		    "repair makes it",
		    fixed);
	}
	return rooms[l->room].each(c, path);
}

static enum err
each_ca(struct level *l, const char *path, const char *name)
{
	struct level below = { l->c, l->room, path, NULL, each_generation };
	struct buf ca = BUF_INIT;
	enum err e;

	if (name_unescape(name, &ca) != OK) {
		check_damage(l->c, path, "is no CA's name; move it away");
		e = OK;
	} else {
		below.ca = buf_cstr(&ca);
		e = dir_each(l->c->st->root, path, level_name, &below);
	}
	buf_release(&ca);
	return e;
}

/* A room that an older version did not make holds nothing yet. */
static bool
has_room(struct check *c, const char *kind)
{
	struct file_facts facts;
	bool fixed;

	if (check_facts(c, kind, FILE_DIRECTORY, &facts))
		return true;
	fixed = c->repair && dir_make(c->st->root, kind) == OK;
	check_mended(c, kind, "is missing; repair makes it", fixed);
	return fixed;
}

enum err
check_generations(struct check *c)
{
	struct level top = { .c = c, .each = each_ca };
	enum err e = OK;

	for (top.room = 0; top.room < ROOMS && e == OK; top.room++) {
		top.above = rooms[top.room].kind;
		if (has_room(c, top.above))
			e = dir_each(c->st->root, top.above, level_name, &top);
	}
	return e;
}
