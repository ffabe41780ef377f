#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "store/inside.h"
#include "store/queue.h"

/* Letters as files: what came in, the news. */

/* News have a whole CRL in them. */
#define MAX_LETTER (MAX_CRL / 3 * 4 + MAX_RECORD)

#define BEGIN "-----BEGIN " QUEUE_LABEL "-----\n"
#define END   "-----END " QUEUE_LABEL "-----\n"
#define LINE  48 /* bytes of a line of base64 */

/* Also larger ones than a record may be. */
static bool
put_block(struct buf *out, struct span der)
{
	unsigned char line[LINE / 3 * 4 + 1];

	if (!buf_str(out, BEGIN))
		return false;
	while (der.len > 0) {
		size_t n = der.len < LINE ? der.len : LINE;
		int len = EVP_EncodeBlock(line, der.p, (int)n);

		if (!buf_add(out, line, (size_t)len) || !buf_byte(out, '\n'))
			return false;
		der = span_of(der.p + n, der.len - n);
	}
	return buf_str(out, END);
}

enum err
queue_file(
    const char *kind, const char *name, struct span letter, struct buf *out)
{
	return record_begin(out, kind) && record_text(out, "name", name) &&
		       put_block(out, letter) ?
		   OK :
		   ERR_SYSTEM;
}

/* What stands between the two lines; false: one is missing, or not the last. */
static bool
find_block(const char *text, size_t len, struct span *out)
{
	const char *from = strstr(text, BEGIN);

	if (strlen(text) != len || from == NULL ||
	    len < sizeof(END) - 1 + sizeof(BEGIN) - 1 ||
	    strcmp(text + len - (sizeof(END) - 1), END) != 0)
		return false;
	from += sizeof(BEGIN) - 1;
	if (text + len - (sizeof(END) - 1) < from)
		return false;
	*out = span_of(from, (size_t)(text + len - (sizeof(END) - 1) - from));
	return true;
}

static bool
decode(struct span text, struct buf *out)
{
	EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
	int n = 0, rest = 0;
	bool good = false;

	if (ctx != NULL && text.len < MAX_LETTER &&
	    buf_reserve(out, text.len)) {
		EVP_DecodeInit(ctx);
		good = EVP_DecodeUpdate(
			   ctx, out->data, &n, text.p, (int)text.len) >= 0 &&
		       EVP_DecodeFinal(ctx, out->data + n, &rest) == 1;
		out->len = good ? (size_t)(n + rest) : 0;
	}
	EVP_ENCODE_CTX_free(ctx);
	return good && out->len > 0;
}

enum err
queue_unfile(struct span file, struct buf *letter)
{
	struct buf text = BUF_INIT;
	struct span block;
	enum err e = ERR_INPUT;

	if (!buf_add(&text, file.p, file.len))
		e = ERR_SYSTEM;
	else if (find_block(buf_cstr(&text), text.len, &block) &&
		 decode(block, letter))
		e = OK;
	buf_release(&text);
	return e;
}

enum err
queue_letter(const struct store *st, const char *where, struct buf *der)
{
	struct buf file = BUF_INIT;
	enum err e = file_read(st->root, where, MAX_LETTER, &file);

	if (e == OK)
		e = queue_unfile(buf_span(&file), der);
	buf_release(&file);
	return e == ERR_TOOBIG ? ERR_INPUT : e;
}

enum err
queue_in_path(const char *alias, const char *name, struct buf *out)
{
	return buf_printf(out, "queue/%s/in/%s", alias, name) ? OK : ERR_SYSTEM;
}

enum err
queue_put_in(const struct store *st, const char *alias, const char *name,
    struct span file)
{
	struct buf path = BUF_INIT;
	enum err e = queue_in_path(alias, name, &path);

	if (e == OK && (e = queue_rooms(st, alias)) == OK)
		e = file_replace(st->root, buf_cstr(&path), file, FILE_RECORD);
	buf_release(&path);
	return e;
}

void
queue_drop_read(const struct store *st, const char *alias, const char *name,
    struct span letter)
{
	struct buf path = BUF_INIT, aside = BUF_INIT, der = BUF_INIT;

	if (queue_in_path(alias, name, &path) != OK ||
	    !buf_printf(&aside, "queue/%s/in/.read,%s", alias, name) ||
	    file_rename(st->root, buf_cstr(&path), buf_cstr(&aside)) != OK)
		goto out;
	(void)queue_letter(st, buf_cstr(&aside), &der);
	if (!span_eq(buf_span(&der), letter)) /* unless a third one stands */
		(void)file_link(st->root, buf_cstr(&aside), buf_cstr(&path));
	(void)file_unlink(st->root, buf_cstr(&aside));
out:
	buf_release(&path);
	buf_release(&aside);
	buf_release(&der);
}

/* ---- news --------------------------------------------------------------- */

#define KEPT_READS 10 /* that others change what is read in between */

/* Of these news?  *time is 0 where the name has none: of a former program. */
static bool
kept_time(const char *name, const char *stem, int64_t *time)
{
	size_t len = strlen(stem);
	const char *digits;

	if (strncmp(name, stem, len) != 0 ||
	    (name[len] != ',' && name[len] != '\0'))
		return false;
	*time = 0;
	if (name[len] == '\0')
		return true;
	digits = name + len + 1;
	len = strlen(digits);
	if (len == 0 || len > 12 || strspn(digits, "0123456789") != len)
		return false;
	*time = (int64_t)strtoll(digits, NULL, 10);
	return true;
}

/* "queue/<alias>/<name>,<seconds>" */
static enum err
kept_path(const char *alias, const char *name, int64_t time, struct buf *out)
{
	bool good = buf_printf(out, "queue/%s/%s", alias, name);

	if (good && time > 0)
		good = buf_printf(out, ",%lld", (long long)time);
	return good ? OK : ERR_SYSTEM;
}

struct kept_walk {
	const struct store *st;
	const char *alias, *stem;
	int64_t time;
};

static enum err
find_newest(const char *name, void *arg)
{
	struct kept_walk *w = arg;
	int64_t time;

	if (kept_time(name, w->stem, &time) && time > w->time)
		w->time = time;
	return OK;
}

static enum err
drop_older(const char *name, void *arg)
{
	const struct kept_walk *w = arg;
	struct buf path = BUF_INIT;
	int64_t time;

	if (kept_time(name, w->stem, &time) && time < w->time &&
	    kept_path(w->alias, name, 0, &path) == OK)
		(void)file_unlink(w->st->root, buf_cstr(&path));
	buf_release(&path);
	return OK;
}

static enum err
kept_each(struct kept_walk *w, enum err (*each)(const char *name, void *arg))
{
	struct buf path = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (buf_printf(&path, "queue/%s", w->alias))
		e = dir_each(w->st->root, buf_cstr(&path), each, w);
	buf_release(&path);
	return e == ERR_NOTFOUND ? OK : e;
}

/* Those of this time, whose record has it too. */
static enum err
read_kept(const struct kept_walk *w, struct queue_kept *out)
{
	struct queue_kept kept = { .next = BUF_INIT };
	struct buf path = BUF_INIT;
	struct record r = { 0 };
	enum err e;

	if ((e = kept_path(w->alias, w->stem, w->time, &path)) != OK ||
	    (e = store_read(w->st, buf_cstr(&path), "news", &r)) != OK)
		goto out;
	e = record_get_time(&r, "time", &kept.time);
	if (e == OK && w->time > 0 && kept.time != w->time)
		e = ERR_INPUT;
	if (e == OK && r.pem.len > 0)
		e = pem_get(buf_span(&r.pem), QUEUE_LABEL, &kept.next);
	if (e == ERR_INPUT || e == ERR_NOTFOUND) {
		log_error("%s: a line is missing or not what it must be; "
			  "remove it, and the next pull brings another",
		    buf_cstr(&path));
		e = ERR_SYSTEM;
	}
	if (e == OK) {
		*out = kept;
		kept = (struct queue_kept){ .next = BUF_INIT };
	}
out:
	buf_release(&kept.next);
	record_release(&r);
	buf_release(&path);
	return e;
}

/*
 * Twice the same: whoever looks while newer ones take the place of others may
 * see neither.
 */
enum err
queue_kept(const struct store *st, const char *alias, const char *name,
    struct queue_kept *out)
{
	struct kept_walk w = { st, alias, name, -1 };
	int64_t before = -2;
	enum err e = OK;

	for (int i = 0; e == OK && i < KEPT_READS; i++) {
		w.time = -1;
		if ((e = kept_each(&w, find_newest)) == OK &&
		    w.time == before) {
			if (w.time < 0)
				return ERR_NOTFOUND;
			if ((e = read_kept(&w, out)) != ERR_NOTFOUND)
				return e;
			e = OK; /* newer ones are there */
		}
		before = w.time;
	}
	return e == OK ? ERR_BUSY : e;
}

enum err
queue_keep(const struct store *st, const char *alias, const char *name,
    const struct queue_kept *kept)
{
	struct kept_walk w = { st, alias, name, kept->time };
	struct buf path = BUF_INIT, text = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (record_begin(&text, "news") &&
	    record_time(&text, "time", kept->time) &&
	    (kept->next.len == 0 ||
		pem_put(&text, QUEUE_LABEL, buf_span(&kept->next))))
		e = kept_path(alias, name, kept->time, &path);
	if (e == OK)
		e = file_create_once(st->tmp, st->root, buf_cstr(&path),
		    buf_span(&text), FILE_RECORD, true);
	if (e == ERR_EXISTS) /* two pulls of one second: what came last */
		e = file_replace(
		    st->root, buf_cstr(&path), buf_span(&text), FILE_RECORD);
	if (e == ERR_BUSY) /* newer ones are there */
		e = OK;
	if (e == OK)
		e = kept_each(&w, drop_older);
	buf_release(&path);
	buf_release(&text);
	return e;
}
