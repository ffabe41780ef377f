#include <limits.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "store/inside.h"

/*
 * The release mark: a held certificate may leave, for whoever it was held for
 * knows of it.  A fact of its own beside the outcome, which never changes.
 */

enum err
released_path(const struct store *st, const char name[SHA256_HEX],
    unsigned attempt, struct buf *out)
{
	enum err e;

	e = store_path_hex(st, "transaction", name, "", out);
	if (e == OK && !buf_printf(out, ",%u,released", attempt))
		e = ERR_SYSTEM;
	return e;
}

enum err
released_read(const struct store *st, const char *path, struct claim *out)
{
	struct record r = { 0 };
	int64_t n = 0, when = 0;
	enum err e;

	e = store_read(st, path, "released", &r);
	if (e != OK)
		return e;
	if (record_digits(&r, "transaction", SHA256_HEX - 1, SHA256_HEX - 1,
		out->transaction) != OK ||
	    record_get_num(&r, "attempt", &n) != OK || n < 1 || n > INT_MAX ||
	    record_get(&r, "by") == NULL ||
	    record_get_time(&r, "time", &when) != OK) {
		log_error("%s: a line is missing or not what it must be", path);
		e = ERR_SYSTEM;
	}
	out->attempt = (unsigned)n;
	record_release(&r);
	return e;
}

/* A copy of another's mark lets nothing go. */
enum err
outcome_released(const struct store *st, const struct outcome *o, bool *yes)
{
	struct buf path = BUF_INIT;
	struct claim whose = { .attempt = 0 };
	enum err e;

	*yes = false;
	e = released_path(st, o->transaction, o->attempt, &path);
	if (e == OK)
		e = released_read(st, buf_cstr(&path), &whose);
	if (e == OK && (strcmp(whose.transaction, o->transaction) != 0 ||
			   whose.attempt != o->attempt)) {
		log_error("%s belongs to another transaction", buf_cstr(&path));
		e = ERR_SYSTEM;
	}
	*yes = e == OK;
	buf_release(&path);
	return e == ERR_NOTFOUND ? OK : e;
}

enum err
outcome_let_go(const struct store *st, const struct outcome *o, int64_t now)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	enum err e;

	e = released_path(st, o->transaction, o->attempt, &path);
	if (e == OK && !(record_begin(&text, "released") &&
			   record_text(&text, "transaction", o->transaction) &&
			   record_num(&text, "attempt", o->attempt) &&
			   record_text(&text, "by", o->held) &&
			   record_time(&text, "time", now)))
		e = ERR_SYSTEM;
	if (e == OK)
		e = file_create_once(st->tmp, st->root, buf_cstr(&path),
		    buf_span(&text), FILE_RECORD, true);
	buf_release(&path);
	buf_release(&text);
	return e == ERR_EXISTS ? OK : e; /* another answer of it was faster */
}
