#ifndef FETCH_JOB_H
#define FETCH_JOB_H

#include "fetch/wire.h"

/*
 * What children of the helper do: one job each, and its result.  They log
 * nothing, as descriptor 2 of a worker may lead nowhere: the words go to the
 * worker with the result.
 */
struct result {
	enum err err;
	char why[320];	      /* unless OK: words for the log */
	int status;	      /* as struct answer has it */
	char type[64];	      /* Content-Type */
	struct buf body;      /* secret */
	struct buf complaint; /* the beginning of standard error */
};
#define RESULT_INIT                    \
	{                              \
		.body = {.secret = 1 } \
	}

/* Sets err and why, and forgets what there is of the rest. */
void result_fail(struct result *r, enum err e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void result_release(struct result *r);

void job_http(const struct http_ask *ask, struct result *out);
void job_run(const struct run_ask *ask, struct result *out);

/*
 * Loads libcurl, once, into the helper: each child would need 10 ms for it.
 * ERR_SYSTEM, with words in `out`.
 */
enum err curl_load(struct result *out);

/*
 * What is wrong with a job before anything is done, as words for the log, or
 * NULL.
 */
const char *http_fault(const struct http_ask *ask);
const char *run_fault(const struct run_ask *ask);

#endif
