#include <string.h>

#include "ca/dn.h"
#include "enrol.h"
#include "message/message.h"
#include "password.h"
#include "query.h"
#include "queue.h"
#include "signer.h"
#include "visit.h"

/*
 * The CAs whose envelopes this alias opens; served->ca has room for MAX_CAS.
 * One with a broken key, say, does not keep clients from the others.
 */
static enum err
served_cas(struct visit *v, struct served *served)
{
	const struct alias *alias = v->alias;
	enum err e;

	for (size_t i = 0; i < alias->ncas && served->n < MAX_CAS; i++) {
		e = visit_ca(v, alias->cas[i], &served->ca[served->n]);
		if (e == OK) {
			served->n++;
		} else if (e == ERR_NOTFOUND) {
			log_warn("alias %s: its CA %s does not exist",
			    alias->name, alias->cas[i]);
		} else {
			log_warn("alias %s: its CA %s is left out: %s",
			    alias->name, alias->cas[i], err_name(e));
			served->lacking = true;
		}
	}
	return served->n > 0 ? OK : ERR_SYSTEM;
}

/*
 * A refusal that a CA which is left out for now might not have given is no
 * answer: ERR_BUSY.
 */
static enum err
mind_lacking(const struct visit *v, const struct served *served,
    const struct pkimsg *msg, const struct decision *d)
{
	bool asked = msg->type == MSG_GETCERT || msg->type == MSG_GETCRL;

	if (!served->lacking ||
	    (msg->ca != NULL && (!asked || d->verdict != VERDICT_REFUSE ||
				    d->fail != FAIL_BADCERTID)))
		return OK;
	log_warn("alias %s: a message that may be for a CA that is left out",
	    v->alias->name);
	return ERR_BUSY;
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
	struct buf text = BUF_INIT, weak = BUF_INIT;

	log_text(&v->line, "type", message_type_name(msg->type));
	log_span(&v->line, "transaction", buf_span(&msg->txid));
	if (msg->ca)
		log_text(&v->line, "ca", msg->ca->called);
	if (msg->csr.subject.len > 0 && msg->csr.subject.len <= MAX_SUBJECT &&
	    dn_text(msg->csr.subject, &text) == OK)
		log_span(&v->line, "subject", buf_span(&text));
	log_text(&v->line, "digest", digest_name(msg->digest));
	if (weak_names(msg->weak, &weak)) /* C-104 */
		log_span(&v->line, "weak", buf_span(&weak));
	if (msg->enveloped) /* C-104: who still needs triple DES? */
		log_text(&v->line, "cipher", cipher_name(msg->cipher));
	buf_release(&text);
	buf_release(&weak);
}

/* What enrolment asks. */
static struct enrol
enrol_of(const struct visit *v)
{
	const char *baseurl = v->house->site.baseurl;

	return (struct enrol){ .store = &v->house->store,
		.profiles = v->house->profiles,
		.baseurl = *baseurl ? baseurl : NULL,
		.remote = v->request->remote,
		.home = v->house->home };
}

/* The same of an external RA. */
static struct queue_side
side_of(const struct visit *v, const struct served *served)
{
	return (struct queue_side){ .store = &v->house->store,
		.home = v->house->home,
		.alias = v->alias,
		.cas = served->ca,
		.n = served->n,
		.now = v->now };
}

static enum err
decide_enrol(struct visit *v, const struct served *served,
    const struct pkimsg *msg, struct decision *d)
{
	const struct enrol in = enrol_of(v);
	const struct queue_side side = side_of(v, served);
	enum err e;

	if (v->alias->mode == MODE_EXTERNALRA) {
		e = queue_enrol(&in, &side, msg, d);
		log_text(&v->line, "entity", d->username);
		return e;
	}
	e = enrol_decide(&in, v->alias, msg, v->now, d);
	if (e == OK &&
	    (d->verdict == VERDICT_GRANT || d->verdict == VERDICT_ASK))
		e = enrol_grant(&in, msg, v->request->remote, v->now, d);
	log_text(&v->line, "entity",
	    d->outcome.entity != NULL ? d->outcome.entity : d->username);
	return e;
}

static enum err
decide_poll(struct visit *v, const struct served *served,
    const struct pkimsg *msg, struct decision *d)
{
	const struct enrol in = enrol_of(v);
	const struct queue_side side = side_of(v, served);

	if (v->alias->mode == MODE_EXTERNALRA)
		return queue_poll(&in, &side, msg, d);
	return enrol_poll(&in, v->alias, msg, v->now, d);
}

static const struct {
	long type;
	enum err (*decide)(struct visit *v, const struct served *served,
	    const struct pkimsg *msg, struct decision *d);
} deciders[] = {
	{ MSG_PKCSREQ, decide_enrol },
	{ MSG_RENEWALREQ, decide_enrol },
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

/* The CA certificate that a leaf to be sent was issued under; or empty. */
static struct span
issuer_cert(const struct pkimsg *msg, const struct outcome *o)
{
	const struct generation *gen = NULL;

	if (msg->ca != NULL && o->ca != NULL &&
	    strcmp(o->ca, msg->ca->name) == 0)
		gen = ca_of_key(msg->ca, o->generation);
	return gen != NULL ? buf_span(&gen->cert) : span_of(NULL, 0);
}

/* Seals the answer to a decided message. */
static enum err
seal(struct visit *v, const struct pkimsg *msg, const struct decision *d,
    const struct generation *gen)
{
	static const char *const results[] = {
		[VERDICT_ISSUED] = "issued",
		[VERDICT_KEPT] = "resent",
		[VERDICT_WAIT] = "pending",
		[VERDICT_FOUND] = "found",
		[VERDICT_REFUSE] = "refused",
	};
	struct span certs[2] = { buf_span(&d->outcome.cert),
		issuer_cert(msg, &d->outcome) };
	struct certrep rep = { .status = PKI_SUCCESS,
		.fail = FAIL_NONE,
		.certs = certs,
		.ncerts = v->alias->includeca && certs[1].len > 0 ? 2 : 1,
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
		log_text(&v->line, "field", d->field);
	} else if (d->verdict == VERDICT_WAIT) { /* C-131 */
		rep.status = PKI_PENDING;
		rep.ncerts = 0;
		log_text(&v->line, "request", d->waiting.id);
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

/*
 * From bytes to an opened message.  ERR_INPUT comes from here alone, and
 * means that nothing in it can be answered but by HTTP 400.
 */
static enum err
read_message(struct visit *v, const struct served *served, struct buf *decoded,
    struct pkimsg *msg)
{
	struct passwords passwords = {
		.visit = v, .cas = served->ca, .n = served->n
	};
	struct signers signers = { v, served };
	const struct secret_source secrets = { &passwords, password_find };
	const struct signer_source source = { &signers, signer_renews };
	const struct renewal_rules *renewal = &v->alias->renewal;
	struct message_policy policy = { .sha1 = v->alias->sha1,
		.des3 = v->alias->des3,
		.legacy = v->alias->legacy,
		.samekey = v->alias->samekey,
		.secrets = &secrets,
		.signers = &source,
		.ignore = (const char *const *)renewal->ignore,
		.nignore = renewal->nignore,
		.now = v->now,
		.grace = v->house->site.grace };
	struct span der;
	enum err e;

	if ((e = message_bytes(v->request, decoded, &der)) != OK)
		return e;
	e = message_open(served->ca, served->n, &policy, der, msg);
	log_message(v, msg);
	if (e == OK && msg->fail == FAIL_NONE)
		signer_used(&signers, msg);
	return e;
}

/* One without a certificate that holds enrols nobody, and answers no poll. */
static enum err
check_expired(const struct ca *ca, int64_t now)
{
	const struct generation *gen = ca_current(ca, now);

	if (gen == NULL || now < gen->not_after)
		return OK;
	log_error("CA %s has expired: `scep ca renew`, or `scep ca rollover`",
	    ca->called);
	return ERR_BUSY;
}

/* Whatever goes wrong from here on is no client's fault: HTTP 503. */
static enum err
answer_message(
    struct visit *v, const struct served *served, const struct pkimsg *msg)
{
	const struct ca *ca = msg->ca != NULL ? msg->ca : served->ca[0];
	const struct generation *gen =
	    msg->by ? msg->by : ca_signer(ca, v->now);
	const struct enrol in = enrol_of(v);
	struct decision d;
	enum err e;

	if (gen == NULL) {
		log_error("CA %s is not valid yet", ca->called);
		return ERR_BUSY;
	}
	decision_init(&d);
	if ((e = check_expired(ca, v->now)) == OK &&
	    (e = decide(v, served, msg, &d)) == OK &&
	    (e = mind_lacking(v, served, msg, &d)) == OK &&
	    (e = enrol_release(&in, msg, v->now, &d)) == OK)
		e = seal(v, msg, &d, gen);
	decision_release(&d);
	return e;
}

enum err
pki_operation(struct visit *v)
{
	struct buf decoded = BUF_SECRET;
	const struct ca *cas[MAX_CAS];
	struct served served = { .ca = cas };
	struct pkimsg msg;
	enum err e;

	pkimsg_init(&msg);
	v->reply->no_store = true;
	if ((e = served_cas(v, &served)) != OK)
		goto out;
	e = read_message(v, &served, &decoded, &msg);
	if (e == OK) {
		e = answer_message(v, &served, &msg);
	} else if (e == ERR_INPUT) {
		log_text(&v->line, "reason", msg.reason);
		e = answer_text(v->reply, 400, "not a readable SCEP message");
	}
out:
	pkimsg_release(&msg);
	buf_release(&decoded);
	return e;
}
