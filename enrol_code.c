#include <string.h>

#include "base/log.h"
#include "enrol_own.h"
#include "judge/judge.h"

/* The road of CA mode: a registered entity, which pays with its code. */

/*
 * The right code found to be used up must cost what a wrong one costs; a
 * chosen password has spent its scrypt and its mark already.  Somebody may
 * have overheard it (C-115).
 */
static enum err
refuse_used(const struct store *st, int64_t now, struct decision *d)
{
	enum err e = OK;

	log_warn("%s %s: a right code that is used up; somebody else may know "
		 "it",
	    d->code.onetime ? "one-time code" : "entity",
	    d->code.onetime ? d->code.id : d->entity.username);
	if (d->code.form != CODE_SCRYPT) {
		code_decoy();
		e = code_try_decoy(st, now);
	}
	return e == OK ?
		   decision_refuse(d, FAIL_BADREQUEST, "code is used up") :
		   e;
}

static enum err
ask_judge(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    struct decision *d)
{
	struct judgement j;
	enum err e;

	judgement_init(&j);
	e = enrol_judge(in, msg, now, d, &j);
	if (e == OK && d->verdict == VERDICT_GRANT) {
		d->pay = PAY_CODE;
		decision_take(d, &j);
	}
	judgement_release(&j);
	return e;
}

/*
 * An answer under the challenge can be guessed at by whoever sees it, as long
 * as he likes: 128 random bits stand that, a chosen password does not (C-96).
 */
static enum err
ask(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    struct decision *d)
{
	enum err e = ask_judge(in, msg, now, d);

	if (e != OK || d->verdict == VERDICT_REFUSE ||
	    msg->signer_type == KEY_RSA || d->code.form != CODE_SCRYPT)
		return e;
	return decision_refuse(d, FAIL_BADALG,
	    "the signer's key cannot encrypt, and a chosen password may not: "
	    "`scep entity setpwd NAME --generate`");
}

/*
 * Has the code paid, when the request was put into the queue?  Then it owes
 * nothing more, and may be over or gone by now.
 */
static bool
has_paid(const struct decision *d)
{
	const struct waiting *w = &d->waiting;

	return w->code != NULL && strcmp(w->code, d->code.id) == 0 &&
	       strcmp(w->transaction, d->transaction.name) == 0;
}

void
decision_paid_before(struct decision *d)
{
	code_release(&d->code);
	d->code.onetime = d->waiting.code != NULL;
	if (d->waiting.code != NULL)
		memcpy(d->code.id, d->waiting.code, CODE_ID);
}

enum err
enrol_code_room(const struct enrol *in, int64_t now, struct decision *d)
{
	char by[SHA256_HEX];
	enum err e;

	if (*d->code.id == '\0' || has_paid(d))
		return OK;
	e = code_room(in->store, &d->code, d->transaction.name, d->attempt, by);
	return e == ERR_REFUSED ? refuse_used(in->store, now, d) : e;
}

enum err
enrol_code_pay(const struct enrol *in, int64_t now, struct decision *d)
{
	char by[SHA256_HEX];
	enum err e;

	if (*d->code.id == '\0' || has_paid(d))
		return OK;
	e = code_claim(
	    in->store, &d->code, d->transaction.name, d->attempt, by);
	return e == ERR_REFUSED ? refuse_used(in->store, now, d) : e;
}

enum err
enrol_code_paid(const struct enrol *in, const struct decision *d)
{
	if (*d->code.id == '\0')
		return OK;
	return code_paid(in->store, &d->code, d->transaction.name, d->attempt);
}

static enum err
room(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    struct decision *d)
{
	(void)msg;
	return enrol_code_room(in, now, d);
}

static enum err
pay(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    struct decision *d)
{
	(void)msg;
	return enrol_code_pay(in, now, d);
}

const struct road road_code = { ask, room, pay };

/*
 * May a replay buy again?  Signatures of PKCS#1 v1.5 are alike for alike
 * requests, so a device whose certificate has expired or was revoked, and whose
 * password was set once more, to the same words, sends the very bytes of long
 * ago.  A capture of those is worth no more than the password itself: it has
 * to be the present one, of a code that paid for nothing here yet.
 */
enum err
enrol_buys_again(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    struct decision *d, bool *yes)
{
	char by[SHA256_HEX];
	struct outcome last = OUTCOME_INIT;
	enum err e;

	*yes = false;
	if ((e = ask(in, msg, now, d)) != OK || d->verdict == VERDICT_REFUSE)
		return e;
	if ((e = outcome_latest(in->store, &d->transaction, &last)) != OK)
		return e;
	d->attempt = last.attempt + 1;
	*yes = last.code == NULL || strcmp(last.code, d->code.id) != 0;
	outcome_release(&last);
	if (*yes)
		e = code_room(
		    in->store, &d->code, d->transaction.name, d->attempt, by);
	if (e == ERR_REFUSED)
		*yes = false;
	return e == ERR_REFUSED ? OK : e;
}
