#ifndef BASE_INI_H
#define BASE_INI_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Configuration files (aliases, profiles, scep.ini), read by iniparser and
 * copied at once.  Found by trial with iniparser 4.1: section and key names
 * are lower-cased, an unquoted value ends at # or ;, a duplicate key
 * silently wins, a line over 1024 bytes fails the load.  So ini_parse()
 * also looks at the lines itself: duplicate keys, keys outside a section,
 * over-long lines and NUL bytes are errors with file and line.
 */
struct ini_entry {
	char *section; /* lower case */
	char *key;     /* lower case */
	char *value;   /* unquoted */
	int line;      /* from 1 */
};
struct ini {
	char *where; /* name of the file, for messages */
	struct ini_entry *entry;
	size_t n;
};

/* *out is the caller's, freed by ini_free().  ERR_INPUT was logged. */
enum err ini_parse(const char *where, struct span text, struct ini **out);
void ini_free(struct ini *ini);

/* The entry, borrowed; NULL where there is none. */
const struct ini_entry *ini_find(
    const struct ini *ini, const char *section, const char *key);

/*
 * Edits text: sets [section] key to value (quoted where it must be), in
 * place where the key stands, else at the end of its section, else in a new
 * section at the end; comments, order and blank lines stay.  A commented
 * example line `;key = ...` or `#key = ...` of that section is where a new
 * line goes.
 */
enum err ini_set(struct span text, const char *section, const char *key,
    const char *value, struct buf *out);
/* Removes the line; ERR_NOTFOUND when it is not there. */
enum err ini_unset(
    struct span text, const char *section, const char *key, struct buf *out);

#endif
