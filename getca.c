#include <string.h>

#include "base/limits.h"
#include "base/names.h"
#include "message/message.h"
#include "query.h"
#include "visit.h"

/* The CA a GET operation is about: its message=, else the alias's default. */
static enum err
find_ca(struct visit *v, const struct ca **ca)
{
	struct buf ident = BUF_INIT;
	struct span raw = { NULL, 0 };
	const char *name;
	enum err e = OK;

	if (query_value(buf_span(&v->request->query), "message", &raw) &&
	    raw.len <= MAX_CA_IDENT)
		e = percent_decode(raw, &ident);
	if (e == OK) {
		name = alias_ca(v->alias, buf_span(&ident));
		e = cas_find(v->house->cas, name, ca);
		if (e == ERR_NOTFOUND)
			log_error("alias %s: its CA %s does not exist: "
				  "`scep alias check` tells more",
			    v->alias->name, name);
	}
	buf_release(&ident);
	return e;
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

/* GetCACert (RFC 8894 4.2): a root alone, or the CA and its issuers. */
enum err
get_ca_cert(struct visit *v)
{
	const struct ca *ca = NULL;
	const struct generation *gen;
	struct span certs[MAX_CERTS];
	size_t n = 0;
	enum err e;

	if ((e = find_ca(v, &ca)) != OK)
		return e == ERR_NOTFOUND ? ERR_SYSTEM : e;
	if ((gen = ca_current(ca, v->now)) == NULL) {
		log_error("CA %s is not valid yet", ca->name);
		return ERR_BUSY;
	}
	log_text(&v->line, "ca", ca->name);
	certs[n++] = buf_span(&gen->cert);
	for (size_t i = 0; i < gen->nchain && n < MAX_CERTS; i++)
		certs[n++] = buf_span(&gen->chain[i]);
	if (n == 1) {
		v->reply->type = "application/x-x509-ca-cert";
		return buf_add(&v->reply->body, certs[0].p, certs[0].len) ?
			   OK :
			   ERR_SYSTEM;
	}
	v->reply->type = "application/x-x509-ca-ra-cert";
	return message_certs_only(certs, n, &v->reply->body);
}
