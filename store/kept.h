#ifndef STORE_KEPT_H
#define STORE_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/store.h"

/*
 * kept/<alias>/: answers of the server that a proxy's alias asks, so that
 * they can be given again.  A cache, not a fact: nothing is decided by it,
 * and any of it may be deleted at any time.
 */
#define KEPT_MAX      64     /* answers of one alias */
#define KEPT_QUESTION 512    /* bytes of a question; longer: not kept */
#define KEPT_BODY     131072 /* bytes of an answer; longer: not kept */
#define KEPT_PAUSE    60     /* seconds of kept_pause() */

struct kept {
	char type[64];	 /* Content-Type */
	int64_t fetched; /* when it was given */
	struct buf body;
};
#define KEPT_INIT                         \
	{                                 \
		.type = "", .body = { 0 } \
	}

/*
 * The answer to that question, word for word.  ERR_NOTFOUND: none is kept;
 * one that cannot be read (logged) counts as none.
 */
enum err kept_read(const struct store *st, const char *alias,
    struct span question, struct kept *out);
void kept_release(struct kept *k);

/*
 * Keeps an answer, in place of an older one.  Whoever asks makes up questions,
 * so there is room for KEPT_MAX of an alias; a further one comes in place of
 * the oldest if that is older than `age` seconds, else it is not kept.
 * ERR_TOOBIG (silent): not kept.
 */
enum err kept_write(const struct store *st, const char *alias,
    struct span question, const struct kept *k, int64_t age);

/*
 * The other server did not answer: for KEPT_PAUSE seconds kept_pausing() is
 * true, so that not every request waits for it, or tells of it.
 */
enum err kept_pause(const struct store *st, const char *alias);
bool kept_pausing(const struct store *st, const char *alias, int64_t now);

/* Forgets all of an alias. */
enum err kept_forget(const struct store *st, const char *alias);

#endif
