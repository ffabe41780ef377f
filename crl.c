#include "crl.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/names.h"
#include "base/time.h"
#include "ca/crl.h"
#include "store/supersede.h"

#define ROUNDS 100 /* rivals that one issuer lets go first */

void
crl_release(struct crl *crl)
{
	buf_release(&crl->der);
	*crl = (struct crl)CRL_INIT;
}

static struct issuer
issuer_of(const struct crl_source *from)
{
	return (struct issuer){ from->ca->name, from->gen->n };
}

/* The CRL of that number; ERR_NOTFOUND where the base has none. */
static enum err
look(const struct store *st, const struct issuer *by, uint64_t number,
    struct crl *out)
{
	struct crl crl = { .generation = by->generation, .number = number };
	struct crl_view v;
	enum err e;

	if ((e = crls_read(st, by, number, &crl.der)) != OK)
		goto out;
	if (crl_view(buf_span(&crl.der), &v) != OK || v.number != number) {
		log_error("CRL %llu of CA %s, generation %u, is damaged; "
			  "restore it",
		    (unsigned long long)number, by->ca, by->generation);
		e = ERR_SYSTEM;
		goto out;
	}
	crl.this_update = v.this_update;
	crl.next_update = v.next_update;
	*out = crl;
	crl = (struct crl)CRL_INIT;
out:
	crl_release(&crl);
	return e;
}

static enum err
look_highest(const struct store *st, const struct issuer *by, struct crl *out)
{
	uint64_t number = 0;
	enum err e = crls_highest(st, by, &number);

	return e == OK ? look(st, by, number, out) : e;
}

/* --- what goes on a CRL -------------------------------------------------- */

struct line {
	uint8_t serial[20]; /* raw */
	uint8_t len;
	uint8_t reason;
	int64_t date;
};

struct list {
	struct line *line;
	size_t n, room;
	size_t at;	/* the next to be signed */
	int64_t before; /* thisUpdate of the predecessor; 0: none */
};

/*
 * C-201: an entry stays until it was on a CRL that was issued after the end
 * of its certificate.  Was it on the predecessor?  Yes if that is younger
 * than certificate and record, and both had come to rest.
 */
static bool
is_past(const struct list *list, const struct revocation *r)
{
	return r->not_after != 0 && list->before > r->not_after + SETTLED &&
	       list->before > r->written + SETTLED;
}

static bool
make_room(struct list *list)
{
	size_t room = list->room == 0 ? 64 : 2 * list->room;
	struct line *more;

	if (list->n < list->room)
		return true;
	more = realloc(list->line, room * sizeof(*more));
	if (more == NULL) {
		log_error("out of memory: %zu revocations", list->n);
		return false;
	}
	list->line = more;
	list->room = room;
	return true;
}

static enum err
list_one(const struct revocation *r, void *arg)
{
	struct list *list = arg;
	struct buf raw = BUF_INIT;
	struct line *line;
	enum err e;

	if (r->n % 2 == 0 || is_past(list, r))
		return OK;
	if (!make_room(list))
		return ERR_SYSTEM;
	if ((e = hex_read(r->serial, &raw)) == OK) {
		line = &list->line[list->n++];
		memcpy(line->serial, raw.data, raw.len);
		line->len = (uint8_t)raw.len;
		line->reason = (uint8_t)r->reason;
		line->date = r->date;
	}
	buf_release(&raw);
	return e;
}

static enum err
list_next(void *arg, struct crl_entry *out)
{
	struct list *list = arg;
	const struct line *line;

	if (list->at == list->n)
		return ERR_NOTFOUND;
	line = &list->line[list->at++];
	*out = (struct crl_entry){ .serial = span_of(line->serial, line->len),
		.date = line->date,
		.reason = line->reason };
	return OK;
}

/* --- issuing ------------------------------------------------------------- */

/* Steps 3 to 5, above a predecessor that may not be. */
static enum err
sign_above(const struct crl_source *from, const struct crl *last,
    int64_t this_update, struct crl *out)
{
	struct issuer by = issuer_of(from);
	struct list list = { .before = last->this_update };
	struct crl crl = { .generation = by.generation,
		.number = last->number + 1,
		.this_update = this_update,
		.next_update = this_update + from->times.validity };
	struct crl_header header = { .number = crl.number,
		.this_update = crl.this_update,
		.next_update = crl.next_update,
		.next = list_next,
		.arg = &list };
	enum err e;

	if ((e = revoked_each(from->st, &by, list_one, &list)) == OK &&
	    (e = ca_crl(from->gen, &header, &crl.der)) == OK)
		e = crls_link(from->st, &by, crl.number, buf_span(&crl.der));
	if (e == OK) {
		*out = crl;
		crl = (struct crl)CRL_INIT;
	}
	free(list.line);
	crl_release(&crl);
	return e;
}

/*
 * One round.  What is news now is there when the scan begins, and so on the
 * CRL; what comes later stays news.  ERR_EXISTS: somebody was faster.
 */
static enum err
issue_once(const struct crl_source *from, struct crl *out)
{
	struct issuer by = issuer_of(from);
	struct crl last = CRL_INIT;
	struct news news = { NULL, 0 };
	uint64_t number = 0;
	enum err e;

	if ((e = supersede_due(from->st, &by, time_now())) != OK ||
	    (e = news_read(from->st, &by, &news)) != OK ||
	    (e = crls_highest(from->st, &by, &number)) != OK)
		goto out;
	if (number == UINT64_MAX) {
		log_error("CA %s has no CRL number left", by.ca);
		e = ERR_REFUSED;
		goto out;
	}
	e = look(from->st, &by, number, &last);
	if (e == ERR_NOTFOUND) /* none, or the base alone */
		last = (struct crl){ .number = number };
	else if (e != OK)
		goto out;
	e = sign_above(from, &last, time_now(), out);
	if (e == OK)
		news_forget(from->st, &by, &news);
out:
	news_release(&news);
	crl_release(&last);
	return e;
}

enum err
crl_issue(const struct crl_source *from, struct crl *out)
{
	enum err e = ERR_EXISTS;

	for (int i = 0; i < ROUNDS && e == ERR_EXISTS; i++)
		e = issue_once(from, out);
	return e == ERR_EXISTS ? ERR_BUSY : e;
}

/* --- the newest ---------------------------------------------------------- */

/*
 * Is the newest one good enough?  The news are looked at before the number:
 * whoever made them old has linked their CRL before.
 */
static enum err
newest(const struct crl_source *from, struct crl *out, bool *due)
{
	struct issuer by = issuer_of(from);
	struct news news = { NULL, 0 };
	enum err e;

	if ((e = supersede_due(from->st, &by, time_now())) != OK ||
	    (e = news_read(from->st, &by, &news)) != OK)
		return e;
	*due = news.n > 0;
	news_release(&news);
	e = look_highest(from->st, &by, out);
	if (e == ERR_NOTFOUND) {
		*due = true;
		e = OK;
	} else if (e == OK) {
		*due |= time_now() >= out->next_update - from->times.overlap;
	}
	return e;
}

enum err
crl_due(const struct crl_source *from, bool *due)
{
	struct crl crl = CRL_INIT;
	enum err e;

	*due = false;
	if (key_elsewhere(from->gen->key))
		return OK;
	e = newest(from, &crl, due);
	crl_release(&crl);
	return e;
}

/* Trouble with the signing: said once an hour, by whichever process. */
static void
warn(const struct store *st, const struct issuer *by, const struct crl *last,
    enum err why)
{
	char until[TIME_TEXT];

	if (crls_warn(st, by, time_now()) == ERR_EXISTS)
		return;
	time_text(last->next_update, until);
	if (last->next_update > time_now())
		log_warn("CA %s, generation %u: no new CRL (%s); the last one "
			 "is handed out until %s",
		    by->ca, by->generation, err_name(why), until);
	else
		log_warn("CA %s, generation %u: no CRL (%s), and no last one "
			 "that is still valid",
		    by->ca, by->generation, err_name(why));
}

/* What was said in this hour is not said again by trying again. */
static enum err
issue_quietly(const struct crl_source *from, struct crl *out)
{
	struct issuer by = issuer_of(from);
	bool said = crls_warned(from->st, &by, time_now()) == OK;
	enum err e;

	log_mute(said);
	e = issue_once(from, out);
	log_mute(false);
	return e;
}

/*
 * Who hands out what another process has just linked makes it durable first:
 * a number that was seen must not come again with another content.
 */
static enum err
settle(const struct crl_source *from, const struct crl *crl)
{
	struct issuer by = issuer_of(from);

	if (crl->this_update + SETTLED < time_now())
		return OK;
	return crls_sync(from->st, &by);
}

/* What has come from the CA's host, as long as it holds. */
static enum err
travelled(const struct crl_source *from, struct crl *out)
{
	struct issuer by = issuer_of(from);
	struct crl last = CRL_INIT;
	enum err e = look_highest(from->st, &by, &last);

	if (e == OK && last.next_update > time_now()) {
		*out = last;
		return OK;
	}
	if (e == OK || e == ERR_NOTFOUND) {
		log_warn(
		    "CA %s, generation %u: no CRL that is still valid has "
		    "come from its host; does `scep queue pull` run there?",
		    by.ca, by.generation);
		e = ERR_BUSY;
	}
	crl_release(&last);
	return e;
}

enum err
crl_lists(const struct store *st, const char *ca, unsigned generation,
    struct span serial, bool *yes)
{
	const struct issuer by = { ca, generation };
	struct crl crl = CRL_INIT;
	struct crl_entry entry;
	struct crl_view v;
	enum err e;

	*yes = false;
	while (serial.len > 1 && serial.p[0] == 0)
		serial = span_of(serial.p + 1, serial.len - 1);
	e = look_highest(st, &by, &crl);
	if (e == OK)
		e = crl_view(buf_span(&crl.der), &v);
	while (e == OK && !*yes && (e = crl_next(&v.entries, &entry)) == OK)
		*yes = span_eq(entry.serial, serial);
	crl_release(&crl);
	return e == ERR_NOTFOUND ? OK : e;
}

enum err
crl_current(const struct crl_source *from, struct crl *out)
{
	struct issuer by = issuer_of(from);
	struct crl last = CRL_INIT, made = CRL_INIT;
	enum err e = ERR_EXISTS;
	bool due = false;

	if (key_elsewhere(from->gen->key))
		return travelled(from, out);
	for (int i = 0; i < ROUNDS && e == ERR_EXISTS; i++) {
		crl_release(&last);
		if ((e = newest(from, &last, &due)) != OK)
			goto out;
		e = due ? issue_quietly(from, &made) : settle(from, &last);
	}
	if (e == OK) {
		*out = due ? made : last;
		*(due ? &made : &last) = (struct crl)CRL_INIT;
		goto out;
	}
	e = e == ERR_EXISTS ? ERR_BUSY : e;
	warn(from->st, &by, &last, e);
	if (last.next_update > time_now()) {
		*out = last;
		last = (struct crl)CRL_INIT;
		e = OK;
	}
out:
	crl_release(&last);
	crl_release(&made);
	return e;
}

enum err
crl_last(const struct store *st, const char *ca, unsigned generation,
    struct crl *out)
{
	struct issuer by = { ca, generation };
	unsigned n = generation;
	enum err e = OK;

	if (generation == 0)
		e = crls_generations(st, ca, &n);
	if (e == OK)
		e = ERR_NOTFOUND;
	for (; n > 0 && e == ERR_NOTFOUND; n--) {
		by.generation = n;
		e = look_highest(st, &by, out);
		if (generation != 0)
			break;
	}
	return e;
}

enum err
crl_fallback(const struct store *st, const char *ca, unsigned generation,
    enum err why, struct crl *out)
{
	enum err e = crl_last(st, ca, generation, out);
	struct issuer by = { ca, generation };

	if (e != OK)
		return e == ERR_NOTFOUND ? ERR_BUSY : e;
	by.generation = out->generation;
	warn(st, &by, out, why);
	return out->next_update > time_now() ? OK : ERR_BUSY;
}

bool
crl_warned(const struct store *st, const char *ca, unsigned generation)
{
	struct issuer by = { ca, generation };

	if (generation == 0 && crls_generations(st, ca, &by.generation) != OK)
		return false;
	return crls_warned(st, &by, time_now()) == OK;
}
