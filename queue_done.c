#include <string.h>

#include "base/log.h"
#include "base/time.h"
#include "message/signed.h"
#include "queue.h"
#include "queue_own.h"
#include "queue_text.h"

/*
 * What the CA's host has said to the requests of its external RAs: it is said
 * again, to a further letter of the same CSR too, and forgotten in the end.
 *
 * Whoever brings an old letter again, when its answer is forgotten, must not
 * have it decided once more.  So that letters can be told from new ones by
 * their own signed time, none is taken that was written more than
 * QUEUE_AHEAD before its time: the letter of an answer of time t was written
 * before t + QUEUE_AHEAD.  Before the answers of before t go, the mark
 * t + QUEUE_AHEAD is durable, and what was written before that and has no
 * answer is not decided (queue_answer.c).
 */

/* An answer of our own store, opened; spans borrow from it. */
struct said {
	struct span text, part[LETTER_PARTS];
};

static enum err
said_read(struct span letter, struct said *out)
{
	const char *why = NULL;
	struct signed_data sd;
	enum err e = signed_read(letter, &sd, &why);

	return e == OK ? letter_content(sd.content, &out->text, out->part) : e;
}

/* "<name>,<SHA-256 of its nonce>": a further letter of that name. */
#define FURTHER (QUEUE_NAME + SHA256_HEX)

static void
further(const char *name, const char letter[SHA256_HEX], char out[FURTHER])
{
	(void)snprintf(out, FURTHER, "%s,%s", name, letter);
}

enum err
queue_said(const struct queue_desk *desk, const char *name,
    const char letter[SHA256_HEX], struct queue_done *out)
{
	struct queue_done own = { .letter = BUF_INIT };
	char path[FURTHER];
	enum err e, other;

	e = queue_done(desk->store, desk->alias->name, name, out);
	if ((e != OK && e != ERR_NOTFOUND) ||
	    (e == OK && strcmp(out->request, letter) == 0))
		return e;
	further(name, letter, path);
	other = queue_done(desk->store, desk->alias->name, path, &own);
	if (other == OK) {
		buf_release(&out->letter);
		*out = own;
		return OK;
	}
	if (other != ERR_NOTFOUND)
		return other;
	return e == OK ? ERR_EXISTS : e;
}

/* The same text and certificate. */
static enum err
seal_again(struct span said, const char *name, struct span nonce,
    const struct generation *by, struct buf *der)
{
	struct letter letter = {
		.kind = LETTER_RESULT, .name = name, .answers = nonce
	};
	struct said s;
	enum err e = said_read(said, &s);

	if (e == ERR_INPUT) {
		log_error("the answer to request %s that was kept cannot be "
			  "read: `scep check` tells more",
		    name);
		return ERR_SYSTEM;
	}
	if (e != OK || (e = random_bytes(letter.nonce, LETTER_NONCE)) != OK)
		return e;
	letter.text = s.text;
	memcpy(letter.part, s.part, sizeof(letter.part));
	return letter_seal(&letter, by, NULL, der);
}

enum err
queue_say_again(const struct queue_desk *desk, const char *name,
    const struct queue_further *to, struct queue_done *said)
{
	struct queue_done done = { .letter = BUF_INIT };
	char path[FURTHER];
	enum err e;

	memcpy(done.request, to->letter, sizeof(done.request));
	memcpy(done.csr, said->csr, sizeof(done.csr));
	done.time = desk->now;
	e = seal_again(
	    buf_span(&said->letter), name, to->nonce, to->by, &done.letter);
	if (e == OK) {
		further(name, to->letter, path);
		e = queue_done_link(
		    desk->store, desk->alias->name, path, &done);
	}
	buf_release(&done.letter);
	if (e != OK && e != ERR_EXISTS) /* another pull was faster */
		return e;
	buf_release(&said->letter);
	return queue_said(desk, name, to->letter, said);
}

/* ---- forgetting ---------------------------------------------------------- */

struct pruning {
	const struct store *store;
	const char *alias;
	int64_t before;
	struct queue_pruned *out;
};

/* When was it said?  ERR_INPUT (silent): nobody can tell. */
static enum err
said_time(const struct pruning *p, const char *name, int64_t *time)
{
	struct queue_done done = { .letter = BUF_INIT };
	struct queue_result r = { .issued = false };
	struct said s;
	enum err e = queue_done(p->store, p->alias, name, &done);

	*time = done.time;
	if (e != OK || done.time != 0)
		goto out;
	/* an old record: the letter has it */
	if ((e = said_read(buf_span(&done.letter), &s)) == OK)
		e = queue_result_read(s.text, &r);
	*time = r.time;
out:
	queue_result_release(&r);
	buf_release(&done.letter);
	return e;
}

/* What cannot be read stays, and is told of by `scep check`; what cannot be
 * removed ends it. */
static enum err
prune_one(const char *name, void *arg)
{
	const struct pruning *p = arg;
	int64_t time;
	enum err e = said_time(p, name, &time);

	if (e == ERR_NOTFOUND) /* another prune was faster */
		return OK;
	if (e != OK) {
		p->out->bad++;
		return OK;
	}
	if (time >= p->before) {
		p->out->kept++;
		return OK;
	}
	if ((e = queue_done_drop(p->store, p->alias, name)) == OK)
		p->out->gone++;
	return e;
}

/* Is there anything to forget?  Then ERR_EXISTS. */
static enum err
find_one(const char *name, void *arg)
{
	const struct pruning *p = arg;
	int64_t time;

	return said_time(p, name, &time) == OK && time < p->before ?
		   ERR_EXISTS :
		   OK;
}

enum err
queue_prune(const struct store *store, const char *alias, int64_t before,
    struct queue_pruned *out)
{
	struct pruning p = { store, alias, before, out };
	enum err e = queue_done_each(store, alias, find_one, &p);

	if (e != OK && e != ERR_EXISTS)
		return e;
	if (e == ERR_EXISTS)
		e = queue_mark_link(store, alias, before + QUEUE_AHEAD);
	return e == OK ? queue_done_each(store, alias, prune_one, &p) : e;
}
