#include "signer.h"

#include <string.h>

#include "ca/cert.h"
#include "ca/chain.h"
#include "ca/dn.h"
#include "store/cert.h"
#include "store/entity.h"
#include "store/supersede.h"

/* What was found of a signer's certificate. */
struct found {
	const struct ca *ca;
	bool named; /* its issuer's name is one of ours */
	struct outcome o;
};

/* Among the certificates of one CA. */
static enum err
look_in(const struct signers *s, const struct ca *ca, const struct pkimsg *msg,
    struct found *f)
{
	char serial[CERT_SERIAL];
	enum err e = ERR_NOTFOUND;

	for (size_t i = ca->ngen; i > 0 && e == ERR_NOTFOUND; i--) {
		const struct generation *gen = &ca->gen[i - 1];

		if (!dn_eq(gen->subject, msg->signer_issuer))
			continue;
		f->named = true;
		if (!cert_serial(msg->signer_serial, serial))
			continue;
		e = cert_find(
		    &s->visit->house->store, ca->name, gen->n, serial, &f->o);
		if (e == OK && !span_eq(buf_span(&f->o.cert),
				   buf_span(&msg->signer_cert))) {
			outcome_release(&f->o);
			e = ERR_NOTFOUND;
		}
	}
	if (e == OK)
		f->ca = ca;
	return e;
}

/*
 * An external RA has no record of what its CA issues: the CA's signature
 * tells, and what the certificate itself says.  The CA looks again.
 */
static enum err
look_signed(const struct ca *ca, const struct pkimsg *msg, struct found *f)
{
	struct cert_view v;

	if (cert_view(buf_span(&msg->signer_cert), &v) != OK)
		return ERR_NOTFOUND;
	for (size_t i = ca->ngen; i > 0; i--) {
		const struct generation *gen = &ca->gen[i - 1];

		if (!dn_eq(gen->subject, v.issuer))
			continue;
		f->named = true;
		if (!cert_signed_by(v.der, gen->spki) ||
		    !cert_serial(v.serial, f->o.serial))
			continue;
		f->o.generation = gen->n;
		f->o.not_before = v.not_before;
		f->o.not_after = v.not_after;
		f->ca = ca;
		f->o.ca = str_dup(ca->name);
		return f->o.ca != NULL ? OK : ERR_SYSTEM;
	}
	return ERR_NOTFOUND;
}

static bool
is_external(const struct signers *s)
{
	return s->visit->alias->mode == MODE_EXTERNALRA;
}

/* Among those of the CAs that may sign too; *lacking: not all are there. */
static enum err
look_further(const struct signers *s, const struct pkimsg *msg, struct found *f,
    bool *lacking)
{
	const struct renewal_rules *rules = &s->visit->alias->renewal;
	const struct ca *ca;
	enum err e = ERR_NOTFOUND;

	for (size_t i = 0; i < rules->ncas && e == ERR_NOTFOUND; i++) {
		ca = NULL;
		e = cas_find(s->visit->house->cas, rules->cas[i], &ca);
		if (e == OK) {
			e = look_in(s, ca, msg, f);
			continue;
		}
		log_warn("alias %s: CA %s of [renewal] cas cannot be used: %s",
		    s->visit->alias->name, rules->cas[i], err_name(e));
		*lacking |= e != ERR_NOTFOUND;
		e = ERR_NOTFOUND;
	}
	return e;
}

/* ERR_NOTFOUND: not one of ours. */
static enum err
find(const struct signers *s, const struct pkimsg *msg, struct found *f)
{
	bool lacking = s->served->lacking;
	enum err e = ERR_NOTFOUND;

	for (size_t i = 0; i < s->served->n && e == ERR_NOTFOUND; i++)
		e = is_external(s) ? look_signed(s->served->ca[i], msg, f) :
				     look_in(s, s->served->ca[i], msg, f);
	if (e == ERR_NOTFOUND && !is_external(s))
		e = look_further(s, msg, f, &lacking);
	if (e != ERR_NOTFOUND || !lacking || f->named)
		return e;
	log_warn("alias %s: a signer that may be of a CA that is left out",
	    s->visit->alias->name);
	return ERR_BUSY;
}

static enum err
refuse(struct signer_answer *out, enum failinfo fail, const char *why)
{
	out->fail = fail;
	out->why = why;
	return OK;
}

/* Whose is it?  An entity that was deleted has nothing to renew. */
static enum err
check_entity(
    const struct signers *s, const struct outcome *o, struct signer_answer *out)
{
	struct entity who = ENTITY_INIT;
	enum err e = ERR_NOTFOUND;

	if (o->entity != NULL)
		e = entity_find(&s->visit->house->store,
		    span_of(o->entity, strlen(o->entity)), &who);
	if (e == ERR_NOTFOUND)
		e = refuse(out, FAIL_BADMESSAGECHECK,
		    "the signer's certificate is no entity's");
	else if (e == OK && o->registered != 0 && o->registered != who.created)
		e = refuse(out, FAIL_BADMESSAGECHECK,
		    "the signer's entity was deleted, and another has its "
		    "name now");
	else if (e == OK && who.blocked)
		e = refuse(out, FAIL_BADREQUEST, "entity is blocked");
	entity_release(&who);
	return e;
}

/* On the CRL that came from the CA? */
static enum err
is_listed(const struct signers *s, const struct outcome *o, bool *yes)
{
	struct buf serial = BUF_INIT;
	enum err e = hex_read(o->serial, &serial);

	if (e == OK)
		e = crl_lists(&s->visit->house->store, o->ca, o->generation,
		    buf_span(&serial), yes);
	buf_release(&serial);
	return e;
}

/* fact sheet 5: not valid, revoked or held is badMessageCheck. */
static enum err
check_state(
    const struct signers *s, const struct outcome *o, struct signer_answer *out)
{
	const struct issuer by = { o->ca, o->generation };
	int64_t now = s->visit->now;
	bool revoked = false;
	enum err e;

	if (now < o->not_before || now >= o->not_after)
		return refuse(out, FAIL_BADMESSAGECHECK,
		    now < o->not_before ?
			"the signer's certificate is not valid yet" :
			"the signer's certificate has expired");
	e = revoked_now(&s->visit->house->store, &by, o->serial, &revoked);
	if (e == OK && !revoked && is_external(s))
		e = is_listed(s, o, &revoked);
	if (e != OK || !revoked)
		return e;
	return refuse(out, FAIL_BADMESSAGECHECK,
	    "the signer's certificate was revoked, or is held");
}

enum err
signer_renews(void *arg, const struct pkimsg *msg, struct signer_answer *out)
{
	const struct signers *s = arg;
	struct found f = { .o = OUTCOME_INIT };
	bool asks = msg->type == MSG_RENEWALREQ;
	enum err e;

	*out = (struct signer_answer){ .fail = FAIL_NONE };
	if (!s->visit->alias->renewal.on)
		return asks ? refuse(out, FAIL_BADREQUEST,
				  "renewal is off: `[scep] "
				  "clientcertificaterenewal = no`") :
			      OK;
	if (!asks && msg->self_signed) /* nobody's certificate is (C-76) */
		return OK;
	e = find(s, msg, &f);
	if (e == ERR_NOTFOUND)
		return f.named ?
			   refuse(out, FAIL_BADMESSAGECHECK,
			       "the signer's certificate names a CA that did "
			       "not issue it") :
			   OK;
	if (e == OK)
		e = check_state(s, &f.o, out);
	if (e == OK && out->fail == FAIL_NONE && !is_external(s))
		e = check_entity(s, &f.o, out);
	if (e == OK && out->fail == FAIL_NONE) {
		out->renews = true;
		out->ca = f.ca;
		out->generation = f.o.generation;
	}
	outcome_release(&f.o);
	return e;
}

void
signer_used(const struct signers *s, const struct pkimsg *msg)
{
	struct found f = { .o = OUTCOME_INIT };
	struct signer_answer state = { .fail = FAIL_NONE };

	if (s->visit->alias->renewal.supersede != SUPERSEDE_USED ||
	    msg->self_signed || msg->signer_serial.len == 0)
		return;
	if (find(s, msg, &f) == OK && f.o.renews != NULL &&
	    check_state(s, &f.o, &state) == OK && state.fail == FAIL_NONE)
		(void)supersede_now(
		    &s->visit->house->store, f.o.renews, s->visit->now);
	outcome_release(&f.o);
}
