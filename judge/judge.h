#ifndef JUDGE_JUDGE_H
#define JUDGE_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "aliases/alias.h"
#include "base/buf.h"
#include "ca/ca.h"
#include "store/code.h"
#include "store/entity.h"
#include "store/store.h"

/*
 * One interface, several judges of a challenge.  `entity`: a registered entity
 * and its own code (CA mode).  `ra`: the alias's secret (RA mode).
 */
enum ruling { RULING_YES, RULING_NO, RULING__MAX };

struct judge_case {
	const struct store *store;
	const char *username;  /* who the request says it is */
	const struct ca *ca;   /* the addressed one; borrowed */
	struct span challenge; /* as received, UTF-8 */
	int64_t now;
};
struct judgement {
	enum ruling ruling;
	const char *reason;   /* constant, for the log; never sent (C-163) */
	struct entity entity; /* owned; with YES */
	struct code code;     /* owned; with YES: what will pay */
};
void judgement_init(struct judgement *j);
void judgement_release(struct judgement *j);

/*
 * Looks up the entity, its CA and its code.  Every NO costs one scrypt and
 * the files of an attempt mark, whichever it is.  Claims nothing; counts
 * wrong chosen passwords.  ERR_SYSTEM: our own trouble, ERR_BUSY: too many
 * passwords at once (both HTTP 503).
 */
enum err judge_entity(const struct judge_case *c, struct judgement *j);

/*
 * Does the request bring the secret of the alias?  Compared in constant time;
 * every NO costs one scrypt.  Nothing is counted and nobody is locked out (see
 * judge/ra.c).  With `authpwd = none` YES, whatever the challenge is; it is
 * not looked at.  j->entity and j->code stay empty: no code pays.
 * ERR_SYSTEM: the alias has no secret, which its file never says.
 */
enum err judge_ra(
    const struct alias *a, const struct judge_case *c, struct judgement *j);

/*
 * Can nobody guess the alias's secret, 128 bits or more, who has something to
 * try guesses on for as long as he likes: an envelope or an answer under it
 * (C-95, C-96)?  At least 22 characters without blanks, 8 of them different;
 * 26 if its letters are all of one case, 32 if hex digits are all it has, 39
 * if digits are.  No secret is none.
 */
bool judge_strong_secret(const struct alias *a);

/*
 * The secret under which requests may be enveloped, asked for before anything
 * is decrypted (C-95, C-96), and the CA that they are for.  CA mode: the
 * recoverable code of the entity `username`, and its CA.  ERR_NOTFOUND: it
 * has none that can be recovered.  ERR_REFUSED: nobody in this home has.  RA
 * mode: the alias's own, if it is strong, and defaultca, whoever asks; else
 * ERR_REFUSED.
 */
enum err judge_secret(const struct alias *a, const struct store *st,
    const char *username, struct buf *secret, char **ca);

#endif
