#include "store/unique.h"

#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "store/inside.h"
#include "store/revoked.h"
#include "store/waiting.h"

enum err
unique_hash(struct span issuer, struct span what, char out[SHA256_HEX])
{
	uint8_t both[2 * SHA256_LEN];
	enum err e;

	if ((e = sha256(issuer, both)) != OK ||
	    (e = sha256(what, both + SHA256_LEN)) != OK)
		return e;
	return sha256_hex(span_of(both, sizeof(both)), out);
}

/* One walk along the slots of a key or subject. */
struct walk {
	const struct store *st;
	const struct unique *u;
	int64_t now;
	bool make;	  /* claim the slot behind them */
	struct buf word;  /* of our own claim */
	struct buf path;  /* of the slot looked at */
	size_t stem;	  /* how much of it all slots have in common */
	struct buf there; /* the word that stands in it */
};

static enum err
ensure_room(const struct walk *w)
{
	struct buf dir = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (buf_add(&dir, w->path.data, w->stem - SHA256_HEX) &&
	    buf_byte(&dir, '.'))
		e = file_exists(w->st->root, buf_cstr(&dir));
	if (e == ERR_NOTFOUND)
		e = store_room(w->st, w->u->kind);
	buf_release(&dir);
	return e;
}

/*
 * What makes a slot dead for whoever claims the next one must be durable
 * before that claim is.
 */
static enum err
settle(const struct walk *w, const char *path)
{
	return w->make ? store_sync_above(w->st, path) : OK;
}

/* Was it revoked for good?  *dead, durably. */
static enum err
look_revoked(const struct walk *w, const struct outcome *o, bool *dead)
{
	const struct issuer by = { o->ca, o->generation };
	struct revocation r;
	struct buf path = BUF_INIT;
	enum err e;

	e = revoked_find(w->st, &by, o->serial, &r);
	if (e != OK)
		return e == ERR_NOTFOUND ? OK : e;
	*dead = r.n % 2 == 1 && r.reason != REASON_HOLD;
	if (*dead &&
	    (e = revoked_path(w->st, &by, o->serial, r.n, &path)) == OK)
		e = settle(w, buf_cstr(&path));
	buf_release(&path);
	return e;
}

/* Does this outcome let us pass?  ERR_REFUSED: its certificate is alive. */
static enum err
look_outcome(const struct walk *w, const char *path, const struct outcome *o)
{
	const struct unique *u = w->u;
	bool dead = false;
	enum err e;

	if (o->kind != OUTCOME_CERTIFICATE || !u->has(o, u->arg))
		return settle(w, path);
	if (w->now >= o->not_after)
		return OK;
	if (u->own != NULL && o->entity != NULL &&
	    strcmp(u->own, o->entity) == 0)
		return OK;
	e = look_revoked(w, o, &dead);
	return e == OK && !dead ? ERR_REFUSED : e;
}

/* Does this claim, whose request waits for people, let us pass? */
static bool
is_own_waiting(const struct walk *w, const struct claim *c)
{
	struct waiting r = WAITING_INIT;
	bool own = false;

	if (w->u->passed != NULL && w->u->passed_attempt == c->attempt &&
	    strcmp(w->u->passed, c->transaction) == 0)
		return true;
	if (!w->make && w->u->entity != NULL &&
	    waiting_find(w->st, c->transaction, c->attempt, &r) == OK)
		own = strcmp(r.username, w->u->entity) == 0;
	waiting_release(&r);
	return own;
}

/*
 * Nothing came of a claim yet.  ERR_BUSY while it may; OK once it cannot: by
 * now it is abandoned, or will be when we claim.
 */
static enum err
look_undecided(const struct walk *w, const struct claim *c)
{
	struct file_facts facts;
	enum err e;

	e = file_facts(w->st->root, buf_cstr(&w->path), &facts);
	if (e == OK)
		e = waiting_exists(w->st, c->transaction, c->attempt);
	if (e == OK && is_own_waiting(w, c))
		return OK;
	if (e == OK || (e == ERR_NOTFOUND && facts.mtime > w->now - SETTLED)) {
		log_info("%s is being decided; the client has to try again",
		    buf_cstr(&w->path));
		return ERR_BUSY;
	}
	if (e != ERR_NOTFOUND)
		return e;
	if (!w->make)
		return OK;
	e = outcome_abandon(w->st, c->transaction, c->attempt);
	return e == ERR_EXISTS ? ERR_BUSY : e; /* it lives after all */
}

/* May we pass the slot in which w->there stands? */
static enum err
look_slot(const struct walk *w)
{
	struct outcome o = OUTCOME_INIT;
	struct buf path = BUF_INIT;
	struct claim c;
	enum err e;

	e = claim_read(w->st, buf_cstr(&w->path), &c);
	if (e == ERR_INPUT || e == ERR_NOTFOUND) /* damage; or gone by now */
		e = e == ERR_INPUT ? ERR_SYSTEM : ERR_BUSY;
	if (e == OK)
		e = outcome_path(w->st, c.transaction, c.attempt, &path);
	if (e != OK)
		goto out;
	e = outcome_read(w->st, buf_cstr(&path), &o);
	if (e == ERR_NOTFOUND)
		e = look_undecided(w, &c);
	else if (e == OK && strcmp(o.transaction, c.transaction) == 0 &&
		 o.attempt == c.attempt)
		e = look_outcome(w, buf_cstr(&path), &o);
	else if (e == OK)
		e = ERR_SYSTEM;
	if (e == ERR_SYSTEM)
		log_error("%s: cannot tell who has it", buf_cstr(&w->path));
out:
	outcome_release(&o);
	buf_release(&path);
	return e;
}

/* w->path of slot k, and what stands there; ERR_NOTFOUND: nothing. */
static enum err
read_slot(struct walk *w, unsigned k)
{
	enum err e;

	w->path.len = w->stem;
	if (!buf_printf(&w->path, "%u", k))
		return ERR_SYSTEM;
	buf_clear(&w->there);
	e = file_claim_read(w->st->root, buf_cstr(&w->path), &w->there);
	return e == ERR_INPUT ? OK : e; /* look_slot() tells of damage */
}

/* The same; the slot behind the last becomes ours, or a rival's. */
static enum err
claim_slot(struct walk *w, unsigned k)
{
	enum err e = read_slot(w, k);

	if (e != ERR_NOTFOUND || !w->make)
		return e;
	e = file_claim(w->st->root, buf_cstr(&w->path), buf_cstr(&w->word));
	if (e == OK || e == ERR_EXISTS)
		e = read_slot(w, k);
	return e == ERR_NOTFOUND ? ERR_BUSY : e; /* came and went */
}

static enum err
walk_slots(struct walk *w)
{
	enum err e = OK;

	for (unsigned k = 0; e == OK; k++) {
		e = claim_slot(w, k);
		if (e == ERR_NOTFOUND)
			return OK; /* free */
		if (e != OK)
			break;
		if (span_eq(buf_span(&w->there), buf_span(&w->word)))
			return settle(w, buf_cstr(&w->path));
		e = look_slot(w);
	}
	return e;
}

static enum err
walk(struct walk *w, const char *transaction, unsigned attempt)
{
	enum err e;

	e = store_path_hex(w->st, w->u->kind, w->u->hash, ",", &w->path);
	if (e == OK && *transaction != '\0')
		e = claim_word(
		    w->st, buf_cstr(&w->path), transaction, attempt, &w->word);
	w->stem = w->path.len;
	if (e == OK && w->make)
		e = ensure_room(w);
	if (e == OK)
		e = walk_slots(w);
	buf_release(&w->word);
	buf_release(&w->path);
	buf_release(&w->there);
	return e;
}

enum err
unique_look(const struct store *st, const struct unique *u,
    const char transaction[SHA256_HEX], unsigned attempt, int64_t now)
{
	struct walk w = { .st = st, .u = u, .now = now };

	return walk(&w, transaction, attempt);
}

enum err
unique_claim(const struct store *st, const struct unique *u,
    const char transaction[SHA256_HEX], unsigned attempt, int64_t now)
{
	struct walk w = { .st = st, .u = u, .now = now, .make = true };

	return walk(&w, transaction, attempt);
}
