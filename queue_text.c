#include "queue_text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/record.h"

#define VERSION 1 /* of letters; another one is not understood */

static bool
begin(struct buf *out, const char *kind)
{
	return record_begin(out, kind) && record_num(out, "version", VERSION);
}

/* A record of this kind and version. */
static enum err
parse(const char *kind, struct span text, struct record *r)
{
	int64_t version = 0;
	enum err e = record_parse("a letter", kind, text, r);

	if (e != OK)
		return e;
	if (record_get_num(r, "version", &version) == OK && version == VERSION)
		return OK;
	log_error("a letter of another version than %d: both hosts must have "
		  "the same program",
	    VERSION);
	return ERR_INPUT;
}

static enum err
bad(const char *kind)
{
	log_error(
	    "a letter (%s): a line is missing or not what it must be", kind);
	return ERR_INPUT;
}

static bool
copy(const struct record *r, const char *key, char **out)
{
	const char *value = record_get(r, key);

	return value == NULL || (*out = str_dup(value)) != NULL;
}

static bool
is_hash(const char *text)
{
	return text != NULL && strlen(text) == SHA256_HEX - 1 &&
	       strspn(text, "0123456789abcdef") == SHA256_HEX - 1;
}

/* ---- requests ----------------------------------------------------------- */

void
queue_request_release(struct queue_request *r)
{
	free(r->alias);
	free(r->ca);
	free(r->remote);
	free(r->username);
	free(r->subject);
	free(r->san);
	free(r->profile);
	buf_release(&r->txid);
	*r = (struct queue_request){ .attempt = 0 };
}

enum err
queue_request_text(const struct queue_request *r, struct buf *out)
{
	return begin(out, "request") &&
		       record_text(out, "transaction", r->transaction) &&
		       record_num(out, "attempt", r->attempt) &&
		       record_text(out, "alias", r->alias) &&
		       record_text(out, "ca", r->ca) &&
		       record_span(out, "id", buf_span(&r->txid)) &&
		       record_text(out, "signer", r->signer) &&
		       record_num(out, "renews", r->renews) &&
		       record_text(out, "remote", r->remote) &&
		       record_time(out, "time", r->time) &&
		       record_text(out, "username", r->username) &&
		       record_text(out, "subject", r->subject) &&
		       record_text(out, "san", r->san) &&
		       record_num(out, "nosan", r->no_san) &&
		       record_text(out, "profile", r->profile) &&
		       record_num(out, "validity", r->validity) ?
		   OK :
		   ERR_SYSTEM;
}

static bool
get_numbers(const struct record *r, struct queue_request *out)
{
	int64_t attempt = 0, renews = 0, no_san = 0;

	if (record_get_num(r, "attempt", &attempt) != OK || attempt < 1 ||
	    attempt > INT_MAX || record_get_num(r, "renews", &renews) != OK ||
	    record_get_num(r, "nosan", &no_san) != OK ||
	    record_get_num(r, "validity", &out->validity) != OK ||
	    out->validity < 0 || record_get_time(r, "time", &out->time) != OK)
		return false;
	out->attempt = (unsigned)attempt;
	out->renews = renews != 0;
	out->no_san = no_san != 0;
	return true;
}

enum err
queue_request_read(struct span text, struct queue_request *out)
{
	struct queue_request q = { .attempt = 0 };
	struct record r = { 0 };
	const char *transaction, *signer;
	struct span id;
	enum err e = parse("request", text, &r);

	if (e != OK)
		goto out;
	transaction = record_get(&r, "transaction");
	signer = record_get(&r, "signer");
	id = record_get_span(&r, "id");
	if (!get_numbers(&r, &q) || !is_hash(transaction) || !is_hash(signer) ||
	    record_get(&r, "alias") == NULL || record_get(&r, "ca") == NULL ||
	    id.len == 0 || id.len > MAX_TXID) {
		e = bad("request");
		goto out;
	}
	memcpy(q.transaction, transaction, SHA256_HEX);
	memcpy(q.signer, signer, SHA256_HEX);
	e = ERR_SYSTEM;
	if (copy(&r, "alias", &q.alias) && copy(&r, "ca", &q.ca) &&
	    copy(&r, "remote", &q.remote) &&
	    copy(&r, "username", &q.username) &&
	    copy(&r, "subject", &q.subject) && copy(&r, "san", &q.san) &&
	    copy(&r, "profile", &q.profile) && buf_add(&q.txid, id.p, id.len)) {
		*out = q;
		q = (struct queue_request){ .attempt = 0 };
		e = OK;
	}
out:
	queue_request_release(&q);
	record_release(&r);
	return e;
}

/* ---- results ------------------------------------------------------------ */

void
queue_result_release(struct queue_result *r)
{
	free(r->why);
	free(r->entity);
	free(r->profile);
	*r = (struct queue_result){ .issued = false };
}

enum err
queue_result_text(const struct queue_result *r, struct buf *out)
{
	return begin(out, "result") &&
		       record_text(
			   out, "status", r->issued ? "issued" : "refused") &&
		       record_num(out, "fail", r->fail) &&
		       record_text(out, "why", r->why) &&
		       record_text(out, "entity", r->entity) &&
		       record_text(out, "profile", r->profile) &&
		       record_time(out, "time", r->time) ?
		   OK :
		   ERR_SYSTEM;
}

enum err
queue_result_read(struct span text, struct queue_result *out)
{
	struct queue_result q = { .issued = false };
	struct record r = { 0 };
	const char *status;
	int64_t fail = 0;
	enum err e = parse("result", text, &r);

	if (e != OK)
		goto out;
	status = record_get(&r, "status");
	if (status == NULL ||
	    (strcmp(status, "issued") != 0 && strcmp(status, "refused") != 0) ||
	    record_get_num(&r, "fail", &fail) != OK || fail < 0 || fail > 4 ||
	    record_get_time(&r, "time", &q.time) != OK) {
		e = bad("result");
		goto out;
	}
	q.issued = strcmp(status, "issued") == 0;
	q.fail = (unsigned)fail;
	e = ERR_SYSTEM;
	if (copy(&r, "why", &q.why) && copy(&r, "entity", &q.entity) &&
	    copy(&r, "profile", &q.profile)) {
		*out = q;
		q = (struct queue_result){ .issued = false };
		e = OK;
	}
out:
	queue_result_release(&q);
	record_release(&r);
	return e;
}

/* ---- news --------------------------------------------------------------- */

void
queue_news_release(struct queue_news *n)
{
	buf_release(&n->certs);
	*n = (struct queue_news){ .certs = BUF_INIT };
}

enum err
queue_news_text(const struct queue_news *n, struct buf *out)
{
	return begin(out, "news") && record_time(out, "time", n->time) &&
		       record_span(out, "certs", buf_span(&n->certs)) ?
		   OK :
		   ERR_SYSTEM;
}

enum err
queue_news_read(struct span text, struct queue_news *out)
{
	struct queue_news n = { .certs = BUF_INIT };
	struct record r = { 0 };
	struct span certs;
	enum err e = parse("news", text, &r);

	if (e == OK && record_get_time(&r, "time", &n.time) != OK)
		e = bad("news");
	certs = record_get_span(&r, "certs");
	if (e == OK && !buf_add(&n.certs, certs.p, certs.len))
		e = ERR_SYSTEM;
	if (e == OK)
		*out = n;
	record_release(&r);
	return e;
}
