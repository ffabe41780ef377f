#include "base/file.h"
#include "base/ini.h"
#include "base/limits.h"
#include "base/log.h"
#include "ca/dn.h"
#include "ca/generation.h"

/* ---- reading ---- */

struct loader {
	int home;
	const char *dir; /* ca/<escaped name> */
	struct ca *ca;
};

void
ra_release(struct ra *ra)
{
	generation_release(&ra->enc);
	generation_release(&ra->sign);
}

/* ra.ini: that we made it, and for how many days. */
static enum err
read_origin(int home, const char *dir, struct ra *ra)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	const struct ini_entry *days;
	struct ini *ini = NULL;
	enum err e = ERR_SYSTEM;

	if (!buf_printf(&path, "%s/ra.ini", dir) ||
	    (e = file_read(home, buf_cstr(&path), MAX_INI, &text)) != OK ||
	    (e = ini_parse(buf_cstr(&path), buf_span(&text), &ini)) != OK)
		goto out;
	days = ini_find(ini, "ra", "days");
	if (days != NULL)
		ra->days = (int64_t)strtoul(days->value, NULL, 10);
	if (ra->days < 1 || ra->days > MAX_DAYS) {
		log_error(
		    "%s: days must be 1 to %d", buf_cstr(&path), MAX_DAYS);
		e = ERR_SYSTEM;
	}
out:
	ini_free(ini);
	buf_release(&path);
	buf_release(&text);
	return e == ERR_NOTFOUND ? OK : e;
}

static bool
valid(const struct generation *g, int64_t now)
{
	return g->not_before <= now && now < g->not_after;
}

/*
 * Of generations with one name the key identifier tells; of those with one
 * key too, the time: an RA is made by the generation that is current then,
 * not by one that waits ahead.
 */
static unsigned
issuer_of(const struct ca *ca, const struct generation *g)
{
	unsigned any = 0;

	for (size_t i = ca->ngen; i > 0; i--) {
		const struct generation *by = &ca->gen[i - 1];

		if (!dn_eq(g->issuer, by->subject) ||
		    (g->aki.len > 0 && !span_eq(g->aki, by->ski)))
			continue;
		if (valid(by, g->not_before))
			return by->n;
		any = any == 0 ? by->n : any;
	}
	return any;
}

static enum err
ra_load(const struct loader *l, const char *dir, struct ra *ra)
{
	struct buf path = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (!buf_printf(&path, "%s/%s", dir, parts_sign.cert))
		goto out;
	e = file_exists(l->home, buf_cstr(&path));
	ra->split = e == OK;
	if (e != OK && e != ERR_NOTFOUND)
		goto out;
	e = generation_load(l->home, l->ca->called, dir, &parts_ra, &ra->enc);
	if (e == OK && ra->split)
		e = generation_load(
		    l->home, l->ca->called, dir, &parts_sign, &ra->sign);
	if (e == OK)
		e = read_origin(l->home, dir, ra);
	if (e == OK && key_type(ra->enc.key) != KEY_RSA) {
		log_error(
		    "%s: an RA needs an RSA key: clients encrypt to it", dir);
		e = ERR_CRYPTO;
	}
	ra->gen = issuer_of(l->ca, &ra->enc);
out:
	buf_release(&path);
	return e;
}

/*
 * One that is broken, of which the leaf has told, is left out: it must not
 * stop the CA's CRLs, nor the other ones.
 */
static enum err
load_one(const char *name, void *arg)
{
	struct loader *l = arg;
	struct ca *ca = l->ca;
	struct ra ra = { .n = generation_number(name) }, *more;
	struct buf dir = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (ra.n == 0)
		return OK;
	if (ca->ra_top < ra.n)
		ca->ra_top = ra.n;
	more = realloc(ca->ra, (ca->nra + 1) * sizeof(*more));
	if (more == NULL) {
		log_error("out of memory");
		return e;
	}
	ca->ra = more;
	ra.enc.n = ra.sign.n = ra.n;
	ra.enc.folder = ra.sign.folder = ra.n;
	if (buf_printf(&dir, "%s/ra/%s", l->dir, name))
		e = ra_load(l, buf_cstr(&dir), &ra);
	buf_release(&dir);
	if (e == OK)
		ca->ra[ca->nra++] = ra;
	else
		ra_release(&ra);
	ca->ra_lost |= e != OK;
	return OK;
}

static int
by_number(const void *a, const void *b)
{
	const struct ra *x = a, *y = b;

	return (x->n > y->n) - (x->n < y->n);
}

enum err
ras_load(int home, const char *dir, struct ca *ca)
{
	struct loader l = { home, dir, ca };
	struct buf path = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (buf_printf(&path, "%s/ra", dir))
		e = dir_each(home, buf_cstr(&path), load_one, &l);
	if (ca->nra > 1)
		qsort(ca->ra, ca->nra, sizeof(*ca->ra), by_number);
	buf_release(&path);
	return e == ERR_NOTFOUND ? OK : e;
}

/* ---- asking ---- */

const struct generation *
ra_signer(const struct ra *ra)
{
	return ra->split ? &ra->sign : &ra->enc;
}

static bool
ra_valid(const struct ra *ra, int64_t now)
{
	return valid(&ra->enc, now) && (!ra->split || valid(&ra->sign, now));
}

/* Is its generation one of those that have not begun? */
static bool
ahead(const struct ca *ca, const struct ra *ra, int64_t now)
{
	const struct generation *current = ca_current(ca, now);
	size_t i = 0;

	while (i < ca->ngen && ca->gen[i].n != ra->gen)
		i++;
	return current != NULL && i<ca->ngen && & ca->gen[i]> current;
}

const struct ra *
ca_ra_current(const struct ca *ca, int64_t now)
{
	const struct generation *gen = ca_current(ca, now);
	const struct ra *any = NULL;

	for (size_t i = ca->nra; i > 0; i--) {
		const struct ra *ra = &ca->ra[i - 1];

		if (!ra_valid(ra, now))
			continue;
		if (gen != NULL && ra->gen == gen->n)
			return ra;
		any = any == NULL ? ra : any;
	}
	return any;
}

const struct ra *
ca_ra_newest(const struct ca *ca, int64_t now)
{
	const struct generation *gen = ca_current(ca, now);
	const struct ra *any = NULL;

	for (size_t i = ca->nra; i > 0; i--) {
		const struct ra *ra = &ca->ra[i - 1];

		if (ahead(ca, ra, now))
			continue;
		if (gen != NULL && ra->gen == gen->n)
			return ra;
		any = any == NULL ? ra : any;
	}
	return any;
}

const struct ra *
ca_ra_of(const struct ca *ca, unsigned n)
{
	for (size_t i = ca->nra; i > 0; i--)
		if (ca->ra[i - 1].gen == n)
			return &ca->ra[i - 1];
	return NULL;
}

bool
ra_serves(const struct ra *ra, int64_t now)
{
	return ra->enc.not_before <= now && now < ra->enc.not_after + RA_GRACE;
}

bool
ca_ra_serves(
    const struct ca *ca, const struct ra *ra, int64_t now, int64_t grace)
{
	if (ahead(ca, ra, now))
		return true;
	return ra_serves(ra, now) && (ca_serves(ca, ra->gen, now, grace) ||
					 ra == ca_ra_current(ca, now));
}

const struct generation *
ca_ra_issuer(const struct ca *ca, const struct ra *ra, int64_t now)
{
	return ca_issuer(ca, ra->gen, now);
}

const struct generation *
ca_signer(const struct ca *ca, int64_t now)
{
	const struct ra *ra = ca_ra_current(ca, now);

	return ra != NULL ? ra_signer(ra) : ca_current(ca, now);
}

bool
ca_ra_due(const struct ca *ca, int64_t now)
{
	const struct generation *gen = ca_current(ca, now), *old;
	const struct ra *ra = ca_ra_newest(ca, now);
	int64_t end;

	if (ra == NULL || gen == NULL || !valid(gen, now))
		return false;
	old = &ra->enc;
	if (ra->days == 0 || now < old->not_before)
		return false;
	/* whatever else is said: no more than one a day while it works */
	if (valid(old, now) && now < old->not_before + DAY)
		return false;
	if (ra->gen != gen->n)
		return true;
	end = now + ra->days * DAY;
	if (end > gen->not_after)
		end = gen->not_after;
	return end - old->not_after >= DAY &&
	       now >=
		   old->not_before + (old->not_after - old->not_before) / 3 * 2;
}
