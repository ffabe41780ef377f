#include "store/cert.h"

#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "store/inside.h"

enum err
cert_path(const struct store *st, const char *ca, unsigned generation,
    const char *serial, struct buf *out)
{
	struct buf room = BUF_INIT;
	enum err e;

	e = generation_room("cert", ca, generation, &room);
	if (e == OK)
		e = store_path_hex(st, buf_cstr(&room), serial, ".pem", out);
	buf_release(&room);
	return e;
}

enum err
cert_find(const struct store *st, const char *ca, unsigned generation,
    const char *serial, struct outcome *out)
{
	struct outcome o = OUTCOME_INIT;
	struct buf path = BUF_INIT;
	size_t len = strlen(serial);
	enum err e;

	if (len == 0 || len >= sizeof(o.serial) || !is_hex(serial, len))
		return ERR_NOTFOUND;
	e = cert_path(st, ca, generation, serial, &path);
	if (e == OK)
		e = outcome_read(st, buf_cstr(&path), &o);
	if (e != OK)
		goto out;
	if (o.kind != OUTCOME_CERTIFICATE || strcmp(o.ca, ca) != 0 ||
	    o.generation != generation || strcmp(o.serial, serial) != 0) {
		log_error("%s is another certificate", buf_cstr(&path));
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

struct certs {
	const struct store *st;
	enum err (*each)(const struct outcome *, void *arg);
	void *arg;
	bool damage;
};

/* One that cannot be read, which was logged, must not hide the others. */
static enum err
cert_one(const char *path, void *arg)
{
	struct certs *c = arg;
	struct outcome o = OUTCOME_INIT;
	enum err e;

	if (!is_outcome_name(path))
		return OK; /* the request that waited */
	e = outcome_read(c->st, path, &o);
	c->damage |= e == ERR_SYSTEM;
	if (e == ERR_SYSTEM || e == ERR_NOTFOUND) /* pruned meanwhile */
		return OK;
	if (e == OK && o.kind == OUTCOME_CERTIFICATE)
		e = c->each(&o, c->arg);
	outcome_release(&o);
	return e;
}

/* From the outcomes, the truth: a name in cert/ may have been lost. */
enum err
cert_each(const struct store *st,
    enum err (*each)(const struct outcome *, void *arg), void *arg)
{
	struct certs c = { .st = st, .each = each, .arg = arg };
	enum err e;

	e = store_each(st, "transaction", cert_one, &c);
	return e == OK && c.damage ? ERR_INPUT : e;
}

/* A directory that may be there, and its name made durable. */
static enum err
room(const struct store *st, const char *path, const char *above)
{
	enum err e = dir_make(st->root, path);

	return e == OK || e == ERR_EXISTS ? dir_sync(st->root, above) : e;
}

/* "<kind>/<ca>/<generation>" and what leads to it. */
static enum err
make_room(const struct store *st, const char *kind, const char *ca,
    unsigned generation, struct buf *path)
{
	struct buf above = BUF_INIT;
	enum err e;

	e = generation_room(kind, ca, generation, path);
	if (e == OK &&
	    !buf_add(&above, path->data,
		(size_t)(strrchr(buf_cstr(path), '/') - buf_cstr(path))))
		e = ERR_SYSTEM;
	if (e == OK)
		e = room(st, kind, ".");
	if (e == OK)
		e = room(st, buf_cstr(&above), kind);
	if (e == OK)
		e = room(st, buf_cstr(path), buf_cstr(&above));
	buf_release(&above);
	return e;
}

/* What each generation has a room for. */
static const struct {
	const char *kind;
	bool shards;
	const char *flat; /* a directory beside the shards, or NULL */
} rooms[] = {
	{ "cert", true, NULL },
	{ "revoked", true, "new" },
	{ "crl", false, NULL },
	{ "renewed", true, NULL },
	{ "supersede", false, NULL },
};

enum err
cert_rooms(const struct store *st, const char *ca, unsigned generation)
{
	struct buf path = BUF_INIT, flat = BUF_INIT;
	enum err e = OK;

	for (size_t i = 0; i < sizeof(rooms) / sizeof(*rooms) && e == OK; i++) {
		buf_clear(&path);
		buf_clear(&flat);
		e = make_room(st, rooms[i].kind, ca, generation, &path);
		if (e == OK && rooms[i].shards)
			e = store_shards(st, buf_cstr(&path));
		if (e != OK || rooms[i].flat == NULL)
			continue;
		e = ERR_SYSTEM;
		if (buf_printf(&flat, "%s/%s", buf_cstr(&path), rooms[i].flat))
			e = room(st, buf_cstr(&flat), buf_cstr(&path));
	}
	buf_release(&path);
	buf_release(&flat);
	return e;
}
