#include <string.h>

#include "base/limits.h"
#include "base/names.h"
#include "message/message.h"
#include "query.h"
#include "queue.h"
#include "visit.h"

/*
 * The alias knows its CAs by their present names, and a CA that was renamed
 * is also known by its former ones.  NULL: none of the alias's.
 */
static const char *
former_name(struct visit *v, const char *ident)
{
	const struct alias *alias = v->alias;
	const struct ca *ca = NULL;

	if (ca_identify(v->house->home, ident, NULL, NULL) != OK ||
	    cas_find(v->house->cas, ident, &ca) != OK)
		return NULL;
	for (size_t i = 0; i < alias->ncas; i++)
		if (ca_called(ca, alias->cas[i]))
			return alias->cas[i];
	return NULL;
}

/* What message= means, else the alias's default (C-13). */
static const char *
name_of(struct visit *v, const struct buf *ident)
{
	const char *name = alias_ca(v->alias, buf_span(ident)), *former;

	if (name != v->alias->defaultca || ident->len == 0 ||
	    v->alias->challenge.judge == JUDGE_INTUNE ||
	    memchr(ident->data, 0, ident->len) != NULL ||
	    strcmp(name, buf_cstr(ident)) == 0 ||
	    (former = former_name(v, buf_cstr(ident))) == NULL)
		return name;
	return former;
}

/* The name of the CA that a GET operation is about; borrowed of the alias. */
static enum err
asked_name(struct visit *v, const char **name)
{
	struct buf ident = BUF_INIT;
	struct span raw = { NULL, 0 };
	enum err e = OK;

	if (query_value(buf_span(&v->request->query), "message", &raw) &&
	    raw.len <= MAX_CA_IDENT)
		e = percent_decode(raw, &ident);
	if (e == OK)
		*name = name_of(v, &ident);
	buf_release(&ident);
	return e;
}

static enum err
find_ca(struct visit *v, const struct ca **ca)
{
	const char *name = NULL;
	enum err e = asked_name(v, &name);

	if (e != OK)
		return e;
	e = visit_ca(v, name, ca);
	if (e == ERR_NOTFOUND)
		log_error("alias %s: its CA %s does not exist: `scep alias "
			  "check` tells more",
		    v->alias->name, name);
	return e;
}

/* Trouble with the CA is told where its certificates are asked for. */
static bool
rolls_over(struct visit *v)
{
	const struct ca *ca = NULL;
	const char *name = NULL;
	enum err e;

	log_mute(true);
	if ((e = asked_name(v, &name)) == OK)
		e = cas_find(v->house->cas, name, &ca);
	log_mute(false);
	return e == OK && ca_next(ca, v->now) != NULL;
}

/* GetCACaps (RFC 8894 3.5): one word a line, no empty line (C-20). */
enum err
get_ca_caps(struct visit *v)
{
	const struct {
		const char *word;
		bool on;
	} words[] = {
		{ "POSTPKIOperation", true },
		{ "Renewal", v->alias->renewal.on },
		{ "GetNextCACert", rolls_over(v) }, /* C-41 */
		{ "SHA-1", v->alias->sha1 },
		{ "SHA-256", true },
		{ "SHA-384", true },
		{ "SHA-512", true },
		{ "DES3", v->alias->des3 },
		{ "AES", true },
		{ "SCEPStandard", true },
	};
	struct buf *out = &v->reply->body;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (words[i].on && !buf_printf(out, "%s%s",
				       out->len ? "\n" : "", words[i].word))
			return ERR_SYSTEM;
	v->reply->type = "text/plain";
	return OK;
}

/* What the alias's chain settings say of the CA that is asked for. */
static enum err
choose(struct visit *v, bool chain, struct span *certs, size_t *n)
{
	const struct cert_choice how = { .chain = chain,
		.root = v->alias->chainroot,
		.root_first = v->alias->rootfirst };
	const struct ca *ca = NULL;
	enum err e;

	if ((e = find_ca(v, &ca)) != OK)
		return e == ERR_NOTFOUND ? ERR_SYSTEM : e;
	log_text(&v->line, "ca", ca->called);
	visit_warn(v, ca);
	return ca_certs(ca, v->now, &how, certs, n);
}

/*
 * GetCACert (RFC 8894 4.2): a certificate alone as it is, or a SignedData of
 * RA, CA and issuers.
 */
enum err
get_ca_cert(struct visit *v)
{
	struct span certs[MAX_CERTS];
	size_t n = 0;
	enum err e;

	if ((e = choose(v, v->alias->chain, certs, &n)) != OK)
		return e;
	if (n == 1) {
		v->reply->type = "application/x-x509-ca-cert";
		return buf_add(&v->reply->body, certs[0].p, certs[0].len) ?
			   OK :
			   ERR_SYSTEM;
	}
	v->reply->type = "application/x-x509-ca-ra-cert";
	return message_certs_only(certs, n, &v->reply->body);
}

/* Of drafts before 2011, for old clients (C-18): always the whole chain. */
enum err
get_ca_cert_chain(struct visit *v)
{
	struct span certs[MAX_CERTS];
	size_t n = 0;
	enum err e;

	if ((e = choose(v, true, certs, &n)) != OK)
		return e;
	v->reply->type = "application/x-x509-ca-ra-cert-chain";
	return message_certs_only(certs, n, &v->reply->body);
}

/* An external RA hands out what its CA has signed. */
static enum err
next_answer(struct visit *v, const struct ca *ca)
{
	const struct queue_side side = { .store = &v->house->store,
		.home = v->house->home,
		.alias = v->alias,
		.now = v->now };
	enum err e = queue_next_answer(&side, ca, &v->reply->body);

	return e == ERR_NOTFOUND ? answer_text(v->reply, 404,
				       "there is no next CA certificate") :
				   e;
}

/* Signed by the current CA, so that who trusts it trusts the next (C-39). */
enum err
get_next_ca_cert(struct visit *v)
{
	struct span certs[MAX_CERTS];
	const struct ca *ca = NULL;
	size_t n = 0;
	enum err e;

	if ((e = find_ca(v, &ca)) != OK)
		return e == ERR_NOTFOUND ? ERR_SYSTEM : e;
	log_text(&v->line, "ca", ca->called);
	if (ca_next_certs(ca, v->now, certs, &n) != OK)
		return answer_text(
		    v->reply, 404, "there is no next CA certificate");
	v->reply->type = "application/x-x509-next-ca-cert";
	if (key_elsewhere(ca_current(ca, v->now)->key))
		return next_answer(v, ca);
	return message_next(ca_current(ca, v->now), certs, n, &v->reply->body);
}
