/*
 * The letter that a request goes to the CA in: what was asked for, and what
 * the judge here said of it, sealed to the CA.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "enrol_own.h"
#include "queue_own.h"
#include "queue_text.h"

/* What the judge says of a registered entity is what the CA should make. */
static bool
put_entity(const struct entity *who, struct queue_request *r)
{
	bool ok = true;

	if (who->username == NULL)
		return true;
	if (r->username == NULL)
		ok = (r->username = str_dup(who->username)) != NULL;
	if (ok && r->subject == NULL && who->subject != NULL)
		ok = (r->subject = str_dup(who->subject)) != NULL;
	if (ok && r->profile == NULL && who->profile != NULL)
		ok = (r->profile = str_dup(who->profile)) != NULL;
	if (r->san != NULL || r->no_san)
		return ok;
	r->no_san = who->san == NULL;
	if (ok && who->san != NULL && strcmp(who->san, "request") != 0)
		ok = (r->san = str_dup(who->san)) != NULL;
	return ok;
}

static bool
put_over(const struct overrides *o, struct queue_request *r)
{
	r->validity = o->validity;
	r->no_san = o->san != NULL && *o->san == '\0';
	return (o->username == NULL ||
		   (r->username = str_dup(o->username)) != NULL) &&
	       (o->subject == NULL ||
		   (r->subject = str_dup(o->subject)) != NULL) &&
	       (o->san == NULL || r->no_san ||
		   (r->san = str_dup(o->san)) != NULL) &&
	       (o->profile == NULL ||
		   (r->profile = str_dup(o->profile)) != NULL);
}

static enum err
request_text(const struct enrol *in, const struct queue_side *s,
    const struct pkimsg *msg, const struct decision *d, struct buf *out)
{
	struct queue_request r = {
		.attempt = d->attempt, .renews = msg->renews, .time = s->now
	};
	enum err e = ERR_SYSTEM;

	memcpy(r.transaction, d->transaction.name, SHA256_HEX);
	hex_text(msg->signer_key, SHA256_LEN, r.signer);
	r.alias = str_dup(s->alias->name);
	r.ca = str_dup(msg->ca->name);
	r.remote = str_dup(in->remote);
	if (r.alias != NULL && r.ca != NULL &&
	    buf_add(&r.txid, msg->txid.data, msg->txid.len) &&
	    put_over(&d->over, &r) && put_entity(&d->entity, &r))
		e = queue_request_text(&r, out);
	queue_request_release(&r);
	return e;
}

/*
 * The CA takes nothing that an ended certificate signs, also where the client
 * has an old one of ours still.
 */
enum err
queue_signer(const struct queue_side *s, const struct pkimsg *msg,
    const struct generation **by)
{
	const struct ra *ra = ca_ra_current(msg->ca, s->now);

	if (ra == NULL) {
		log_error("alias %s: no RA certificate of CA %s is valid now, "
			  "and the CA takes no request without one: `scep ca "
			  "ra request %s` begins the next",
		    s->alias->name, msg->ca->called, msg->ca->called);
		return ERR_BUSY;
	}
	*by = ra_signer(ra);
	return OK;
}

enum err
queue_compose(const struct enrol *in, const struct queue_side *s,
    const struct pkimsg *msg, const struct decision *d, struct queued *q)
{
	char name[QUEUE_NAME];
	struct buf text = BUF_INIT;
	struct letter letter = { .kind = LETTER_REQUEST, .name = name };
	const struct generation *by = NULL;
	enum err e;

	queue_name(d->transaction.name, d->attempt, name);
	if ((e = queue_signer(s, msg, &by)) != OK ||
	    (e = request_text(in, s, msg, d, &text)) != OK ||
	    (e = random_bytes(letter.nonce, LETTER_NONCE)) != OK)
		goto out;
	hex_text(letter.nonce, LETTER_NONCE, q->nonce);
	letter.text = buf_span(&text);
	letter.part[0] = buf_span(&msg->csr.der);
	if (msg->renews)
		letter.part[1] = buf_span(&msg->signer_cert);
	e = letter_seal(&letter, by, msg->gen, &q->letter);
out:
	buf_release(&text);
	return e;
}
