#include "admin/admin.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>

#include "admin/health.h"
#include "admin/profile.h"
#include "aliases/alias.h"
#include "base/file.h"
#include "ca/ca.h"
#include "ca/folder.h"
#include "store/cert.h"

/* Users that web servers run as, on the systems we know. */
static const char *const web_users[] = { "www-data", "apache", "httpd", "nginx",
	"lighttpd", "http", "wwwrun", "_www", "www", "nobody" };

struct check {
	struct command *cmd;
	bool repair;
	unsigned left;	    /* findings that remain and are no warnings */
	unsigned mended;    /* by --repair */
	uid_t owner;	    /* the home's */
	const char *folder; /* while a CA's folder is walked */
};

static const char *
word(const struct finding *f)
{
	if (f->fixed)
		return "mended";
	return f->warning ? "warning" : "wrong";
}

/* Prints one finding and counts nothing: the store counts its own. */
static void
print_finding(const struct finding *f, void *arg)
{
	struct check *k = arg;
	FILE *out = k->cmd->out;

	k->mended += f->fixed;
	if (opt_flag(k->cmd, "json")) {
		json_begin(out);
		json_text(out, "state", word(f));
		json_text(out, "where", f->where);
		json_text(out, "what", f->what);
		json_end(out);
		return;
	}
	print_cell(out, word(f), 7);
	print_text(out, f->where);
	(void)fputs(": ", out);
	print_text(out, f->what);
	(void)fputc('\n', out);
}

/* A finding of our own. */
static void
find(struct check *k, const char *where, const char *what, bool fixed,
    bool warning)
{
	print_finding(&(struct finding){ .where = where,
			  .what = what,
			  .fixed = fixed,
			  .warning = warning },
	    k);
	k->left += !fixed && !warning;
}

/* Nothing in the home belongs to another user (DESIGN 8). */
static void
check_owner(struct check *k, const char *path)
{
	struct stat st;

	if (fstatat(k->cmd->home, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_uid != k->owner)
		find(k, path, "belongs to another user than the home; chown it",
		    false, false);
}

static enum err
check_one_owner(const char *name, void *arg)
{
	struct check *k = arg;
	struct buf path = BUF_INIT;

	if (buf_printf(&path, "%s/%s", k->folder, name))
		check_owner(k, buf_cstr(&path));
	buf_release(&path);
	return OK;
}

/* A directory's own owner and that of each name in it. */
static enum err
check_owners(struct check *k, const char *folder)
{
	const char *was = k->folder;
	enum err e;

	check_owner(k, folder);
	k->folder = folder;
	e = dir_each(k->cmd->home, folder, check_one_owner, k);
	k->folder = was;
	return e;
}

static void
check_key_file(struct check *k, const char *path)
{
	struct stat st;
	bool fixed;

	if (fstatat(k->cmd->home, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return; /* that the CA has no key is said by its loading */
	if (!S_ISREG(st.st_mode)) {
		find(k, path, "the key is no regular file", false, false);
		return;
	}
	if ((st.st_mode & 07777) == FILE_KEY)
		return;
	fixed = k->repair && fchmodat(k->cmd->home, path, FILE_KEY, 0) == 0;
	find(k, path, "the key's mode is not 0400; --repair sets it", fixed,
	    false);
}

/* What a crash leaves of a folder that was being written (ca/folder.c). */
static void
check_draft(struct check *k, const char *name)
{
	struct buf path = BUF_INIT;

	if (buf_printf(&path, "%s/%s", k->folder, name))
		find(k, buf_cstr(&path),
		    "a folder that was never finished; remove it", false, true);
	buf_release(&path);
}

/* A generation of a CA, or of its RA: owners, and the modes of its keys. */
static enum err
check_generation(const char *name, void *arg)
{
	static const char *const keys[] = { "key.pem", "sign-key.pem" };
	struct check *k = arg;
	struct buf path = BUF_INIT, key = BUF_INIT;
	enum err e = OK;

	if (name[0] == '.')
		check_draft(k, name);
	/* or what waits for the certificate of the next one */
	if (strspn(name, "0123456789") != strlen(name) &&
	    strcmp(name, "request") != 0)
		return OK;
	if (buf_printf(&path, "%s/%s", k->folder, name))
		e = check_owners(k, buf_cstr(&path));
	for (size_t i = 0; e == OK && i < sizeof(keys) / sizeof(*keys); i++) {
		buf_clear(&key);
		if (buf_printf(&key, "%s/%s", buf_cstr(&path), keys[i]))
			check_key_file(k, buf_cstr(&key));
	}
	buf_release(&path);
	buf_release(&key);
	return e;
}

static enum err
check_generations(struct check *k, const char *folder)
{
	k->folder = folder;
	return dir_each(k->cmd->home, folder, check_generation, k);
}

/* The folder ra of a CA; most have none. */
static enum err
check_ras(struct check *k, const char *folder)
{
	struct buf path = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (buf_printf(&path, "%s/ra", folder))
		e = check_generations(k, buf_cstr(&path));
	if (e == OK)
		e = check_owners(k, buf_cstr(&path));
	buf_release(&path);
	return e == ERR_NOTFOUND ? OK : e;
}

/* What clients will miss in its certificates (C-35): it works, so a warning. */
struct usages {
	struct check *k;
	const char *where;
};

static void
warn_usage(const char *sentence, void *arg)
{
	const struct usages *u = arg;

	find(u->k, u->where, sentence, false, true);
}

static enum err
check_rooms(struct check *k, const struct ca *ca)
{
	enum err e = OK;
	size_t i;

	for (i = 0; i < ca->ngen && k->repair && e == OK; i++)
		e = cert_rooms(&k->cmd->store, ca->name, ca->gen[i].n);
	return e;
}

static enum err
check_ca(struct check *k, struct cas *cas, const char *name)
{
	struct buf folder = BUF_INIT;
	const struct ca *ca = NULL;
	enum err e;

	if ((e = ca_path(name, &folder)) == OK &&
	    (e = check_generations(k, buf_cstr(&folder))) == OK)
		e = check_ras(k, buf_cstr(&folder));
	if (e == OK && cas_find(cas, name, &ca) != OK)
		find(k, buf_cstr(&folder), "the CA cannot be loaded", false,
		    false);
	else if (e == OK) {
		struct usages u = { k, buf_cstr(&folder) };

		if (ca->ra_lost)
			find(k, buf_cstr(&folder),
			    "an RA certificate cannot be loaded", false, false);
		(void)ca_lacks(ca, k->cmd->now, warn_usage, &u);
		e = check_rooms(k, ca);
	}
	buf_release(&folder);
	return e;
}

/* A CA that waits for its certificate (`ca request`): its key is guarded. */
static enum err
check_waiting(struct check *k, const char *name)
{
	struct buf path = BUF_INIT, ca = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (buf_printf(&path, "ca/%s", name) &&
	    (e = check_owners(k, buf_cstr(&path))) == OK) {
		if (buf_printf(&ca, "ca/%s", name + strlen(CA_REQUEST)) &&
		    file_exists(k->cmd->home, buf_cstr(&ca)) == OK)
			find(k, buf_cstr(&path),
			    "its CA has been installed; remove it", false,
			    true);
		if (buf_str(&path, "/key.pem"))
			check_key_file(k, buf_cstr(&path));
	}
	buf_release(&path);
	buf_release(&ca);
	return e;
}

/* Names that are no CA's. */
static enum err
check_litter(const char *name, void *arg)
{
	struct check *k = arg;

	if (strncmp(name, CA_REQUEST, strlen(CA_REQUEST)) == 0)
		return check_waiting(k, name);
	k->folder = "ca";
	if (name[0] == '.')
		check_draft(k, name);
	return OK;
}

static enum err
check_cas(struct check *k)
{
	struct cas *cas = NULL;
	char **names = NULL;
	size_t i, n = 0;
	enum err e;

	if ((e = dir_each(k->cmd->home, "ca", check_litter, k)) != OK ||
	    (e = ca_names(k->cmd->home, &names, &n)) != OK)
		return e;
	e = cas_new(k->cmd->home, &cas);
	for (i = 0; i < n; i++) {
		if (e == OK)
			e = check_ca(k, cas, names[i]);
		free(names[i]);
	}
	free(names);
	cas_free(cas);
	return e;
}

static void
broken_alias(const char *file, void *arg)
{
	struct buf path = BUF_INIT;

	if (buf_printf(&path, "aliases/%s", file))
		find(arg, buf_cstr(&path), "this alias cannot be used", false,
		    false);
	buf_release(&path);
}

static enum err
check_profile(const char *name, void *arg)
{
	struct check *k = arg;
	struct profile *p = NULL;
	struct buf path = BUF_INIT;
	enum err e = profile_load(k->cmd, name, &p);

	if (e == ERR_REFUSED && buf_printf(&path, "profiles/%s.ini", name)) {
		find(k, buf_cstr(&path), "this profile cannot be used", false,
		    false);
		e = OK;
	}
	profile_free(p);
	buf_release(&path);
	return e;
}

static void
wrong_issued(const char *where, const char *what, void *arg)
{
	find(arg, where, what, false, false);
}

/* The rooms that `init` made; what is missing stops what looks into it. */
static enum err
check_dirs(struct check *k)
{
	static const char *const rooms[] = { "ca", "aliases", "profiles" };
	enum err e, all = OK;
	bool fixed;
	size_t i;

	for (i = 0; i < sizeof(rooms) / sizeof(*rooms); i++) {
		e = check_owners(k, rooms[i]);
		if (e != ERR_NOTFOUND && e != OK)
			return e;
		if (e == OK)
			continue;
		fixed = k->repair && dir_make(k->cmd->home, rooms[i]) == OK;
		find(k, rooms[i], "is not there; --repair makes it", fixed,
		    false);
		if (!fixed)
			all = ERR_NOTFOUND;
	}
	check_owner(k, "scep.ini");
	check_owner(k, "seal.key"); /* of recoverable codes, if there are any */
	check_key_file(k, "seal.key");
	return all;
}

/*
 * With plain CGI the server runs as the web server's user, and then all that
 * this user runs can read the keys (DESIGN 8).  It works, so it is said, not
 * counted.
 */
static void
check_web_user(struct check *k)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	const struct passwd *pw = getpwuid(k->owner);
	size_t i;

	for (i = 0; pw != NULL && i < sizeof(web_users) / sizeof(*web_users);
	     i++) {
		if (strcmp(pw->pw_name, web_users[i]) != 0)
			continue;
		find(k, k->cmd->home_path,
		    "belongs to the web server's user, as plain CGI wants: "
		    "every script of the web server can read the CA keys; "
		    "FastCGI under a user of its own avoids that",
		    false, true);
		return;
	}
}

/* Nobody but its owner may change the home; its group may read records. */
static enum err
check_home(struct check *k)
{
	struct stat st;
	bool fixed;

	if (fstat(k->cmd->home, &st) != 0)
		return say(ERR_SYSTEM, "cannot look at %s: %s",
		    k->cmd->home_path, strerror(errno));
	k->owner = st.st_uid;
	if ((st.st_mode & (S_IWGRP | S_IRWXO)) != 0) {
		fixed = k->repair && fchmod(k->cmd->home, DIR_MODE) == 0;
		find(k, k->cmd->home_path,
		    "others can look into the home or change it; --repair "
		    "sets its mode to 0750",
		    fixed, false);
	}
	check_web_user(k);
	return OK;
}

/* Workers read it as they start; what is wrong was logged with its line. */
static void
check_site(struct check *k)
{
	struct site site;

	if (site_read(k->cmd->home, &site) != OK)
		find(k, "scep.ini",
		    "cannot be used: a worker that starts answers 503", false,
		    false);
}

static enum err
check_all(struct check *k)
{
	struct alias_health aliases;
	unsigned left = 0;
	enum err e;

	if ((e = check_home(k)) != OK)
		return e;
	check_site(k);
	e = check_dirs(k);
	if (e == OK && (e = check_cas(k)) == OK)
		e = health_aliases(k->cmd, broken_alias, k, &aliases);
	if (e == OK)
		e = profile_each(k->cmd, check_profile, k);
	if (e != OK && e != ERR_NOTFOUND)
		return e;
	e = store_check(&k->cmd->store, k->repair, print_finding, k, &left);
	k->left += left;
	/* Behind the walk, which tells better of what cannot be read. */
	if (e == OK) {
		health_hush();
		e = health_issued(k->cmd, wrong_issued, k);
		health_speak();
	}
	return e;
}

static enum err
run_check(struct command *cmd)
{
	struct check k = { .cmd = cmd, .repair = opt_flag(cmd, "repair") };
	enum err e;

	cmd->unchanged = !k.repair;
	if (!buf_str(&cmd->object, cmd->home_path))
		return ERR_SYSTEM;
	if ((e = check_all(&k)) != OK)
		return e;
	if (!opt_flag(cmd, "json") && k.left == 0)
		(void)fprintf(cmd->out, "clean\n");
	if (k.repair)
		(void)buf_printf(&cmd->detail, "%u mended", k.mended);
	if (k.left == 0)
		return OK;
	return say(ERR_REFUSED, "%u wrong in %s%s", k.left, cmd->home_path,
	    k.repair ? "" : "; `scep check --repair` mends what it can");
}

static const struct option check_options[] = {
	{ "repair", NULL, OPT_FLAG, NULL, "mend what can be mended" },
	{ "json", NULL, OPT_FLAG, NULL, "one JSON object for each finding" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};

static const struct verb check_verbs[] = {
	{ .name = "",
	    .args = "",
	    .options = check_options,
	    .run = run_check,
	    .help = "look at everything in the home",
	    .more =
		"Walks the store, loads every CA, reads every alias "
		"and profile, looks at owners and modes.\nExit 0 if all is clean, 1 "
		"if something is wrong; warnings do not count.",
	    .changes = true },
	{ .name = NULL },
};

const struct noun noun_check = { "check", "look at everything in the home",
	check_verbs };
