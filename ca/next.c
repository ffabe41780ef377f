#include "base/limits.h"
#include "base/log.h"
#include "base/time.h"
#include "ca/ca.h"
#include "ca/cert.h"
#include "ca/chain.h"
#include "ca/dn.h"
#include "ca/make.h"

/* Making a CA's next generation, or its next certificate. */

#define AHEAD	 (30 * DAY) /* of the end, where no start is given */
#define AT_LEAST (7 * DAY)  /* from now: for clients to fetch it (C-39) */

static bool
issued(const struct ca *ca, const struct generation *gen)
{
	for (size_t i = 0; i < ca->ngen; i++)
		if (dn_eq(ca->gen[i].subject, gen->issuer) &&
		    cert_signed_by(buf_span(&gen->cert), ca->gen[i].spki))
			return true;
	return false;
}

/* One that cannot be loaded was logged, and issues nothing. */
enum err
ca_parent(int home, struct cas *cas, const struct generation *gen,
    const struct ca **parent)
{
	const struct ca *ca = NULL;
	char **names = NULL;
	size_t n = 0;
	enum err e;

	*parent = NULL;
	if (gen->self_signed)
		return OK;
	if ((e = ca_names(home, &names, &n)) != OK)
		return e;
	for (size_t i = 0; i < n; i++) {
		if (*parent == NULL && cas_find(cas, names[i], &ca) == OK &&
		    issued(ca, gen))
			*parent = ca;
		free(names[i]);
	}
	free(names);
	return *parent != NULL ? OK : ERR_NOTFOUND;
}

/* Who signs it, from its beginning on. */
static enum err
find_parent(int home, const struct ca *ca, const struct generation *gen,
    struct cas *cas, struct ca_wish *wish)
{
	const struct ca *parent = NULL;
	enum err e = ca_parent(home, cas, gen, &parent);

	if (e == ERR_NOTFOUND) {
		log_error("the issuer of CA %s is not here: `scep ca request "
			  "%s --next` makes a request for it",
		    ca->called, ca->called);
		return ERR_REFUSED;
	}
	if (e != OK || parent == NULL)
		return e;
	wish->parent_name = parent->called;
	wish->parent = ca_current(parent, wish->not_before);
	return ca_parent_check(wish->parent, parent->called, wish->not_before);
}

/* A request went out: its answer is to be the next generation. */
static enum err
check_waiting(int home, const struct ca *ca)
{
	enum err e = ca_request_waits(home, ca);

	if (e != OK)
		return e == ERR_NOTFOUND ? OK : e;
	log_error("CA %s waits for a certificate of its own request: `scep ca "
		  "install %s CERT` brings it",
	    ca->called, ca->called);
	return ERR_REFUSED;
}

static enum err
check_days(int64_t days)
{
	if (days >= 1 && days <= MAX_DAYS)
		return OK;
	log_error("a CA lives for 1 to %d days", MAX_DAYS);
	return ERR_INPUT;
}

/* The certificate and its chain, which borrows from the parent. */
static enum err
make(int home, const struct ca *ca, const struct ca_wish *wish, bool encrypt)
{
	struct buf chain[MAX_CERTS], der = BUF_INIT;
	struct ca_new in = {
		.key = wish->key, .chain = chain, .encrypt = encrypt
	};
	enum err e;

	in.nchain = ca_chain_below(wish->parent, chain);
	e = ca_certify(wish, &der);
	in.cert = buf_span(&der);
	if (e == OK)
		e = ca_make_next(home, ca, &in);
	buf_release(&der);
	return e;
}

static int64_t
days_of(const struct generation *gen)
{
	return (gen->not_after - gen->not_before + DAY / 2) / DAY;
}

static int64_t
start_of(const struct generation *gen, int64_t now)
{
	int64_t start = gen->not_after - AHEAD;

	if (start < now + AT_LEAST)
		start = now + AT_LEAST;
	if (start > gen->not_after)
		start = gen->not_after;
	return start < now ? now : start;
}

/* Between the end of one and the beginning of the next nothing is issued. */
static enum err
check_start(const struct generation *gen, int64_t start, int64_t now)
{
	char end[TIME_TEXT];

	if (start <= now || start <= gen->not_after)
		return OK;
	time_text(gen->not_after, end);
	log_error("the present one ends at %s: the next one has to begin "
		  "before that, or at once",
	    end);
	return ERR_INPUT;
}

enum err
ca_rollover(
    int home, const struct ca *ca, const struct ca_again *order, int64_t now)
{
	const struct generation *gen = &ca->gen[ca->ngen - 1];
	int64_t days = order->days > 0 ? order->days : days_of(gen);
	int64_t start = order->start > 0 ? order->start : start_of(gen, now);
	struct ca_wish wish = { .subject = gen->subject,
		.not_before = start > now ? start : now - BACKDATE,
		.not_after = start + days * DAY,
		.pathlen = gen->pathlen,
		.baseurl = order->baseurl };
	struct buf pem = BUF_SECRET;
	struct cas *cas = NULL;
	char kind[KEY_KIND_TEXT];
	enum err e;

	if (gen->not_before > now)
		return ERR_EXISTS;
	key_kind(gen->key, kind);
	if ((e = key_here(gen->key)) != OK ||
	    (e = check_waiting(home, ca)) != OK ||
	    (e = check_days(days)) != OK ||
	    (e = check_start(gen, start, now)) != OK ||
	    (e = cas_new(home, &cas)) != OK ||
	    (e = find_parent(home, ca, gen, cas, &wish)) != OK ||
	    (e = key_generate(order->key ? order->key : kind, &pem)) != OK ||
	    (e = key_read(
		 "new key", buf_span(&pem), span_of("", 0), &wish.key)) != OK)
		goto out;
	e = make(home, ca, &wish, order->encrypt || gen->sealed);
out:
	key_close(wish.key);
	cas_free(cas);
	buf_release(&pem);
	return e;
}

/* Its key identifier stays: what was issued names it (C-188). */
enum err
ca_renew(
    int home, const struct ca *ca, const struct ca_again *order, int64_t now)
{
	const struct generation *gen = &ca->gen[ca->ngen - 1];
	int64_t days = order->days > 0 ? order->days : days_of(gen);
	struct ca_wish wish = { .key = gen->key,
		.subject = gen->subject,
		.ski = gen->ski,
		.not_before = now - BACKDATE,
		.not_after = now + days * DAY,
		.pathlen = gen->pathlen,
		.baseurl = order->baseurl };
	struct cas *cas = NULL;
	enum err e;

	if (gen->not_before > now)
		return ERR_EXISTS;
	if ((e = check_days(days)) != OK || (e = cas_new(home, &cas)) != OK ||
	    (e = find_parent(home, ca, gen, cas, &wish)) != OK)
		goto out;
	e = make(home, ca, &wish, order->encrypt || gen->sealed);
out:
	cas_free(cas);
	return e;
}
