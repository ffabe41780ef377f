#include "admin/cert.h"

#include <fnmatch.h>

#include "admin/ca.h"
#include "base/time.h"
#include "store/cert.h"
#include "store/renewed.h"

static bool
differs(const char *option, const char *value)
{
	return option != NULL && (value == NULL || strcmp(option, value) != 0);
}

struct listing {
	struct command *cmd;
	struct ca_filter filter;
};

static bool
is_listed(const struct listing *l, const struct outcome *o)
{
	const struct command *cmd = l->cmd;
	const char *match = opt_text(cmd, "match");

	if (!ca_filter_lets(&l->filter, o->ca) ||
	    differs(opt_text(cmd, "entity"), o->entity))
		return false;
	if (o->issued < opt_time(cmd, "since", INT64_MIN))
		return false;
	if (match == NULL)
		return true;
	return (o->entity != NULL && fnmatch(match, o->entity, 0) == 0) ||
	       (o->subject != NULL && fnmatch(match, o->subject, 0) == 0);
}

/* ---- --expires --------------------------------------------------------- */

/* What a certificate bought by its renewal. */
struct bought {
	const struct command *cmd;
	bool valid; /* one that counts in its place */
};

/* One that is revoked, over, or has never left is none in its place. */
static enum err
look_at_bought(const struct outcome *o, void *arg, bool *over)
{
	struct bought *b = arg;
	struct cert_standing standing;
	enum err e = cert_stands(b->cmd, o, &standing);

	*over = e != OK || strcmp(standing.word, "valid") != 0;
	b->valid |= !*over;
	return e;
}

/*
 * Was it renewed?  We ask as a request of no transaction would, which is
 * never answered by another's certificate; a renewal that waits is none yet.
 */
static enum err
was_renewed(const struct command *cmd, const struct outcome *o, bool *yes)
{
	struct bought bought = { cmd, false };
	struct renewing r = { .by = { o->ca, o->generation },
		.serial = o->serial,
		.attempt = 1,
		.now = cmd->now,
		.over = look_at_bought,
		.arg = &bought };
	struct outcome theirs = OUTCOME_INIT;
	enum err e;

	memset(r.transaction, '0', sizeof(r.transaction) - 1);
	e = renewed_room(&cmd->store, &r, &theirs);
	outcome_release(&theirs);
	*yes = bought.valid;
	return e == ERR_REFUSED || e == ERR_BUSY ? OK : e;
}

/* Does it end by then, though somebody may need it still? */
static enum err
is_ending(const struct command *cmd, const struct outcome *o,
    const struct cert_standing *standing, bool *yes)
{
	int64_t by = opt_time(cmd, "expires", INT64_MAX);
	bool renewed = false;
	enum err e;

	*yes = o->not_after >= cmd->now && o->not_after <= by &&
	       standing->revoked.n % 2 == 0;
	if (!*yes)
		return OK;
	e = was_renewed(cmd, o, &renewed);
	*yes = !renewed;
	return e;
}

/* ---- list -------------------------------------------------------------- */

static enum err
list_one(const struct outcome *o, void *arg)
{
	const struct listing *l = arg;
	struct command *cmd = l->cmd;
	struct cert_standing standing;
	char until[TIME_TEXT];
	bool listed = true;
	enum err e;

	if (!is_listed(l, o))
		return OK;
	if ((e = cert_stands(cmd, o, &standing)) == OK &&
	    opt_given(cmd, "expires"))
		e = is_ending(cmd, o, &standing, &listed);
	if (e != OK || !listed)
		return e;
	if (opt_flag(cmd, "json"))
		return cert_json(cmd, o);
	time_text(o->not_after, until);
	print_cell(cmd->out, o->serial, 40);
	print_cell(cmd->out, until, 20);
	print_cell(cmd->out, standing.word, 10);
	print_cell(cmd->out, o->ca, 16);
	print_cell(cmd->out, o->entity, 16);
	print_cell(cmd->out, o->subject, 0);
	return OK;
}

enum err
run_cert_list(struct command *cmd)
{
	static const struct heading columns[] = { { "SERIAL", 40 },
		{ "UNTIL", 20 }, { "STATE", 10 }, { "CA", 16 },
		{ "ENTITY", 16 }, { "SUBJECT", 0 } };
	struct listing l = { .cmd = cmd };
	enum err e;

	print_heading(cmd, columns);
	if ((e = ca_filter_open(cmd, &l.filter)) == OK)
		e = cert_each(&cmd->store, list_one, &l);
	ca_filter_close(&l.filter);
	return e;
}

const struct option cert_list_options[] = {
	{ "match", NULL, OPT_TEXT, "GLOB",
	    "only entities or subjects like it" },
	{ "entity", "username", OPT_TEXT, "NAME", "only those of this entity" },
	{ "ca", NULL, OPT_TEXT, "NAME", "only those of this CA" },
	{ "since", NULL, OPT_SINCE, "TIME", "only issued since: 7d, a date" },
	{ "expires", NULL, OPT_TIME, "TIME",
	    "only those that end within 30d, or by a date, and are neither "
	    "revoked nor renewed" },
	{ "json", NULL, OPT_FLAG, NULL, "one JSON object a line" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};
