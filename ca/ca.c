#include "ca/ca.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/names.h"
#include "base/time.h"
#include "ca/cert.h"
#include "ca/folder.h"
#include "ca/tbs.h"

/* A CA that was loaded, and its folder as it was then. */
struct slot {
	struct slot *next;
	struct ca ca;
	char *path; /* ca/<escaped name> */
	struct file_stamp stamp;
	bool settled; /* the folder had been quiet when it was read */
};
struct cas {
	int home;
	struct slot *first;
};

static void
generation_release(struct generation *g)
{
	key_close(g->key);
	certs_free(g->chain, g->nchain);
	buf_release(&g->ski_own);
	buf_release(&g->cert);
}

static void
slot_free(struct slot *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->ca.ngen; i++)
		generation_release(&s->ca.gen[i]);
	free(s->ca.gen);
	free(s->ca.name);
	free(s->path);
	free(s);
}

/* Reads <path>/<n>/<file>; a missing one is an error unless it may be. */
static enum err
read_part(int home, const char *dir, const char *file, bool must,
    struct buf *where, struct buf *out)
{
	enum err e;

	buf_clear(where);
	if (!buf_printf(where, "%s/%s", dir, file))
		return ERR_SYSTEM;
	e = file_read(home, buf_cstr(where), MAX_PEM, out);
	if (e == ERR_NOTFOUND && !must)
		return OK;
	if (e == ERR_NOTFOUND)
		log_error("%s is missing", buf_cstr(where));
	return e;
}

static enum err
fill(struct generation *g, const char *where)
{
	uint8_t id[20];
	struct cert_view v;
	enum err e;

	if ((e = cert_view(buf_span(&g->cert), &v)) != OK)
		return e;
	g->subject = v.subject;
	g->issuer = v.issuer;
	g->serial = v.serial;
	g->spki = v.spki;
	g->ski = v.ski;
	g->not_before = v.not_before;
	g->not_after = v.not_after;
	g->usage = v.usage;
	g->self_signed = v.self_signed;
	if (g->ski.len > 0)
		return OK;
	if ((e = spki_id(g->spki, id)) != OK) {
		log_error("%s: its public key is unreadable", where);
		return e;
	}
	if (!buf_add(&g->ski_own, id, sizeof(id)))
		return ERR_SYSTEM;
	g->ski = buf_span(&g->ski_own);
	return OK;
}

static enum err
generation_load(int home, const char *dir, struct generation *g)
{
	struct buf where = BUF_INIT, pem = BUF_INIT, chain = BUF_INIT;
	enum err e;

	if ((e = read_part(home, dir, "cert.pem", true, &where, &pem)) != OK ||
	    (e = cert_read(buf_cstr(&where), buf_span(&pem), &g->cert)) != OK ||
	    (e = fill(g, buf_cstr(&where))) != OK)
		goto out;
	if ((e = read_part(home, dir, "chain.pem", false, &where, &chain)) !=
		OK ||
	    (e = certs_read(buf_cstr(&where), buf_span(&chain), &g->chain,
		 &g->nchain)) != OK)
		goto out;
	buf_clear(&where);
	if (!buf_printf(&where, "%s/key.pem", dir))
		e = ERR_SYSTEM;
	else if ((e = key_open(home, buf_cstr(&where), &g->key)) ==
		 ERR_NOTFOUND)
		log_error("%s is missing", buf_cstr(&where));
	else if (e == OK && !key_fits(g->key, g->spki)) {
		log_error("%s is not the key of cert.pem", buf_cstr(&where));
		e = ERR_CRYPTO;
	}
out:
	buf_release(&where);
	buf_release(&pem);
	buf_release(&chain);
	return e;
}

struct loader {
	int home;
	struct slot *slot;
};

/* "1" to "999999999"; 0 for any other name. */
static unsigned
generation_number(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > 9 || name[0] == '0' ||
	    strspn(name, "0123456789") != len)
		return 0;
	return (unsigned)strtoul(name, NULL, 10);
}

static enum err
load_one(const char *name, void *arg)
{
	struct loader *l = arg;
	struct ca *ca = &l->slot->ca;
	struct generation g = { .n = generation_number(name) }, *more;
	struct buf dir = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (g.n == 0)
		return OK;
	more = realloc(ca->gen, (ca->ngen + 1) * sizeof(*more));
	if (more == NULL) {
		log_error("out of memory");
		return e;
	}
	ca->gen = more;
	if (buf_printf(&dir, "%s/%s", l->slot->path, name))
		e = generation_load(l->home, buf_cstr(&dir), &g);
	buf_release(&dir);
	if (e == OK)
		ca->gen[ca->ngen++] = g;
	else
		generation_release(&g);
	return e == OK || e == ERR_CRYPTO ? e : ERR_SYSTEM;
}

static int
by_number(const void *a, const void *b)
{
	const struct generation *x = a, *y = b;

	return (x->n > y->n) - (x->n < y->n);
}

/* The stamp is taken before the content, so a change meanwhile shows. */
static enum err
slot_load(int home, const char *name, const char *path, struct slot **out)
{
	struct slot *s = calloc(1, sizeof(*s));
	struct loader l = { home, s };
	enum err e = ERR_SYSTEM;

	if (s == NULL) {
		log_error("out of memory");
		return e;
	}
	if ((s->ca.name = str_dup(name)) == NULL ||
	    (s->path = str_dup(path)) == NULL)
		goto out;
	if ((e = file_stamp(home, path, &s->stamp)) != OK ||
	    (e = dir_each(home, path, load_one, &l)) != OK)
		goto out;
	if (s->ca.ngen == 0) {
		e = ERR_NOTFOUND;
		goto out;
	}
	qsort(s->ca.gen, s->ca.ngen, sizeof(*s->ca.gen), by_number);
	s->settled = s->stamp.mtime_s + 1 < time_now();
	*out = s;
	s = NULL;
out:
	slot_free(s);
	return e;
}

enum err
cas_new(int home, struct cas **out)
{
	struct cas *cas = calloc(1, sizeof(*cas));

	if (cas == NULL) {
		log_error("out of memory");
		return ERR_SYSTEM;
	}
	cas->home = home;
	*out = cas;
	return OK;
}

void
cas_free(struct cas *cas)
{
	struct slot *s;

	if (cas == NULL)
		return;
	while ((s = cas->first) != NULL) {
		cas->first = s->next;
		slot_free(s);
	}
	free(cas);
}

enum err
cas_find(struct cas *cas, const char *name, const struct ca **out)
{
	struct buf path = BUF_INIT;
	struct slot *s;
	enum err e;

	for (s = cas->first; s != NULL; s = s->next) {
		if (strcmp(s->ca.name, name) == 0) {
			*out = &s->ca;
			return OK;
		}
	}
	if ((e = ca_path(name, &path)) == OK &&
	    (e = slot_load(cas->home, name, buf_cstr(&path), &s)) == OK) {
		s->next = cas->first;
		cas->first = s;
		*out = &s->ca;
	}
	buf_release(&path);
	return e == ERR_INPUT ? ERR_NOTFOUND : e;
}

void
cas_refresh(struct cas *cas)
{
	struct slot **link = &cas->first, *s;
	struct file_stamp now;

	while ((s = *link) != NULL) {
		if (s->settled && file_stamp(cas->home, s->path, &now) == OK &&
		    file_stamp_eq(&now, &s->stamp)) {
			link = &s->next;
		} else {
			*link = s->next;
			slot_free(s);
		}
	}
}

const struct generation *
ca_current(const struct ca *ca, int64_t now)
{
	for (size_t i = ca->ngen; i > 0; i--)
		if (ca->gen[i - 1].not_before <= now)
			return &ca->gen[i - 1];
	return NULL;
}

struct names {
	char **name;
	size_t n;
};

/* Names that the escape never writes are not CAs: half-made ones, litter. */
static enum err
name_add(const char *file, void *arg)
{
	struct names *names = arg;
	struct buf name = BUF_INIT;
	char **more;
	enum err e = ERR_SYSTEM;

	if (file[0] == '.' || name_unescape(file, &name) != OK) {
		e = OK;
		goto out;
	}
	more = realloc(names->name, (names->n + 1) * sizeof(*more));
	if (more == NULL) {
		log_error("out of memory");
		goto out;
	}
	names->name = more;
	if ((more[names->n] = str_dup(buf_cstr(&name))) != NULL) {
		names->n++;
		e = OK;
	}
out:
	buf_release(&name);
	return e;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

enum err
ca_names(int home, char ***out, size_t *n)
{
	struct names names = { NULL, 0 };
	enum err e = dir_each(home, "ca", name_add, &names);

	if (e != OK && e != ERR_NOTFOUND) {
		for (size_t i = 0; i < names.n; i++)
			free(names.name[i]);
		free(names.name);
		return e;
	}
	if (names.n > 1)
		qsort(names.name, names.n, sizeof(char *), by_name);
	*out = names.name;
	*n = names.n;
	return OK;
}
