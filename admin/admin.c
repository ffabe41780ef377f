#include "admin/admin.h"

#include "admin/args.h"
#include "admin/ejbca.h"
#include "admin/owner.h"
#include "base/file.h"
#include "base/log.h"
#include "base/time.h"
#include "store/audit.h"

#define DEFAULT_HOME "/var/lib/scep"

const struct noun *const nouns[] = { &noun_init, &noun_status, &noun_check,
	&noun_serve, &noun_ca, &noun_ca_ra, &noun_entity, &noun_cert, &noun_crl,
	&noun_alias, &noun_profile, &noun_request, &noun_challenge,
	&noun_intune, &noun_queue, &noun_audit, &noun_ejbca_config,
	&noun_ejbca_ra, &noun_ejbca_ca, NULL };

static const char *
noun_name(int i, const void *arg)
{
	(void)arg;
	return nouns[i]->name;
}

/* Is it called by this word, or by these two: `ca ra`? */
static bool
is_noun(const struct noun *noun, int words, char **argv)
{
	size_t len = strlen(argv[0]);

	if (words == 1)
		return strcmp(noun->name, argv[0]) == 0;
	return strncmp(noun->name, argv[0], len) == 0 &&
	       noun->name[len] == ' ' &&
	       strcmp(noun->name + len + 1, argv[1]) == 0;
}

/*
 * The noun that argv begins with, and how many words it has; or NULL, then
 * *near is the most like it.
 */
static const struct noun *
noun_find(int argc, char **argv, int *words, const char **near)
{
	int n = 0;

	for (*words = argc > 1 ? 2 : 1; *words > 0; --*words) {
		for (n = 0; nouns[n] != NULL; n++) {
			if (is_noun(nouns[n], *words, argv))
				return nouns[n];
		}
	}
	*near = nearest(argv[0], n, noun_name, NULL);
	return NULL;
}

/* Another noun of the same name behind this one: EJBCA's verbs of `ca`. */
static const struct noun *
noun_twin(const struct noun *noun)
{
	int n = 0;

	while (nouns[n] != noun)
		n++;
	while (nouns[++n] != NULL) {
		if (strcmp(nouns[n]->name, noun->name) == 0)
			return nouns[n];
	}
	return NULL;
}

static const char *
verb_name(int i, const void *arg)
{
	const struct noun *noun = arg;

	return noun->verbs[i].name;
}

static bool
is_verb(const struct verb *verb, const char *word)
{
	size_t i;

	if (strcmp(verb->name, word) == 0)
		return true;
	for (i = 0; i < 3; i++) {
		if (verb->other[i] != NULL && strcmp(verb->other[i], word) == 0)
			return true;
	}
	return false;
}

/* The verb, and the one of the nouns of that name that has it. */
static const struct verb *
verb_find(const struct noun **noun, const char *word, const char **near)
{
	const struct noun *each;
	int n = 0;

	for (each = *noun; each != NULL; each = noun_twin(each)) {
		for (n = 0; each->verbs[n].name != NULL; n++) {
			if (!is_verb(&each->verbs[n], word))
				continue;
			*noun = each;
			return &each->verbs[n];
		}
	}
	for (n = 0; (*noun)->verbs[n].name != NULL;)
		n++;
	*near = nearest(word, n, verb_name, *noun);
	return NULL;
}

static void
help_nouns(const struct noun *noun)
{
	for (; noun != NULL; noun = noun_twin(noun))
		help_noun(stdout, noun);
}

/* What EJBCA has and we have not is answered by what to do here. */
static enum err
instead(struct command *cmd, const char *noun, const char *verb)
{
	const char *what = ejbca_instead(noun, verb);

	if (what == NULL)
		return OK;
	return usage(cmd, "EJBCA's \"%s%s%s\" is not here: %s", noun,
	    verb == NULL ? "" : " ", verb == NULL ? "" : verb, what);
}

static enum err
no_noun(
    struct command *cmd, const char *word, const char *next, const char *near)
{
	if (instead(cmd, word, next) != OK)
		return ERR_INPUT;
	return usage(cmd,
	    "no command \"%s\"; did you mean `scep %s`? `scep help` shows all",
	    word, near);
}

static enum err
no_verb(struct command *cmd, const struct noun *noun, const char *word,
    const char *near)
{
	if (instead(cmd, noun->name, word) != OK)
		return ERR_INPUT;
	return usage(cmd,
	    "no command \"%s %s\"; did you mean `scep %s %s`? `scep help %s` "
	    "shows all",
	    noun->name, word, noun->name, near, noun->name);
}

/* scep help [NOUN [VERB]] */
static enum err
run_help(struct command *cmd, int argc, char **argv)
{
	const struct noun *noun;
	const struct verb *verb;
	const char *near = "";
	int words = 1;

	if (argc == 0) {
		help_all(stdout);
		return OK;
	}
	noun = noun_find(argc, argv, &words, &near);
	if (noun == NULL)
		return no_noun(cmd, argv[0], argc > 1 ? argv[1] : NULL, near);
	argv += words - 1;
	argc -= words - 1;
	if (argc == 1 || *noun->verbs->name == '\0') {
		help_nouns(noun);
		return OK;
	}
	verb = verb_find(&noun, argv[1], &near);
	if (verb == NULL)
		return no_verb(cmd, noun, argv[1], near);
	help_verb(stdout, noun, verb);
	return OK;
}

enum err
home_open(struct command *cmd)
{
	enum err e;

	if ((e = owner_check(cmd->home_path)) != OK)
		return e;
	e = dir_open_home(cmd->home_path, &cmd->home);
	if (e == ERR_NOTFOUND)
		return say(e,
		    "no home %s; `scep init` makes it, --home or SCEP_HOME "
		    "names another",
		    cmd->home_path);
	if (e != OK)
		return e;
	if ((e = owner_become(cmd->home_path, cmd->home)) != OK)
		return e;
	e = store_open(cmd->home, &cmd->store);
	if (e == ERR_NOTFOUND)
		return say(
		    e, "no store in %s; `scep init` makes it", cmd->home_path);
	return e;
}

/* "entity add" */
static void
put_command(struct buf *out, const struct command *cmd)
{
	(void)buf_str(out, cmd->noun->name);
	if (*cmd->verb->name != '\0')
		(void)buf_printf(out, " %s", cmd->verb->name);
}

static enum err
write_audit(const struct command *cmd, const char *object, const char *outcome)
{
	struct buf verb = BUF_INIT;
	enum err e;

	put_command(&verb, cmd);
	e = audit_write(&cmd->store,
	    &(struct audit){ .who = buf_cstr(&cmd->who),
		.verb = buf_cstr(&verb),
		.object = object,
		.outcome = outcome,
		.detail =
		    cmd->detail.len == 0 ? NULL : buf_cstr(&cmd->detail) });
	buf_release(&verb);
	return e;
}

enum err
audit_object(const struct command *cmd, const char *object)
{
	return write_audit(cmd, object, "done");
}

/*
 * Who did what to what, and how it ended; failures too.  A line that cannot
 * be written was logged; what was done stays done.
 */
static void
audit_command(const struct command *cmd, enum err result)
{
	struct buf outcome = BUF_INIT;
	const char *object = buf_cstr(&cmd->object);
	const char *why = buf_cstr(&cmd->outcome);

	if (cmd->object.len == 0 && cmd->names > 0)
		object = cmd->name[0];
	if (*why == '\0')
		why = said();
	if (result == OK)
		(void)buf_str(&outcome, "done");
	else if (*why == '\0')
		(void)buf_str(&outcome, err_name(result));
	else
		(void)buf_printf(&outcome, "%s: %s", err_name(result), why);
	(void)write_audit(cmd, object, buf_cstr(&outcome));
	buf_release(&outcome);
}

/* All that stands between a parsed command and its end. */
static enum err
run(struct command *cmd)
{
	enum err e, closed;

	if ((e = who_am_i(cmd)) != OK)
		return e;
	if ((e = args_load(cmd)) != OK)
		return e;
	if (!cmd->verb->no_store && (e = home_open(cmd)) != OK)
		return e;
	cmd->out = opt_out(cmd, "out");
	if (cmd->out == NULL)
		cmd->out = stdout;
	e = cmd->verb->run(cmd);
	closed = args_close(cmd);
	if (e == OK)
		e = closed;
	if (cmd->verb->changes && !cmd->unchanged && cmd->store.root >= 0)
		audit_command(cmd, e);
	return e;
}

static enum err
find_command(struct command *cmd, int *argc, char ***argv)
{
	const char *near = "";
	const char *word = (*argv)[0];
	int words = 1;

	cmd->noun = noun_find(*argc, *argv, &words, &near);
	if (cmd->noun == NULL)
		return no_noun(cmd, word, *argc > 1 ? (*argv)[1] : NULL, near);
	*argv += words;
	*argc -= words;
	cmd->verb = cmd->noun->verbs;
	if (*cmd->verb->name == '\0')
		return OK;
	word = *argc > 0 ? (*argv)[0] : NULL;
	if (word == NULL)
		return usage(cmd,
		    "`scep %s` wants a verb; `scep help %s` shows them",
		    cmd->noun->name, cmd->noun->name);
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		cmd->verb = NULL;
		return OK;
	}
	cmd->verb = verb_find(&cmd->noun, word, &near);
	if (cmd->verb == NULL)
		return no_verb(cmd, cmd->noun, word, near);
	++*argv;
	--*argc;
	return OK;
}

static enum err
dispatch(struct command *cmd, int argc, char **argv)
{
	enum err e;

	if ((e = find_command(cmd, &argc, &argv)) != OK)
		return e;
	if (cmd->verb == NULL) {
		help_nouns(cmd->noun);
		return OK;
	}
	if ((e = args_parse(cmd, argc, argv)) != OK)
		return e;
	if (cmd->help) {
		help_verb(stdout, cmd->noun, cmd->verb);
		return OK;
	}
	return run(cmd);
}

/* What may stand before the noun: --home DIR; returns the words it took. */
static int
take_home(struct command *cmd, int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[0], "--home") == 0) {
		cmd->home_path = argv[1];
		return 2;
	}
	if (argc > 0 && strncmp(argv[0], "--home=", 7) == 0) {
		cmd->home_path = argv[0] + 7;
		return 1;
	}
	return 0;
}

static enum err
start(struct command *cmd, int argc, char **argv)
{
	int used = take_home(cmd, argc, argv);

	argc -= used;
	argv += used;
	if (argc <= 0)
		return usage(cmd, "what? `scep help` shows the commands");
	if (strcmp(argv[0], "--version") == 0) {
		help_version(stdout);
		return OK;
	}
	if (strcmp(argv[0], "help") == 0)
		return run_help(cmd, argc - 1, argv + 1);
	if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)
		return run_help(cmd, 0, NULL);
	return dispatch(cmd, argc, argv);
}

int
admin_main(int argc, char **argv)
{
	struct command cmd = { .home = -1, .store = { -1, -1, 0 } };
	int status;
	enum err e;

	log_hat(LOG_COMMAND);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	cmd.home_path = getenv("SCEP_HOME");
	if (cmd.home_path == NULL || *cmd.home_path == '\0')
		cmd.home_path = DEFAULT_HOME;
	cmd.now = time_now();
	e = start(&cmd, argc - 1, argv + 1);
	if (e == ERR_BUSY && *said() == '\0')
		(void)say(e,
		    "a file that this needs was written just now, or "
		    "somebody else is at it: try again in two seconds");
	status = cmd.exit_status != 0 ? cmd.exit_status : err_exit(e);
	if (fflush(stdout) != 0 && status == 0)
		status =
		    err_exit(say(ERR_SYSTEM, "cannot write all of the output"));
	if (cmd.store.root >= 0)
		store_release(&cmd.store);
	file_close(&cmd.home);
	args_release(&cmd);
	buf_release(&cmd.who);
	buf_release(&cmd.user);
	buf_release(&cmd.object);
	buf_release(&cmd.detail);
	buf_release(&cmd.outcome);
	return status;
}
