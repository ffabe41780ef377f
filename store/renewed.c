#include "store/renewed.h"

#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "store/inside.h"
#include "store/waiting.h"

enum err
renewed_text(const struct issuer *by, const char *serial, struct buf *out)
{
	return buf_printf(out, "%s/%u/%s", by->ca, by->generation, serial) ?
		   OK :
		   ERR_SYSTEM;
}

/* From its end: a CA's name may have a slash in it. */
enum err
renewed_parse(
    const char *text, char **ca, unsigned *generation, char serial[41])
{
	const char *last = strrchr(text, '/'), *gen = last;
	struct buf name = BUF_INIT;
	char number[16] = "";
	enum err e = ERR_INPUT;

	while (gen != NULL && gen > text && gen[-1] != '/')
		gen--;
	if (last == NULL || gen < text + 2 ||
	    (size_t)(last - gen) >= sizeof(number) || strlen(last + 1) > 40 ||
	    !is_hex(last + 1, strlen(last + 1)))
		return e;
	memcpy(number, gen, (size_t)(last - gen));
	if (!read_number(number, generation) || *generation == 0)
		return e;
	memcpy(serial, last + 1, strlen(last + 1) + 1);
	e = ERR_SYSTEM;
	if (buf_add(&name, text, (size_t)(gen - 1 - text)) &&
	    (*ca = str_dup(buf_cstr(&name))) != NULL)
		e = OK;
	buf_release(&name);
	return e;
}

/* "renewed/<ca>/<generation>/5d/<serial>," */
enum err
renewed_stem(const struct store *st, const struct issuer *by,
    const char *serial, struct buf *out)
{
	struct buf room = BUF_INIT;
	enum err e;

	e = generation_room("renewed", by->ca, by->generation, &room);
	if (e == OK)
		e = store_path_hex(st, buf_cstr(&room), serial, ",", out);
	buf_release(&room);
	return e;
}

/* One walk over the claims of an old certificate. */
struct slots {
	const struct store *st;
	const struct renewing *r;
	bool make;	    /* claim, abandon, sync */
	struct buf path;    /* of the claim looked at */
	struct buf word;    /* of ours */
	struct buf there;   /* what stands there */
	struct claim claim; /* the same */
};

static void
slots_release(struct slots *s)
{
	buf_release(&s->path);
	buf_release(&s->word);
	buf_release(&s->there);
}

/* What a claim that is another's says; ERR_SYSTEM (logged) for damage. */
static enum err
whose(struct slots *s)
{
	enum err e;

	e = claim_parse(
	    s->st, buf_cstr(&s->path), buf_cstr(&s->there), &s->claim);
	if (e != ERR_INPUT)
		return e;
	log_error(
	    "%s is not a claim; `scep check` says more", buf_cstr(&s->path));
	return ERR_SYSTEM;
}

/*
 * A claim whose attempt has no outcome: somebody is at work, or died at it.
 * OK: it bought nothing, and never will.
 */
static enum err
unfinished(struct slots *s)
{
	struct file_facts facts;
	enum err e;

	e = waiting_exists(s->st, s->claim.transaction, s->claim.attempt);
	if (e != ERR_NOTFOUND)
		return e == OK ? ERR_REFUSED : e;
	e = file_facts(s->st->root, buf_cstr(&s->path), &facts);
	if (e != OK)
		return e == ERR_NOTFOUND ? ERR_BUSY : e;
	if (facts.mtime > s->r->now - SETTLED) {
		log_info("certificate %s is being renewed by another request",
		    s->r->serial);
		return ERR_BUSY;
	}
	if (!s->make)
		return OK;
	e = outcome_abandon(s->st, s->claim.transaction, s->claim.attempt);
	return e == ERR_EXISTS ? ERR_BUSY : e; /* it lives after all */
}

/*
 * What the claim at hand bought.  OK: nothing, or what is over, so the next
 * claim may be made; for that it must be durable.
 */
static enum err
finished(struct slots *s, struct outcome *o)
{
	struct buf own = BUF_INIT, path = BUF_INIT;
	bool over = true;
	enum err e;

	e = renewed_text(&s->r->by, s->r->serial, &own);
	if (e == OK && o->kind == OUTCOME_CERTIFICATE && o->renews != NULL &&
	    strcmp(o->renews, buf_cstr(&own)) == 0) {
		if (strcmp(o->csr, s->r->csr) == 0)
			e = ERR_EXISTS;
		else
			e = s->r->over(o, s->r->arg, &over);
	}
	if (e == OK && !over)
		e = ERR_REFUSED;
	if (e == OK && s->make)
		e = outcome_path(
		    s->st, s->claim.transaction, s->claim.attempt, &path);
	if (e == OK && s->make)
		e = store_sync_above(s->st, buf_cstr(&path));
	buf_release(&own);
	buf_release(&path);
	return e;
}

/* Another's claim: OK to go on to the next. */
static enum err
pass(struct slots *s, struct outcome *theirs)
{
	struct outcome o = OUTCOME_INIT;
	struct buf path = BUF_INIT;
	enum err e;

	if ((e = whose(s)) == OK)
		e = outcome_path(
		    s->st, s->claim.transaction, s->claim.attempt, &path);
	if (e == OK)
		e = outcome_read(s->st, buf_cstr(&path), &o);
	if (e == ERR_NOTFOUND)
		e = unfinished(s);
	else if (e == OK)
		e = finished(s, &o);
	if (e == ERR_EXISTS) {
		*theirs = o;
		o = (struct outcome)OUTCOME_INIT;
	}
	outcome_release(&o);
	buf_release(&path);
	return e;
}

/* Claim k: ours now or before (*done), or another's, which is in s->there. */
static enum err
take(struct slots *s, const struct buf *stem, unsigned k, bool *done)
{
	enum err e;

	buf_clear(&s->path);
	if (!buf_printf(&s->path, "%s%u", buf_cstr(stem), k))
		return ERR_SYSTEM;
	if (s->word.len == 0 &&
	    (e = claim_word(s->st, buf_cstr(&s->path), s->r->transaction,
		 s->r->attempt, &s->word)) != OK)
		return e;
	if (s->make) {
		e = file_claim(
		    s->st->root, buf_cstr(&s->path), buf_cstr(&s->word));
		*done = e == OK;
		if (e != ERR_EXISTS)
			return e;
	}
	buf_clear(&s->there);
	e = file_claim_read(s->st->root, buf_cstr(&s->path), &s->there);
	if (e == ERR_NOTFOUND) {
		*done = true; /* it would be ours */
		return s->make ? ERR_BUSY : OK;
	}
	if (e == OK && strcmp(buf_cstr(&s->there), buf_cstr(&s->word)) == 0)
		*done = true;
	return e == ERR_INPUT ? OK : e; /* damage is told by whose() */
}

static enum err
walk(const struct store *st, const struct renewing *r, bool make,
    struct outcome *theirs)
{
	struct slots s = { .st = st, .r = r, .make = make };
	struct buf stem = BUF_INIT;
	bool done = false;
	enum err e;

	e = renewed_stem(st, &r->by, r->serial, &stem);
	for (unsigned k = 0; e == OK && !done; k++) {
		e = take(&s, &stem, k, &done);
		if (e == OK && !done)
			e = pass(&s, theirs);
	}
	if (e == OK && make) /* also one that an earlier try made and lost */
		e = store_sync_above(st, buf_cstr(&s.path));
	buf_release(&stem);
	slots_release(&s);
	return e;
}

enum err
renewed_claim(
    const struct store *st, const struct renewing *r, struct outcome *theirs)
{
	return walk(st, r, true, theirs);
}

enum err
renewed_room(
    const struct store *st, const struct renewing *r, struct outcome *theirs)
{
	return walk(st, r, false, theirs);
}
