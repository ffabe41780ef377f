#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ca/profile.h"
#include "enrol.h"
#include "judge/judge.h"
#include "store/revoked.h"

/*
 * The state of a PKCSReq, in the order in which it is found:
 *
 *	same CSR as an attempt that has a certificate      -> KEPT
 *	  but if that has expired or was revoked, and a
 *	  code that was set later admits it and has a
 *	  redemption left                                  -> GRANT
 *	judge says no                                      -> REFUSE
 *	same code, certificate alive, before its half-life,
 *	not revoked                                        -> KEPT
 *	code has no redemption left for the next attempt   -> REFUSE
 *	names, profile, key or extensions do not fit       -> REFUSE
 *	otherwise                                          -> GRANT
 */

void
decision_init(struct decision *d)
{
	*d = (struct decision){ .verdict = VERDICT_REFUSE,
		.fail = FAIL_BADREQUEST };
}

void
decision_release(struct decision *d)
{
	free(d->username);
	entity_release(&d->entity);
	code_release(&d->code);
	buf_release(&d->subject);
	buf_release(&d->subject_text);
	buf_release(&d->san);
	outcome_release(&d->outcome);
	buf_release(&d->crl);
	decision_init(d);
}

enum err
decision_refuse(struct decision *d, enum failinfo fail, const char *reason)
{
	d->verdict = VERDICT_REFUSE;
	d->fail = fail;
	d->reason = reason;
	return OK;
}

static enum err
keep(struct decision *d)
{
	d->verdict = VERDICT_KEPT;
	d->attempt = d->outcome.attempt;
	return OK;
}

/*
 * The right code found to be used up must cost what a wrong one costs; a
 * chosen password has spent its scrypt and its mark already.  Somebody may
 * have overheard it (C-115).
 */
static enum err
refuse_used(const struct store *st, int64_t now, struct decision *d)
{
	enum err e = OK;

	log_warn("entity %s: a right code that is used up; somebody else may "
		 "know it",
	    d->entity.username);
	if (d->code.form != CODE_SCRYPT) {
		code_decoy();
		e = code_try_decoy(st, now);
	}
	return e == OK ?
		   decision_refuse(d, FAIL_BADREQUEST, "code is used up") :
		   e;
}

/* Is this CSR, byte for byte, one that has its certificate? */
static enum err
find_replay(
    const struct store *st, const struct pkimsg *msg, struct decision *d)
{
	enum err e;

	e = outcome_replay(st, &d->transaction, msg->csr.digest, &d->outcome);
	if (e == OK && d->outcome.kind != OUTCOME_CERTIFICATE) {
		outcome_release(&d->outcome);
		return ERR_NOTFOUND;
	}
	return e;
}

/*
 * Does the last certificate of this transaction answer a re-signed request
 * (C-136 b)?  Only to the entity and key it was issued to, under the code
 * that paid for it, and before half its life has passed.
 */
static bool
answers(const struct outcome *last, const struct decision *d,
    const char spki[SHA256_HEX], int64_t now)
{
	int64_t half =
	    last->not_before + (last->not_after - last->not_before) / 2;

	return last->kind == OUTCOME_CERTIFICATE && last->entity != NULL &&
	       strcmp(last->entity, d->entity.username) == 0 &&
	       strcmp(last->spki, spki) == 0 && last->code != NULL &&
	       strcmp(last->code, d->code.id) == 0 && now < half;
}

/* Finds which attempt this would be, or the certificate that answers it. */
static enum err
find_attempt(const struct store *st, const struct pkimsg *msg, int64_t now,
    struct decision *d)
{
	char spki[SHA256_HEX];
	char by[SHA256_HEX];
	bool revoked = false;
	enum err e;

	if ((e = sha256_hex(msg->csr.spki, spki)) != OK)
		return e;
	d->attempt = 1;
	e = outcome_latest(st, &d->transaction, &d->outcome);
	if (e != OK && e != ERR_NOTFOUND)
		return e;
	if (e == OK) {
		if (d->outcome.kind == OUTCOME_CERTIFICATE)
			e = revoked_now(st,
			    &(struct issuer){
				msg->ca->name, d->outcome.generation },
			    d->outcome.serial, &revoked);
		if (e != OK)
			return e;
		if (!revoked && answers(&d->outcome, d, spki, now))
			return keep(d);
		d->attempt = d->outcome.attempt + 1;
		outcome_release(&d->outcome);
	}
	d->verdict = VERDICT_GRANT;
	e = code_room(st, &d->code, d->transaction.name, d->attempt, by);
	if (e == ERR_REFUSED)
		return refuse_used(st, now, d);
	return e;
}

static enum err
ask_judge(const struct store *st, const struct pkimsg *msg, int64_t now,
    struct decision *d)
{
	struct judge_case c = { .store = st,
		.username = d->username ? d->username : "",
		.ca = msg->ca,
		.challenge = buf_span(&msg->csr.challenge),
		.now = now };
	struct judgement j;
	enum err e;

	judgement_init(&j);
	if ((e = judge_entity(&c, &j)) != OK)
		goto out;
	if (j.ruling != RULING_YES) {
		e = decision_refuse(d, FAIL_BADREQUEST, j.reason);
		goto out;
	}
	d->verdict = VERDICT_GRANT;
	d->entity = j.entity;
	d->code = j.code;
	j.entity = (struct entity){ 0 };
	j.code = (struct code){ 0 };
out:
	judgement_release(&j);
	return e;
}

/*
 * An answer under the challenge can be guessed at by whoever sees it, as long
 * as he likes: 128 random bits stand that, a chosen password does not (C-96).
 */
static enum err
check_strength(const struct pkimsg *msg, struct decision *d)
{
	if (msg->signer_type == KEY_RSA || d->code.form != CODE_SCRYPT)
		return OK;
	return decision_refuse(d, FAIL_BADALG,
	    "the signer's key cannot encrypt, and a chosen password may not: "
	    "`scep entity setpwd NAME --generate`");
}

/*
 * Nothing is issued behind the CA's end, nor ahead of its beginning, but for
 * a next generation, whose certificates begin with it (C-128, C-129).
 */
static enum err
check_ca(const struct pkimsg *msg, int64_t now)
{
	const struct generation *gen = msg->gen;

	if (now < gen->not_after &&
	    (now >= gen->not_before || ca_current(msg->ca, now) != NULL))
		return OK;
	log_error("CA %s, generation %u, is %s: nothing can be issued",
	    msg->ca->name, gen->n,
	    now < gen->not_before ? "not valid yet" : "expired");
	return ERR_BUSY;
}

/*
 * May a replay buy again?  Signatures of PKCS#1 v1.5 are alike for alike
 * requests, so a device whose certificate has expired or was revoked, and whose
 * password was set once more, to the same words, sends the very bytes of long
 * ago.  A capture of those is worth no more than the password itself: it has
 * to be the present one, of a code that paid for nothing here yet.
 */
static enum err
buys_again(const struct store *st, const struct pkimsg *msg, int64_t now,
    struct decision *d, bool *yes)
{
	char by[SHA256_HEX];
	struct outcome last = OUTCOME_INIT;
	enum err e;

	*yes = false;
	if ((e = ask_judge(st, msg, now, d)) != OK ||
	    d->verdict == VERDICT_REFUSE)
		return e;
	if ((e = outcome_latest(st, &d->transaction, &last)) != OK)
		return e;
	d->attempt = last.attempt + 1;
	*yes = last.code == NULL || strcmp(last.code, d->code.id) != 0;
	outcome_release(&last);
	if (*yes)
		e = code_room(
		    st, &d->code, d->transaction.name, d->attempt, by);
	if (e == ERR_REFUSED)
		*yes = false;
	return e == ERR_REFUSED ? OK : e;
}

/* Is what a replay would get of no use: expired, or revoked by now? */
static enum err
is_spent(const struct store *st, const struct pkimsg *msg, int64_t now,
    const struct outcome *o, bool *yes)
{
	const struct issuer by = { msg->ca->name, o->generation };

	*yes = now >= o->not_after;
	return *yes ? OK : revoked_now(st, &by, o->serial, yes);
}

/* A replay gets what it got (C-173); see buys_again() for the exception. */
static enum err
decide_replay(const struct enrol *in, const struct alias *alias,
    const struct pkimsg *msg, int64_t now, struct decision *d)
{
	bool spent = false, again = false;
	enum err e;

	e = is_spent(in->store, msg, now, &d->outcome, &spent);
	if (e == OK && spent && now < msg->gen->not_after)
		e = buys_again(in->store, msg, now, d, &again);
	if (e != OK)
		return e;
	if (!again) {
		d->reason = NULL;
		return keep(d);
	}
	outcome_release(&d->outcome);
	if ((e = check_ca(msg, now)) != OK)
		return e;
	if ((e = check_strength(msg, d)) != OK || d->verdict == VERDICT_REFUSE)
		return e;
	return enrol_look(in, alias, msg, now, d);
}

enum err
enrol_decide(const struct enrol *in, const struct alias *alias,
    const struct pkimsg *msg, int64_t now, struct decision *d)
{
	const struct store *st = in->store;
	enum err e;

	assert(msg->ca != NULL && msg->fail == FAIL_NONE);
	d->transaction = (struct transaction){ .alias = alias->name,
		.ca = msg->ca->name,
		.id = buf_span(&msg->txid) };
	if ((e = transaction_name(&d->transaction, msg->signer_key)) != OK)
		return e;
	e = enrol_username(alias, msg->csr.subject, &d->username);
	if (e != OK)
		return e;
	if ((e = find_replay(st, msg, d)) == OK)
		return decide_replay(in, alias, msg, now, d);
	if (e != ERR_NOTFOUND)
		return e;
	if ((e = check_ca(msg, now)) != OK)
		return e;
	if ((e = ask_judge(st, msg, now, d)) != OK ||
	    d->verdict == VERDICT_REFUSE)
		return e;
	if ((e = check_strength(msg, d)) != OK || d->verdict == VERDICT_REFUSE)
		return e;
	if ((e = find_attempt(st, msg, now, d)) != OK ||
	    d->verdict != VERDICT_GRANT)
		return e;
	return enrol_look(in, alias, msg, now, d);
}

/* What `cert show` and replays need to know of the certificate. */
static enum err
describe(const struct pkimsg *msg, const char *remote, int64_t now,
    struct issued *cert, struct decision *d)
{
	struct outcome *o = &d->outcome;
	enum err e;

	outcome_release(o);
	o->kind = OUTCOME_CERTIFICATE;
	memcpy(o->transaction, d->transaction.name, sizeof(o->transaction));
	o->attempt = d->attempt;
	o->alias = str_dup(d->transaction.alias);
	o->ca = str_dup(msg->ca->name);
	o->generation = msg->gen->n;
	o->entity = str_dup(d->entity.username);
	o->code = str_dup(d->code.id);
	o->profile = str_dup(d->profile->name);
	o->remote = str_dup(remote);
	memcpy(o->csr, msg->csr.digest, sizeof(o->csr));
	memcpy(o->serial, cert->serial, sizeof(o->serial));
	o->issued = now;
	o->not_before = cert->not_before;
	o->not_after = cert->not_after;
	o->cert = cert->der;
	cert->der = (struct buf)BUF_INIT;
	o->subject = str_dup(buf_cstr(&d->subject_text));
	if ((e = sha256_hex(msg->csr.spki, o->spki)) != OK)
		return e;
	if (!buf_add(&o->id, msg->txid.data, msg->txid.len) || !o->alias ||
	    !o->ca || !o->entity || !o->code || !o->profile || !o->remote ||
	    !o->subject)
		e = ERR_SYSTEM;
	return e;
}

/*
 * Somebody else decided this attempt first.  Their certificate is the answer
 * if it is the one that we were to issue: the same entity and key, paid by the
 * same code.  If not, or if the attempt was abandoned (a new code was set
 * meanwhile), the client tries again and gets the next attempt: our claim on
 * this one is dead (store/claim.c).
 */
static enum err
take_theirs(const struct store *st, struct decision *d)
{
	const struct outcome *o = &d->outcome;
	char spki[SHA256_HEX];
	enum err e;

	memcpy(spki, o->spki, sizeof(spki));
	outcome_release(&d->outcome);
	e = outcome_find(st, &d->transaction, d->attempt, &d->outcome);
	if (e != OK)
		return e;
	if (o->kind == OUTCOME_CERTIFICATE && o->entity != NULL &&
	    strcmp(o->entity, d->entity.username) == 0 && o->code != NULL &&
	    strcmp(o->code, d->code.id) == 0 && strcmp(o->spki, spki) == 0)
		return keep(d);
	log_info("another decided attempt %u of this transaction; the client "
		 "has to try again",
	    d->attempt);
	return ERR_BUSY;
}

enum err
enrol_grant(const struct enrol *in, const struct pkimsg *msg,
    const char *remote, int64_t now, struct decision *d)
{
	const struct store *st = in->store;
	struct leaf leaf = enrol_leaf(in, msg, d);
	struct issued cert = { .der = BUF_INIT };
	char by[SHA256_HEX];
	enum err e;

	assert(d->verdict == VERDICT_GRANT);
	/* 2. pay, 3. sign, 4. to 6. issue and audit (STORE.md, A grant) */
	e = code_claim(st, &d->code, d->transaction.name, d->attempt, by);
	if (e == ERR_REFUSED) {
		e = refuse_used(st, now, d);
		goto out;
	}
	if (e != OK)
		goto out;
	e = ca_issue(msg->gen, d->profile, &leaf, now, &cert);
	if (e != OK)
		goto out;
	if ((e = describe(msg, remote, now, &cert, d)) != OK)
		goto out;
	e = outcome_link(st, &d->outcome);
	if (e == ERR_EXISTS)
		e = take_theirs(st, d);
	else if (e == OK)
		d->verdict = VERDICT_ISSUED;
out:
	issued_release(&cert);
	return e;
}

/*
 * Who issued has published; of a kept outcome the second name may have been
 * lost with the process that issued it (STORE.md, A grant, 6).
 */
enum err
enrol_release(const struct store *st, const struct decision *d)
{
	return d->verdict == VERDICT_KEPT ? outcome_publish(st, &d->outcome) :
					    OK;
}
