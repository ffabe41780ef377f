#ifndef FRESH_H
#define FRESH_H

#include "http.h"

/*
 * Does the client have this answer already (RFC 9110 13.1)?  By the reply's
 * ETag if it says If-None-Match, else if its If-Modified-Since is exactly the
 * reply's time: clocks of two hosts may differ, and a newer answer may have
 * the earlier time.
 */
bool fresh(const struct request *r, const struct reply *reply);

#endif
