#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/time.h"
#include "ca/cert.h"
#include "ca/dn.h"
#include "ca/pubkey.h"
#include "queue.h"
#include "queue_own.h"
#include "queue_text.h"
#include "signer.h"

/*
 * The CA's side: one request of an external RA, from its file to the file
 * that answers it.
 */

/* All that is known of it on its way. */
struct errand {
	const struct queue_desk *desk;
	const char *name;	 /* that it came under */
	char digest[SHA256_HEX]; /* of its letter */
	const struct ca *ca[MAX_CAS];
	size_t n; /* of the alias */
	struct letter_opened letter;
	struct address to;
	struct queue_request request;
	bool opened; /* letter, request and msg are read and fit each other */
	struct pkimsg msg;
	struct decision d;
	struct queue_answer *out;
};

void
queue_answer_release(struct queue_answer *a)
{
	buf_release(&a->file);
	free(a->subject);
	*a = (struct queue_answer){ .file = BUF_INIT };
}

static enum err
bad(struct errand *x, const char *why)
{
	x->out->why = why;
	return ERR_INPUT;
}

/* ---- whose is it ---------------------------------------------------------- */

static enum err
find_cas(struct errand *x)
{
	const struct alias *a = x->desk->alias;
	enum err e = OK;

	for (size_t i = 0; i < a->ncas && x->n < MAX_CAS; i++) {
		e = cas_find(x->desk->cas, a->cas[i], &x->ca[x->n]);
		if (e == OK)
			x->n++;
		else if (e != ERR_NOTFOUND)
			return e; /* it may be for that one */
		else
			log_warn("alias %s: its CA %s does not exist", a->name,
			    a->cas[i]);
	}
	return x->n > 0 ? OK : ERR_SYSTEM;
}

/* ---- what does it want ---------------------------------------------------- */

/* Alias, names and hashes must fit each other, whoever has signed. */
static enum err
check_names(struct errand *x)
{
	const struct queue_request *r = &x->request;
	struct transaction t = {
		.alias = r->alias, .ca = r->ca, .id = buf_span(&r->txid)
	};
	char name[QUEUE_NAME];
	struct buf key = BUF_INIT;
	enum err e;

	if (strcmp(r->alias, x->desk->alias->name) != 0)
		return bad(x, "it is of another alias");
	queue_name(r->transaction, r->attempt, name);
	if (strcmp(name, x->name) != 0)
		return bad(x, "it has another name inside");
	if ((e = hex_read(r->signer, &key)) == OK && key.len == SHA256_LEN) {
		memcpy(x->msg.signer_key, key.data, SHA256_LEN);
		e = transaction_name(&t, x->msg.signer_key);
	}
	buf_release(&key);
	if (e == OK && strcmp(t.name, r->transaction) != 0)
		e = bad(x, "its name is not its transaction's");
	return e;
}

static enum err
read_csr(struct errand *x)
{
	const char *why = NULL;
	bool verified = false;
	enum err e;

	e = csr_read(x->letter.part[0], &x->msg.csr, &verified, &why);
	if (e == ERR_INPUT)
		return bad(x, "its CSR is unreadable");
	if (e == OK && !verified)
		return bad(x, "its CSR's signature is wrong");
	return e;
}

/* The certificate that a renewal was signed with. */
static enum err
read_signer(struct errand *x)
{
	struct pkimsg *msg = &x->msg;
	struct span cert = x->letter.part[1];
	uint8_t key[SHA256_LEN];
	struct cert_view v;

	if (!x->request.renews)
		return OK;
	if (!buf_add(&msg->signer_cert, cert.p, cert.len))
		return ERR_SYSTEM;
	if (cert_view(buf_span(&msg->signer_cert), &v) != OK)
		return bad(x, "its old certificate is unreadable");
	msg->signer_issuer = v.issuer;
	msg->signer_serial = v.serial;
	msg->signer_subject = v.subject;
	msg->signer_spki = v.spki;
	msg->self_signed = v.self_signed;
	if (sha256(v.spki, key) != OK)
		return ERR_SYSTEM;
	return memcmp(key, msg->signer_key, sizeof(key)) == 0 ?
		   OK :
		   bad(x, "its old certificate has not signed it");
}

/* A renewal may ask for the old certificate's names alone (C-122). */
static enum err
check_renewal(struct errand *x)
{
	const struct renewal_rules *rules = &x->desk->alias->renewal;
	struct pkimsg *msg = &x->msg;
	struct house house = { .home = x->desk->home,
		.store = *x->desk->store,
		.cas = x->desk->cas };
	struct visit visit = {
		.house = &house, .alias = x->desk->alias, .now = x->desk->now
	};
	const struct served served = { x->ca, x->n, false };
	struct signers signers = { &visit, &served };
	struct signer_answer answer = { .fail = FAIL_NONE };
	bool within = false;
	enum err e;

	if (!x->request.renews)
		return OK;
	if ((e = signer_renews(&signers, msg, &answer)) != OK ||
	    (e = dn_within(msg->csr.subject, msg->signer_subject,
		 (const char *const *)rules->ignore, rules->nignore,
		 &within)) != OK)
		return e;
	msg->renews = answer.renews;
	msg->renews_ca = answer.ca;
	msg->renews_generation = answer.generation;
	if (answer.fail != FAIL_NONE)
		return decision_refuse(&x->d, answer.fail, answer.why);
	if (!answer.renews)
		return decision_refuse(&x->d, FAIL_BADMESSAGECHECK,
		    "a renewal is signed with a certificate that was issued "
		    "here");
	if (!within)
		return decision_refuse(&x->d, FAIL_BADMESSAGECHECK,
		    "the CSR's subject is not the signer's; `renewalignore` "
		    "names what need not be");
	x->d.verdict = VERDICT_GRANT;
	return OK;
}

/* The message as it was to the RA. */
static enum err
rebuild(struct errand *x)
{
	struct pkimsg *msg = &x->msg;
	const struct queue_request *r = &x->request;
	enum err e;

	msg->type = r->renews ? MSG_RENEWALREQ : MSG_PKCSREQ;
	msg->ca = x->to.ca;
	msg->gen = x->to.gen;
	/* what the RA answers with is its own to see to */
	msg->signer_type = KEY_RSA;
	if (!buf_add(&msg->txid, r->txid.data, r->txid.len))
		return ERR_SYSTEM;
	if ((e = check_names(x)) != OK || (e = read_csr(x)) != OK)
		return e;
	return read_signer(x);
}

/* Once: the letter, its text and the message in it. */
static enum err
open_it(struct errand *x)
{
	enum err e;

	if (x->opened)
		return OK;
	e = letter_open(&x->letter, x->ca, x->n, &x->to, &x->out->why);
	if (e != OK)
		return e;
	x->out->why = "its text is unreadable";
	if ((e = queue_request_read(x->letter.text, &x->request)) == OK)
		e = rebuild(x);
	x->opened = e == OK;
	return e;
}

/* When was it written?  A wrong clock's is taken later (queue_done.c). */
static enum err
check_time(struct errand *x)
{
	if (x->request.time > x->desk->now + QUEUE_AHEAD)
		return bad(x, "it was written in the future: a clock is wrong");
	return queue_ra_held(x->letter.signer, x->request.time, &x->out->why);
}

/* ---- what was said before ------------------------------------------------- */

/*
 * The RA's record was lost, and the device's request has come to it again:
 * another letter of the same CSR.  It gets the same answer.
 */
static enum err
say_again(struct errand *x, struct queue_done *done)
{
	struct queue_further to = { .letter = x->digest };
	enum err e;

	if ((e = open_it(x)) != OK || (e = check_time(x)) != OK)
		return e;
	if (strcmp(done->csr, x->msg.csr.digest) != 0)
		return bad(
		    x, "another request of this name was answered before");
	if ((to.by = ca_current(x->to.ca, x->desk->now)) == NULL) {
		log_error("CA %s is not valid yet", x->to.ca->called);
		return ERR_BUSY;
	}
	to.nonce = x->letter.nonce;
	return queue_say_again(x->desk, x->name, &to, done);
}

/* What was said before is said again, and to no other CSR. */
static enum err
find_done(struct errand *x)
{
	struct queue_done done = { .letter = BUF_INIT };
	enum err e = queue_said(x->desk, x->name, x->digest, &done);

	if (e == ERR_EXISTS)
		e = say_again(x, &done);
	if (e == OK)
		e = queue_file(
		    "result", x->name, buf_span(&done.letter), &x->out->file);
	if (e == OK)
		x->out->result = "answered";
	buf_release(&done.letter);
	return e;
}

/*
 * It was not decided before, as far as can be known; but what was said to
 * letters of its time is forgotten.  What waits here for people goes on.
 */
static enum err
check_age(struct errand *x)
{
	const struct queue_desk *desk = x->desk;
	struct decision *d = &x->d;
	int64_t mark = 0;
	enum err e;

	if (strcmp(d->waiting.transaction, d->transaction.name) == 0 &&
	    strcmp(d->waiting.csr, x->msg.csr.digest) == 0)
		return OK;
	e = queue_mark(desk->store, desk->alias->name, &mark);
	if (e == OK && x->request.time < mark)
		return decision_refuse(d, FAIL_BADTIME,
		    "it was written before the day up to which answers were "
		    "pruned");
	return e;
}

/* ---- deciding ------------------------------------------------------------ */

static bool
is_new(const struct decision *d)
{
	return d->verdict == VERDICT_GRANT || d->verdict == VERDICT_ASK;
}

static enum err
decide(struct errand *x)
{
	const struct queue_desk *desk = x->desk;
	const struct queue_request *r = &x->request;
	const struct overrides over = { .username = r->username,
		.subject = r->subject,
		.san = r->no_san ? (char *)(uintptr_t) "" : r->san,
		.profile = r->profile,
		.validity = r->validity };
	const struct enrol in = { .store = desk->store,
		.profiles = desk->profiles,
		.baseurl = *desk->site->baseurl ? desk->site->baseurl : NULL,
		.remote = r->remote,
		.home = desk->home,
		.vouched =
		    desk->alias->queue.target == TARGET_RA ? &over : NULL };
	struct decision *d = &x->d;
	enum err e;

	x->d.verdict = VERDICT_GRANT;
	if ((e = check_renewal(x)) != OK || d->verdict == VERDICT_REFUSE)
		return e;
	e = enrol_decide(&in, desk->alias, &x->msg, desk->now, d);
	if (e == OK && is_new(d))
		e = check_age(x);
	if (e == OK && is_new(d))
		e = enrol_grant(
		    &in, &x->msg, r->remote ? r->remote : "", desk->now, d);
	if (e == OK)
		e = enrol_release(&in, &x->msg, desk->now, d);
	return e;
}

static enum err
result_text(const struct errand *x, struct buf *out)
{
	const struct decision *d = &x->d;
	struct queue_result r = { .time = x->desk->now };
	enum err e = ERR_SYSTEM;
	bool ok;

	r.issued = d->verdict != VERDICT_REFUSE;
	if (r.issued) {
		r.entity = str_dup(d->outcome.entity);
		r.profile = str_dup(d->outcome.profile);
		ok = (r.entity || !d->outcome.entity) &&
		     (r.profile || !d->outcome.profile);
	} else {
		r.fail = (unsigned)d->fail;
		r.why = str_dup(d->reason);
		ok = r.why || !d->reason;
	}
	if (ok)
		e = queue_result_text(&r, out);
	queue_result_release(&r);
	return e;
}

/* Another pull may have been faster: then its answer is the one. */
static enum err
settle(struct errand *x, struct queue_done *done)
{
	const struct queue_desk *desk = x->desk;
	const char *result = x->out->result;
	enum err e;

	memcpy(done->request, x->digest, sizeof(done->request));
	memcpy(done->csr, x->msg.csr.digest, sizeof(done->csr));
	done->time = desk->now;
	e = queue_done_link(desk->store, desk->alias->name, x->name, done);
	if (e == OK || e == ERR_EXISTS)
		e = find_done(x);
	if (e == OK)
		x->out->result = result;
	return e;
}

static enum err
write_result(struct errand *x)
{
	const struct generation *by = ca_current(x->to.ca, x->desk->now);
	struct letter letter = { .kind = LETTER_RESULT,
		.name = x->name,
		.answers = x->letter.nonce };
	struct queue_done done = { .letter = BUF_INIT };
	struct buf text = BUF_INIT;
	enum err e;

	if (by == NULL) {
		log_error("CA %s is not valid yet", x->to.ca->called);
		return ERR_BUSY;
	}
	if ((e = result_text(x, &text)) != OK ||
	    (e = random_bytes(letter.nonce, LETTER_NONCE)) != OK)
		goto out;
	letter.text = buf_span(&text);
	if (x->d.verdict != VERDICT_REFUSE)
		letter.part[0] = buf_span(&x->d.outcome.cert);
	e = letter_seal(&letter, by, NULL, &done.letter);
	if (e == OK)
		e = settle(x, &done);
out:
	buf_release(&text);
	buf_release(&done.letter);
	return e;
}

static enum err
answer(struct errand *x)
{
	static const char *const results[] = {
		[VERDICT_ISSUED] = "issued",
		[VERDICT_KEPT] = "resent",
		[VERDICT_WAIT] = "waits",
		[VERDICT_REFUSE] = "refused",
	};
	struct buf subject = BUF_INIT;
	enum err e;

	if ((e = open_it(x)) != OK || (e = check_time(x)) != OK)
		return e;
	if (dn_text(x->msg.csr.subject, &subject) == OK)
		x->out->subject = str_dup(buf_cstr(&subject));
	buf_release(&subject);
	if ((e = decide(x)) != OK)
		return e == ERR_INPUT ? ERR_SYSTEM : e;
	x->out->result = results[x->d.verdict];
	if (x->d.verdict == VERDICT_REFUSE)
		x->out->reason = x->d.reason;
	return x->d.verdict == VERDICT_WAIT ? OK : write_result(x);
}

enum err
queue_answer(const struct queue_desk *desk, const char *name, struct span file,
    struct queue_answer *out)
{
	struct errand x = { .desk = desk, .name = name, .out = out };
	char transaction[SHA256_HEX];
	struct buf der = BUF_INIT;
	unsigned attempt = 0;
	enum err e;

	*out = (struct queue_answer){ .file = BUF_INIT };
	x.letter.plain.secret = true;
	pkimsg_init(&x.msg);
	decision_init(&x.d);
	if (!queue_name_read(name, transaction, &attempt)) {
		e = bad(&x, "it has a name that no request has");
		goto out;
	}
	out->why = "it is not whole: cut short on its way, or changed";
	if ((e = queue_unfile(file, &der)) != OK || (e = find_cas(&x)) != OK ||
	    (e = queue_ra_verify(
		 desk, name, buf_span(&der), &x.letter, &out->why)) != OK ||
	    (e = sha256_hex(x.letter.nonce, x.digest)) != OK)
		goto out;
	if ((e = find_done(&x)) == ERR_NOTFOUND)
		e = answer(&x);
out:
	decision_release(&x.d);
	pkimsg_release(&x.msg);
	queue_request_release(&x.request);
	letter_release(&x.letter);
	buf_release(&der);
	return e;
}
