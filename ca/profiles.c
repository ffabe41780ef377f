#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cache.h"
#include "base/file.h"
#include "base/log.h"
#include "ca/profile.h"

/* Made by the Makefile of the files in profiles: { name, text }, ... */
static const struct {
	const char *name, *text;
} shipped[] = {
#include "ca/profile_shipped.inc"
};
#define SHIPPED (sizeof(shipped) / sizeof(*shipped))

struct profiles {
	struct cache *files;
	struct profile *shipped[SHIPPED]; /* parsed when first asked for */
};

bool
profile_shipped(size_t i, const char **name, struct span *text)
{
	if (i >= SHIPPED)
		return false;
	*name = shipped[i].name;
	*text = span_of(shipped[i].text, strlen(shipped[i].text));
	return true;
}

/* Its place in the table; SHIPPED if there is none. */
static size_t
shipped_index(const char *name)
{
	size_t i = 0;

	while (i < SHIPPED && strcasecmp(shipped[i].name, name) != 0)
		i++;
	return i;
}

const char *
profile_shipped_name(const char *name)
{
	size_t i = shipped_index(name);

	return i < SHIPPED ? shipped[i].name : NULL;
}

bool
profile_name_ok(const char *name)
{
	size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"abcdefghijklmnopqrstuvwxyz0123456789_-");

	return n > 0 && n <= MAX_PROFILE && name[n] == '\0' &&
	       strcmp(name, "example") != 0;
}

/* The name of the file, if any name can be one. */
static const char *
file_name(const char *name)
{
	const char *spelled = profile_shipped_name(name);

	if (spelled != NULL)
		return spelled;
	return profile_name_ok(name) ? name : NULL;
}

static enum err
parse(const char *name, const char *where, struct span text, void **out)
{
	struct profile *p = NULL;
	enum err e = profile_parse(name, where, text, &p);

	if (e == OK)
		*out = p;
	return e;
}

static void
release(void *thing)
{
	profile_free(thing);
}

static const struct cache_kind kind = { "profiles", parse, release };

enum err
profiles_new(int home, struct profiles **out)
{
	struct profiles *ps = calloc(1, sizeof(*ps));
	enum err e = ERR_SYSTEM;

	if (ps == NULL) {
		log_error("out of memory");
		goto out;
	}
	if ((e = cache_new(home, &kind, &ps->files)) != OK)
		goto out;
	*out = ps;
	ps = NULL;
out:
	profiles_free(ps);
	return e;
}

void
profiles_free(struct profiles *ps)
{
	if (ps == NULL)
		return;
	for (size_t i = 0; i < SHIPPED; i++)
		profile_free(ps->shipped[i]);
	cache_free(ps->files);
	free(ps);
}

static enum err
find_shipped(struct profiles *ps, const char *name, const struct profile **out)
{
	size_t i = shipped_index(name);
	enum err e = OK;

	if (i == SHIPPED)
		return ERR_NOTFOUND;
	if (ps->shipped[i] == NULL)
		e = profile_parse(shipped[i].name, shipped[i].name,
		    span_of(shipped[i].text, strlen(shipped[i].text)),
		    &ps->shipped[i]);
	if (e == OK)
		*out = ps->shipped[i];
	return e == ERR_INPUT ? ERR_SYSTEM : e;
}

enum err
profiles_find(struct profiles *ps, const char *name, const struct profile **out)
{
	const char *file = file_name(name);
	const void *found = NULL;
	enum err e;

	if (file == NULL)
		return ERR_NOTFOUND;
	if ((e = cache_find(ps->files, file, &found)) == ERR_NOTFOUND)
		return find_shipped(ps, file, out);
	if (e == OK)
		*out = found;
	return e;
}

enum err
profile_text(int home, const char *name, struct buf *where, struct buf *text)
{
	const char *file = file_name(name);
	size_t i = shipped_index(name);
	enum err e;

	if (file == NULL)
		return ERR_NOTFOUND;
	if (!buf_printf(where, "profiles/%s.ini", file))
		return ERR_SYSTEM;
	e = file_read(home, buf_cstr(where), MAX_INI, text);
	if (e != ERR_NOTFOUND || i == SHIPPED)
		return e;
	buf_clear(where);
	return buf_printf(where, "built-in %s", file) &&
		       buf_str(text, shipped[i].text) ?
		   OK :
		   ERR_SYSTEM;
}
