#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/select.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/names.h"
#include "base/time.h"
#include "http.h"

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

static enum http_method
method_of(const char *name)
{
	static const struct {
		const char *name;
		enum http_method method;
	} methods[] = { { "GET", HTTP_GET }, { "HEAD", HTTP_HEAD },
		{ "POST", HTTP_POST } };

	for (size_t i = 0; name && i < sizeof(methods) / sizeof(*methods); i++)
		if (strcmp(methods[i].name, name) == 0)
			return methods[i].method;
	return HTTP_OTHER;
}

/* CONTENT_LENGTH in bytes; SIZE_MAX: not given, read to the end. */
static enum err
content_length(const char *text, size_t *out)
{
	unsigned long long n;
	char *end = NULL;

	*out = SIZE_MAX;
	if (text == NULL || *text == '\0')
		return OK;
	if (strspn(text, "0123456789") != strlen(text))
		return ERR_INPUT;
	errno = 0;
	n = strtoull(text, &end, 10);
	*out = errno == ERANGE || n >= SIZE_MAX ? SIZE_MAX - 1 : (size_t)n;
	return OK;
}

/* Reads the body of a POST; r->status says what was wrong with it. */
static enum err
read_body(struct http *h, struct request *r)
{
	uint8_t chunk[16384];
	size_t length, cap;

	if (content_length(h->door->param(h, "CONTENT_LENGTH"), &length) !=
	    OK) {
		r->status = 400;
		return OK;
	}
	if (length != SIZE_MAX && length > h->maxbody) {
		r->status = 413; /* before a byte of it is kept */
		return OK;
	}
	/* One byte over the cap is enough to know. */
	cap = length == SIZE_MAX ? h->maxbody + 1 : length;
	while (r->body.len < cap) {
		size_t want = cap - r->body.len;
		ssize_t n = h->door->read(
		    h, chunk, want < sizeof(chunk) ? want : sizeof(chunk));

		if (n <= 0)
			break;
		if (!buf_add(&r->body, chunk, (size_t)n))
			return ERR_SYSTEM;
	}
	if (r->body.len > h->maxbody)
		r->status = 413;
	else if (length != SIZE_MAX && r->body.len < length)
		r->status = 400; /* cut short */
	return OK;
}

/*
 * A web server that still sends when its program ends, as Apache's CGI does,
 * throws the program's answer away: so a body that nobody wants is read too,
 * within limits.
 */
static void
discard_body(struct http *h, const struct request *r)
{
	int64_t end = time_ticks() + MAX_DISCARD_MS;
	uint8_t chunk[16384];
	size_t left;
	ssize_t n = 1;

	if (content_length(h->door->param(h, "CONTENT_LENGTH"), &left) != OK ||
	    (left == SIZE_MAX && r->method != HTTP_POST))
		return;
	left -= r->body.len < left ? r->body.len : left;
	left = left < MAX_DISCARD ? left : MAX_DISCARD;
	while (n > 0 && left > 0 && time_ticks() < end) {
		n = h->door->read(
		    h, chunk, left < sizeof(chunk) ? left : sizeof(chunk));
		left -= n > 0 ? (size_t)n : 0;
	}
}

static const char *
param_or(struct http *h, const char *name, const char *other)
{
	const char *value = h->door->param(h, name);

	return value != NULL ? value : other;
}

/*
 * Has the web server verified a client certificate?  Its own variables say so,
 * never a header of the request, which would be HTTP_SSL_CLIENT_VERIFY.
 */
static bool
verified(struct http *h)
{
	return strcmp(param_or(h, "SSL_CLIENT_VERIFY", ""), "SUCCESS") == 0;
}

/*
 * Whom the server has verified.  What is larger than any certificate is not
 * believed half: then nobody was.
 */
static enum err
read_peer(struct http *h, struct request *r)
{
	const char *name = param_or(h, "SSL_CLIENT_S_DN", "");
	const char *cert = param_or(h, "SSL_CLIENT_CERT", "");
	bool good = verified(h);

	if (good && strlen(cert) > MAX_PEER_CERT) {
		log_error(
		    "SSL_CLIENT_CERT has more than %d bytes", MAX_PEER_CERT);
		good = false;
	}
	r->peer = str_dup(good ? name : "");
	r->peer_cert = str_dup(good ? cert : "");
	return r->peer && r->peer_cert ? OK : ERR_SYSTEM;
}

static enum err
read_request(struct http *h, struct request *r)
{
	const char *script = h->door->param(h, "SCRIPT_NAME");
	const char *info = h->door->param(h, "PATH_INFO");
	const char *query = h->door->param(h, "QUERY_STRING");
	const char *alias = h->door->param(h, "SCEP_ALIAS");
	const char *remote = h->door->param(h, "REMOTE_ADDR");
	const char *none = h->door->param(h, "HTTP_IF_NONE_MATCH");
	const char *since = h->door->param(h, "HTTP_IF_MODIFIED_SINCE");

	r->method = method_of(h->door->param(h, "REQUEST_METHOD"));
	r->no_query = query == NULL;
	r->remote = str_dup(remote ? remote : "");
	r->user = str_dup(param_or(h, "REMOTE_USER", ""));
	if (r->remote == NULL || r->user == NULL || read_peer(h, r) != OK)
		return ERR_SYSTEM;
	if (alias && *alias && (r->alias = str_dup(alias)) == NULL)
		return ERR_SYSTEM;
	if (none && (r->none_match = str_dup(none)) == NULL)
		return ERR_SYSTEM;
	if (since && (r->modified_since = str_dup(since)) == NULL)
		return ERR_SYSTEM;
	if (query && strlen(query) > h->maxquery) {
		r->status = 414;
		return OK;
	}
	if (!buf_str(&r->path, script ? script : "") ||
	    !buf_str(&r->path, info ? info : "") ||
	    !buf_str(&r->query, query ? query : ""))
		return ERR_SYSTEM;
	if (r->path.len > MAX_PATH_INFO)
		r->status = 414;
	else if (r->method == HTTP_POST)
		return read_body(h, r);
	return OK;
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
	if ((e = read_request(h, r)) != OK)
		r->status = err_http(e);
	if (r->status != 0 || r->method == HTTP_OTHER)
		discard_body(h, r);
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

void
request_release(struct request *r)
{
	buf_release(&r->path);
	buf_release(&r->query);
	buf_release(&r->body);
	free(r->alias);
	free(r->remote);
	free(r->user);
	free(r->peer);
	free(r->peer_cert);
	free(r->none_match);
	free(r->modified_since);
	*r = (struct request){ .method = HTTP_OTHER };
}
