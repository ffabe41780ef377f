#ifndef ADMIN_REQUEST_H
#define ADMIN_REQUEST_H

#include "admin/admin.h"
#include "store/approval.h"

/* What the files of the noun `request` share. */

/* Where a request stands, and what its outcome says. */
enum standing {
	STANDS_WAITING,
	STANDS_APPROVED, /* and was not issued yet */
	STANDS_OVER,	 /* its time is over, and nobody has met it since */
	STANDS_DECIDED,	 /* outcome says how */
	STANDS__MAX
};
struct sighting {
	struct waiting w;
	enum standing standing;
	struct outcome outcome;
	unsigned yeses;
};
#define SIGHTING_INIT                      \
	{                                  \
		.standing = STANDS_WAITING \
	}
void sighting_release(struct sighting *s);

/* What the store says of s->w now; the rest of s is filled anew. */
enum err sighting_look(const struct command *cmd, struct sighting *s);

/*
 * The request that cmd->name[0] means: its id, or a prefix of at least 8
 * digits of only one.  ERR_NOTFOUND, ERR_REFUSED (said).
 */
enum err request_find(const struct command *cmd, struct sighting *out);

/* each(sighting, arg) for all that wait or are approved, oldest first. */
enum err request_each(const struct command *cmd,
    enum err (*each)(const struct sighting *, void *arg), void *arg);

/* "waiting", "approved", "expired", "denied"... */
const char *sighting_word(const struct sighting *s);

/* "uid 1000 (anna)", "uid 0 (root) for NAME". */
bool approver_text(const struct approval *a, struct buf *out);

enum err run_approve(struct command *cmd);
enum err run_deny(struct command *cmd);

/* Denies all that wait for an alias, with a reason; *n counts them. */
enum err request_deny_all(
    struct command *cmd, const char *alias, const char *reason, unsigned *n);

extern const struct option answer_options[];

#endif
