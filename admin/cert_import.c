#include "admin/cert.h"

#include <stdlib.h>

#include "admin/movein.h"
#include "base/names.h"
#include "ca/cert.h"
#include "ca/chain.h"
#include "ca/dn.h"
#include "store/cert.h"
#include "store/entity.h"

/*
 * An imported certificate was never asked for here, so its transaction is
 * made up: its names cannot be a client's, for no alias is called so.
 */
#define ALIAS "(import)"

struct import {
	struct command *cmd;
	struct landlords lords;
	const char *where; /* the file that is read */
	struct outcome *cert;
	size_t n, room;
	unsigned known; /* certificates that are here already */
	struct arrivals revoked;
};

static void
import_release(struct import *m)
{
	for (size_t i = 0; i < m->n; i++)
		outcome_release(&m->cert[i]);
	free(m->cert);
	arrivals_release(&m->revoked);
	landlords_release(&m->lords);
}

/* Takes the outcome over, also on failure. */
static enum err
keep(struct import *m, struct outcome *o)
{
	size_t room = m->room == 0 ? 64 : 2 * m->room;
	struct outcome *more;

	if (m->n == m->room) {
		more = realloc(m->cert, room * sizeof(*more));
		if (more == NULL) {
			outcome_release(o);
			return say(ERR_SYSTEM, "out of memory");
		}
		m->cert = more;
		m->room = room;
	}
	m->cert[m->n++] = *o;
	*o = (struct outcome)OUTCOME_INIT;
	return OK;
}

static bool
serial_text(struct span serial, char out[41])
{
	if (serial.len > 0 && (serial.p[0] & 0x80) != 0)
		return false; /* negative */
	while (serial.len > 1 && serial.p[0] == 0)
		serial = span_of(serial.p + 1, serial.len - 1);
	if (serial.len == 0 || serial.len > 20)
		return false;
	hex_text(serial.p, serial.len, out);
	return true;
}

/* Where an entity of this name is here, the certificate is its. */
static enum err
find_entity(const struct import *m, struct span subject, struct outcome *o)
{
	struct entity who = ENTITY_INIT;
	const char *said = opt_text(m->cmd, "username");
	struct buf cn = BUF_INIT;
	enum err e;

	if (said != NULL)
		e = buf_str(&cn, said) ? OK : ERR_SYSTEM;
	else
		e = dn_value(subject, "CN", &cn);
	if (e == OK)
		e = entity_find(&m->cmd->store, buf_span(&cn), &who);
	if (e == OK && (o->entity = str_dup(who.username)) == NULL)
		e = ERR_SYSTEM;
	entity_release(&who);
	buf_release(&cn);
	return e == ERR_NOTFOUND || e == ERR_INPUT ? OK : e;
}

/* The name of the transaction, of CA, serial and key. */
static enum err
name_it(const struct cert_view *v, struct outcome *o)
{
	struct transaction t = { .alias = ALIAS,
		.ca = o->ca,
		.id = span_of(o->serial, strlen(o->serial)) };
	uint8_t key[SHA256_LEN];
	enum err e;

	if ((e = sha256(v->spki, key)) != OK ||
	    (e = transaction_name(&t, key)) != OK)
		return e;
	hex_text(key, sizeof(key), o->spki);
	memcpy(o->transaction, t.name, sizeof(o->transaction));
	return buf_add(&o->id, t.id.p, t.id.len) ? OK : ERR_SYSTEM;
}

/*
 * All in it comes from the certificate, so that importing twice writes the
 * same; there is no request, whose digest would be no zeros.
 */
static enum err
describe(const struct import *m, const struct cert_view *v, const struct ca *ca,
    const struct generation *gen, struct outcome *o)
{
	struct buf text = BUF_INIT;
	enum err e;

	o->kind = OUTCOME_CERTIFICATE;
	o->attempt = 1;
	o->generation = gen->n;
	o->alias = str_dup(ALIAS);
	o->ca = str_dup(ca->name);
	memset(o->csr, '0', sizeof(o->csr) - 1);
	o->issued = v->not_before;
	o->not_before = v->not_before;
	o->not_after = v->not_after;
	e = ERR_SYSTEM;
	if (o->alias == NULL || o->ca == NULL ||
	    !buf_add(&o->cert, v->der.p, v->der.len))
		goto out;
	if ((e = dn_text(v->subject, &text)) != OK)
		goto out;
	e = ERR_SYSTEM;
	if ((o->subject = str_dup(buf_cstr(&text))) == NULL)
		goto out;
	if ((e = name_it(v, o)) == OK)
		e = find_entity(m, v->subject, o);
out:
	buf_release(&text);
	return e;
}

/* Is it here already?  Another one with its serial is no small matter. */
static enum err
is_known(struct import *m, const struct outcome *o, bool *known)
{
	struct outcome there = OUTCOME_INIT;
	enum err e;

	e = cert_find(&m->cmd->store, o->ca, o->generation, o->serial, &there);
	*known = e == OK && span_eq(buf_span(&there.cert), buf_span(&o->cert));
	if (e == OK && !*known)
		e = say(ERR_EXISTS,
		    "%s: CA %s has another certificate with serial number %s",
		    m->where, o->ca, o->serial);
	outcome_release(&there);
	return e == ERR_NOTFOUND ? OK : e;
}

static bool
is_ca(const struct import *m, struct span der)
{
	for (size_t i = 0; i < m->lords.n; i++)
		for (size_t k = 0; k < m->lords.ca[i]->ngen; k++)
			if (span_eq(
				der, buf_span(&m->lords.ca[i]->gen[k].cert)))
				return true;
	return false;
}

static enum err
take_cert(struct span der, void *arg)
{
	struct import *m = arg;
	struct outcome o = OUTCOME_INIT;
	const struct generation *gen;
	const struct ca *ca = NULL;
	struct cert_view v;
	bool known = false;
	enum err e;

	if (cert_view(der, &v) != OK)
		return ERR_INPUT;
	if (is_ca(m, der))
		return OK;
	gen = landlord_of(&m->lords, v.issuer, der, cert_signed_by, &ca);
	if (gen == NULL)
		return say(ERR_REFUSED,
		    "%s: it was issued by no CA that is here; `scep ca import` "
		    "brings one",
		    m->where);
	if (!serial_text(v.serial, o.serial) || v.not_before == 0 ||
	    v.not_after == 0)
		return say(ERR_REFUSED,
		    "%s: its serial number is negative or over 20 bytes, or "
		    "its validity cannot be read",
		    m->where);
	if ((e = describe(m, &v, ca, gen, &o)) == OK)
		e = is_known(m, &o, &known);
	if (e == OK && !known)
		return keep(m, &o);
	m->known += known;
	outcome_release(&o);
	return e;
}

/* --- the index ------------------------------------------------------------- */

/* Whose is this serial number?  Of what comes along, or of what is here. */
static enum err
find_issuer(struct import *m, struct arrival *a)
{
	struct outcome o = OUTCOME_INIT;
	enum err e = ERR_NOTFOUND;

	for (size_t i = 0; i < m->n; i++) {
		if (strcmp(m->cert[i].serial, a->r.serial) != 0)
			continue;
		a->by = (struct issuer){ m->cert[i].ca, m->cert[i].generation };
		a->r.not_after = m->cert[i].not_after;
		return OK;
	}
	for (size_t i = 0; i < m->lords.n; i++) {
		const struct ca *ca = m->lords.ca[i];

		for (size_t k = ca->ngen; k > 0; k--) {
			a->by = (struct issuer){ ca->name, ca->gen[k - 1].n };
			e = cert_find(&m->cmd->store, ca->name,
			    a->by.generation, a->r.serial, &o);
			if (e == OK)
				a->r.not_after = o.not_after;
			outcome_release(&o);
			if (e != ERR_NOTFOUND)
				return e;
		}
	}
	return e;
}

/* A serial number alone is enough where there is but one CA it can be of. */
static enum err
settle_index(struct import *m)
{
	enum err e = OK;

	for (size_t i = 0; i < m->revoked.n && e == OK; i++) {
		struct arrival *a = &m->revoked.arrival[i];

		e = find_issuer(m, a);
		if (e != ERR_NOTFOUND)
			continue;
		if (m->lords.n > 1)
			return say(ERR_REFUSED,
			    "%s: whose is serial number %s?  --ca says it",
			    opt_text(m->cmd, "index"), a->r.serial);
		a->by = (struct issuer){ m->lords.ca[0]->name,
			m->lords.ca[0]->gen[0].n };
		e = OK;
	}
	return e;
}

static enum err
read_all(struct import *m)
{
	struct command *cmd = m->cmd;
	enum err e;

	if ((e = landlords_find(cmd, &m->lords)) != OK)
		return e;
	for (int i = 0; i < cmd->names && e == OK; i++) {
		m->where = cmd->name[i];
		e = certs_each(m->where, name_bytes(cmd, i), take_cert, m);
	}
	if (e == OK && opt_given(cmd, "index"))
		e = index_read(cmd, opt_text(cmd, "index"),
		    opt_bytes(cmd, "index"), &m->revoked);
	return e == OK ? settle_index(m) : e;
}

static enum err
write_all(struct import *m, unsigned *revoked, unsigned *known)
{
	const struct store *st = &m->cmd->store;
	enum err e = OK;

	for (size_t i = 0; i < m->lords.n && e == OK; i++)
		for (size_t k = 0; k < m->lords.ca[i]->ngen && e == OK; k++)
			e = cert_rooms(
			    st, m->lords.ca[i]->name, m->lords.ca[i]->gen[k].n);
	for (size_t i = 0; i < m->n && e == OK; i++) {
		e = outcome_link(st, &m->cert[i]);
		if (e == ERR_EXISTS) /* twice in what was brought */
			e = OK;
	}
	return e == OK ? arrivals_revoke(m->cmd, &m->revoked, revoked, known) :
			 e;
}

enum err
run_cert_import(struct command *cmd)
{
	struct import m = { .cmd = cmd };
	unsigned revoked = 0, known = 0;
	bool dry = opt_flag(cmd, "dry-run");
	enum err e;

	if ((e = read_all(&m)) != OK)
		goto out;
	if (!dry && (e = write_all(&m, &revoked, &known)) != OK)
		goto out;
	if (dry)
		revoked = (unsigned)m.revoked.n;
	cmd->unchanged = dry;
	(void)buf_printf(
	    &cmd->detail, "%zu certificates, %u revoked", m.n, revoked);
	(void)fprintf(cmd->out,
	    "%s%zu certificates imported, %u here already; %u revoked, %u "
	    "known to be\n",
	    dry ? "would be: " : "", m.n, m.known, revoked, known);
out:
	import_release(&m);
	return e;
}

const struct option cert_import_options[] = {
	{ "index", NULL, OPT_FILE, "FILE",
	    "what is revoked: index.txt or CSV" },
	{ "ca", NULL, OPT_TEXT, "NAME", "only of this CA" },
	{ "dry-run", NULL, OPT_FLAG, NULL, "check all, write nothing" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};
