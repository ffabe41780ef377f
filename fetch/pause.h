#ifndef FETCH_PAUSE_H
#define FETCH_PAUSE_H

#include "base/names.h"
#include "fetch/fetch.h"

/*
 * fetch_http() and fetch_run() for those who ask the same place for each
 * request: the judges and the proxy.  While a place does not answer, each
 * would wait for its time limit, and a handful of devices that come again and
 * again would keep every worker busy with waiting.  So who did not answer is
 * not asked for a while, which is ERR_BUSY at once (logged):
 *
 *	no answer (ERR_BUSY of fetch)   as long as that took, so that a worker
 *	                                waits half of its time at most; from
 *	                                PAUSE_MIN to PAUSE_MAX
 *	any answer, whatever it says    no pause
 *
 * It grows no further, since it may be one stranger's request that is not
 * answered: the others must not wait much longer for it than he makes us wait.
 *
 * A program is one that does not answer when its time was over, only then.
 * Our own trouble begins none and ends none.  A place is an alias and the
 * program's path, or the URL's scheme, host and port with all by which they
 * are known, so that a mended cafile or certificate counts at once.
 *
 * Each process remembers for itself: a FastCGI worker among many finds out for
 * itself, and a CGI program, which lives for one request, always asks; there
 * it is the web server that limits how many run.
 */
#define PAUSE_MIN 1000	/* ms */
#define PAUSE_MAX 60000 /* ms */

enum err pause_http(
    const char *alias, const struct http_ask *ask, struct http_answer *out);
enum err pause_run(
    const char *alias, const struct run_ask *ask, struct run_answer *out);

/* The rule itself, on a clock of ms; pause_left() is 0 if it may be asked. */
int64_t pause_left(const char place[SHA256_HEX], int64_t now);
void pause_note(
    const char place[SHA256_HEX], enum err e, int64_t began, int64_t now);

#endif
