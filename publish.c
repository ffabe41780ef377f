#include "base/names.h"
#include "base/time.h"
#include "fresh.h"
#include "query.h"
#include "route.h"
#include "visit.h"

/*
 * CRLs and CA certificates by GET, at the URLs that certificates name.  A CA
 * is looked up by its name, which is never a path (STORE.md I5).
 */

/* One thing to hand out, and how old it is. */
struct print {
	struct buf body;
	const char *type;
	int64_t modified;
};

/* One that has not begun signs nothing yet, and is nobody's issuer. */
static const struct generation *
find_generation(const struct ca *ca, unsigned n, int64_t now)
{
	if (n == 0)
		return ca_current(ca, now);
	for (size_t i = ca->ngen; i > 0; i--)
		if (ca->gen[i - 1].n == n && ca->gen[i - 1].not_before <= now)
			return &ca->gen[i - 1];
	return NULL;
}

/* Takes the CRL over, also on failure. */
static void
print_crl(struct visit *v, struct crl *crl, struct print *out)
{
	log_num(&v->line, "number", (int64_t)crl->number);
	out->type = "application/pkix-crl";
	/* Another one of the same second would have the same time. */
	if (crl->this_update + 1 < time_now())
		out->modified = crl->this_update;
	out->body = crl->der;
	crl->der = (struct buf)BUF_INIT;
}

static enum err
take_crl(struct visit *v, const struct ca *ca, const struct generation *gen,
    struct print *out)
{
	const struct site *site = &v->house->site;
	struct crl_source from = { &v->house->store, ca, gen,
		{ site->crlvalidity, site->crloverlap } };
	struct crl crl = CRL_INIT;
	enum err e;

	if ((e = crl_current(&from, &crl)) == OK)
		print_crl(v, &crl, out);
	crl_release(&crl);
	return e;
}

static enum err
take_cert(struct visit *v, const struct ca *ca, const struct generation *gen,
    struct print *out)
{
	(void)v;
	(void)ca;
	out->type = "application/pkix-cert";
	out->modified = gen->not_before;
	return buf_add(&out->body, gen->cert.data, gen->cert.len) ? OK :
								    ERR_SYSTEM;
}

/*
 * The CA cannot be loaded, its key perhaps: the last CRL still is one until
 * its nextUpdate.
 */
static enum err
take_last(struct visit *v, const char *ca, const struct document *document,
    enum err why, struct print *out)
{
	struct crl crl = CRL_INIT;
	struct buf first = BUF_INIT;
	enum err e;

	if (document->kind != DOCUMENT_CRL)
		return ERR_BUSY;
	e = ca_identify(v->house->home, ca, NULL, &first);
	if (e == OK)
		e = crl_fallback(&v->house->store, buf_cstr(&first),
		    document->generation, why, &crl);
	if (e == OK)
		print_crl(v, &crl, out);
	crl_release(&crl);
	buf_release(&first);
	return e;
}

/* What was said in this hour about its CRL is not said by each client. */
static enum err
find_quietly(struct visit *v, const char *name, const struct document *document,
    const struct ca **ca)
{
	struct buf first = BUF_INIT;
	enum err e;

	log_mute(document->kind == DOCUMENT_CRL &&
		 ca_identify(v->house->home, name, NULL, &first) == OK &&
		 crl_warned(
		     &v->house->store, buf_cstr(&first), document->generation));
	e = cas_find(v->house->cas, name, ca);
	log_mute(false);
	buf_release(&first);
	return e;
}

/* ERR_NOTFOUND: there is no such CA or generation. */
static enum err
take(struct visit *v, const char *name, const struct document *document,
    struct print *out)
{
	static enum err (*const takers[])(struct visit *, const struct ca *,
	    const struct generation *, struct print *) = {
		[DOCUMENT_CRL] = take_crl,
		[DOCUMENT_CERT] = take_cert,
	};
	const struct generation *gen;
	const struct ca *ca = NULL;
	enum err e = find_quietly(v, name, document, &ca);

	if (e == ERR_NOTFOUND)
		return e;
	if (e != OK)
		return take_last(v, name, document, e, out);
	gen = find_generation(ca, document->generation, v->now);
	if (gen == NULL)
		return ERR_NOTFOUND;
	return takers[document->kind](v, ca, gen, out);
}

static enum err
answer(struct visit *v, struct print *print)
{
	struct reply *reply = v->reply;
	enum err e = sha256_hex(buf_span(&print->body), reply->etag);

	if (e != OK)
		return e;
	reply->type = print->type;
	reply->modified = print->modified;
	/* A revocation is in the next answer: caches ask, and get a 304. */
	reply->no_cache = true;
	if (fresh(v->request, reply)) {
		reply->status = 304;
		return OK;
	}
	buf_release(&reply->body);
	reply->body = print->body;
	print->body = (struct buf)BUF_INIT;
	return OK;
}

enum err
publish(struct visit *v, const struct document *document)
{
	static const char *const words[] = {
		[DOCUMENT_CRL] = "crl",
		[DOCUMENT_CERT] = "ca-certificate",
	};
	struct print print = { .body = BUF_INIT };
	struct buf name = BUF_INIT;
	enum err e;

	log_text(&v->line, "operation", words[document->kind]);
	if (v->request->method == HTTP_POST) {
		v->reply->allow = "GET, HEAD";
		return answer_text(v->reply, 405, "method not allowed");
	}
	if ((e = percent_decode(document->ca, &name)) != OK)
		goto out;
	log_span(&v->line, "ca", buf_span(&name));
	e = ERR_NOTFOUND;
	if (memchr(name.data, 0, name.len) == NULL)
		e = take(v, buf_cstr(&name), document, &print);
	if (e == ERR_NOTFOUND)
		e = answer_text(v->reply, 404, "no such CA or generation");
	else if (e == OK)
		e = answer(v, &print);
out:
	buf_release(&print.body);
	buf_release(&name);
	return e;
}
