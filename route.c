#include <string.h>

#include "aliases/alias.h"
#include "route.h"

/* The next segment of a path from *at on; false at its end. */
static bool
next_segment(struct span path, size_t *at, struct span *segment)
{
	size_t start;

	while (*at < path.len && path.p[*at] == '/')
		(*at)++;
	start = *at;
	while (*at < path.len && path.p[*at] != '/')
		(*at)++;
	*segment = span_of(path.p + start, *at - start);
	return segment->len > 0;
}

static bool
is(struct span segment, const char *word)
{
	return span_eq(segment, span_of(word, strlen(word)));
}

enum err
route_alias(struct span path, const char *variable, char alias[MAX_ALIAS + 1])
{
	struct span found = span_of("scep", strlen("scep"));
	struct span segment;
	bool behind = false; /* the segment before was `scep` */
	size_t at = 0;

	if (variable != NULL) {
		found = span_of(variable, strlen(variable));
		path.len = 0;
	}
	while (next_segment(path, &at, &segment)) {
		if (is(segment, "scep")) {
			found = segment;
			behind = true;
		} else {
			if (behind && !is(segment, "pkiclient.exe"))
				found = segment;
			behind = false;
		}
	}
	if (!alias_name_ok(found))
		return ERR_NOTFOUND;
	memcpy(alias, found.p, found.len);
	alias[found.len] = '\0';
	return OK;
}
