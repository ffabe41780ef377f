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
 * Keeps an answer, in place of an older one to the same question.  There is
 * room for KEPT_MAX of an alias.  What stands in a question behind its first
 * '?' is made up by whoever asks; but what he makes up gets an answer that
 * others get too, or none.  So in a full room, where the answer to a question
 * without a '?' always counts as new,
 *
 *	an answer that is new   comes in place of one that is kept twice
 *	one that is kept too    comes in place of one that is kept twice, and
 *	                        is older than `age` seconds
 *
 * the oldest of them each time, but never of a question without a '?'; and
 * where none is kept twice, in place of the oldest of all, if it is new itself
 * and that is older than `age`.  ERR_TOOBIG (silent): not kept.
 */
enum err kept_write(const struct store *st, const char *alias,
    struct span question, const struct kept *k, int64_t age);

/*
 * The answer to a question for which there was no room, because others made up
 * too many: the room is full, and all who asked what stands before the '?' got
 * the same.  Where two of them got different answers nobody can know which
 * would be the right one.  ERR_NOTFOUND.
 */
enum err kept_common(const struct store *st, const char *alias,
    struct span question, struct kept *out);

/*
 * The other server did not answer: for KEPT_PAUSE seconds kept_pausing() is
 * true, so that not every request waits for it, or tells of it.
 */
enum err kept_pause(const struct store *st, const char *alias);
bool kept_pausing(const struct store *st, const char *alias, int64_t now);

/* Forgets all of an alias. */
enum err kept_forget(const struct store *st, const char *alias);

#endif
