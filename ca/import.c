#include "ca/ca.h"

#include <openssl/x509v3.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/time.h"
#include "ca/cert.h"
#include "ca/dn.h"
#include "ca/folder.h"

/* What was brought, read. */
struct parts {
	struct key *key;
	struct buf cert;
	struct buf *chain; /* as it came */
	size_t nchain;
	struct buf issuer[MAX_CERTS]; /* nearest first; borrowed from chain */
	size_t nissuer;
};

static enum err
refuse(const char *why)
{
	log_error("not imported: %s", why);
	return ERR_REFUSED;
}

static enum err
read_parts(const struct ca_import *in, struct parts *p)
{
	struct buf cert = BUF_INIT, chain = BUF_INIT;
	enum err e;

	if (in->pkcs12.len > 0)
		e = key_pkcs12(
		    in->pkcs12, in->passphrase, &p->key, &cert, &chain);
	else if (!buf_add(&cert, in->cert.p, in->cert.len) ||
		 !buf_add(&chain, in->chain.p, in->chain.len))
		e = ERR_SYSTEM;
	else
		e = key_read("key", in->key, in->passphrase, &p->key);
	if (e == OK)
		e = cert_read("certificate", buf_span(&cert), &p->cert);
	if (e == OK)
		e = certs_read(
		    "chain", buf_span(&chain), &p->chain, &p->nchain);
	buf_release(&cert);
	buf_release(&chain);
	return e;
}

/* C-35: such a CA works here, but not for every client. */
static void
warn_usage(const struct cert_view *v)
{
	if (v->usage == UINT32_MAX)
		return;
	if ((v->usage & KU_KEY_ENCIPHERMENT) == 0)
		log_warn("the CA certificate's key usage lacks "
			 "keyEncipherment: jscep, cryptlib and other clients "
			 "that look at it will not encrypt requests to it");
	if ((v->usage & KU_DIGITAL_SIGNATURE) == 0)
		log_warn("the CA certificate's key usage lacks "
			 "digitalSignature: clients that look at it, such as "
			 "the Cisco VPN client, will not accept replies");
}

static enum err
check(const struct parts *p, const struct cert_view *v, int64_t now)
{
	if (!v->ca)
		return refuse("it is no CA certificate: basicConstraints "
			      "must say CA:TRUE");
	if ((v->usage & KU_KEY_CERT_SIGN) == 0)
		return refuse("its key usage does not allow to sign "
			      "certificates (keyCertSign)");
	if (dn_empty(v->subject))
		return refuse("its subject is empty");
	if (!key_fits(p->key, v->spki))
		return refuse("the key is not the certificate's");
	if (key_type(p->key) != KEY_RSA)
		return refuse("a CA needs an RSA key to receive requests: "
			      "clients encrypt to it, which EC keys cannot");
	if (v->not_after <= now)
		return refuse("the certificate has expired");
	if (key_bits(p->key) < 2048)
		log_warn("the CA's key has only %u bits", key_bits(p->key));
	if (v->not_before > now)
		log_warn("the CA certificate is not valid yet; nothing is "
			 "issued before it is");
	warn_usage(v);
	return OK;
}

/* The issuer of v among the chain; NULL if it is not there. */
static const struct buf *
find_issuer(
    const struct parts *p, const struct cert_view *v, struct cert_view *issuer)
{
	for (size_t i = 0; i < p->nchain; i++)
		if (cert_view(buf_span(&p->chain[i]), issuer) == OK &&
		    issuer->ca && dn_eq(issuer->subject, v->issuer) &&
		    cert_signed(v->der, issuer->spki))
			return &p->chain[i];
	return NULL;
}

/*
 * Picks the issuers, nearest first, up to a self-signed one or as far as the
 * chain goes.
 */
static void
sort_chain(struct parts *p, struct cert_view v)
{
	const struct buf *found;
	struct cert_view issuer;
	size_t extra = 0;

	while (!v.self_signed && p->nissuer < p->nchain &&
	       (found = find_issuer(p, &v, &issuer)) != NULL) {
		p->issuer[p->nissuer++] = *found;
		v = issuer;
	}
	for (size_t i = 0; i < p->nchain; i++)
		if (!span_eq(buf_span(&p->chain[i]), buf_span(&p->cert)))
			extra++;
	if (extra > p->nissuer)
		log_warn("%zu certificates of the chain are not issuers of "
			 "this CA and were left out",
		    extra - p->nissuer);
	if (!v.self_signed)
		log_warn("the chain does not reach a self-signed root; import "
			 "it with --chain if clients must build it");
}

enum err
ca_import(int home, const struct ca_import *in)
{
	struct parts p = { .cert = BUF_INIT };
	struct cert_view v;
	enum err e;

	if ((e = ca_vacant(home, in->name)) != OK ||
	    (e = read_parts(in, &p)) != OK ||
	    (e = cert_view(buf_span(&p.cert), &v)) != OK ||
	    (e = check(&p, &v, time_now())) != OK)
		goto out;
	sort_chain(&p, v);
	e = ca_store(
	    home, in->name, p.key, buf_span(&p.cert), p.issuer, p.nissuer);
out:
	key_close(p.key);
	buf_release(&p.cert);
	certs_free(p.chain, p.nchain);
	return e;
}
