#include "admin/ejbca.h"

#include <strings.h>

#include "admin/alias.h"
#include "base/log.h"

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
		e = alias_create(cmd, name, buf_span(&text));
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

/* The default of one of our keys; "" where it has none. */
static const char *
our_default(const char *section, const char *key)
{
	for (const struct alias_key *k = alias_keys; k->section != NULL; k++)
		if (strcmp(k->section, section) == 0 &&
		    strcmp(k->key, key) == 0 && k->fallback != NULL)
			return k->fallback;
	return "";
}

/* What a key of EJBCA's is in our file, as EJBCA would show it. */
static const char *
present(const struct ini *ini, const struct ejbca_key *key)
{
	const struct ini_entry *entry = ini_find(ini, key->section, key->key);

	if (entry != NULL)
		return ejbca_shown(key, entry->value);
	if (key->form == EJBCA_SECRET)
		return ini_find(ini, "ra", "authpwdfile") ? "hidden" : "";
	return ejbca_shown(key, our_default(key->section, key->key));
}

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
		if (k->form == EJBCA_LATER || k->form == EJBCA_CREATE)
			continue;
		(void)fprintf(cmd->out, "%s.%s = ", name, k->name);
		print_text(cmd->out, present(ini, k));
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

/* ---- updatealias ------------------------------------------------------------- */

struct update {
	const struct ejbca_key *key;
	struct buf value;    /* ours */
	struct buf old;	     /* EJBCA's, for people */
	const char *also[2]; /* what was written besides, for people */
};

/* A key that must be written out, for the mode that the alias will have. */
static enum err
put_absent(const struct ini *ini, struct buf *text, const char *section,
    const char *key, const char *value)
{
	if (ini_find(ini, section, key) != NULL)
		return OK;
	return ejbca_put(text, section, key, value);
}

/* RA mode must say how many approvals it wants, CA mode which CAs it has. */
static enum err
put_mode(const struct ini *ini, struct update *u, struct buf *text)
{
	const struct ini_entry *ca = ini_find(ini, "ra", "defaultca");
	bool ra = strcmp(buf_cstr(&u->value), "ra") == 0;

	if (ra && ca == NULL)
		return say(ERR_REFUSED,
		    "RA mode needs its CA and secret first: updatealias "
		    "--key ra.defaultCA, then --key ra.authPwd");
	if (ra && ini_find(ini, "approval", "required") == NULL)
		u->also[0] = "[approval] required = 0: nobody has to approve";
	if (ra)
		return put_absent(ini, text, "approval", "required", "0");
	if (ca == NULL || ini_find(ini, "scep", "cas") != NULL)
		return OK;
	u->also[0] = "cas = ra.defaultCA: CA mode names its CAs";
	return ejbca_put(text, "scep", "cas", ca->value);
}

static enum err
edit_key(const struct ini *ini, struct span text, struct buf *fresh, void *arg)
{
	struct update *u = arg;
	const struct ejbca_key *k = u->key;
	enum err e;

	buf_clear(&u->old);
	if (!buf_str(&u->old, present(ini, k)) ||
	    !buf_add(fresh, text.p, text.len))
		return ERR_SYSTEM;
	e = ejbca_put(fresh, k->section, k->key, buf_cstr(&u->value));
	if (e == OK && strcmp(k->key, "operationmode") == 0)
		e = put_mode(ini, u, fresh);
	return e;
}

/* `uploaded.includeca` of the alias uploaded is includeca. */
static const char *
without_alias(const char *key, const char *alias)
{
	size_t len = strlen(alias);

	return strncmp(key, alias, len) == 0 && key[len] == '.' ?
		   key + len + 1 :
		   key;
}

static enum err
check_update(struct command *cmd, const char *word, struct update *u)
{
	const char *value = opt_text(cmd, "value");

	if ((u->key = ejbca_key_find(word)) == NULL)
		return say(ERR_REFUSED, "no key %s; did you mean %s?", word,
		    ejbca_key_near(word));
	if (u->key->form == EJBCA_LATER)
		return say(ERR_REFUSED,
		    "%s: Intune is not supported yet; nothing was changed",
		    word);
	if ((u->key->form == EJBCA_BOOL || u->key->form == EJBCA_CREATE) &&
	    strcasecmp(value, "true") != 0 && strcasecmp(value, "false") != 0)
		return say(
		    ERR_REFUSED, "%s is true or false, not %s", word, value);
	if (u->key->form == EJBCA_SECRET && *value == '\0')
		log_warn("an empty %s becomes none: whoever asks gets a "
			 "certificate",
		    word);
	return ejbca_value(u->key, value, &u->value);
}

static enum err
run_updatealias(struct command *cmd)
{
	struct update u = { .value = BUF_SECRET };
	const char *name = cmd->name[0], *word = opt_text(cmd, "key");
	const char *shown;
	enum err e;

	if (word == NULL || !opt_given(cmd, "value"))
		return usage(cmd, "config scep updatealias wants --alias X "
				  "--key K --value V");
	word = without_alias(word, name);
	if ((e = ejbca_alias_known(cmd, name)) != OK ||
	    (e = check_update(cmd, word, &u)) != OK)
		goto out;
	shown = ejbca_shown(u.key, buf_cstr(&u.value));
	(void)buf_printf(&cmd->detail, "%s = %s", word, shown);
	e = alias_rewrite(cmd, name, &(struct alias_edit){ edit_key, &u });
	if (e != OK)
		goto out;
	(void)fprintf(cmd->out, "Alias '%s': %s was '%s'\n", name, word,
	    buf_cstr(&u.old));
	(void)fprintf(
	    cmd->out, "Alias '%s': %s is now '%s'\n", name, word, shown);
	if (u.also[0] != NULL)
		(void)fprintf(cmd->out, "Written with it: %s\n", u.also[0]);
out:
	buf_release(&u.value);
	buf_release(&u.old);
	return e;
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
	{ "value", NULL, OPT_TEXT, "V", "EJBCA's value; ps shows it" },
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
	    update_options, run_updatealias, "as `alias set`, by EJBCA's key",
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
