#include <openssl/x509v3.h>

#include "base/limits.h"
#include "base/log.h"
#include "ca/ca.h"
#include "ca/cert.h"

/* ---- what GetCACert returns ---- */

struct list {
	struct span *cert;
	size_t n;
};

static void
add(struct list *l, const struct buf *cert)
{
	struct span der = buf_span(cert);

	for (size_t i = 0; i < l->n; i++)
		if (span_eq(l->cert[i], der))
			return;
	if (l->n < MAX_CERTS)
		l->cert[l->n++] = der;
}

/* C-36, C-37 */
static bool
wanted(const struct buf *issuer, const struct cert_choice *how, int64_t now)
{
	struct cert_view v;

	return how->chain && cert_view(buf_span(issuer), &v) == OK &&
	       v.not_before <= now && now < v.not_after &&
	       (how->root || !v.self_signed);
}

static void
turn(struct list *l)
{
	for (size_t i = 0; i < l->n / 2; i++) {
		struct span was = l->cert[i];

		l->cert[i] = l->cert[l->n - 1 - i];
		l->cert[l->n - 1 - i] = was;
	}
}

enum err
ca_certs(const struct ca *ca, int64_t now, const struct cert_choice *how,
    struct span *list, size_t *n)
{
	const struct generation *gen = ca_current(ca, now);
	const struct ra *ra = ca_ra_current(ca, now);
	struct list l = { list, 0 };

	if (gen == NULL) {
		log_error("CA %s is not valid yet", ca->called);
		return ERR_BUSY;
	}
	if (ra != NULL) {
		add(&l, &ra->enc.cert);
		add(&l, &ra_signer(ra)->cert);
	}
	add(&l, &gen->cert);
	for (size_t i = 0; i < gen->nchain; i++)
		if (wanted(&gen->chain[i], how, now))
			add(&l, &gen->chain[i]);
	if (how->root_first)
		turn(&l);
	*n = l.n;
	return OK;
}

enum err
ca_next_certs(const struct ca *ca, int64_t now, struct span *list, size_t *n)
{
	const struct generation *next = ca_next(ca, now);
	const struct ra *ra;
	struct list l = { list, 0 };

	if (next == NULL)
		return ERR_NOTFOUND;
	add(&l, &next->cert);
	for (size_t i = 0; i < next->nchain; i++)
		add(&l, &next->chain[i]);
	if ((ra = ca_ra_of(ca, next->n)) != NULL) {
		add(&l, &ra->enc.cert);
		add(&l, &ra_signer(ra)->cert);
	}
	*n = l.n;
	return OK;
}

/* ---- what its key usages lack ---- */

static const struct lack {
	unsigned bit;
	const char *name;
	const char *who;
} lacks[] = {
	{ KU_KEY_ENCIPHERMENT, "keyEncipherment",
	    "jscep, cryptlib, macOS and other clients that look at it will not "
	    "encrypt requests to it" },
	{ KU_DIGITAL_SIGNATURE, "digitalSignature",
	    "jscep, the Cisco VPN client and others that look at it will not "
	    "accept replies" },
};
#define CURE                                                        \
	"; `scep ca ra create` (or renew) gives them a certificate" \
	" that has it"

static unsigned
tell_lack(const char *what, const char *lack, const char *who,
    void (*tell)(const char *sentence, void *arg), void *arg)
{
	struct buf text = BUF_INIT;

	if (buf_printf(&text, "%s %s: %s" CURE, what, lack, who))
		tell(buf_cstr(&text), arg);
	buf_release(&text);
	return 1;
}

unsigned
usage_lacks(const char *what, unsigned usage, unsigned wanted_bits,
    void (*tell)(const char *sentence, void *arg), void *arg)
{
	char lack[64];
	unsigned n = 0;

	if (usage == UINT32_MAX)
		return tell_lack(what, "has no key usage at all",
		    "macOS may encrypt to another certificate of the list",
		    tell, arg);
	for (size_t i = 0; i < sizeof(lacks) / sizeof(*lacks); i++) {
		if ((wanted_bits & lacks[i].bit & ~usage) == 0)
			continue;
		(void)snprintf(lack, sizeof(lack), "lacks %s", lacks[i].name);
		n += tell_lack(what, lack, lacks[i].who, tell, arg);
	}
	return n;
}

static unsigned
ra_lacks(const struct ra *ra, void (*tell)(const char *sentence, void *arg),
    void *arg)
{
	const unsigned both = KU_KEY_ENCIPHERMENT | KU_DIGITAL_SIGNATURE;

	if (!ra->split)
		return usage_lacks(
		    "the RA certificate", ra->enc.usage, both, tell, arg);
	return usage_lacks("the RA certificate for encryption", ra->enc.usage,
		   KU_KEY_ENCIPHERMENT, tell, arg) +
	       usage_lacks("the RA certificate for signatures", ra->sign.usage,
		   KU_DIGITAL_SIGNATURE, tell, arg);
}

unsigned
ca_lacks(const struct ca *ca, int64_t now,
    void (*tell)(const char *sentence, void *arg), void *arg)
{
	const struct generation *gen = ca_current(ca, now);
	const struct ra *ra = ca_ra_current(ca, now);

	if (ra != NULL)
		return ra_lacks(ra, tell, arg);
	if (gen == NULL)
		return 0;
	if (key_type(gen->key) != KEY_RSA)
		return tell_lack("the CA",
		    "has no RSA key and no RA certificate",
		    "nobody can encrypt requests to it, no client enrols", tell,
		    arg);
	return usage_lacks("the CA certificate", gen->usage,
	    KU_KEY_ENCIPHERMENT | KU_DIGITAL_SIGNATURE, tell, arg);
}
