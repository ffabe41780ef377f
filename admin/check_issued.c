#include "admin/admin.h"

#include "admin/health.h"
#include "base/names.h"
#include "ca/ca.h"
#include "ca/cert.h"
#include "ca/dn.h"
#include "store/cert.h"

/* Issued certificates against what the store and their CA say of them. */

struct issued_check {
	struct cas *cas;
	void (*wrong)(const char *where, const char *what, void *arg);
	void *arg;
};

/* NULL: there is no such generation, which is told where it is missed. */
static const struct generation *
find_generation(struct cas *cas, const struct outcome *o)
{
	const struct ca *ca = NULL;

	if (cas_find(cas, o->ca, &ca) != OK)
		return NULL;
	for (size_t i = 0; i < ca->ngen; i++) {
		if (ca->gen[i].n == o->generation)
			return &ca->gen[i];
	}
	return NULL;
}

static bool
spki_is(struct span spki, const char *digest)
{
	char own[SHA256_HEX];

	return sha256_hex(spki, own) == OK && strcmp(own, digest) == 0;
}

static bool
subject_is(struct span name, const char *text)
{
	struct buf own = BUF_INIT;
	bool same;

	same = dn_text(name, &own) == OK &&
	       strcmp(buf_cstr(&own), text == NULL ? "" : text) == 0;
	buf_release(&own);
	return same;
}

/* NULL: the certificate is what its record says; if not, which is wrong. */
static const char *
record_wrong(const struct issued_check *k, const struct outcome *o)
{
	const struct generation *gen = find_generation(k->cas, o);
	struct cert_view view;

	if (cert_view(buf_span(&o->cert), &view) != OK)
		return NULL; /* the store tells */
	if (gen == NULL)
		return "its CA or generation is not here; restore that";
	if (!span_eq(view.issuer, gen->subject))
		return "its certificate names another issuer; restore it";
	if (!spki_is(view.spki, o->spki))
		return "its certificate is for another key; restore it";
	if (!subject_is(view.subject, o->subject))
		return "its certificate has another subject; restore it";
	return NULL;
}

static enum err
look(const struct outcome *o, void *arg)
{
	const struct issued_check *k = arg;
	const char *what = record_wrong(k, o);
	struct buf where = BUF_INIT;

	if (what != NULL) {
		if (buf_printf(&where, "transaction %s, attempt %u",
			o->transaction, o->attempt))
			k->wrong(buf_cstr(&where), what, k->arg);
	}
	buf_release(&where);
	return OK;
}

enum err
health_issued(const struct command *cmd,
    void (*wrong)(const char *where, const char *what, void *arg), void *arg)
{
	struct issued_check k = { .wrong = wrong, .arg = arg };
	enum err e;

	if ((e = cas_new(cmd->home, &k.cas)) == OK)
		e = cert_each(&cmd->store, look, &k);
	cas_free(k.cas);
	return e == ERR_INPUT ? OK : e; /* the store tells of damage */
}
