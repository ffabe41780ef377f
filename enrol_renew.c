#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ca/cert.h"
#include "ca/der.h"
#include "enrol_own.h"
#include "judge/judge.h"
#include "store/cert.h"
#include "store/issued.h"
#include "store/renewed.h"
#include "store/revoked.h"

/*
 * The road of a renewal (RFC 8894 2.4, C-121 to C-127): a certificate that we
 * issued asks for the next one of its entity, and pays for it.  That it is
 * valid, and that the request has no other subject, was found when the
 * message was opened (signer.c, message/content.c).
 */

enum err
enrol_renews(const struct pkimsg *msg, struct buf *out)
{
	const struct issuer by = { msg->renews_ca->name,
		msg->renews_generation };
	char serial[CERT_SERIAL] = "";

	if (!cert_serial(msg->signer_serial, serial))
		return ERR_NOTFOUND;
	return renewed_text(&by, serial, out);
}

/* The certificate that signed, and whose it is. */
static enum err
find_old(const struct enrol *in, const struct pkimsg *msg, struct decision *d)
{
	const struct issuer by = { msg->renews_ca->name,
		msg->renews_generation };
	struct buf text = BUF_INIT;
	char serial[CERT_SERIAL] = "";
	enum err e = ERR_NOTFOUND;

	if (cert_serial(msg->signer_serial, serial))
		e = cert_find(in->store, by.ca, by.generation, serial, &d->old);
	if (e == OK)
		e = enrol_renews(msg, &text);
	if (e == OK) {
		free(d->renews);
		free(d->username);
		d->renews = str_dup(buf_cstr(&text));
		d->username = str_dup(d->old.entity ? d->old.entity : "");
		e = d->renews && d->username ? OK : ERR_SYSTEM;
	}
	if (e == OK)
		e = entity_find(in->store,
		    span_of(d->username, strlen(d->username)), &d->entity);
	buf_release(&text);
	return e == ERR_NOTFOUND ?
		   decision_refuse(d, FAIL_BADMESSAGECHECK,
		       "the certificate, or its entity, is gone") :
		   e;
}

/* A listed CA's certificates may change over to the CA that is addressed. */
static bool
is_listed(const struct alias *a, const struct ca *ca)
{
	for (size_t i = 0; i < a->renewal.ncas; i++)
		if (ca_called(ca, a->renewal.cas[i]))
			return true;
	return false;
}

/* Each general name of the one stands in the other, byte for byte. */
static bool
san_within(struct span part, struct span whole)
{
	struct span names, all, rest;
	struct der one, other;
	bool found = true;

	if (!der_one(part, DER_SEQUENCE, &names) ||
	    !der_one(whole, DER_SEQUENCE, &all))
		return part.len == 0;
	while (found && names.len > 0) {
		if (!der_next(&names, &one))
			return false;
		found = false;
		for (rest = all; !found && der_next(&rest, &other);)
			found = span_eq(one.whole, other.whole);
	}
	return found;
}

/* C-123, C-124: still the same entity, names and profile? */
static enum err
check_same(const struct pkimsg *msg, struct decision *d)
{
	const char *profile = enrol_profile_name(d->alias, d);
	struct cert_view v;

	if (d->entity.blocked)
		return decision_refuse(d, FAIL_BADREQUEST, "entity is blocked");
	if (!ca_called(msg->ca, d->entity.ca) &&
	    !is_listed(d->alias, msg->renews_ca))
		return decision_refuse(
		    d, FAIL_BADREQUEST, "entity is registered with another CA");
	if (d->old.profile != NULL && strcmp(d->old.profile, profile) != 0)
		return decision_refuse(d, FAIL_BADREQUEST,
		    "the certificate has another profile than its entity has "
		    "now");
	if (cert_view(buf_span(&d->old.cert), &v) != OK ||
	    !san_within(msg->csr.san, v.san))
		return decision_refuse(d, FAIL_BADREQUEST,
		    "a subjectAltName that the old certificate has not");
	return OK;
}

/* Has enough of its life passed?  Backdating included, as it says itself. */
static bool
in_window(const struct renew_window *w, const struct outcome *o, int64_t now)
{
	int64_t life = o->not_after - o->not_before;

	if (w->percent == 0)
		return now >= o->not_after - w->before;
	return now >= o->not_before + life / 100 * w->percent +
			  life % 100 * w->percent / 100;
}

/* The entity's certificates, for two questions about all of them. */
struct past {
	const struct enrol *in;
	const struct decision *d;
	char key[SHA256_HEX]; /* of the request */
	bool used;	      /* some certificate has that key */
	int64_t latest;	      /* when the last one was issued; 0: none */
	struct renew_window window;
	int64_t now;
	bool open; /* has its renewal begun? */
};

/*
 * What this very certificate has bought does not count: who asks again gets
 * that, or is told that it has paid.
 */
static enum err
past_each(const struct outcome *o, void *arg)
{
	struct past *p = arg;
	const struct issuer by = { o->ca, o->generation };
	bool revoked = false;
	enum err e;

	if (o->renews != NULL && strcmp(o->renews, p->d->renews) == 0)
		return OK;
	p->used |= strcmp(o->spki, p->key) == 0;
	if (strcmp(o->alias, p->d->alias->name) != 0 || o->issued < p->latest)
		return OK;
	e = revoked_now(p->in->store, &by, o->serial, &revoked);
	if (e == OK && !revoked) {
		p->latest = o->issued;
		p->open = in_window(&p->window, o, p->now);
	}
	return e;
}

/*
 * C-125: the window is that of the latest certificate, not of the signer, or
 * an entity that kept its old ones would have as many new ones as it likes.
 */
static enum err
check_past(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    struct decision *d)
{
	struct past p = {
		.in = in, .d = d, .window = d->alias->renewal.window, .now = now
	};
	enum err e;

	if ((e = sha256_hex(msg->csr.spki, p.key)) != OK)
		return e;
	p.used = strcmp(d->old.spki, p.key) == 0;
	p.open = in_window(&p.window, &d->old, now);
	e = issued_each(in->store, d->username, past_each, &p);
	if (e != OK)
		return e;
	if (p.used && !d->alias->renewal.oldkey)
		return decision_refuse(d, FAIL_BADREQUEST,
		    "the key of an older certificate; "
		    "`clientcertificaterenewalwitholdkey = yes` admits it");
	if (!p.open)
		return decision_refuse(d, FAIL_BADREQUEST,
		    "too early to renew the entity's latest certificate "
		    "(`[renewal] window`)");
	return OK;
}

/*
 * [renewal] challenge = yes; otherwise nobody looks at it (C-112).  Names and
 * profile are the old certificate's; how long it is good may be said anew.
 */
static enum err
check_challenge(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    struct decision *d)
{
	struct judgement j;
	enum err e;

	if (!d->alias->renewal.challenge)
		return OK;
	judgement_init(&j);
	e = enrol_judge(in, msg, now, d, &j);
	d->over.validity = j.over.validity;
	judgement_release(&j);
	return e;
}

static enum err
ask(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    struct decision *d)
{
	enum err e;

	d->verdict = VERDICT_GRANT;
	d->pay = PAY_RENEWAL;
	if ((e = find_old(in, msg, d)) != OK || d->verdict == VERDICT_REFUSE ||
	    (e = check_same(msg, d)) != OK || d->verdict == VERDICT_REFUSE ||
	    (e = check_challenge(in, msg, now, d)) != OK ||
	    d->verdict == VERDICT_REFUSE)
		return e;
	return check_past(in, msg, now, d);
}

struct asked {
	const struct store *store;
	const struct alias *alias;
	int64_t now;
};

/* May a certificate that was bought be followed by another? */
static enum err
is_over(const struct outcome *o, void *arg, bool *yes)
{
	const struct asked *a = arg;
	const struct issuer by = { o->ca, o->generation };

	*yes = in_window(&a->alias->renewal.window, o, a->now);
	return *yes ? OK : revoked_now(a->store, &by, o->serial, yes);
}

typedef enum err question(
    const struct store *st, const struct renewing *r, struct outcome *theirs);

/* What the old certificate says to it: a certificate, or a refusal. */
static enum err
question_old(question *put, const struct enrol *in, const struct pkimsg *msg,
    int64_t now, struct decision *d)
{
	struct asked a = { in->store, d->alias, now };
	struct renewing r = {
		.attempt = d->attempt, .now = now, .over = is_over, .arg = &a
	};
	struct outcome theirs = OUTCOME_INIT;
	char serial[41], *ca = NULL;
	enum err e;

	e = renewed_parse(d->renews, &ca, &r.by.generation, serial);
	if (e != OK)
		goto out;
	r.by.ca = ca;
	r.serial = serial;
	memcpy(r.transaction, d->transaction.name, SHA256_HEX);
	memcpy(r.csr, msg->csr.digest, SHA256_HEX);
	e = put(in->store, &r, &theirs);
	if (e == ERR_EXISTS) {
		outcome_release(&d->outcome);
		d->outcome = theirs;
		e = decision_keep(d);
	} else if (e == ERR_REFUSED) {
		e = decision_refuse(d, FAIL_BADREQUEST,
		    "the certificate has bought another one already");
	}
out:
	free(ca);
	return e == ERR_INPUT ? ERR_SYSTEM : e;
}

static enum err
room(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    struct decision *d)
{
	return question_old(renewed_room, in, msg, now, d);
}

static enum err
pay(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    struct decision *d)
{
	return question_old(renewed_claim, in, msg, now, d);
}

const struct road road_renewal = { ask, room, pay };
