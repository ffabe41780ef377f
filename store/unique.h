#ifndef STORE_UNIQUE_H
#define STORE_UNIQUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/names.h"
#include "store/transaction.h"

/*
 * Who may have a key or a subject, where only one may (C-119).  The claims
 * key/5d/<hash>,<n> and subject/5d/<hash>,<n> (base/file.h) each name the
 * transaction and attempt whose certificate is to have it, as redemptions do:
 *
 *	slot n+1 may be claimed only when each slot up to n is
 *	  dead:  its attempt was abandoned, or has a certificate with another
 *	         key or subject, or one that is expired or revoked (a hold is
 *	         not: it may be lifted); or
 *	  own:   it has a certificate of the same entity, where those do not
 *	         collide.
 *
 * One claim is decided by one symlink(2), so of any number of rivals one has
 * the slot; the others meet it and ask again.  Only time and people make a
 * slot dead, and the dead stay dead, so what was passed once is passed for
 * good.
 */
#define UNIQUE_KEY     "key"
#define UNIQUE_SUBJECT "subject"

struct unique {
	const char *kind;      /* UNIQUE_KEY or UNIQUE_SUBJECT */
	char hash[SHA256_HEX]; /* of the issuer, and the key or subject */
	const char *own; /* entity whose certificates do not collide; or NULL */
	/* Has this certificate the key or subject?  `arg` is its own. */
	bool (*has)(const struct outcome *o, const void *arg);
	const void *arg;
	/*
	 * A request of this entity that waits for people holds nobody up who
	 * only looks; and that whose approval is about to be passed on
	 * (`passed`, `passed_attempt`; NULL: none) nobody at all.
	 */
	const char *entity, *passed;
	unsigned passed_attempt;
};

/* The hash of an issuer and what it certifies, each as bytes. */
enum err unique_hash(
    struct span issuer, struct span what, char out[SHA256_HEX]);

/*
 * Could this transaction and attempt have it?  OK; ERR_REFUSED (silent): a
 * living certificate has it; ERR_BUSY: another's claim is undecided, ask
 * again.  Claims nothing; the transaction may be empty, which is nobody's.
 */
enum err unique_look(const struct store *st, const struct unique *u,
    const char transaction[SHA256_HEX], unsigned attempt, int64_t now);

/*
 * Claims it, durably, or finds the claim of an earlier try.  The same answers.
 * A claim of somebody else that came to nothing for SETTLED seconds is freed
 * by linking `abandoned`, unless its request waits for people.  Makes the room
 * in a store of an older version.
 */
enum err unique_claim(const struct store *st, const struct unique *u,
    const char transaction[SHA256_HEX], unsigned attempt, int64_t now);

#endif
