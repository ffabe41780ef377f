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
 * One interface, several judges of a challenge.  `entity` is the first: a
 * registered entity and its own code (CA mode).
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
 * The secret under which this entity's requests may be enveloped, asked for
 * before anything is decrypted (C-95, C-96), and its CA.  ERR_NOTFOUND: it
 * has none that can be recovered.  ERR_REFUSED: nobody in this home has.
 */
enum err judge_secret(const struct store *st, const char *username,
    struct buf *secret, char **ca);

#endif
