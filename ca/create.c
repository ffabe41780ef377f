#include "base/limits.h"
#include "base/log.h"
#include "ca/ca.h"
#include "ca/dn.h"
#include "ca/make.h"

#define BACKDATE 600 /* seconds: clocks of clients are slow */

static enum err
order_check(const struct ca_order *order, struct span subject)
{
	if (dn_empty(subject)) {
		log_error("a CA needs a subject, such as CN=%s", order->name);
		return ERR_INPUT;
	}
	if (order->days < 1 || order->days > MAX_DAYS) {
		log_error("a CA lives for 1 to %d days", MAX_DAYS);
		return ERR_INPUT;
	}
	return OK;
}

static enum err
self_sign(struct key *key, struct span subject, const struct ca_order *order,
    int64_t now, struct buf *der)
{
	struct root root = { .subject = subject,
		.not_before = now - BACKDATE,
		.not_after = now + order->days * DAY,
		.usage = ca_usage(key_type(key)) };

	return key_root(key, &root, der);
}

static enum err
refuse(const char *parent, const char *why)
{
	log_error("CA %s cannot issue the certificate: %s", parent, why);
	return ERR_REFUSED;
}

static enum err
parent_check(const struct generation *gen, const char *name, int64_t now)
{
	if (gen == NULL || now >= gen->not_after)
		return refuse(
		    name, gen ? "it has expired" : "it has not begun");
	if (gen->pathlen == 0)
		return refuse(name, "its path length allows no CA below it");
	return OK;
}

/* C-186, C-196: never longer than the parent, nor its path. */
static enum err
sign_below(const struct generation *parent, struct key *key,
    struct span subject, const struct ca_order *order, int64_t now,
    struct buf *der)
{
	struct subca in = { .issuer = parent->subject,
		.authority = parent->ski,
		.subject = subject,
		.not_before = now - BACKDATE,
		.not_after = now + order->days * DAY,
		.usage = ca_usage(key_type(key)),
		.pathlen = parent->pathlen < 0 ? -1 : parent->pathlen - 1 };
	struct buf spki = BUF_INIT;
	enum err e;

	if (in.not_before < parent->not_before)
		in.not_before = parent->not_before;
	if (in.not_after > parent->not_after)
		in.not_after = parent->not_after;
	if ((e = key_spki(key, &spki)) == OK) {
		in.spki = buf_span(&spki);
		e = key_subca(parent->key, &in, der);
	}
	buf_release(&spki);
	return e;
}

/* Borrows the parent's generation from cas. */
static enum err
find_parent(int home, const char *name, int64_t now, struct cas **cas,
    const struct generation **out)
{
	const struct ca *ca = NULL;
	enum err e;

	if ((e = cas_new(home, cas)) != OK)
		return e;
	if ((e = cas_find(*cas, name, &ca)) != OK) {
		if (e == ERR_NOTFOUND) {
			log_error("the parent %s is no CA; `scep ca list` "
				  "shows them",
			    name);
			e = ERR_REFUSED;
		}
		return e;
	}
	*out = ca_current(ca, now);
	return parent_check(*out, name, now);
}

/* The certificate and its chain, which borrows from the parent. */
static enum err
make(int home, const struct generation *parent, struct span subject,
    const struct ca_order *order, struct ca_new in)
{
	struct buf chain[MAX_CERTS], der = BUF_INIT;
	enum err e;

	in.chain = chain;
	if (parent == NULL) {
		e = self_sign(in.key, subject, order, in.now, &der);
	} else {
		e = sign_below(parent, in.key, subject, order, in.now, &der);
		chain[in.nchain++] = parent->cert;
		for (size_t i = 0; i < parent->nchain && in.nchain < MAX_CERTS;
		     i++)
			chain[in.nchain++] = parent->chain[i];
	}
	in.cert = buf_span(&der);
	if (e == OK)
		e = ca_make(home, &in);
	buf_release(&der);
	return e;
}

enum err
ca_create(int home, const struct ca_order *order, int64_t now)
{
	struct ca_new in = {
		.name = order->name, .encrypt = order->encrypt, .now = now
	};
	struct buf subject = BUF_INIT, pem = BUF_SECRET;
	const struct generation *parent = NULL;
	struct cas *cas = NULL;
	enum err e;

	/* what can be refused is, before a key is made */
	if ((e = ca_vacant(home, order->name)) != OK ||
	    (e = dn_parse(order->subject, &subject)) != OK ||
	    (e = order_check(order, buf_span(&subject))) != OK)
		goto out;
	if (order->parent != NULL &&
	    (e = find_parent(home, order->parent, now, &cas, &parent)) != OK)
		goto out;
	if ((e = key_generate(order->key, &pem)) != OK ||
	    (e = key_read(
		 "new key", buf_span(&pem), span_of("", 0), &in.key)) != OK)
		goto out;
	e = make(home, parent, buf_span(&subject), order, in);
out:
	key_close(in.key);
	cas_free(cas);
	buf_release(&subject);
	buf_release(&pem);
	return e;
}
