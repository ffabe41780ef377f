#include "admin/alias.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/names.h"

/*
 * `alias edit`: a person's editor on a copy, which is checked before it
 * counts.
 *
 *	editor failed, text as it was     -> the copy goes
 *	editor removed the copy           -> nothing was changed
 *	text as it was                    -> the copy goes, no audit line
 *	text is good, file as it was      -> replaced, the copy goes
 *	text is bad                       -> asked on a terminal, else kept
 *	file changed meanwhile, too large,
 *	editor failed on a changed text   -> kept: nobody's work is thrown away
 */
struct edit {
	struct command *cmd;
	struct buf was;	 /* the file when we began */
	struct buf copy; /* the copy's name, relative to the home */
	struct buf full; /* the same as the editor is told */
	struct buf text; /* what came back */
	bool keep;	 /* the copy stays */
};

/*
 * The copy lies beside the original, so that only the home's owner reads it,
 * under a name that no other edit has.
 */
static enum err
make_copy(struct edit *ed)
{
	struct command *cmd = ed->cmd;
	char random[2 * 8 + 1];
	enum err e;

	if ((e = random_hex(random, 8)) != OK)
		return e;
	if (!buf_printf(
		&ed->copy, "aliases/.%s.ini.edit.%s", cmd->name[0], random) ||
	    !buf_printf(
		&ed->full, "%s/%s", cmd->home_path, buf_cstr(&ed->copy)))
		return ERR_SYSTEM;
	return file_create_new(cmd->store.tmp, cmd->home, buf_cstr(&ed->copy),
	    buf_span(&ed->was), 0600);
}

/* We hold the home open; the editor must walk to it by name. */
static enum err
reach_copy(const struct edit *ed)
{
	if (access(buf_cstr(&ed->full), R_OK | W_OK) == 0)
		return OK;
	return say(ERR_REFUSED,
	    "uid %ld, the owner of the home, cannot open %s (%s): open the "
	    "folders above it, or use `scep alias set`",
	    (long)getuid(), buf_cstr(&ed->full), strerror(errno));
}

/* What people write in EDITOR is a piece of shell, quotes and all. */
static enum err
editor_line(struct buf *out)
{
	static const char *const names[] = { "VISUAL", "EDITOR" };
	const char *editor = NULL;

	for (size_t i = 0; i < 2 && (editor == NULL || *editor == '\0'); i++)
		/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
		editor = getenv(names[i]);
	if (editor == NULL || *editor == '\0')
		editor = "vi";
	return buf_printf(out, "%s \"$1\"", editor) ? OK : ERR_SYSTEM;
}

/* Ctrl-C is the editor's while it runs. */
static int
run_shell(const char *line, const char *file)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, old;
	int status = -1;
	pid_t pid, done;

	(void)sigaction(SIGINT, &ignore, &old);
	if ((pid = fork()) == 0) {
		(void)sigaction(SIGINT, &old, NULL);
		(void)execl(
		    "/bin/sh", "sh", "-c", line, "sh", file, (char *)NULL);
		_exit(127);
	}
	do
		done = pid > 0 ? waitpid(pid, &status, 0) : -1;
	while (done < 0 && pid > 0 && errno == EINTR);
	(void)sigaction(SIGINT, &old, NULL);
	return done > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The text that came back, into ed->text; ERR_NOTFOUND and ERR_TOOBIG. */
static enum err
read_copy(struct edit *ed)
{
	struct buf heard = BUF_INIT;
	enum err e;

	buf_clear(&ed->text);
	ed->text.secret = true;
	alias_listen(&heard);
	e = file_read(ed->cmd->home, buf_cstr(&ed->copy), MAX_INI, &ed->text);
	e = alias_heard(&heard, e);
	buf_release(&heard);
	ed->keep = e != OK && e != ERR_NOTFOUND;
	return e;
}

static bool
unchanged(const struct edit *ed)
{
	return span_eq(buf_span(&ed->text), buf_span(&ed->was));
}

static enum err
run_editor(struct edit *ed)
{
	struct buf line = BUF_INIT;
	enum err e;
	int status;

	if ((e = editor_line(&line)) != OK)
		return e;
	status = run_shell(buf_cstr(&line), buf_cstr(&ed->full));
	buf_release(&line);
	e = read_copy(ed);
	if (e == ERR_NOTFOUND)
		return say(ERR_REFUSED,
		    "nothing was changed: the editor removed its copy");
	if (e != OK || status == 0)
		return e;
	ed->keep = !unchanged(ed);
	return say(ERR_REFUSED,
	    "nothing was changed: the editor did not end well; VISUAL or "
	    "EDITOR names another");
}

static enum err
save(struct edit *ed)
{
	struct command *cmd = ed->cmd;
	int lock = -1;
	enum err e;

	if ((e = alias_lock(cmd, &lock)) == OK)
		e = alias_swap(
		    cmd, cmd->name[0], buf_span(&ed->was), buf_span(&ed->text));
	file_close(&lock);
	ed->keep = e != OK;
	if (e == ERR_BUSY)
		e = say(e,
		    "nothing was changed: the alias %s was changed "
		    "meanwhile; edit it again",
		    cmd->name[0]);
	return e;
}

/* What to do with a text that was refused; true: edit it again. */
static bool
again(struct edit *ed)
{
	char answer[16];

	if (!isatty(STDIN_FILENO))
		return false;
	for (int tries = 0; tries < 10; tries++) {
		(void)fprintf(stderr,
		    "e to edit again, k to stop and keep the copy, x to throw "
		    "it away: ");
		if (fgets(answer, sizeof(answer), stdin) == NULL ||
		    *answer == 'k')
			return false;
		if (*answer == 'x') {
			ed->keep = false;
			return false;
		}
		if (*answer == 'e')
			return true;
	}
	return false;
}

static enum err
edit_copy(struct edit *ed)
{
	enum err e;

	do {
		if ((e = run_editor(ed)) != OK)
			return e;
		if (unchanged(ed)) {
			ed->cmd->unchanged = true;
			(void)fprintf(ed->cmd->out,
			    "alias %s: nothing was changed\n",
			    ed->cmd->name[0]);
			return OK;
		}
		e = save(ed);
	} while (e == ERR_REFUSED && again(ed));
	return e;
}

enum err
alias_edit(struct command *cmd)
{
	struct edit ed = { .cmd = cmd };
	struct buf path = BUF_INIT;
	enum err e;

	if ((e = alias_load(cmd, cmd->name[0], &path, &ed.was)) != OK ||
	    (e = make_copy(&ed)) != OK)
		goto out;
	if ((e = reach_copy(&ed)) == OK)
		e = edit_copy(&ed);
	if (ed.keep)
		log_warn("your text is in %s", buf_cstr(&ed.full));
	else
		(void)file_unlink(cmd->home, buf_cstr(&ed.copy));
out:
	buf_release(&path);
	buf_release(&ed.was);
	buf_release(&ed.copy);
	buf_release(&ed.full);
	buf_release(&ed.text);
	return e;
}
