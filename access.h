#ifndef ACCESS_H
#define ACCESS_H

#include <stdbool.h>

#include "base/err.h"

/*
 * [access] peers: may whoever asks use this alias at all?  Without that key,
 * yes.  With it, only whoever's client certificate the web server has
 * verified, and whose subject is among peers (dn_eq()); that is the whole of
 * the question, asked before anything of the request is looked at.  Where
 * *admitted is false the answer, HTTP 403, stands in v->reply.  The subject is
 * in the request's line of the log, so that it can be copied into peers.
 */
struct visit;
enum err access_admit(struct visit *v, bool *admitted);

#endif
