#include "store/approval.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "store/inside.h"

#define NEWEST 16 /* approved requests of one name that are looked at */

void
approval_release(struct approval *a)
{
	free(a->name);
	free(a->as);
	free(a->reason);
	free(a->host);
	*a = (struct approval)APPROVAL_INIT;
}

static enum err
slot_path(const struct store *st, const char id[SHA256_HEX], unsigned slot,
    struct buf *out)
{
	enum err e = store_path_hex(st, "approval", id, "", out);

	if (e == OK && !buf_printf(out, ",%u", slot))
		e = ERR_SYSTEM;
	return e;
}

static bool
approval_text(const struct approval *a, struct buf *out)
{
	return record_begin(out, "approval") &&
	       record_text(out, "request", a->request) &&
	       record_num(out, "uid", a->uid) &&
	       record_text(out, "name", a->name) &&
	       record_text(out, "as", a->as) &&
	       record_text(out, "reason", a->reason) &&
	       record_text(out, "host", a->host) &&
	       record_time(out, "time", a->time);
}

static enum err
get_approval(const struct record *r, struct approval *a)
{
	const struct {
		const char *key;
		char **to;
	} texts[] = { { "name", &a->name }, { "as", &a->as },
		{ "reason", &a->reason }, { "host", &a->host } };
	const char *value;
	int64_t uid = 0;

	if (record_digits(r, "request", 64, 64, a->request) != OK ||
	    record_get_num(r, "uid", &uid) != OK || uid < 0 ||
	    uid > UINT32_MAX || record_get_time(r, "time", &a->time) != OK)
		return ERR_INPUT;
	a->uid = (unsigned)uid;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		value = record_get(r, texts[i].key);
		/* "--as" that cannot be read must not become the uid's yes */
		if (value == NULL && record_get_span(r, texts[i].key).len > 0)
			return ERR_INPUT;
		*texts[i].to = str_dup(value);
		if (value != NULL && *texts[i].to == NULL)
			return ERR_SYSTEM;
	}
	return OK;
}

enum err
approval_read(const struct store *st, const char *path, struct approval *out)
{
	struct approval a = APPROVAL_INIT;
	struct record r = { 0 };
	enum err e;

	e = store_read(st, path, "approval", &r);
	if (e == OK)
		e = get_approval(&r, &a);
	if (e == ERR_INPUT) {
		log_error("%s: a line is missing or not what it must be", path);
		e = ERR_SYSTEM;
	}
	if (e != OK)
		goto out;
	*out = a;
	a = (struct approval)APPROVAL_INIT;
out:
	approval_release(&a);
	record_release(&r);
	return e;
}

static enum err
read_slot(const struct store *st, const char id[SHA256_HEX], unsigned slot,
    struct approval *out)
{
	struct buf path = BUF_INIT;
	enum err e;

	e = slot_path(st, id, slot, &path);
	if (e == OK)
		e = approval_read(st, buf_cstr(&path), out);
	if (e == OK && strcmp(out->request, id) != 0) {
		log_error("%s is of another request", buf_cstr(&path));
		approval_release(out);
		e = ERR_SYSTEM;
	}
	buf_release(&path);
	return e;
}

enum err
approval_each(const struct store *st, const char id[SHA256_HEX],
    enum err (*each)(const struct approval *, void *arg), void *arg)
{
	struct approval a = APPROVAL_INIT;
	enum err e;

	for (unsigned slot = 1;; slot++) {
		e = read_slot(st, id, slot, &a);
		if (e == OK)
			e = each(&a, arg);
		approval_release(&a);
		if (e != OK)
			break;
	}
	return e == ERR_NOTFOUND ? OK : e; /* behind the last */
}

struct sum {
	unsigned n;
	int64_t last;
};

static enum err
add_up(const struct approval *a, void *arg)
{
	struct sum *sum = arg;

	sum->n++;
	sum->last = a->time;
	return OK;
}

enum err
approval_count(const struct store *st, const char id[SHA256_HEX],
    unsigned *count, int64_t *last)
{
	struct sum sum = { 0, 0 };
	enum err e = approval_each(st, id, add_up, &sum);

	*count = sum.n;
	if (last != NULL)
		*last = sum.last;
	return e;
}

/* By what name does this yes count? */
static const char *
person(const struct approval *a)
{
	return a->as != NULL ? a->as : a->name;
}

static bool
same_person(const struct approval *a, const struct approval *b)
{
	const char *x = person(a), *y = person(b);

	if (a->as == NULL && b->as == NULL && a->uid == b->uid)
		return true;
	return x != NULL && y != NULL && strcmp(x, y) == 0;
}

/* OK: this slot is ours now; ERR_BUSY: somebody else's since just now. */
static enum err
take_slot(const struct store *st, const struct approval *a, unsigned slot)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	enum err e;

	e = slot_path(st, a->request, slot, &path);
	if (e == OK)
		e = approval_text(a, &text) ?
			file_create_once(st->tmp, st->root, buf_cstr(&path),
			    buf_span(&text), FILE_RECORD, true) :
			ERR_SYSTEM;
	buf_release(&path);
	buf_release(&text);
	return e == ERR_EXISTS ? ERR_BUSY : e;
}

enum err
approval_add(const struct store *st, const struct waiting *w,
    const struct approval *a, unsigned *count)
{
	struct approval own = *a, other = APPROVAL_INIT; /* own borrows */
	unsigned slot = 1;
	enum err e = OK;

	memcpy(own.request, w->id, sizeof(own.request));
	while (slot <= w->required) {
		e = read_slot(st, w->id, slot, &other);
		if (e == OK && same_person(&own, &other))
			e = ERR_EXISTS;
		approval_release(&other);
		if (e == ERR_NOTFOUND) {
			e = take_slot(st, &own, slot);
			if (e == ERR_BUSY) /* read it, then */
				continue;
			slot++;
			break;
		}
		if (e != OK)
			break;
		slot++;
	}
	if (e == OK)
		*count = slot - 1;
	else if (e == ERR_EXISTS)
		(void)approval_count(st, w->id, count, NULL);
	return e;
}

static enum err
approved_stem(const struct store *st, const char *username, struct buf *out)
{
	return store_path(
	    st, "approved", span_of(username, strlen(username)), "", out);
}

enum err
approved_add(const struct store *st, const struct waiting *w)
{
	struct buf stem = BUF_INIT, path = BUF_INIT, word = BUF_INIT;
	unsigned n = 1;
	enum err e;

	e = approved_stem(st, w->username, &stem);
	if (e == OK)
		e = waiting_word(st, w->transaction, w->attempt, &word);
	for (; e == OK; n++) {
		buf_clear(&path);
		e = ERR_SYSTEM;
		if (buf_printf(&path, "%s,%u", buf_cstr(&stem), n))
			e = file_claim(
			    st->root, buf_cstr(&path), buf_cstr(&word));
		if (e != ERR_EXISTS)
			break;
		e = OK;
	}
	buf_release(&stem);
	buf_release(&path);
	buf_release(&word);
	return e;
}

/* The request that hint n leads to; ERR_NOTFOUND also where it is none. */
static enum err
approved_find(
    const struct store *st, const char *stem, unsigned n, struct waiting *out)
{
	struct buf path = BUF_INIT;
	struct claim c = { .attempt = 0 };
	enum err e = ERR_SYSTEM;

	if (buf_printf(&path, "%s,%u", stem, n))
		e = waiting_hint(st, buf_cstr(&path), &c);
	if (e == OK)
		e = waiting_find(st, c.transaction, c.attempt, out);
	buf_release(&path);
	return e == ERR_INPUT ? ERR_NOTFOUND : e;
}

enum err
approved_each(const struct store *st, const char *username,
    enum err (*each)(const struct waiting *, void *arg), void *arg)
{
	struct waiting w = WAITING_INIT;
	struct buf stem = BUF_INIT;
	unsigned top = 0;
	enum err e;

	e = approved_stem(st, username, &stem);
	if (e == OK)
		e = store_highest(st, buf_cstr(&stem), "", &top);
	for (unsigned n = top; e == OK && n > 0 && top - n < NEWEST; n--) {
		e = approved_find(st, buf_cstr(&stem), n, &w);
		if (e == OK && strcmp(w.username, username) == 0)
			e = each(&w, arg);
		else if (e == ERR_NOTFOUND)
			e = OK;
		waiting_release(&w);
	}
	buf_release(&stem);
	return e;
}
