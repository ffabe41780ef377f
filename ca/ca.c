#include "ca/ca.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/names.h"
#include "base/time.h"
#include "ca/called.h"
#include "ca/folder.h"
#include "ca/generation.h"

/* Below a CA's folder, what may change; zeros of what is not there. */
static const char *const watched[] = { "", "/ra", "/ca.ini" };
#define STAMPS (sizeof(watched) / sizeof(*watched))

/* A CA that was loaded, and its folder as it was then. */
struct slot {
	struct slot *next;
	struct ca ca;
	char *path; /* ca/<escaped name> */
	struct file_stamp stamp[STAMPS];
	bool settled; /* the folders had been quiet when they were read */
};
struct cas {
	int home;
	struct slot *first;
	int64_t patience; /* no RA certificate is renewed before then */
};

#define PATIENCE 60 /* seconds after a renewal that failed */

#define RA_MARK	  "/ra/.renewing" /* somebody makes the next RA */
#define CLAIM_AGE 120		  /* seconds that this holds */

static void
slot_free(struct slot *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->ca.ngen; i++)
		generation_release(&s->ca.gen[i]);
	for (size_t i = 0; i < s->ca.nra; i++)
		ra_release(&s->ca.ra[i]);
	free(s->ca.gen);
	free(s->ca.ra);
	ca_names_release(&s->ca);
	free(s->path);
	free(s);
}

struct loader {
	int home;
	struct slot *slot;
};

static enum err
load_one(const char *name, void *arg)
{
	struct loader *l = arg;
	struct ca *ca = &l->slot->ca;
	struct generation g = { .folder = generation_number(name) }, *more;
	struct buf dir = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (g.folder == 0)
		return OK;
	g.n = g.folder;
	more = realloc(ca->gen, (ca->ngen + 1) * sizeof(*more));
	if (more == NULL) {
		log_error("out of memory");
		return e;
	}
	ca->gen = more;
	if (buf_printf(&dir, "%s/%s", l->slot->path, name))
		e = generation_load(
		    l->home, ca->called, buf_cstr(&dir), &parts_ca, &g);
	buf_release(&dir);
	if (e == OK)
		ca->gen[ca->ngen++] = g;
	else
		generation_release(&g);
	return e == OK || e == ERR_CRYPTO ? e : ERR_SYSTEM;
}

static int
by_folder(const void *a, const void *b)
{
	const struct generation *x = a, *y = b;

	return (x->folder > y->folder) - (x->folder < y->folder);
}

/* Those with one key are filed under the first of them (C-202). */
static void
number_keys(struct ca *ca)
{
	for (size_t i = 1; i < ca->ngen; i++)
		for (size_t k = i; k-- > 0;)
			if (span_eq(ca->gen[k].spki, ca->gen[i].spki))
				ca->gen[i].n = ca->gen[k].n;
}

/* Its folder must be there. */
static enum err
stamps(int home, const char *path, struct file_stamp stamp[STAMPS])
{
	struct buf below = BUF_INIT;
	enum err e = OK;

	for (size_t i = 0; i < STAMPS && e == OK; i++) {
		stamp[i] = (struct file_stamp){ .ino = 0 };
		buf_clear(&below);
		e = ERR_SYSTEM;
		if (buf_printf(&below, "%s%s", path, watched[i]))
			e = file_stamp(home, buf_cstr(&below), &stamp[i]);
		if (i > 0 && e == ERR_NOTFOUND)
			e = OK;
	}
	buf_release(&below);
	return e;
}

/* A key that is mended does not change its folder's parent. */
static bool
settled(const struct slot *s)
{
	bool quiet = !s->ca.ra_lost;

	for (size_t i = 0; i < STAMPS; i++)
		quiet = quiet && s->stamp[i].mtime_s + 1 < time_now();
	return quiet;
}

/* The stamps are taken before the content, so a change meanwhile shows. */
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
	if ((s->path = str_dup(path)) == NULL)
		goto out;
	if ((e = stamps(home, path, s->stamp)) != OK)
		goto out;
	if ((e = ca_ini_read(home, path, name, &s->ca)) != OK) {
		e = e == ERR_INPUT ? ERR_SYSTEM : e;
		goto out;
	}
	if ((e = dir_each(home, path, load_one, &l)) != OK)
		goto out;
	if (s->ca.ngen == 0) {
		e = ERR_NOTFOUND;
		goto out;
	}
	qsort(s->ca.gen, s->ca.ngen, sizeof(*s->ca.gen), by_folder);
	number_keys(&s->ca);
	if ((e = ras_load(home, path, &s->ca)) != OK)
		goto out;
	s->settled = settled(s);
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

/* By its present name alone. */
static enum err
find(struct cas *cas, const char *name, const struct ca **out)
{
	struct buf path = BUF_INIT;
	struct slot *s;
	enum err e;

	for (s = cas->first; s != NULL; s = s->next) {
		if (strcmp(s->ca.called, name) == 0) {
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

enum err
cas_find(struct cas *cas, const char *name, const struct ca **out)
{
	struct buf called = BUF_INIT;
	enum err e = find(cas, name, out);

	if (e == ERR_NOTFOUND &&
	    (e = ca_identify(cas->home, name, &called, NULL)) == OK)
		e = find(cas, buf_cstr(&called), out);
	buf_release(&called);
	return e;
}

static bool
unchanged(int home, const struct slot *s)
{
	struct file_stamp stamp[STAMPS];
	bool same = s->settled && stamps(home, s->path, stamp) == OK;

	for (size_t i = 0; same && i < STAMPS; i++)
		same = file_stamp_eq(&stamp[i], &s->stamp[i]);
	return same;
}

void
cas_refresh(struct cas *cas)
{
	struct slot **link = &cas->first, *s;

	while ((s = *link) != NULL) {
		if (unchanged(cas->home, s)) {
			link = &s->next;
		} else {
			*link = s->next;
			slot_free(s);
		}
	}
}

static void
forget(struct cas *cas, const char *name)
{
	struct slot **link = &cas->first, *s;

	while ((s = *link) != NULL && !ca_called(&s->ca, name))
		link = &s->next;
	if (s != NULL) {
		*link = s->next;
		slot_free(s);
	}
}

/*
 * Who comes first makes the key, others go on with the old RA.  The mark is
 * advice alone: it saves keys in vain, and what is made is decided by the
 * name of the folder.  One that a crash has left is taken after CLAIM_AGE.
 */
static enum err
claim(int home, const char *mark)
{
	struct file_facts facts;
	int64_t age;
	enum err e = dir_make(home, mark);

	if (e != ERR_EXISTS)
		return e;
	if ((e = file_facts(home, mark, &facts)) != OK)
		return e == ERR_NOTFOUND ? ERR_EXISTS : e;
	age = time_now() - facts.mtime;
	if (age >= -CLAIM_AGE && age <= CLAIM_AGE)
		return ERR_EXISTS;
	if ((e = dir_remove(home, mark)) == OK)
		e = dir_make(home, mark);
	return e;
}

/* Under the mark; somebody may have been here before it. */
static enum err
renew(struct cas *cas, const char *name, const char *baseurl, int64_t now)
{
	const struct ra_order again = { .baseurl = baseurl };
	const struct ca *ca = NULL;
	enum err e;

	forget(cas, name);
	if ((e = cas_find(cas, name, &ca)) != OK)
		return e;
	if (!ca_ra_due(ca, now))
		return ERR_EXISTS;
	if ((e = ca_ra_renew(cas->home, ca, &again, now)) == OK ||
	    e == ERR_EXISTS)
		forget(cas, name);
	return e;
}

bool
cas_tend(struct cas *cas, const char *name, const char *baseurl, int64_t now)
{
	struct buf mark = BUF_INIT;
	const struct ca *ca = NULL;
	enum err e;

	if (now < cas->patience || cas_find(cas, name, &ca) != OK ||
	    !ca_ra_due(ca, now))
		return false;
	if ((e = ca_path(ca->called, &mark)) == OK && !buf_str(&mark, RA_MARK))
		e = ERR_SYSTEM;
	if (e == OK && (e = claim(cas->home, buf_cstr(&mark))) == OK) {
		e = renew(cas, name, baseurl, now);
		(void)dir_remove(cas->home, buf_cstr(&mark));
	}
	if (e != OK && e != ERR_EXISTS) {
		log_warn("CA %s: its RA certificate cannot be renewed; the old "
			 "one goes on, and a minute from now it is tried again",
		    name);
		cas->patience = now + PATIENCE;
	}
	buf_release(&mark);
	return e == OK;
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
