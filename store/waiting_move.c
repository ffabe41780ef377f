#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "store/approval.h"
#include "store/inside.h"

/*
 * A transaction's name is made of its alias's, so `alias rename` writes each
 * request that waits once more, under its new name, and says where it was:
 *
 *	record under the new name -> abandoned as the old one's outcome
 *
 * Until the second, the old one counts, and whoever reads the new one first
 * takes that step (waiting_latest()).  The id, and with it every yes, stays.
 */
struct move {
	const struct store *st;
	const char *to;
	bool leave;
	unsigned *moved;
};

/* "transaction/ab/ab34...,<n>" of the old record is what the new one says. */
static bool
is_moved(const struct store *st, const char name[SHA256_HEX], unsigned attempt,
    const char *from)
{
	struct waiting w = WAITING_INIT;
	bool yes;

	yes = attempt > 0 && waiting_find(st, name, attempt, &w) == OK &&
	      w.moved != NULL && strcmp(w.moved, from) == 0;
	waiting_release(&w);
	return yes;
}

static enum err
new_name(const struct move *m, const struct waiting *w, char out[SHA256_HEX])
{
	struct transaction t = {
		.alias = m->to, .ca = w->ca, .id = buf_span(&w->txid)
	};
	struct buf key = BUF_INIT;
	enum err e;

	e = hex_read(w->signer, &key);
	if (e == OK)
		e = transaction_name(&t, key.data);
	if (e == OK)
		memcpy(out, t.name, SHA256_HEX);
	buf_release(&key);
	return e;
}

/*
 * Links the record at the first attempt that is free for it; name is its new
 * one.
 */
static enum err
link_new(const struct move *m, const struct waiting *w, const char *from,
    char name[SHA256_HEX])
{
	struct waiting new = *w; /* borrows */
	struct buf stem = BUF_INIT;
	unsigned n = 0, yeses = 0;
	enum err e;

	if ((e = new_name(m, w, name)) != OK)
		return e;
	memcpy(new.transaction, name, SHA256_HEX);
	e = store_path_hex(m->st, "transaction", name, "", &stem);
	if (e == OK)
		e = store_highest(m->st, buf_cstr(&stem), ",outcome", &n);
	if (e != OK || is_moved(m->st, new.transaction, n, from))
		goto out; /* or moved, and decided by now */
	new.attempt = n + 1;
	new.moved = str_dup(from);
	new.alias = str_dup(m->to);
	if (new.moved == NULL || new.alias == NULL)
		e = ERR_SYSTEM;
	else if (is_moved(m->st, new.transaction, n + 1, from))
		e = waiting_show(m->st, &new); /* killed before that */
	else
		e = waiting_link(m->st, &new);
	if (e == ERR_EXISTS)
		log_error("a request of %s waits under alias %s already",
		    w->username, m->to);
	if (e == OK)
		e = approval_count(m->st, w->id, &yeses, NULL);
	if (e == OK && yeses >= w->required)
		e = approved_add(m->st, &new);
	free(new.moved);
	free(new.alias);
out:
	buf_release(&stem);
	return e;
}

/*
 * Does attempt n of it wait?  Of a record that was moved itself, this is where
 * it is found if the former one was decided: one yes buys once.  With n = 0:
 * any.
 */
static enum err
look(const struct store *st, const char name[SHA256_HEX], unsigned n,
    bool *waits)
{
	struct waiting w = WAITING_INIT;
	unsigned latest = 0;
	enum err e = waiting_latest(st, name, &w, &latest);

	*waits = e == OK && (n == 0 || latest == n);
	waiting_release(&w);
	return e == ERR_NOTFOUND ? OK : e;
}

static enum err
move_one(const struct waiting *w, void *arg)
{
	const struct move *m = arg;
	struct buf from = BUF_INIT;
	char name[SHA256_HEX];
	bool waits = false;
	enum err e;

	e = look(m->st, w->transaction, w->attempt, &waits);
	if (e == OK && !waits) /* decided, and its hint left by a crash */
		waiting_hide(m->st, w->alias, w->transaction, w->attempt);
	if (e != OK || !waits)
		return e;
	e = waiting_path(m->st, w->transaction, w->attempt, &from);
	if (e == OK)
		e = link_new(m, w, buf_cstr(&from), name);
	if (e == OK && m->leave) {
		e = outcome_abandon(m->st, w->transaction, w->attempt);
		if (e == ERR_EXISTS) /* decided meanwhile: so is the new one */
			e = look(m->st, name, 0, &waits);
		if (e == OK)
			waiting_hide(
			    m->st, w->alias, w->transaction, w->attempt);
	}
	if (e == OK)
		++*m->moved;
	buf_release(&from);
	return e;
}

enum err
waiting_move(const struct store *st, const char *from, const char *to,
    bool leave, unsigned *moved)
{
	struct move m = { st, to, leave, moved };

	*moved = 0;
	return waiting_each(st, from, move_one, &m);
}
