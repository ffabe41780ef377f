#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/time.h"
#include "ca/bring.h"
#include "ca/crl.h"
#include "message/signed.h"
#include "queue.h"
#include "queue_own.h"
#include "queue_text.h"
#include "store/cert.h"
#include "store/crl.h"
#include "visit.h"

/*
 * What travels from the CA with every pull: its newest CRL; its next
 * certificate, as the answer of GetNextCACert, which only the CA can sign; and
 * its present one, which may be a new one for the key that signs all this
 * (`scep ca renew`).
 *
 * A former key's CRL (C-202) goes in a letter of its own, under a name of its
 * own: so each is as large as a CRL may be, and a program that does not know
 * of such letters reads the first one as ever.
 */

enum err
queue_news_name(const struct ca *ca, char out[QUEUE_NEWS_NAME])
{
	char hash[SHA256_HEX];
	enum err e = sha256_hex(ca->gen[ca->ngen - 1].subject, hash);

	(void)snprintf(out, QUEUE_NEWS_NAME, "news,%.16s", hash);
	return e;
}

enum err
queue_former_name(const struct generation *gen, char out[QUEUE_NEWS_NAME])
{
	char hash[SHA256_HEX];
	enum err e = sha256_hex(gen->spki, hash);

	(void)snprintf(out, QUEUE_NEWS_NAME, "news,%.16s", hash);
	return e;
}

const struct generation *
queue_former(const struct ca *ca, size_t i, int64_t now)
{
	const struct generation *current = ca_current(ca, now);
	const struct generation *gen = &ca->gen[i];

	if (current == NULL || gen->n == current->n || gen->not_before > now)
		return NULL;
	while (++i < ca->ngen)
		if (ca->gen[i].n == gen->n && ca->gen[i].not_before <= now)
			return NULL;
	return gen;
}

/* ---- on the RA's host --------------------------------------------------- */

/* Into the store, if it is newer than what is there. */
static enum err
take_crl(const struct queue_side *s, const struct ca *ca, struct span der,
    const char **why)
{
	struct issuer by = { ca->name, 0 };
	uint64_t highest = 0;
	struct crl_view v;
	enum err e;

	*why = "its CRL is unreadable";
	if (crl_view(der, &v) != OK || !v.numbered || v.number == 0)
		return ERR_INPUT;
	for (size_t i = ca->ngen; i > 0 && by.generation == 0; i--)
		if (crl_signed(der, ca->gen[i - 1].spki))
			by.generation = ca->gen[i - 1].n;
	*why = "its CRL was not signed by this CA";
	if (by.generation == 0)
		return ERR_INPUT;
	if ((e = crls_highest(s->store, &by, &highest)) != OK ||
	    v.number <= highest)
		return e;
	if (v.number > highest + 1)
		e = crls_raise(s->store, &by, v.number - 1);
	if (e == OK)
		e = crls_link(s->store, &by, v.number, der);
	return e == ERR_EXISTS ? OK : e; /* somebody was faster */
}

/* Is it one that is here already? */
static bool
is_known(const struct ca *ca, struct span cert)
{
	for (size_t i = 0; i < ca->ngen; i++)
		if (span_eq(buf_span(&ca->gen[i].cert), cert))
			return true;
	return false;
}

/* The first one is the CA's, the others are its issuers, or nobody's. */
static enum err
read_certs(struct span certs, struct bring *b)
{
	struct buf all = BUF_INIT;
	struct cert_view v;
	struct der one;
	enum err e = ERR_INPUT;

	if (!der_next(&certs, &one) || cert_view(one.whole, &v) != OK)
		return ERR_INPUT;
	if (!buf_add(&b->cert, one.whole.p, one.whole.len))
		return ERR_SYSTEM;
	e = key_public("the CA's new certificate", v.spki, &b->key);
	while (e == OK && der_next(&certs, &one))
		e = cert_pem(one.whole, &all);
	if (e == OK)
		e = certs_read("chain", buf_span(&all), &b->chain, &b->nchain);
	buf_release(&all);
	return e;
}

/* A generation of the CA, here too. */
static enum err
bring_it(const struct queue_side *s, const struct bring *b, const char *what)
{
	enum err e = bring_store(s->home, b, s->now);

	if (e == ERR_EXISTS) /* somebody was faster */
		return OK;
	if (e == OK)
		log_info("CA %s: its %s certificate has come", b->name, what);
	return e == ERR_REFUSED ? ERR_INPUT : e;
}

/*
 * A new certificate for a key that is trusted here already: one of these has
 * signed the news.  ERR_EXISTS: it is here now, and what else the news have is
 * for a CA that has it.
 */
static enum err
take_renewed(const struct queue_side *s, const struct ca *ca, struct span certs,
    const char **why)
{
	struct bring b = { .name = ca->called, .ca = ca };
	struct cert_view v;
	bool ours = false;
	enum err e;

	if (certs.len == 0)
		return OK;
	*why = "the CA's present certificate in them cannot be taken";
	if ((e = read_certs(certs, &b)) != OK ||
	    is_known(ca, buf_span(&b.cert)))
		goto out;
	e = cert_view(buf_span(&b.cert), &v);
	for (size_t i = 0; e == OK && i < ca->ngen; i++)
		ours |= span_eq(ca->gen[i].spki, v.spki);
	if (e == OK && !ours)
		e = ERR_INPUT;
	if (e == OK)
		e = bring_it(s, &b, "renewed");
	if (e == OK)
		e = ERR_EXISTS;
out:
	bring_release(&b);
	return e;
}

/* The next certificate. */
static enum err
take_next(const struct queue_side *s, const struct ca *ca, struct span der,
    const char **why)
{
	struct bring b = { .name = ca->called, .ca = ca };
	struct signed_data sd;
	enum err e;

	if (der.len == 0)
		return OK;
	if ((e = signed_read(der, &sd, why)) != OK)
		return e;
	*why = "its next certificate cannot be taken";
	if ((e = read_certs(sd.certs, &b)) == OK &&
	    !is_known(ca, buf_span(&b.cert))) {
		/* a generation that stands can issue */
		e = cert_rooms(s->store, ca->name, ca_top(ca) + 1);
		if (e == OK)
			e = bring_it(s, &b, "next");
	}
	bring_release(&b);
	return e;
}

/* What a wrong clock has dated ahead would have all later ones refused. */
static enum err
is_credible(const struct queue_side *s, int64_t time, const char **why)
{
	if (time <= s->now + DAY)
		return OK;
	*why = "they were written in the future: a clock is wrong";
	return ERR_INPUT;
}

/* Not before the last that were good?  Of the same second both are taken. */
static enum err
is_newer(const struct queue_side *s, const char *name, int64_t time)
{
	struct queue_kept kept = { .next = BUF_INIT };
	enum err e = queue_kept(s->store, s->alias->name, name, &kept);

	buf_release(&kept.next);
	if (e == ERR_NOTFOUND)
		return OK;
	if (e == OK && time < kept.time)
		return ERR_NOTFOUND;
	return e;
}

static enum err
take(const struct queue_side *s, const struct ca *ca, const char *name,
    struct span der, const char **why)
{
	struct queue_kept kept = { .next = BUF_INIT };
	struct letter_opened l = { .plain = BUF_SECRET };
	struct queue_news news = { .certs = BUF_INIT };
	enum err e;

	if ((e = queue_verify(ca, name, LETTER_NEWS, der, &l, why)) != OK)
		goto out;
	*why = "its text is unreadable";
	if ((e = queue_news_read(l.text, &news)) != OK ||
	    (e = is_credible(s, news.time, why)) != OK ||
	    (e = is_newer(s, name, news.time)) != OK ||
	    (e = take_renewed(s, ca, buf_span(&news.certs), why)) != OK ||
	    (e = take_crl(s, ca, l.part[0], why)) != OK ||
	    (e = take_next(s, ca, l.part[1], why)) != OK)
		goto out;
	kept.time = news.time;
	e = ERR_SYSTEM;
	if (buf_add(&kept.next, l.part[1].p, l.part[1].len))
		e = queue_keep(s->store, s->alias->name, name, &kept);
out:
	queue_news_release(&news);
	buf_release(&kept.next);
	letter_release(&l);
	return e;
}

/* One letter of them. */
static enum err
take_letter(const struct queue_side *s, const struct ca *ca, const char *name,
    const char **why)
{
	struct buf path = BUF_INIT, der = BUF_INIT;
	const char *said = "they are not whole: cut short on their way, or "
			   "changed";
	enum err e = queue_in_path(s->alias->name, name, &path);

	if (e == OK)
		e = queue_letter(s->store, buf_cstr(&path), &der);
	if (e == OK)
		e = take(s, ca, name, buf_span(&der), &said);
	if (e == OK || e == ERR_INPUT || (e == ERR_NOTFOUND && der.len > 0))
		queue_drop_read(s->store, s->alias->name, name, buf_span(&der));
	if (e == ERR_INPUT)
		*why = said;
	buf_release(&path);
	buf_release(&der);
	return e;
}

/* One bad letter is no reason to leave the others. */
enum err
queue_take_news(
    const struct queue_side *s, const struct ca *ca, const char **why)
{
	char name[QUEUE_NEWS_NAME];
	enum err e = queue_news_name(ca, name), one = OK;

	if (e == OK)
		e = take_letter(s, ca, name, why);
	for (size_t i = 0; i < ca->ngen; i++) {
		const struct generation *gen = queue_former(ca, i, s->now);

		if (e != OK && e != ERR_INPUT && e != ERR_NOTFOUND)
			break;
		if (gen == NULL)
			continue;
		if ((one = queue_former_name(gen, name)) == OK)
			one = take_letter(s, ca, name, why);
		if (one != ERR_NOTFOUND && (one != OK || e == ERR_NOTFOUND))
			e = one;
	}
	return e;
}

enum err
queue_next_answer(
    const struct queue_side *s, const struct ca *ca, struct buf *out)
{
	struct queue_kept kept = { .next = BUF_INIT };
	char name[QUEUE_NEWS_NAME];
	enum err e;

	if ((e = queue_news_name(ca, name)) == OK)
		e = queue_kept(s->store, s->alias->name, name, &kept);
	if (e == OK && kept.next.len == 0)
		e = ERR_NOTFOUND;
	if (e == OK && !buf_add(out, kept.next.data, kept.next.len))
		e = ERR_SYSTEM;
	buf_release(&kept.next);
	return e;
}

/* A pull brings news where there is a room, though nobody has asked yet. */
static void
make_rooms(const struct visit *v)
{
	struct buf in = BUF_INIT;

	if (queue_in_path(v->alias->name, "", &in) == OK &&
	    file_exists(v->house->store.root, buf_cstr(&in)) == ERR_NOTFOUND)
		(void)queue_rooms(&v->house->store, v->alias->name);
	buf_release(&in);
}

/* They are few, and most requests find none. */
static bool
take_all(struct visit *v, const struct queue_side *s)
{
	const struct ca *ca = NULL;
	const char *why = NULL;
	bool taken = false;
	enum err e;

	for (size_t i = 0; i < v->alias->ncas; i++) {
		if (cas_find(v->house->cas, v->alias->cas[i], &ca) != OK)
			continue;
		e = queue_take_news(s, ca, &why);
		if (e == ERR_INPUT)
			log_warn("alias %s: news of CA %s are not taken: %s",
			    v->alias->name, ca->called, why);
		taken |= e == OK || e == ERR_EXISTS;
	}
	return taken;
}

void
queue_visit(struct visit *v)
{
	const struct queue_side s = { .store = &v->house->store,
		.home = v->house->home,
		.alias = v->alias,
		.now = v->now };

	if (v->alias->mode != MODE_EXTERNALRA)
		return;
	make_rooms(v);
	for (int i = 0; i < QUEUE_ROUNDS && take_all(v, &s); i++)
		cas_refresh(v->house->cas);
}
