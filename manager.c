#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/admin.h"
#include "admin/owner.h"
#include "base/file.h"
#include "base/log.h"
#include "base/socket.h"
#include "serve.h"
#include "workers.h"

/*
 * `scep serve`: a FastCGI manager, for where no web server or spawn-fcgi is
 * to start the workers.  It opens the socket as whoever started it, becomes
 * the home's owner, and then only looks after its workers.
 */

#define DEFAULT_LISTEN	 "unix:/run/scep/scep.sock"
#define DEFAULT_MODE	 0660
#define DEFAULT_PATIENCE 30 /* seconds */

/* "0660" */
static enum err
read_mode(const struct command *cmd, mode_t *out)
{
	const char *text = opt_text(cmd, "mode");

	*out = DEFAULT_MODE;
	if (text == NULL)
		return OK;
	if (*text == '\0' || strlen(text) > 4 ||
	    strspn(text, "01234567") != strlen(text))
		return ERR_INPUT;
	*out = (mode_t)strtoul(text, NULL, 8);
	return *out <= 0777 ? OK : ERR_INPUT;
}

/* As many as there are processors: an enrolment is mostly arithmetic. */
static int64_t
default_workers(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > MAX_WORKERS ? MAX_WORKERS : n;
}

/* Of the socket file: the named group, else that of the home. */
static enum err
find_group(const struct command *cmd, gid_t *out)
{
	const char *name = opt_text(cmd, "group");
	const struct group *group;
	struct stat st;

	*out = (gid_t)-1;
	if (name == NULL) {
		if (geteuid() == 0 && stat(cmd->home_path, &st) == 0)
			*out = st.st_gid;
		return OK;
	}
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	if ((group = getgrnam(name)) == NULL)
		return say(ERR_NOTFOUND, "no group %s", name);
	*out = group->gr_gid;
	return OK;
}

/* systemd's socket, if there is one, else our own. */
static enum err
open_socket(const struct command *cmd, mode_t mode, struct listener *out)
{
	const char *where = opt_text(cmd, "listen");
	gid_t group;
	enum err e;

	e = listener_inherited(out);
	if (e == OK && (where != NULL || opt_given(cmd, "mode") ||
			   opt_given(cmd, "group")))
		log_warn("systemd brings the socket: --listen, --mode and "
			 "--group are not looked at");
	if (e != ERR_NOTFOUND)
		return e;
	if ((e = find_group(cmd, &group)) != OK)
		return e;
	return listener_open(where ? where : DEFAULT_LISTEN, mode, group, out);
}

static enum err
manage(struct command *cmd, struct listener *l)
{
	struct team team = {
		.listener = l,
		.workers = (unsigned)opt_number(cmd, "workers", 0),
		.patience =
		    opt_number(cmd, "patience", DEFAULT_PATIENCE) * 1000,
		.work = serve_worker,
	};

	if (team.workers == 0)
		team.workers = (unsigned)default_workers();
	/* Workers open their own, and again after each reload. */
	store_release(&cmd->store);
	file_close(&cmd->home);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	if (setenv("SCEP_HOME", cmd->home_path, 1) != 0)
		return say(ERR_SYSTEM, "no memory");
	log_hat(LOG_SERVER);
	log_info("serving %s with %u workers", cmd->home_path, team.workers);
	return workers_run(&team);
}

static enum err
run_serve(struct command *cmd)
{
	struct listener l = LISTENER_INIT;
	mode_t mode;
	enum err e;

	if (opt_number(cmd, "workers", 1) < 1 ||
	    opt_number(cmd, "workers", 1) > MAX_WORKERS)
		return usage(cmd, "--workers is 1 to %d", MAX_WORKERS);
	if (opt_number(cmd, "patience", 1) > 86400)
		return usage(cmd, "--patience is at most 86400 seconds");
	if (read_mode(cmd, &mode) != OK)
		return usage(cmd, "--mode is an octal mode such as 0660");
	if ((e = owner_check(cmd->home_path)) != OK)
		return e;
	/* Before root's rights go: its directory may be root's. */
	if ((e = open_socket(cmd, mode, &l)) != OK)
		return e;
	if ((e = home_open(cmd)) != OK)
		goto out;
	e = manage(cmd, &l);
out:
	listener_close(&l);
	return e;
}

static const struct option serve_options[] = {
	{ "listen", NULL, OPT_TEXT, "WHERE",
	    "unix:PATH or HOST:PORT; default " DEFAULT_LISTEN },
	{ "workers", NULL, OPT_NUMBER, "N",
	    "how many processes; default one for each processor" },
	{ "mode", NULL, OPT_TEXT, "MODE",
	    "of the socket file, octal; default 0660" },
	{ "group", NULL, OPT_TEXT, "GROUP",
	    "of the socket file: the web server's, such as www-data" },
	{ "patience", NULL, OPT_NUMBER, "SECONDS",
	    "that a worker gets to finish; default 30" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};

static const struct verb serve_verbs[] = {
	{ .name = "",
	    .args = "",
	    .options = serve_options,
	    .run = run_serve,
	    .help = "serve FastCGI to a web server",
	    .more =
		"Opens the socket, becomes the home's owner, and keeps the "
		"workers running until\nSIGTERM, which lets requests at hand "
		"finish.  SIGHUP replaces the workers one\nafter the other.  "
		"A socket that systemd hands over is taken instead of "
		"--listen.\nLog lines go to standard error.\n\n  scep serve "
		"--group www-data --workers 4",
	    .no_store = true },
	{ .name = NULL },
};

const struct noun noun_serve = { "serve", "serve FastCGI to a web server",
	serve_verbs };
