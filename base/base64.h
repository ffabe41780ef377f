#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buf.h"
#include "base/err.h"

/*
 * base64 with '+', '/' and padding (RFC 4648 4), on one line, as JSON and
 * headers want it.  Appends; false: memory is out (logged).
 */
bool base64_put(struct buf *out, struct span bytes);

/*
 * Appends what exactly such text says: nothing is skipped, and the bits that
 * padding leaves over are zero.  ERR_INPUT (silent): it is none, out is as it
 * was.  What clients make of base64 in URLs is query.h's.
 */
enum err base64_read(struct span text, struct buf *out);

#endif
