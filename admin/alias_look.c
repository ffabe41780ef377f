#include "admin/alias.h"

#include <fnmatch.h>

#include "admin/health.h"
#include "base/ini.h"

/* The verbs of `alias` that change nothing. */

static const char *const modes[MODE__MAX] = {
	[MODE_CA] = "ca",
	[MODE_RA] = "ra",
	[MODE_PROXY] = "proxy",
	[MODE_EXTERNALRA] = "externalra",
};

static bool
put_cas(struct buf *out, const struct alias *a)
{
	for (size_t i = 0; i < a->ncas; i++)
		if (!buf_printf(out, "%s%s", i > 0 ? ", " : "", a->cas[i]))
			return false;
	return true;
}

static void
list_one(struct command *cmd, const char *name, const struct alias *a)
{
	struct buf cas = BUF_INIT;

	(void)(a && put_cas(&cas, a));
	/* a proxy has no CA here, but a place where one is */
	if (a && a->mode == MODE_PROXY && !opt_flag(cmd, "json"))
		(void)buf_str(&cas, a->proxy.peer.url);
	if (opt_flag(cmd, "json")) {
		json_begin(cmd->out);
		json_text(cmd->out, "name", name);
		json_bool(cmd->out, "broken", a == NULL);
		json_text(cmd->out, "mode", a ? modes[a->mode] : NULL);
		json_text(cmd->out, "cas", a ? buf_cstr(&cas) : NULL);
		json_text(cmd->out, "defaultca", a ? a->defaultca : NULL);
		json_text(cmd->out, "url", a ? a->proxy.peer.url : NULL);
		json_end(cmd->out);
	} else {
		print_cell(cmd->out, name, 20);
		print_cell(cmd->out, a ? modes[a->mode] : "broken", 11);
		print_cell(cmd->out, a ? buf_cstr(&cas) : NULL, 0);
	}
	buf_release(&cas);
}

/* A broken file is listed as such; why it is, `alias check` says. */
static enum err
list_file(const char *file, void *arg)
{
	struct command *cmd = arg;
	const char *glob = opt_text(cmd, "match");
	struct buf path = BUF_INIT, text = BUF_INIT, name = BUF_INIT;
	struct alias *a = NULL;
	enum err e = OK;

	if (!alias_of_file(file, &name) ||
	    (glob && fnmatch(glob, buf_cstr(&name), 0) != 0))
		goto out;
	if ((e = alias_load(cmd, buf_cstr(&name), &path, &text)) != OK)
		goto out;
	health_hush();
	(void)alias_check_text(
	    cmd, buf_cstr(&name), buf_cstr(&path), buf_span(&text), &a);
	health_speak();
	list_one(cmd, buf_cstr(&name), a);
out:
	alias_free(a);
	buf_release(&path);
	buf_release(&text);
	buf_release(&name);
	return e;
}

enum err
alias_list(struct command *cmd)
{
	static const struct heading columns[] = { { "NAME", 20 },
		{ "MODE", 11 }, { "CAS", 0 } };

	print_heading(cmd, columns);
	return dir_each(cmd->home, "aliases", list_file, cmd);
}

/* ---- show ------------------------------------------------------------ */

/* Is this key asked for?  Without --match, each is. */
static bool
asked(const struct command *cmd, const char *key)
{
	const char *glob = opt_text(cmd, "match");

	return glob == NULL || fnmatch(glob, key, 0) == 0;
}

static void
show_ident(struct command *cmd, const struct alias_ident *ident)
{
	struct buf key = BUF_INIT;

	(void)buf_printf(&key, "identifiers.%s", ident->ident);
	if (!asked(cmd, buf_cstr(&key)))
		goto out;
	if (opt_flag(cmd, "json"))
		json_text(cmd->out, ident->ident, ident->ca);
	else
		(void)fprintf(cmd->out, "%s = %s\n", buf_cstr(&key), ident->ca);
out:
	buf_release(&key);
}

/* Of the two ways to give a secret only the one that is there counts. */
bool
alias_key_counts(const struct alias *a, const struct alias_key *key)
{
	static const enum judge_kind judge[] = { JUDGE_PROGRAM, JUDGE_WEB,
		JUDGE_INTUNE };
	static const char *const section[] = { "program", "web", "intune" };
	const char *in = key->section;

	for (size_t i = 0; i < sizeof(judge) / sizeof(*judge); i++)
		if (strcmp(in, section[i]) == 0)
			return a->challenge.judge == judge[i];
	if (a->mode == MODE_PROXY)
		return strcmp(in, "proxy") == 0 || strcmp(in, "access") == 0 ||
		       strcmp(key->key, "operationmode") == 0;
	if (strcmp(in, "proxy") == 0)
		return false;
	if (strcmp(key->key, "target") == 0)
		return a->queue.ra != NULL;
	if (strcmp(in, "queue") == 0)
		return (strcmp(key->key, "limit") == 0) ==
		       (a->mode == MODE_EXTERNALRA);
	if (strncmp(key->key, "authpwd", 7) == 0)
		return a->challenge.judge == JUDGE_SECRET &&
		       (key->key[7] == '\0') == (a->ra.secretfile == NULL);
	if (a->mode == MODE_RA)
		return strcmp(in, "scep") != 0 ||
		       (strcmp(key->key, "defaultca") != 0 &&
			   strcmp(key->key, "profile") != 0 &&
			   strcmp(key->key, "cutusername") != 0);
	if (a->mode == MODE_EXTERNALRA && strcmp(key->key, "profile") == 0)
		return false;
	return strcmp(in, "ra") != 0 && strcmp(in, "approval") != 0;
}

/* What stands where the file has nothing; buf holds what must be made. */
static const char *
fallback(const struct alias *a, const struct alias_key *key, struct buf *buf)
{
	if (strcmp(key->section, "scep") == 0 &&
	    strcmp(key->key, "defaultca") == 0)
		return a->defaultca;
	if (strcmp(key->section, "scep") == 0 && strcmp(key->key, "cas") == 0 &&
	    put_cas(buf, a))
		return buf_cstr(buf);
	if (strcmp(key->key, "judge") == 0)
		return a->challenge.judge == JUDGE_ENTITY ? "entity" : "secret";
	return key->fallback;
}

/* The value that counts: the file's, else the default. */
static void
show_key(struct command *cmd, const struct ini *ini, const struct alias *a,
    const struct alias_key *key)
{
	const struct ini_entry *entry = ini_find(ini, key->section, key->key);
	bool plain = strcmp(key->section, "scep") == 0;
	struct buf made = BUF_INIT, name = BUF_INIT;
	const char *value = entry ? entry->value : fallback(a, key, &made);

	(void)buf_printf(&name, "%s%s%s", plain ? "" : key->section,
	    plain ? "" : ".", key->key);
	/* what must be written out, and only beside what is not there */
	if (value == NULL || !asked(cmd, buf_cstr(&name)))
		goto out;
	if (entry && alias_key_secret(key->section, key->key) && !a->ra.nocheck)
		value = "hidden";
	if (opt_flag(cmd, "json")) {
		json_text(cmd->out, buf_cstr(&name), value);
		goto out;
	}
	print_cell(cmd->out, buf_cstr(&name), 16);
	print_text(cmd->out, value);
	(void)fprintf(cmd->out, "%s\n", entry ? "" : "  (default)");
out:
	buf_release(&made);
	buf_release(&name);
}

enum err
alias_show(struct command *cmd)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	const char *name = cmd->name[0];
	bool json = opt_flag(cmd, "json");
	struct alias *a = NULL;
	struct ini *ini = NULL;
	enum err e;

	if ((e = alias_load(cmd, name, &path, &text)) != OK ||
	    (e = alias_check_text(
		 cmd, name, buf_cstr(&path), buf_span(&text), &a)) != OK ||
	    (e = ini_parse(buf_cstr(&path), buf_span(&text), &ini)) != OK)
		goto out;
	if (json) {
		json_begin(cmd->out);
		json_text(cmd->out, "name", name);
	}
	for (const struct alias_key *k = alias_keys; k->section; k++)
		if (alias_key_counts(a, k))
			show_key(cmd, ini, a, k);
	for (size_t i = 0; i < a->nident; i++)
		show_ident(cmd, &a->ident[i]);
	if (json)
		json_end(cmd->out);
out:
	alias_free(a);
	ini_free(ini);
	buf_release(&path);
	buf_release(&text);
	return e;
}

/* ---- check ----------------------------------------------------------- */

static enum err
check_all(struct command *cmd)
{
	struct alias_health health = { .count = 0 };
	enum err e = health_aliases(cmd, NULL, NULL, &health);

	if (e != OK)
		return e;
	if (health.broken > 0)
		return say(ERR_REFUSED, "%u of %u aliases broken",
		    health.broken, health.count);
	(void)fprintf(cmd->out, "%u alias%s, all good\n", health.count,
	    health.count == 1 ? "" : "es");
	return OK;
}

enum err
alias_check(struct command *cmd)
{
	enum err all = OK;

	if (cmd->names == 0)
		return check_all(cmd);
	for (int i = 0; i < cmd->names; i++) {
		struct buf path = BUF_INIT, text = BUF_INIT;
		struct alias *a = NULL;
		enum err e = alias_load(cmd, cmd->name[i], &path, &text);

		if (e == OK)
			e = alias_check_text(cmd, cmd->name[i], buf_cstr(&path),
			    buf_span(&text), &a);
		if (e == OK) {
			(void)fprintf(cmd->out, "%s: good\n", cmd->name[i]);
			alias_tell_proxy(cmd, a);
		} else {
			all = e;
		}
		alias_free(a);
		buf_release(&path);
		buf_release(&text);
	}
	return all;
}
