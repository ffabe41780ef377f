#include "admin/challenge.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"

/* One-time codes: which there are, and their end. */

#define SHORT_ID 16 /* digits in a list */
#define LEAST	 8  /* digits of an id that people must give */

const char *
challenge_word(const struct command *cmd, const struct challenge *c)
{
	if (c->used >= c->o.code.count)
		return "used up";
	return c->o.code.expires <= cmd->now ? "expired" : "good";
}

/* --- all of them ---------------------------------------------------------- */

struct place {
	char id[CODE_ID];
	int64_t created;
};
struct places {
	const struct command *cmd;
	struct buf list; /* of struct place */
	enum err worst;	 /* of those that cannot be read */
};

static enum err
keep_place(const char *id, void *arg)
{
	struct places *p = arg;
	struct onetime o = ONETIME_INIT;
	struct place one = { .created = 0 };
	enum err e = onetime_get(&p->cmd->store, id, &o);

	if (e == OK) {
		memcpy(one.id, o.code.id, sizeof(one.id));
		one.created = o.code.created;
		e = buf_add(&p->list, &one, sizeof(one)) ? OK : ERR_SYSTEM;
	} else if (e != ERR_NOTFOUND) {
		p->worst = e;
		e = OK;
	}
	onetime_release(&o);
	return e == ERR_NOTFOUND ? OK : e;
}

static int
by_age(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->created != y->created)
		return x->created < y->created ? -1 : 1;
	return strcmp(x->id, y->id);
}

/* ERR_NOTFOUND: it went meanwhile. */
static enum err
get(const struct command *cmd, const char *id, struct challenge *out)
{
	enum err e = onetime_get(&cmd->store, id, &out->o);

	return e == OK ? code_used(&cmd->store, &out->o.code, &out->used) : e;
}

enum err
challenge_each(const struct command *cmd,
    enum err (*each)(const struct challenge *, void *arg), void *arg)
{
	struct places p = { cmd, BUF_INIT, OK };
	struct challenge c = CHALLENGE_INIT;
	struct place *at;
	size_t n;
	enum err e;

	e = onetime_each(&cmd->store, keep_place, &p);
	at = (struct place *)(void *)p.list.data;
	n = p.list.len / sizeof(*at);
	if (n > 0)
		qsort(at, n, sizeof(*at), by_age);
	for (size_t i = 0; i < n && e == OK; i++) {
		if ((e = get(cmd, at[i].id, &c)) == OK)
			e = each(&c, arg);
		challenge_release(&c);
		if (e == ERR_NOTFOUND)
			e = OK;
	}
	buf_release(&p.list);
	return e == OK ? p.worst : e;
}

/* --- list ------------------------------------------------------------------ */

void
challenge_json(
    const struct command *cmd, const struct challenge *c, const char *code)
{
	const struct onetime *o = &c->o;
	FILE *out = cmd->out;

	json_begin(out);
	json_text(out, "code", code);
	json_text(out, "id", o->code.id);
	json_text(out, "state", challenge_word(cmd, c));
	json_text(out, "alias", o->alias);
	json_text(out, "for", o->subject);
	json_text(out, "san", o->san);
	json_text(out, "entity", o->entity);
	json_text(out, "profile", o->profile);
	json_num(out, "used", c->used);
	json_num(out, "count", o->code.count);
	json_time(out, "created", o->code.created);
	json_time(out, "expires", o->code.expires);
	json_text(out, "by", o->by);
	json_end(out);
}

static bool
is_listed(const struct command *cmd, const struct onetime *o)
{
	const char *alias = opt_text(cmd, "alias");
	const char *match = opt_text(cmd, "match");

	if (alias != NULL && strcmp(alias, o->alias) != 0)
		return false;
	if (match != NULL &&
	    (o->subject == NULL || fnmatch(match, o->subject, 0) != 0))
		return false;
	return o->code.created >= opt_time(cmd, "since", INT64_MIN);
}

static enum err
list_one(const struct challenge *c, void *arg)
{
	struct command *cmd = arg;
	const struct onetime *o = &c->o;
	struct buf used = BUF_INIT;
	char id[SHORT_ID + 1] = "", until[TIME_TEXT];

	if (!is_listed(cmd, o))
		return OK;
	if (opt_flag(cmd, "json")) {
		challenge_json(cmd, c, NULL);
		return OK;
	}
	memcpy(id, o->code.id, SHORT_ID);
	time_text(o->code.expires, until);
	(void)buf_printf(&used, "%u/%u", c->used, o->code.count);
	print_cell(cmd->out, id, SHORT_ID);
	print_cell(cmd->out, challenge_word(cmd, c), 7);
	print_cell(cmd->out, buf_cstr(&used), 5);
	print_cell(cmd->out, until, TIME_TEXT - 1);
	print_cell(cmd->out, o->alias, 12);
	print_cell(cmd->out, o->subject, 24);
	print_cell(cmd->out, o->by, 0);
	buf_release(&used);
	return OK;
}

enum err
run_challenge_list(struct command *cmd)
{
	static const struct heading columns[] = { { "ID", SHORT_ID },
		{ "STATE", 7 }, { "USED", 5 }, { "UNTIL", TIME_TEXT - 1 },
		{ "ALIAS", 12 }, { "FOR", 24 }, { "BY", 0 } };

	print_heading(cmd, columns);
	return challenge_each(cmd, list_one, cmd);
}

/* --- delete ---------------------------------------------------------------- */

/* Ids that are meant, all of them found before the first one ends. */
struct chosen {
	struct command *cmd;
	struct buf list; /* of char[CODE_ID] */
	const char *prefix;
	unsigned n;
};

static bool
choose(struct chosen *c, const char *id)
{
	const char *list = (const char *)c->list.data;

	for (size_t at = 0; at < c->list.len; at += CODE_ID)
		if (strcmp(list + at, id) == 0)
			return true;
	return buf_add(&c->list, id, CODE_ID);
}

/*
 * A code that is used up, but for a request that nothing has come of yet, is
 * still what that request is to be told yes for; at the latest it expires.
 */
static enum err
choose_over(const struct challenge *one, void *arg)
{
	struct chosen *c = arg;
	const struct code *code = &one->o.code;
	unsigned spent = 0;
	enum err e;

	if (code->expires > c->cmd->now) {
		e = code_spent(&c->cmd->store, code, &spent);
		if (e != OK || spent < code->count)
			return e;
	}
	return choose(c, code->id) ? OK : ERR_SYSTEM;
}

static enum err
choose_prefix(const char *id, void *arg)
{
	struct chosen *c = arg;

	if (strncmp(id, c->prefix, strlen(c->prefix)) != 0)
		return OK;
	c->n++;
	return choose(c, id) ? OK : ERR_SYSTEM;
}

static enum err
choose_named(struct chosen *c, const char *name)
{
	size_t len = strlen(name);
	enum err e;

	if (len < LEAST || len >= CODE_ID ||
	    strspn(name, "0123456789abcdef") != len)
		return say(ERR_REFUSED,
		    "%s is no id of a code: at least %d digits of it, as "
		    "`scep challenge list` shows them",
		    name, LEAST);
	c->prefix = name;
	c->n = 0;
	e = onetime_each(&c->cmd->store, choose_prefix, c);
	if (e == OK && c->n == 0)
		e = say(ERR_NOTFOUND,
		    "no code %s; `scep challenge list` shows them", name);
	else if (e == OK && c->n > 1)
		e = say(ERR_REFUSED,
		    "several codes begin with %s; give more digits", name);
	return e;
}

static enum err
choose_code(struct chosen *c)
{
	struct onetime o = ONETIME_INIT;
	enum err e =
	    onetime_find(&c->cmd->store, opt_bytes(c->cmd, "code"), &o);

	if (e == ERR_NOTFOUND)
		e = say(e, "that is no one-time code of this home");
	if (e == OK && !choose(c, o.code.id))
		e = ERR_SYSTEM;
	onetime_release(&o);
	return e;
}

static enum err
choose_all(struct chosen *c)
{
	struct command *cmd = c->cmd;
	enum err e = OK;

	if (cmd->names == 0 && !opt_given(cmd, "code") &&
	    !opt_flag(cmd, "expired"))
		return usage(cmd,
		    "delete which?  ID..., --code - or --expired; `scep "
		    "challenge list` shows ids");
	for (int i = 0; i < cmd->names && e == OK; i++)
		e = choose_named(c, cmd->name[i]);
	if (e == OK && opt_given(cmd, "code"))
		e = choose_code(c);
	if (e == OK && opt_flag(cmd, "expired"))
		e = challenge_each(cmd, choose_over, c);
	return e;
}

/* Those over are nobody's loss. */
static enum err
ask(const struct chosen *c)
{
	struct buf question = BUF_INIT;
	enum err e = ERR_SYSTEM;
	size_t n = c->list.len / CODE_ID;

	if (c->cmd->names == 0 && !opt_given(c->cmd, "code"))
		return OK;
	if (buf_printf(
		&question, "delete %zu one-time code%s?", n, n == 1 ? "" : "s"))
		e = confirm(c->cmd, buf_cstr(&question));
	buf_release(&question);
	return e;
}

static enum err
end_all(struct chosen *c)
{
	struct command *cmd = c->cmd;
	const char *list = (const char *)c->list.data;
	size_t n = c->list.len / CODE_ID;
	enum err e = OK;

	buf_clear(&cmd->object);
	for (size_t i = 0; i < n && e == OK; i++) {
		const char *id = list + i * CODE_ID;

		e = onetime_retire(&cmd->store, id);
		if (e == OK && n > 1)
			e = audit_object(cmd, id);
		else if (e == OK && !buf_str(&cmd->object, id))
			e = ERR_SYSTEM;
	}
	if (e == OK && n != 1)
		e = buf_printf(&cmd->object, "%zu codes", n) ? OK : ERR_SYSTEM;
	if (n == 0)
		cmd->unchanged = true;
	if (e == OK)
		(void)fprintf(
		    cmd->out, "%zu code%s deleted\n", n, n == 1 ? "" : "s");
	return e;
}

enum err
run_challenge_delete(struct command *cmd)
{
	struct chosen c = { .cmd = cmd };
	enum err e;

	if ((e = choose_all(&c)) == OK && (e = ask(&c)) == OK)
		e = end_all(&c);
	buf_release(&c.list);
	return e;
}
