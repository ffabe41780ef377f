#include "admin/profile.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>

#include "admin/entity.h"
#include "base/time.h"
#include "ca/attr.h"
#include "ca/der.h"
#include "ca/dn.h"
#include "ca/pubkey.h"
#include "ca/san.h"
#include "enrol.h"

/*
 * What a request would get under a profile: the checks of an enrolment
 * (enrol_look()) and what they found, line by line, each with its origin.
 */
struct attempt {
	struct command *cmd;
	struct enrol enrol;
	struct pkimsg msg; /* as if it had come in one */
	struct decision d;
	struct shape shape;
};

enum err
csr_bytes(struct span file, struct buf *der)
{
	BIO *in = BIO_new_mem_buf(file.p, (int)file.len);
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	long len = 0;
	bool good;

	ERR_set_mark();
	if (in != NULL && PEM_read_bio(in, &name, &header, &data, &len) == 1)
		good = buf_add(der, data, (size_t)len);
	else
		good = buf_add(der, file.p, file.len);
	ERR_pop_to_mark();
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(data);
	BIO_free(in);
	return good ? OK : ERR_SYSTEM;
}

static enum err
read_csr(struct attempt *a)
{
	const char *why = NULL;
	struct buf der = BUF_SECRET;
	bool verified = false;
	enum err e;

	if (!opt_given(a->cmd, "csr"))
		return usage(a->cmd, "which request? --csr FILE");
	if ((e = csr_bytes(opt_bytes(a->cmd, "csr"), &der)) != OK)
		goto out;
	e = csr_read(buf_span(&der), &a->msg.csr, &verified, &why);
	if (e == ERR_INPUT)
		e = say(ERR_REFUSED, "refused: the request: %s",
		    why != NULL ? why : "unreadable");
	else if (e == OK && !verified)
		e = say(ERR_REFUSED,
		    "refused: the request's signature is wrong, or of an "
		    "algorithm that is not supported");
out:
	buf_release(&der);
	return e;
}

/* The entity's record, or one that leaves the names to the request. */
static enum err
find_entity(struct attempt *a, const char *profile)
{
	const char *name = opt_text(a->cmd, "entity");
	struct entity *who = &a->d.entity;
	enum err e;

	if (name != NULL && (e = entity_get(a->cmd, name, who)) != OK)
		return e;
	if (name == NULL && (who->san = str_dup("request")) == NULL)
		return ERR_SYSTEM;
	free(who->profile);
	who->profile = str_dup(profile);
	return who->profile == NULL ? ERR_SYSTEM : OK;
}

static enum err
find_ca(struct attempt *a, struct cas *cas)
{
	struct ca_list list = { NULL, 0 };
	const char *wish = opt_text(a->cmd, "ca"), *name = NULL;
	enum err e;

	if (wish == NULL)
		wish = a->d.entity.ca;
	if ((e = ca_list_read(a->cmd, &list)) == OK &&
	    (name = ca_list_choose(a->cmd, &list, wish)) == NULL)
		e = ERR_REFUSED;
	if (e == OK)
		e = cas_find(cas, name, &a->msg.ca);
	ca_list_release(&list);
	if (e != OK)
		return e;
	a->msg.gen = ca_current(a->msg.ca, a->cmd->now);
	if (a->msg.gen == NULL || a->cmd->now >= a->msg.gen->not_after)
		return say(ERR_REFUSED, "refused: the CA %s is not valid now",
		    a->msg.ca->called);
	return OK;
}

/* ---- what is printed ---------------------------------------------------- */

static void
put(const struct attempt *a, const char *what, const char *value,
    const char *origin)
{
	FILE *out = a->cmd->out;

	if (opt_flag(a->cmd, "json")) {
		json_begin(out);
		json_text(out, "field", what);
		json_text(out, "value", value);
		json_text(out, "origin", origin);
		json_end(out);
		return;
	}
	print_cell(out, what, 18);
	print_text(out, value);
	(void)fprintf(out, "  (%s)\n", origin);
}

/* The value in a buf, which is emptied for the next. */
static void
put_buf(const struct attempt *a, const char *what, struct buf *value,
    const char *origin)
{
	if (value->len > 0)
		put(a, what, buf_cstr(value), origin);
	buf_clear(value);
}

static enum err
put_names(const struct attempt *a)
{
	const struct entity *who = &a->d.entity;
	struct buf text = BUF_INIT;
	enum err e;

	if ((e = dn_text(buf_span(&a->d.subject), &text)) != OK)
		goto out;
	put_buf(a, "subject", &text, who->subject ? "entity" : "request");
	if (a->d.san.len > 0 &&
	    (e = san_text(buf_span(&a->d.san), &text)) != OK)
		goto out;
	put_buf(a, "subjectAltName", &text,
	    who->san && strcmp(who->san, "request") != 0 ? "entity" :
							   "request");
	if ((e = dn_text(a->msg.gen->subject, &text)) == OK)
		put_buf(a, "issuer", &text, a->msg.ca->called);
out:
	buf_release(&text);
	return e;
}

static void
put_times(const struct attempt *a)
{
	const struct generation *gen = a->msg.gen;
	char text[TIME_TEXT];

	time_text(a->shape.not_before, text);
	put(a, "notBefore", text,
	    a->shape.not_before == gen->not_before ? "the CA's" : "profile");
	time_text(a->shape.not_after, text);
	put(a, "notAfter", text,
	    a->shape.not_after == gen->not_after ? "the CA's" : "profile");
}

static enum err
put_key(const struct attempt *a)
{
	static const char *const kinds[] = {
		[KEY_RSA] = "RSA", [KEY_EC] = "EC", [KEY_EDDSA] = "Ed25519"
	};
	struct buf text = BUF_INIT;
	enum key_type type = KEY_RSA;
	unsigned bits = 0;
	enum err e;

	if ((e = pubkey_look(a->msg.csr.spki, &type, &bits)) == OK &&
	    buf_printf(&text, "%s %u", kinds[type], bits))
		put_buf(a, "key", &text, "request");
	buf_release(&text);
	return e;
}

static enum err
put_usages(const struct attempt *a)
{
	const struct shape *s = &a->shape;
	struct buf text = BUF_INIT;
	enum err e;

	if ((e = usage_text(s->usage, &text)) != OK)
		goto out;
	put_buf(a, "keyUsage", &text,
	    s->usage_asked ? "profile, as requested" : "profile");
	for (size_t i = 0; s->eku[i] != NULL; i++)
		if (!buf_printf(
			&text, "%s%s", i > 0 ? ", " : "", eku_name(s->eku[i])))
			e = ERR_SYSTEM;
	put_buf(a, "extKeyUsage", &text,
	    s->eku_asked ? "profile, as requested" : "profile");
out:
	buf_release(&text);
	return e;
}

static enum err
put_profile(const struct attempt *a)
{
	static const char *const kinds[] = { [URL_CRL] = "CRL",
		[URL_ISSUER] = "caIssuers",
		[URL_OCSP] = "OCSP" };
	const struct mstemplate *t = &a->d.profile->template;
	struct buf text = BUF_INIT;
	enum err e = OK;

	for (size_t k = 0; k < URL__MAX; k++)
		for (size_t i = 0; a->shape.url[k][i] != NULL; i++)
			put(a, kinds[k], a->shape.url[k][i], "profile");
	for (size_t i = 0; i < a->d.profile->npolicies; i++) {
		const struct policy *p = &a->d.profile->policy[i];

		if (!buf_printf(&text, "%s%s%s", p->oid, p->cps ? " " : "",
			p->cps ? p->cps : ""))
			e = ERR_SYSTEM;
		put_buf(a, "policy", &text, "profile");
	}
	if (t->oid != NULL &&
	    !buf_printf(&text, "%s %u %u", t->oid, t->major, t->minor))
		e = ERR_SYSTEM;
	put_buf(a, "mstemplate", &text, "profile");
	if (t->name != NULL)
		put(a, "mstemplatename", t->name, "profile");
	buf_release(&text);
	return e;
}

/* How an extension of the request ends: by its OID. */
static const char *
fate(const struct attempt *a, const struct extension *ext, const char **what)
{
	const struct profile *p = a->d.profile;

	*what = "ignored";
	for (size_t i = 0; i < a->shape.ncopied; i++) {
		if (span_eq(a->shape.copied[i].oid, ext->oid)) {
			*what = "extension";
			return "request";
		}
	}
	if (span_eq(ext->oid, OID_SAN) ||
	    (span_eq(ext->oid, OID_KEY_USAGE) && p->copy_usage) ||
	    (span_eq(ext->oid, OID_EKU) && p->copy_eku))
		return NULL; /* has its own line */
	if (!span_eq(ext->oid, OID_KEY_USAGE) && !span_eq(ext->oid, OID_EKU) &&
	    extension_denied(ext->oid) != NULL)
		return "request; never taken from one";
	return "request; not in the profile's copy";
}

static enum err
put_asked(const struct attempt *a)
{
	const struct csr *csr = &a->msg.csr;
	struct buf text = BUF_INIT;
	const char *what, *origin;
	enum err e = OK;

	for (size_t i = 0; i < csr->nasked && e == OK; i++) {
		const struct extension *ext = &csr->asked[i];

		if ((origin = fate(a, ext, &what)) == NULL)
			continue;
		if ((e = oid_text(ext->oid, &text)) == ERR_INPUT)
			e = buf_str(&text, "unreadable OID") ? OK : ERR_SYSTEM;
		put_buf(a, what, &text, origin);
	}
	buf_release(&text);
	return e;
}

static enum err
put_all(struct attempt *a)
{
	struct leaf leaf = enrol_leaf(&a->enrol, &a->msg, &a->d);
	const char *why = NULL;
	enum err e;

	e = profile_shape(
	    a->d.profile, a->msg.gen, &leaf, a->cmd->now, &a->shape, &why);
	if (e != OK)
		return e;
	put(a, "profile", a->d.profile->name, "named");
	if ((e = put_names(a)) != OK || (e = put_key(a)) != OK)
		return e;
	put_times(a);
	if ((e = put_usages(a)) != OK || (e = put_profile(a)) != OK)
		return e;
	return put_asked(a);
}

static enum err
look(struct attempt *a)
{
	enum err e;

	e = enrol_look(&a->enrol, NULL, &a->msg, a->cmd->now, &a->d);
	if (e == OK && a->d.verdict == VERDICT_REFUSE)
		e = say(ERR_REFUSED, "refused: %s%s%s",
		    a->d.field ? a->d.field : "", a->d.field ? ": " : "",
		    a->d.reason);
	return e;
}

enum err
run_profile_try(struct command *cmd)
{
	struct attempt a = { .cmd = cmd,
		.enrol = { .store = &cmd->store, .home = cmd->home } };
	struct profiles *profiles = NULL;
	struct profile *p = NULL;
	struct site site = SITE_INIT;
	struct cas *cas = NULL;
	enum err e;

	pkimsg_init(&a.msg);
	decision_init(&a.d);
	shape_init(&a.shape);
	if ((e = profile_load(cmd, cmd->name[0], &p)) != OK ||
	    (e = profiles_new(cmd->home, &profiles)) != OK ||
	    (e = site_read(cmd->home, &site)) != OK ||
	    (e = cas_new(cmd->home, &cas)) != OK || (e = read_csr(&a)) != OK ||
	    (e = find_entity(&a, p->name)) != OK ||
	    (e = find_ca(&a, cas)) != OK)
		goto out;
	a.enrol.profiles = profiles;
	a.enrol.baseurl = *site.baseurl ? site.baseurl : NULL;
	if ((e = look(&a)) == OK)
		e = put_all(&a);
out:
	shape_release(&a.shape);
	decision_release(&a.d);
	pkimsg_release(&a.msg);
	cas_free(cas);
	profiles_free(profiles);
	profile_free(p);
	return e == ERR_INPUT ? ERR_REFUSED : e;
}
