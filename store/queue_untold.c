#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "store/inside.h"
#include "store/queue.h"

/* Requests as they came, sealed, while their judge is to be told. */

static bool
put_name(const struct untold *u, struct buf *out)
{
	return buf_printf(out, "%s,%u,%s", u->transaction, u->attempt, u->csr);
}

static enum err
path_of(const struct untold *u, struct buf *out)
{
	return buf_printf(out, "queue/%s/untold/", u->alias) &&
		       put_name(u, out) ?
		   OK :
		   ERR_SYSTEM;
}

static enum err
make_room(const struct store *st, const char *alias)
{
	struct buf path = BUF_INIT;
	enum err e = queue_rooms(st, alias);

	if (e == OK)
		e = buf_printf(&path, "queue/%s/untold", alias) ?
			dir_make(st->root, buf_cstr(&path)) :
			ERR_SYSTEM;
	if (e == OK || e == ERR_EXISTS)
		e = store_sync_above(st, buf_cstr(&path));
	buf_release(&path);
	return e;
}

enum err
untold_link(const struct store *st, const struct untold *u, struct span letter)
{
	struct buf path = BUF_INIT, name = BUF_INIT, text = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (put_name(u, &name))
		e = queue_file("untold", buf_cstr(&name), letter, &text);
	if (e == OK && (e = path_of(u, &path)) == OK &&
	    (e = make_room(st, u->alias)) == OK)
		e = file_create_once(st->tmp, st->root, buf_cstr(&path),
		    buf_span(&text), FILE_RECORD, true);
	buf_release(&path);
	buf_release(&name);
	buf_release(&text);
	return e == ERR_EXISTS ? OK : e; /* of the same request */
}

enum err
untold_find(const struct store *st, const struct untold *u, struct buf *letter)
{
	struct buf path = BUF_INIT;
	enum err e = path_of(u, &path);

	if (e == OK)
		e = queue_letter(st, buf_cstr(&path), letter);
	buf_release(&path);
	return e;
}

void
untold_drop(const struct store *st, const struct untold *u)
{
	struct buf path = BUF_INIT;

	if (path_of(u, &path) == OK)
		(void)file_unlink(st->root, buf_cstr(&path));
	buf_release(&path);
}

bool
untold_name_read(const char *name, char transaction[SHA256_HEX],
    unsigned *attempt, char csr[SHA256_HEX])
{
	const char *last = strrchr(name, ',');
	char first[QUEUE_NAME] = "";

	if (last == NULL || (size_t)(last - name) >= sizeof(first) ||
	    strlen(last + 1) != SHA256_HEX - 1 ||
	    !is_hex(last + 1, SHA256_HEX - 1))
		return false;
	memcpy(first, name, (size_t)(last - name));
	memcpy(csr, last + 1, SHA256_HEX);
	return queue_name_read(first, transaction, attempt);
}
