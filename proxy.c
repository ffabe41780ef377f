#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "fetch/pause.h"
#include "proxy.h"
#include "store/kept.h"
#include "visit.h"

/* What the far server may answer to each operation, and whether that is kept. */
static const struct operation {
	const char *name;
	const char *types[3];
	bool keep;
} operations[] = {
	{ "GetCACaps", { "text/plain" }, true },
	{ "GetCACert",
	    { "application/x-x509-ca-cert", "application/x-x509-ca-ra-cert" },
	    true },
	{ "GetCACertChain",
	    { "application/x-x509-ca-ra-cert-chain",
		"application/x-x509-ca-ra-cert", "application/x-x509-ca-cert" },
	    true },
	{ "GetNextCACert", { "application/x-x509-next-ca-cert" }, false },
	{ "PKIOperation", { "application/x-pki-message" }, false },
};
#define OPERATIONS (sizeof(operations) / sizeof(*operations))
#define TYPES	   (sizeof(operations->types) / sizeof(*operations->types))

static const struct operation *
find(const char *name)
{
	for (size_t i = 0; i < OPERATIONS; i++)
		if (strcmp(operations[i].name, name) == 0)
			return &operations[i];
	return NULL;
}

/* Our constant for a Content-Type, whose parameters mean nothing here. */
static const char *
known_type(const struct operation *op, const char *type)
{
	size_t len = strcspn(type, "; \t");

	for (size_t i = 0; i < TYPES && op->types[i] != NULL; i++)
		if (strlen(op->types[i]) == len &&
		    strncasecmp(op->types[i], type, len) == 0)
			return op->types[i];
	return NULL;
}

/*
 * The query as it came; bytes that no URL can have, which some web servers
 * hand over, as the escapes that mean them.
 */
static enum err
make_url(const struct visit *v, struct buf *url)
{
	const struct buf *query = &v->request->query;
	bool good = buf_str(url, v->alias->proxy.peer.url);

	if (good && query->len > 0)
		good = buf_byte(url, '?');
	for (size_t i = 0; good && i < query->len; i++) {
		uint8_t c = query->data[i];

		good = isgraph(c) && c != '#' ? buf_byte(url, c) :
						buf_printf(url, "%%%02X", c);
	}
	return good ? OK : ERR_SYSTEM;
}

/* What proves who we are, and who may be there. */
struct papers {
	struct buf ca, cert, key;
};
#define PAPERS_INIT                                                 \
	{                                                           \
		.ca = BUF_INIT, .cert = BUF_INIT, .key = BUF_SECRET \
	}

static enum err
papers_read(const struct visit *v, struct papers *p)
{
	const struct peer_rules *peer = &v->alias->proxy.peer;
	int home = v->house->home;
	enum err e;

	e = alias_file(
	    home, "clientcert", peer->clientcert, ALIAS_CERTS, &p->cert);
	if (e == OK)
		e = alias_file(
		    home, "clientkey", peer->clientkey, ALIAS_KEY, &p->key);
	if (e == OK && peer->cafile != NULL)
		e = alias_file(
		    home, "cafile", peer->cafile, ALIAS_CERTS, &p->ca);
	/* ours, not that nobody answers */
	return e == ERR_INPUT || e == ERR_BUSY ? ERR_SYSTEM : e;
}

static void
papers_release(struct papers *p)
{
	buf_release(&p->ca);
	buf_release(&p->cert);
	buf_release(&p->key);
}

/* Asks the far server; ERR_BUSY and the like were logged. */
static enum err
ask(const struct visit *v, struct http_answer *out)
{
	static const char *const header[] = {
		"Content-Type: application/x-pki-message", NULL
	};
	const struct peer_rules *peer = &v->alias->proxy.peer;
	bool post = v->request->method == HTTP_POST;
	struct papers papers = PAPERS_INIT;
	struct buf url = BUF_INIT;
	enum err e;

	if ((e = make_url(v, &url)) == OK &&
	    (e = papers_read(v, &papers)) == OK)
		e = pause_http(v->alias->name,
		    &(struct http_ask){ .method = post ? "POST" : "GET",
			.url = buf_cstr(&url),
			.header = post ? header : NULL,
			.body = buf_span(&v->request->body),
			.ca = buf_span(&papers.ca),
			.cert = buf_span(&papers.cert),
			.key = buf_span(&papers.key),
			.pin = peer->pin,
			.timeout = peer->timeout * 1000,
			.limit = MAX_BODY },
		    out);
	papers_release(&papers);
	buf_release(&url);
	return e;
}

/*
 * A no of the far server is one for the client too, unless it is "not now",
 * or said to us: 403 means that our certificate is not admitted there, but
 * for EJBCA's GetNextCACert, which has none.
 */
static bool
is_no(const struct operation *op, int status)
{
	if (status == 403)
		return strcmp(op->name, "GetNextCACert") == 0;
	return status >= 400 && status < 500 && status != 407 &&
	       status != 408 && status != 425 && status != 429;
}

/* Passes the answer back, if it is one. */
static enum err
pass(struct visit *v, const struct operation *op, const struct http_answer *a)
{
	const char *type = known_type(op, a->type);

	log_num(&v->line, "upstream", a->status);
	if (a->status == 200 && type != NULL && a->body.len > 0) {
		v->reply->type = type;
		return buf_add(&v->reply->body, a->body.data, a->body.len) ?
			   OK :
			   ERR_SYSTEM;
	}
	if (is_no(op, a->status)) {
		log_error("alias %s: %s answered %d", v->alias->name,
		    v->alias->proxy.peer.url, a->status);
		return answer_text(
		    v->reply, a->status, "refused by the CA's server");
	}
	if (a->status == 403)
		log_error("alias %s: %s does not admit us: clientcert must be "
			  "good, and its subject in [access] peers there",
		    v->alias->name, v->alias->proxy.peer.url);
	else
		log_error(
		    "alias %s: %s answered %d, type \"%s\", %zu bytes, which is "
		    "no answer to %s",
		    v->alias->name, v->alias->proxy.peer.url, a->status,
		    a->type, a->body.len, op->name);
	return ERR_BUSY;
}

static enum err
pass_on(struct visit *v, const struct operation *op)
{
	struct http_answer a = HTTP_ANSWER_INIT;
	enum err e = ask(v, &a);

	if (e == OK)
		e = pass(v, op, &a);
	http_answer_release(&a);
	/* it is the far server's, and may be good the next time */
	if (e == ERR_TOOBIG)
		return ERR_BUSY;
	return e == ERR_INPUT ? ERR_SYSTEM : e; /* our papers are none */
}

/* ---- answers that are kept ---------------------------------------------- */

/* "operation=NAME" and nothing else. */
static bool
is_plain(const struct buf *query, const char *name)
{
	static const char begin[] = "operation=";
	const size_t len = strlen(begin);
	const char *text = buf_cstr(query);

	return query->len == len + strlen(name) &&
	       memcmp(text, begin, len) == 0 &&
	       strncasecmp(text + len, name, query->len - len) == 0;
}

/*
 * All that the answer may depend on; behind a '?' what the client has made up
 * beside its operation (store/kept.h).
 */
static enum err
question(const struct visit *v, const struct operation *op, struct buf *out)
{
	const struct buf *query = &v->request->query;
	bool ok = buf_printf(out, "%s %s", op->name, v->alias->proxy.peer.url);

	if (ok && !is_plain(query, op->name))
		ok =
		    buf_byte(out, '?') && buf_add(out, query->data, query->len);
	return ok ? OK : ERR_SYSTEM;
}

static enum err
give(struct visit *v, const struct operation *op, const struct kept *k)
{
	const char *type = known_type(op, k->type);

	if (type == NULL)
		return ERR_NOTFOUND;
	log_num(&v->line, "kept", v->now - k->fetched);
	v->reply->type = type;
	return buf_add(&v->reply->body, k->body.data, k->body.len) ? OK :
								     ERR_SYSTEM;
}

/* What cannot be kept is asked for again, that is all. */
static void
keep(struct visit *v, struct span asked)
{
	struct kept k = { .fetched = v->now, .body = v->reply->body };

	if (v->reply->status != 200)
		return;
	(void)snprintf(k.type, sizeof(k.type), "%s", v->reply->type);
	(void)kept_write(
	    &v->house->store, v->alias->name, asked, &k, v->alias->proxy.keep);
}

/* Why what was kept is given.  Where it is our own trouble, nobody pauses. */
static void
tell(const struct visit *v, enum err why)
{
	const char *alias = v->alias->name, *url = v->alias->proxy.peer.url;

	if (why != ERR_BUSY) {
		log_warn("alias %s: %s cannot be asked (%s); what was kept of "
			 "it is given",
		    alias, url, err_name(why));
		return;
	}
	(void)kept_pause(&v->house->store, alias);
	log_warn("alias %s: %s does not answer; for the next %d seconds what "
		 "was kept of it is given",
	    alias, url, KEPT_PAUSE);
}

/*
 * Old answers are better than none, since a CA's certificate stays what it is
 * for years.  While kept_pausing() the far server is not even asked: the many
 * who want these would wait for it one after the other.
 */
static enum err
pass_or_give(struct visit *v, const struct operation *op)
{
	const struct store *st = &v->house->store;
	const char *alias = v->alias->name;
	struct buf asked = BUF_INIT;
	struct kept k = KEPT_INIT;
	int64_t age;
	bool have, pausing;
	enum err e;

	if ((e = question(v, op, &asked)) != OK)
		goto out;
	have = kept_read(st, alias, buf_span(&asked), &k) == OK &&
	       known_type(op, k.type) != NULL;
	pausing = kept_pausing(st, alias, v->now);
	if (!have && pausing)
		have = kept_common(st, alias, buf_span(&asked), &k) == OK;
	age = v->now - k.fetched;
	if (have && (pausing || (age >= 0 && age < v->alias->proxy.keep))) {
		e = give(v, op, &k);
		goto out;
	}
	e = pass_on(v, op);
	if (e == OK) {
		keep(v, buf_span(&asked));
	} else if (have) {
		tell(v, e);
		e = give(v, op, &k);
	} else if (!pausing &&
		   kept_common(st, alias, buf_span(&asked), &k) == OK) {
		/* what a stranger made up says nothing about the others */
		e = give(v, op, &k);
	}
out:
	kept_release(&k);
	buf_release(&asked);
	return e;
}

enum err
proxy_pass(struct visit *v, const char *operation)
{
	const struct operation *op = find(operation);

	if (op == NULL)
		return ERR_SYSTEM;
	if (op->keep)
		return pass_or_give(v, op);
	v->reply->no_store = strcmp(op->name, "PKIOperation") == 0;
	return pass_on(v, op);
}
