#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/names.h"
#include "base/time.h"
#include "http_own.h"

/*
 * Two small doors into one struct: FCGX_Accept_r() does not serve plain CGI,
 * and FCGX_IsCGI() is 1 for a terminal, a pipe and /dev/null, so who calls
 * http_open() has decided which (scep.c).
 */
struct door {
	const char *(*param)(struct http *h, const char *name);
	/* Up to len bytes; 0 at the end, -1 on error. */
	ssize_t (*read)(struct http *h, void *to, size_t len);
	enum err (*write)(struct http *h, struct span bytes);
	bool (*accept)(struct http *h);
	void (*finish)(struct http *h);
};

struct http {
	const struct door *door;
	size_t maxbody;	   /* bytes */
	size_t maxquery;   /* bytes */
	FCGX_Request fcgx; /* FastCGI only */
	sigset_t idle;	   /* FastCGI only: the mask while nothing is at hand */
	bool keep_log;	   /* not to the web server's log */
	bool served;	   /* CGI only: its one request was taken */
};

/* Set by a signal of stop_signals: the request at hand was the last. */
static volatile sig_atomic_t stopping;

/* libfcgi's own handlers make it drop the request at hand. */
static const int stop_signals[] = { SIGTERM, SIGINT, SIGUSR1 };

static void
on_stop(int sig)
{
	(void)sig;
	stopping = 1;
}

/*
 * They are blocked but for the wait between two requests (fcgi_wait), so that
 * none cuts a request short, and none comes just before the wait and is
 * missed.
 */
static void
hold_stop_signals(sigset_t *idle)
{
	struct sigaction stop = { .sa_handler = on_stop };
	sigset_t held;

	(void)sigemptyset(&held);
	for (size_t i = 0; i < sizeof(stop_signals) / sizeof(*stop_signals);
	     i++) {
		(void)sigaction(stop_signals[i], &stop, NULL);
		(void)sigaddset(&held, stop_signals[i]);
	}
	(void)sigprocmask(SIG_BLOCK, &held, idle);
	for (size_t i = 0; i < sizeof(stop_signals) / sizeof(*stop_signals);
	     i++)
		(void)sigdelset(idle, stop_signals[i]);
}

static const char *
cgi_param(struct http *h, const char *name)
{
	(void)h;
	return getenv(name); /* NOLINT(concurrency-mt-unsafe): one thread */
}

static ssize_t
cgi_read(struct http *h, void *to, size_t len)
{
	ssize_t n;

	(void)h;
	do
		n = read(0, to, len);
	while (n < 0 && errno == EINTR);
	return n;
}

static enum err
cgi_write(struct http *h, struct span bytes)
{
	size_t done = 0;

	(void)h;
	while (done < bytes.len) {
		ssize_t n = write(1, bytes.p + done, bytes.len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			log_errno("answer not sent: the web server is gone");
			return ERR_SYSTEM;
		}
		done += (size_t)n;
	}
	return OK;
}

static bool
cgi_accept(struct http *h)
{
	bool first = !h->served;

	h->served = true;
	return first;
}

static void
cgi_finish(struct http *h)
{
	(void)h;
}

static const struct door cgi_door = { cgi_param, cgi_read, cgi_write,
	cgi_accept, cgi_finish };

static const char *
fcgi_param(struct http *h, const char *name)
{
	return FCGX_GetParam(name, h->fcgx.envp);
}

static ssize_t
fcgi_read(struct http *h, void *to, size_t len)
{
	return FCGX_GetStr(to, (int)len, h->fcgx.in);
}

static enum err
fcgi_write(struct http *h, struct span bytes)
{
	if (bytes.len == 0)
		return OK;
	if (FCGX_PutStr((const char *)bytes.p, (int)bytes.len, h->fcgx.out) ==
	    (int)bytes.len)
		return OK;
	log_error("answer not sent: the web server is gone");
	return ERR_SYSTEM;
}

/* During a request lines go to the web server's own error log. */
static void
fcgi_log(const char *line, void *arg)
{
	struct http *h = arg;

	(void)FCGX_PutS(line, h->fcgx.err);
	(void)FCGX_PutChar('\n', h->fcgx.err);
}

/* Until there is a connection; false: to end. */
static bool
fcgi_wait(struct http *h)
{
	fd_set set;
	int got = 0;

	while (!stopping && got == 0) {
		FD_ZERO(&set);
		FD_SET(0, &set);
		got = pselect(1, &set, NULL, NULL, NULL, &h->idle);
		if (got < 0 && errno == EINTR)
			got = 0;
	}
	return got > 0;
}

/* Descriptor 0 does not block: another worker may have been quicker. */
static bool
fcgi_accept(struct http *h)
{
	int bad = -EAGAIN;

	while (bad == -EAGAIN && fcgi_wait(h)) {
		errno = 0;
		bad = FCGX_Accept_r(&h->fcgx);
	}
	if (bad != 0)
		return false;
	/*
	 * One request a connection, whatever the web server would like: an
	 * idle one would hold this worker while others wait, and what libfcgi
	 * leaves unread of a request it takes for the next.
	 */
	h->fcgx.keepConnection = 0;
	if (!h->keep_log)
		log_sink(fcgi_log, h);
	return true;
}

static void
fcgi_finish(struct http *h)
{
	log_sink(NULL, NULL);
	FCGX_Finish_r(&h->fcgx);
}

static const struct door fcgi_door = { fcgi_param, fcgi_read, fcgi_write,
	fcgi_accept, fcgi_finish };

/* Descriptor 0 becomes ours to wait on; see fcgi_wait(). */
static enum err
fcgi_open(struct http *h)
{
	int flags = fcntl(0, F_GETFL);

	hold_stop_signals(&h->idle);
	if (flags < 0 || fcntl(0, F_SETFL, flags | O_NONBLOCK) != 0 ||
	    FCGX_Init() != 0 ||
	    FCGX_InitRequest(&h->fcgx, 0, FCGI_FAIL_ACCEPT_ON_INTR) != 0) {
		log_error("FastCGI cannot be started on descriptor 0");
		return ERR_SYSTEM;
	}
	return OK;
}

enum err
http_open(bool fastcgi, size_t maxbody, size_t maxquery, struct http **out)
{
	struct http *h = calloc(1, sizeof(*h));
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	if (h == NULL) {
		log_errno("no memory");
		return ERR_SYSTEM;
	}
	h->door = fastcgi ? &fcgi_door : &cgi_door;
	h->maxbody = maxbody;
	h->maxquery = maxquery;
	(void)sigaction(SIGPIPE, &ignore, NULL);
	if (fastcgi && fcgi_open(h) != OK) {
		free(h);
		return ERR_SYSTEM;
	}
	*out = h;
	return OK;
}

void
http_close(struct http *h)
{
	free(h);
}

void
http_keep_log(struct http *h)
{
	h->keep_log = true;
}

const char *
http_param(struct http *h, const char *name)
{
	return h->door->param(h, name);
}

ssize_t
http_bytes(struct http *h, void *to, size_t len)
{
	return h->door->read(h, to, len);
}

enum err
http_next(struct http *h, struct request *r)
{
	enum err e;

	*r = (struct request){ .method = HTTP_OTHER };
	if (!h->door->accept(h))
		return ERR_NOTFOUND;
	if (random_hex(r->id, 8) != OK)
		r->id[0] = '\0';
	log_request(r->id);
	if ((e = http_read(h, h->maxbody, h->maxquery, r)) != OK)
		r->status = err_http(e);
	if (r->status != 0 || r->method == HTTP_OTHER)
		http_discard(h, r);
	return OK;
}

static const char *
status_text(int status)
{
	static const struct {
		int status;
		const char *text;
	} texts[] = { { 200, "OK" }, { 304, "Not Modified" },
		{ 400, "Bad Request" }, { 403, "Forbidden" },
		{ 404, "Not Found" }, { 405, "Method Not Allowed" },
		{ 413, "Content Too Large" }, { 414, "URI Too Long" },
		{ 503, "Service Unavailable" } };

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (texts[i].status == status)
			return texts[i].text;
	return "Error";
}

/* What tells a client whether it has this already. */
static bool
put_age(struct buf *out, const struct reply *reply)
{
	char modified[TIME_HTTP];

	if (*reply->etag != '\0' &&
	    !buf_printf(out, "ETag: \"%s\"\r\n", reply->etag))
		return false;
	if (reply->modified == 0)
		return true;
	time_http(reply->modified, modified);
	return buf_printf(out, "Last-Modified: %s\r\n", modified);
}

enum err
http_answer(struct http *h, const struct request *r, const struct reply *reply)
{
	struct buf out = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (!buf_printf(&out, "Status: %d %s\r\n", reply->status,
		status_text(reply->status)))
		goto out;
	if (reply->status != 304 &&
	    !buf_printf(&out, "Content-Type: %s\r\nContent-Length: %zu\r\n",
		reply->type, reply->body.len))
		goto out;
	if (reply->allow && !buf_printf(&out, "Allow: %s\r\n", reply->allow))
		goto out;
	if (reply->retry > 0 &&
	    !buf_printf(&out, "Retry-After: %d\r\n", reply->retry))
		goto out;
	if (reply->no_store && !buf_str(&out, "Cache-Control: no-store\r\n"))
		goto out;
	if (reply->no_cache && !buf_str(&out, "Cache-Control: no-cache\r\n"))
		goto out;
	if (!put_age(&out, reply) || !buf_str(&out, "\r\n"))
		goto out;
	if (r->method != HTTP_HEAD && reply->status != 304 &&
	    !buf_add(&out, reply->body.data, reply->body.len))
		goto out;
	e = h->door->write(h, buf_span(&out));
out:
	h->door->finish(h);
	log_request(NULL);
	buf_release(&out);
	return e;
}
