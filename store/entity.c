#include "store/entity.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/time.h"
#include "store/inside.h"

/* An entity's texts; `must`: every version has it. */
static const struct {
	const char *key;
	size_t at;
	bool must;
} texts[] = {
	{ "username", offsetof(struct entity, username), true },
	{ "subject", offsetof(struct entity, subject), false },
	{ "san", offsetof(struct entity, san), false },
	{ "ca", offsetof(struct entity, ca), true },
	{ "profile", offsetof(struct entity, profile), false },
	{ "email", offsetof(struct entity, email), false },
	{ "code", offsetof(struct entity, code), false },
	{ "alias", offsetof(struct entity, alias), false },
	{ "transaction", offsetof(struct entity, transaction), false },
};
#define TEXTS (sizeof(texts) / sizeof(texts[0]))

static char *
text_of(const struct entity *e, size_t i)
{
	char *value;

	memcpy(&value, (const char *)e + texts[i].at, sizeof(value));
	return value;
}

void
entity_release(struct entity *e)
{
	for (size_t i = 0; i < TEXTS; i++)
		free(text_of(e, i));
	*e = (struct entity)ENTITY_INIT;
}

/* May this be somebody's name?  The network asks with anything. */
static bool
is_username(struct span name)
{
	if (name.len == 0 || name.len > MAX_USERNAME)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		if (name.p[i] < 0x20 || name.p[i] == 0x7f)
			return false;
	}
	return true;
}

static enum err
stem_of(const struct store *st, struct span username, struct buf *out)
{
	return store_path(st, "entity", username, "", out);
}

static enum err
get_entity(const struct record *r, struct entity *e)
{
	const char *deleted = record_get(r, "deleted");
	const char *value;
	char *copy;

	for (size_t i = 0; i < TEXTS; i++) {
		value = record_get(r, texts[i].key);
		/* A line that cannot be read must not become "none". */
		if (value == NULL &&
		    (texts[i].must || record_get_span(r, texts[i].key).len > 0))
			return ERR_INPUT;
		copy = str_dup(value);
		if (value != NULL && copy == NULL)
			return ERR_SYSTEM;
		memcpy((char *)e + texts[i].at, &copy, sizeof(copy));
	}
	if (record_get_time(r, "created", &e->created) != OK ||
	    record_get_time(r, "changed", &e->changed) != OK ||
	    (deleted != NULL && strcmp(deleted, "yes") != 0))
		return ERR_INPUT;
	e->deleted = deleted != NULL;
	return OK;
}

/* Is the record under the name of the username inside it? */
static enum err
check_stem(const struct store *st, const char *stem, const struct entity *e)
{
	struct buf own = BUF_INIT;
	enum err r;

	r = stem_of(st, span_of(e->username, strlen(e->username)), &own);
	if (r == OK && strcmp(buf_cstr(&own), stem) != 0)
		r = ERR_INPUT;
	buf_release(&own);
	return r;
}

static enum err
read_blocked(const struct store *st, const char *stem, bool *out)
{
	struct buf path = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (buf_printf(&path, "%s,blocked", stem))
		e = file_exists(st->root, buf_cstr(&path));
	*out = e == OK;
	buf_release(&path);
	return e == ERR_NOTFOUND ? OK : e;
}

enum err
entity_version(const struct store *st, const char *stem, unsigned version,
    struct entity *out)
{
	struct entity who = ENTITY_INIT;
	struct record r = { 0 };
	struct buf path = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (buf_printf(&path, "%s,%u", stem, version))
		e = store_read(st, buf_cstr(&path), "entity", &r);
	if (e == OK)
		e = get_entity(&r, &who);
	if (e == OK)
		e = check_stem(st, stem, &who);
	if (e == ERR_INPUT) {
		log_error("%s: a line is missing, not what it must be, or "
			  "another entity's",
		    buf_cstr(&path));
		e = ERR_SYSTEM;
	}
	if (e == OK)
		e = read_blocked(st, stem, &who.blocked);
	if (e != OK)
		goto out;
	who.version = version;
	*out = who;
	who = (struct entity)ENTITY_INIT;
out:
	entity_release(&who);
	record_release(&r);
	buf_release(&path);
	return e;
}

enum err
entity_read(const struct store *st, const char *stem, struct entity *out)
{
	unsigned n = 0;
	enum err e;

	e = store_highest(st, stem, "", &n);
	if (e != OK)
		return e;
	return n == 0 ? ERR_NOTFOUND : entity_version(st, stem, n, out);
}

enum err
entity_find(const struct store *st, struct span username, struct entity *out)
{
	struct entity who = ENTITY_INIT;
	struct buf stem = BUF_INIT;
	enum err e;

	if (!is_username(username))
		return ERR_NOTFOUND;
	e = stem_of(st, username, &stem);
	if (e == OK)
		e = entity_read(st, buf_cstr(&stem), &who);
	if (e == OK && who.deleted)
		e = ERR_NOTFOUND;
	if (e != OK)
		goto out;
	*out = who;
	who = (struct entity)ENTITY_INIT;
out:
	entity_release(&who);
	buf_release(&stem);
	return e;
}

static bool
entity_text(const struct entity *e, struct buf *out)
{
	bool ok = record_begin(out, "entity");

	for (size_t i = 0; i < TEXTS && ok; i++)
		ok = record_text(out, texts[i].key, text_of(e, i));
	return ok && record_time(out, "created", e->created) &&
	       record_time(out, "changed", e->changed) &&
	       (!e->deleted || record_text(out, "deleted", "yes"));
}

/* Links this version; ERR_EXISTS: somebody else linked another. */
static enum err
link_version(const struct store *st, const char *stem, const struct entity *e)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	enum err r = ERR_SYSTEM;

	if (buf_printf(&path, "%s,%u", stem, e->version) &&
	    entity_text(e, &text))
		r = file_create_once(st->tmp, st->root, buf_cstr(&path),
		    buf_span(&text), FILE_RECORD, true);
	buf_release(&path);
	buf_release(&text);
	return r;
}

/* What cannot be read back must not be written. */
static enum err
check_fields(const struct entity *e)
{
	for (size_t i = 0; i < TEXTS; i++) {
		const char *value = text_of(e, i);

		if (texts[i].must && (value == NULL || *value == '\0')) {
			log_error("an entity needs its %s", texts[i].key);
			return ERR_INPUT;
		}
	}
	if (!is_username(span_of(e->username, strlen(e->username)))) {
		log_error("a username has 1 to %d bytes without control "
			  "characters",
		    MAX_USERNAME);
		return ERR_INPUT;
	}
	return OK;
}

enum err
entity_add(const struct store *st, struct entity *e)
{
	struct entity last = ENTITY_INIT;
	struct buf stem = BUF_INIT;
	enum err r;

	r = check_fields(e);
	if (r == OK)
		r = stem_of(
		    st, span_of(e->username, strlen(e->username)), &stem);
	if (r == OK)
		r = entity_read(st, buf_cstr(&stem), &last);
	if (r == OK && !last.deleted)
		r = ERR_EXISTS;
	if (r != OK && r != ERR_NOTFOUND)
		goto out;
	e->version = last.version + 1;
	e->deleted = false;
	e->created = e->changed = time_now();
	r = link_version(st, buf_cstr(&stem), e);
	if (r == OK) /* a block outlives its entity's grave */
		r = read_blocked(st, buf_cstr(&stem), &e->blocked);
	if (r != OK)
		e->version = 0;
out:
	entity_release(&last);
	buf_release(&stem);
	return r;
}

enum err
entity_update(const struct store *st, struct entity *e)
{
	struct buf stem = BUF_INIT;
	int64_t changed = e->changed;
	enum err r;

	if (e->version == 0) {
		log_error("an entity is added before it is changed");
		return ERR_INPUT;
	}
	r = check_fields(e);
	if (r == OK)
		r = stem_of(
		    st, span_of(e->username, strlen(e->username)), &stem);
	if (r != OK)
		goto out;
	e->version++;
	e->changed = time_now();
	r = link_version(st, buf_cstr(&stem), e);
	if (r == ERR_EXISTS)
		r = ERR_BUSY;
	if (r != OK) {
		e->version--;
		e->changed = changed;
	}
out:
	buf_release(&stem);
	return r;
}

enum err
entity_block(const struct store *st, const char *username, bool on)
{
	static const char text[] = "[blocked]\n";
	struct buf path = BUF_INIT, dir = BUF_INIT;
	enum err e;

	e = store_path(st, "entity", span_of(username, strlen(username)),
	    ",blocked", &path);
	if (e != OK)
		goto out;
	if (on) {
		e = file_create_once(st->tmp, st->root, buf_cstr(&path),
		    span_of(text, sizeof(text) - 1), FILE_RECORD, true);
		goto out;
	}
	e = file_unlink(st->root, buf_cstr(&path));
	if (e != OK && e != ERR_NOTFOUND)
		goto out;
	e = ERR_SYSTEM;
	if (buf_add(&dir, path.data,
		(size_t)(store_base(buf_cstr(&path)) - buf_cstr(&path))) &&
	    buf_byte(&dir, '.'))
		e = dir_sync(st->root, buf_cstr(&dir));
out:
	buf_release(&path);
	buf_release(&dir);
	return e == ERR_EXISTS ? OK : e;
}

struct entities {
	const struct store *st;
	enum err (*each)(const struct entity *, void *arg);
	void *arg;
};

/* Every entity has a version 1; its other names are passed over. */
static enum err
entity_one(const char *path, void *arg)
{
	const struct entities *all = arg;
	struct entity who = ENTITY_INIT;
	struct buf stem = BUF_INIT;
	size_t len = strlen(path);
	enum err e = ERR_SYSTEM;

	if (len < 2 || strcmp(path + len - 2, ",1") != 0)
		return OK;
	if (buf_add(&stem, path, len - 2))
		e = entity_read(all->st, buf_cstr(&stem), &who);
	if (e == OK && !who.deleted)
		e = all->each(&who, all->arg);
	entity_release(&who);
	buf_release(&stem);
	return e == ERR_NOTFOUND ? OK : e;
}

enum err
entity_each(const struct store *st,
    enum err (*each)(const struct entity *, void *arg), void *arg)
{
	struct entities all = { st, each, arg };

	return store_each(st, "entity", entity_one, &all);
}
