#ifndef STORE_APPROVAL_H
#define STORE_APPROVAL_H

#include "store/waiting.h"

/*
 * approval/cd/<request id>,<slot>: one approver's yes, bound by the id to what
 * was shown.  Slots have no gaps from 1, and whoever adds one has read those
 * before it, so that nobody has two; with the last that is required the
 * request is approved.  They outlive `alias rename`, as the id knows no alias.
 */
struct approval {
	char request[SHA256_HEX]; /* its id */
	unsigned uid;
	char *name; /* of that uid, or NULL */
	char *as;   /* root says it for this person, or NULL */
	char *reason;
	char *host;
	int64_t time;
};
#define APPROVAL_INIT \
	{             \
		0     \
	}
void approval_release(struct approval *a);

/*
 * Adds a yes; *count is how many there are then.  ERR_EXISTS: this person has
 * said yes before: the same uid, or the same name.  Where there are enough
 * already, nothing is added.
 */
enum err approval_add(const struct store *st, const struct waiting *w,
    const struct approval *a, unsigned *count);

/* How many; *last, if not NULL, is when the last was said (0: none). */
enum err approval_count(const struct store *st, const char id[SHA256_HEX],
    unsigned *count, int64_t *last);

/* each(yes, arg) in the order in which they were said. */
enum err approval_each(const struct store *st, const char id[SHA256_HEX],
    enum err (*each)(const struct approval *, void *arg), void *arg);

/*
 * approved/<shard>/<username>,<n>: hint, by which the entity finds its
 * approved request, that could not be issued, under another transaction.
 * Twice is fine.
 */
enum err approved_add(const struct store *st, const struct waiting *w);

/*
 * each(record, arg) for the newest approved requests of this name, newest
 * first, whatever became of them; stops at the first answer that is not OK.
 */
enum err approved_each(const struct store *st, const char *username,
    enum err (*each)(const struct waiting *, void *arg), void *arg);

#endif
