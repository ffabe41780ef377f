#include "admin/movein.h"

#include <stdlib.h>

#include "ca/dn.h"
#include "store/cert.h"

enum err
landlords_find(struct command *cmd, struct landlords *out)
{
	const char *only = opt_text(cmd, "ca");
	enum err e;

	*out = (struct landlords){ .n = 0 };
	if ((e = ca_list_read(cmd, &out->names)) != OK ||
	    (e = cas_new(cmd->home, &out->cas)) != OK)
		return e;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers, borrowed */
	out->ca = calloc(out->names.n + 1, sizeof(*out->ca));
	if (out->ca == NULL)
		return say(ERR_SYSTEM, "out of memory");
	for (size_t i = 0; i < out->names.n; i++) {
		if (only != NULL && strcmp(only, out->names.name[i]) != 0)
			continue;
		e = cas_find(out->cas, out->names.name[i], &out->ca[out->n]);
		if (e != OK)
			return e;
		out->n++;
	}
	if (out->n == 0)
		return say(ERR_NOTFOUND,
		    "no CA%s%s; bring it first, with its key: `scep ca import`",
		    only ? " " : "", only ? only : "");
	return OK;
}

void
landlords_release(struct landlords *l)
{
	free(l->ca);
	cas_free(l->cas);
	ca_list_release(&l->names);
}

const struct generation *
landlord_of(const struct landlords *l, struct span name, struct span der,
    bool (*is_signed)(struct span der, struct span spki), const struct ca **ca)
{
	for (size_t i = 0; i < l->n; i++) {
		for (size_t k = 0; k < l->ca[i]->ngen; k++) {
			const struct generation *gen = &l->ca[i]->gen[k];

			if (!dn_eq(gen->subject, name) ||
			    !is_signed(der, gen->spki))
				continue;
			*ca = l->ca[i];
			return gen;
		}
	}
	return NULL;
}

enum err
arrival_add(struct arrivals *a, const struct arrival *what)
{
	size_t room = a->room == 0 ? 64 : 2 * a->room;
	struct arrival *more;

	if (a->n == a->room) {
		more = realloc(a->arrival, room * sizeof(*more));
		if (more == NULL)
			return say(ERR_SYSTEM, "out of memory");
		a->arrival = more;
		a->room = room;
	}
	a->arrival[a->n++] = *what;
	return OK;
}

void
arrivals_release(struct arrivals *a)
{
	free(a->arrival);
	*a = (struct arrivals){ .n = 0 };
}

enum err
arrivals_revoke(const struct command *cmd, struct arrivals *a, unsigned *done,
    unsigned *known)
{
	enum err e = OK;

	*done = *known = 0;
	for (size_t i = 0; i < a->n && e == OK; i++) {
		struct arrival *what = &a->arrival[i];

		what->r.written = cmd->now;
		e = revoked_add(&cmd->store, &what->by, &what->r);
		*done += e == OK;
		*known += e == ERR_EXISTS;
		if (e == ERR_EXISTS)
			e = OK;
	}
	return e;
}
