#include "admin/admin.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/owner.h"
#include "base/file.h"

static const char site_ini[] =
    "; Settings of this SCEP server; scep-alias(5) explains them.  A line\n"
    "; that begins with ';' is a comment: remove it to change the default.\n"
    "\n"
    "[ca]\n"
    "; how long the key of a CA's former generation still opens envelopes\n"
    ";grace = 30d\n"
    "\n"
    "[crl]\n"
    "; how long a CRL is valid, and how long before its end the next comes\n"
    ";validity = 7d\n"
    ";overlap = 1d\n"
    "\n"
    "[limits]\n"
    "; bytes of a request's body; more is answered with HTTP 413\n"
    ";body = 1048576\n"
    "; bytes of a query string; more is answered with HTTP 414\n"
    ";query = 131072\n"
    "\n"
    "[keys]\n"
    "; the file whose first line is the passphrase of encrypted key files\n"
    ";passphrasefile = /etc/scep/passphrase\n"
    "\n"
    "[site]\n"
    "; where this server is reached: the start of the URLs of CRL and CA\n"
    "; certificate that stand in certificates; without it they have none\n"
    ";baseurl = http://pki.example.org\n";

static const char *const rooms[] = { "ca", "aliases", "profiles" };

/* What a home that `init` did not finish may have in it. */
static enum err
ours(const char *name, void *arg)
{
	size_t i;

	(void)arg;
	if (strcmp(name, "store") == 0 || strcmp(name, "scep.ini") == 0)
		return OK;
	for (i = 0; i < sizeof(rooms) / sizeof(*rooms); i++) {
		if (strcmp(name, rooms[i]) == 0)
			return OK;
	}
	return say(
	    ERR_EXISTS, "there is something else in it already: %s", name);
}

/*
 * The directory may be there if it is empty, as packages and mounts leave it,
 * or what an `init` left that was cut short; a home is never made twice.
 */
static enum err
make_home(struct command *cmd)
{
	enum err e;

	e = dir_make(AT_FDCWD, cmd->home_path);
	if (e != OK && e != ERR_EXISTS)
		return e;
	if ((e = dir_open_home(cmd->home_path, &cmd->home)) != OK)
		return e;
	if (file_exists(cmd->home, "store/format") == OK)
		return say(ERR_EXISTS,
		    "%s is a home already; `scep status` says how it is",
		    cmd->home_path);
	if (dir_each(cmd->home, ".", ours, NULL) != OK)
		return say(ERR_EXISTS,
		    "%s is not empty; name a directory that is new or empty",
		    cmd->home_path);
	return OK;
}

/* After this the process is the home's owner and its mode is ours. */
static enum err
own_home(struct command *cmd)
{
	const char *owner = opt_text(cmd, "owner");
	bool root = geteuid() == 0;
	enum err e;

	if (owner != NULL)
		e = owner_give(cmd->home_path, cmd->home, owner);
	else
		e = owner_become(cmd->home_path, cmd->home);
	if (e != OK)
		return e;
	if (fchmod(cmd->home, DIR_MODE) != 0)
		return say(ERR_SYSTEM, "cannot set the mode of %s: %s",
		    cmd->home_path, strerror(errno));
	if (root && geteuid() == 0)
		(void)fprintf(stderr,
		    "scep: the home belongs to root: only a server that runs "
		    "as root can use it; --owner USER gives it to another\n");
	return OK;
}

static enum err
fill_home(const struct command *cmd)
{
	enum err e;
	size_t i;

	if ((e = store_probe(cmd->home)) != OK)
		return e;
	for (i = 0; i < sizeof(rooms) / sizeof(*rooms); i++) {
		e = dir_make(cmd->home, rooms[i]);
		if (e != OK && e != ERR_EXISTS)
			return e;
	}
	if (file_exists(cmd->home, "scep.ini") != OK) {
		e = file_replace(cmd->home, "scep.ini",
		    span_of(site_ini, sizeof(site_ini) - 1), FILE_RECORD);
		if (e != OK)
			return e;
	}
	/* Its format file comes last: the sign that the home is whole. */
	return store_init(cmd->home, (unsigned)opt_number(cmd, "shards", 2));
}

static enum err
run_init(struct command *cmd)
{
	int64_t shards = opt_number(cmd, "shards", 2);
	enum err e;

	if (shards != 2 && shards != 3)
		return usage(cmd, "--shards is 2, or 3 for more than a million "
				  "records");
	if (!buf_str(&cmd->object, cmd->home_path))
		return ERR_SYSTEM;
	if ((e = make_home(cmd)) != OK || (e = own_home(cmd)) != OK ||
	    (e = fill_home(cmd)) != OK)
		return e;
	if ((e = store_open(cmd->home, &cmd->store)) != OK)
		return e;
	(void)fprintf(cmd->out,
	    "made the home %s; next: scep ca create NAME --subject DN\n",
	    cmd->home_path);
	return OK;
}

static const struct option init_options[] = {
	{ "owner", "user", OPT_TEXT, "USER",
	    "as root: the user whose home it is" },
	{ "shards", NULL, OPT_NUMBER, "N",
	    "2, or 3 for more than a million records" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};

static const struct verb init_verbs[] = {
	{ .name = "",
	    .args = "",
	    .options = init_options,
	    .run = run_init,
	    .help = "make the server's home",
	    .more = "Makes the directory (0750) with the rooms ca, aliases, "
		    "profiles and store and\na commented scep.ini, and tries "
		    "whether the file system can do what the store\nneeds.  "
		    "The home has one owner: the user that the server runs "
		    "as.\n\n  scep init --home /srv/scep --owner scep",
	    .changes = true,
	    .no_store = true },
	{ .name = NULL },
};

const struct noun noun_init = { "init", "make the server's home", init_verbs };
