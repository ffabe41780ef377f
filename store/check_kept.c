#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/names.h"
#include "store/check.h"
#include "store/kept.h"

/* kept/, a cache: nothing in it is damage, since all of it may go. */

struct room {
	struct check *c;
	const char *alias;
};

/* The question that a file says it answers. */
static enum err
question_of(const struct store *st, const char *path, struct buf *out)
{
	struct buf text = BUF_INIT;
	struct record r = { 0 };
	struct span question;
	enum err e;

	e = file_read(st->root, path, MAX_RECORD, &text);
	if (e == OK)
		e = record_parse(path, "kept", buf_span(&text), &r);
	if (e == OK) {
		question = record_get_span(&r, "question");
		if (!buf_add(out, question.p, question.len))
			e = ERR_SYSTEM;
	}
	record_release(&r);
	buf_release(&text);
	return e;
}

static bool
holds(const struct room *room, const char *path)
{
	struct kept k = KEPT_INIT;
	struct buf question = BUF_INIT;
	char name[SHA256_HEX];
	bool good;

	log_mute(true);
	good =
	    question_of(room->c->st, path, &question) == OK &&
	    sha256_hex(buf_span(&question), name) == OK &&
	    strcmp(name, store_base(path)) == 0 &&
	    kept_read(room->c->st, room->alias, buf_span(&question), &k) == OK;
	log_mute(false);
	kept_release(&k);
	buf_release(&question);
	return good;
}

static enum err
check_name(const char *name, void *arg)
{
	const struct room *room = arg;
	struct check *c = room->c;
	struct buf path = BUF_INIT;
	struct file_facts facts;
	bool fixed;

	if (!buf_printf(&path, "kept/%s/%s", room->alias, name))
		return ERR_SYSTEM;
	if (!check_facts(c, buf_cstr(&path), FILE_REGULAR, &facts) ||
	    strcmp(name, KEPT_MARK) == 0 ||
	    (*name == '.' && facts.mtime > c->now - YOUNG) ||
	    (kept_name(name) && holds(room, buf_cstr(&path))))
		goto out;
	fixed = c->repair && file_unlink(c->st->root, buf_cstr(&path)) == OK;
	check_litter(c, buf_cstr(&path),
	    "is no answer that was kept; repair removes it", fixed);
out:
	buf_release(&path);
	return OK;
}

static enum err
check_room(const char *path, void *check)
{
	struct room room = { check, store_base(path) };
	struct file_facts facts;
	enum err e;

	if (!check_facts(check, path, FILE_DIRECTORY, &facts))
		return OK;
	e = dir_each(room.c->st->root, path, check_name, &room);
	return e == ERR_NOTFOUND ? OK : e;
}

enum err
check_kept(struct check *c)
{
	if (file_exists(c->st->root, "kept") == ERR_NOTFOUND)
		return OK;
	return check_flat(c, "kept", check_room);
}
