#include "base/log.h"
#include "enrol.h"
#include "enrol_wait.h"

/*
 * The state of a GetCertInitial (C-132 to C-135), found by alias, CA,
 * transactionID and signer's key alone; what the envelope says may be wrong
 * and stays closed:
 *
 *	it waits for people's yes                          -> WAIT
 *	they have said yes, and it was not issued yet      -> ISSUED, or WAIT
 *	the last attempt has a certificate                 -> KEPT
 *	it was denied, or its time was over, or its
 *	approval was used by another transaction           -> REFUSE, badRequest
 *	it was abandoned, or there is none                 -> REFUSE, badCertId
 *
 * Nothing is remembered of a poll, so it may come at any time and any number
 * of times.
 */

/* Why there is no certificate (C-133, C-134). */
static const struct {
	enum failinfo fail;
	const char *reason;
} answers[OUTCOME__MAX] = {
	[OUTCOME_ABANDONED] = { FAIL_BADCERTID,
	    "no such transaction of this key" },
	[OUTCOME_DENIED] = { FAIL_BADREQUEST, "the request was denied" },
	[OUTCOME_EXPIRED] = { FAIL_BADREQUEST,
	    "nobody approved the request in time" },
	[OUTCOME_PASSED] = { FAIL_BADREQUEST,
	    "another transaction has had the approval" },
};

/* Nothing waits: what became of the last attempt? */
static enum err
find_outcome(const struct store *st, struct decision *d)
{
	enum outcome_kind kind = OUTCOME_ABANDONED;
	enum err e = outcome_latest(st, &d->transaction, &d->outcome);

	if (e != OK && e != ERR_NOTFOUND)
		return e;
	if (e == OK)
		kind = d->outcome.kind;
	if (kind != OUTCOME_CERTIFICATE)
		return decision_refuse(
		    d, answers[kind].fail, answers[kind].reason);
	d->verdict = VERDICT_KEPT;
	d->attempt = d->outcome.attempt;
	return OK;
}

/*
 * Whoever said the last yes issues; where that failed, or was cut off, each
 * poll tries again.  Until it works the client waits.
 */
static enum err
issue_approved(const struct enrol *in, const struct alias *alias,
    const struct ca *ca, int64_t now, struct decision *d)
{
	struct pkimsg again;
	enum err e;

	e = enrol_revive(in, alias, ca, now, &again, d);
	if (e == OK && d->verdict == VERDICT_GRANT)
		e = enrol_grant(in, &again,
		    d->waiting.remote != NULL ? d->waiting.remote : "", now, d);
	if (e == OK && d->verdict == VERDICT_REFUSE) {
		log_warn("request %s is approved, and cannot be issued: %s",
		    d->waiting.id, d->reason);
		d->verdict = VERDICT_WAIT;
	}
	pkimsg_release(&again);
	return e;
}

enum err
enrol_poll(const struct enrol *in, const struct alias *alias,
    const struct pkimsg *msg, int64_t now, struct decision *d)
{
	enum waiting_state state;
	enum err e;

	d->alias = alias;
	d->transaction = (struct transaction){ .alias = alias->name,
		.ca = msg->ca->name,
		.id = buf_span(&msg->txid) };
	if ((e = transaction_name(&d->transaction, msg->signer_key)) != OK ||
	    (e = enrol_waiting(in->store, alias, now, d, &state)) != OK)
		return e;
	if (state == WAITING_APPROVED)
		return issue_approved(in, alias, msg->ca, now, d);
	if (state == WAITING_NONE || state == WAITING_DENIED)
		return find_outcome(in->store, d);
	d->verdict = VERDICT_WAIT;
	return OK;
}
