#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ca/cert.h"
#include "ca/chain.h"
#include "ca/dn.h"
#include "judge/judge.h"
#include "queue.h"
#include "queue_text.h"
#include "store/cert.h"

/* The RA's side: what the CA has said to a request becomes its outcome. */

static const struct ca *
ca_named(const struct queue_side *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->cas[i]->name, name) == 0)
			return s->cas[i];
	return NULL;
}

enum err
queue_verify(const struct ca *ca, const char *name, enum letter_kind kind,
    struct span der, struct letter_opened *out, const char **why)
{
	struct span *signer = calloc(2 * ca->ngen, sizeof(*signer));
	struct span *key = signer == NULL ? NULL : signer + ca->ngen;
	struct letter_rule rule = { .kind = kind,
		.name = name,
		.signer = signer,
		.key = key,
		.n = ca->ngen };
	enum err e = ERR_SYSTEM;

	if (signer == NULL) {
		log_error("out of memory");
		return e;
	}
	for (size_t i = 0; i < ca->ngen; i++) {
		signer[i] = buf_span(&ca->gen[i].cert);
		key[i] = ca->gen[i].spki;
	}
	e = letter_verify(der, &rule, out, why);
	if (e == ERR_INPUT && *why == letter_stranger)
		*why = "who signed it is not known here; if the CA has another "
		       "key since, `scep ca install` takes its certificate";
	free(signer);
	if (e == OK)
		e = letter_open(out, NULL, 0, NULL, why);
	return e;
}

/* Is it an answer to this very letter of ours? */
static bool
answers(const struct letter_opened *o, const struct queued *q)
{
	char nonce[QUEUE_NONCE];

	if (o->answers.len != LETTER_NONCE)
		return false;
	hex_text(o->answers.p, LETTER_NONCE, nonce);
	return strcmp(nonce, q->nonce) == 0;
}

/* The generation whose key signed it. */
static const struct generation *
issuer_of(const struct ca *ca, const struct cert_view *v)
{
	for (size_t i = ca->ngen; i > 0; i--)
		if (dn_eq(ca->gen[i - 1].subject, v->issuer) &&
		    cert_signed_by(v->der, ca->gen[i - 1].spki))
			return &ca->gen[i - 1];
	return NULL;
}

static enum err
fill_cert(const struct cert_view *v, const struct queued *q,
    const struct queue_result *r, struct outcome *o)
{
	struct buf subject = BUF_INIT;
	enum err e = OK;

	o->not_before = v->not_before;
	o->not_after = v->not_after;
	if (!cert_serial(v->serial, o->serial))
		return ERR_INPUT;
	if (q->held != NULL && (o->held = str_dup(q->held)) == NULL)
		return ERR_SYSTEM;
	if ((e = dn_text(v->subject, &subject)) == ERR_INPUT)
		e = OK;
	o->subject = str_dup(buf_cstr(&subject));
	o->entity = str_dup(r->entity ? r->entity : "");
	o->profile = str_dup(r->profile ? r->profile : "");
	o->remote = str_dup(q->remote ? q->remote : "");
	o->code = str_dup(q->code);
	memcpy(o->csr, q->csr, sizeof(o->csr));
	memcpy(o->spki, q->spki, sizeof(o->spki));
	buf_release(&subject);
	return e == OK && o->subject && o->entity && o->profile && o->remote &&
		       (o->code || !q->code) &&
		       buf_add(&o->cert, v->der.p, v->der.len) ?
		   OK :
		   ERR_SYSTEM;
}

static enum err
start(const struct queued *q, const struct queue_result *r, struct outcome *o)
{
	memcpy(o->transaction, q->transaction, sizeof(o->transaction));
	o->attempt = q->attempt;
	o->issued = r->time;
	return OK;
}

static enum err
take_cert(const struct queue_side *s, const struct ca *ca,
    const struct queued *q, const struct letter_opened *l,
    const struct queue_result *r, const char **why)
{
	struct outcome o = { .kind = OUTCOME_CERTIFICATE };
	const struct generation *gen;
	char spki[SHA256_HEX];
	struct cert_view v;
	enum err e;

	*why = "its certificate is unreadable";
	if ((e = cert_view(l->part[0], &v)) != OK ||
	    (e = sha256_hex(v.spki, spki)) != OK)
		return e;
	*why = "its certificate is for another key";
	if (strcmp(spki, q->spki) != 0)
		return ERR_INPUT;
	*why = "its certificate was not issued by this CA";
	if ((gen = issuer_of(ca, &v)) == NULL)
		return ERR_INPUT;
	o.generation = gen->n;
	o.alias = str_dup(q->alias);
	o.ca = str_dup(ca->name);
	if (o.alias == NULL || o.ca == NULL ||
	    !buf_add(&o.id, q->txid.data, q->txid.len))
		e = ERR_SYSTEM;
	else if ((e = start(q, r, &o)) == OK &&
		 (e = fill_cert(&v, q, r, &o)) == OK)
		e = outcome_link(s->store, &o);
	outcome_release(&o);
	return e;
}

static enum err
take_refusal(const struct queue_side *s, const struct queued *q,
    const struct queue_result *r)
{
	struct outcome o = { .kind = OUTCOME_REFUSED, .fail = r->fail };
	enum err e = start(q, r, &o);

	if (q->held != NULL) /* names what its judge is told of */
		memcpy(o.csr, q->csr, sizeof(o.csr));
	o.by = str_dup(q->ca);
	o.why = str_dup(r->why);
	o.code = str_dup(q->code); /* spent: it was put before the CA */
	if (o.by == NULL || (o.why == NULL && r->why != NULL) ||
	    (o.code == NULL && q->code != NULL))
		e = ERR_SYSTEM;
	if (e == OK)
		e = outcome_decide(s->store, &o);
	outcome_release(&o);
	return e;
}

static enum err
take(const struct queue_side *s, const struct queued *q, const char *name,
    struct span der, const char **why)
{
	const struct ca *ca = ca_named(s, q->ca);
	struct letter_opened l = { .plain = BUF_SECRET };
	struct queue_result r = { .issued = false };
	enum err e;

	*why = "its CA is none of this alias";
	if (ca == NULL)
		return ERR_INPUT;
	e = queue_verify(ca, name, LETTER_RESULT, der, &l, why);
	if (e == OK && !answers(&l, q)) {
		*why = "it answers another letter than the one that waits";
		e = ERR_INPUT;
	}
	if (e == OK) {
		*why = "its text is unreadable";
		e = queue_result_read(l.text, &r);
	}
	if (e == OK)
		e = r.issued ? take_cert(s, ca, q, &l, &r, why) :
			       take_refusal(s, q, &r);
	if (e == OK && !r.issued)
		log_info("alias %s: the CA has refused %.16s: %s",
		    s->alias->name, name,
		    r.why ? r.why : "it does not say why");
	queue_result_release(&r);
	letter_release(&l);
	return e;
}

/* What a crash has left of one that has its outcome. */
static enum err
clear(const struct queue_side *s, const char transaction[SHA256_HEX],
    unsigned attempt)
{
	enum err e = outcome_finish(s->store, transaction, attempt);

	if (e == OK)
		queue_drop(s->store, s->alias->name, transaction, attempt);
	return e;
}

/* Of an attempt that waits, whose answer is `der`. */
static enum err
take_for(const struct queue_side *s, const char *name, struct span der,
    const char **why)
{
	char transaction[SHA256_HEX];
	struct queued q = { .attempt = 0 };
	unsigned attempt = 0;
	enum err e;

	*why = "it has a name that no request has";
	if (!queue_name_read(name, transaction, &attempt))
		return ERR_INPUT;
	/* a crash between outcome and clearing up */
	if ((e = clear(s, transaction, attempt)) != ERR_NOTFOUND)
		return e == OK ? ERR_NOTFOUND : e;
	*why = "no request of this name waits";
	e = queue_find(s->store, s->alias->name, transaction, attempt, &q);
	if (e != OK)
		return e == ERR_NOTFOUND ? ERR_INPUT : e;
	e = take(s, &q, name, der, why);
	if (e == OK || e == ERR_EXISTS) { /* somebody was faster */
		queue_drop(s->store, s->alias->name, transaction, attempt);
		e = OK;
	}
	queued_release(&q);
	return e;
}

enum err
queue_take(const struct queue_side *s, const char *name, const char **why)
{
	struct buf path = BUF_INIT, der = BUF_INIT;
	enum err e;

	*why = "it is not whole: cut short on its way, or changed";
	if ((e = queue_in_path(s->alias->name, name, &path)) == OK)
		e = queue_letter(s->store, buf_cstr(&path), &der);
	if (e == OK)
		e = take_for(s, name, buf_span(&der), why);
	if (e == ERR_INPUT)
		queue_drop_in(s->store, s->alias->name, name);
	buf_release(&path);
	buf_release(&der);
	return e;
}
