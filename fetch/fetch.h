#ifndef FETCH_FETCH_H
#define FETCH_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Other programs and other servers, from a helper process: it has neither our
 * memory nor our keys, and what libcurl or a program breaks there takes only
 * the job at hand.  One job at a time; a call returns when it is done.  A job
 * is begun once at most: when the helper dies in the middle the answer is
 * ERR_BUSY, and whoever asked decides whether to ask again.
 *
 * All that is pointed to is borrowed for the time of the call.  A call takes
 * at most the job's timeout and two seconds.
 */
#define FETCH_MAX_ASK	  (4 * 1024 * 1024)  /* bytes of all of a job */
#define FETCH_MAX_LIMIT	  (64 * 1024 * 1024) /* the highest `limit` */
#define FETCH_MAX_TIMEOUT 3600000	     /* ms, the highest `timeout` */

struct http_ask {
	const char *method; /* "GET", "POST" or another word in capitals */
	const char *url;    /* https://; http:// only with `plain`; no user@ */
	const char *const *header; /* "Name: value", NULL at the end; or NULL */
	struct span body;  /* goes with any method but GET; may be empty */
	struct span ca;	   /* PEM, trusted instead of the system's; or empty */
	struct span cert;  /* PEM of a client certificate and its chain ... */
	struct span key;   /* ... and of its key, secret; or both empty */
	const char *pin;   /* "sha256//BASE64" of the server's SPKI, or NULL */
	const char *proxy; /* "http://host:port", or NULL: none at all */
	const char *proxyuser; /* "user:password", secret; or NULL */
	int64_t timeout;       /* ms for all of it, above 0 */
	size_t limit;	       /* bytes of the answer's body */
	bool plain;	       /* http:// is admitted too */
};

struct http_answer {
	int status;	 /* 200 and the like */
	char type[64];	 /* Content-Type as it came, cut; "" if none */
	struct buf body; /* secret; not unpacked, not recoded */
};
#define HTTP_ANSWER_INIT               \
	{                              \
		.body = {.secret = 1 } \
	}

/*
 * Sends one request.  TLS 1.2 at least, the server's certificate and name are
 * verified; no redirect is followed, no cookie kept, no variable of the
 * environment heeded.  A body without a Content-Type among the headers goes
 * as application/x-www-form-urlencoded.
 *
 * OK: there is an answer, whatever its status (a redirect is a 3xx); `out` is
 * released with http_answer_release().  Else `out` is empty and one line was
 * logged: the URL without its query, and why; never a header or a body.
 * ERR_BUSY: no answer: refused, down, name not found, TLS not good, too slow,
 * cut off.  ERR_TOOBIG: the body was longer than limit.  ERR_INPUT: the URL
 * or what is beside it cannot be used.  ERR_SYSTEM: our own trouble, such as
 * no libcurl.
 */
enum err fetch_http(const struct http_ask *ask, struct http_answer *out);
void http_answer_release(struct http_answer *a); /* twice is fine */

struct run_ask {
	const char *path;	/* absolute: an executable file */
	const char *const *arg; /* argv[1] and on, NULL at the end; or NULL */
	/*
	 * "NAME=value", NULL at the end; or NULL.  With it the program gets
	 * PATH=/usr/sbin:/usr/bin:/sbin:/bin and LC_ALL=C, unless they stand
	 * here too, and nothing else.
	 */
	const char *const *env;
	struct span input;  /* its standard input */
	struct span secret; /* what it reads from descriptor 3, to the end */
	int64_t timeout;    /* ms, above 0 */
	size_t limit;	    /* bytes of its standard output */
};

struct run_answer {
	int status;	      /* its exit status; 128 + n: ended by signal n */
	struct buf output;    /* its standard output; secret */
	struct buf complaint; /* the first 1000 bytes of its standard error */
};
#define RUN_ANSWER_INIT                  \
	{                                \
		.output = {.secret = 1 } \
	}

/*
 * Runs a program, in / and with umask 022, in a process group of its own, with
 * descriptors 0 to 3 and no other.  It need not read what it is given.  When
 * it ends, or when its time is over, all of its group that is left is killed.
 *
 * OK: it ended by itself, or by a signal that was not ours; `out` is released
 * with run_answer_release().  Else `out` is empty and one line was logged:
 * the path, and why; never arguments, environment or output.  ERR_BUSY: too
 * slow, killed.  ERR_TOOBIG: printed more than limit, killed.  ERR_NOTFOUND:
 * no such executable, or it may not be run.  ERR_INPUT: the job is too large
 * or its limits make no sense.  ERR_SYSTEM: our own trouble.
 */
enum err fetch_run(const struct run_ask *ask, struct run_answer *out);
void run_answer_release(struct run_answer *a); /* twice is fine */

/*
 * Starts the helper now (a FastCGI worker does, after it became the home's
 * owner); else the first job does, and each job starts one in place of a dead
 * one.  ERR_SYSTEM, logged.  After a fork the child gets one of its own.
 */
enum err fetch_start(void);

/* Ends it; it also ends by itself when its worker does, however that was. */
void fetch_stop(void);

/*
 * The helper's own main, for scep.c and unit tests: `scep helper`, with its
 * socket on descriptor 3.  Returns the exit status; 2, with a line for
 * people, if it was not started by fetch_start().
 */
int fetch_helper(void);

#endif
