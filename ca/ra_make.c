#include "ca/ra_make.h"

#include <openssl/x509v3.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "ca/der.h"
#include "ca/dn.h"
#include "ca/make.h"
#include "ca/passphrase.h"
#include "ca/pubkey.h"
#include "ca/tbs.h"
#include "ca/urls.h"

#define SERIAL_BYTES 16
#define MAX_CN	     64 /* characters: ub-common-name of RFC 5280 */

/* The certificates that an RA is made of. */
static const struct kind {
	const char *suffix; /* of the CA's CN */
	unsigned usage;
	const struct parts *parts;
} single[] = {
	{ " RA", KU_KEY_ENCIPHERMENT | KU_DIGITAL_SIGNATURE, &parts_ra },
}, split[] = {
	{ " RA encryption", KU_KEY_ENCIPHERMENT, &parts_ra },
	{ " RA signing", KU_DIGITAL_SIGNATURE, &parts_sign },
};

/* Is one of an RDN's attributes a commonName (2.5.4.3)? */
static bool
has_cn(struct span set)
{
	struct span attribute, oid;

	while (der_get(&set, DER_SEQUENCE, &attribute))
		if (der_get(&attribute, DER_OID, &oid) &&
		    span_eq(oid, DER_BYTES("\x55\x04\x03")))
			return true;
	return false;
}

/* The RDN CN=<the CA's CN><suffix>, or one that says no more than RA. */
static enum err
put_cn(struct span ca, const char *suffix, struct buf *rdns)
{
	struct buf cn = BUF_INIT, attribute = BUF_INIT, set = BUF_INIT;
	enum err e;

	e = dn_value(ca, "CN", &cn);
	if (e == ERR_SYSTEM)
		goto out;
	e = ERR_SYSTEM;
	if (cn.len == 0 || cn.len + strlen(suffix) > MAX_CN) {
		buf_clear(&cn);
		if (!buf_str(&cn, "SCEP"))
			goto out;
	}
	if (buf_str(&cn, suffix) &&
	    der_put(&attribute, DER_OID, DER_BYTES("\x55\x04\x03")) &&
	    der_put(&attribute, DER_UTF8, buf_span(&cn)) &&
	    der_put(&set, DER_SEQUENCE, buf_span(&attribute)) &&
	    der_put(rdns, DER_SET, buf_span(&set)))
		e = OK;
out:
	buf_release(&cn);
	buf_release(&attribute);
	buf_release(&set);
	return e;
}

/* CN=Lab CA,O=Lab becomes CN=Lab CA RA,O=Lab. */
static enum err
name_of(const struct generation *gen, const struct ra_order *o,
    const struct kind *kind, struct buf *name)
{
	struct buf rdns = BUF_INIT;
	struct span in = { NULL, 0 };
	struct der rdn;
	enum err e;

	if (o->subject != NULL)
		return dn_parse(o->subject, name);
	(void)der_one(gen->subject, DER_SEQUENCE, &in);
	e = put_cn(gen->subject, kind->suffix, &rdns);
	while (e == OK && der_next(&in, &rdn))
		if (!has_cn(rdn.body) &&
		    !buf_add(&rdns, rdn.whole.p, rdn.whole.len))
			e = ERR_SYSTEM;
	if (e == OK && !der_put(name, DER_SEQUENCE, buf_span(&rdns)))
		e = ERR_SYSTEM;
	buf_release(&rdns);
	return e;
}

/* Signed by the CA; never longer than it (C-186). */
static enum err
certify(const struct ra_make *m, struct issue *in, struct buf *der)
{
	const struct generation *gen = m->gen;
	const struct url_place at = { m->order->baseurl, m->ca, gen->n };
	uint8_t serial[SERIAL_BYTES] = { 0 };
	struct urls urls;
	enum err e;

	if ((e = serial_random(serial, sizeof(serial))) != OK)
		return e;
	in->issuer = gen->subject;
	in->authority = gen->ski;
	in->serial = span_of(serial, sizeof(serial));
	in->transaction = "RA certificate";
	in->not_before = m->now - BACKDATE;
	if (in->not_before < gen->not_before)
		in->not_before = gen->not_before;
	in->not_after = m->now + m->order->days * DAY;
	if (in->not_after > gen->not_after)
		in->not_after = gen->not_after;
	if ((e = urls_fill(&at, &urls)) == OK) {
		in->crl = urls.crl;
		in->issuers = urls.issuers;
		e = key_ra(gen->key, in, der);
		in->crl = in->issuers = NULL;
	}
	urls_release(&urls);
	return e;
}

static enum err
order_check(const struct ra_make *m)
{
	const struct ra_order *o = m->order;

	if (strncmp(o->key, "rsa:", 4) != 0) {
		log_error("an RA needs an RSA key, as clients encrypt to it: "
			  "rsa:2048 and the like");
		return ERR_REFUSED;
	}
	if (o->days < 1 || o->days > MAX_DAYS) {
		log_error("an RA certificate lives for 1 to %d days", MAX_DAYS);
		return ERR_INPUT;
	}
	if (m->now >= m->gen->not_after) {
		log_error("no RA certificate is made: the CA has expired");
		return ERR_REFUSED;
	}
	return OK;
}

/* As good as one that we made ourselves (order_check). */
enum err
ca_ra_sign(const struct ca *ca, const struct ra_order *order,
    struct span subject, struct span spki, int64_t now, struct buf *der)
{
	const struct ra_order asked = {
		.key = RA_KEY, .days = order->days, .baseurl = order->baseurl
	};
	const struct ra_make m = { .ca = ca->called,
		.gen = ca_current(ca, now),
		.order = &asked,
		.now = now };
	struct issue in = {
		.subject = subject, .spki = spki, .usage = single[0].usage
	};
	enum key_type type;
	unsigned bits = 0;
	enum err e;

	if (pubkey_look(spki, &type, &bits) != OK || type != KEY_RSA ||
	    bits < 2048) {
		log_error("an RA needs an RSA key of 2048 bits or more, as "
			  "clients encrypt to it and check its signatures");
		return ERR_REFUSED;
	}
	if (m.gen == NULL) {
		log_error("CA %s is not valid yet", ca->called);
		return ERR_REFUSED;
	}
	if (dn_eq(subject, m.gen->subject)) {
		log_error("an RA needs another name than its CA's: clients "
			  "could not tell them apart");
		return ERR_REFUSED;
	}
	e = order_check(&m);
	return e == OK ? certify(&m, &in, der) : e;
}

enum err
ra_name(const struct generation *gen, const char *subject, struct buf *name)
{
	const struct ra_order order = { .subject = subject };

	return name_of(gen, &order, &single[0], name);
}

static enum err
make_one(struct draft *d, const char *dir, const struct ra_make *m,
    const struct kind *kind)
{
	struct buf pem = BUF_SECRET, spki = BUF_INIT, name = BUF_INIT;
	struct buf der = BUF_INIT;
	struct issue in = { .usage = kind->usage };
	struct key *key = NULL;
	enum err e;

	if ((e = name_of(m->gen, m->order, kind, &name)) != OK ||
	    (e = key_generate(m->order->key, &pem)) != OK ||
	    (e = key_read("new key", buf_span(&pem), span_of("", 0), &key)) !=
		OK ||
	    (e = key_spki(key, &spki)) != OK)
		goto out;
	in.subject = buf_span(&name);
	in.spki = buf_span(&spki);
	if ((e = certify(m, &in, &der)) == OK &&
	    (e = draft_key(d, dir, kind->parts->key, key, m->passphrase)) == OK)
		e = draft_certs(d, dir, kind->parts->cert, &der, 1);
out:
	key_close(key);
	buf_release(&pem);
	buf_release(&spki);
	buf_release(&name);
	buf_release(&der);
	return e;
}

/* That it is ours, to be renewed, and for how long. */
static enum err
put_origin(struct draft *d, const char *dir, int64_t days)
{
	struct buf text = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (buf_printf(&text, "[ra]\ndays = %lld\n", (long long)days))
		e = draft_file(d, dir, "ra.ini", buf_span(&text), FILE_RECORD);
	buf_release(&text);
	return e;
}

enum err
ra_make(struct draft *d, const char *dir, const struct ra_make *m)
{
	const struct kind *kind = m->order->split ? split : single;
	size_t n = m->order->split ? 2 : 1;
	enum err e;

	e = order_check(m);
	for (size_t i = 0; e == OK && i < n; i++)
		e = make_one(d, dir, m, &kind[i]);
	return e == OK ? put_origin(d, dir, m->order->days) : e;
}

enum err
ra_next(int home, const struct ca *ca, struct draft *d, struct buf *path)
{
	unsigned n = ca->ra_top + 1;
	struct buf room = BUF_INIT;
	enum err e;

	*d = (struct draft){ .home = home, .dir = BUF_INIT };
	e = ca_path(ca->called, &room);
	if (e == OK && (!buf_str(&room, "/ra") ||
			   !buf_printf(path, "%s/%u", buf_cstr(&room), n)))
		e = ERR_SYSTEM;
	if (e == OK)
		e = draft_begin(home, buf_cstr(&room), d);
	buf_release(&room);
	return e;
}

/* As the newest one was made. */
static void
order_again(const struct ca *ca, char key[16], struct ra_order *o)
{
	const struct ra *ra = ca->nra > 0 ? &ca->ra[ca->nra - 1] : NULL;
	unsigned bits = ra != NULL ? key_bits(ra->enc.key) / 8 * 8 : 0;

	(void)snprintf(key, 16, "rsa:%u", bits < 2048 ? 2048 : bits);
	*o = (struct ra_order){ .key = key, .days = RA_DAYS };
	if (ra == NULL)
		return;
	o->split = ra->split;
	o->encrypt = ra->enc.sealed;
	if (ra->days > 0)
		o->days = ra->days;
}

enum err
seal_passphrase(int home, const char *ca, bool encrypt, struct buf *out)
{
	enum err e;

	if (!encrypt)
		return OK;
	e = passphrase_find(home, ca, out);
	if (e == ERR_NOTFOUND) {
		log_error("no passphrase to encrypt the key with: set "
			  "SCEP_KEY_PASSPHRASE, or passphrasefile in scep.ini "
			  "[keys], where the server finds it too");
		e = ERR_REFUSED;
	}
	return e;
}

/* Issued by gen; what the order does not say is as it was. */
static enum err
add_ra(int home, const struct ca *ca, const struct ra_order *order,
    const struct generation *gen, int64_t now)
{
	struct ra_make m = { .ca = ca->called, .gen = gen, .now = now };
	struct buf path = BUF_INIT, pass = BUF_SECRET;
	struct ra_order again;
	struct draft d;
	char key[16];
	enum err e;

	order_again(ca, key, &again);
	again.baseurl = order->baseurl;
	m.order = order->key != NULL ? order : &again;
	e = seal_passphrase(home, ca->called, m.order->encrypt, &pass);
	m.passphrase = buf_span(&pass);
	/* the folder first: on a full disk no key is made in vain */
	if (e == OK) {
		e = ra_next(home, ca, &d, &path);
		if (e == OK)
			e = ra_make(&d, "", &m);
		e = draft_end(&d, buf_cstr(&path), e);
	}
	buf_release(&path);
	buf_release(&pass);
	return e;
}

enum err
ca_ra_renew(
    int home, const struct ca *ca, const struct ra_order *order, int64_t now)
{
	const struct generation *gen = ca_current(ca, now);

	if (gen == NULL) {
		log_error("CA %s is not valid yet", ca->called);
		return ERR_REFUSED;
	}
	return add_ra(home, ca, order, gen, now);
}

enum err
ca_ra_ahead(
    int home, const struct ca *ca, const struct ra_order *order, int64_t now)
{
	const struct generation *next = ca_next(ca, now);

	if (next == NULL)
		return ERR_NOTFOUND;
	return add_ra(home, ca, order, next, next->not_before);
}
