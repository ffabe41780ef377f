#include "store/waiting.h"

#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/names.h"
#include "store/inside.h"

/* Where waiting requests lie, and how they come and go. */

static const char above[] = "../../"; /* from waiting/<alias>/ to store/ */

enum err
waiting_path(const struct store *st, const char name[SHA256_HEX],
    unsigned attempt, struct buf *out)
{
	enum err e;

	e = store_path_hex(st, "transaction", name, "", out);
	if (e == OK && !buf_printf(out, ",%u", attempt))
		e = ERR_SYSTEM;
	return e;
}

enum err
waiting_word(const struct store *st, const char name[SHA256_HEX],
    unsigned attempt, struct buf *out)
{
	if (!buf_str(out, above))
		return ERR_SYSTEM;
	return waiting_path(st, name, attempt, out);
}

/* The canonical path of some request, or ERR_INPUT. */
static enum err
parse_path(const struct store *st, const char *path, struct claim *out)
{
	const char *base = store_base(path);
	struct buf again = BUF_INIT;
	enum err e = ERR_INPUT;

	if (strlen(base) > SHA256_HEX && is_hex(base, SHA256_HEX - 1) &&
	    base[SHA256_HEX - 1] == ',' &&
	    read_number(base + SHA256_HEX, &out->attempt) && out->attempt > 0) {
		memcpy(out->transaction, base, SHA256_HEX - 1);
		out->transaction[SHA256_HEX - 1] = '\0';
		e = waiting_path(st, out->transaction, out->attempt, &again);
	}
	if (e == OK && strcmp(buf_cstr(&again), path) != 0)
		e = ERR_INPUT;
	buf_release(&again);
	return e;
}

enum err
waiting_hint(const struct store *st, const char *path, struct claim *out)
{
	struct buf word = BUF_INIT;
	size_t len = sizeof(above) - 1;
	enum err e;

	e = file_claim_read(st->root, path, &word);
	if (e == OK && strncmp(buf_cstr(&word), above, len) != 0)
		e = ERR_INPUT;
	if (e == OK)
		e = parse_path(st, buf_cstr(&word) + len, out);
	buf_release(&word);
	return e;
}

static bool
hint_path(const char *alias, const char name[SHA256_HEX], unsigned attempt,
    struct buf *out)
{
	return buf_printf(out, "waiting/%s/%s,%u", alias, name, attempt);
}

/* The room of an alias is made with its first request. */
static enum err
make_room(const struct store *st, const char *alias)
{
	struct buf dir = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (buf_printf(&dir, "waiting/%s", alias))
		e = dir_make(st->root, buf_cstr(&dir));
	buf_release(&dir);
	return e == ERR_EXISTS ? OK : e;
}

enum err
waiting_show(const struct store *st, const struct waiting *w)
{
	struct buf path = BUF_INIT, word = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (hint_path(w->alias, w->transaction, w->attempt, &path))
		e = waiting_word(st, w->transaction, w->attempt, &word);
	if (e == OK)
		e = make_room(st, w->alias);
	if (e == OK)
		e = file_claim(st->root, buf_cstr(&path), buf_cstr(&word));
	buf_release(&path);
	buf_release(&word);
	return e;
}

void
waiting_hide(const struct store *st, const char *alias,
    const char name[SHA256_HEX], unsigned attempt)
{
	struct buf path = BUF_INIT;

	if (hint_path(alias, name, attempt, &path))
		(void)file_unlink(st->root, buf_cstr(&path));
	buf_release(&path);
}

static enum err
draw_nonce(struct waiting *w)
{
	return w->nonce[0] == '\0' ? random_hex(w->nonce, 16) : OK;
}

enum err
waiting_fits(struct waiting *w)
{
	struct buf text = BUF_INIT;
	enum err e = draw_nonce(w);

	if (e == OK)
		e = waiting_text(w, &text);
	buf_release(&text);
	return e;
}

enum err
waiting_link(const struct store *st, struct waiting *w)
{
	struct buf text = BUF_INIT, path = BUF_INIT;
	enum err e;

	if ((e = draw_nonce(w)) == OK)
		e = waiting_text(w, &text);
	if (e == OK)
		e = waiting_id(w, w->id);
	if (e == OK)
		e = waiting_path(st, w->transaction, w->attempt, &path);
	if (e == OK)
		e = file_create_once(st->tmp, st->root, buf_cstr(&path),
		    buf_span(&text), FILE_RECORD, true);
	if (e == OK)
		e = waiting_show(st, w);
	buf_release(&text);
	buf_release(&path);
	return e;
}

void
waiting_drop(const struct store *st, const struct waiting *w)
{
	waiting_hide(st, w->alias, w->transaction, w->attempt);
}

enum err
waiting_exists(
    const struct store *st, const char name[SHA256_HEX], unsigned attempt)
{
	struct buf path = BUF_INIT;
	enum err e;

	e = store_path_hex(st, "transaction", name, "", &path);
	if (e == OK && !buf_printf(&path, ",%u", attempt))
		e = ERR_SYSTEM;
	if (e == OK)
		e = file_exists(st->root, buf_cstr(&path));
	buf_release(&path);
	return e;
}

enum err
waiting_find(const struct store *st, const char name[SHA256_HEX],
    unsigned attempt, struct waiting *out)
{
	struct waiting w = WAITING_INIT;
	struct buf path = BUF_INIT;
	enum err e;

	e = waiting_path(st, name, attempt, &path);
	if (e == OK)
		e = waiting_read(st, buf_cstr(&path), &w);
	if (e != OK)
		goto out;
	if (strcmp(w.transaction, name) != 0 || w.attempt != attempt) {
		log_error("%s belongs to another transaction", buf_cstr(&path));
		e = ERR_SYSTEM;
		goto out;
	}
	*out = w;
	w = (struct waiting)WAITING_INIT;
out:
	waiting_release(&w);
	buf_release(&path);
	return e;
}

/*
 * `alias rename` wrote this record: the one under the old name must be over
 * before anything comes of this, for one yes must not buy twice.
 */
static enum err
arrive(const struct store *st, const struct waiting *w, bool *decided)
{
	struct outcome o = {
		.kind = OUTCOME_PASSED, .attempt = w->attempt, .alias = w->alias
	};
	struct claim old;
	enum outcome_kind kind = OUTCOME_ABANDONED;
	enum err e;

	*decided = false;
	if (w->moved == NULL)
		return OK;
	if ((e = parse_path(st, w->moved, &old)) != OK) {
		log_error("request %s was moved from no request: %s",
		    w->transaction, w->moved);
		return e == ERR_INPUT ? ERR_SYSTEM : e;
	}
	e = outcome_abandon(st, old.transaction, old.attempt);
	if (e == ERR_EXISTS)
		e = outcome_kind(st, old.transaction, old.attempt, &kind);
	if (e != OK || kind == OUTCOME_ABANDONED)
		return e;
	memcpy(o.transaction, w->transaction, sizeof(o.transaction));
	o.by = w->moved;
	*decided = true;
	e = outcome_decide(st, &o);
	return e == ERR_EXISTS ? OK : e;
}

/*
 * Its hint once more.  Who decides takes it away after the outcome, so an
 * outcome that is not there behind this has its hint yet to be taken away.
 */
static enum err
show_again(const struct store *st, const struct waiting *w)
{
	struct buf path = BUF_INIT;
	enum err e;

	e = waiting_show(st, w);
	if (e == OK)
		e = outcome_path(st, w->transaction, w->attempt, &path);
	if (e == OK)
		e = file_exists(st->root, buf_cstr(&path));
	if (e == OK)
		waiting_hide(st, w->alias, w->transaction, w->attempt);
	buf_release(&path);
	return e == ERR_NOTFOUND ? OK : e;
}

enum err
waiting_latest(const struct store *st, const char name[SHA256_HEX],
    struct waiting *out, unsigned *next)
{
	struct waiting w = WAITING_INIT;
	struct buf stem = BUF_INIT;
	bool decided = false;
	unsigned n = 0;
	enum err e;

	e = store_path_hex(st, "transaction", name, "", &stem);
	if (e == OK)
		e = store_highest(st, buf_cstr(&stem), ",outcome", &n);
	if (e == OK)
		e = waiting_find(st, name, *next = n + 1, &w);
	if (e == OK)
		e = arrive(st, &w, &decided);
	if (e == OK && decided) {
		++*next;
		e = ERR_NOTFOUND;
	}
	if (e == OK)
		e = show_again(st, &w);
	if (e != OK)
		goto out;
	*out = w;
	w = (struct waiting)WAITING_INIT;
out:
	waiting_release(&w);
	buf_release(&stem);
	return e;
}
