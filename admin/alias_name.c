#include "admin/alias.h"

#include "admin/request.h"
#include "base/limits.h"
#include "store/kept.h"
#include "store/queue.h"

/* The verbs by which aliases come and go, but for add: copy, rename, delete. */

enum err
alias_copy(struct command *cmd)
{
	struct buf from = BUF_INIT, text = BUF_SECRET;
	enum err e;

	(void)buf_printf(&cmd->detail, "to %s", cmd->name[1]);
	if ((e = alias_load(cmd, cmd->name[0], &from, &text)) == OK)
		e = alias_create(
		    cmd, cmd->name[1], buf_span(&text), buf_span(&text));
	buf_release(&from);
	buf_release(&text);
	return e;
}

static enum err
count_one(const struct waiting *w, void *arg)
{
	unsigned *n = arg;

	(void)w;
	++*n;
	return OK;
}

static enum err
count_queued(const char *name, void *arg)
{
	unsigned *n = arg;

	(void)name;
	++*n;
	return OK;
}

/* What waits for a CA elsewhere is under this name there too. */
static enum err
check_queued(const struct command *cmd)
{
	const char *name = cmd->name[0];
	unsigned n = 0;
	enum err e;

	if (!alias_name_ok(span_of(name, strlen(name))))
		return OK; /* said elsewhere */
	e = queue_each(&cmd->store, name, false, count_queued, &n);
	if (e != OK || n == 0)
		return e;
	return say(ERR_REFUSED,
	    "%u request%s of alias %s for the CA: `scep queue list --alias "
	    "%s`; have it pull first",
	    n, n == 1 ? " waits" : "s wait", name, name);
}

/*
 * A rename that was killed before all requests had come along: the file has
 * its new name, and some wait under the old one.
 */
static enum err
is_half_done(const struct command *cmd, const char *from, const char *to)
{
	unsigned waiting = 0;
	enum err e;

	if (file_exists(cmd->home, from) != ERR_NOTFOUND ||
	    file_exists(cmd->home, to) != OK)
		return ERR_NOTFOUND;
	e = waiting_each(&cmd->store, cmd->name[0], count_one, &waiting);
	return e == OK && waiting == 0 ? ERR_NOTFOUND : e;
}

/*
 * A second name, then the first is taken away: link(2) finds out who else
 * wants the new one.  A crash between the two leaves both, as `copy` does;
 * one file under both names is that, and is taken up again.  Requests that
 * wait get their records under the new name between the two.
 */
static enum err
move(const struct command *cmd, const char *from, const char *to)
{
	unsigned n = 0;
	enum err e;

	e = strcmp(from, to) == 0 ? ERR_EXISTS : file_link(cmd->home, from, to);
	if (e == ERR_EXISTS)
		return say(e, "there is an alias %s already", cmd->name[1]);
	if (e == OK)
		e = dir_sync(cmd->home, "aliases");
	if (e == OK)
		e = waiting_move(
		    &cmd->store, cmd->name[0], cmd->name[1], false, &n);
	if (e == OK)
		e = file_unlink(cmd->home, from);
	if (e == OK)
		e = dir_sync(cmd->home, "aliases");
	return e;
}

/* The old records are ended when no worker serves the old name. */
static enum err
move_all(struct command *cmd, const char *from, const char *to)
{
	struct buf text = BUF_INIT, path = BUF_INIT;
	unsigned n = 0;
	enum err e;

	e = is_half_done(cmd, from, to);
	if (e == ERR_NOTFOUND &&
	    (e = alias_load(cmd, cmd->name[0], &path, &text)) == OK)
		e = move(cmd, from, to);
	if (e == OK)
		e = waiting_move(
		    &cmd->store, cmd->name[0], cmd->name[1], true, &n);
	if (e == OK)
		e = kept_forget(&cmd->store, cmd->name[0]);
	if (e == OK && n > 0)
		(void)buf_printf(
		    &cmd->detail, "; %u waiting requests moved", n);
	buf_release(&text);
	buf_release(&path);
	return e;
}

/* Under the lock, so that no `set` brings the old name back. */
enum err
alias_rename(struct command *cmd)
{
	struct buf from = BUF_INIT, to = BUF_INIT;
	int lock = -1;
	enum err e;

	(void)buf_printf(&cmd->detail, "to %s", cmd->name[1]);
	/* It would be its own second name, and be gone with the first. */
	if (strcmp(cmd->name[0], cmd->name[1]) == 0)
		return say(ERR_EXISTS, "%s is called so already", cmd->name[0]);
	if ((e = alias_path(cmd->name[0], &from)) == OK &&
	    (e = alias_path(cmd->name[1], &to)) == OK &&
	    (e = check_queued(cmd)) == OK && (e = alias_lock(cmd, &lock)) == OK)
		e = move_all(cmd, buf_cstr(&from), buf_cstr(&to));
	file_close(&lock);
	buf_release(&from);
	buf_release(&to);
	return e;
}

/* Nobody could fetch what waits: it is refused, or denied with --force. */
static enum err
clear_queue(struct command *cmd)
{
	const char *name = cmd->name[0];
	unsigned n = 0;
	enum err e;

	e = waiting_each(&cmd->store, name, count_one, &n);
	if (e != OK || n == 0)
		return e;
	if (!opt_flag(cmd, "force"))
		return say(ERR_REFUSED,
		    "%u request%s for alias %s: `scep request list --alias "
		    "%s`; --force denies %s",
		    n, n == 1 ? " waits" : "s wait", name, name,
		    n == 1 ? "it" : "them");
	e = request_deny_all(cmd, name, "the alias was deleted", &n);
	if (e == OK && n > 0)
		(void)buf_printf(&cmd->detail, "%u waiting requests denied", n);
	return e;
}

enum err
alias_delete(struct command *cmd)
{
	struct buf path = BUF_INIT;
	int lock = -1;
	enum err e;

	if ((e = alias_path(cmd->name[0], &path)) == OK &&
	    (e = confirm(
		 cmd, "Its clients get 404 from now on.  Delete it?")) == OK &&
	    (e = alias_lock(cmd, &lock)) == OK &&
	    (e = file_exists(cmd->home, buf_cstr(&path))) == OK &&
	    (e = check_queued(cmd)) == OK && (e = clear_queue(cmd)) == OK)
		e = file_unlink(cmd->home, buf_cstr(&path));
	if (e == OK)
		e = dir_sync(cmd->home, "aliases");
	if (e == OK)
		e = kept_forget(&cmd->store, cmd->name[0]);
	if (e == ERR_NOTFOUND)
		(void)say(e, "no alias %s; `scep alias list` shows them",
		    cmd->name[0]);
	file_close(&lock);
	buf_release(&path);
	return e;
}
