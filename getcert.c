#include "base/names.h"
#include "ca/dn.h"
#include "enrol.h"
#include "store/cert.h"
#include "visit.h"

/*
 * GetCert and GetCRL (C-142 to C-147).  They leave no record, and their
 * transactionIDs, which some clients never change, decide nothing (C-69).
 */

#define SERIAL_HEX 41 /* 20 bytes and NUL */

/* A serial as the store has it; false for one that it cannot have. */
static bool
serial_text(struct span serial, char out[SERIAL_HEX])
{
	while (serial.len > 1 && serial.p[0] == 0)
		serial = span_of(serial.p + 1, serial.len - 1);
	if (serial.len == 0 || serial.len > (SERIAL_HEX - 1) / 2)
		return false;
	hex_text(serial.p, serial.len, out);
	return true;
}

/* The certificate in question, if this generation issued it. */
static enum err
find_issued(struct visit *v, const struct ca *ca, const struct generation *gen,
    const struct pkimsg *msg, struct outcome *out)
{
	char serial[SERIAL_HEX];

	if (!serial_text(msg->wanted_serial, serial) ||
	    !dn_eq(gen->subject, msg->wanted_issuer))
		return ERR_NOTFOUND;
	return cert_find(&v->house->store, ca->name, gen->n, serial, out);
}

/* Among all generations of all CAs that the alias serves. */
static enum err
find_cert(struct visit *v, const struct served *served,
    const struct pkimsg *msg, struct outcome *out)
{
	enum err e = ERR_NOTFOUND;

	for (size_t i = 0; i < served->n; i++) {
		const struct ca *ca = served->ca[i];

		for (size_t k = ca->ngen; k > 0 && e == ERR_NOTFOUND; k--)
			e = find_issued(v, ca, &ca->gen[k - 1], msg, out);
	}
	return e;
}

/* Who may fetch it: by default who proves its key (C-143). */
static bool
may_have(const struct alias *alias, const struct pkimsg *msg,
    const struct outcome *o)
{
	char key[SHA256_HEX];

	hex_text(msg->signer_key, SHA256_LEN, key);
	return alias->getcert == GETCERT_ANY || strcmp(key, o->spki) == 0;
}

enum err
get_cert(struct visit *v, const struct served *served, const struct pkimsg *msg,
    struct decision *d)
{
	/* Whether there is one is told to nobody else. */
	static const char none[] = "no such certificate, or not the signer's";
	enum err e;

	if (v->alias->getcert == GETCERT_NO)
		return decision_refuse(
		    d, FAIL_BADREQUEST, "GetCert is off: [scep] getcert = no");
	e = find_cert(v, served, msg, &d->outcome);
	if (e == ERR_NOTFOUND ||
	    (e == OK && !may_have(v->alias, msg, &d->outcome)))
		return decision_refuse(d, FAIL_BADCERTID, none);
	if (e != OK)
		return e;
	d->verdict = VERDICT_FOUND;
	return OK;
}

/*
 * The generation of a CA whose CRL is meant: the issuer's name decides, and
 * among generations of one name the certificate's own if the serial is known;
 * clients send the CA's serial, an RA's, or 0 (C-145).
 */
static enum err
find_generation(struct visit *v, const struct ca *ca, const struct pkimsg *msg,
    const struct generation **out)
{
	const struct generation *now = ca_current(ca, v->now);
	struct outcome o = OUTCOME_INIT;
	enum err e;

	*out = NULL;
	for (size_t i = ca->ngen; i > 0; i--) {
		const struct generation *gen = &ca->gen[i - 1];

		if (gen->not_before > v->now ||
		    !dn_eq(gen->subject, msg->wanted_issuer))
			continue;
		if (*out == NULL || gen == now)
			*out = gen;
		if (span_eq(gen->serial, msg->wanted_serial)) {
			*out = gen;
			return OK;
		}
		e = find_issued(v, ca, gen, msg, &o);
		outcome_release(&o);
		if (e == OK)
			*out = gen;
		if (e != ERR_NOTFOUND)
			return e;
	}
	return OK;
}

static enum err
take_crl(struct visit *v, const struct ca *ca, const struct generation *gen,
    struct decision *d)
{
	const struct site *site = &v->house->site;
	struct crl_source from = { &v->house->store, ca, gen,
		{ site->crlvalidity, site->crloverlap } };
	struct crl crl = CRL_INIT;
	enum err e;

	if ((e = crl_current(&from, &crl)) == OK) {
		log_num(&v->line, "number", (int64_t)crl.number);
		d->verdict = VERDICT_FOUND;
		d->crl = crl.der;
		crl.der = (struct buf)BUF_INIT;
	}
	crl_release(&crl);
	return e;
}

enum err
get_crl(struct visit *v, const struct served *served, const struct pkimsg *msg,
    struct decision *d)
{
	const struct generation *gen;
	enum err e;

	if (!v->alias->getcrl)
		return decision_refuse(
		    d, FAIL_BADREQUEST, "GetCRL is off: [scep] getcrl = no");
	for (size_t i = 0; i < served->n; i++) {
		e = find_generation(v, served->ca[i], msg, &gen);
		if (e != OK)
			return e;
		if (gen != NULL)
			return take_crl(v, served->ca[i], gen, d);
	}
	return decision_refuse(
	    d, FAIL_BADCERTID, "the issuer is no CA of this alias");
}
