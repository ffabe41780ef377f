#ifndef PROXY_H
#define PROXY_H

#include "base/err.h"

/*
 * operationmode = proxy: a request is passed to the server of [proxy] url as
 * it came, over mutual TLS, and what that answers is passed back.  Nothing is
 * opened here.
 *
 * 200 with a Content-Type of this operation's: that answer.  4xx: the same
 * status with a text of ours; but 403 is about our certificate, and no client's
 * matter, except of GetNextCACert.  Everything else, and no answer: ERR_BUSY
 * (logged), which is 503; but GetCACert, GetCACertChain and GetCACaps are
 * answered from store/kept/ then, as they are while an answer is younger than
 * [proxy] keep.
 */
struct visit;
enum err proxy_pass(struct visit *v, const char *operation);

#endif
