#ifndef ADMIN_CHALLENGE_H
#define ADMIN_CHALLENGE_H

#include "admin/admin.h"
#include "store/onetime.h"

/* What the files of the noun `challenge` share. */

/* A one-time code, and how much of it is spent. */
struct challenge {
	struct onetime o;
	unsigned used;
};
#define CHALLENGE_INIT             \
	{                          \
		.o = ONETIME_INIT, \
	}
void challenge_release(struct challenge *c);

/* "good", "used up" or "expired". */
const char *challenge_word(
    const struct command *cmd, const struct challenge *c);

/* each(challenge, arg) for all, oldest first; goes on behind a broken one. */
enum err challenge_each(const struct command *cmd,
    enum err (*each)(const struct challenge *, void *arg), void *arg);

/* All that is known of it in one JSON object; code may be NULL. */
void challenge_json(
    const struct command *cmd, const struct challenge *c, const char *code);

enum err run_challenge_list(struct command *cmd);
enum err run_challenge_delete(struct command *cmd);

#endif
