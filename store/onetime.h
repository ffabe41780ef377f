#ifndef STORE_ONETIME_H
#define STORE_ONETIME_H

#include "store/code.h"

/*
 * A one-time code is made for one request, or for a few, and not for an entity
 * that is registered: onetime/9c/<id>, linked once, keeps what it is good for
 * and its salted hash, never the code.  The id is the beginning of
 *
 *	SHA-256("scep one-time code " and the code's 32 upper-case digits)
 *
 * so that the code finds its record, and no list is walked.  Redemptions are
 * those of any code (store/code.h): used/9c/<id>,<k>.
 */
#define ONETIME_CODE 33 /* 32 hex digits, 128 random bits, and NUL */

struct onetime {
	struct code code; /* id, hash, count, created, expires */
	char *alias;	  /* where it is good */
	char *subject;	  /* for whom alone, as text; NULL: for any */
	char *san;	  /* with a subject: its SAN as text, "request", or
			     NULL: none */
	char *entity;	  /* the username that it is for, or NULL */
	char *profile;	  /* of the certificate, or NULL */
	char *by;	  /* who made it, for people */
};
#define ONETIME_INIT          \
	{                     \
		.alias = NULL \
	}
void onetime_release(struct onetime *o);

/*
 * Makes one and stores it, durably: secret gets its 32 upper-case hex digits.
 * The caller fills alias, by, code.count and code.expires, and of the others
 * what there is; id, hash and created are filled here.  ERR_INPUT (logged): the
 * count is out of its range.
 */
enum err onetime_add(
    const struct store *st, struct onetime *o, struct buf *secret);

/*
 * Whose code is this, in digits of either case?  ERR_NOTFOUND (silent): no
 * such form, or nobody's.  What it is good for, and until when, the caller
 * looks at.
 */
enum err onetime_find(
    const struct store *st, struct span secret, struct onetime *out);

/* By its id, 32 lower-case hex digits; ERR_NOTFOUND. */
enum err onetime_get(
    const struct store *st, const char *id, struct onetime *out);

/*
 * each(id, arg) for all of them, those over and used up too, sorted by id;
 * stops at the first answer that is not OK.
 */
enum err onetime_each(const struct store *st,
    enum err (*each)(const char *id, void *arg), void *arg);

/*
 * Its end: as code_retire().  A request that it put into the queue goes on
 * waiting there.
 */
enum err onetime_retire(const struct store *st, const char *id);

#endif
