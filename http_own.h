#ifndef HTTP_OWN_H
#define HTTP_OWN_H

#include <sys/types.h>

#include "http.h"

/* Between http.c, the doors, and http_read.c, what comes in by them. */

/* What the web server says of the request; NULL: nothing. */
const char *http_param(struct http *h, const char *name);

/* Up to len bytes of the body; 0 at the end, -1 on error. */
ssize_t http_bytes(struct http *h, void *to, size_t len);

/*
 * The request at hand; r->status says what was wrong with it.  maxbody and
 * maxquery: bytes.  ERR_SYSTEM (logged): our trouble.
 */
enum err http_read(
    struct http *h, size_t maxbody, size_t maxquery, struct request *r);

/* Reads what a client still sends of it, within limits. */
void http_discard(struct http *h, const struct request *r);

#endif
