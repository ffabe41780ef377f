#ifndef BASE_JSON_OWN_H
#define BASE_JSON_OWN_H

#include "base/json.h"

/* Of json.c and json_read.c alone. */

/*
 * Is the text made of what RFC 8259 lets a text be made of (its words,
 * numbers, strings, blanks, at most MAX_JSON_DEPTH brackets deep)?  cJSON
 * takes more than that: any control character for a blank, "01", \u0000, half
 * a character; what stands where is its own look.  ERR_INPUT, ERR_TOOBIG,
 * silent.
 */
enum err json_words(struct span text);

#endif
