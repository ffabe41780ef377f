#include "ca/bring.h"

#include <openssl/x509v3.h>

#include "base/log.h"
#include "ca/ca.h"
#include "ca/cert.h"
#include "ca/chain.h"
#include "ca/dn.h"
#include "ca/make.h"

static enum err
refuse(const char *why)
{
	log_error("this cannot be a CA here: %s", why);
	return ERR_REFUSED;
}

static void
warn(const char *sentence, void *arg)
{
	(void)arg;
	log_warn("%s", sentence);
}

/* C-35: such a CA works here, but not for every client. */
static void
warn_usage(const struct bring *b, const struct cert_view *v)
{
	if (v->usage != UINT32_MAX && key_type(b->key) == KEY_RSA &&
	    !key_elsewhere(b->key))
		(void)usage_lacks("the CA certificate", v->usage,
		    KU_KEY_ENCIPHERMENT | KU_DIGITAL_SIGNATURE, warn, NULL);
}

static enum err
check(const struct bring *b, const struct cert_view *v, int64_t now)
{
	if (!v->ca)
		return refuse("it is no CA certificate: basicConstraints "
			      "must say CA:TRUE");
	if ((v->usage & KU_KEY_CERT_SIGN) == 0)
		return refuse("its key usage does not allow to sign "
			      "certificates (keyCertSign)");
	if (dn_empty(v->subject))
		return refuse("its subject is empty");
	if (b->ca != NULL &&
	    !dn_eq(v->subject, b->ca->gen[b->ca->ngen - 1].subject))
		return refuse("its subject is not the CA's");
	if (!key_fits(b->key, v->spki))
		return refuse("the key is not the certificate's");
	if (v->not_after <= now)
		return refuse("the certificate has expired");
	if (key_type(b->key) == KEY_RSA && key_bits(b->key) < 2048)
		log_warn("the CA's key has only %u bits", key_bits(b->key));
	if (v->not_before > now && b->ca == NULL)
		log_warn("the CA certificate is not valid yet; nothing is "
			 "issued before it is");
	warn_usage(b, v);
	return OK;
}

/* ---- issuers ---- */

/* What was brought, then the certificates of the CAs that are here. */
struct pool {
	struct buf *cert; /* borrowed contents */
	size_t n;
};

static enum err
pool_add(struct pool *p, const struct buf *certs, size_t n)
{
	struct buf *more;

	if (n == 0)
		return OK;
	if ((more = realloc(p->cert, (p->n + n) * sizeof(*more))) == NULL) {
		log_error("out of memory");
		return ERR_SYSTEM;
	}
	p->cert = more;
	memcpy(more + p->n, certs, n * sizeof(*certs));
	p->n += n;
	return OK;
}

/* One that cannot be loaded was logged, and issues nothing. */
static enum err
pool_ca(struct pool *p, struct cas *cas, const char *name)
{
	const struct ca *ca = NULL;
	enum err e = OK;

	if (cas_find(cas, name, &ca) != OK)
		return OK;
	for (size_t i = 0; e == OK && i < ca->ngen; i++) {
		e = pool_add(p, &ca->gen[i].cert, 1);
		if (e == OK)
			e = pool_add(p, ca->gen[i].chain, ca->gen[i].nchain);
	}
	return e;
}

static enum err
pool_local(int home, struct cas *cas, struct pool *p)
{
	char **names = NULL;
	size_t n = 0;
	enum err e;

	if ((e = ca_names(home, &names, &n)) != OK)
		return e;
	for (size_t i = 0; i < n; i++) {
		if (e == OK)
			e = pool_ca(p, cas, names[i]);
		free(names[i]);
	}
	free(names);
	return e;
}

static bool
used(const struct chain *chain, const struct buf *cert)
{
	for (size_t i = 0; i < chain->n; i++)
		if (span_eq(buf_span(&chain->issuer[i]), buf_span(cert)))
			return true;
	return false;
}

static void
tell(const struct bring *b, const struct chain *chain)
{
	size_t extra = 0;

	for (size_t i = 0; i < b->nchain; i++)
		if (!used(chain, &b->chain[i]) &&
		    !span_eq(buf_span(&b->chain[i]), buf_span(&b->cert)))
			extra++;
	if (extra > 0)
		log_warn("%zu certificates of the chain are not issuers of "
			 "this CA and were left out",
		    extra);
	if (!chain->whole)
		log_warn("the chain does not reach a self-signed root; bring "
			 "the issuers with it if clients must build it");
}

/* The issuers are borrowed from b and cas. */
static enum err
find_chain(
    int home, const struct bring *b, struct cas *cas, struct chain *chain)
{
	struct pool pool = { NULL, 0 };
	enum err e;

	if ((e = pool_add(&pool, b->chain, b->nchain)) != OK)
		goto out;
	chain_build(buf_span(&b->cert), pool.cert, pool.n, chain);
	if (!chain->whole) {
		if ((e = pool_local(home, cas, &pool)) != OK)
			goto out;
		chain_build(buf_span(&b->cert), pool.cert, pool.n, chain);
	}
	tell(b, chain);
out:
	free(pool.cert);
	return e;
}

enum err
bring_store(int home, const struct bring *b, int64_t now)
{
	struct ca_new in = { .name = b->name,
		.key = b->key,
		.cert = buf_span(&b->cert),
		.encrypt = b->encrypt,
		.now = now };
	struct cas *cas = NULL;
	struct chain chain;
	struct cert_view v;
	enum err e;

	if ((e = cert_view(in.cert, &v)) != OK ||
	    (e = check(b, &v, now)) != OK || (e = cas_new(home, &cas)) != OK ||
	    (e = find_chain(home, b, cas, &chain)) != OK)
		goto out;
	in.chain = chain.issuer;
	in.nchain = chain.n;
	e = b->ca != NULL ? ca_make_next(home, b->ca, &in) : ca_make(home, &in);
out:
	cas_free(cas);
	return e;
}

void
bring_release(struct bring *b)
{
	key_close(b->key);
	certs_free(b->chain, b->nchain);
	buf_release(&b->cert);
}
