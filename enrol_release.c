#include <string.h>

#include "base/log.h"
#include "enrol_own.h"
#include "store/queue.h"
#include "store/supersede.h"

/*
 * The gate.  Most certificates leave as soon as they are durable.  One of a
 * judge that holds them leaves when that judge has acknowledged it:
 *
 *	held, no mark  --told, "Success"-->  released  -->  leaves, for ever
 *	      |--told, anything else: HTTP 503, and the retry tells it again
 *	      `--revoked, on hold or expired: told nobody, refused
 *
 * So whoever lost our answer, and whoever we could not answer, gets the same
 * certificate later, and the judge is told until it has heard once.  Killed
 * between its answer and our mark, it is told once more.
 *
 * Two who ask at the same moment both tell it, of the same certificate.  A
 * claim of whoever is telling would not make that once for all.  Where its
 * owner was killed it must end, or nobody ever tells; but whether he was, or
 * waits for a slow answer, only a clock could say, and that is a lock with a
 * lease, which this store does not have.  Until then the client of a killed
 * worker would hear 503 for a certificate that could leave.  And the judge
 * must bear to be told twice anyhow, since its answer can be lost: it knows
 * the certificate by transactionID and thumbprint.
 */

/* Of this message, or of the one that it asks about; csr is the caller's. */
static enum err
case_of(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    const struct decision *d, struct csr *csr, struct judge_case *out)
{
	const char *why = NULL;
	bool verified = false;
	enum err e;

	*out = enrol_case(in, msg, now, d);
	if (d->received.len == 0)
		return OK;
	e = csr_read(buf_span(&d->received), csr, &verified, &why);
	if (e != OK) {
		log_error("a request that was kept cannot be read: %s",
		    why ? why : err_name(e));
		return ERR_SYSTEM;
	}
	out->csr = buf_span(&csr->der);
	out->challenge = buf_span(&csr->challenge);
	out->name = csr->subject;
	return OK;
}

/* Nothing can be told without the request: its client sends it again. */
static enum err
tell_judge(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    const struct decision *d)
{
	const struct outcome *o = &d->outcome;
	const char *holder = d->alias ? judge_holds(d->alias) : NULL;
	struct csr csr = { .der = BUF_SECRET, .challenge = BUF_SECRET };
	struct judge_case c;
	enum err e;

	if (msg->csr.der.len == 0 && d->received.len == 0) {
		log_warn("certificate %s is held: %s has not acknowledged it; "
			 "its client has to send the request again",
		    o->serial, o->held);
		return ERR_BUSY;
	}
	if (holder == NULL || strcmp(holder, o->held) != 0) {
		log_error("certificate %s is held: %s has not acknowledged "
			  "it, and the alias has another judge now",
		    o->serial, o->held);
		return ERR_BUSY;
	}
	if ((e = case_of(in, msg, now, d, &csr, &c)) == OK)
		e = judge_issued(&c, buf_span(&o->cert));
	csr_release(&csr);
	return e;
}

/* It has been told: what an external RA has kept for that may go. */
static void
forget(const struct enrol *in, const struct decision *d)
{
	const struct outcome *o = &d->outcome;
	const struct untold u = { o->alias, o->transaction, o->attempt,
		o->csr };

	if (d->alias != NULL && d->alias->mode == MODE_EXTERNALRA)
		untold_drop(in->store, &u);
}

enum err
decision_unreleased(struct decision *d)
{
	return decision_refuse(d, FAIL_BADREQUEST,
	    "the certificate was revoked, is on hold or has expired, and its "
	    "judge has not acknowledged it before");
}

static enum err
let_go(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    struct decision *d)
{
	const struct outcome *o = &d->outcome;
	bool released = false, spent = false;
	enum err e;

	if (o->held == NULL)
		return OK;
	e = outcome_released(in->store, o, &released);
	if (e != OK || released)
		return e;
	if ((e = outcome_spent(in->store, now, o, &spent)) != OK)
		return e;
	if (spent)
		return decision_unreleased(d);
	if ((e = tell_judge(in, msg, now, d)) != OK)
		return e;
	if ((e = outcome_let_go(in->store, o, now)) == OK)
		forget(in, d);
	return e;
}

/* Its people may want to know why. */
void
enrol_tell_refusal(const struct enrol *in, const struct pkimsg *msg,
    int64_t now, const struct decision *d)
{
	struct csr csr = { .der = BUF_SECRET, .challenge = BUF_SECRET };
	struct buf why = BUF_INIT;
	struct judge_case c;

	if (case_of(in, msg, now, d, &csr, &c) == OK &&
	    buf_printf(&why, "%s%s%s", d->reason ? d->reason : "refused",
		d->field ? ": " : "", d->field ? d->field : ""))
		judge_refused(&c, d->fail, buf_cstr(&why));
	buf_release(&why);
	csr_release(&csr);
}

/* When the new certificate leaves, the days of the old one begin (C-126). */
static enum err
supersede_old(const struct enrol *in, const struct decision *d)
{
	const struct outcome *o = &d->outcome;
	const struct renewal_rules *rules =
	    d->alias != NULL ? &d->alias->renewal : NULL;

	if (d->verdict == VERDICT_FOUND || d->verdict == VERDICT_REFUSE ||
	    o->renews == NULL || rules == NULL ||
	    rules->supersede != SUPERSEDE_DAYS)
		return OK;
	return supersede_later(
	    in->store, o->renews, o->issued + rules->supersede_after);
}

/*
 * Who issued has published; of a kept outcome the second name may have been
 * lost with the process that issued it (STORE.md, A grant, 6).
 */
enum err
enrol_release(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    struct decision *d)
{
	enum err e = OK;

	if (d->verdict == VERDICT_REFUSE && d->judged)
		enrol_tell_refusal(in, msg, now, d);
	if (d->verdict != VERDICT_ISSUED && d->verdict != VERDICT_KEPT &&
	    d->verdict != VERDICT_FOUND)
		return OK;
	if (d->verdict == VERDICT_KEPT)
		e = outcome_publish(in->store, &d->outcome);
	if (e == OK)
		e = let_go(in, msg, now, d);
	return e == OK ? supersede_old(in, d) : e;
}
