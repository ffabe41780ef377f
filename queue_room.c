#include <string.h>

#include "base/log.h"
#include "queue_own.h"

/*
 * How much waits for the CA at once.  Who asks and never comes back would
 * wait for good, though the answer is here: so at the limit answers are taken
 * for those who do not ask for them.
 */

/* Answers that one request takes for others: each is some milliseconds. */
#define TAKES 16

struct count {
	unsigned n, limit;
};

static enum err
count_one(const char *name, void *arg)
{
	struct count *c = arg;

	(void)name;
	return ++c->n >= c->limit ? ERR_EXISTS : OK;
}

/* Only what waits is there, so this is bounded by the limit. */
static enum err
count(const struct queue_side *s)
{
	struct count c = { 0, s->alias->queue.limit };

	return queue_each(s->store, s->alias->name, false, count_one, &c);
}

struct sweep {
	const struct queue_side *s;
	unsigned gone; /* from in/, and with their requests from out/ */
};

/* One that cannot be taken now is left, and is no reason to leave others. */
static enum err
take_one(const char *name, void *arg)
{
	struct sweep *w = arg;
	char transaction[SHA256_HEX];
	const char *why = NULL;
	unsigned attempt;
	enum err e;

	if (!queue_name_read(name, transaction, &attempt))
		return OK; /* news, or what rsync is about to write */
	e = queue_take(w->s, name, &why);
	if (e == ERR_INPUT)
		log_warn("alias %s: the answer %s is not taken: %s",
		    w->s->alias->name, name, why);
	if (e == OK || e == ERR_INPUT || e == ERR_NOTFOUND)
		w->gone++;
	return w->gone >= TAKES ? ERR_EXISTS : OK;
}

/*
 * Whatever is looked at goes from in/, so that a flood of requests that are
 * refused reads an empty folder until the next answers come.
 */
static enum err
sweep(const struct queue_side *s, bool *any)
{
	struct sweep w = { s, 0 };
	enum err e = queue_each(s->store, s->alias->name, true, take_one, &w);

	*any = w.gone > 0;
	return e == ERR_EXISTS ? OK : e;
}

enum err
queue_check_room(const struct queue_side *s)
{
	bool any = false;
	enum err e = count(s);

	if (e == ERR_EXISTS && (e = sweep(s, &any)) == OK)
		e = any ? count(s) : ERR_EXISTS;
	if (e != ERR_EXISTS)
		return e;
	log_warn("alias %s: %u requests wait for the CA already ([queue] "
		 "limit); does `scep queue pull` run there?",
	    s->alias->name, s->alias->queue.limit);
	return ERR_BUSY;
}
