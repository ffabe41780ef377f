#ifndef BASE_INI_H
#define BASE_INI_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Configuration files (aliases, profiles, scep.ini), read by iniparser and
 * copied at once.  Found by trial with iniparser 4.1:
 *   section and key names are lower-cased;
 *   an unquoted value ends at # or ;
 *   inside "..." stands anything but ", inside '...' anything but ';
 *   a backslash is a plain character, there too;
 *   "key =", "key = \"\"" and "key = ''" are the empty value;
 *   what follows a closing quote, or an unclosed one, is dropped or taken
 *   in silence, as is "[]"; a line that ends with a backslash swallows the
 *   next, even if it is a comment; a duplicate key silently wins; a line
 *   over 1024 bytes fails the load.
 * iniparser decides the values.  ini_parse() also looks at the lines itself
 * (ini_line.h) and makes errors, with file and line, of all that is silent
 * above, of keys outside a section, of control characters and of names with
 * other characters than A-Z a-z 0-9 . _ - (in sections also blank and /).
 * Files: ini.c reads, ini_edit.c edits, ini_line.c looks at lines.
 */
struct ini_entry {
	char *section; /* lower case */
	char *key;     /* lower case */
	char *value;   /* unquoted */
	int line;      /* from 1 */
	char cut;      /* ';' or '#' that ended it, though no blank stands in
			  front, so that more may have been meant; else 0 */
};
struct ini {
	char *where; /* name of the file, for messages */
	struct ini_entry *entry;
	size_t n;
};

/*
 * *out is the caller's, freed by ini_free(), which wipes the values.
 * ERR_INPUT and ERR_TOOBIG (MAX_INI) were logged.
 */
enum err ini_parse(const char *where, struct span text, struct ini **out);
void ini_free(struct ini *ini);

/* The entry, borrowed; NULL where there is none.  Names in lower case. */
const struct ini_entry *ini_find(
    const struct ini *ini, const char *section, const char *key);

/*
 * Edits text: sets [section] key to value (quoted where it must be), in
 * place where the key stands, else at the end of its section, else in a new
 * section at the end; comments, order and blank lines stay.  A commented
 * example line `;key = ...` or `#key = ...` of that section is where a new
 * line goes, behind it.  The result is appended to out, and was read again:
 * it gives back exactly this value.  ERR_INPUT (logged) for a text with
 * errors, and for a value that cannot be written: both kinds of quotes where
 * it needs some, control characters, a line over 1000 bytes.
 */
enum err ini_set(struct span text, const char *section, const char *key,
    const char *value, struct buf *out);
/* Removes the line; ERR_NOTFOUND when it is not there. */
enum err ini_unset(
    struct span text, const char *section, const char *key, struct buf *out);

#endif
