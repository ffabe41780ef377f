#include "ca/dn.h"
#include "enrol.h"
#include "message/message.h"
#include "query.h"
#include "visit.h"

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

static enum err
decide_enrol(struct visit *v, const struct served *served,
    const struct pkimsg *msg, struct decision *d)
{
	enum err e;

	(void)served;
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

static enum err
decide_poll(struct visit *v, const struct served *served,
    const struct pkimsg *msg, struct decision *d)
{
	(void)served;
	return enrol_poll(&v->house->store, v->alias, msg, d);
}

static const struct {
	long type;
	enum err (*decide)(struct visit *v, const struct served *served,
	    const struct pkimsg *msg, struct decision *d);
} deciders[] = {
	{ MSG_PKCSREQ, decide_enrol },
	{ MSG_CERTPOLL, decide_poll },
	{ MSG_GETCERT, get_cert },
	{ MSG_GETCRL, get_crl },
};

/* Decides about an opened message; d says what to answer. */
static enum err
decide(struct visit *v, const struct served *served, const struct pkimsg *msg,
    struct decision *d)
{
	d->fail = msg->fail;
	d->reason = msg->reason;
	if (msg->fail != FAIL_NONE)
		return OK;
	for (size_t i = 0; i < sizeof(deciders) / sizeof(*deciders); i++)
		if (deciders[i].type == msg->type)
			return deciders[i].decide(v, served, msg, d);
	return decision_refuse(
	    d, FAIL_BADREQUEST, "this message type is not served");
}

/* Seals the answer to a decided message. */
static enum err
seal(struct visit *v, const struct pkimsg *msg, const struct decision *d,
    const struct generation *gen)
{
	static const char *const results[] = {
		[VERDICT_ISSUED] = "issued",
		[VERDICT_KEPT] = "resent",
		[VERDICT_FOUND] = "found",
		[VERDICT_REFUSE] = "refused",
	};
	struct span certs[2] = { buf_span(&d->outcome.cert),
		msg->gen ? buf_span(&msg->gen->cert) : span_of(NULL, 0) };
	struct certrep rep = { .status = PKI_SUCCESS,
		.fail = FAIL_NONE,
		.certs = certs,
		.ncerts = v->alias->includeca ? 2 : 1,
		.gen = gen,
		.no_sha1 = !v->alias->sha1 };

	log_text(&v->line, "result", results[d->verdict]);
	if (d->verdict == VERDICT_FOUND)
		rep.ncerts = 1; /* perhaps of another CA than the envelope's */
	if (d->verdict == VERDICT_REFUSE) {
		rep.status = PKI_FAILURE;
		rep.fail = d->fail;
		rep.text = fail_text(d->fail);
		rep.ncerts = 0;
		log_text(&v->line, "failinfo", failinfo_name(d->fail));
		log_text(&v->line, "reason", d->reason);
	} else if (d->crl.len > 0) {
		rep.crl = buf_span(&d->crl); /* and nothing else (C-144) */
		rep.ncerts = 0;
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

enum err
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
	gen = msg.by ? msg.by : ca_current(cas[0], v->now);
	if (gen == NULL) {
		log_error("CA %s is not valid yet", cas[0]->name);
		e = ERR_BUSY;
		goto out;
	}
	if ((e = decide(v, &(struct served){ cas, n }, &msg, &d)) != OK)
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
