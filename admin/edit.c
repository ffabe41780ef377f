#include "admin/alias.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"

/* The copy lies beside the original, so that only the home's owner reads it. */
static enum err
copy_name(const struct command *cmd, const char *path, struct buf *name,
    struct buf *full)
{
	const char *slash = strrchr(path, '/');
	size_t dir = slash ? (size_t)(slash - path) + 1 : 0;

	return buf_add(name, path, dir) &&
		       buf_printf(name, ".%s.edit", path + dir) &&
		       buf_printf(
			   full, "%s/%s", cmd->home_path, buf_cstr(name)) ?
		   OK :
		   ERR_SYSTEM;
}

/* The administrator's own editor, by way of the shell as others do it. */
static enum err
run_editor(const char *file)
{
	static const char line[] = "exec ${VISUAL:-${EDITOR:-vi}} \"$1\"";
	struct sigaction ignore = { .sa_handler = SIG_IGN }, old;
	int status = -1;
	pid_t pid, done;

	(void)sigaction(SIGINT, &ignore, &old);
	if ((pid = fork()) == 0) {
		(void)sigaction(SIGINT, &old, NULL);
		(void)execl(
		    "/bin/sh", "sh", "-c", line, "scep", file, (char *)NULL);
		_exit(127);
	}
	do
		done = pid > 0 ? waitpid(pid, &status, 0) : -1;
	while (done < 0 && pid > 0 && errno == EINTR);
	(void)sigaction(SIGINT, &old, NULL);
	if (done > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return OK;
	return say(ERR_REFUSED,
	    "the editor did not end well, nothing was changed; VISUAL or "
	    "EDITOR names another");
}

/* What to do with a text that was refused; true: edit it again. */
static bool
again(void)
{
	char answer[16];

	if (!isatty(STDIN_FILENO))
		return false;
	for (int tries = 0; tries < 10; tries++) {
		(void)fprintf(stderr, "e to edit again, x to give it up: ");
		if (fgets(answer, sizeof(answer), stdin) == NULL ||
		    *answer == 'x')
			return false;
		if (*answer == 'e')
			return true;
	}
	return false;
}

enum err
edit_text(struct command *cmd, const char *path, struct span text,
    enum err (*save)(struct command *cmd, const char *path, struct span text))
{
	struct buf name = BUF_INIT, full = BUF_INIT, edited = BUF_INIT;
	enum err e;

	if ((e = copy_name(cmd, path, &name, &full)) != OK ||
	    (e = file_replace(cmd->home, buf_cstr(&name), text, 0600)) != OK)
		goto out;
	do {
		buf_clear(&edited);
		if ((e = run_editor(buf_cstr(&full))) != OK ||
		    (e = file_read(
			 cmd->home, buf_cstr(&name), MAX_INI, &edited)) != OK)
			break;
		if (span_eq(buf_span(&edited), text)) {
			(void)fprintf(
			    cmd->out, "%s: nothing was changed\n", path);
			break;
		}
		e = save(cmd, path, buf_span(&edited));
	} while (e == ERR_REFUSED && again());
	(void)file_unlink(cmd->home, buf_cstr(&name));
out:
	buf_release(&name);
	buf_release(&full);
	buf_release(&edited);
	return e;
}
