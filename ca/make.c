#include "ca/make.h"

#include <openssl/x509v3.h>

#include "base/file.h"
#include "base/log.h"
#include "ca/ra_make.h"
#include "ca/urls.h"

/* To an EC key nobody encrypts: that is its RA's. */
unsigned
ca_usage(enum key_type type)
{
	unsigned usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN | KU_DIGITAL_SIGNATURE;

	return type == KEY_RSA ? usage | KU_KEY_ENCIPHERMENT : usage;
}

enum err
ca_parent_check(const struct generation *parent, const char *name, int64_t t)
{
	const char *why = NULL;

	if (parent == NULL)
		why = "it has not begun";
	else if (t >= parent->not_after)
		why = "it will have expired, or has";
	else if (parent->pathlen == 0)
		why = "its path length allows no CA below it";
	if (why == NULL)
		return OK;
	log_error("CA %s cannot issue the certificate: %s", name, why);
	return ERR_REFUSED;
}

/* The shorter path, where either has one. */
static int
path_below(const struct generation *parent, int own)
{
	int given = parent->pathlen < 0 ? -1 : parent->pathlen - 1;

	if (given < 0)
		return own;
	return own < 0 || own > given ? given : own;
}

static enum err
certify_below(const struct ca_wish *in, struct span spki, struct buf *der)
{
	const struct generation *parent = in->parent;
	const struct url_place at = { in->baseurl, in->parent_name, parent->n };
	struct subca sub = { .issuer = parent->subject,
		.authority = parent->ski,
		.subject = in->subject,
		.spki = spki,
		.ski = in->ski,
		.not_before = in->not_before,
		.not_after = in->not_after,
		.usage = ca_usage(key_type(in->key)),
		.pathlen = path_below(parent, in->pathlen) };
	struct urls urls;
	enum err e;

	if (sub.not_before < parent->not_before)
		sub.not_before = parent->not_before;
	if (sub.not_after > parent->not_after)
		sub.not_after = parent->not_after;
	if ((e = urls_fill(&at, &urls)) == OK) {
		sub.crl = urls.crl;
		sub.issuers = urls.issuers;
		e = key_subca(parent->key, &sub, der);
	}
	urls_release(&urls);
	return e;
}

enum err
ca_certify(const struct ca_wish *in, struct buf *der)
{
	struct root root = { .subject = in->subject,
		.ski = in->ski,
		.not_before = in->not_before,
		.not_after = in->not_after,
		.usage = ca_usage(key_type(in->key)),
		.pathlen = in->pathlen };
	struct buf spki = BUF_INIT;
	enum err e;

	if (in->parent == NULL)
		return key_root(in->key, &root, der);
	if ((e = key_spki(in->key, &spki)) == OK)
		e = certify_below(in, buf_span(&spki), der);
	buf_release(&spki);
	return e;
}

size_t
ca_chain_below(const struct generation *parent, struct buf chain[MAX_CERTS])
{
	size_t n = 0;

	if (parent == NULL)
		return 0;
	chain[n++] = parent->cert;
	for (size_t i = 0; i < parent->nchain && n < MAX_CERTS; i++)
		chain[n++] = parent->chain[i];
	return n;
}

static enum err
put_key(
    struct draft *d, const char *dir, const struct key *key, struct span pass)
{
	static const char text[] = KEY_ELSEWHERE;

	if (!key_elsewhere(key))
		return draft_key(d, dir, parts_ca.key, key, pass);
	return draft_file(d, dir, parts_ca.elsewhere,
	    span_of(text, sizeof(text) - 1), FILE_RECORD);
}

/* dir: "" or "1/" */
static enum err
put_generation(
    struct draft *d, const char *dir, const struct ca_new *in, struct span pass)
{
	struct buf cert = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (!buf_add(&cert, in->cert.p, in->cert.len))
		goto out;
	if ((e = put_key(d, dir, in->key, pass)) == OK &&
	    (e = draft_certs(d, dir, parts_ca.cert, &cert, 1)) == OK)
		e = draft_certs(d, dir, parts_ca.chain, in->chain, in->nchain);
out:
	buf_release(&cert);
	return e;
}

static enum err
put_ra(struct draft *d, const struct ca_new *in, struct span pass)
{
	struct ra_order order = {
		.key = RA_KEY, .days = RA_DAYS, .baseurl = in->baseurl
	};
	struct generation gen;
	struct ra_make m = { in->name, &gen, &order, in->now, pass };
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
	if (e == OK && (e = draft_folder(&d, "1/")) == OK)
		e = put_generation(&d, "1/", in, buf_span(&pass));
	if (e == OK && key_type(in->key) != KEY_RSA && !key_elsewhere(in->key))
		e = put_ra(&d, in, buf_span(&pass));
	/* a folder of that name may have appeared meanwhile */
	e = draft_end(&d, buf_cstr(&path), e);
out:
	buf_release(&path);
	buf_release(&pass);
	return e;
}

enum err
ca_make_next(int home, const struct ca *ca, const struct ca_new *in)
{
	struct buf room = BUF_INIT, path = BUF_INIT, pass = BUF_SECRET;
	struct draft d;
	enum err e;

	if ((e = ca_path(ca->called, &room)) != OK ||
	    (e = seal_passphrase(home, ca->called, in->encrypt, &pass)) != OK)
		goto out;
	e = ERR_SYSTEM;
	if (!buf_printf(&path, "%s/%u", buf_cstr(&room), ca_top(ca) + 1))
		goto out;
	if ((e = draft_begin(home, buf_cstr(&room), &d)) == OK)
		e = put_generation(&d, "", in, buf_span(&pass));
	e = draft_end(&d, buf_cstr(&path), e);
out:
	buf_release(&room);
	buf_release(&path);
	buf_release(&pass);
	return e;
}
