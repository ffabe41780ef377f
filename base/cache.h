#ifndef BASE_CACHE_H
#define BASE_CACHE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"

/*
 * Configuration files ROOM/NAME.ini of a home, parsed once and kept; a file
 * that changed is read again when it has been quiet for a second.
 */
struct cache_kind {
	const char *room; /* "aliases" */
	/* Errors are logged with file and line. */
	enum err (*parse)(
	    const char *name, const char *where, struct span text, void **out);
	void (*free)(void *thing); /* NULL is fine */
};

/* home and kind are borrowed for the cache's life. */
struct cache;
enum err cache_new(int home, const struct cache_kind *kind, struct cache **out);
void cache_free(struct cache *c);

/*
 * The thing of that name, which must be good as a file name of at most
 * MAX_NAME bytes; borrowed until the next cache_find().
 *   ERR_NOTFOUND  no such file
 *   ERR_BUSY      the file is being written and there is no good version yet
 *   ERR_SYSTEM    the file is broken (logged, one line a minute) and there is
 *                 no good version; others are unaffected
 */
enum err cache_find(struct cache *c, const char *name, const void **out);

/*
 * Has nobody written to that version for a second?  A time stamp in the
 * future is a clock's fault and counts as quiet.
 */
bool cache_quiet(const struct file_stamp *stamp);

#endif
