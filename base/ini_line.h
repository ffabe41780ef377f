#ifndef BASE_INI_LINE_H
#define BASE_INI_LINE_H

#include "base/buf.h"

/*
 * Our own look at the lines of a configuration file, shared by ini.c and
 * ini_edit.c.  It is stricter than iniparser wherever iniparser would drop,
 * join or cut something in silence, and it never decides a value.
 */
#define INI_LINE 1000 /* bytes of a line; iniparser gives up at 1024 */
#define INI_NAME 100  /* bytes of a section's or key's name */

enum ini_kind { INI_BLANK, INI_COMMENT, INI_SECTION, INI_KEY, INI_KIND__MAX };

struct ini_line {
	enum ini_kind kind;
	int number;	     /* from 1 */
	struct span raw;     /* the line without its end */
	struct span end;     /* "\n", "\r\n" or, for the last line, "" */
	struct span name;    /* section or key, as written */
	struct span value;   /* with its quotes, without blanks around */
	struct span example; /* the key of a comment like "; key = value" */
	const char *wrong;   /* what is wrong with it; NULL: nothing */
};

/*
 * Reads the line at *at (an offset in text) and moves *at behind it; false at
 * the end.  `l` is all zeros before the first line.  Everything in it borrows
 * from text.
 */
bool ini_line_next(struct span text, size_t *at, struct ini_line *l);

/*
 * The ';' or '#' at which iniparser ends an unquoted value, where it stands
 * right behind the value: UID;SN;CN.  A comment has a blank in front.  Else 0.
 */
char ini_value_cut(struct span value);

/* Equal but for the case of A to Z. */
bool ini_name_eq(struct span a, const char *name);

/* NULL if iniparser and we agree on such a name, else what is wrong. */
const char *ini_name_wrong(struct span name, enum ini_kind kind);

#endif
