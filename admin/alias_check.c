#include "admin/alias.h"

#include <fcntl.h>

#include "admin/profile.h"
#include "base/ini.h"
#include "base/log.h"
#include "ca/attr.h"
#include "judge/intune.h"

/*
 * What `alias check` knows of an alias beyond its own file: the profiles that
 * it names, the names of attributes, the secret in a file of its own.
 */
struct look {
	const char *path;
	const struct ini *ini; /* for the lines */
	enum err e;	       /* ERR_INPUT once anything was wrong */
};

static void
wrong(struct look *l, const char *section, const char *key, const char *what,
    const char *word)
{
	const struct ini_entry *entry = ini_find(l->ini, section, key);

	log_error("%s:%d: %s: %s %s", l->path, entry ? entry->line : 0, key,
	    what, word);
	l->e = ERR_INPUT;
}

static void
check_attr(
    struct look *l, const char *section, const char *key, const char *word)
{
	struct attr_type type;

	if (!attr_type_read(word, &type))
		wrong(l, section, key,
		    "no attribute of a name (CN, SN, UID, 1.2.3):", word);
}

/* "UID;SN;CN"; an empty one means the whole subject. */
static void
check_parameters(struct look *l, const struct alias *a)
{
	const char *p = a->ra.parameters;
	struct buf word = BUF_INIT;

	if (a->mode != MODE_RA || a->ra.scheme != NAMEGEN_DN || *p == '\0')
		return;
	for (;;) {
		size_t len = strcspn(p, ";");
		size_t from = strspn(p, " \t"), to = len;

		for (; to > from && (p[to - 1] == ' ' || p[to - 1] == '\t');)
			to--;
		buf_clear(&word);
		if (to <= from || buf_add(&word, p + from, to - from))
			check_attr(l, "ra", "namegenerationparameters",
			    buf_cstr(&word));
		if (p[len] == '\0')
			break;
		p += len + 1;
	}
	buf_release(&word);
}

/* EMPTY has no rules and is there without a file. */
static enum err
check_profiles(
    const struct command *cmd, const char *path, const struct alias *a)
{
	enum err e, other;

	if (a->mode == MODE_PROXY)
		return OK;
	if (a->mode != MODE_RA)
		return profile_named(cmd, path, a->profile);
	e = profile_named(cmd, path, a->ra.profile);
	if (strcmp(a->ra.entityprofile, "EMPTY") == 0)
		return e;
	other = profile_named(cmd, path, a->ra.entityprofile);
	return e == OK ? other : e;
}

/* Those that an external RA may choose. */
static void
check_choice(struct look *l, const struct command *cmd, const struct alias *a)
{
	for (size_t i = 0; i < a->queue.nprofiles; i++) {
		struct buf path = BUF_INIT, text = BUF_INIT;
		const char *name = a->queue.profiles[i];
		enum err e = profile_text(cmd->home, name, &path, &text);

		if (e == ERR_NOTFOUND)
			wrong(l, "queue", "profiles",
			    "no such profile, `scep profile list` shows them:",
			    name);
		else if (e != OK)
			l->e = e; /* logged */
		buf_release(&path);
		buf_release(&text);
	}
}

/*
 * Approvals are for requests of RA mode: in CA mode an administrator has said
 * yes already, by registering the entity; and Intune's challenge is over
 * before anybody has said yes.  Requests would get 503.
 */
static void
check_approvals(
    struct look *l, const struct command *cmd, const struct alias *a)
{
	static const char ca_asks[] =
	    "asks for approval, which CA mode has not:";
	static const char intune_asks[] =
	    "asks for approval, which judge = intune has not:";
	bool intune = a->challenge.judge == JUDGE_INTUNE;
	bool ra = a->mode == MODE_RA;
	const char *asks = intune ? intune_asks : ca_asks;
	const char *name = ra ? a->ra.profile : a->profile;
	const struct ca *ca = NULL;
	struct profile *p = NULL;
	struct cas *cas = NULL;

	if (a->mode != MODE_CA && !intune)
		return;
	if (name == NULL)
		name = "ENDUSER";
	if (profile_load(cmd, name, &p) == OK && p->approval > 0)
		wrong(l, ra ? "ra" : "scep",
		    ra ? "certificateprofile" : "profile", asks, name);
	profile_free(p);
	if (cas_new(cmd->home, &cas) != OK)
		return;
	for (size_t i = 0; i < a->ncas; i++)
		if (cas_find(cas, a->cas[i], &ca) == OK && ca->approval > 0)
			wrong(l, "scep", "cas", asks, a->cas[i]);
	cas_free(cas);
}

/*
 * A CA of which only the certificate is here signs nothing: every request
 * would get 503.  To one without an RSA key no external RA can write.
 */
static void
check_keys(struct look *l, const struct command *cmd, const struct alias *a)
{
	static const char elsewhere[] =
	    "its key is on another host, so operationmode must be externalra:";
	static const char no_rsa[] =
	    "its key is no RSA key, so that no external RA can encrypt to it:";
	bool external = a->mode == MODE_EXTERNALRA, ra = a->mode == MODE_RA;
	bool letters = external || a->queue.ra != NULL;
	const struct ca *ca = NULL;
	struct cas *cas = NULL;

	if (a->mode == MODE_PROXY || cas_new(cmd->home, &cas) != OK)
		return;
	for (size_t i = 0; i < a->ncas; i++) {
		const struct key *key;

		if (cas_find(cas, a->cas[i], &ca) != OK)
			continue;
		key = ca->gen[ca->ngen - 1].key;
		if (!external && key_elsewhere(key))
			wrong(l, ra ? "ra" : "scep", ra ? "defaultca" : "cas",
			    elsewhere, a->cas[i]);
		else if (letters && key_type(key) != KEY_RSA)
			wrong(l, ra ? "ra" : "scep", ra ? "defaultca" : "cas",
			    no_rsa, a->cas[i]);
	}
	cas_free(cas);
}

/*
 * namegenerationparameters = UID;SN;CN means UID alone, and nothing tells:
 * what follows is a comment (iniparser).  The value may be a secret.
 */
static void
warn_of_cuts(const struct look *l)
{
	for (size_t i = 0; i < l->ini->n; i++) {
		const struct ini_entry *entry = &l->ini->entry[i];

		if (entry->cut != '\0')
			log_warn("%s:%d: %s: a warning: the value ends before "
				 "the '%c'; quote it if that belongs to it, "
				 "put a blank in front if it is a comment",
			    l->path, entry->line, entry->key, entry->cut);
	}
}

/* ---- [program] --------------------------------------------------------- */

/* What belongs to others, or what they may write, is their judge. */
static const char *
strangers(const struct file_facts *f, const struct file_facts *home)
{
	if (f->uid != 0 && f->uid != home->uid)
		return "it belongs to neither root nor the home's owner:";
	if ((f->mode & 022) != 0)
		return "somebody else may write it:";
	return NULL;
}

/* By the home's owner, who runs it. */
static bool
may_run(const struct file_facts *f, const struct file_facts *home)
{
	mode_t bit = f->uid == home->uid ? 0100 :
		     f->gid == home->gid ? 0010 :
					   0001;

	return (f->mode & bit) != 0;
}

static const char *
look_program(const char *path, const struct file_facts *home)
{
	struct file_facts f;
	enum err e = file_facts(AT_FDCWD, path, &f);

	if (e != OK)
		return e == ERR_NOTFOUND ? "there is no file" :
					   "it cannot be looked at:";
	if (f.type != FILE_REGULAR)
		return "no regular file:";
	if (!may_run(&f, home))
		return "it cannot be executed by the home's owner:";
	return strangers(&f, home);
}

/* Who may write the folder can put another program there. */
static const char *
look_folder(const char *path, const struct file_facts *home)
{
	struct file_facts f;

	if (file_facts(AT_FDCWD, path, &f) != OK || f.type != FILE_DIRECTORY)
		return "it lies in no directory:";
	if (f.uid != 0 && f.uid != home->uid)
		return "its folder belongs to neither root nor the home's "
		       "owner:";
	return (f.mode & 022) != 0 ? "somebody else may write its folder:" :
				     NULL;
}

static void
check_program(struct look *l, const struct command *cmd, const struct alias *a)
{
	const char *path = a->program.path, *why;
	struct buf folder = BUF_INIT;
	struct file_facts home;

	if (a->challenge.judge != JUDGE_PROGRAM || path == NULL)
		return;
	if (file_facts(cmd->home, ".", &home) != OK ||
	    !buf_add(&folder, path, (size_t)(strrchr(path, '/') - path) + 1)) {
		l->e = ERR_SYSTEM;
		return;
	}
	if ((why = look_program(path, &home)) == NULL)
		why = look_folder(buf_cstr(&folder), &home);
	if (why != NULL)
		wrong(l, "program", "path", why, path);
	buf_release(&folder);
}

/* The files that [intune] names. */
static enum err
check_intune(const struct command *cmd, const struct alias *a)
{
	struct buf jwt = BUF_SECRET;
	struct intune in;
	enum err e;

	if (a->challenge.judge != JUDGE_INTUNE)
		return OK;
	e = intune_open(a, cmd->home, cmd->now, &in);
	if (e == OK && a->intune.keybinding)
		e = intune_jwt(
		    &(struct intune_claims){ .where = a->intune.binding,
			.audience = a->intune.authority,
			.client = a->intune.appid,
			.now = cmd->now },
		    buf_span(&in.secret), &jwt);
	intune_close(&in);
	buf_release(&jwt);
	return e;
}

enum err
alias_check_rest(const struct command *cmd, const char *path, struct span text,
    struct alias *a)
{
	struct look l = { path, NULL, OK };
	struct ini *ini = NULL;
	enum err e, other;

	if ((e = ini_parse(path, text, &ini)) != OK)
		return e;
	l.ini = ini;
	warn_of_cuts(&l);
	for (size_t i = 0; i < a->renewal.nignore; i++)
		check_attr(
		    &l, "renewal", "renewalignore", a->renewal.ignore[i]);
	check_parameters(&l, a);
	check_keys(&l, cmd, a);
	check_program(&l, cmd, a);
	check_choice(&l, cmd, a);
	if ((e = check_profiles(cmd, path, a)) == OK)
		check_approvals(&l, cmd, a);
	if (e == OK)
		e = l.e;
	if (a->challenge.judge == JUDGE_WEB &&
	    (other = alias_check_web(cmd, path, a)) != OK && e == OK)
		e = other;
	other = alias_check_proxy(cmd, path, ini, a);
	e = e == OK ? other : e;
	other = alias_check_queue(cmd, path, ini, a);
	e = e == OK ? other : e;
	if (e == OK)
		e = check_intune(cmd, a);
	other = alias_secret(cmd->home, a);
	ini_free(ini);
	return e == OK ? other : e;
}
