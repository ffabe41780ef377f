#ifndef QUEUE_H
#define QUEUE_H

#include "aliases/alias.h"
#include "ca/ca.h"
#include "ca/profile.h"
#include "enrol.h"
#include "message/letter.h"
#include "store/queue.h"

/*
 * An external RA and its CA (ejbca-behaviour 9).  The RA has a key and a
 * certificate of its own, the CA's certificate, and never its key.  Nothing
 * connects inward: the CA's host fetches what waits, and leaves its answers.
 *
 *	client -PKCSReq-> RA: queue_enrol() -> out/ --pull--> queue_answer() :CA
 *	client <-PENDING-  |                                       |
 *	client --poll---> RA: queue_poll() <- queue_take() <- in/ <'
 *
 * An attempt on the RA's host:
 *
 *	(nothing) -> out/ (waits) -> outcome: certificate | refused
 *
 * The CA decides about a request as about one of its own clients, so that a
 * request that it gets twice has one answer; it waits there for people where
 * it has to, and is asked about again by the next pull.
 */

/* ---- on the RA's host --------------------------------------------------- */

/* What is asked for; all borrowed. */
struct queue_side {
	const struct store *store;
	int home;
	const struct alias *alias;
	const struct ca *const *cas; /* of the alias */
	size_t n;
	int64_t now;
};

/*
 * What every request to an external RA does first: news that have come are
 * taken, before anybody borrows a CA.  What is wrong with them is logged.
 */
struct visit;
void queue_visit(struct visit *v);

/* As enrol_decide() and enrol_grant() in one: KEPT, WAIT or REFUSE. */
enum err queue_enrol(const struct enrol *in, const struct queue_side *s,
    const struct pkimsg *msg, struct decision *d);
/* As enrol_poll(). */
enum err queue_poll(const struct enrol *in, const struct queue_side *s,
    const struct pkimsg *msg, struct decision *d);

/*
 * The answer to one request, if it has come: verified, then the attempt's
 * outcome.  ERR_NOTFOUND: it has not, or was taken already; ERR_INPUT: it is
 * none of the CA's to this request, *why says what (a constant).  It is taken
 * away, so that the next pull brings the right one.
 */
enum err queue_take(
    const struct queue_side *s, const char *name, const char **why);

/*
 * The same of the CA's news: its CRL, and those of its former keys, go into
 * the store, its next certificate, or a new one for its key, becomes a
 * generation of the CA here.  ERR_NOTFOUND: there are none, or none newer than
 * the last.  ERR_INPUT: one letter of them was none; others may have been
 * taken.  ERR_EXISTS: a new certificate was taken; ask again, with the CA read
 * anew, for the rest.
 */
#define QUEUE_ROUNDS 2 /* so often at most */
enum err queue_take_news(
    const struct queue_side *s, const struct ca *ca, const char **why);

/*
 * "news,<16 hex digits>" of a CA's name: the same on both hosts.  What a former
 * key's CRL comes in has those of the key.
 */
#define QUEUE_NEWS_NAME 32
enum err queue_news_name(const struct ca *ca, char out[QUEUE_NEWS_NAME]);

/* Bytes of the last GetNextCACert answer; ERR_NOTFOUND: none came. */
enum err queue_next_answer(
    const struct queue_side *s, const struct ca *ca, struct buf *out);

/* ---- on the CA's host --------------------------------------------------- */

struct queue_desk {
	const struct store *store;
	struct cas *cas;
	struct profiles *profiles;
	const struct site *site;
	int home;
	const struct alias *alias; /* has [queue] ra */
	int64_t now;
};

/*
 * One file of an RA's out/, under its name.  OK: *answer is the file for in/,
 * or stays empty where the request waits for people; *entity is whose it is
 * (malloc'd, may stay NULL).  ERR_INPUT: it is not one of this RA's requests,
 * whole and unchanged; *why is a constant.  Others: our own trouble, logged;
 * the next pull tries again.
 */
struct queue_answer {
	struct buf file;
	const char *result; /* "issued", "refused", "waits", "answered" */
	const char *reason; /* of a refusal; constant, or NULL */
	const char *why;    /* with ERR_INPUT */
	char *subject;	    /* as text, or NULL */
};
enum err queue_answer(const struct queue_desk *desk, const char *name,
    struct span file, struct queue_answer *out);
void queue_answer_release(struct queue_answer *a);

/*
 * Forgets what was said to this alias's requests before a time: a durable
 * mark first, by which their letters are refused from then on.  It counts up.
 */
struct queue_pruned {
	unsigned gone, kept;
	unsigned bad; /* cannot be read; kept too */
};
enum err queue_prune(const struct store *store, const char *alias,
    int64_t before, struct queue_pruned *out);

/*
 * each(name, file, arg) for the news of one CA of the alias, files for in/:
 * the CA's, and the CRL of each former key whose certificates may live still,
 * a letter by itself.  *missing counts those that could not be made (logged);
 * an error of each ends it.
 */
enum err queue_news_each(const struct queue_desk *desk, const struct ca *ca,
    enum err (*each)(const char *name, struct span file, void *arg), void *arg,
    unsigned *missing);

#endif
