#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ca/der.h"
#include "enrol_own.h"
#include "enrol_wait.h"
#include "store/cert.h"
#include "store/renewed.h"
#include "store/revoked.h"

/*
 * An approved request out of its record: the message as it was, less its
 * challenge, which was found right before it could wait.
 */

static bool
put_extension(const struct extension *ext, struct buf *out)
{
	struct buf one = BUF_INIT;
	bool ok;

	ok =
	    der_put(&one, DER_OID, ext->oid) &&
	    (!ext->critical || der_put(&one, DER_BOOLEAN, DER_BYTES("\xff"))) &&
	    der_put(&one, DER_OCTETS, ext->value) &&
	    der_put(out, DER_SEQUENCE, buf_span(&one));
	buf_release(&one);
	return ok;
}

enum err
asked_encode(const struct csr *csr, struct buf *der)
{
	struct buf list = BUF_INIT;
	bool ok = true;

	for (size_t i = 0; i < csr->nasked && ok; i++)
		ok = put_extension(&csr->asked[i], &list);
	if (ok && csr->nasked > 0)
		ok = der_put(der, DER_SEQUENCE, buf_span(&list));
	buf_release(&list);
	return ok ? OK : ERR_SYSTEM;
}

enum err
asked_decode(struct span der, struct csr *csr)
{
	struct span list, ext, critical;

	csr->nasked = 0;
	if (der.len == 0)
		return OK;
	if (!der_one(der, DER_SEQUENCE, &list))
		return ERR_INPUT;
	while (list.len > 0) {
		struct extension one = { .critical = false };

		if (csr->nasked == MAX_EXTENSIONS ||
		    !der_get(&list, DER_SEQUENCE, &ext) ||
		    !der_get(&ext, DER_OID, &one.oid))
			return ERR_INPUT;
		if (der_get(&ext, DER_BOOLEAN, &critical))
			one.critical = critical.len > 0 && critical.p[0] != 0;
		if (!der_one(ext, DER_OCTETS, &one.value))
			return ERR_INPUT;
		csr->asked[csr->nasked++] = one;
	}
	return OK;
}

static enum err
fill_message(const struct waiting *w, const struct ca *ca, int64_t now,
    struct pkimsg *msg)
{
	struct buf key = BUF_INIT;
	enum err e;

	msg->type = w->renews != NULL ? MSG_RENEWALREQ : MSG_PKCSREQ;
	msg->renews = w->renews != NULL;
	msg->fail = FAIL_NONE;
	msg->ca = ca;
	msg->gen = ca_issuer(ca, w->generation, now);
	msg->csr.subject = buf_span(&w->subject_der);
	msg->csr.san = buf_span(&w->san_der);
	msg->csr.spki = buf_span(&w->spki_der);
	memcpy(msg->csr.digest, w->csr, sizeof(msg->csr.digest));
	if (msg->gen == NULL || now >= msg->gen->not_after) {
		log_error("CA %s is not valid now: nothing can be issued",
		    ca->called);
		return ERR_BUSY;
	}
	e = hex_read(w->signer, &key);
	if (e == OK)
		memcpy(msg->signer_key, key.data, SHA256_LEN);
	buf_release(&key);
	if (e == OK && !buf_add(&msg->txid, w->txid.data, w->txid.len))
		e = ERR_SYSTEM;
	if (e == OK)
		e = asked_decode(buf_span(&w->asked_der), &msg->csr);
	if (e == ERR_INPUT) {
		log_error("request %s cannot be read", w->id);
		e = ERR_SYSTEM;
	}
	return e;
}

/* The certificate that is to be renewed: it must not be revoked meanwhile. */
static enum err
find_old(const struct enrol *in, struct decision *d)
{
	struct issuer by = { .ca = NULL };
	char serial[41], *ca = NULL;
	bool revoked = false;
	enum err e;

	e = renewed_parse(d->waiting.renews, &ca, &by.generation, serial);
	by.ca = ca;
	if (e == OK)
		e = cert_find(in->store, ca, by.generation, serial, &d->old);
	if (e == OK)
		e = revoked_now(in->store, &by, serial, &revoked);
	free(ca);
	if (e == ERR_NOTFOUND || e == ERR_INPUT)
		return decision_refuse(d, FAIL_BADREQUEST,
		    "the certificate to be renewed is not here");
	if (e == OK && revoked)
		return decision_refuse(d, FAIL_BADREQUEST,
		    "the certificate to be renewed was revoked");
	return e;
}

/*
 * People's yes is not the judge's, and the request that it would be asked
 * about is gone: what waited before the alias had this judge stays there.
 */
static enum err
check_judge(const struct alias *alias, struct decision *d)
{
	return judge_holds(alias) == NULL ?
		   OK :
		   decision_refuse(d, FAIL_BADREQUEST,
		       "the alias has a judge by now whom nobody has asked "
		       "about this request; deny it, so that the device asks "
		       "anew");
}

/* Who it is, and what the request makes of the entity (enrol_ra.c). */
static enum err
find_entity(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    struct decision *d)
{
	struct span name = span_of(d->username, strlen(d->username));
	bool renews = d->waiting.renews != NULL;
	enum err e;

	e = entity_find(in->store, name, &d->entity);
	if (e == ERR_NOTFOUND && renews)
		return decision_refuse(d, FAIL_BADREQUEST, "no such entity");
	if (e == ERR_NOTFOUND) {
		d->entity.username = str_dup(d->username);
		e = d->entity.username == NULL ? ERR_SYSTEM : OK;
	}
	if (e != OK)
		return e;
	if (d->entity.blocked)
		return decision_refuse(d, FAIL_BADREQUEST, "entity is blocked");
	return renews ? find_old(in, d) : road_secret.room(in, msg, now, d);
}

enum err
enrol_revive(const struct enrol *in, const struct alias *alias,
    const struct ca *ca, int64_t now, struct pkimsg *msg, struct decision *d)
{
	const struct waiting *w = &d->waiting;
	enum err e;

	pkimsg_init(msg);
	d->alias = alias;
	d->attempt = w->attempt;
	d->pay = PAY_APPROVAL;
	d->verdict = VERDICT_GRANT;
	d->transaction = (struct transaction){
		.alias = w->alias, .ca = w->ca, .id = buf_span(&w->txid)
	};
	memcpy(d->transaction.name, w->transaction, SHA256_HEX);
	decision_paid_before(d);
	free(d->username);
	free(d->renews);
	d->username = str_dup(w->username);
	d->renews = str_dup(w->renews);
	if (d->username == NULL || (w->renews != NULL && d->renews == NULL))
		return ERR_SYSTEM;
	if ((e = check_judge(alias, d)) != OK || d->verdict == VERDICT_REFUSE ||
	    (e = fill_message(w, ca, now, msg)) != OK ||
	    (e = find_entity(in, msg, now, d)) != OK ||
	    d->verdict == VERDICT_REFUSE ||
	    (e = decision_keep_rules(d)) != OK ||
	    (e = enrol_look(in, alias, msg, now, d)) != OK ||
	    d->verdict == VERDICT_REFUSE)
		return e;
	return enrol_covers(w, msg, d) ?
		   OK :
		   decision_refuse(d, FAIL_BADREQUEST,
		       "it would get other names now than those approved");
}
