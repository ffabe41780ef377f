#ifndef STORE_TRANSACTION_H
#define STORE_TRANSACTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/names.h"
#include "store/store.h"

/*
 * A transaction is what a transactionID and a signer key name; its attempts
 * are numbered from 1 without gaps.  The file `,<attempt>,outcome` is the
 * one truth of an attempt (STORE.md, Transactions):
 *
 *	(nothing) --link--> certificate | abandoned | denied | expired | passed
 *	                    | refused
 *
 * All but the first two are of a request that waited (store/waiting.h), the
 * last of one that waited for a CA elsewhere (store/queue.h).
 *
 * A certificate's outcome and its name in cert/ are one inode.
 */
struct transaction {
	char name[SHA256_HEX]; /* hash of all below and the signer's key */
	const char *alias;     /* borrowed */
	const char *ca;	       /* the recipient; borrowed */
	struct span id;	       /* transactionID, opaque bytes; borrowed */
};

/* Computes t->name; signer_key is SHA-256 of the signer's SPKI DER. */
enum err transaction_name(
    struct transaction *t, const uint8_t signer_key[SHA256_LEN]);

enum outcome_kind {
	OUTCOME_CERTIFICATE,
	OUTCOME_ABANDONED,
	OUTCOME_DENIED,	 /* a person said no */
	OUTCOME_EXPIRED, /* nobody said anything */
	OUTCOME_PASSED,	 /* its approval paid for another transaction */
	OUTCOME_REFUSED, /* the CA of an external RA said no */
	OUTCOME__MAX
};

/* An outcome, and as much of it as `cert list` shows. */
struct outcome {
	enum outcome_kind kind;
	char transaction[SHA256_HEX];
	unsigned attempt;
	char *alias;
	char *ca;
	unsigned generation; /* of the CA that issued */
	struct buf id;	     /* transactionID as received */
	char *entity;	     /* username */
	char *subject;	     /* as text, for people */
	char *code;	     /* id of the code that paid, also for REFUSED */
	char *renews;  /* "<ca>/<generation>/<serial>" that paid, or NULL */
	char *held;    /* who is to be told before it leaves, or NULL */
	char *by;      /* DENIED: who; PASSED: the path of the outcome */
	char *why;     /* DENIED, REFUSED: the reason, for people */
	unsigned fail; /* REFUSED: failInfo */
	char *profile;
	char *remote;	       /* who asked */
	char csr[SHA256_HEX];  /* SHA-256 of the exact CSR; REFUSED: or "" */
	char spki[SHA256_HEX]; /* SHA-256 of the certified SPKI */
	char serial[41];       /* lower-case hex, as many digits as bytes */
	int64_t issued;	       /* when; also of a denial */
	int64_t registered;    /* when its entity was; 0: not known */
	int64_t not_before, not_after;
	struct buf cert; /* DER */
};
#define OUTCOME_INIT \
	{            \
		0    \
	}
void outcome_release(struct outcome *o);

/*
 * Of one attempt; ERR_NOTFOUND: none.  Alias, CA and id inside are compared
 * with t.  Damage is ERR_SYSTEM (logged), here and below.
 */
enum err outcome_find(const struct store *st, const struct transaction *t,
    unsigned attempt, struct outcome *out);

/* The highest attempt that has one; ERR_NOTFOUND: none has. */
enum err outcome_latest(
    const struct store *st, const struct transaction *t, struct outcome *out);

/*
 * The last attempt whose CSR was byte-identical, for the same payment: a
 * replay.  `renews` is the certificate that it was to renew, NULL: none.  A
 * client that keeps its key may renew with the very CSR it enrolled with.
 */
enum err outcome_replay(const struct store *st, const struct transaction *t,
    const char csr[SHA256_HEX], const char *renews, struct outcome *out);

/*
 * The issuance (STORE.md, A grant, steps 4 to 7): temporary file, fsync,
 * link as the outcome of o->attempt, fsync, audit line, second link in cert/,
 * fsync.  ERR_TOOBIG (logged): nobody could read it, so nothing was linked.
 * ERR_EXISTS: that attempt has an outcome already; read that one.
 * Three fsyncs; nothing may leave before it has answered OK.
 */
enum err outcome_link(const struct store *st, const struct outcome *o);

/*
 * Audit line and name in cert/ again, by whoever reads an outcome later, before it answers: the
 * outcome is durable then (STORE.md I1).  Cheap when the name is there.
 */
enum err outcome_publish(const struct store *st, const struct outcome *o);

/*
 * The release mark of a held certificate, `,<attempt>,released` beside its
 * outcome: whoever it was held for has acknowledged it, once and for all.
 * outcome_let_go() makes it, durably; OK also where it stands.  Of others
 * than held ones there is none, and nobody asks.
 */
enum err outcome_released(
    const struct store *st, const struct outcome *o, bool *yes);
enum err outcome_let_go(
    const struct store *st, const struct outcome *o, int64_t now);

/*
 * Links `abandoned` as the outcome, durably; OK also if it was abandoned
 * before.  ERR_EXISTS: too late, it lives.
 */
enum err outcome_abandon(
    const struct store *st, const char name[SHA256_HEX], unsigned attempt);

/*
 * Links an outcome that is no certificate, durably: kind, transaction,
 * attempt, and of by, why and issued what its kind has; with alias, the
 * request's name in waiting/ goes.  OK also where these very words stand
 * already.  ERR_EXISTS: decided otherwise; read it.
 */
enum err outcome_decide(const struct store *st, const struct outcome *o);

/* Kind of the outcome of an attempt by the transaction's name alone. */
enum err outcome_kind(const struct store *st, const char name[SHA256_HEX],
    unsigned attempt, enum outcome_kind *out);

/*
 * outcome_publish() by that name: a certificate has all its links then.
 * ERR_NOTFOUND: there is no outcome yet.
 */
enum err outcome_finish(
    const struct store *st, const char name[SHA256_HEX], unsigned attempt);

#endif
