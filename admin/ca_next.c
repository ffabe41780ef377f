#include "admin/ca.h"

#include "base/time.h"
#include "ca/ca.h"
#include "store/cert.h"

/* The verbs by which a CA goes on: rollover and renew. */

/*
 * Where the present one has an RA, the next has one; and where no client
 * could encrypt to its key.
 */
static bool
wants_ra(const struct ca *ca, const struct generation *next, int64_t now)
{
	if (next == NULL || ca_ra_of(ca, next->n) != NULL ||
	    key_elsewhere(next->key))
		return false;
	return ca_ra_newest(ca, now) != NULL || key_type(next->key) != KEY_RSA;
}

static enum err
make_ra(struct command *cmd, bool *made)
{
	struct ra_order order = { .days = 0 };
	const struct ca *ca = NULL;
	struct cas *cas = NULL;
	struct site site;
	enum err e;

	*made = false;
	if ((e = ca_baseurl(cmd, &site, &order.baseurl)) != OK ||
	    (e = ca_find(cmd, cmd->name[0], &cas, &ca)) != OK)
		goto out;
	if (wants_ra(ca, ca_next(ca, cmd->now), cmd->now)) {
		e = ca_ra_ahead(cmd->home, ca, &order, cmd->now);
		*made = e == OK;
	}
out:
	cas_free(cas);
	return e == ERR_EXISTS ? ERR_BUSY : e;
}

enum err
ca_finish_next(struct command *cmd)
{
	bool made;
	enum err e;

	if ((e = make_ra(cmd, &made)) == OK && (e = ca_tell(cmd)) == OK && made)
		print_field(cmd->out, "RA:", "made with it");
	return e;
}

static enum err
faster(const struct command *cmd)
{
	return say(ERR_BUSY,
	    "somebody else has made a generation of CA %s; `scep ca show` "
	    "shows it",
	    cmd->name[0]);
}

/* There is one: what a crash has left of its RA is made now. */
static enum err
finish_waiting(struct command *cmd, const struct generation *next)
{
	char from[TIME_TEXT];
	bool made;
	enum err e;

	if ((e = make_ra(cmd, &made)) != OK)
		return e;
	if (made)
		return ca_tell(cmd);
	time_text(next->not_before, from);
	return say(ERR_EXISTS,
	    "CA %s has a next generation, %u, that begins at %s; `scep ca show "
	    "%s` shows it",
	    cmd->name[0], next->folder, from, cmd->name[0]);
}

/* What `rollover` and `renew` take alike. */
static enum err
take_order(struct command *cmd, struct site *site, struct ca_again *order)
{
	*order = (struct ca_again){ .key = opt_text(cmd, "key"),
		.start = opt_time(cmd, "start", 0),
		.days = opt_number(cmd, "days", 0),
		.encrypt = opt_flag(cmd, "encrypt-key") };
	if (opt_given(cmd, "days") && (order->days < 1 || order->days > 36500))
		return usage(cmd, "--days is 1 to 36500");
	if (opt_given(cmd, "start") && order->start < cmd->now)
		return usage(cmd, "--start is in the past");
	return ca_baseurl(cmd, site, &order->baseurl);
}

enum err
ca_run_rollover(struct command *cmd)
{
	const struct generation *next;
	const struct ca *ca = NULL;
	struct ca_again order;
	struct cas *cas = NULL;
	struct site site;
	enum err e;

	if ((e = take_order(cmd, &site, &order)) != OK ||
	    (e = ca_find(cmd, cmd->name[0], &cas, &ca)) != OK)
		goto out;
	if ((next = ca_next(ca, cmd->now)) != NULL) {
		e = finish_waiting(cmd, next);
		goto out;
	}
	/* the store's rooms first: a generation that stands can issue */
	e = cert_rooms(&cmd->store, ca->name, ca_top(ca) + 1);
	if (e == OK)
		e = ca_rollover(cmd->home, ca, &order, cmd->now);
	if (e == OK)
		e = ca_finish_next(cmd);
	else if (e == ERR_EXISTS)
		e = faster(cmd);
out:
	cas_free(cas);
	return e;
}

enum err
ca_run_renew(struct command *cmd)
{
	const struct generation *next;
	const struct ca *ca = NULL;
	struct ca_again order;
	struct cas *cas = NULL;
	char from[TIME_TEXT];
	struct site site;
	enum err e;

	if ((e = take_order(cmd, &site, &order)) != OK ||
	    (e = ca_find(cmd, cmd->name[0], &cas, &ca)) != OK)
		goto out;
	if ((next = ca_next(ca, cmd->now)) != NULL) {
		time_text(next->not_before, from);
		e = say(ERR_REFUSED,
		    "CA %s has a next generation, %u, that begins at %s; one "
		    "behind it would take its place",
		    ca->called, next->folder, from);
		goto out;
	}
	e = ca_renew(cmd->home, ca, &order, cmd->now);
	e = e == ERR_EXISTS ? faster(cmd) : e;
	if (e == OK)
		e = ca_tell(cmd);
out:
	cas_free(cas);
	return e;
}

const struct option ca_rollover_options[] = {
	{ "start", NULL, OPT_TIME, "DATE",
	    "when it becomes the current one; default 30 days before the "
	    "present one's end, but a week from now at least" },
	{ "days", "validity", OPT_NUMBER, "N",
	    "how long from then; default as the present one" },
	{ "key", NULL, OPT_TEXT, "KIND",
	    "rsa:2048 to rsa:8192, ec:P-256, ec:P-384; default as the present "
	    "one's" },
	CA_ENCRYPT,
	CA_NAME,
	CA_END,
};
const struct option ca_renew_options[] = {
	{ "days", "validity", OPT_NUMBER, "N",
	    "how long from now; default as the present one" },
	CA_ENCRYPT,
	CA_NAME,
	CA_END,
};
