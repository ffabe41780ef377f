#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aliases/alias.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/owner.h"
#include "base/time.h"
#include "ca/ca.h"
#include "ca/dn.h"
#include "enrol.h"
#include "http.h"
#include "message/message.h"
#include "query.h"
#include "route.h"
#include "serve.h"
#include "store/store.h"

#define RETRY_AFTER 5 /* seconds, with 503 */

/* What a worker holds from request to request. */
struct house {
	int home;
	bool open;	  /* all of the following are there */
	bool answered;	  /* a request has seen the present state */
	enum err trouble; /* why it is not open */
	struct store store;
	struct cas *cas;
	struct aliases *aliases;
};

/* One request on its way; everything borrowed but what is said. */
struct visit {
	struct house *house;
	const struct request *request;
	const struct alias *alias;
	struct reply *reply;
	struct logline line; /* the request's line, written at its end */
	int64_t now;
};

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
	file_close(&h->home);
	*h = (struct house){ .home = -1 };
}

/*
 * Opens what is not open.  A worker that finds the home missing or unreadable
 * answers 503 and tries again with the next request.
 */
static enum err
house_open(struct house *h)
{
	const char *path = serve_home();
	enum err e;

	if (h->open || (h->trouble != OK && !h->answered))
		return h->trouble;
	if ((e = dir_open(AT_FDCWD, path, &h->home)) != OK) {
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
	if ((e = store_open(h->home, &h->store)) != OK)
		goto out;
	h->open = true;
out:
	if (e != OK)
		house_close(h);
	h->trouble = e;
	return e;
}

/* A short plain answer; the sentence is ours, never the client's words. */
static enum err
answer_text(struct reply *reply, int status, const char *text)
{
	buf_clear(&reply->body);
	reply->status = status;
	reply->type = "text/plain";
	reply->retry = status == 503 ? RETRY_AFTER : 0;
	return buf_printf(&reply->body, "%s\n", text) ? OK : ERR_SYSTEM;
}

/* Our own trouble: never FAILURE, which clients take as final (C-166). */
static enum err
answer_trouble(struct visit *v, enum err e)
{
	log_text(&v->line, "trouble", err_name(e));
	return answer_text(v->reply, 503, "temporarily unavailable, try again");
}

/* The CA a GET operation is about: its message=, else the alias's default. */
static enum err
find_ca(struct visit *v, const struct ca **ca)
{
	struct buf ident = BUF_INIT;
	struct span raw = { NULL, 0 };
	const char *name;
	enum err e = OK;

	if (query_value(buf_span(&v->request->query), "message", &raw) &&
	    raw.len <= MAX_CA_IDENT)
		e = percent_decode(raw, &ident);
	if (e == OK) {
		name = alias_ca(v->alias, buf_span(&ident));
		e = cas_find(v->house->cas, name, ca);
		if (e == ERR_NOTFOUND)
			log_error("alias %s: its CA %s does not exist: "
				  "`scep alias check` tells more",
			    v->alias->name, name);
	}
	buf_release(&ident);
	return e;
}

/* GetCACaps (RFC 8894 3.5): one word a line, no empty line (C-20). */
static enum err
get_ca_caps(struct visit *v)
{
	const struct {
		const char *word;
		bool on;
	} words[] = {
		{ "POSTPKIOperation", true },
		{ "SHA-1", v->alias->sha1 },
		{ "SHA-256", true },
		{ "SHA-384", true },
		{ "SHA-512", true },
		{ "DES3", v->alias->des3 },
		{ "AES", true },
		{ "SCEPStandard", true },
	};
	struct buf *out = &v->reply->body;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (words[i].on && !buf_printf(out, "%s%s",
				       out->len ? "\n" : "", words[i].word))
			return ERR_SYSTEM;
	v->reply->type = "text/plain";
	return OK;
}

/* GetCACert (RFC 8894 4.2): a root alone, or the CA and its issuers. */
static enum err
get_ca_cert(struct visit *v)
{
	const struct ca *ca = NULL;
	const struct generation *gen;
	struct span certs[MAX_CERTS];
	size_t n = 0;
	enum err e;

	if ((e = find_ca(v, &ca)) != OK)
		return e == ERR_NOTFOUND ? ERR_SYSTEM : e;
	if ((gen = ca_current(ca, v->now)) == NULL) {
		log_error("CA %s is not valid yet", ca->name);
		return ERR_BUSY;
	}
	log_text(&v->line, "ca", ca->name);
	certs[n++] = buf_span(&gen->cert);
	for (size_t i = 0; i < gen->nchain && n < MAX_CERTS; i++)
		certs[n++] = buf_span(&gen->chain[i]);
	if (n == 1) {
		v->reply->type = "application/x-x509-ca-cert";
		return buf_add(&v->reply->body, certs[0].p, certs[0].len) ?
			   OK :
			   ERR_SYSTEM;
	}
	v->reply->type = "application/x-x509-ca-ra-cert";
	return message_certs_only(certs, n, &v->reply->body);
}

/* The CAs whose envelopes this alias opens.  cas has room for MAX_CAS. */
static enum err
served_cas(struct visit *v, const struct ca **cas, size_t *n)
{
	enum err e;

	*n = 0;
	for (size_t i = 0; i < v->alias->ncas && *n < MAX_CAS; i++) {
		const char *name = v->alias->cas[i];

		e = cas_find(v->house->cas, name, &cas[*n]);
		if (e == OK)
			(*n)++;
		else if (e == ERR_NOTFOUND)
			log_warn("alias %s: its CA %s does not exist",
			    v->alias->name, name);
		else
			return e;
	}
	return *n > 0 ? OK : ERR_SYSTEM;
}

/* Text for anybody to read on the way: the class of the answer, no detail. */
static const char *
fail_text(enum failinfo fail)
{
	static const char *const texts[] = {
		[FAIL_BADALG] = "algorithm not supported or not admitted",
		[FAIL_BADMESSAGECHECK] = "message could not be verified",
		[FAIL_BADREQUEST] = "request refused",
		[FAIL_BADTIME] = "message time not acceptable",
		[FAIL_BADCERTID] = "no certificate matches",
	};

	return fail == FAIL_NONE ? NULL : texts[fail];
}

static void
log_message(struct visit *v, const struct pkimsg *msg)
{
	struct buf text = BUF_INIT;

	log_text(&v->line, "type", message_type_name(msg->type));
	log_span(&v->line, "transaction", buf_span(&msg->txid));
	if (msg->ca)
		log_text(&v->line, "ca", msg->ca->name);
	if (msg->csr.subject.len > 0 && dn_text(msg->csr.subject, &text) == OK)
		log_span(&v->line, "subject", buf_span(&text));
	log_text(&v->line, "digest", digest_name(msg->digest));
	buf_release(&text);
}

/* Decides about an opened message; d says what to answer. */
static enum err
decide(struct visit *v, const struct pkimsg *msg, struct decision *d)
{
	enum err e;

	d->fail = msg->fail;
	d->reason = msg->reason;
	if (msg->fail != FAIL_NONE)
		return OK;
	if (msg->type != MSG_PKCSREQ) {
		d->fail = FAIL_BADREQUEST;
		d->reason = "this message type is not served";
		return OK;
	}
	e = enrol_decide(&v->house->store, v->alias, msg, v->now, d);
	if (e == OK && d->verdict == VERDICT_GRANT) {
		e = enrol_grant(
		    &v->house->store, msg, v->request->remote, v->now, d);
		if (e == OK && d->verdict == VERDICT_GRANT)
			d->verdict = VERDICT_ISSUED;
	}
	log_text(&v->line, "entity", d->username);
	return e;
}

/* Seals the answer to a decided message. */
static enum err
seal(struct visit *v, const struct pkimsg *msg, const struct decision *d,
    const struct generation *gen)
{
	static const char *const results[] = {
		[VERDICT_ISSUED] = "issued",
		[VERDICT_KEPT] = "resent",
		[VERDICT_REFUSE] = "refused",
	};
	struct span certs[2] = { buf_span(&d->outcome.cert),
		buf_span(&gen->cert) };
	struct certrep rep = { .status = PKI_SUCCESS,
		.fail = FAIL_NONE,
		.certs = certs,
		.ncerts = v->alias->includeca ? 2 : 1,
		.gen = gen,
		.no_sha1 = !v->alias->sha1 };

	log_text(&v->line, "result", results[d->verdict]);
	if (d->verdict == VERDICT_REFUSE) {
		rep.status = PKI_FAILURE;
		rep.fail = d->fail;
		rep.text = fail_text(d->fail);
		rep.ncerts = 0;
		log_text(&v->line, "failinfo", failinfo_name(d->fail));
		log_text(&v->line, "reason", d->reason);
	} else {
		log_text(&v->line, "serial", d->outcome.serial);
	}
	v->reply->type = "application/x-pki-message";
	return message_seal(msg, &rep, &v->reply->body);
}

/* The bytes of the message: a POST's body, or base64 in a GET's query. */
static enum err
message_bytes(const struct request *r, struct buf *decoded, struct span *der)
{
	struct span raw;
	enum err e;

	*der = buf_span(&r->body);
	if (r->method == HTTP_POST)
		return OK;
	if (!query_value(buf_span(&r->query), "message", &raw))
		return ERR_INPUT;
	e = message_decode(raw, decoded);
	*der = buf_span(decoded);
	return e;
}

static enum err
pki_operation(struct visit *v)
{
	struct buf decoded = BUF_SECRET;
	struct span der = { NULL, 0 };
	const struct ca *cas[MAX_CAS];
	const struct generation *gen;
	struct pkimsg msg;
	struct decision d;
	struct message_policy policy = { .sha1 = v->alias->sha1,
		.des3 = v->alias->des3,
		.samekey = v->alias->samekey };
	size_t n = 0;
	enum err e;

	pkimsg_init(&msg);
	decision_init(&d);
	v->reply->no_store = true;
	if ((e = message_bytes(v->request, &decoded, &der)) != OK)
		goto out;
	if ((e = served_cas(v, cas, &n)) != OK)
		goto out;
	e = message_open(cas, n, &policy, der, &msg);
	log_message(v, &msg);
	if (e != OK)
		goto out;
	gen = msg.gen ? msg.gen : ca_current(cas[0], v->now);
	if (gen == NULL) {
		log_error("CA %s is not valid yet", cas[0]->name);
		e = ERR_BUSY;
		goto out;
	}
	if ((e = decide(v, &msg, &d)) != OK)
		goto out;
	e = seal(v, &msg, &d, gen);
out:
	if (e == ERR_INPUT) {
		log_text(&v->line, "reason", msg.reason);
		e = answer_text(v->reply, 400, "not a readable SCEP message");
	}
	decision_release(&d);
	pkimsg_release(&msg);
	buf_release(&decoded);
	return e;
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
	{ "PKIOperation", METHOD(HTTP_GET) | METHOD(HTTP_POST), "GET, POST",
	    pki_operation },
};

/* A POST without operation= is a PKIOperation (C-7). */
static const struct operation *
find_operation(const struct request *r)
{
	struct span name = { NULL, 0 };
	bool named = query_value(buf_span(&r->query), "operation", &name);

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

/* Finds alias and operation, and runs it. */
static enum err
walk(struct visit *v)
{
	const struct request *r = v->request;
	const struct operation *op;
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
	if ((op = find_operation(r)) == NULL)
		return answer_text(v->reply, 400,
		    "operation= must be GetCACaps, GetCACert or PKIOperation");
	log_text(&v->line, "operation", op->name);
	if (route_alias(buf_span(&r->path), r->alias, alias) != OK)
		return answer_text(v->reply, 404, "no such alias");
	log_text(&v->line, "alias", alias);
	e = aliases_find(v->house->aliases, alias, &v->alias);
	if (e == ERR_NOTFOUND)
		return answer_text(v->reply, 404, "no such alias");
	if (e != OK)
		return e;
	if ((METHOD(r->method) & op->methods) == 0) {
		v->reply->allow = op->allow;
		return answer_text(v->reply, 405, "method not allowed");
	}
	cas_refresh(v->house->cas);
	return op->run(v);
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

int
serve(bool fastcgi)
{
	struct house house = { .home = -1 };
	struct http *http = NULL;
	struct request request;
	struct site site;
	enum err e;

	/* A home that is not there yet is each request's 503, not an end. */
	if (house_open(&house) != OK || site_read(house.home, &site) != OK)
		site = (struct site){ MAX_BODY, MAX_QUERY };
	if ((e = http_open(fastcgi, site.maxbody, site.maxquery, &http)) != OK)
		goto out;
	while (http_next(http, &request) == OK) {
		e = answer(&house, http, &request);
		request_release(&request);
	}
	/* A client that went away is no failure of a FastCGI worker. */
	if (fastcgi)
		e = OK;
out:
	http_close(http);
	house_close(&house);
	return err_exit(e);
}
