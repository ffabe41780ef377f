#include "enrol_unique.h"

#include <string.h>

#include "ca/cert.h"
#include "ca/dn.h"
#include "ca/profile.h"
#include "store/issued.h"
#include "store/unique.h"

/* ---- what a claim is for --------------------------------------------------- */

static bool
has_key(const struct outcome *o, const void *arg)
{
	return strcmp(o->spki, arg) == 0;
}

/* Names are compared as dn_eq() does, here by their canonical form. */
static bool
has_subject(const struct outcome *o, const void *arg)
{
	const struct buf *subject = arg;
	struct buf own = BUF_INIT;
	struct cert_view view;
	bool same;

	/* one that cannot be read may have it */
	same = cert_view(buf_span(&o->cert), &view) != OK ||
	       dn_canon(view.subject, &own) != OK ||
	       span_eq(buf_span(&own), buf_span(subject));
	buf_release(&own);
	return same;
}

/* What is asked of the store about one request. */
struct ask {
	const struct enrol *in;
	const struct pkimsg *msg;
	int64_t now;
	struct decision *d;
	enum err (*of)(const struct store *st, const struct unique *u,
	    const char transaction[SHA256_HEX], unsigned attempt, int64_t now);
};

/*
 * Per CA: by its name in certificates, which all its generations have, and
 * which stays when the CA is renamed here.
 */
static enum err
ask_one(const struct ask *a, struct unique *u, struct span what)
{
	struct buf issuer = BUF_INIT;
	enum err e;

	u->entity = a->d->entity.username;
	if (a->d->waiting.attempt > 0) {
		u->passed = a->d->waiting.transaction;
		u->passed_attempt = a->d->waiting.attempt;
	}
	if ((e = dn_canon(a->msg->gen->subject, &issuer)) == OK)
		e = unique_hash(buf_span(&issuer), what, u->hash);
	buf_release(&issuer);
	if (e == OK)
		e = a->of(a->in->store, u, a->d->transaction.name,
		    a->d->attempt, a->now);
	return e == ERR_INPUT ? ERR_SYSTEM : e;
}

static enum err
ask_key(const struct ask *a)
{
	char spki[SHA256_HEX];
	struct unique u = { .kind = UNIQUE_KEY,
		.own = a->d->same_key ? a->d->entity.username : NULL,
		.has = has_key,
		.arg = spki };
	enum err e;

	if ((e = sha256_hex(a->msg->csr.spki, spki)) != OK)
		return e;
	e = ask_one(a, &u, a->msg->csr.spki);
	if (e == ERR_REFUSED)
		e = decision_refuse(
		    a->d, FAIL_BADREQUEST, "a living certificate has this key");
	return e;
}

/* A certificate without a subject has none that could be another's. */
static enum err
ask_subject(const struct ask *a)
{
	struct buf subject = BUF_INIT;
	struct unique u = { .kind = UNIQUE_SUBJECT,
		.own = a->d->entity.username,
		.has = has_subject,
		.arg = &subject };
	enum err e = OK;

	if (dn_empty(buf_span(&a->d->subject)))
		return OK;
	if ((e = dn_canon(buf_span(&a->d->subject), &subject)) == OK)
		e = ask_one(a, &u, buf_span(&subject));
	if (e == ERR_REFUSED)
		e = decision_refuse(a->d, FAIL_BADREQUEST,
		    "a living certificate of another entity has this subject");
	buf_release(&subject);
	return e == ERR_INPUT ? ERR_SYSTEM : e;
}

static enum err
ask_both(const struct ask *a)
{
	enum err e = OK;

	if (a->d->unique_key)
		e = ask_key(a);
	if (e == OK && a->d->verdict != VERDICT_REFUSE && a->d->unique_subject)
		e = ask_subject(a);
	return e;
}

/* ---- before and behind payment ---------------------------------------------- */

/* A certificate profile by the name that it is listed under. */
static const char *
spelled(const char *name)
{
	const char *shipped = profile_shipped_name(name);

	return shipped != NULL ? shipped : name;
}

/* The name by which a profile lists the CA, which may have several. */
static const char *
listed_as(const struct ca *ca, const char *const *list)
{
	for (; *list != NULL; list++)
		if (ca_called(ca, *list))
			return *list;
	return ca->called;
}

static enum err
check_names(const struct enrol *in, const char *entity, const struct ca *ca,
    struct entity_names *names, struct decision *d)
{
	const struct profile *p = NULL;
	struct breach breach = { NULL, NULL };
	enum err e;

	e = profiles_find(in->profiles, entity, &p);
	if (e == ERR_NOTFOUND)
		return decision_refuse(d, FAIL_BADREQUEST,
		    strcmp(entity, names->profile) == 0 ?
			"certificate profile does not exist" :
			"end-entity profile does not exist");
	if (e != OK)
		return e;
	d->enrolments = p->entity.enrolments;
	d->unique_subject = p->entity.unique_subject;
	d->unique_key = p->entity.unique_key;
	names->ca = listed_as(ca, p->entity.cas);
	e = entity_check(&p->entity, names, &breach);
	if (e != ERR_REFUSED)
		return e;
	d->field = breach.field;
	return decision_refuse(d, FAIL_BADREQUEST, breach.why);
}

enum err
enrol_count(
    const struct enrol *in, const struct pkimsg *msg, struct decision *d)
{
	bool secret = d->pay == PAY_SECRET || d->pay == PAY_APPROVAL;
	unsigned n = 0;
	enum err e;

	if (d->enrolments == 0 || !secret || msg->renews)
		return OK;
	e = issued_enrolled(in->store, d->entity.username, d->enrolments, &n);
	if (e != OK || n < d->enrolments)
		return e;
	return decision_refuse(d, FAIL_BADREQUEST,
	    "the entity has had all its enrolments (`enrolments`)");
}

enum err
enrol_rules(const struct enrol *in, const char *entity, const char *certificate,
    const struct pkimsg *msg, int64_t now, struct decision *d)
{
	struct entity_names names = { .subject = buf_span(&d->subject),
		.san = buf_span(&d->san),
		.profile = spelled(certificate) };
	const struct ask a = { in, msg, now, d, unique_look };
	enum err e;

	if ((e = check_names(in, entity, msg->ca, &names, d)) != OK ||
	    d->verdict == VERDICT_REFUSE ||
	    (e = enrol_count(in, msg, d)) != OK || d->verdict == VERDICT_REFUSE)
		return e;
	return ask_both(&a);
}

/*
 * Somebody was faster.  The attempt ends, so that neither its code nor its
 * key are kept by it; if it lives all the same, by another worker, then that
 * is the answer next time.  One that people have approved goes on waiting.
 */
static enum err
give_back(const struct enrol *in, const struct decision *d, enum err e)
{
	enum err gone;

	if (strcmp(d->waiting.transaction, d->transaction.name) == 0 &&
	    d->waiting.attempt == d->attempt)
		return e;
	gone = outcome_abandon(in->store, d->transaction.name, d->attempt);
	return gone == OK ? e : gone == ERR_EXISTS ? ERR_BUSY : gone;
}

enum err
enrol_unique_claim(const struct enrol *in, const struct pkimsg *msg,
    int64_t now, struct decision *d)
{
	const struct ask a = { in, msg, now, d, unique_claim };
	enum err e = ask_both(&a);

	if (e == ERR_BUSY || d->verdict == VERDICT_REFUSE)
		e = give_back(in, d, e);
	return e;
}
