#include "store/revoked.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "store/cert.h"
#include "store/inside.h"

/* revoked/<ca>/<generation>/new/: what no CRL has shown yet. */

/* "revoked/<ca>/<generation>/new" */
static enum err
news_room(const struct issuer *by, struct buf *out)
{
	enum err e = generation_room("revoked", by->ca, by->generation, out);

	return e == OK && !buf_str(out, "/new") ? ERR_SYSTEM : e;
}

/*
 * The news first and durably: from the moment in which the version is there,
 * no reader takes an older CRL for the newest.  Its target is the version,
 * for people.
 */
enum err
revoked_announce(
    const struct store *st, const struct issuer *by, const struct revocation *r)
{
	struct buf room = BUF_INIT, path = BUF_INIT, word = BUF_INIT;
	enum err e;

	e = news_room(by, &room);
	if (e == OK && file_exists(st->root, buf_cstr(&room)) == ERR_NOTFOUND)
		e = cert_rooms(st, by->ca, by->generation);
	if (e == OK)
		e = store_path_hex(st, "..", r->serial, "", &word);
	if (e == OK && (!buf_printf(&word, ",%u", r->n) ||
			   !buf_printf(&path, "%s/%s,%u", buf_cstr(&room),
			       r->serial, r->n)))
		e = ERR_SYSTEM;
	if (e == OK)
		e = file_claim(st->root, buf_cstr(&path), buf_cstr(&word));
	if (e == OK)
		e = dir_sync(st->root, buf_cstr(&room));
	buf_release(&room);
	buf_release(&path);
	buf_release(&word);
	return e;
}

struct reading {
	const struct store *st;
	const struct issuer *by;
	struct news news;
};

/* News whose version is not there yet is none: nobody was told of it. */
static enum err
news_one(const char *name, void *arg)
{
	struct reading *r = arg;
	struct buf path = BUF_INIT;
	char serial[41], **more;
	unsigned n = 0;
	enum err e;

	if (!revoked_name(name, serial, &n))
		return OK;
	e = revoked_path(r->st, r->by, serial, n, &path);
	if (e == OK)
		e = file_exists(r->st->root, buf_cstr(&path));
	buf_release(&path);
	if (e != OK)
		return e == ERR_NOTFOUND ? OK : e;
	more = realloc(r->news.name, (r->news.n + 1) * sizeof(*more));
	if (more == NULL) {
		log_error("out of memory");
		return ERR_SYSTEM;
	}
	r->news.name = more;
	if ((more[r->news.n] = str_dup(name)) == NULL)
		return ERR_SYSTEM;
	r->news.n++;
	return OK;
}

enum err
news_read(const struct store *st, const struct issuer *by, struct news *out)
{
	struct reading r = { st, by, { NULL, 0 } };
	struct buf room = BUF_INIT;
	enum err e;

	e = news_room(by, &room);
	if (e == OK)
		e = dir_each(st->root, buf_cstr(&room), news_one, &r);
	buf_release(&room);
	if (e == ERR_NOTFOUND) /* nothing was ever revoked */
		e = OK;
	if (e == OK)
		*out = r.news;
	else
		news_release(&r.news);
	return e;
}

/* What stays by an error costs a CRL more, nothing else. */
void
news_forget(
    const struct store *st, const struct issuer *by, const struct news *news)
{
	struct buf path = BUF_INIT;
	enum err e = OK;

	for (size_t i = 0; i < news->n && e != ERR_SYSTEM; i++) {
		buf_clear(&path);
		e = news_room(by, &path);
		if (e == OK && buf_printf(&path, "/%s", news->name[i]))
			e = file_unlink(st->root, buf_cstr(&path));
	}
	buf_release(&path);
}

void
news_release(struct news *news)
{
	for (size_t i = 0; i < news->n; i++)
		free(news->name[i]);
	free(news->name);
	*news = (struct news){ NULL, 0 };
}
