#include "store/queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "store/inside.h"

/* Requests that wait for a CA elsewhere. */

/*
 * Bytes of a letter: a CSR is 1 to 4 KB, and a renewal has its old certificate
 * beside it.  A thousand of these are less than the stream that takes them to
 * the CA (`scep queue export`).
 */
#define MAX_LETTER 32768

void
queue_name(
    const char transaction[SHA256_HEX], unsigned attempt, char out[QUEUE_NAME])
{
	(void)snprintf(out, QUEUE_NAME, "%s,%u", transaction, attempt);
}

bool
queue_name_read(
    const char *name, char transaction[SHA256_HEX], unsigned *attempt)
{
	if (strlen(name) <= SHA256_HEX || !is_hex(name, SHA256_HEX - 1) ||
	    name[SHA256_HEX - 1] != ',' ||
	    !read_number(name + SHA256_HEX, attempt) || *attempt == 0)
		return false;
	memcpy(transaction, name, SHA256_HEX - 1);
	transaction[SHA256_HEX - 1] = '\0';
	return true;
}

void
queued_release(struct queued *q)
{
	free(q->alias);
	free(q->ca);
	free(q->username);
	free(q->subject);
	free(q->remote);
	free(q->code);
	free(q->held);
	buf_release(&q->txid);
	buf_release(&q->letter);
	*q = (struct queued){ .attempt = 0 };
}

/* "queue/<alias>/out/<transaction>,<attempt>" */
static enum err
path_of(const char *alias, const char *room, const char transaction[SHA256_HEX],
    unsigned attempt, struct buf *out)
{
	return buf_printf(out, "queue/%s/%s/%s,%u", alias, room, transaction,
		   attempt) ?
		   OK :
		   ERR_SYSTEM;
}

enum err
queue_out_file(const struct store *st, const char *alias,
    const char transaction[SHA256_HEX], unsigned attempt, struct buf *file)
{
	struct buf path = BUF_INIT;
	enum err e = path_of(alias, "out", transaction, attempt, &path);

	if (e == OK)
		e = file_read(st->root, buf_cstr(&path), MAX_RECORD, file);
	buf_release(&path);
	return e;
}

static enum err
make(const struct store *st, const char *path)
{
	enum err e = dir_make(st->root, path);

	return e == ERR_EXISTS ? OK : e;
}

enum err
queue_rooms(const struct store *st, const char *alias)
{
	static const char *const rooms[] = { "", "/out", "/in" };
	struct buf path = BUF_INIT;
	enum err e = make(st, "queue");

	for (size_t i = 0; i < sizeof(rooms) / sizeof(*rooms) && e == OK; i++) {
		buf_clear(&path);
		e = buf_printf(&path, "queue/%s%s", alias, rooms[i]) ?
			make(st, buf_cstr(&path)) :
			ERR_SYSTEM;
	}
	/* the names of the rooms are durable before those in them */
	if (e == OK)
		e = dir_sync(st->root, ".");
	if (e == OK)
		e = dir_sync(st->root, "queue");
	buf_clear(&path);
	if (e == OK && !buf_printf(&path, "queue/%s", alias))
		e = ERR_SYSTEM;
	if (e == OK)
		e = dir_sync(st->root, buf_cstr(&path));
	buf_release(&path);
	return e;
}

static bool
put(const struct queued *q, struct buf *out)
{
	return record_begin(out, "queued") &&
	       record_text(out, "transaction", q->transaction) &&
	       record_num(out, "attempt", q->attempt) &&
	       record_text(out, "alias", q->alias) &&
	       record_text(out, "ca", q->ca) &&
	       record_span(out, "id", buf_span(&q->txid)) &&
	       record_text(out, "csr", q->csr) &&
	       record_text(out, "spki", q->spki) &&
	       record_text(out, "nonce", q->nonce) &&
	       record_text(out, "code", q->code) &&
	       record_text(out, "held", q->held) &&
	       record_text(out, "username", q->username) &&
	       record_text(out, "subject", q->subject) &&
	       record_text(out, "remote", q->remote) &&
	       record_time(out, "created", q->created) &&
	       pem_put(out, QUEUE_LABEL, buf_span(&q->letter));
}

static enum err
text_of(const struct queued *q, struct buf *out)
{
	if (q->letter.len <= MAX_LETTER && !put(q, out))
		return ERR_SYSTEM;
	if (q->letter.len <= MAX_LETTER && out->len <= MAX_RECORD)
		return OK;
	log_warn("request %s,%u: its letter to the CA is over %d bytes, or "
		 "its record over %d",
	    q->transaction, q->attempt, MAX_LETTER, MAX_RECORD);
	return ERR_TOOBIG;
}

enum err
queue_fits(const struct queued *q)
{
	struct buf text = BUF_INIT;
	enum err e = text_of(q, &text);

	buf_release(&text);
	return e;
}

enum err
queue_link(const struct store *st, const struct queued *q)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	enum err e = text_of(q, &text);

	if (e == OK)
		e = path_of(q->alias, "out", q->transaction, q->attempt, &path);
	if (e == OK && (e = queue_rooms(st, q->alias)) == OK)
		e = file_create_once(st->tmp, st->root, buf_cstr(&path),
		    buf_span(&text), FILE_RECORD, true);
	buf_release(&path);
	buf_release(&text);
	return e;
}

static enum err
copy(const struct record *r, const char *key, char **out)
{
	const char *value = record_get(r, key);

	if (value == NULL)
		return OK;
	return (*out = str_dup(value)) != NULL ? OK : ERR_SYSTEM;
}

static enum err
get_texts(const struct record *r, struct queued *q)
{
	struct span id = record_get_span(r, "id");
	enum err e;

	if ((e = copy(r, "alias", &q->alias)) != OK ||
	    (e = copy(r, "ca", &q->ca)) != OK ||
	    (e = copy(r, "code", &q->code)) != OK ||
	    (e = copy(r, "held", &q->held)) != OK ||
	    (e = copy(r, "username", &q->username)) != OK ||
	    (e = copy(r, "subject", &q->subject)) != OK ||
	    (e = copy(r, "remote", &q->remote)) != OK)
		return e;
	if (!buf_add(&q->txid, id.p, id.len))
		return ERR_SYSTEM;
	return q->alias != NULL && q->ca != NULL && id.len > 0 ? OK : ERR_INPUT;
}

static enum err
get(const struct record *r, struct queued *q)
{
	int64_t n = 0;
	enum err e;

	if (record_get_num(r, "attempt", &n) != OK || n < 1 || n > INT_MAX ||
	    record_get_time(r, "created", &q->created) != OK)
		return ERR_INPUT;
	q->attempt = (unsigned)n;
	if ((e = record_digits(r, "transaction", 64, 64, q->transaction)) !=
		OK ||
	    (e = record_digits(r, "csr", 64, 64, q->csr)) != OK ||
	    (e = record_digits(r, "spki", 64, 64, q->spki)) != OK ||
	    (e = record_digits(r, "nonce", 32, 32, q->nonce)) != OK ||
	    (e = get_texts(r, q)) != OK)
		return e;
	return pem_get(buf_span(&r->pem), QUEUE_LABEL, &q->letter);
}

enum err
queue_find(const struct store *st, const char *alias,
    const char transaction[SHA256_HEX], unsigned attempt, struct queued *out)
{
	struct queued q = { .attempt = 0 };
	struct buf path = BUF_INIT;
	struct record r = { 0 };
	enum err e;

	if ((e = path_of(alias, "out", transaction, attempt, &path)) != OK ||
	    (e = store_read(st, buf_cstr(&path), "queued", &r)) != OK)
		goto out;
	e = get(&r, &q);
	if (e == ERR_INPUT ||
	    (e == OK &&
		(strcmp(q.transaction, transaction) != 0 ||
		    q.attempt != attempt || strcmp(q.alias, alias) != 0))) {
		log_error("%s: a line is missing or not what it must be",
		    buf_cstr(&path));
		e = ERR_SYSTEM;
	}
	if (e == OK) {
		*out = q;
		q = (struct queued){ .attempt = 0 };
	}
out:
	queued_release(&q);
	record_release(&r);
	buf_release(&path);
	return e;
}

void
queue_drop(const struct store *st, const char *alias,
    const char transaction[SHA256_HEX], unsigned attempt)
{
	static const char *const rooms[] = { "out", "in" };
	struct buf path = BUF_INIT;

	for (size_t i = 0; i < sizeof(rooms) / sizeof(*rooms); i++) {
		buf_clear(&path);
		if (path_of(alias, rooms[i], transaction, attempt, &path) == OK)
			(void)file_unlink(st->root, buf_cstr(&path));
	}
	buf_release(&path);
}

void
queue_drop_in(const struct store *st, const char *alias, const char *name)
{
	struct buf path = BUF_INIT;

	if (queue_in_path(alias, name, &path) == OK)
		(void)file_unlink(st->root, buf_cstr(&path));
	buf_release(&path);
}

enum err
queue_each(const struct store *st, const char *alias, bool in,
    enum err (*each)(const char *name, void *arg), void *arg)
{
	struct buf dir = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (buf_printf(&dir, "queue/%s/%s", alias, in ? "in" : "out"))
		e = dir_each(st->root, buf_cstr(&dir), each, arg);
	buf_release(&dir);
	return e == ERR_NOTFOUND ? OK : e;
}

enum err
queue_aliases(const struct store *st,
    enum err (*each)(const char *alias, void *arg), void *arg)
{
	enum err e = dir_each(st->root, "queue", each, arg);

	return e == ERR_NOTFOUND ? OK : e;
}

struct search {
	const struct store *st;
	const char *transaction;
	unsigned attempt;
};

static enum err
look_in(const char *alias, void *arg)
{
	const struct search *s = arg;
	struct buf path = BUF_INIT;
	enum err e;

	e = path_of(alias, "out", s->transaction, s->attempt, &path);
	if (e == OK)
		e = file_exists(s->st->root, buf_cstr(&path));
	buf_release(&path);
	if (e == OK)
		return ERR_EXISTS;
	return e == ERR_NOTFOUND ? OK : e;
}

enum err
queue_waits(const struct store *st, const char transaction[SHA256_HEX],
    unsigned attempt)
{
	struct search s = { st, transaction, attempt };
	enum err e = queue_aliases(st, look_in, &s);

	if (e == ERR_EXISTS)
		return OK;
	return e == OK ? ERR_NOTFOUND : e;
}
