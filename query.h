#ifndef QUERY_H
#define QUERY_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* Raw query strings, and what clients do to the base64 inside them. */

/*
 * The raw value of a parameter (name compared without case), still
 * percent-encoded; false if it is absent.  The first of several counts.
 * raw borrows from query.
 */
bool query_value(struct span query, const char *name, struct span *raw);

/*
 * Appends raw with %XX decoded; '+' stays '+' (C-10), a malformed escape
 * stays as it is.  ERR_SYSTEM: memory.
 */
enum err percent_decode(struct span raw, struct buf *out);

/*
 * The message of a GET PKIOperation: base64 in every mangling of C-10
 * (blanks for '+', raw or escaped line ends, missing padding, base64url,
 * double escapes) -> appended to der.  ERR_INPUT (silent): not base64.
 */
enum err message_decode(struct span raw, struct buf *der);

#endif
