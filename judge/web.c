#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/log.h"
#include "base/names.h"
#include "fetch/pause.h"
#include "judge/web.h"

/*
 * The judge is a web service ([web] url) that speaks smallstep's webhook for
 * SCEP challenges, so that hooks which were written for step-ca work.
 */

#define MAX_HEADERS 6

/* What is sent, and what it takes to send it; all of it may be secret. */
struct errand {
	const struct judge_case *c;
	const struct web_rules *web;
	struct buf body;
	struct buf header[MAX_HEADERS];
	size_t nheaders;
	struct peer_files files;
	struct http_answer answer;
};

static enum err
add_header(struct errand *r, const char *name, struct span value)
{
	struct buf *line = &r->header[r->nheaders++];

	line->secret = true;
	return buf_str(line, name) && buf_str(line, ": ") &&
		       buf_add(line, value.p, value.len) ?
		   OK :
		   ERR_SYSTEM;
}

static enum err
add_text(struct errand *r, const char *name, const char *value)
{
	return add_header(r, name, span_of(value, strlen(value)));
}

enum err
web_key(int home, const struct web_rules *web, struct buf *key)
{
	struct buf text = BUF_SECRET;
	enum err e;

	e = alias_file(home, "secretfile", web->keyfile, ALIAS_WORD, &text);
	if (e == OK && (e = base64_read(buf_span(&text), key)) == ERR_INPUT)
		log_error("secretfile: the first line of %s is not base64",
		    web->keyfile);
	buf_release(&text);
	return e;
}

/* HMAC-SHA-256 of the body's bytes, in hex. */
static enum err
add_signature(struct errand *r)
{
	struct buf key = BUF_SECRET;
	uint8_t mac[SHA256_LEN];
	char hex[SHA256_HEX];
	enum err e;

	if (r->web->keyfile == NULL)
		return OK;
	if ((e = web_key(r->c->home, r->web, &key)) == OK &&
	    (e = hmac_sha256(buf_span(&key), buf_span(&r->body), mac)) == OK) {
		hex_text(mac, sizeof(mac), hex);
		e = add_text(r, "X-Smallstep-Signature", hex);
	}
	buf_release(&key);
	return e;
}

enum err
web_token(int home, const struct web_rules *web, struct buf *token)
{
	struct buf text = BUF_SECRET;
	enum err e;

	e = alias_file(home, "bearerfile", web->bearerfile, ALIAS_WORD, &text);
	for (size_t i = 0; e == OK && i < text.len; i++)
		if (text.data[i] <= ' ' || text.data[i] > '~')
			e = ERR_INPUT;
	if (e == OK && !buf_add(token, text.data, text.len))
		e = ERR_SYSTEM;
	else if (e == ERR_INPUT && text.len > 0)
		log_error("bearerfile: the first line of %s has a character "
			  "that no token has",
		    web->bearerfile);
	buf_release(&text);
	return e;
}

static enum err
add_bearer(struct errand *r)
{
	struct buf value = BUF_SECRET;
	enum err e = OK;

	if (r->web->bearerfile == NULL)
		return OK;
	if (!buf_str(&value, "Bearer "))
		e = ERR_SYSTEM;
	if (e == OK && (e = web_token(r->c->home, r->web, &value)) == OK)
		e = add_header(r, "Authorization", buf_span(&value));
	buf_release(&value);
	return e;
}

static enum err
pack(struct errand *r, const char **why)
{
	const struct alias *a = r->c->alias;
	const char *id = r->web->id != NULL ? r->web->id : a->name;
	enum err e;

	if ((e = web_ask(r->c, &r->body, why)) != OK)
		return e;
	if ((e = add_text(r, "Content-Type", "application/json")) != OK ||
	    (e = add_text(r, "X-Smallstep-Webhook-ID", id)) != OK ||
	    (e = add_signature(r)) != OK || (e = add_bearer(r)) != OK ||
	    (e = alias_peer(r->c->home, &r->web->peer, &r->files)) != OK) {
		log_error("alias %s: its web service is not asked", a->name);
		return e == ERR_BUSY ? ERR_BUSY : ERR_SYSTEM;
	}
	return OK;
}

static enum err
post(struct errand *r)
{
	const char *lines[MAX_HEADERS + 1] = { NULL };
	const struct peer_rules *peer = &r->web->peer;
	struct http_ask ask = { .method = "POST",
		.url = peer->url,
		.header = lines,
		.body = buf_span(&r->body),
		.ca = buf_span(&r->files.ca),
		.cert = buf_span(&r->files.cert),
		.key = buf_span(&r->files.key),
		.pin = peer->pin,
		.timeout = peer->timeout * 1000,
		.limit = MAX_JSON };

	for (size_t i = 0; i < r->nheaders; i++)
		lines[i] = buf_cstr(&r->header[i]);
	return pause_http(r->c->alias->name, &ask, &r->answer);
}

/* fetch has said what is wrong with an answer that there is not. */
static enum err
hear(struct errand *r, enum err e, struct judgement *j)
{
	const struct judge_case *c = r->c;

	if (e == ERR_SYSTEM)
		return e;
	if (e == OK && r->answer.status == 200)
		return web_reply(c, buf_span(&r->answer.body), j);
	if (e == OK)
		log_error("alias %s: the web service: the answer has status "
			  "%d, not 200",
		    c->alias->name, r->answer.status);
	j->ruling = RULING_LATER;
	return OK;
}

enum err
judge_web(const struct judge_case *c, struct judgement *j)
{
	struct errand r = { .c = c,
		.web = &c->alias->web,
		.body = BUF_SECRET,
		.files = PEER_FILES_INIT,
		.answer = HTTP_ANSWER_INIT };
	const char *why = NULL;
	enum err e = pack(&r, &why);

	if (e == ERR_INPUT) {
		j->reason = why;
		e = OK;
	} else if (e == OK) {
		e = hear(&r, post(&r), j);
	}
	buf_release(&r.body);
	for (size_t i = 0; i < r.nheaders; i++)
		buf_release(&r.header[i]);
	peer_files_release(&r.files);
	http_answer_release(&r.answer);
	return e;
}
