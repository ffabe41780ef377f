#ifndef PASSWORD_H
#define PASSWORD_H

#include "message/message.h"
#include "visit.h"

/*
 * Whose password opens an envelope (C-95): the recoverable code of the entity
 * that the signer's certificate names, which travels in clear.  The request
 * is then for that entity's CA, if the alias serves it.  In RA mode it is the
 * alias's own secret, if that is strong, and the request is for its defaultca.
 */
struct passwords {
	struct visit *visit;
	const struct ca *const *cas; /* those the alias serves */
	size_t n;
};

/* For struct secret_source, whose arg is a struct passwords. */
enum err password_find(void *arg, const struct secret_question *q,
    struct buf *secret, struct secret_answer *out);

#endif
