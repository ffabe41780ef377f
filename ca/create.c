#include "base/limits.h"
#include "base/log.h"
#include "ca/ca.h"
#include "ca/dn.h"
#include "ca/make.h"

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

/* Borrows the parent's generation, and its present name, from cas. */
static enum err
find_parent(int home, const struct ca_order *order, int64_t now,
    struct cas **cas, const struct generation **out, const char **called)
{
	const char *name = order->parent;
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
	*called = ca->called;
	*out = ca_current(ca, now);
	return ca_parent_check(*out, ca->called, now);
}

/* The certificate and its chain, which borrows from the parent. */
static enum err
make(int home, const struct ca_wish *wish, struct ca_new in)
{
	struct buf chain[MAX_CERTS], der = BUF_INIT;
	enum err e;

	in.chain = chain;
	in.nchain = ca_chain_below(wish->parent, chain);
	e = ca_certify(wish, &der);
	in.cert = buf_span(&der);
	if (e == OK)
		e = ca_make(home, &in);
	buf_release(&der);
	return e;
}

enum err
ca_create(int home, const struct ca_order *order, int64_t now)
{
	struct ca_new in = { .name = order->name,
		.encrypt = order->encrypt,
		.now = now,
		.baseurl = order->baseurl };
	struct ca_wish wish = { .not_before = now - BACKDATE,
		.not_after = now + order->days * DAY,
		.pathlen = -1,
		.baseurl = order->baseurl };
	struct buf subject = BUF_INIT, pem = BUF_SECRET;
	struct cas *cas = NULL;
	enum err e;

	/* what can be refused is, before a key is made */
	if ((e = ca_vacant(home, order->name)) != OK ||
	    (e = dn_parse(order->subject, &subject)) != OK ||
	    (e = order_check(order, buf_span(&subject))) != OK)
		goto out;
	if (order->parent != NULL &&
	    (e = find_parent(home, order, now, &cas, &wish.parent,
		 &wish.parent_name)) != OK)
		goto out;
	if ((e = key_generate(order->key, &pem)) != OK ||
	    (e = key_read(
		 "new key", buf_span(&pem), span_of("", 0), &in.key)) != OK)
		goto out;
	wish.key = in.key;
	wish.subject = buf_span(&subject);
	e = make(home, &wish, in);
out:
	key_close(in.key);
	cas_free(cas);
	buf_release(&subject);
	buf_release(&pem);
	return e;
}
