#ifndef FETCH_WIRE_H
#define FETCH_WIRE_H

#include "fetch/fetch.h"

/*
 * Jobs and answers as bytes, between a worker, its helper and the helper's
 * children: a byte that says which, then the members of the struct in the
 * order of its table (wire.c).  A number is 8 bytes, the high one first;
 * bytes have their number before them in 4; a text is bytes with a NUL at the
 * end, none at all for NULL; a list has the number of its texts before them
 * in 4.  Neither side trusts the other: a child may be in foreign hands.
 */
enum wire_kind { WIRE_HTTP, WIRE_RUN, WIRE_ANSWER, WIRE__MAX };

#define WIRE_MAX_LIST 1000 /* texts of one list */

/* What a job came to. */
struct answer {
	int64_t err;	       /* an enum err */
	const char *why;       /* unless OK: words for the log; or NULL */
	int64_t status;	       /* of HTTP, or of the program's end */
	const char *type;      /* Content-Type, or NULL */
	struct span body;      /* or standard output */
	struct span complaint; /* the beginning of standard error */
};

/* One of the three as it was read; it borrows from the bytes. */
struct wire {
	enum wire_kind kind;
	union {
		struct http_ask http;
		struct run_ask run;
		struct answer answer;
	} is;
	const char **list[2]; /* memory of lists, owned */
};

/*
 * Appends what `from` points to, a struct of that kind.  ERR_INPUT (silent): a
 * list is too long, or bytes are more than 4 bytes can tell; ERR_SYSTEM.
 */
enum err wire_put(struct buf *out, enum wire_kind kind, const void *from);

/*
 * Reads it again: `out` is released with wire_release() if it is OK.
 * ERR_INPUT, silent: these bytes are not what wire_put() writes; ERR_SYSTEM.
 */
enum err wire_get(struct span bytes, struct wire *out);
void wire_release(struct wire *w);

#endif
