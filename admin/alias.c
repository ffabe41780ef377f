#include "admin/alias.h"

#include "admin/admin.h"
#include "admin/profile.h"
#include "base/ini.h"
#include "base/limits.h"
#include "ca/ca.h"

/* ---- what the verbs share ------------------------------------------- */

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

	if ((e = alias_path(name, path)) != OK)
		return e;
	e = file_read(cmd->home, buf_cstr(path), MAX_INI, text);
	if (e == ERR_NOTFOUND)
		return say(
		    e, "no alias %s; `scep alias list` shows them", name);
	return e;
}

static bool
ca_exists(const char *name, void *arg)
{
	const struct known_cas *known = arg;

	for (size_t i = 0; i < known->n; i++)
		if (strcmp(known->name[i], name) == 0)
			return true;
	return false;
}

enum err
known_cas_read(int home, struct known_cas *out)
{
	*out = (struct known_cas){ NULL, 0 };
	return ca_names(home, &out->name, &out->n);
}

void
known_cas_release(struct known_cas *known)
{
	for (size_t i = 0; i < known->n; i++)
		free(known->name[i]);
	free(known->name);
	*known = (struct known_cas){ NULL, 0 };
}

enum err
alias_check_text(const struct command *cmd, const char *name, const char *path,
    struct span text, struct alias **out)
{
	struct known_cas known = { NULL, 0 };
	struct alias *a = NULL;
	enum err e;

	if ((e = known_cas_read(cmd->home, &known)) == OK)
		e = alias_parse(name, path, text, ca_exists, &known, &a);
	known_cas_release(&known);
	if (e == OK)
		e = profile_named(cmd, path, a->profile);
	if (e == OK && out != NULL)
		*out = a;
	else
		alias_free(a);
	return e == ERR_INPUT ? ERR_REFUSED : e;
}

/* Checks before it replaces; the old file stays where the new one is bad. */
static enum err
store_text(const struct command *cmd, const char *name, const char *path,
    struct span text)
{
	enum err e = alias_check_text(cmd, name, path, text, NULL);

	if (e == ERR_REFUSED)
		return say(e, "%s was not changed", path);
	if (e != OK)
		return e;
	return file_replace(cmd->home, path, text, FILE_RECORD);
}

static enum err
not_there(const struct command *cmd, const char *name, const char *path)
{
	enum err e = file_exists(cmd->home, path);

	if (e == OK)
		return say(ERR_EXISTS, "there is an alias %s already", name);
	return e == ERR_NOTFOUND ? OK : e;
}

/* ---- add, copy, rename, delete -------------------------------------- */

/* The only CA of the home, where --ca does not say. */
static enum err
choose_ca(const struct command *cmd, struct buf *out)
{
	const char *ca = opt_text(cmd, "ca");
	struct known_cas known = { NULL, 0 };
	enum err e;

	if (ca != NULL)
		return buf_str(out, ca) ? OK : ERR_SYSTEM;
	if ((e = known_cas_read(cmd->home, &known)) != OK)
		return e;
	if (known.n == 0)
		e = say(ERR_REFUSED,
		    "there is no CA yet; `scep ca create NAME` makes one");
	else if (known.n > 1)
		e = say(
		    ERR_REFUSED, "there are several CAs; say which with --ca");
	else
		e = buf_str(out, known.name[0]) ? OK : ERR_SYSTEM;
	known_cas_release(&known);
	return e;
}

static const char template[] =
    "; Alias %s.  `scep alias show %s` prints every key with its value;\n"
    "; aliases/example.ini of the distribution and scep-alias(5) explain "
    "them.\n"
    "\n"
    "[scep]\n"
    "operationmode = ca\n"
    "cas = \"%s\"\n"
    "\n"
    "; Cisco's VPN client needs yes, Juniper no.\n"
    ";includeca = no\n"
    ";sha1 = yes\n"
    ";des3 = yes\n"
    ";legacy = no\n"
    "\n"
    "[identifiers]\n"
    "; What a client calls the CA, where that is not its name here.\n"
    ";MobileIronSCEP = \"%s\"\n";

static enum err
run_add(struct command *cmd)
{
	const char *name = cmd->name[0];
	struct span given = opt_bytes(cmd, "from");
	struct buf path = BUF_INIT, text = BUF_INIT, ca = BUF_INIT;
	enum err e;

	if ((e = alias_path(name, &path)) != OK ||
	    (e = not_there(cmd, name, buf_cstr(&path))) != OK)
		goto out;
	if (opt_given(cmd, "from")) {
		if (!buf_add(&text, given.p, given.len))
			e = ERR_SYSTEM;
	} else if ((e = choose_ca(cmd, &ca)) == OK &&
		   !buf_printf(&text, template, name, name, buf_cstr(&ca),
		       buf_cstr(&ca))) {
		e = ERR_SYSTEM;
	}
	if (e == OK)
		e = store_text(cmd, name, buf_cstr(&path), buf_span(&text));
	if (e == OK)
		(void)fprintf(cmd->out,
		    "alias %s is served at /scep/%s/pkiclient.exe\n", name,
		    name);
out:
	buf_release(&path);
	buf_release(&text);
	buf_release(&ca);
	return e;
}

static enum err
run_copy(struct command *cmd)
{
	struct buf from = BUF_INIT, to = BUF_INIT, text = BUF_INIT;
	enum err e;

	if ((e = alias_load(cmd, cmd->name[0], &from, &text)) == OK &&
	    (e = alias_path(cmd->name[1], &to)) == OK &&
	    (e = not_there(cmd, cmd->name[1], buf_cstr(&to))) == OK)
		e = store_text(
		    cmd, cmd->name[1], buf_cstr(&to), buf_span(&text));
	buf_release(&from);
	buf_release(&to);
	buf_release(&text);
	return e;
}

static enum err
run_rename(struct command *cmd)
{
	struct buf from = BUF_INIT, to = BUF_INIT, text = BUF_INIT;
	enum err e;

	if ((e = alias_load(cmd, cmd->name[0], &from, &text)) == OK &&
	    (e = alias_path(cmd->name[1], &to)) == OK &&
	    (e = not_there(cmd, cmd->name[1], buf_cstr(&to))) == OK)
		e = file_rename(cmd->home, buf_cstr(&from), buf_cstr(&to));
	if (e == OK)
		(void)buf_printf(&cmd->detail, "now %s", cmd->name[1]);
	buf_release(&from);
	buf_release(&to);
	buf_release(&text);
	return e;
}

static enum err
run_delete(struct command *cmd)
{
	struct buf path = BUF_INIT;
	enum err e;

	if ((e = alias_path(cmd->name[0], &path)) == OK &&
	    (e = confirm(
		 cmd, "Its clients get 404 from now on.  Delete it?")) == OK)
		e = file_unlink(cmd->home, buf_cstr(&path));
	if (e == ERR_NOTFOUND)
		(void)say(e, "no alias %s; `scep alias list` shows them",
		    cmd->name[0]);
	buf_release(&path);
	return e;
}

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

static enum err
change(struct command *cmd, const char *key, const char *value)
{
	struct buf path = BUF_INIT, text = BUF_INIT, fresh = BUF_INIT;
	struct buf section = BUF_INIT;
	const char *rest;
	enum err e;

	split_key(key, &section, &rest);
	if ((e = alias_load(cmd, cmd->name[0], &path, &text)) != OK)
		goto out;
	e = value ?
		ini_set(
		    buf_span(&text), buf_cstr(&section), rest, value, &fresh) :
		ini_unset(buf_span(&text), buf_cstr(&section), rest, &fresh);
	if (e == ERR_NOTFOUND)
		e = say(e, "%s has no %s", buf_cstr(&path), key);
	if (e == OK)
		e = store_text(
		    cmd, cmd->name[0], buf_cstr(&path), buf_span(&fresh));
	if (e == OK)
		(void)buf_printf(&cmd->detail, "%s%s%s", key,
		    value ? " = " : " unset", value ? value : "");
out:
	buf_release(&path);
	buf_release(&text);
	buf_release(&fresh);
	buf_release(&section);
	return e == ERR_INPUT ? ERR_REFUSED : e;
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

static enum err
save_edited(struct command *cmd, const char *path, struct span text)
{
	return store_text(cmd, cmd->name[0], path, text);
}

static enum err
run_edit(struct command *cmd)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	enum err e;

	if ((e = alias_load(cmd, cmd->name[0], &path, &text)) == OK)
		e = edit_text(
		    cmd, buf_cstr(&path), buf_span(&text), save_edited);
	buf_release(&path);
	buf_release(&text);
	return e;
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
	    .run = run_add,
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
	    .run = run_copy,
	    .help = "make another alias of the same content",
	    .changes = true },
	{ .name = "rename",
	    .args = "NAME NEW",
	    .min = 2,
	    .max = 2,
	    .options = no_options,
	    .run = run_rename,
	    .help = "give an alias another name, and so another URL",
	    .changes = true },
	{ .name = "delete",
	    .other = { "remove" },
	    .args = "NAME",
	    .min = 1,
	    .max = 1,
	    .options = delete_options,
	    .run = run_delete,
	    .help = "remove an alias; its certificates stay",
	    .changes = true },
	{ .name = "edit",
	    .args = "NAME",
	    .min = 1,
	    .max = 1,
	    .options = no_options,
	    .run = run_edit,
	    .help = "edit the file; it is checked before it counts",
	    .more = "Starts $VISUAL, else $EDITOR, else vi on a copy.",
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
	    .options = list_options,
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
