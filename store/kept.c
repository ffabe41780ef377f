#include "store/kept.h"

#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/names.h"
#include "store/inside.h"

#define PEM "SCEP ANSWER"

static enum err
kept_path(const char *alias, struct span question, struct buf *out)
{
	char name[SHA256_HEX];
	enum err e = sha256_hex(question, name);

	if (e == OK && !buf_printf(out, "kept/%s/%s", alias, name))
		e = ERR_SYSTEM;
	return e;
}

enum err
kept_parse(
    const char *path, struct span text, struct buf *question, struct kept *out)
{
	struct record r;
	struct span asked;
	const char *type;
	enum err e = record_parse(path, "kept", text, &r);

	if (e != OK)
		return e;
	asked = record_get_span(&r, "question");
	type = record_get(&r, "type");
	if (type == NULL || strlen(type) >= sizeof(out->type) ||
	    record_get_time(&r, "fetched", &out->fetched) != OK ||
	    pem_get(buf_span(&r.pem), PEM, &out->body) != OK) {
		log_error("%s: no answer to what was asked", path);
		e = ERR_INPUT;
	} else {
		(void)snprintf(out->type, sizeof(out->type), "%s", type);
		e = buf_add(question, asked.p, asked.len) ? OK : ERR_SYSTEM;
	}
	record_release(&r);
	return e;
}

/* The name is only an address: the question itself must be the same. */
static enum err
take(const char *path, struct span question, struct span text, struct kept *out)
{
	struct buf asked = BUF_INIT;
	enum err e = kept_parse(path, text, &asked, out);

	if (e == OK && !span_eq(buf_span(&asked), question)) {
		log_error("%s: no answer to what was asked", path);
		e = ERR_INPUT;
	}
	buf_release(&asked);
	return e;
}

enum err
kept_read(const struct store *st, const char *alias, struct span question,
    struct kept *out)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	struct kept k = KEPT_INIT;
	enum err e;

	if (question.len > KEPT_QUESTION)
		return ERR_NOTFOUND;
	if ((e = kept_path(alias, question, &path)) != OK ||
	    (e = file_read(st->root, buf_cstr(&path), MAX_RECORD, &text)) !=
		OK ||
	    (e = take(buf_cstr(&path), question, buf_span(&text), &k)) != OK)
		goto out;
	*out = k;
	k = (struct kept)KEPT_INIT;
out:
	kept_release(&k);
	buf_release(&path);
	buf_release(&text);
	return e == ERR_INPUT || e == ERR_TOOBIG ? ERR_NOTFOUND : e;
}

void
kept_release(struct kept *k)
{
	buf_release(&k->body);
}

/* ---- room ------------------------------------------------------------- */

static enum err
make(const struct store *st, const char *path)
{
	enum err e = dir_make(st->root, path);

	return e == ERR_EXISTS ? OK : e;
}

/* The room of an alias is made when it is needed first. */
static enum err
make_room(const struct store *st, const char *alias)
{
	struct buf path = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (buf_printf(&path, "kept/%s", alias) &&
	    (e = file_exists(st->root, buf_cstr(&path))) == ERR_NOTFOUND &&
	    (e = make(st, "kept")) == OK)
		e = make(st, buf_cstr(&path));
	buf_release(&path);
	return e;
}

enum err
kept_write(const struct store *st, const char *alias, struct span question,
    const struct kept *k, int64_t age)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	enum err e;

	if (question.len > KEPT_QUESTION || k->body.len > KEPT_BODY)
		return ERR_TOOBIG;
	if ((e = kept_path(alias, question, &path)) != OK ||
	    (e = make_room(st, alias)) != OK)
		goto out;
	e = file_exists(st->root, buf_cstr(&path));
	if (e == ERR_NOTFOUND)
		e = kept_place(st, alias, question, k, age);
	if (e != OK)
		goto out;
	e = ERR_SYSTEM;
	if (record_begin(&text, "kept") &&
	    record_span(&text, "question", question) &&
	    record_text(&text, "type", k->type) &&
	    record_time(&text, "fetched", k->fetched) &&
	    pem_put(&text, PEM, buf_span(&k->body)))
		e = file_replace(
		    st->root, buf_cstr(&path), buf_span(&text), FILE_RECORD);
out:
	buf_release(&path);
	buf_release(&text);
	return e;
}

/* ---- a server that is down --------------------------------------------- */

static enum err
pause_path(const char *alias, struct buf *out)
{
	return buf_printf(out, "kept/%s/" KEPT_MARK, alias) ? OK : ERR_SYSTEM;
}

enum err
kept_pause(const struct store *st, const char *alias)
{
	struct buf path = BUF_INIT;
	enum err e;

	if ((e = pause_path(alias, &path)) == OK &&
	    (e = make_room(st, alias)) == OK)
		e = file_replace(
		    st->root, buf_cstr(&path), span_of(NULL, 0), FILE_RECORD);
	buf_release(&path);
	return e;
}

bool
kept_pausing(const struct store *st, const char *alias, int64_t now)
{
	struct buf path = BUF_INIT;
	struct file_facts facts;
	bool pausing = false;

	if (pause_path(alias, &path) == OK &&
	    file_facts(st->root, buf_cstr(&path), &facts) == OK)
		pausing = facts.mtime <= now && now - facts.mtime < KEPT_PAUSE;
	buf_release(&path);
	return pausing;
}

/* ---- forgetting --------------------------------------------------------- */

struct forgetting {
	const struct store *st;
	const char *alias;
};

static enum err
forget_one(const char *name, void *arg)
{
	const struct forgetting *f = arg;
	struct buf path = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (buf_printf(&path, "kept/%s/%s", f->alias, name))
		e = file_unlink(f->st->root, buf_cstr(&path));
	buf_release(&path);
	return e == ERR_NOTFOUND ? OK : e;
}

enum err
kept_forget(const struct store *st, const char *alias)
{
	struct forgetting f = { st, alias };
	struct buf room = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (buf_printf(&room, "kept/%s", alias) &&
	    (e = dir_each(st->root, buf_cstr(&room), forget_one, &f)) == OK)
		e = dir_remove(st->root, buf_cstr(&room));
	buf_release(&room);
	return e == ERR_NOTFOUND ? OK : e;
}

bool
kept_name(const char *name)
{
	return strlen(name) == SHA256_HEX - 1 && is_hex(name, SHA256_HEX - 1);
}
