#include "admin/ejbca.h"

#include "admin/alias.h"

/* `config scep`: aliases in EJBCA's spelling. */

/* ---- addalias, removealias, renamealias, listalias ------------------------ */

static const char minimal[] =
    "; Alias %s.  `scep alias show %s` prints every key with its value;\n"
    "; scep-alias(5) explains them.\n"
    "\n"
    "[scep]\n"
    "operationmode = ca\n";

static enum err
run_addalias(struct command *cmd)
{
	const char *name = cmd->name[0];
	struct buf text = BUF_INIT, cas = BUF_INIT;
	enum err e;

	if ((e = ejbca_alias_new(cmd, name)) != OK ||
	    (e = ejbca_all_cas(cmd, &cas)) != OK)
		goto out;
	e = ERR_SYSTEM;
	if (buf_printf(&text, minimal, name, name))
		e = ejbca_put(&text, "scep", "cas", buf_cstr(&cas));
	if (e == OK)
		e = alias_create(cmd, name, buf_span(&text), buf_span(&text));
	if (e == OK)
		(void)fprintf(cmd->out,
		    "Added SCEP alias: %s\n"
		    "cas = %s, all that are here: an alias of ours names its "
		    "CAs\n",
		    name, buf_cstr(&cas));
out:
	buf_release(&text);
	buf_release(&cas);
	return e;
}

/* EJBCA does not ask. */
static enum err
run_removealias(struct command *cmd)
{
	enum err e;

	cmd->sure = true;
	if ((e = ejbca_alias_known(cmd, cmd->name[0])) == OK)
		e = alias_delete(cmd);
	if (e == OK)
		(void)fprintf(
		    cmd->out, "Removed SCEP alias: %s\n", cmd->name[0]);
	return e;
}

static enum err
run_renamealias(struct command *cmd)
{
	enum err e;

	if ((e = ejbca_alias_known(cmd, cmd->name[0])) == OK &&
	    (e = ejbca_alias_new(cmd, cmd->name[1])) == OK)
		e = alias_rename(cmd);
	if (e == OK)
		(void)fprintf(cmd->out, "Renamed SCEP alias '%s' to '%s'\n",
		    cmd->name[0], cmd->name[1]);
	return e;
}

static enum err
list_one(const char *file, void *arg)
{
	const struct command *cmd = arg;
	struct buf name = BUF_INIT;

	if (alias_of_file(file, &name))
		(void)fprintf(cmd->out, "%s\n", buf_cstr(&name));
	buf_release(&name);
	return OK;
}

static enum err
run_listalias(struct command *cmd)
{
	return dir_each(cmd->home, "aliases", list_one, cmd);
}

/* ---- dumpalias, dumpall ---------------------------------------------------- */

static enum err
dump(const struct command *cmd, const char *name)
{
	struct buf path = BUF_INIT, text = BUF_SECRET;
	struct ini *ini = NULL;
	enum err e;

	if ((e = alias_load(cmd, name, &path, &text)) != OK ||
	    (e = ini_parse(buf_cstr(&path), buf_span(&text), &ini)) != OK)
		goto out;
	for (const struct ejbca_key *k = ejbca_keys; k->name != NULL; k++) {
		if (k->form == EJBCA_CREATE ||
		    (ejbca_is_intune(k) && !ejbca_has_intune(ini)))
			continue;
		(void)fprintf(cmd->out, "%s.%s = ", name, k->name);
		print_text(cmd->out, ejbca_present(ini, k));
		(void)fputc('\n', cmd->out);
	}
out:
	ini_free(ini);
	buf_release(&path);
	buf_release(&text);
	return e;
}

static enum err
run_dumpalias(struct command *cmd)
{
	enum err e = ejbca_alias_known(cmd, cmd->name[0]);

	return e == OK ? dump(cmd, cmd->name[0]) : e;
}

static enum err
dump_one(const char *file, void *arg)
{
	const struct command *cmd = arg;
	struct buf name = BUF_INIT;
	enum err e = OK;

	if (alias_of_file(file, &name))
		e = dump(cmd, buf_cstr(&name));
	buf_release(&name);
	return e;
}

static enum err
run_dumpall(struct command *cmd)
{
	return dir_each(cmd->home, "aliases", dump_one, cmd);
}

/* ---- the noun ------------------------------------------------------------------ */

#define ALIAS                                                  \
	{                                                      \
		"alias", NULL, OPT_OBJECT, "NAME", "which one" \
	}

static const struct option alias_options[] = { ALIAS, EJBCA_END };
static const struct option no_options[] = { EJBCA_END };
static const struct option rename_options[] = {
	{ "oldalias", NULL, OPT_OBJECT, "NAME", "its name now" },
	{ "newalias", NULL, OPT_SECOND, "NAME", "its name then" },
	EJBCA_END,
};
static const struct option update_options[] = {
	ALIAS,
	{ "key", NULL, OPT_TEXT, "K", "EJBCA's key, as ra.defaultCA" },
	{ "value", NULL, OPT_SECRET, "V",
	    "EJBCA's value; - reads a line; ps shows V" },
	EJBCA_END,
};
static const struct option upload_options[] = {
	ALIAS,
	{ "file", NULL, OPT_FILE, "FILE", "EJBCA's properties file" },
	EJBCA_END,
};

static const struct verb config_verbs[] = {
	{ "addalias", { NULL }, "--alias X", 1, 1, alias_options, run_addalias,
	    "as `alias add`: in CA mode, with all CAs that are here", NULL,
	    true, false, NAMES_OPTIONS },
	{ "removealias", { NULL }, "--alias X", 1, 1, alias_options,
	    run_removealias, "as `alias delete`, without a question", NULL,
	    true, false, NAMES_OPTIONS },
	{ "renamealias", { NULL }, "--oldalias X --newalias Y", 2, 2,
	    rename_options, run_renamealias, "as `alias rename`", NULL, true,
	    false, NAMES_OPTIONS },
	{ "listalias", { NULL }, "", 0, 0, no_options, run_listalias,
	    "the aliases, one a line", NULL, false, false, NAMES_OPTIONS },
	{ "dumpalias", { NULL }, "--alias X", 1, 1, alias_options,
	    run_dumpalias, "the alias in EJBCA's keys; secrets are hidden",
	    NULL, false, false, NAMES_OPTIONS },
	{ "dumpall", { NULL }, "", 0, 0, no_options, run_dumpall,
	    "the same for every alias", NULL, false, false, NAMES_OPTIONS },
	{ "updatealias", { NULL }, "--alias X --key K --value V", 1, 1,
	    update_options, ejbca_run_updatealias,
	    "as `alias set`, by EJBCA's key",
	    "  scep config scep updatealias --alias scep --key includeca "
	    "--value true",
	    true, false, NAMES_OPTIONS },
	{ "uploadfile", { NULL }, "--alias X --file F", 1, 1, upload_options,
	    ejbca_run_uploadfile, "make an alias of EJBCA's properties file",
	    "Lines X.key=value count, others are listed.  The file is taken "
	    "as EJBCA takes it,\nwith EJBCA's defaults for what is not in it.",
	    true, false, NAMES_OPTIONS },
	{ .name = NULL },
};

const struct noun noun_ejbca_config = { "config scep",
	"EJBCA's spelling of alias", config_verbs };
