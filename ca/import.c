#include "base/time.h"
#include "ca/bring.h"
#include "ca/ca.h"
#include "ca/cert.h"
#include "ca/folder.h"

/* Without one: on another host, whose external RA this is. */
static enum err
read_key(const struct ca_import *in, struct bring *b)
{
	struct cert_view v;
	enum err e;

	if (!in->elsewhere)
		return key_read("key", in->key, in->passphrase, &b->key);
	if ((e = cert_view(buf_span(&b->cert), &v)) != OK)
		return e;
	return key_public("certificate", v.spki, &b->key);
}

static enum err
read_parts(const struct ca_import *in, struct bring *b)
{
	struct buf cert = BUF_INIT, chain = BUF_INIT;
	enum err e;

	if (in->pkcs12.len > 0)
		e = key_pkcs12(
		    in->pkcs12, in->passphrase, &b->key, &cert, &chain);
	else if (!buf_add(&cert, in->cert.p, in->cert.len) ||
		 !buf_add(&chain, in->chain.p, in->chain.len))
		e = ERR_SYSTEM;
	else
		e = OK;
	if (e == OK)
		e = cert_read("certificate", buf_span(&cert), &b->cert);
	if (e == OK && b->key == NULL)
		e = read_key(in, b);
	if (e == OK)
		e = certs_read(
		    "chain", buf_span(&chain), &b->chain, &b->nchain);
	buf_release(&cert);
	buf_release(&chain);
	return e;
}

enum err
ca_import(int home, const struct ca_import *in)
{
	struct bring b = { .name = in->name, .encrypt = in->encrypt };
	enum err e;

	if ((e = ca_vacant(home, in->name)) == OK &&
	    (e = read_parts(in, &b)) == OK)
		e = bring_store(home, &b, time_now());
	bring_release(&b);
	return e;
}

enum err
ca_export(const struct generation *gen, const char *name,
    struct span passphrase, struct buf *p12)
{
	struct pkcs12 in = { .name = name,
		.cert = buf_span(&gen->cert),
		.chain = gen->chain,
		.nchain = gen->nchain,
		.passphrase = passphrase };

	return key_export(gen->key, &in, p12);
}
