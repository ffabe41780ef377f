#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

/*
 * JSON (RFC 8259), read strictly and written by hand: the one keeper of
 * cJSON.  All memory of a value is wiped when it is freed: it may be secret.
 *
 *	struct json *j = NULL;
 *	const char *id = NULL;
 *
 *	if (json_parse(body, &j) != OK || json_get0_text(j, "id", &id) != OK)
 *		goto out;
 *	...
 *	json_free(j);
 */

struct json; /* one value: an object, an array, a text, ... */

enum json_kind {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_TEXT,
	JSON_ARRAY,
	JSON_OBJECT,
	JSON__MAX
};

/*
 * Reads one value; *out (NULL before) is the caller's: json_free().  The whole
 * text must be that one value, blanks around it, in UTF-8 without a mark in
 * front.  ERR_INPUT: it is not, or a text holds U+0000; ERR_TOOBIG: over
 * MAX_JSON or MAX_JSON_DEPTH; both silent, the caller knows whose text it is.
 * ERR_SYSTEM (logged): no memory.  Knows nothing of members that stand twice:
 * they are found when they are read.
 */
enum err json_parse(struct span text, struct json **out);
void json_free(struct json *j); /* NULL is fine; only what was parsed or new */

enum json_kind json_kind(const struct json *j);

/*
 * A member of an object by its exact name.  OK: *out has it, borrowed from the
 * object (texts are C strings in UTF-8).  ERR_NOTFOUND: there is none, or it
 * is null (json_get0: null is found).  ERR_INPUT: it stands there twice, is of
 * another kind, or `object` is no object (NULL too); a number is ERR_INPUT
 * also when it is not whole or beyond 2^53.  All silent; *out is changed with
 * OK only.
 */
enum err json_get0(
    const struct json *object, const char *name, const struct json **out);
enum err json_get0_text(
    const struct json *object, const char *name, const char **out);
enum err json_get0_object(
    const struct json *object, const char *name, const struct json **out);
enum err json_get0_array(
    const struct json *object, const char *name, const struct json **out);
enum err json_get_number(
    const struct json *object, const char *name, int64_t *out);
enum err json_get_bool(const struct json *object, const char *name, bool *out);

/*
 * The items of an array (or the members' values of an object) in their order:
 * for (i = json_first(a); i != NULL; i = json_next(i)).  NULL: no more; also
 * of any other kind, and of NULL.  Borrowed.
 */
const struct json *json_first(const struct json *array);
const struct json *json_next(const struct json *item);
size_t json_count(const struct json *array); /* items; 0 of anything else */
/* The text that an item itself is; NULL: it is no text. */
const char *json_text0(const struct json *item);

/*
 * Writing: json_new() is an empty object, the caller's.  json_put_x() adds a
 * member `name` at the end of the object `in`, or an item at the end of the
 * array `in`, where name is NULL.  Names are not looked for: put each once.
 * ERR_INPUT (logged, without the text): the text is not UTF-8 or has a NUL.
 * ERR_SYSTEM (logged): no memory, or `in` is NULL, so that failures of
 * json_new() and of nested values need no look of their own.
 */
struct json *json_new(void);
enum err json_put_text(struct json *in, const char *name, struct span text);
enum err json_put_str(struct json *in, const char *name, const char *text);
enum err json_put_number(struct json *in, const char *name, int64_t number);
enum err json_put_bool(struct json *in, const char *name, bool yes);
enum err json_put_null(struct json *in, const char *name);
/* A nested empty one, owned by `in`; NULL as ERR_SYSTEM. */
struct json *json_put_object(struct json *in, const char *name);
struct json *json_put_array(struct json *in, const char *name);

/*
 * Appends the text of a value without blanks; '/' as it is, beyond ASCII as
 * UTF-8.  ERR_SYSTEM (logged): no memory, or j is NULL.
 */
enum err json_print(const struct json *j, struct buf *out);

#endif
