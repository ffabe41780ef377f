#include "enrol.h"

/*
 * The state of a GetCertInitial (C-132 to C-135), found by alias, CA,
 * transactionID and signer's key alone; what the envelope says may be wrong
 * and stays closed:
 *
 *	the last attempt has a certificate -> KEPT, however often it is asked
 *	it was abandoned, or there is none -> REFUSE, badCertId (C-133)
 *
 * Nothing is remembered of a poll, so it may come at any time.
 */
enum err
enrol_poll(const struct store *st, const struct alias *alias,
    const struct pkimsg *msg, struct decision *d)
{
	enum err e;

	d->transaction = (struct transaction){ .alias = alias->name,
		.ca = msg->ca->name,
		.id = buf_span(&msg->txid) };
	if ((e = transaction_name(&d->transaction, msg->signer_key)) != OK)
		return e;
	e = outcome_latest(st, &d->transaction, &d->outcome);
	if (e == ERR_NOTFOUND ||
	    (e == OK && d->outcome.kind != OUTCOME_CERTIFICATE))
		return decision_refuse(
		    d, FAIL_BADCERTID, "no such transaction of this key");
	if (e != OK)
		return e;
	d->verdict = VERDICT_KEPT;
	d->attempt = d->outcome.attempt;
	return OK;
}
