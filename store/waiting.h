#ifndef STORE_WAITING_H
#define STORE_WAITING_H

#include "store/transaction.h"

/*
 * A request that has to wait for people: transaction/ab/ab34...,<attempt>,
 * linked once, and waiting as long as that attempt has no outcome.  It keeps
 * what the CSR asks for without its challenge, the digests of the exact CSR,
 * and the rules it came with, which a later change of alias or profile does
 * not touch.  Its key stands behind it as a PEM block.
 *
 *	(nothing) --record--> waiting --outcome--> certificate | denied |
 *	                                           expired | passed | abandoned
 *
 * waiting/<alias>/ab34...,<attempt> is a hint that leads to it, for people
 * and for the limits.
 */
struct waiting {
	char transaction[SHA256_HEX];
	char id[SHA256_HEX]; /* digest of what approvers see; not in the file */
	char signer[SHA256_HEX]; /* SHA-256 of the signer's SPKI */
	char csr[SHA256_HEX];	 /* SHA-256 of the exact CSR */
	char spki[SHA256_HEX];	 /* SHA-256 of the SPKI */
	char nonce[33];		 /* no two records have one id */
	unsigned attempt;
	unsigned generation; /* of the CA, that would issue */
	unsigned required;   /* yeses of different people */
	int64_t validity;    /* seconds at most; 0: the profile's */
	char *alias;
	char *ca;
	struct buf txid;
	char *username;
	char *subject;	     /* as text, for people */
	char *san;	     /* as text, or NULL */
	char *profile;	     /* certificate profile */
	char *entityprofile; /* NULL: the same */
	char *remote;
	char *renews; /* "<ca>/<generation>/<serial>" or NULL */
	char *code;   /* id of the code that paid for it to wait, or NULL */
	char *sha1, *sha512, *md5; /* hex digests of the exact CSR (C-114) */
	struct buf subject_der, san_der, spki_der;
	struct buf asked_der; /* Extensions that were asked for */
	int64_t created, expires;
	char *moved; /* record it was, before `alias rename`, or NULL */
};
#define WAITING_INIT \
	{            \
		0    \
	}
void waiting_release(struct waiting *w);

/*
 * Links the record, fsynced, and its hint; id and, where it is empty, nonce
 * are filled.  alias must be one (alias_name_ok()).  ERR_EXISTS: the attempt
 * has a record already; read that one.  ERR_TOOBIG (logged): it does not fit;
 * waiting_fits() says so before, and writes nothing.
 */
enum err waiting_link(const struct store *st, struct waiting *w);
enum err waiting_fits(struct waiting *w);

/* Its attempt was abandoned as it was linked: takes its hint away. */
void waiting_drop(const struct store *st, const struct waiting *w);

/* Has this attempt a request, decided or not?  OK, ERR_NOTFOUND. */
enum err waiting_exists(
    const struct store *st, const char name[SHA256_HEX], unsigned attempt);

/*
 * The record of an attempt, decided or not; ERR_NOTFOUND.  Damage is
 * ERR_SYSTEM (logged).
 */
enum err waiting_find(const struct store *st, const char name[SHA256_HEX],
    unsigned attempt, struct waiting *out);

/*
 * The request of this transaction that has no outcome; ERR_NOTFOUND: none
 * waits.  *next is the number of the next attempt in either case.  It also
 * makes its hint again, and of a record that `alias rename` wrote it makes
 * sure that the old one is over; a request that was decided there meanwhile
 * has passed here.
 */
enum err waiting_latest(const struct store *st, const char name[SHA256_HEX],
    struct waiting *out, unsigned *next);

/*
 * each(record, arg) for the requests of an alias that have no outcome, in no
 * order; stops at the first answer that is not OK.  Hints that lead nowhere
 * are taken away.
 */
enum err waiting_each(const struct store *st, const char *alias,
    enum err (*each)(const struct waiting *, void *arg), void *arg);

/* each(alias, arg) for every alias that had one waiting at some time. */
enum err waiting_aliases(const struct store *st,
    enum err (*each)(const char *alias, void *arg), void *arg);

/*
 * each(record, arg) for all requests that waited or wait, of all aliases:
 * walks everything.
 */
enum err waiting_walk(const struct store *st,
    enum err (*each)(const struct waiting *, void *arg), void *arg);

/*
 * May one more wait?  limit for the alias, persource for that remote (0: no
 * limit).  ERR_REFUSED: no; *by_source says which.  Those over at `now` are
 * no hindrance: they become `expired` here.  Workers who ask at the same
 * moment may exceed it by their number.
 */
struct waiting_limit {
	const char *alias, *remote;
	unsigned limit, persource;
	int64_t now;
};
enum err waiting_room(
    const struct store *st, const struct waiting_limit *limit, bool *by_source);

/*
 * Is its time over?  Of an approved one it begins anew with the last yes.
 * expire: then links `expired`; OK also where it has another outcome by now.
 */
enum err waiting_over(
    const struct store *st, const struct waiting *w, int64_t now, bool *over);
enum err waiting_expire(const struct store *st, const struct waiting *w);

/*
 * The yes to w buys this attempt of another transaction: links `passed`.
 * OK also where it did before; ERR_EXISTS: something else has become of w.
 */
enum err waiting_pass(const struct store *st, const struct waiting *w,
    const char name[SHA256_HEX], unsigned attempt);
/* Has it?  ERR_NOTFOUND: w has no outcome; ERR_EXISTS: another one. */
enum err waiting_passed(const struct store *st, const struct waiting *w,
    const char name[SHA256_HEX], unsigned attempt);

/*
 * `alias rename`: every request that waits for `from` gets a record under the
 * alias `to`; with `leave`, the old one is abandoned then.  Until that it is
 * the one that counts (waiting_latest()).  *moved counts them; doing it again
 * is fine, after a crash too.
 */
enum err waiting_move(const struct store *st, const char *from, const char *to,
    bool leave, unsigned *moved);

#endif
