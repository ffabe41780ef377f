#include <stdlib.h>

#include "aliases/alias.h"
#include "base/cache.h"
#include "base/log.h"

struct aliases {
	struct cache *files;
};

static enum err
parse(const char *name, const char *where, struct span text, void **out)
{
	struct alias *a = NULL;
	enum err e = alias_parse(name, where, text, NULL, NULL, &a);

	if (e == OK)
		*out = a;
	return e;
}

static void
release(void *thing)
{
	alias_free(thing);
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

enum err
aliases_find(struct aliases *as, const char *name, const struct alias **out)
{
	const void *found = NULL;
	enum err e = cache_find(as->files, name, &found);

	if (e == OK)
		*out = found;
	return e;
}
