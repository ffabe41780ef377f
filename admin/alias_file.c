#include "admin/alias.h"

#include "base/limits.h"
#include "base/log.h"
#include "ca/ca.h"
#include "store/queue.h"

/*
 * The files of the aliases.  Readers (the workers) take no lock: they see the
 * old file or the new one.  Administrators are put in order by a lock, so
 * that nobody's change is lost between reading and replacing; it decides
 * nothing (STORE.md): what stands in the file is compared as well, since an
 * editor that is not ours, or a file system without locks, keeps no order.
 * Against those a moment remains between the comparison and rename(2), which
 * POSIX cannot close without a moment in which there is no file at all.
 */

static enum err
bad_name(const char *name)
{
	return say(ERR_REFUSED,
	    "%s cannot be an alias: 1 to %d of A-Z a-z 0-9 _ -, and not "
	    "admin, metrics, crl or ca",
	    name, MAX_ALIAS);
}

enum err
alias_path(const char *name, struct buf *path)
{
	if (!alias_name_ok(span_of(name, strlen(name))))
		return bad_name(name);
	return buf_printf(path, "aliases/%s.ini", name) ? OK : ERR_SYSTEM;
}

enum err
alias_load(const struct command *cmd, const char *name, struct buf *path,
    struct buf *text)
{
	enum err e;

	text->secret = true; /* authpwd */
	if ((e = alias_path(name, path)) != OK)
		return e;
	e = file_read(cmd->home, buf_cstr(path), MAX_INI, text);
	if (e == ERR_NOTFOUND)
		return say(
		    e, "no alias %s; `scep alias list` shows them", name);
	return e;
}

bool
alias_of_file(const char *file, struct buf *name)
{
	size_t len = strlen(file);

	if (len <= 4 || strcmp(file + len - 4, ".ini") != 0 ||
	    !alias_name_ok(span_of(file, len - 4)))
		return false;
	return buf_add(name, file, len - 4);
}

static bool
ca_exists(const char *name, void *arg)
{
	const struct known_cas *known = arg;

	for (size_t i = 0; i < known->n; i++)
		if (strcmp(known->name[i], name) == 0)
			return true;
	return ca_identify(known->home, name, NULL, NULL) == OK;
}

enum err
known_cas_read(int home, struct known_cas *out)
{
	*out = (struct known_cas){ .home = home };
	return ca_names(home, &out->name, &out->n);
}

void
known_cas_release(struct known_cas *known)
{
	for (size_t i = 0; i < known->n; i++)
		free(known->name[i]);
	free(known->name);
	*known = (struct known_cas){ .n = 0 };
}

enum err
alias_check_text(const struct command *cmd, const char *name, const char *path,
    struct span text, struct alias **out)
{
	struct known_cas known = { .n = 0 };
	struct alias *a = NULL;
	enum err e;

	if ((e = known_cas_read(cmd->home, &known)) == OK)
		e = alias_parse(name, path, text, ca_exists, &known, &a);
	known_cas_release(&known);
	if (e == OK)
		e = alias_check_rest(cmd, path, text, a);
	if (e == OK && out != NULL)
		*out = a;
	else
		alias_free(a);
	return e == ERR_INPUT ? ERR_REFUSED : e;
}

/* ---- errors of a text, as one sentence ------------------------------- */

static void
hear(const char *line, void *arg)
{
	static const char mark[] = "scep: ";
	struct buf *heard = arg;

	if (strncmp(line, mark, sizeof(mark) - 1) == 0)
		line += sizeof(mark) - 1;
	(void)buf_printf(heard, "%s%s", heard->len > 0 ? "; " : "", line);
}

void
alias_listen(struct buf *heard)
{
	log_sink(hear, heard);
}

enum err
alias_heard(const struct buf *heard, enum err e)
{
	log_sink(NULL, NULL);
	if (heard->len == 0)
		return e;
	if (e == OK) /* a warning */
		return say(e, "%s", buf_cstr(heard));
	return say(e == ERR_INPUT ? ERR_REFUSED : e, "nothing was changed: %s",
	    buf_cstr(heard));
}

/* ---- writing --------------------------------------------------------- */

enum err
alias_lock(const struct command *cmd, int *out)
{
	return file_lock(cmd->home, "aliases/.lock", out);
}

static enum err
taken(const char *name)
{
	return say(ERR_EXISTS, "there is an alias %s already", name);
}

enum err
alias_vacant(const struct command *cmd, const char *path, const char *name)
{
	enum err e = file_exists(cmd->home, path);

	if (e == OK)
		return taken(name);
	return e == ERR_NOTFOUND ? OK : e;
}

/* Only a good text is ever written; *queue: it is of an external RA. */
static enum err
check_new(const struct command *cmd, const char *name, const char *path,
    struct span text, bool *queue)
{
	struct buf heard = BUF_INIT;
	struct alias *a = NULL;
	enum err e;

	alias_listen(&heard);
	e = alias_check_text(cmd, name, path, text, &a);
	e = alias_heard(&heard, e);
	buf_release(&heard);
	*queue = e == OK && a != NULL && a->mode == MODE_EXTERNALRA;
	alias_free(a);
	return e;
}

enum err
alias_swap(const struct command *cmd, const char *name, struct span was,
    struct span text)
{
	struct buf path = BUF_INIT;
	bool queue = false;
	enum err e;

	if ((e = alias_path(name, &path)) == OK &&
	    (e = check_new(cmd, name, buf_cstr(&path), text, &queue)) == OK)
		e = file_swap(
		    cmd->home, buf_cstr(&path), was, text, FILE_RECORD);
	if (e == OK && queue) /* there for a pull before the first request */
		e = queue_rooms(&cmd->store, name);
	buf_release(&path);
	return e == ERR_EXISTS || e == ERR_NOTFOUND ? ERR_BUSY : e;
}

enum err
alias_create(const struct command *cmd, const char *name, struct span checked,
    struct span text)
{
	struct buf path = BUF_INIT;
	bool queue = false;
	enum err e;

	if ((e = alias_path(name, &path)) == OK &&
	    (e = alias_vacant(cmd, buf_cstr(&path), name)) == OK &&
	    checked.len > 0)
		e = check_new(cmd, name, buf_cstr(&path), checked, &queue);
	if (e == OK)
		e = file_create_new(cmd->store.tmp, cmd->home, buf_cstr(&path),
		    text, FILE_RECORD);
	if (e == OK && queue)
		e = queue_rooms(&cmd->store, name);
	if (e == ERR_EXISTS)
		e = taken(name);
	buf_release(&path);
	return e;
}
