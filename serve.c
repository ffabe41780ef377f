#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "access.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/owner.h"
#include "base/time.h"
#include "fetch/fetch.h"
#include "page/ndes.h"
#include "proxy.h"
#include "query.h"
#include "queue.h"
#include "route.h"
#include "serve.h"
#include "visit.h"

#define RETRY_AFTER 5 /* seconds, with 503 */

const char *
serve_home(void)
{
	const char *home =
	    getenv("SCEP_HOME"); /* NOLINT(concurrency-mt-unsafe) */

	return home && *home ? home : "/var/lib/scep";
}

static void
house_close(struct house *h)
{
	if (h->open)
		store_release(&h->store);
	cas_free(h->cas);
	aliases_free(h->aliases);
	profiles_free(h->profiles);
	file_close(&h->home);
	*h = (struct house){ .home = -1 };
}

/*
 * Is what a worker holds still the home?  A person may have moved it away and
 * put a copy in its place, and nothing must be issued into the old one.
 */
static bool
house_stands(const struct house *h, const char *path)
{
	return dir_same(AT_FDCWD, path, h->home) == OK &&
	       dir_same(h->home, "store", h->store.root) == OK &&
	       dir_same(h->store.root, "tmp", h->store.tmp) == OK;
}

/*
 * Opens what is not open, or is another by now.  A worker that finds the home
 * missing or unreadable answers 503 and tries again with the next request.
 */
static enum err
house_open(struct house *h)
{
	const char *path = serve_home();
	enum err e;

	if (h->open && !house_stands(h, path)) {
		log_warn(
		    "%s is not the home that it was; opening it again", path);
		house_close(h);
	}
	if (h->open || (h->trouble != OK && !h->answered))
		return h->trouble;
	if ((e = dir_open_home(path, &h->home)) != OK) {
		if (e == ERR_NOTFOUND)
			log_error("%s does not exist: `scep init` makes a "
				  "home, SCEP_HOME names it",
			    path);
		goto out;
	}
	if ((e = owner_become(path, h->home)) != OK)
		goto out;
	if ((e = cas_new(h->home, &h->cas)) != OK)
		goto out;
	if ((e = aliases_new(h->home, &h->aliases)) != OK)
		goto out;
	if ((e = profiles_new(h->home, &h->profiles)) != OK)
		goto out;
	if ((e = site_read(h->home, &h->site)) != OK)
		goto out;
	if ((e = store_open(h->home, &h->store)) != OK)
		goto out;
	h->open = true;
out:
	if (e != OK)
		house_close(h);
	h->trouble = e;
	return e;
}

enum err
answer_text(struct reply *reply, int status, const char *text)
{
	buf_clear(&reply->body);
	reply->status = status;
	reply->type = "text/plain";
	reply->retry = status == 503 ? RETRY_AFTER : 0;
	reply->no_store = true; /* or a cache repeats it when it is mended */
	return buf_printf(&reply->body, "%s\n", text) ? OK : ERR_SYSTEM;
}

/* Our own trouble: never FAILURE, which clients take as final (C-166). */
static enum err
answer_trouble(struct visit *v, enum err e)
{
	log_text(&v->line, "trouble", err_name(e));
	return answer_text(v->reply, 503, "temporarily unavailable, try again");
}

#define METHOD(m) (1U << (m))

static const struct operation {
	const char *name;  /* any case is taken (C-8) */
	unsigned methods;  /* METHOD() bits */
	const char *allow; /* the same for people */
	enum err (*run)(struct visit *v);
} operations[] = {
	{ "GetCACaps", METHOD(HTTP_GET) | METHOD(HTTP_HEAD), "GET, HEAD",
	    get_ca_caps },
	{ "GetCACert", METHOD(HTTP_GET) | METHOD(HTTP_HEAD), "GET, HEAD",
	    get_ca_cert },
	{ "GetCACertChain", METHOD(HTTP_GET) | METHOD(HTTP_HEAD), "GET, HEAD",
	    get_ca_cert_chain },
	{ "GetNextCACert", METHOD(HTTP_GET) | METHOD(HTTP_HEAD), "GET, HEAD",
	    get_next_ca_cert },
	{ "PKIOperation", METHOD(HTTP_GET) | METHOD(HTTP_POST), "GET, POST",
	    pki_operation },
};

/* Found by its path: whoever asks for it knows nothing of SCEP. */
static const struct operation page = { "page", METHOD(HTTP_GET), "GET",
	ndes_page };

/* A POST without operation= is a PKIOperation (C-7). */
static const struct operation *
find_operation(const struct request *r)
{
	struct span name = { NULL, 0 };
	bool named = query_value(buf_span(&r->query), "operation", &name);

	if (route_page(buf_span(&r->path)))
		return &page;
	if (!named && r->method == HTTP_POST)
		name = span_of("PKIOperation", strlen("PKIOperation"));
	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
		const char *op = operations[i].name;

		if (name.len == strlen(op) &&
		    strncasecmp((const char *)name.p, op, name.len) == 0)
			return &operations[i];
	}
	return NULL;
}

/*
 * A web server always sets QUERY_STRING (RFC 3875, 4.1.7); where there is none
 * it was too long for it, as for Apache's mod_proxy_fcgi (C-11).
 */
static enum err
answer_no_operation(struct visit *v)
{
	if (v->request->no_query)
		return answer_text(v->reply, 414,
		    "the URL is too long for the web server: use POST");
	return answer_text(v->reply, 400,
	    "operation= must be GetCACaps, GetCACert, GetCACertChain, "
	    "GetNextCACert or PKIOperation");
}

/* Who asks, and how, comes before what is asked. */
static enum err
enter(struct visit *v, const struct operation *op)
{
	bool admitted = false;
	enum err e = access_admit(v, &admitted);

	if (e != OK || !admitted)
		return e;
	if ((METHOD(v->request->method) & op->methods) == 0) {
		v->reply->allow = op->allow;
		return answer_text(v->reply, 405, "method not allowed");
	}
	if (v->alias->mode == MODE_PROXY && op != &page)
		return proxy_pass(v, op->name);
	cas_refresh(v->house->cas);
	queue_visit(v);
	return op->run(v);
}

/* Finds alias and operation, and runs it. */
static enum err
walk(struct visit *v)
{
	const struct request *r = v->request;
	const struct operation *op;
	struct document document;
	char alias[MAX_ALIAS + 1];
	enum err e;

	if (r->status != 0)
		return answer_text(
		    v->reply, r->status, "request too large or unreadable");
	if (r->method == HTTP_OTHER) {
		v->reply->allow = "GET, HEAD, POST";
		return answer_text(v->reply, 405, "method not allowed");
	}
	if ((e = house_open(v->house)) != OK)
		return e;
	if (route_document(buf_span(&r->path), &document)) {
		cas_refresh(v->house->cas);
		return publish(v, &document);
	}
	if ((op = find_operation(r)) == NULL)
		return answer_no_operation(v);
	log_text(&v->line, "operation", op->name);
	if (route_alias(buf_span(&r->path), r->alias, alias) != OK)
		return answer_text(v->reply, 404, "no such alias");
	log_text(&v->line, "alias", alias);
	e = aliases_find(v->house->aliases, alias, &v->alias);
	if (e == ERR_NOTFOUND)
		return answer_text(v->reply, 404, "no such alias");
	return e == OK ? enter(v, op) : e;
}

/* One request: the answer, and its line in the log. */
static enum err
answer(struct house *house, struct http *http, const struct request *r)
{
	struct reply reply = { .status = 200, .type = "text/plain" };
	struct visit v = {
		.house = house, .request = r, .reply = &reply, .now = time_now()
	};
	int64_t start = time_ticks();
	enum err e;

	log_begin(&v.line, LOG_INFO, "request");
	log_text(&v.line, "remote", r->remote);
	if ((e = walk(&v)) != OK)
		(void)answer_trouble(&v, e);
	log_num(&v.line, "status", reply.status);
	log_num(&v.line, "ms", time_ticks() - start);
	log_end(&v.line);
	house->answered = true;
	e = http_answer(http, r, &reply);
	buf_release(&reply.body);
	return e;
}

static int
run(bool fastcgi, bool keep_log)
{
	struct house house = { .home = -1 };
	struct http *http = NULL;
	struct request request;
	struct site site = SITE_INIT;
	enum err e;

	/* A home that is not there yet is each request's 503, not an end. */
	if (house_open(&house) == OK) {
		site = house.site;
		/*
		 * Now, as it is the home's owner by now and holds no request;
		 * where that fails, the first one that needs it tries again.
		 */
		if (fastcgi)
			(void)fetch_start();
	}
	if ((e = http_open(fastcgi, site.maxbody, site.maxquery, &http)) != OK)
		goto out;
	if (keep_log)
		http_keep_log(http);
	while (http_next(http, &request) == OK) {
		e = answer(&house, http, &request);
		request_release(&request);
	}
	/* A client that went away is no failure of a FastCGI worker. */
	if (fastcgi)
		e = OK;
out:
	fetch_stop();
	http_close(http);
	house_close(&house);
	return err_exit(e);
}

int
serve(bool fastcgi)
{
	return run(fastcgi, false);
}

int
serve_worker(void)
{
	return run(true, true);
}
