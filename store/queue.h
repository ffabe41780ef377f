#ifndef STORE_QUEUE_H
#define STORE_QUEUE_H

#include "store/transaction.h"

/*
 * The queue between an external RA and its CA, a room for each alias:
 *
 *	queue/<alias>/out/ab34...,1	a request that waits for the CA
 *	queue/<alias>/in/ab34...,1	what the CA says to it
 *	queue/<alias>/in/news,<CA>	the CA's news, the last that came
 *	queue/<alias>/news,<CA>,<seconds>	when the last good ones were
 *	queue/<alias>/untold/...	what a judge is to be told of; below
 *	queue/<alias>/done/ab/ab34...,1	on the CA's host: what it has said
 *	queue/<alias>/pruned,<seconds>	there: before when that was forgotten
 *
 * Names are <transaction>,<attempt>.  On the RA's host the file in out/ is the
 * one truth of a request that waits: linked once, and gone when the attempt
 * has its outcome.  On the CA's host the one in done/ is the one truth of an
 * answer.  out/ and in/ are what travels, by rsync or by a stream.
 *
 * All of them have a letter (message/letter.h) behind them as a PEM block,
 * which `openssl cms` reads; what stands before it is for this host and for
 * people, and nobody far away believes it.
 */
#define QUEUE_NAME  80 /* "<transaction>,<attempt>" and NUL */
#define QUEUE_NONCE 33 /* in hex, and NUL */
#define QUEUE_LABEL "CMS"

struct queued {
	char transaction[SHA256_HEX];
	unsigned attempt;
	char csr[SHA256_HEX];	 /* SHA-256 of the exact CSR */
	char spki[SHA256_HEX];	 /* SHA-256 of its key */
	char nonce[QUEUE_NONCE]; /* of its letter */
	char *alias, *ca;
	struct buf txid;
	char *username, *subject, *remote; /* for people; or NULL */
	char *code;			   /* id of what paid here, or NULL */
	char *held; /* whom to tell before the answer leaves, or NULL */
	int64_t created;
	struct buf letter; /* DER */
};
void queued_release(struct queued *q);

/* "<transaction>,<attempt>", and back; false: no such name. */
void queue_name(
    const char transaction[SHA256_HEX], unsigned attempt, char out[QUEUE_NAME]);
bool queue_name_read(
    const char *name, char transaction[SHA256_HEX], unsigned *attempt);

/*
 * Writes nothing.  ERR_TOOBIG (logged): its letter is over 32 KiB, or nobody
 * could read its record.
 */
enum err queue_fits(const struct queued *q);

/*
 * Links it, durably.  ERR_EXISTS: this attempt waits already; ERR_TOOBIG as
 * above.
 */
enum err queue_link(const struct store *st, const struct queued *q);

/* ERR_NOTFOUND: it does not wait.  Damage is ERR_SYSTEM (logged). */
enum err queue_find(const struct store *st, const char *alias,
    const char transaction[SHA256_HEX], unsigned attempt, struct queued *out);

/* The bytes of its file, as they travel, whatever they are. */
enum err queue_out_file(const struct store *st, const char *alias,
    const char transaction[SHA256_HEX], unsigned attempt, struct buf *file);

/* Does this attempt wait in any alias's queue?  OK, ERR_NOTFOUND. */
enum err queue_waits(const struct store *st, const char transaction[SHA256_HEX],
    unsigned attempt);

/* The attempt has its outcome: out/ and in/ are cleared of it. */
void queue_drop(const struct store *st, const char *alias,
    const char transaction[SHA256_HEX], unsigned attempt);

/* One name of in/ alone. */
void queue_drop_in(const struct store *st, const char *alias, const char *name);

/* each(name, arg) for the names in out/ of an alias, or in in/; sorted. */
enum err queue_each(const struct store *st, const char *alias, bool in,
    enum err (*each)(const char *name, void *arg), void *arg);

/* each(alias, arg) for the aliases that have a room. */
enum err queue_aliases(const struct store *st,
    enum err (*each)(const char *alias, void *arg), void *arg);

/*
 * Appends the letter of one file; `where` begins at the store: "queue/...".
 * ERR_NOTFOUND; ERR_INPUT (silent): no whole one is there.
 */
enum err queue_letter(
    const struct store *st, const char *where, struct buf *der);

/* A file of in/: taken as it came, and put there by `queue import`. */
enum err queue_in_path(const char *alias, const char *name, struct buf *out);
enum err queue_put_in(const struct store *st, const char *alias,
    const char *name, struct span file);

/*
 * queue/<alias>/untold/<transaction>,<attempt>,<csr>: the request as it came,
 * sealed, while a judge has to hear what became of it and a poll does not
 * bring it.  Linked before the record in out/, and removed when the judge has
 * been told; nothing is decided by it.
 */
struct untold {
	const char *alias, *transaction; /* borrowed, all three */
	unsigned attempt;
	const char *csr; /* SHA-256 of the exact CSR */
};
/* Durable; OK also where one of that name stands. */
enum err untold_link(
    const struct store *st, const struct untold *u, struct span letter);
/* Appends the letter.  ERR_NOTFOUND; ERR_INPUT (silent): it is not whole. */
enum err untold_find(
    const struct store *st, const struct untold *u, struct buf *letter);
void untold_drop(const struct store *st, const struct untold *u);
/* The parts of such a name, also of a further letter; false: it is none. */
bool untold_name_read(const char *name, char transaction[SHA256_HEX],
    unsigned *attempt, char csr[SHA256_HEX]);

/*
 * The same, if what lies there is what was read: this letter, or nothing whole
 * where it is empty.  What a pull has put there since stays; a crash can lose
 * that, so it is for what each pull brings anew.
 */
void queue_drop_read(const struct store *st, const char *alias,
    const char *name, struct span letter);

/* The room, out/ and in/ of an alias; they may be there. */
enum err queue_rooms(const struct store *st, const char *alias);

/* A letter as a file: a head for people, and the PEM block. */
enum err queue_file(
    const char *kind, const char *name, struct span letter, struct buf *out);
/* Back from a file's bytes; ERR_INPUT (silent): it is not whole. */
enum err queue_unfile(struct span file, struct buf *letter);

/*
 * On the CA's host: what was said to this request.  queue_done_link():
 * ERR_EXISTS, another pull was faster.  queue_done(): ERR_NOTFOUND, nothing
 * yet, or not any more.  A further letter of that name has "<name>,<SHA-256 of
 * its nonce>".
 */
struct queue_done {
	char request[SHA256_HEX]; /* SHA-256 of its letter's signed nonce */
	char csr[SHA256_HEX];	  /* and of its CSR; "" in old records */
	int64_t time;		  /* when it was said; 0 in old records */
	struct buf letter;
};
enum err queue_done(const struct store *st, const char *alias, const char *name,
    struct queue_done *out);
enum err queue_done_link(const struct store *st, const char *alias,
    const char *name, const struct queue_done *done);
/* each(name, arg) for those of an alias, a shard at a time, sorted. */
enum err queue_done_each(const struct store *st, const char *alias,
    enum err (*each)(const char *name, void *arg), void *arg);
/* Behind a mark alone: else its request could be decided once more. */
enum err queue_done_drop(
    const struct store *st, const char *alias, const char *name);

/*
 * Answers were forgotten: what was written before *time and has none may have
 * had one.  0: none was.  Whoever misses an answer reads it after that, not
 * before, as the mark is durable before the first answer goes.
 */
enum err queue_mark(const struct store *st, const char *alias, int64_t *time);
/* A lower one than stands changes nothing. */
enum err queue_mark_link(
    const struct store *st, const char *alias, int64_t time);
/* "pruned,<seconds>"; false: no such name. */
bool queue_mark_read(const char *name, int64_t *time);

/*
 * On the RA's host, queue/<alias>/news,<ca>,<seconds>: when the last good news
 * were written, and the GetNextCACert answer in them.  The highest counts, and
 * takes those below it away, also one of a former program, whose name has no
 * time; so who is late with older news changes nothing.  Of one second the last
 * that was kept counts.
 * ERR_NOTFOUND: none came.
 */
struct queue_kept {
	int64_t time;
	struct buf next; /* or empty */
};
enum err queue_kept(const struct store *st, const char *alias, const char *name,
    struct queue_kept *out);
enum err queue_keep(const struct store *st, const char *alias, const char *name,
    const struct queue_kept *kept);

#endif
