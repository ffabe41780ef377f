#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "store/inside.h"
#include "store/queue.h"
#include "store/waiting.h"

/*
 * Redemptions.  used/5f/<id>,<k> is a claim (base/file.h): its word is the
 * path of the outcome that it is to pay for.  Slots 0 to count - 1 are for
 * anybody; a probe starts where its transaction's name says and goes round,
 * so that devices sharing a code seldom meet.  Every slot behind them is
 * opened by one claim that is dead:
 *
 *	claims made <= count + claims dead
 *
 * A claim is dead once its attempt has an outcome that this code did not buy:
 * `abandoned`, or a certificate that another code paid for, since two codes
 * can claim the same attempt, but an attempt has one outcome.  Outcomes never
 * change, so the dead stay dead.  Where the claim paid for a request to wait,
 * it lives: people were asked, whatever became of it.
 *
 * Names are never removed while their code lives, so whoever probes again
 * meets its own claim before any free slot.  The dead are looked for only
 * when all count slots are taken: each costs the reading of an outcome.
 */

static const char behind[] = ",outcome";

/* From where the claim lies up to store/, and down again. */
enum err
claim_word(const struct store *st, const char *path,
    const char name[SHA256_HEX], unsigned attempt, struct buf *out)
{
	for (; *path != '\0'; path++)
		if (*path == '/' && !buf_str(out, "../"))
			return ERR_SYSTEM;
	return outcome_path(st, name, attempt, out);
}

enum err
claim_parse(const struct store *st, const char *path, const char *word,
    struct claim *out)
{
	const char *comma = strchr(word, ',');
	struct buf again = BUF_INIT;
	char number[16] = "";
	size_t len;
	enum err e = ERR_INPUT;

	if (comma == NULL || comma - word < SHA256_HEX - 1 ||
	    !is_hex(comma - (SHA256_HEX - 1), SHA256_HEX - 1))
		goto out;
	memcpy(out->transaction, comma - (SHA256_HEX - 1), SHA256_HEX - 1);
	out->transaction[SHA256_HEX - 1] = '\0';
	len = strcspn(comma + 1, ",");
	if (len >= sizeof(number))
		goto out;
	memcpy(number, comma + 1, len);
	if (!read_number(number, &out->attempt) || out->attempt == 0 ||
	    strcmp(comma + 1 + len, behind) != 0)
		goto out;
	e = claim_word(st, path, out->transaction, out->attempt, &again);
	if (e == OK && strcmp(buf_cstr(&again), word) != 0)
		e = ERR_INPUT;
out:
	buf_release(&again);
	return e;
}

enum err
claim_read(const struct store *st, const char *path, struct claim *out)
{
	struct buf word = BUF_INIT;
	enum err e;

	e = file_claim_read(st->root, path, &word);
	if (e == OK)
		e = claim_parse(st, path, buf_cstr(&word), out);
	if (e == ERR_INPUT)
		log_error("%s is not a claim", path);
	buf_release(&word);
	return e;
}

enum slot { SLOT_FREE, SLOT_OURS, SLOT_TAKEN };

/* One probing of a code's slots. */
struct probe {
	const struct store *st;
	const struct code *code;
	struct buf word;    /* of our own claim; empty: counting, nobody's */
	struct buf path;    /* of the slot looked at */
	size_t stem;	    /* how much of it all slots have in common */
	struct buf target;  /* what stands there */
	struct claim there; /* the same, once it is needed */
	bool make;	    /* claim the first free slot */
};

/* Did this code pay for the request of that attempt to wait? */
static enum err
look_waited(const struct probe *p, bool *yes)
{
	struct waiting w = WAITING_INIT;
	enum err e;

	e = waiting_find(p->st, p->there.transaction, p->there.attempt, &w);
	*yes = e == OK && w.code != NULL && strcmp(w.code, p->code->id) == 0;
	waiting_release(&w);
	return e == ERR_NOTFOUND ? OK : e;
}

/*
 * Is the claim looked at dead?  To whoever claims, that opens a slot, so it
 * must be durable before.
 */
static enum err
look_dead(const struct probe *p, bool *dead)
{
	enum payer payer = PAYER_IT;
	struct buf path = BUF_INIT;
	bool waited = false;
	enum err e;

	*dead = false;
	if (p->there.transaction[0] == '\0') /* damage: it may have paid */
		return OK;
	e = outcome_payer(p->st, &p->there, p->code->id, &payer);
	if (e == ERR_NOTFOUND)
		return OK;
	if (e != OK || payer == PAYER_IT ||
	    (e = look_waited(p, &waited)) != OK || waited)
		return e;
	*dead = true;
	if (!p->make)
		return OK;
	e = outcome_path(p->st, p->there.transaction, p->there.attempt, &path);
	if (e == OK)
		e = store_sync_above(p->st, buf_cstr(&path));
	buf_release(&path);
	return e;
}

static enum err
slot_path(struct probe *p, unsigned k)
{
	if (p->path.len == 0) {
		enum err e =
		    store_path_hex(p->st, "used", p->code->id, ",", &p->path);

		if (e != OK)
			return e;
		p->stem = p->path.len;
	}
	p->path.len = p->stem;
	return buf_printf(&p->path, "%u", k) ? OK : ERR_SYSTEM;
}

/* What is in slot k?  Whose it is, if not ours, is not asked yet. */
static enum err
look(struct probe *p, unsigned k, enum slot *out)
{
	enum err e;

	*out = SLOT_FREE;
	e = slot_path(p, k);
	if (e != OK)
		return e;
	buf_clear(&p->target);
	e = file_claim_read(p->st->root, buf_cstr(&p->path), &p->target);
	if (e == ERR_NOTFOUND)
		return OK;
	*out = SLOT_TAKEN;
	if (e == OK && span_eq(buf_span(&p->target), buf_span(&p->word)))
		*out = SLOT_OURS;
	return e == ERR_INPUT ? OK : e; /* damage: it may have paid */
}

/* Whose claim is it that look() found?  Nobody's that is known: damage. */
static enum err
look_whose(struct probe *p)
{
	enum err e;

	p->there.transaction[0] = '\0';
	e = claim_parse(
	    p->st, buf_cstr(&p->path), buf_cstr(&p->target), &p->there);
	if (e == ERR_INPUT) {
		log_error("%s is not a claim", buf_cstr(&p->path));
		p->there.transaction[0] = '\0';
		e = OK;
	}
	return e;
}

/* The same; with `make`, a free slot becomes ours or somebody else's. */
static enum err
look_or_claim(struct probe *p, unsigned k, enum slot *out)
{
	enum err e;

	e = look(p, k, out);
	if (e != OK || *out != SLOT_FREE || !p->make)
		return e;
	e = file_claim(p->st->root, buf_cstr(&p->path), buf_cstr(&p->word));
	*out = SLOT_OURS;
	if (e != ERR_EXISTS)
		return e;
	e = look(p, k, out);
	return e == OK && *out == SLOT_FREE ? ERR_BUSY : e; /* came and went */
}

/* Where this transaction begins to look. */
static unsigned
first_slot(const struct code *code, const char transaction[SHA256_HEX])
{
	char digits[8] = "";

	memcpy(digits, transaction, 7);
	return (unsigned)(strtoul(digits, NULL, 16) % code->count);
}

/* The slots for anybody.  ERR_REFUSED: all of them are others'. */
static enum err
probe_round(struct probe *p, const char transaction[SHA256_HEX])
{
	unsigned count = p->code->count;
	unsigned first = first_slot(p->code, transaction);
	enum slot slot;
	enum err e;

	for (unsigned i = 0; i < count; i++) {
		e = look_or_claim(p, (first + i) % count, &slot);
		if (e != OK || slot != SLOT_TAKEN)
			return e;
	}
	return ERR_REFUSED;
}

/* OK: p->path is our claim, or with !make the slot that it could be. */
static enum err
probe(struct probe *p, const char transaction[SHA256_HEX], unsigned attempt,
    char by[SHA256_HEX])
{
	unsigned count = p->code->count, limit = count;
	enum slot slot;
	bool dead;
	enum err e;

	by[0] = '\0';
	if ((e = slot_path(p, 0)) == OK)
		e = claim_word(
		    p->st, buf_cstr(&p->path), transaction, attempt, &p->word);
	if (e == OK)
		e = probe_round(p, transaction);
	if (e != ERR_REFUSED)
		return e;
	for (unsigned k = 0; k < limit; k++) {
		e = k < count ? look(p, k, &slot) : look_or_claim(p, k, &slot);
		if (e != OK || slot != SLOT_TAKEN)
			return e;
		if ((e = look_whose(p)) != OK ||
		    (e = look_dead(p, &dead)) != OK)
			return e;
		if (dead)
			limit++;
		else if (by[0] == '\0')
			memcpy(by, p->there.transaction, SHA256_HEX);
	}
	return ERR_REFUSED;
}

static void
probe_release(struct probe *p)
{
	buf_release(&p->word);
	buf_release(&p->path);
	buf_release(&p->target);
}

enum err
code_claim(const struct store *st, const struct code *code,
    const char transaction[SHA256_HEX], unsigned attempt, char by[SHA256_HEX])
{
	struct probe p = { .st = st, .code = code, .make = true };
	enum err e;

	e = probe(&p, transaction, attempt, by);
	if (e == OK) /* also one that an earlier try made and lost */
		e = store_sync_above(st, buf_cstr(&p.path));
	if (e != OK)
		goto out;
	/* code_retire() ends the record, then frees the claims that it sees */
	e = code_living(st, code);
	if (e == ERR_NOTFOUND) {
		log_warn("code %s was replaced during a request", code->id);
		e = ERR_BUSY;
	}
out:
	probe_release(&p);
	return e;
}

enum err
code_paid(const struct store *st, const struct code *code,
    const char transaction[SHA256_HEX], unsigned attempt)
{
	enum err e = code_living(st, code);

	if (e != ERR_NOTFOUND)
		return e;
	log_warn("code %s was replaced during a request", code->id);
	e = outcome_abandon(st, transaction, attempt);
	if (e == ERR_EXISTS) /* it has been decided, and lives */
		return OK;
	return e == OK ? ERR_BUSY : e;
}

enum err
code_room(const struct store *st, const struct code *code,
    const char transaction[SHA256_HEX], unsigned attempt, char by[SHA256_HEX])
{
	struct probe p = { .st = st, .code = code };
	enum err e;

	e = probe(&p, transaction, attempt, by);
	probe_release(&p);
	return e;
}

/* each(claim) for every claim of a code. */
static enum err
each_claim(const struct store *st, const struct code *code,
    enum err (*each)(const struct probe *, void *arg), void *arg)
{
	struct probe p = { .st = st, .code = code };
	enum slot slot;
	enum err e = OK;

	for (unsigned k = 0; e == OK; k++) {
		e = look(&p, k, &slot);
		if (e != OK)
			break;
		if (slot != SLOT_FREE && (e = look_whose(&p)) == OK)
			e = each(&p, arg);
		if (slot == SLOT_FREE &&
		    k >= code->count) /* those behind have no gaps */
			break;
	}
	probe_release(&p);
	return e;
}

static enum err
count_one(const struct probe *p, void *arg)
{
	unsigned *used = arg;
	bool dead;
	enum err e = look_dead(p, &dead);

	if (e == OK && !dead)
		++*used;
	return e;
}

enum err
code_used(const struct store *st, const struct code *code, unsigned *used)
{
	*used = 0;
	return each_claim(st, code, count_one, used);
}

/* OK: something has come of the claim; ERR_NOTFOUND: nothing yet. */
static enum err
look_settled(const struct probe *p)
{
	const struct claim *c = &p->there;
	enum payer payer;
	enum err e;

	if (c->transaction[0] == '\0') /* damage: it may have paid */
		return OK;
	e = outcome_payer(p->st, c, p->code->id, &payer);
	/* what waits for people is not dead, and theirs to end */
	if (e == ERR_NOTFOUND)
		e = waiting_exists(p->st, c->transaction, c->attempt);
	/* what waits for a CA elsewhere has been paid for */
	if (e == ERR_NOTFOUND)
		e = queue_waits(p->st, c->transaction, c->attempt);
	return e;
}

static enum err
count_settled(const struct probe *p, void *arg)
{
	enum err e = look_settled(p);

	if (e == ERR_NOTFOUND)
		return OK;
	return e == OK ? count_one(p, arg) : e;
}

enum err
code_spent(const struct store *st, const struct code *code, unsigned *spent)
{
	*spent = 0;
	return each_claim(st, code, count_settled, spent);
}

static enum err
free_one(const struct probe *p, void *arg)
{
	enum err e = look_settled(p);

	(void)arg;
	if (e != ERR_NOTFOUND)
		return e;
	e = outcome_abandon(p->st, p->there.transaction, p->there.attempt);
	return e == ERR_EXISTS ? OK : e; /* it lives after all */
}

enum err
code_free_claims(const struct store *st, const struct code *code)
{
	return each_claim(st, code, free_one, NULL);
}

struct wanted {
	const char *transaction;
	unsigned attempt;
};

static enum err
find_one(const struct probe *p, void *arg)
{
	const struct wanted *w = arg;

	return p->there.attempt == w->attempt &&
		       strcmp(p->there.transaction, w->transaction) == 0 ?
		   ERR_EXISTS :
		   OK;
}

enum err
claim_find(const struct store *st, const struct code *code,
    const char transaction[SHA256_HEX], unsigned attempt)
{
	struct wanted w = { transaction, attempt };
	enum err e;

	e = each_claim(st, code, find_one, &w);
	if (e == ERR_EXISTS)
		return OK;
	return e == OK ? ERR_NOTFOUND : e;
}
