#ifndef ADMIN_ARGS_H
#define ADMIN_ARGS_H

#include "admin/admin.h"

/*
 * A command's options and names.  First args_parse(), which opens nothing,
 * then args_load(), which reads and opens what they name as the user who
 * typed them, then owner_become().
 */
struct option_value {
	const struct option *option;
	const char *text; /* as typed, borrowed from argv; NULL for flags */
	struct buf bytes; /* OPT_FILE, OPT_SECRET: the content; secret */
	int64_t number;	  /* OPT_NUMBER, OPT_TIME, OPT_SINCE */
	FILE *out;	  /* OPT_OUT, OPT_OUT_SECRET */
};

/* Taken by every command: --home DIR, --help. */
extern const struct option common_options[];

/*
 * argv[0..argc) is what stands behind noun and verb.  Needs cmd->verb and
 * cmd->now.  Anything wrong: one line, exit_status 2, ERR_INPUT.
 */
enum err args_parse(struct command *cmd, int argc, char **argv);

/*
 * Puts the files of a directory in the place of its name (args_tree.c), for
 * NAMES_TREES.
 */
enum err args_expand(struct command *cmd);

/* Reads OPT_FILE, OPT_SECRET and names that are files, opens OPT_OUT. */
enum err args_load(struct command *cmd);

/*
 * Appends one line of standard input; a terminal is asked for `what` and does
 * not show it.
 */
enum err args_secret(const char *what, struct buf *out);

/* Closes OPT_OUT and standard output; ERR_SYSTEM (said): not all is written. */
enum err args_close(struct command *cmd);

/* What was given as this option of the verb counts as that one of it. */
void args_means(struct command *cmd, const char *given, const char *means);

/* Wipes and frees; twice is fine. */
void args_release(struct command *cmd);

/* "--", or "" for an option whose name has its one dash with it. */
const char *option_dashes(const struct option *o);

/* Which of n words is most like `word`; words are read by get(i, arg). */
const char *nearest(const char *word, int n,
    const char *(*get)(int i, const void *arg), const void *arg);

#endif
