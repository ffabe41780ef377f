#include "admin/profile.h"

#include <stdlib.h>

#include "admin/health.h"
#include "base/file.h"
#include "base/ini.h"
#include "base/log.h"

/* Profiles: what a certificate of a kind looks like, and who may have it. */

/* The text that counts, and what is wrong with the name if there is none. */
static enum err
load_text(const struct command *cmd, const char *name, struct buf *where,
    struct buf *text)
{
	enum err e = profile_text(cmd->home, name, where, text);

	if (e == ERR_NOTFOUND)
		return say(
		    e, "no profile %s; `scep profile list` shows them", name);
	return e;
}

enum err
profile_load(const struct command *cmd, const char *name, struct profile **out)
{
	const char *spelled = profile_shipped_name(name);
	struct buf where = BUF_INIT, text = BUF_INIT;
	enum err e;

	if ((e = load_text(cmd, name, &where, &text)) == OK)
		e = profile_parse(spelled ? spelled : name, buf_cstr(&where),
		    buf_span(&text), out);
	buf_release(&where);
	buf_release(&text);
	return e == ERR_INPUT ? ERR_REFUSED : e;
}

enum err
profile_named(const struct command *cmd, const char *where, const char *name)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	enum err e = OK;

	if (name != NULL)
		e = profile_text(cmd->home, name, &path, &text);
	if (e == ERR_NOTFOUND) {
		log_error("%s: profile: no profile %s; `scep profile list` "
			  "shows them",
		    where, name);
		e = ERR_INPUT;
	}
	buf_release(&path);
	buf_release(&text);
	return e;
}

/* ---- every profile --------------------------------------------------- */

struct names {
	char **name;
	size_t n;
	enum err (*each)(const char *name, void *arg);
	void *arg;
};

static enum err
add_name(struct names *all, const char *name)
{
	char **more = realloc(all->name, (all->n + 1) * sizeof(*more));

	if (more == NULL)
		return ERR_SYSTEM;
	all->name = more;
	if ((all->name[all->n] = str_dup(name)) == NULL)
		return ERR_SYSTEM;
	all->n++;
	return OK;
}

/* A file of the home whose name is not a built-in one's. */
static enum err
add_file(const char *file, void *arg)
{
	char name[MAX_PROFILE + 1];
	size_t len = strlen(file);

	if (len <= 4 || len - 4 > MAX_PROFILE ||
	    strcmp(file + len - 4, ".ini") != 0)
		return OK;
	(void)snprintf(name, sizeof(name), "%.*s", (int)(len - 4), file);
	if (!profile_name_ok(name) || profile_shipped_name(name) != NULL)
		return OK;
	return add_name(arg, name);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

enum err
profile_each(const struct command *cmd,
    enum err (*each)(const char *name, void *arg), void *arg)
{
	struct names all = { NULL, 0, each, arg };
	const char *name;
	struct span text;
	enum err e = OK;

	for (size_t i = 0; e == OK && profile_shipped(i, &name, &text); i++)
		e = add_name(&all, name);
	if (e == OK)
		e = dir_each(cmd->home, "profiles", add_file, &all);
	if (e == ERR_NOTFOUND) /* the room is not there: `check` says it */
		e = OK;
	if (all.n > 0)
		qsort(all.name, all.n, sizeof(*all.name), by_name);
	for (size_t i = 0; i < all.n; i++) {
		if (e == OK)
			e = all.each(all.name[i], all.arg);
		free(all.name[i]);
	}
	free(all.name);
	return e;
}

/* ---- list ---------------------------------------------------------------- */

static enum err
list_one(const char *name, void *arg)
{
	struct command *cmd = arg;
	struct buf where = BUF_INIT, text = BUF_INIT;
	struct profile *p = NULL;
	enum err e;

	if ((e = load_text(cmd, name, &where, &text)) != OK)
		goto out;
	health_hush();
	(void)profile_parse(name, buf_cstr(&where), buf_span(&text), &p);
	health_speak();
	if (opt_flag(cmd, "json")) {
		json_begin(cmd->out);
		json_text(cmd->out, "name", name);
		json_text(cmd->out, "from", buf_cstr(&where));
		json_bool(cmd->out, "broken", p == NULL);
		json_end(cmd->out);
		goto out;
	}
	print_cell(cmd->out, name, 20);
	print_cell(cmd->out, p == NULL ? "broken" : "good", 6);
	print_cell(cmd->out, buf_cstr(&where), 0);
out:
	profile_free(p);
	buf_release(&where);
	buf_release(&text);
	return e;
}

static enum err
run_list(struct command *cmd)
{
	static const struct heading columns[] = { { "NAME", 20 },
		{ "STATE", 6 }, { "FROM", 0 } };

	print_heading(cmd, columns);
	return profile_each(cmd, list_one, cmd);
}

/* ---- show ---------------------------------------------------------------- */

/* Keys of [certificate] stand for themselves, the others as entity.cn. */
static enum err
show_value(const struct command *cmd, const char *section, const char *key,
    const char *value, bool given)
{
	struct buf name = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (strcmp(section, "certificate") != 0 &&
	    !buf_printf(&name, "%s.", section))
		goto out;
	if (!buf_str(&name, key))
		goto out;
	e = OK;
	if (opt_flag(cmd, "json")) {
		json_text(cmd->out, buf_cstr(&name), value);
		goto out;
	}
	print_cell(cmd->out, buf_cstr(&name), 20);
	print_text(cmd->out, value);
	(void)fprintf(cmd->out, "%s\n", given ? "" : "  (default)");
out:
	buf_release(&name);
	return e;
}

static enum err
show_key(const struct command *cmd, const struct ini *ini,
    const struct profile_key *key)
{
	const struct ini_entry *entry = ini_find(ini, key->section, key->key);
	const char *value = entry ? entry->value : key->fallback;

	return value == NULL ? OK :
			       show_value(cmd, key->section, key->key, value,
				   entry != NULL);
}

/* Is it a key of the table, which has been shown? */
static bool
is_key(const struct ini_entry *entry)
{
	const struct profile_key *key;

	for (size_t i = 0; (key = profile_key_at(i)) != NULL; i++)
		if (strcmp(key->section, entry->section) == 0 &&
		    strcmp(key->key, entry->key) == 0)
			return true;
	return false;
}

/* The table's keys, then names that are spelled otherwise or have no name. */
static enum err
show_keys(const struct command *cmd, const struct ini *ini)
{
	const struct profile_key *key;
	enum err e = OK;

	for (size_t i = 0; e == OK && (key = profile_key_at(i)) != NULL; i++)
		e = show_key(cmd, ini, key);
	for (size_t i = 0; e == OK && i < ini->n; i++) {
		const struct ini_entry *entry = &ini->entry[i];

		if (!is_key(entry))
			e = show_value(cmd, entry->section, entry->key,
			    entry->value, true);
	}
	return e;
}

static enum err
run_show(struct command *cmd)
{
	struct buf where = BUF_INIT, text = BUF_INIT;
	struct profile *p = NULL;
	struct ini *ini = NULL;
	enum err e;

	if ((e = load_text(cmd, cmd->name[0], &where, &text)) != OK)
		goto out;
	if (opt_flag(cmd, "ini")) {
		(void)fputs(buf_cstr(&text), cmd->out);
		goto out;
	}
	if ((e = profile_load(cmd, cmd->name[0], &p)) != OK ||
	    (e = ini_parse(buf_cstr(&where), buf_span(&text), &ini)) != OK)
		goto out;
	if (opt_flag(cmd, "json"))
		json_begin(cmd->out);
	if (opt_flag(cmd, "json"))
		json_text(cmd->out, "name", p->name);
	e = show_keys(cmd, ini);
	if (opt_flag(cmd, "json"))
		json_end(cmd->out);
out:
	profile_free(p);
	ini_free(ini);
	buf_release(&where);
	buf_release(&text);
	return e;
}

/* ---- check --------------------------------------------------------------- */

struct count {
	const struct command *cmd;
	unsigned all, broken;
};

static enum err
check_one(const char *name, void *arg)
{
	struct count *c = arg;
	struct profile *p = NULL;
	enum err e = profile_load(c->cmd, name, &p);

	c->all++;
	if (e == ERR_REFUSED || e == ERR_NOTFOUND)
		c->broken++;
	else if (e == OK && c->cmd->names > 0)
		(void)fprintf(c->cmd->out, "%s: good\n", name);
	profile_free(p);
	return e == ERR_REFUSED || e == ERR_NOTFOUND ? OK : e;
}

static enum err
run_check(struct command *cmd)
{
	struct count c = { cmd, 0, 0 };
	enum err e = OK;

	if (cmd->names == 0)
		e = profile_each(cmd, check_one, &c);
	for (int i = 0; i < cmd->names && e == OK; i++)
		e = check_one(cmd->name[i], &c);
	if (e != OK)
		return e;
	if (c.broken > 0)
		return say(ERR_REFUSED, "%u of %u profiles cannot be used",
		    c.broken, c.all);
	if (cmd->names == 0)
		(void)fprintf(cmd->out, "%u profiles, all good\n", c.all);
	return OK;
}

/* ---- the noun -------------------------------------------------------------- */

#define JSON                                                           \
	{                                                              \
		"json", NULL, OPT_FLAG, NULL, "one JSON object a line" \
	}
#define END                                      \
	{                                        \
		NULL, NULL, OPT_FLAG, NULL, NULL \
	}

static const struct option list_options[] = { JSON, END };
static const struct option no_options[] = { END };
static const struct option show_options[] = {
	{ "ini", NULL, OPT_FLAG, NULL, "the text, as a file to begin with" },
	JSON,
	END,
};
static const struct option try_options[] = {
	{ "csr", NULL, OPT_FILE, "FILE",
	    "the request: PKCS #10, PEM or DER; - is standard input" },
	{ "ca", NULL, OPT_TEXT, "CA",
	    "who would issue; needed where there are several" },
	{ "entity", NULL, OPT_TEXT, "NAME",
	    "whose record decides the names; else the request's count" },
	JSON,
	END,
};

static const struct verb verbs[] = {
	{ .name = "list",
	    .args = "",
	    .options = list_options,
	    .run = run_list,
	    .help = "names of the certificate profiles, and where they are" },
	{ .name = "show",
	    .args = "NAME",
	    .min = 1,
	    .max = 1,
	    .options = show_options,
	    .run = run_show,
	    .help = "every key with the value that counts",
	    .more = "With --ini, the file itself:\n\n"
		    "  scep profile show router --ini "
		    ">$SCEP_HOME/profiles/branch.ini" },
	{ .name = "check",
	    .args = "[NAME...]",
	    .max = -1,
	    .options = no_options,
	    .run = run_check,
	    .help = "say whether the files are good (default: all)" },
	{ .name = "try",
	    .args = "NAME",
	    .min = 1,
	    .max = 1,
	    .options = try_options,
	    .run = run_profile_try,
	    .help = "show what a request would get, or why it is refused",
	    .more = "Nothing is issued.  Exit 1 where a rule refuses.\n\n"
		    "  scep profile try router --csr router1.csr" },
	{ .name = NULL },
};

const struct noun noun_profile = { "profile", "kinds of certificates", verbs };
