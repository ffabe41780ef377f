#include <string.h>

#include "base/log.h"
#include "base/names.h"
#include "judge/judge.h"

/*
 * The judge of RA mode: one secret, of the alias, for a whole fleet.
 *
 * Wrong ones are slow, and nobody is locked out.  A count as that of an
 * entity's own password would let any stranger, by ten wrong guesses an hour,
 * keep every device of the fleet away; and a count that let the right secret
 * pass all the same would not hinder who guesses it.  So each wrong guess pays
 * an scrypt here, which bounds the guesses to some thirty a second for each
 * worker, however many are sent at once; a secret of 128 bits stands that for
 * ever, and scep-alias(5) says what a short one stands.
 */

/* Digests: neither the bytes nor their number make a difference in time. */
static enum err
compare(const struct alias *a, struct span challenge, bool *same)
{
	uint8_t ours[SHA256_LEN], theirs[SHA256_LEN];
	enum err e;

	if ((e = sha256(buf_span(&a->ra.secret), ours)) == OK &&
	    (e = sha256(challenge, theirs)) == OK)
		*same = secret_eq(span_of(ours, sizeof(ours)),
		    span_of(theirs, sizeof(theirs)));
	wipe(ours, sizeof(ours));
	wipe(theirs, sizeof(theirs));
	return e;
}

enum err
judge_ra(const struct judge_case *c, struct judgement *j)
{
	const struct alias *a = c->alias;
	bool same = false;
	enum err e;

	if (a->ra.nocheck) {
		j->ruling = RULING_YES;
		return OK;
	}
	if (a->ra.secret.len == 0 && a->queue.ra != NULL) {
		code_decoy();
		j->reason = "this alias takes requests from its external RA "
			    "alone";
		return OK;
	}
	if (a->ra.secret.len == 0) {
		log_error(
		    "alias %s: there is no secret to compare with", a->name);
		return ERR_SYSTEM;
	}
	if ((e = compare(a, c->challenge, &same)) != OK)
		return e;
	if (same) {
		j->ruling = RULING_YES;
		return OK;
	}
	code_decoy();
	if (c->challenge.len == 0) {
		j->reason = "no challengePassword";
		return OK;
	}
	log_warn("alias %s: a wrong secret", a->name);
	j->reason = "wrong secret of the alias";
	return OK;
}
