#include "enrol_wait.h"
#include "enrol_own.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ca/der.h"
#include "ca/dn.h"
#include "ca/san.h"
#include "enrol_own.h"
#include "store/approval.h"

/*
 * How a transaction stands with the people who have to say yes:
 *
 *	enrol_wait() -> OPEN -> APPROVED -> certificate, or `passed`
 *	                  |-> DENIED, remembered for a while -> NONE
 *	                  `-> `expired` -> NONE
 */

/* What became of the attempt before the next: a person's no? */
static enum err
find_denial(const struct store *st, const struct alias *a, int64_t now,
    struct decision *d, enum waiting_state *out)
{
	struct outcome last = OUTCOME_INIT;
	enum err e;

	if (d->attempt == 1)
		return OK;
	e = outcome_find(st, &d->transaction, d->attempt - 1, &last);
	if (e == OK && last.kind == OUTCOME_DENIED &&
	    now < last.issued + a->approval.denied)
		*out = WAITING_DENIED;
	outcome_release(&last);
	return e;
}

enum err
enrol_waiting(const struct store *st, const struct alias *a, int64_t now,
    struct decision *d, enum waiting_state *out)
{
	unsigned yeses = 0;
	bool over = true;
	enum err e;

	*out = WAITING_NONE;
	while (over) {
		waiting_release(&d->waiting);
		e = waiting_latest(
		    st, d->transaction.name, &d->waiting, &d->attempt);
		if (e == ERR_NOTFOUND)
			return find_denial(st, a, now, d, out);
		if (e == OK)
			e = waiting_over(st, &d->waiting, now, &over);
		if (e == OK && over)
			e = waiting_expire(st, &d->waiting);
		if (e != OK)
			return e;
	}
	e = approval_count(st, d->waiting.id, &yeses, NULL);
	*out = yeses >= d->waiting.required ? WAITING_APPROVED : WAITING_OPEN;
	return e;
}

/* One of the three who may ask for yeses. */
static unsigned
most(unsigned so_far, unsigned required, bool counts)
{
	return counts && required > so_far ? required : so_far;
}

unsigned
enrol_yeses(
    const struct alias *a, const struct pkimsg *msg, const struct decision *d)
{
	bool new = !msg->renews;
	unsigned n = 0;

	n = most(n, a->approval.required, new || a->approval.renewals);
	n = most(n, d->profile->approval, new || d->profile->approval_renewals);
	return most(n, msg->ca->approval, new || msg->ca->approval_renewals);
}

/* subjectKeyIdentifier says which key it is, and is never copied. */
static bool
is_key_id(struct span oid)
{
	return span_eq(oid, DER_BYTES("\x55\x1d\x0e"));
}

/* The next extension from *i on that people may care for, or NULL. */
static const struct extension *
next_asked(const struct csr *csr, size_t *i)
{
	while (*i < csr->nasked && is_key_id(csr->asked[*i].oid))
		++*i;
	return *i < csr->nasked ? &csr->asked[(*i)++] : NULL;
}

static bool
same_asked(const struct csr *a, const struct csr *b)
{
	const struct extension *x, *y;
	size_t i = 0, k = 0;

	do {
		x = next_asked(a, &i);
		y = next_asked(b, &k);
		if (x != NULL && y != NULL &&
		    (!span_eq(x->oid, y->oid) || !span_eq(x->value, y->value)))
			return false;
	} while (x != NULL && y != NULL);
	return x == y;
}

bool
enrol_covers(
    const struct waiting *w, const struct pkimsg *msg, const struct decision *d)
{
	struct csr then = { .nasked = 0 };
	const char *own = d->entity.username;

	return asked_decode(buf_span(&w->asked_der), &then) == OK &&
	       same_asked(&then, &msg->csr) && own != NULL &&
	       strcmp(w->username, own) == 0 &&
	       strcmp(w->alias, d->transaction.alias) == 0 &&
	       strcmp(w->ca, msg->ca->name) == 0 &&
	       strcmp(w->profile, d->profile->name) == 0 &&
	       (w->renews != NULL) == msg->renews &&
	       dn_eq(buf_span(&w->subject_der), buf_span(&d->subject)) &&
	       span_eq(buf_span(&w->san_der), buf_span(&d->san));
}

struct search {
	const struct store *st;
	const struct pkimsg *msg;
	int64_t now;
	struct decision *d;
};

/* Is this one open, people's yes there, its time not over? */
static enum err
is_free(const struct store *st, const struct waiting *w, int64_t now)
{
	struct waiting latest = WAITING_INIT;
	unsigned next = 0, yeses = 0;
	bool over = false;
	enum err e;

	e = waiting_latest(st, w->transaction, &latest, &next);
	if (e == OK && latest.attempt != w->attempt)
		e = ERR_NOTFOUND;
	if (e == OK)
		e = approval_count(st, w->id, &yeses, NULL);
	if (e == OK)
		e = waiting_over(st, w, now, &over);
	waiting_release(&latest);
	return e == OK && (yeses < w->required || over) ? ERR_NOTFOUND : e;
}

/* ERR_EXISTS ends the search: this one it is. */
static enum err
try_approved(const struct waiting *w, void *arg)
{
	const struct search *s = arg;
	struct decision *d = s->d;
	enum err e;

	if (strcmp(w->transaction, d->transaction.name) == 0 ||
	    !enrol_covers(w, s->msg, d))
		return OK;
	/* a retry of the one that had it goes on with it */
	e = waiting_passed(s->st, w, d->transaction.name, d->attempt);
	if (e == ERR_NOTFOUND)
		e = is_free(s->st, w, s->now);
	else if (e == ERR_EXISTS)
		e = ERR_NOTFOUND;
	if (e == OK)
		e = waiting_find(
		    s->st, w->transaction, w->attempt, &d->waiting);
	if (e == OK)
		return ERR_EXISTS;
	return e == ERR_NOTFOUND ? OK : e;
}

enum err
enrol_approved(const struct store *st, const struct pkimsg *msg, int64_t now,
    struct decision *d)
{
	struct search s = { st, msg, now, d };
	enum err e;

	e = approved_each(st, d->entity.username, try_approved, &s);
	if (e == ERR_EXISTS) {
		d->pay = PAY_APPROVAL;
		return OK;
	}
	return e == OK ? ERR_NOTFOUND : e;
}

enum err
enrol_pass(const struct store *st, const struct decision *d)
{
	const struct waiting *w = &d->waiting;
	enum err e;

	if (w->transaction[0] == '\0' ||
	    strcmp(w->transaction, d->transaction.name) == 0)
		return OK;
	e = waiting_pass(st, w, d->transaction.name, d->attempt);
	return e == ERR_EXISTS ? ERR_REFUSED : e;
}

/* --- into the queue ---------------------------------------------------- */

/* In hex; NULL where this OpenSSL has no such digest (MD5 under FIPS). */
static char *
digest_hex(const char *name, struct span bytes)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	char text[2 * EVP_MAX_MD_SIZE + 1];
	size_t len = 0;

	if (EVP_Q_digest(NULL, name, NULL, bytes.p, bytes.len, digest, &len) !=
	    1)
		return NULL;
	hex_text(digest, len, text);
	return str_dup(text);
}

/* The exact bytes, as people have them from the device (C-114). */
static enum err
put_digests(const struct pkimsg *msg, struct waiting *w)
{
	struct span der = buf_span(&msg->csr.der);

	memcpy(w->csr, msg->csr.digest, sizeof(w->csr));
	w->sha1 = digest_hex("SHA1", der);
	w->sha512 = digest_hex("SHA512", der);
	w->md5 = digest_hex("MD5", der);
	return sha256_hex(msg->csr.spki, w->spki);
}

static enum err
put_names(const struct decision *d, struct waiting *w)
{
	struct buf san = BUF_INIT;
	enum err e = OK;

	if (d->san.len > 0)
		e = san_text(buf_span(&d->san), &san);
	if (e == OK && san.len > 0 &&
	    (w->san = str_dup(buf_cstr(&san))) == NULL)
		e = ERR_SYSTEM;
	buf_release(&san);
	if (e != OK)
		return e;
	w->username = str_dup(d->entity.username);
	w->subject = str_dup(buf_cstr(&d->subject_text));
	return w->username != NULL && w->subject != NULL &&
		       buf_add(
			   &w->subject_der, d->subject.data, d->subject.len) &&
		       buf_add(&w->san_der, d->san.data, d->san.len) ?
		   OK :
		   ERR_SYSTEM;
}

/* The rules of this moment, which stay whatever becomes of them. */
static bool
put_rules(const struct alias *a, const struct pkimsg *msg, int64_t now,
    const struct decision *d, struct waiting *w)
{
	w->generation = msg->gen->n;
	w->required = enrol_yeses(a, msg, d);
	w->validity = enrol_validity(d);
	w->created = now;
	w->expires = now + a->approval.expiry;
	w->profile = str_dup(d->profile->name);
	w->entityprofile = str_dup(a->ra.entityprofile);
	w->renews = str_dup(d->renews);
	if (*d->code.id != '\0' && (w->code = str_dup(d->code.id)) == NULL)
		return false;
	return w->profile != NULL &&
	       (w->entityprofile != NULL || a->ra.entityprofile == NULL) &&
	       (w->renews != NULL || d->renews == NULL);
}

static enum err
fill(const struct pkimsg *msg, const char *remote, int64_t now,
    const struct decision *d, struct waiting *w)
{
	const struct alias *a = d->alias;
	enum err e;

	memcpy(w->transaction, d->transaction.name, sizeof(w->transaction));
	w->attempt = d->attempt;
	hex_text(msg->signer_key, SHA256_LEN, w->signer);
	w->alias = str_dup(d->transaction.alias);
	w->ca = str_dup(msg->ca->name);
	if (remote != NULL && *remote != '\0')
		w->remote = str_dup(remote);
	if (w->alias == NULL || w->ca == NULL ||
	    !buf_add(&w->txid, msg->txid.data, msg->txid.len) ||
	    !buf_add(&w->spki_der, msg->csr.spki.p, msg->csr.spki.len) ||
	    !put_rules(a, msg, now, d, w))
		return ERR_SYSTEM;
	if ((e = put_names(d, w)) != OK || (e = put_digests(msg, w)) != OK)
		return e;
	return asked_encode(&msg->csr, &w->asked_der);
}

static enum err
check_room(const struct store *st, const struct alias *a, const char *remote,
    int64_t now)
{
	struct waiting_limit limit = { .alias = a->name,
		.remote = remote,
		.limit = a->approval.limit,
		.persource = a->approval.persource,
		.now = now };
	bool by_source = false;
	enum err e = waiting_room(st, &limit, &by_source);

	if (e != ERR_REFUSED)
		return e;
	if (by_source)
		log_warn("alias %s: %u requests of %s wait already "
			 "([approval] persource)",
		    a->name, limit.persource, remote);
	else
		log_warn("alias %s: %u requests wait already ([approval] "
			 "limit)",
		    a->name, limit.limit);
	return ERR_BUSY;
}

/* The same client was faster than itself: its first request is the one. */
static enum err
take_first(const struct store *st, struct decision *d)
{
	unsigned attempt = d->attempt;
	enum err e;

	waiting_release(&d->waiting);
	e = waiting_latest(st, d->transaction.name, &d->waiting, &d->attempt);
	if (e == ERR_NOTFOUND || (e == OK && d->attempt != attempt)) {
		log_info("another request of this transaction was decided "
			 "meanwhile; the client has to try again");
		e = ERR_BUSY;
	}
	return e;
}

enum err
enrol_wait(const struct enrol *in, const struct pkimsg *msg, const char *remote,
    int64_t now, struct decision *d)
{
	const struct store *st = in->store;
	struct waiting w = WAITING_INIT;
	enum err e;

	waiting_release(&d->waiting);
	if ((e = check_room(st, d->alias, remote, now)) != OK ||
	    (e = fill(msg, remote, now, d, &w)) != OK)
		goto out;
	/* before the code pays: it would be spent on a refusal */
	if ((e = waiting_fits(&w)) == ERR_TOOBIG) {
		e = decision_refuse(d, FAIL_BADREQUEST,
		    "the request is too large for a record");
		goto out;
	}
	if (e != OK || (e = enrol_code_pay(in, now, d)) != OK ||
	    d->verdict == VERDICT_REFUSE)
		goto out;
	d->waiting = w;
	w = (struct waiting)WAITING_INIT;
	e = waiting_link(st, &d->waiting);
	if (e == ERR_EXISTS)
		e = take_first(st, d);
	else if (e == OK && (e = enrol_code_paid(in, d)) == ERR_BUSY)
		waiting_drop(st, &d->waiting);
	if (e == OK)
		d->verdict = VERDICT_WAIT;
out:
	waiting_release(&w);
	return e;
}
