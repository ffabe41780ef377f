#include "admin/cert.h"

#include <stdlib.h>

#include "base/names.h"
#include "base/time.h"
#include "ca/ca.h"
#include "store/cert.h"

/* `cert revoke`, `cert unrevoke`, and `entity block --revoke`. */

/* One certificate that is meant, as far as revoking needs it. */
struct target {
	char serial[41];
	char *ca; /* owned */
	unsigned generation;
	int64_t not_after; /* 0: not known */
};
struct targets {
	struct command *cmd;
	const char *entity; /* whose name was typed */
	struct target *target;
	size_t n;
};

static void
targets_release(struct targets *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->target[i].ca);
	free(t->target);
}

static enum err
target_add(struct targets *t, const struct target *what, const char *ca)
{
	struct target *more = realloc(t->target, (t->n + 1) * sizeof(*more));

	if (more == NULL)
		return say(ERR_SYSTEM, "out of memory");
	t->target = more;
	more[t->n] = *what;
	if ((more[t->n].ca = str_dup(ca)) == NULL)
		return ERR_SYSTEM;
	t->n++;
	return OK;
}

/* An entity's name means what is still of use of it. */
static enum err
collect(const struct outcome *o, void *arg)
{
	struct targets *t = arg;
	struct target what = { .generation = o->generation,
		.not_after = o->not_after };

	if (o->not_after < t->cmd->now && o->entity != NULL &&
	    strcmp(o->entity, t->entity) == 0)
		return OK;
	memcpy(what.serial, o->serial, sizeof(what.serial));
	return target_add(t, &what, o->ca);
}

static enum err
collect_of_entity(const struct outcome *o, void *arg)
{
	const struct targets *t = arg;

	if (o->entity == NULL || strcmp(o->entity, t->entity) != 0)
		return OK;
	return collect(o, arg);
}

/* Of the generation of a CA that issues now. */
static enum err
issuing(struct targets *t, const char *name, struct target *what)
{
	struct command *cmd = t->cmd;
	const struct generation *gen = NULL;
	const struct ca *ca = NULL;
	struct cas *cas = NULL;
	enum err e;

	if ((e = cas_new(cmd->home, &cas)) == OK)
		e = cas_find(cas, name, &ca);
	if (e == OK)
		gen = ca_current(ca, cmd->now);
	if (gen != NULL) {
		what->generation = gen->n;
		e = target_add(t, what, ca->name);
	} else if (e == OK || e == ERR_NOTFOUND) {
		e = say(ERR_NOTFOUND,
		    "no CA %s that issues now; `scep ca list` shows them",
		    name);
	}
	cas_free(cas);
	return e;
}

/* A serial number in hex as the store has it; false: it is none. */
static bool
serial_read(const char *text, char out[41])
{
	struct buf raw = BUF_INIT;
	struct span serial;
	bool good;

	good = hex_read(text, &raw) == OK;
	serial = buf_span(&raw);
	while (serial.len > 1 && serial.p[0] == 0)
		serial = span_of(serial.p + 1, serial.len - 1);
	good = good && serial.len <= 20;
	if (good)
		hex_text(serial.p, serial.len, out);
	buf_release(&raw);
	return good;
}

/* --ca NAME: a serial number of which the store has no certificate. */
static enum err
collect_unknown(struct targets *t)
{
	struct command *cmd = t->cmd;
	const char *name = opt_text(cmd, "ca");
	struct target what = { .not_after = 0 };

	if (name == NULL)
		return cert_none(cmd);
	if (!serial_read(cmd->name[0], what.serial))
		return usage(cmd, "with --ca, name a serial number in hex");
	return issuing(t, name, &what);
}

static enum err
targets_find(struct command *cmd, struct targets *t)
{
	unsigned found = 0;
	enum err e;

	*t = (struct targets){ .cmd = cmd, .entity = cmd->name[0] };
	e = cert_choose(cmd, collect, t, &found);
	if (e == OK && found == 0)
		e = collect_unknown(t);
	if (e == OK && t->n == 0)
		e = say(ERR_NOTFOUND, "all certificates of %s have expired",
		    cmd->name[0]);
	return e;
}

/* What a line of output and of the audit say. */
static enum err
tell(struct command *cmd, const struct target *what, const char *word,
    const struct revocation *r)
{
	char date[TIME_TEXT];

	time_text(r->date, date);
	print_cell(cmd->out, what->serial, 40);
	print_cell(cmd->out, word, 8);
	print_cell(cmd->out, date, 20);
	print_cell(cmd->out, what->ca, 0);
	buf_clear(&cmd->detail);
	if (!buf_printf(&cmd->detail, "CA %s, generation %u", what->ca,
		what->generation))
		return ERR_SYSTEM;
	if (r->n % 2 == 1 &&
	    !buf_printf(&cmd->detail, ", %s, %s", reason_name(r->reason), date))
		return ERR_SYSTEM;
	return audit_object(cmd, what->serial);
}

/* What was asked of a certificate that is revoked already. */
static enum err
too_late(const struct target *what, const struct revocation *r)
{
	char date[TIME_TEXT];

	time_text(r->date, date);
	return say(ERR_EXISTS,
	    "certificate %s is revoked already, since %s: %s", what->serial,
	    date, reason_name(r->reason));
}

/* Revokes all targets; those that are revoked already count only if alone. */
static enum err
revoke_all(struct targets *t, unsigned reason, int64_t date)
{
	struct command *cmd = t->cmd;
	size_t done = 0;
	enum err e = OK;

	for (size_t i = 0; i < t->n && e == OK; i++) {
		const struct target *what = &t->target[i];
		struct issuer by = { what->ca, what->generation };
		struct revocation r = { .reason = reason,
			.date = date,
			.written = cmd->now,
			.not_after = what->not_after };

		memcpy(r.serial, what->serial, sizeof(r.serial));
		e = revoked_add(&cmd->store, &by, &r);
		if (e == ERR_EXISTS && t->n == 1)
			return too_late(what, &r);
		if (e == ERR_EXISTS) {
			e = OK;
			continue;
		}
		done += e == OK;
		if (e == OK)
			e = tell(cmd, what,
			    reason == REASON_HOLD ? "held" : "revoked", &r);
	}
	if (e == OK && done == 0)
		(void)fprintf(cmd->out, "nothing to revoke\n");
	cmd->unchanged = e == OK; /* each has its own audit line */
	return e;
}

/* The reason and the date that were typed. */
static enum err
read_how(struct command *cmd, unsigned *reason, int64_t *date)
{
	const char *word = opt_text(cmd, "reason");

	*date = opt_time(cmd, "date", cmd->now);
	if (word != NULL && !reason_read(word, reason))
		return usage(cmd,
		    "no reason \"%s\"; `scep help cert revoke` "
		    "has them",
		    word);
	if (*date > cmd->now)
		return usage(cmd, "--date must not be in the future");
	return OK;
}

enum err
revoke_words(struct command *cmd)
{
	unsigned reason = REASON_UNSPECIFIED;
	int64_t date = 0;

	return read_how(cmd, &reason, &date);
}

enum err
run_revoke(struct command *cmd)
{
	struct targets t = { .n = 0 };
	struct buf question = BUF_INIT;
	unsigned reason = REASON_UNSPECIFIED;
	int64_t date = 0;
	enum err e;

	if ((e = read_how(cmd, &reason, &date)) != OK ||
	    (e = targets_find(cmd, &t)) != OK)
		goto out;
	e = ERR_SYSTEM;
	if (reason == REASON_HOLD)
		e = OK; /* can be undone */
	else if (buf_printf(&question, "revoke %zu certificate%s for good?",
		     t.n, t.n == 1 ? "" : "s"))
		e = confirm(cmd, buf_cstr(&question));
	if (e == OK)
		e = revoke_all(&t, reason, date);
out:
	buf_release(&question);
	targets_release(&t);
	return e;
}

enum err
revoke_entity(struct command *cmd, const char *username)
{
	struct targets t = { .cmd = cmd, .entity = username };
	unsigned reason = REASON_UNSPECIFIED;
	int64_t date = 0;
	enum err e;

	if ((e = read_how(cmd, &reason, &date)) == OK)
		e = cert_each(&cmd->store, collect_of_entity, &t);
	if (e == OK && t.n > 0)
		e = revoke_all(&t, reason, date);
	if (e == ERR_EXISTS)
		e = say(e, "%s is blocked all the same", username);
	/* The command itself has a line to come. */
	buf_clear(&cmd->detail);
	cmd->unchanged = false;
	targets_release(&t);
	return e;
}

/* The generation of this CA that issued this serial number, if one did. */
static enum err
find_serial(struct command *cmd, const struct ca *ca, struct target *what)
{
	struct outcome o = OUTCOME_INIT;
	enum err e = ERR_NOTFOUND;

	for (size_t i = ca->ngen; i > 0 && e == ERR_NOTFOUND; i--) {
		what->generation = ca->gen[i - 1].n;
		e = cert_find(
		    &cmd->store, ca->name, what->generation, what->serial, &o);
		if (e == OK)
			what->not_after = o.not_after;
		outcome_release(&o);
	}
	return e;
}

enum err
revoke_serial(struct command *cmd, const struct ca *ca, const char *serial)
{
	struct targets t = { .cmd = cmd };
	unsigned reason = REASON_UNSPECIFIED;
	struct target what = { .not_after = 0 };
	int64_t date = 0;
	enum err e;

	if (!serial_read(serial, what.serial))
		return usage(
		    cmd, "a serial number is in hex, not \"%s\"", serial);
	if ((e = read_how(cmd, &reason, &date)) != OK)
		return e;
	if ((e = find_serial(cmd, ca, &what)) == OK)
		e = target_add(&t, &what, ca->name);
	else if (e == ERR_NOTFOUND)
		e = issuing(&t, ca->called, &what);
	if (e == OK)
		e = revoke_all(&t, reason, date);
	targets_release(&t);
	return e;
}

/* One that is not held is an error only where it was the only one. */
static enum err
release_one(struct command *cmd, const struct target *what, bool alone)
{
	struct issuer by = { what->ca, what->generation };
	struct revocation r;
	enum err e;

	e = revoked_release(&cmd->store, &by, what->serial, cmd->now, &r);
	if (e == OK)
		return tell(cmd, what, "released", &r);
	if (e == ERR_NOTFOUND && alone)
		return say(e, "certificate %s is not revoked", what->serial);
	if (e == ERR_REFUSED && alone)
		return say(e,
		    "certificate %s is revoked for good (%s); only "
		    "certificateHold can be undone",
		    what->serial, reason_name(r.reason));
	return e == ERR_NOTFOUND || e == ERR_REFUSED ? OK : e;
}

enum err
run_unrevoke(struct command *cmd)
{
	struct targets t = { .n = 0 };
	enum err e = targets_find(cmd, &t);

	for (size_t i = 0; i < t.n && e == OK; i++)
		e = release_one(cmd, &t.target[i], t.n == 1);
	cmd->unchanged = e == OK; /* each has its own audit line */
	targets_release(&t);
	return e;
}

enum err
release_entity(struct command *cmd, const char *username)
{
	struct targets t = { .cmd = cmd, .entity = username };
	enum err e = cert_each(&cmd->store, collect_of_entity, &t);

	for (size_t i = 0; i < t.n && e == OK; i++)
		e = release_one(cmd, &t.target[i], false);
	buf_clear(&cmd->detail);
	targets_release(&t);
	return e;
}

#define UNKNOWN                                                     \
	{                                                           \
		"ca", NULL, OPT_TEXT, "NAME",                       \
		    "WHICH is a serial of this CA that is not here" \
	}
#define END                                      \
	{                                        \
		NULL, NULL, OPT_FLAG, NULL, NULL \
	}

const struct option revoke_options[] = {
	{ "reason", NULL, OPT_TEXT, "R", "why; default unspecified" },
	{ "date", NULL, OPT_SINCE, "TIME", "since when; default now" },
	UNKNOWN,
	{ "yes", NULL, OPT_FLAG, NULL, "do not ask" },
	END,
};
const struct option unrevoke_options[] = { UNKNOWN, END };
