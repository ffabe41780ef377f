#include "admin/request.h"

#include <string.h>

/* Which request is meant, and where it stands. */

#define LEAST 8 /* digits of an id that people must give */

void
sighting_release(struct sighting *s)
{
	waiting_release(&s->w);
	outcome_release(&s->outcome);
	*s = (struct sighting)SIGHTING_INIT;
}

enum err
sighting_look(const struct command *cmd, struct sighting *s)
{
	const struct waiting *w = &s->w;
	struct transaction t = {
		.alias = w->alias, .ca = w->ca, .id = buf_span(&w->txid)
	};
	bool over = false;
	enum err e;

	memcpy(t.name, w->transaction, sizeof(t.name));
	outcome_release(&s->outcome);
	s->standing = STANDS_DECIDED;
	e = approval_count(&cmd->store, w->id, &s->yeses, NULL);
	if (e != OK)
		return e;
	e = outcome_find(&cmd->store, &t, w->attempt, &s->outcome);
	if (e != ERR_NOTFOUND)
		return e;
	e = waiting_over(&cmd->store, w, cmd->now, &over);
	s->standing =
	    s->yeses >= w->required ? STANDS_APPROVED : STANDS_WAITING;
	if (over)
		s->standing = STANDS_OVER;
	return e;
}

const char *
sighting_word(const struct sighting *s)
{
	static const char *const words[STANDS__MAX] = {
		[STANDS_WAITING] = "waiting",
		[STANDS_APPROVED] = "approved",
		[STANDS_OVER] = "expired",
	};
	static const char *const outcomes[OUTCOME__MAX] = {
		[OUTCOME_CERTIFICATE] = "issued",
		[OUTCOME_ABANDONED] = "moved",
		[OUTCOME_DENIED] = "denied",
		[OUTCOME_EXPIRED] = "expired",
		[OUTCOME_PASSED] = "passed",
	};

	return s->standing == STANDS_DECIDED ? outcomes[s->outcome.kind] :
					       words[s->standing];
}

bool
approver_text(const struct approval *a, struct buf *out)
{
	if (!buf_printf(out, "uid %u", a->uid))
		return false;
	if (a->name != NULL && !buf_printf(out, " (%s)", a->name))
		return false;
	return a->as == NULL || buf_printf(out, " for %s", a->as);
}

/* --- all of them -------------------------------------------------------- */

/* Places of requests, gathered, then sorted. */
struct place {
	char transaction[SHA256_HEX];
	unsigned attempt;
	int64_t created;
};
struct places {
	const struct command *cmd;
	struct buf list; /* of struct place */
};

static enum err
keep_place(const struct waiting *w, void *arg)
{
	struct places *p = arg;
	struct place one = { .attempt = w->attempt, .created = w->created };

	memcpy(one.transaction, w->transaction, sizeof(one.transaction));
	return buf_add(&p->list, &one, sizeof(one)) ? OK : ERR_SYSTEM;
}

static enum err
keep_alias(const char *alias, void *arg)
{
	struct places *p = arg;

	return waiting_each(&p->cmd->store, alias, keep_place, p);
}

static int
by_age(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->created != y->created)
		return x->created < y->created ? -1 : 1;
	return strcmp(x->transaction, y->transaction);
}

enum err
request_each(const struct command *cmd,
    enum err (*each)(const struct sighting *, void *arg), void *arg)
{
	struct places p = { cmd, BUF_INIT };
	struct sighting s = SIGHTING_INIT;
	struct place *at;
	size_t n;
	enum err e;

	e = waiting_aliases(&cmd->store, keep_alias, &p);
	at = (struct place *)(void *)p.list.data;
	n = p.list.len / sizeof(*at);
	if (n > 0)
		qsort(at, n, sizeof(*at), by_age);
	for (size_t i = 0; i < n && e == OK; i++) {
		e = waiting_find(
		    &cmd->store, at[i].transaction, at[i].attempt, &s.w);
		if (e == OK)
			e = sighting_look(cmd, &s);
		if (e == OK && s.standing != STANDS_DECIDED)
			e = each(&s, arg);
		sighting_release(&s);
		if (e == ERR_NOTFOUND)
			e = OK;
	}
	buf_release(&p.list);
	return e;
}

/* --- one of them -------------------------------------------------------- */

struct search {
	const struct command *cmd;
	const char *prefix;
	struct sighting found;
	bool several;
};

/*
 * While `alias rename` is at work two records have one id: the one that was
 * abandoned, or will be, is not meant.
 */
static bool
is_older(const struct sighting *s, const struct sighting *than)
{
	return s->standing == STANDS_DECIDED &&
	       s->outcome.kind == OUTCOME_ABANDONED &&
	       !(than->standing == STANDS_DECIDED &&
		   than->outcome.kind == OUTCOME_ABANDONED);
}

static enum err
see(struct search *find, struct sighting *s)
{
	struct sighting *found = &find->found;

	if (found->w.id[0] == '\0') {
		*found = *s;
		*s = (struct sighting)SIGHTING_INIT;
	} else if (strcmp(found->w.id, s->w.id) != 0) {
		find->several = true;
	} else if (is_older(found, s)) {
		sighting_release(found);
		*found = *s;
		*s = (struct sighting)SIGHTING_INIT;
	}
	return OK;
}

static enum err
see_record(const struct waiting *w, void *arg)
{
	struct search *find = arg;
	struct sighting s = SIGHTING_INIT;
	enum err e;

	if (strncmp(w->id, find->prefix, strlen(find->prefix)) != 0)
		return OK;
	e = waiting_find(&find->cmd->store, w->transaction, w->attempt, &s.w);
	if (e == OK)
		e = sighting_look(find->cmd, &s);
	if (e == OK)
		e = see(find, &s);
	sighting_release(&s);
	return e == ERR_NOTFOUND ? OK : e;
}

static enum err
see_alias(const char *alias, void *arg)
{
	struct search *find = arg;

	return waiting_each(&find->cmd->store, alias, see_record, find);
}

/* Those that wait first: all that ever did are many. */
static enum err
search(struct search *find)
{
	enum err e;

	e = waiting_aliases(&find->cmd->store, see_alias, find);
	if (e == OK && find->found.w.id[0] == '\0')
		e = waiting_walk(&find->cmd->store, see_record, find);
	return e;
}

enum err
request_find(const struct command *cmd, struct sighting *out)
{
	struct search find = {
		.cmd = cmd, .prefix = cmd->name[0], .found = SIGHTING_INIT
	};
	size_t len = strlen(find.prefix);
	enum err e;

	if (len < LEAST || len >= SHA256_HEX ||
	    strspn(find.prefix, "0123456789abcdef") != len)
		return say(ERR_REFUSED,
		    "%s is no request: at least %d digits of its number, as "
		    "`scep request list` shows them",
		    find.prefix, LEAST);
	e = search(&find);
	if (e == OK && find.several)
		e = say(ERR_REFUSED,
		    "several requests begin with %s; give more digits",
		    find.prefix);
	else if (e == OK && find.found.w.id[0] == '\0')
		e = say(ERR_NOTFOUND,
		    "no request %s; `scep request list` shows those that wait",
		    find.prefix);
	if (e == OK) {
		*out = find.found;
		return OK;
	}
	sighting_release(&find.found);
	return e;
}
