#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * CGI and FastCGI -> struct request -> struct reply.  Alone knows libfcgi,
 * nothing of SCEP or X.509.  One request at a time.
 */
enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_OTHER, HTTP__MAX };

struct request {
	enum http_method method;
	struct buf path;  /* SCRIPT_NAME + PATH_INFO, without query */
	struct buf query; /* QUERY_STRING as it came */
	bool no_query;	  /* there was none, not even an empty one */
	struct buf body;  /* of a POST */
	char *alias;	  /* SCEP_ALIAS, set by the web server; or NULL */
	char *remote;	  /* REMOTE_ADDR; "" if unknown */
	char *user;	  /* REMOTE_USER, whom the server knows; "" nobody */
	bool unproven;	  /* a REMOTE_USER came that nobody has verified */
	char *peer;	  /* subject of a client certificate that it has
				 verified, in its words; "" none */
	char *peer_cert;  /* that certificate in PEM, as the server wraps
				 it; "" where it gives none */
	char *none_match; /* If-None-Match; or NULL */
	char *modified_since; /* If-Modified-Since; or NULL */
	char id[17];	      /* random hex, on every log line of the request */
	int status;	      /* 0, or 413/414/400: refused while reading */
};

struct reply {
	int status; /* HTTP status; 304 is sent without type and body */
	const char
	    *type; /* Content-Type, constant, without parameters (C-14) */
	const char *allow; /* with 405 */
	int retry;	   /* seconds for Retry-After with 503, 0 none */
	bool no_store;	   /* Cache-Control: no-store (C-16) */
	bool no_cache;	   /* Cache-Control: no-cache: ask again each time */
	char etag[72];	   /* ETag without quotes, "" none */
	int64_t modified;  /* Last-Modified, 0 none */
	struct buf body;
};

/* The door: one CGI request, or FastCGI until SIGTERM. */
struct http;
enum err http_open(
    bool fastcgi, size_t maxbody, size_t maxquery, struct http **out);
void http_close(struct http *h);

/* Log lines go to standard error also during a FastCGI request. */
void http_keep_log(struct http *h);

/* ERR_NOTFOUND: no more requests.  The request is the caller's to release. */
enum err http_next(struct http *h, struct request *r);
enum err http_answer(
    struct http *h, const struct request *r, const struct reply *reply);
void request_release(struct request *r);

#endif
