#include "ca/make.h"

#include <openssl/x509v3.h>

#include "base/file.h"
#include "base/log.h"
#include "ca/ra_make.h"

/* To an EC key nobody encrypts: that is its RA's. */
unsigned
ca_usage(enum key_type type)
{
	unsigned usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN | KU_DIGITAL_SIGNATURE;

	return type == KEY_RSA ? usage | KU_KEY_ENCIPHERMENT : usage;
}

static enum err
put_generation(struct draft *d, const struct ca_new *in, struct span pass)
{
	struct buf cert = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (!buf_add(&cert, in->cert.p, in->cert.len))
		goto out;
	if ((e = draft_folder(d, "1/")) == OK &&
	    (e = draft_key(d, "1/", parts_ca.key, in->key, pass)) == OK &&
	    (e = draft_certs(d, "1/", parts_ca.cert, &cert, 1)) == OK)
		e = draft_certs(d, "1/", parts_ca.chain, in->chain, in->nchain);
out:
	buf_release(&cert);
	return e;
}

static enum err
put_ra(struct draft *d, const struct ca_new *in, struct span pass)
{
	struct ra_order order = { .key = RA_KEY, .days = RA_DAYS };
	struct generation gen;
	struct ra_make m = { &gen, &order, in->now, pass };
	enum err e;

	if ((e = generation_of(in->cert, in->key, &gen)) != OK)
		return e;
	if ((e = draft_folder(d, "ra/")) == OK &&
	    (e = draft_folder(d, "ra/1/")) == OK)
		e = ra_make(d, "ra/1/", &m);
	gen.key = NULL; /* stays our caller's */
	generation_release(&gen);
	return e;
}

enum err
ca_make(int home, const struct ca_new *in)
{
	struct buf path = BUF_INIT, pass = BUF_SECRET;
	struct draft d;
	enum err e;

	if ((e = ca_path(in->name, &path)) != OK ||
	    (e = seal_passphrase(home, in->name, in->encrypt, &pass)) != OK)
		goto out;
	e = draft_begin(home, "ca", &d);
	if (e == OK)
		e = put_generation(&d, in, buf_span(&pass));
	if (e == OK && key_type(in->key) != KEY_RSA)
		e = put_ra(&d, in, buf_span(&pass));
	/* a folder of that name may have appeared meanwhile */
	e = draft_end(&d, buf_cstr(&path), e);
out:
	buf_release(&path);
	buf_release(&pass);
	return e;
}
