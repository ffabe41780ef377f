#include <stdlib.h>

#include "aliases/alias.h"
#include "base/cache.h"
#include "base/log.h"
#include "base/time.h"

struct aliases {
	struct cache *files;
	int home; /* borrowed */
};

/*
 * What the cache keeps of one file: the alias, and what is known of the file
 * that its secret stands in, which changes at other times.
 *
 *	same version               -> what it was, good or bad; a bad one is
 *	                              read and logged again every minute
 *	other version, being written -> the last good secret, else ERR_BUSY
 *	other version              -> read; bad or gone: ERR_SYSTEM
 */
struct kept {
	struct alias *alias;
	struct watch {
		struct file_stamp stamp; /* of the version read last */
		enum err found;		 /* what came of it */
		bool looked;		 /* was there a first time? */
		int64_t complained;	 /* time_ticks() when it was bad */
	} * watch;
};

#define COMPLAIN_EVERY 60000 /* milliseconds */

static void
release(void *thing)
{
	struct kept *kept = thing;

	if (kept == NULL)
		return;
	alias_free(kept->alias);
	free(kept->watch);
	free(kept);
}

static enum err
parse(const char *name, const char *where, struct span text, void **out)
{
	struct kept *kept = calloc(1, sizeof(*kept));
	enum err e = ERR_SYSTEM;

	if (kept == NULL ||
	    (kept->watch = calloc(1, sizeof(*kept->watch))) == NULL) {
		log_error("%s: out of memory", where);
		goto out;
	}
	e = alias_parse(name, where, text, NULL, NULL, &kept->alias);
	if (e != OK)
		goto out;
	*out = kept;
	kept = NULL;
out:
	release(kept);
	return e;
}

static const struct cache_kind kind = { "aliases", parse, release };

enum err
aliases_new(int home, struct aliases **out)
{
	struct aliases *as = calloc(1, sizeof(*as));
	enum err e = ERR_SYSTEM;

	if (as == NULL) {
		log_error("out of memory");
		goto out;
	}
	as->home = home;
	if ((e = cache_new(home, &kind, &as->files)) != OK)
		goto out;
	*out = as;
	as = NULL;
out:
	aliases_free(as);
	return e;
}

void
aliases_free(struct aliases *as)
{
	if (as == NULL)
		return;
	cache_free(as->files);
	free(as);
}

/* The secret of a file, as it is now. */
static enum err
refresh(int home, struct alias *a, struct watch *w)
{
	struct file_stamp stamp = { 0 }; /* also of a file that is not there */
	enum err e = OK;

	if (a->ra.secretfile == NULL)
		return OK;
	(void)file_stamp(home, a->ra.secretfile, &stamp);
	if (w->looked && file_stamp_eq(&stamp, &w->stamp) &&
	    (w->found == OK || time_ticks() - w->complained < COMPLAIN_EVERY))
		return w->found;
	if (stamp.ino != 0 && !cache_quiet(&stamp))
		e = ERR_BUSY;
	if (e == OK)
		e = alias_secret(home, a);
	if (e == ERR_BUSY)
		return a->ra.secret.len > 0 ? OK : ERR_BUSY;
	w->looked = true;
	w->stamp = stamp;
	w->found = e == OK ? OK : ERR_SYSTEM;
	w->complained = time_ticks();
	return w->found;
}

enum err
aliases_find(struct aliases *as, const char *name, const struct alias **out)
{
	const void *found = NULL;
	const struct kept *kept;
	enum err e = cache_find(as->files, name, &found);

	if (e != OK)
		return e;
	kept = found;
	if ((e = refresh(as->home, kept->alias, kept->watch)) == OK)
		*out = kept->alias;
	return e;
}
