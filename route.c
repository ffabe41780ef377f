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

/* A segment without its ending, if it has that one and something before. */
static bool
stem(struct span segment, const char *ending, struct span *out)
{
	size_t len = strlen(ending);

	if (segment.len <= len ||
	    memcmp(segment.p + segment.len - len, ending, len) != 0)
		return false;
	*out = span_of(segment.p, segment.len - len);
	return true;
}

/* 1 to 999999999, without zeros in front. */
static bool
number(struct span text, unsigned *out)
{
	unsigned n = 0;

	if (text.len == 0 || text.len > 9 || text.p[0] == '0')
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		n = n * 10 + (unsigned)(text.p[i] - '0');
	}
	*out = n;
	return true;
}

bool
route_document(struct span path, struct document *out)
{
	static const struct {
		const char *folder, *ending;
	} kinds[DOCUMENT__MAX] = {
		[DOCUMENT_CRL] = { "crl", ".crl" },
		[DOCUMENT_CERT] = { "ca", ".cer" },
	};
	struct span last[3] = { { NULL, 0 } }, segment, name;
	size_t at = 0;

	while (next_segment(path, &at, &segment)) {
		last[2] = last[1];
		last[1] = last[0];
		last[0] = segment;
	}
	for (int kind = 0; kind < DOCUMENT__MAX; kind++) {
		*out = (struct document){ .kind = (enum document_kind)kind };
		if (!stem(last[0], kinds[kind].ending, &name))
			continue;
		/* first: last[1] may be a CA that is named like the folder */
		out->ca = last[1];
		if (is(last[2], kinds[kind].folder) &&
		    number(name, &out->generation))
			return true;
		out->ca = name;
		if (is(last[1], kinds[kind].folder))
			return true;
	}
	return false;
}

bool
route_page(struct span path)
{
	struct span last[2] = { { NULL, 0 } }, segment;
	size_t at = 0;

	while (next_segment(path, &at, &segment)) {
		last[1] = last[0];
		last[0] = segment;
	}
	return is(last[1], "certsrv") && is(last[0], "mscep_admin");
}
