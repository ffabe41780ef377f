#include "admin/args.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"

/* Directories among the names, which mean the files in them. */
struct tree {
	struct command *cmd;
	char **name; /* what replaces cmd->name */
	size_t n, room;
	const char *dir; /* while one is walked */
};

static enum err
name_add(struct tree *t, char *name)
{
	size_t room = t->room == 0 ? 64 : 2 * t->room;
	char **more;

	if (t->n == t->room) {
		more = realloc(t->name, room * sizeof(*more));
		if (more == NULL)
			return say(ERR_SYSTEM, "out of memory");
		t->name = more;
		t->room = room;
	}
	t->name[t->n++] = name;
	return OK;
}

/* A copy of path that lives as long as the command; NULL: out of memory. */
static char *
own_name(struct command *cmd, const char *path)
{
	char **more =
	    realloc(cmd->expanded, (cmd->nexpanded + 1) * sizeof(*more));
	char *name;

	if (more == NULL)
		return NULL;
	cmd->expanded = more;
	if ((name = str_dup(path)) != NULL)
		more[cmd->nexpanded++] = name;
	return name;
}

static enum err
file_add(const char *file, void *arg)
{
	struct tree *t = arg;
	struct buf path = BUF_INIT;
	struct stat st;
	char *name;
	enum err e = ERR_SYSTEM;

	if (!buf_printf(&path, "%s/%s", t->dir, file))
		goto out;
	e = OK;
	if (stat(buf_cstr(&path), &st) != 0 || !S_ISREG(st.st_mode))
		goto out; /* a directory in it, say */
	if ((name = own_name(t->cmd, buf_cstr(&path))) != NULL)
		e = name_add(t, name);
	else
		e = say(ERR_SYSTEM, "out of memory");
out:
	buf_release(&path);
	return e;
}

static bool
is_dir(const char *name)
{
	struct stat st;

	return stat(name, &st) == 0 && S_ISDIR(st.st_mode);
}

enum err
args_expand(struct command *cmd)
{
	struct tree t = { .cmd = cmd };
	struct buf *files;
	enum err e = OK;

	for (int i = 0; i < cmd->names && e == OK; i++) {
		t.dir = cmd->name[i];
		e = is_dir(t.dir) ? dir_each(AT_FDCWD, t.dir, file_add, &t) :
				    name_add(&t, cmd->name[i]);
	}
	if (e != OK)
		goto out;
	e = ERR_SYSTEM;
	files = calloc(t.n + 1, sizeof(*files));
	if (files == NULL) {
		(void)say(e, "out of memory");
		goto out;
	}
	free(cmd->name);
	free(cmd->name_file);
	cmd->name = t.name;
	cmd->name_file = files;
	cmd->names = (int)t.n;
	t.name = NULL;
	e = OK;
out:
	free(t.name);
	return e;
}
