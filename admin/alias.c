#include "admin/alias.h"

#include "admin/admin.h"
#include "admin/profile.h"
#include "base/log.h"

#define MAX_TURNS 5 /* tries against an editor that is not ours */

/* ---- set, unset ------------------------------------------------------ */

/* "includeca" is of [scep]; "identifiers.NAME" names its section. */
static void
split_key(const char *key, struct buf *section, const char **rest)
{
	const char *dot = strchr(key, '.');

	*rest = dot ? dot + 1 : key;
	(void)(dot ? buf_add(section, key, (size_t)(dot - key)) :
		     buf_str(section, "scep"));
}

/*
 * One try on the file as it is now: ERR_BUSY if somebody's editor changed it
 * while we looked.
 */
static enum err
rewrite_once(
    struct command *cmd, const char *name, const struct alias_edit *edit)
{
	struct buf path = BUF_INIT, text = BUF_SECRET, fresh = BUF_SECRET;
	struct buf heard = BUF_INIT;
	struct ini *ini = NULL;
	enum err e;

	if ((e = alias_load(cmd, name, &path, &text)) != OK)
		goto out;
	alias_listen(&heard);
	e = ini_parse(buf_cstr(&path), buf_span(&text), &ini);
	if (e == OK)
		e = edit->edit(ini, buf_span(&text), &fresh, edit->arg);
	e = alias_heard(&heard, e);
	if (e == OK)
		e = alias_swap(cmd, name, buf_span(&text), buf_span(&fresh));
out:
	ini_free(ini);
	buf_release(&path);
	buf_release(&text);
	buf_release(&fresh);
	buf_release(&heard);
	return e;
}

/* Under the lock only an editor that is not ours can be in the way. */
enum err
alias_rewrite(
    struct command *cmd, const char *name, const struct alias_edit *edit)
{
	int lock = -1;
	enum err e;

	if ((e = alias_lock(cmd, &lock)) != OK)
		return e;
	e = ERR_BUSY;
	for (int tries = 0; tries < MAX_TURNS && e == ERR_BUSY; tries++)
		e = rewrite_once(cmd, name, edit);
	if (e == ERR_BUSY)
		e = say(e,
		    "the file of %s changes all the time; nothing was "
		    "changed, try again",
		    name);
	file_close(&lock);
	return e;
}

/* What `set` and `unset` ask for. */
struct wish {
	const char *section, *key;
	const char *value; /* NULL: unset */
};

static enum err
edit_key(const struct ini *ini, struct span text, struct buf *fresh, void *arg)
{
	const struct wish *w = arg;
	enum err e;

	if (w->value != NULL)
		return ini_set(text, w->section, w->key, w->value, fresh);
	e = ini_unset(text, w->section, w->key, fresh);
	if (e == ERR_NOTFOUND)
		log_error(
		    "%s has no %s in [%s]", ini->where, w->key, w->section);
	return e;
}

static enum err
change(struct command *cmd, const char *word, const char *value)
{
	struct buf section = BUF_INIT;
	struct wish wish = { .value = value };
	enum err e;

	split_key(word, &section, &wish.key);
	wish.section = buf_cstr(&section);
	(void)buf_printf(&cmd->detail, "%s%s%s", word, value ? " = " : " unset",
	    value ? value : "");
	e = alias_rewrite(
	    cmd, cmd->name[0], &(struct alias_edit){ edit_key, &wish });
	buf_release(&section);
	return e;
}

/* "key=value" in one word, or key and value in two. */
static enum err
run_set(struct command *cmd)
{
	struct buf key = BUF_INIT;
	char *equals = strchr(cmd->name[1], '=');
	enum err e;

	if (cmd->names == 3)
		return change(cmd, cmd->name[1], cmd->name[2]);
	if (equals == NULL)
		return usage(cmd, "say which value: alias set NAME KEY VALUE");
	if (!buf_add(&key, cmd->name[1], (size_t)(equals - cmd->name[1])))
		return ERR_SYSTEM;
	e = change(cmd, buf_cstr(&key), equals + 1);
	buf_release(&key);
	return e;
}

static enum err
run_unset(struct command *cmd)
{
	return change(cmd, cmd->name[1], NULL);
}

/* ---- the noun -------------------------------------------------------- */

static const struct option add_options[] = {
	{ "ca", "caname", OPT_TEXT, "CA",
	    "the CA it serves; needed where there are several" },
	{ "from", "file", OPT_FILE, "FILE", "take this file as it is" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};

static const struct option list_options[] = {
	{ "json", NULL, OPT_FLAG, NULL, "one JSON object a line" },
	{ "match", NULL, OPT_TEXT, "GLOB", "only names that match" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};

static const struct option show_options[] = {
	{ "json", NULL, OPT_FLAG, NULL, "as one JSON object" },
	{ "match", NULL, OPT_TEXT, "GLOB",
	    "only keys that match; identifiers are identifiers.NAME" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};

static const struct option delete_options[] = {
	{ "yes", NULL, OPT_FLAG, NULL, "do not ask" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};

static const struct option no_options[] = {
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};

static const struct verb verbs[] = {
	{ .name = "add",
	    .other = { "create", "new" },
	    .args = "NAME",
	    .min = 1,
	    .max = 1,
	    .options = add_options,
	    .run = alias_add,
	    .help = "make an alias",
	    .more = "  scep alias add scep --ca ManagementCA",
	    .changes = true },
	{ .name = "set",
	    .args = "NAME KEY VALUE",
	    .min = 2,
	    .max = 3,
	    .options = no_options,
	    .run = run_set,
	    .help = "change one key; comments and order stay",
	    .more = "KEY is one of [scep], or identifiers.NAME.  Also "
		    "KEY=VALUE.\n\n"
		    "  scep alias set scep includeca yes\n"
		    "  scep alias set scep identifiers.MobileIronSCEP "
		    "ManagementCA",
	    .changes = true },
	{ .name = "unset",
	    .args = "NAME KEY",
	    .min = 2,
	    .max = 2,
	    .options = no_options,
	    .run = run_unset,
	    .help = "remove one key: its default counts",
	    .changes = true },
	{ .name = "copy",
	    .args = "NAME NEW",
	    .min = 2,
	    .max = 2,
	    .options = no_options,
	    .run = alias_copy,
	    .help = "make another alias of the same content",
	    .changes = true },
	{ .name = "rename",
	    .args = "NAME NEW",
	    .min = 2,
	    .max = 2,
	    .options = no_options,
	    .run = alias_rename,
	    .help = "give an alias another name, and so another URL",
	    .changes = true },
	{ .name = "delete",
	    .other = { "remove" },
	    .args = "NAME",
	    .min = 1,
	    .max = 1,
	    .options = delete_options,
	    .run = alias_delete,
	    .help = "remove an alias; its certificates stay",
	    .changes = true },
	{ .name = "edit",
	    .args = "NAME",
	    .min = 1,
	    .max = 1,
	    .options = no_options,
	    .run = alias_edit,
	    .help = "edit the file; it is checked before it counts",
	    .more = "Starts $VISUAL, else $EDITOR, else vi on a copy.  A text "
		    "that cannot be\ntaken stays in that copy, and its name "
		    "is said.",
	    .changes = true },
	{ .name = "list",
	    .args = "",
	    .options = list_options,
	    .run = alias_list,
	    .help = "name, mode and CAs of every alias" },
	{ .name = "show",
	    .args = "NAME",
	    .min = 1,
	    .max = 1,
	    .options = show_options,
	    .run = alias_show,
	    .help = "every key with the value that counts" },
	{ .name = "check",
	    .args = "[NAME...]",
	    .max = -1,
	    .options = no_options,
	    .run = alias_check,
	    .help = "say whether the files are good (default: all)" },
	{ .name = NULL },
};

const struct noun noun_alias = { "alias", "configurations of the server",
	verbs };
