#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/store.h"

/*
 * The command line: `scep NOUN VERB [NAME...] [--options]` (CLI.md).  A table
 * of nouns, each with a table of verbs, each with a table of options; one
 * file per noun.  admin.c parses by the tables, opens named files, becomes
 * the home's owner (owner.c) and then calls the verb; help is printed from the
 * same tables.
 */

enum option_kind {
	OPT_FLAG,	/* --json */
	OPT_TEXT,	/* --subject DN */
	OPT_NUMBER,	/* --count 3: checked, at least 0 */
	OPT_TIME,	/* --ttl 30d: a duration or date, see time_option() */
	OPT_FILE,	/* --cert FILE: read before privileges are dropped, "-"
		       is standard input */
	OPT_OUT,	/* --out FILE: opened before privileges are dropped, "-"
		       is standard output */
	OPT_SECRET,	/* --password P, "-" reads one line of standard input;
		       wiped */
	OPT_SINCE,	/* --since 7d: as OPT_TIME, durations count backwards */
	OPT_OUT_SECRET, /* OPT_OUT for secrets: 0600, a new or empty file */
	OPT_OBJECT,	/* --username NAME: another way to say the first name */
	OPT_SECOND,	/* --newalias NAME: the same for the second */
	OPT__MAX
};

struct option {
	const char *name; /* without dashes, or "-S", which has one or two */
	const char
	    *other; /* another accepted spelling or NULL: "dn" for "subject";
		       opt_text() and the like know both */
	enum option_kind kind;
	const char *arg;  /* shown in help: "DN" */
	const char *help; /* one line */
};

struct command;

/*
 * Are a verb's names files?  NAMES_MAYBE: those that are regular files;
 * NAMES_TREES: files, and of directories all files in them.  NAMES_OPTIONS:
 * they are values of the options, in the order of the table (ejbca.h).
 */
enum name_files {
	NAMES_PLAIN = 0,
	NAMES_FILES = 1,
	NAMES_MAYBE,
	NAMES_TREES,
	NAMES_OPTIONS
};

struct verb {
	const char *name;
	const char *other[3]; /* other accepted spellings */
	const char *args;     /* "NAME" or "NAME..." or "[NAME]" or "" */
	int min, max;	      /* how many names; max -1: any */
	const struct option
	    *options; /* ends with name NULL; --home, --help always taken */
	enum err (*run)(struct command *cmd);
	const char *help;	    /* one line, imperative */
	const char *more;	    /* further lines and an example, or NULL */
	bool changes;		    /* writes an audit line with its outcome */
	bool no_store;		    /* runs without an existing store (init) */
	enum name_files file_names; /* are its names files, read before
				       privileges drop (entity import)? */
};

struct noun {
	const char *name;
	const char *help;
	const struct verb *verbs; /* ends with name NULL; a noun without verbs
					  of its own (init, check) has one verb with name "" */
};

/* A parsed command. */
struct command {
	const struct noun *noun;
	const struct verb *verb;
	const char *home_path;
	int home;	    /* descriptor of $SCEP_HOME, -1 with no_store */
	struct store store; /* open unless no_store */
	char **name;	    /* positional, borrowed from argv */
	int names;
	int64_t now; /* one reading of the clock for the whole command */
	FILE *out;   /* standard output, or --out where the verb has it */
	struct buf
	    who; /* "uid 0 (root)", with SUDO_UID "uid 1000 (anna) as root" */
	unsigned uid;	 /* the real user's; under sudo, who typed */
	struct buf user; /* the name of that uid; empty: it has none */
	bool root;	 /* was it root who started us? */
	struct buf
	    object; /* for the audit line: set by the verb; default name[0] */
	struct buf detail; /* for the audit line: set by the verb or empty */
	struct buf
	    outcome; /* for the audit line on failure: a sentence, or empty */
	bool
	    unchanged; /* set by the verb: nothing was changed, no audit line */
	int exit_status; /* instead of the error's own, if not 0 */
	bool sure;	 /* set by the verb: confirm() does not ask */
	/* private to admin.c and args.c */
	bool help;		    /* --help was given */
	const struct option *place; /* whose value the next bare word is */
	size_t values;
	struct option_value *value;
	struct buf *name_file; /* contents of the names, by position */
	char **expanded;       /* names that directories became; owned */
	size_t nexpanded;
};

/* NULL or false or def where the option was not given. */
const char *opt_text(const struct command *cmd, const char *name);
bool opt_flag(const struct command *cmd, const char *name);
int64_t opt_number(const struct command *cmd, const char *name, int64_t def);
int64_t opt_time(const struct command *cmd, const char *name,
    int64_t def); /* absolute time */
/*
 * Content of an OPT_FILE or OPT_SECRET, or of positional name i with
 * file_names; empty if not given.
 */
struct span opt_bytes(const struct command *cmd, const char *name);
struct span name_bytes(const struct command *cmd, int i);
bool opt_given(const struct command *cmd, const char *name);
/* Stream of an OPT_OUT, NULL if not given; closed and checked by admin.c. */
FILE *opt_out(const struct command *cmd, const char *name);

/*
 * Prints the one line of an error, `scep: ...`: what, where, what to do, and
 * returns e, so that a verb says `return say(ERR_NOTFOUND, "no entity %s;
 * `scep entity list` shows them", n)`.
 */
enum err say(enum err e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The same for a command that was typed wrong: exit status 2, ERR_INPUT. */
enum err usage(struct command *cmd, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The last sentence of say() or usage(), "" if none. */
const char *said(void);

/*
 * Asks before what cannot be undone: only on a terminal and without --yes;
 * ERR_REFUSED if the answer is not yes.
 */
enum err confirm(const struct command *cmd, const char *question);

/*
 * The real user (uid, SUDO_UID): who as text for the audit, uid, user and
 * root.  Before the home's owner is become.
 */
enum err who_am_i(struct command *cmd);

/*
 * Opens cmd->home_path as its owner, and the store in it; for verbs with
 * no_store, admin.c has done it for all others.
 */
enum err home_open(struct command *cmd);

/* An audit line of its own for one object of many; outcome "done". */
enum err audit_object(const struct command *cmd, const char *object);

/* The command line's main: returns the exit status. */
int admin_main(int argc, char **argv);

/*
 * JSON object on one line: json_begin, fields, json_end (newline).  Values
 * are UTF-8, escaped.
 */
void json_begin(FILE *out);
void json_text(
    FILE *out, const char *key, const char *value); /* NULL: left out */
void json_num(FILE *out, const char *key, int64_t value);
void json_bool(FILE *out, const char *key, bool value);
void json_time(FILE *out, const char *key, int64_t value);
void json_end(FILE *out);
void json_string(FILE *out, const char *value); /* quoted, escaped */

/* A value for a terminal: control characters escaped, UTF-8 kept. */
void print_text(FILE *out, const char *value);

/*
 * One cell of a list: the value (NULL: "-"), blanks up to width columns and
 * one more.  Nothing is cut short; width 0 is the last cell: a newline.
 */
void print_cell(FILE *out, const char *value, int width);

/*
 * Names above the columns of a list, with the widths of its cells; the last
 * has width 0.  For people at a terminal alone: in a pipe each line is a
 * record, and where there is none nothing comes out.  Nor with --json.
 */
struct heading {
	const char *name;
	int width;
};
void print_heading(const struct command *cmd, const struct heading *columns);

/* A line "Label:    value" of `show`; NULL: no line. */
void print_field(FILE *out, const char *label, const char *value);
void print_time(FILE *out, const char *label, int64_t value);

/* Prints help (help.c): of everything, of a noun, of a verb. */
void help_all(FILE *out);
void help_noun(FILE *out, const struct noun *noun);
void help_verb(FILE *out, const struct noun *noun, const struct verb *verb);
void help_version(FILE *out);

/* admin.c's table, ends with NULL. */
extern const struct noun *const nouns[];

/* One per file; listed in admin.c's table, in CLI.md's order. */
extern const struct noun noun_init, noun_status, noun_check, noun_ca,
    noun_ca_ra, noun_entity, noun_cert, noun_crl, noun_alias, noun_profile,
    noun_request, noun_challenge, noun_intune, noun_queue, noun_audit,
    noun_ejbca_config, noun_ejbca_ra, noun_ejbca_ca;

/* Of manager.c, outside this room: it starts the server. */
extern const struct noun noun_serve;

#endif
