#ifndef STORE_CODE_H
#define STORE_CODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/names.h"
#include "store/store.h"

/*
 * A code is an entity's enrolment secret.  secret/9c/<username>,<id> keeps
 * salt and hash, never the code; used/5f/<id>,<k> are its redemptions, each a
 * claim (base/file.h) naming the transaction and attempt that it paid for;
 * try/5f/<id>,<hour>,<k> are attempt marks.  A code is never moved or
 * changed: setpwd writes another.  One that was made for a request, not for
 * an entity, lies in onetime/ (store/onetime.h), and is redeemed alike.
 */
enum code_form {
	CODE_SHA256, /* generated, at least 128 bits: one salted hash */
	CODE_SCRYPT, /* chosen by a person: costs time and memory to guess */
	CODE_SEALED, /* as sha256, and kept encrypted too (C-95 to C-97) */
	CODE__MAX
};

#define CODE_ID 33 /* 32 hex digits and NUL */

struct code {
	char id[CODE_ID];
	bool onetime;	/* its record lies in onetime/ */
	char *username; /* else: whose it is */
	enum code_form form;
	uint8_t salt[16];
	uint8_t hash[32];
	struct buf sealed; /* CODE_SEALED: itself, for code_reveal() */
	unsigned count;	   /* certificates it may pay for, from 1 */
	int64_t created;
	int64_t expires; /* 0: never */
};
void code_release(struct code *c);

/*
 * Makes and stores one; id is filled.  The secret is the exact bytes compared.
 * ERR_INPUT (logged): no or too many bytes, or count out of its range.
 */
enum err code_add(const struct store *st, const char *username,
    struct span secret, enum code_form form, unsigned count, int64_t expires,
    char id[CODE_ID]);

enum err code_find(const struct store *st, const char *username, const char *id,
    struct code *out);

/*
 * Another code of the same secret, which is not known here: the same form,
 * salt, hash and expiry, unused, for count certificates; also for another
 * username.  id is filled; who calls it retires the old one.
 */
enum err code_again(const struct store *st, const struct code *old,
    const char *username, unsigned count, char id[CODE_ID]);

/* Has this home ever had a recoverable code?  ERR_NOTFOUND: no. */
enum err code_sealing(const struct store *st);

/*
 * The secret of a recoverable code, needed before a request under it can be
 * opened.  ERR_NOTFOUND: not of that form.  ERR_SYSTEM (logged): seal.key is
 * gone or another.
 */
enum err code_reveal(
    const struct store *st, const struct code *code, struct buf *secret);

/*
 * Is it this secret?  Constant time for its form.  code may be NULL (unknown
 * entity, no code): false, after the same work.  A false answer has always
 * cost exactly one scrypt, whatever the form, so that refusals of unknown
 * names, wrong codes and used codes cost the same (C-163, part 5).
 */
bool code_match(const struct code *code, struct span secret);

/*
 * Spends the scrypt that code_match() would have; for refusals before it,
 * with code_try_decoy().
 */
void code_decoy(void);

/*
 * Redemption: file_claim(used/<id>,<k>), probing k from a slot derived from
 * the transaction's name; its directory is fsynced.  OK: it paid, now or in
 * an earlier try of the same transaction and attempt.  ERR_REFUSED: used up;
 * `by` then names a transaction that used it.  ERR_BUSY: the code was retired
 * meanwhile.  Claims whose attempt was abandoned, or bought by another code,
 * do not count, but for those of a request that waited: what it paid to be
 * shown to people is spent, whatever they say.
 */
enum err code_claim(const struct store *st, const struct code *code,
    const char transaction[SHA256_HEX], unsigned attempt, char by[SHA256_HEX]);

/* Would code_claim() find room (or its own claim)?  Claims nothing. */
enum err code_room(const struct store *st, const struct code *code,
    const char transaction[SHA256_HEX], unsigned attempt, char by[SHA256_HEX]);

/*
 * Behind the record of a request that this code has paid for, to wait for
 * people or for a CA elsewhere: it waits.  ERR_BUSY (logged): the code was
 * retired between claim and record, and the attempt is abandoned: the record
 * is nobody's, and its maker takes away what leads to it.
 */
enum err code_paid(const struct store *st, const struct code *code,
    const char transaction[SHA256_HEX], unsigned attempt);

/* How many live redemptions. */
enum err code_used(
    const struct store *st, const struct code *code, unsigned *used);

/*
 * How many of them will never be undone: the attempt has its outcome, or its
 * request waits for people or for a CA elsewhere.  The others belong to
 * workers that have not come that far; one that was killed there leaves its
 * client's next try a claim to go on with.
 */
enum err code_spent(
    const struct store *st, const struct code *code, unsigned *spent);

/*
 * The end of a code: unlinks the secret, then frees the claims of which
 * nothing has come by linking `abandoned`.  A worker that claims later finds
 * the secret gone, so none issues under the code once this has answered OK.
 * Doing it twice is fine.
 */
enum err code_retire(
    const struct store *st, const char *username, const char *id);

/*
 * Attempt marks of a chosen password (try.c).  code_try() takes one before
 * the password is looked at, so that parallel guesses cannot outrun the
 * count; then code_try_wrong() keeps it for the rest of the hour, or
 * code_try_clear() gives it back.  ERR_REFUSED: MAX_TRIES were wrong this
 * hour.  ERR_BUSY: too many are being looked at; ask again.  ERR_SYSTEM: our
 * trouble, and no answer may say whether the password was right.
 */
struct try_mark {
	char id[CODE_ID];
	int64_t now;
	char path[128]; /* under store/; empty: none taken */
};
enum err code_try(
    const struct store *st, const char *id, int64_t now, struct try_mark *mark);
enum err code_try_wrong(const struct store *st, const struct try_mark *mark);
void code_try_clear(const struct store *st, const struct try_mark *mark);

/*
 * Does with a code that nobody has what a wrong chosen password costs in
 * files, and leaves nothing; for refusals before or without a password.
 * ERR_SYSTEM where that one would have it.
 */
enum err code_try_decoy(const struct store *st, int64_t now);

/* *until is the end of this hour after MAX_TRIES wrong ones, else 0. */
enum err code_locked(
    const struct store *st, const char *id, int64_t now, int64_t *until);

/* Forgets this hour's wrong ones. */
enum err code_unlock(
    const struct store *st, const char *id, int64_t now, unsigned *removed);

#endif
