#include "admin/args.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/names.h"

/*
 * What a command names is read and opened here, as the user who typed it and
 * before root becomes the home's owner (DESIGN 8): root may name root's own
 * files, and nobody reads through us what only the owner may.
 */

#define MAX_LINE 4096 /* bytes of a secret's line */

/* Byte by byte, so that nothing of the secret stays in a stdio buffer. */
static enum err
read_line(struct buf *out)
{
	uint8_t c = 0;
	ssize_t n;

	for (;;) {
		n = read(STDIN_FILENO, &c, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return say(ERR_SYSTEM, "cannot read standard input: %s",
			    strerror(errno));
		if (n == 0 && out->len == 0) /* a pipe that failed */
			return say(ERR_REFUSED,
			    "standard input has ended and has no line");
		if (n == 0 || c == '\n')
			break;
		if (out->len == MAX_LINE)
			return say(ERR_TOOBIG,
			    "the line of standard input is longer than %d "
			    "bytes",
			    MAX_LINE);
		if (!buf_byte(out, c))
			return ERR_SYSTEM;
	}
	if (out->len > 0 && out->data[out->len - 1] == '\r')
		out->data[--out->len] = '\0';
	return OK;
}

enum err
args_secret(const char *what, struct buf *out)
{
	struct termios was, quiet;
	enum err e;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &was) != 0)
		return read_line(out);
	quiet = was;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	(void)fprintf(stderr, "%s: ", what);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	e = read_line(out);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
	(void)fputc('\n', stderr);
	return e;
}

/* The words of a command stay visible in ps: not longer than they must. */
static enum err
take_secret(struct option_value *v)
{
	char *typed;

	if (strcmp(v->text, "-") == 0)
		return args_secret(v->option->name, &v->bytes);
	if (!buf_str(&v->bytes, v->text))
		return ERR_SYSTEM;
	/* argv belongs to the program (C11 5.1.2.2.1) and is not const. */
	memcpy(&typed, &v->text, sizeof(typed));
	wipe(typed, strlen(typed));
	v->text = "-";
	return OK;
}

static enum err
read_file(const char *path, size_t max, struct buf *out)
{
	enum err e;
	int fd = -1;

	if (strcmp(path, "-") == 0) {
		path = "standard input";
		e = file_read_fd(STDIN_FILENO, path, max, out);
	} else if ((e = file_open(AT_FDCWD, path, &fd)) == OK) {
		e = file_read_fd(fd, path, max, out);
	} else if (e == ERR_NOTFOUND) {
		(void)say(e, "no file %s", path);
	}
	file_close(&fd);
	if (e == OK && out->len == 0)
		e = say(ERR_REFUSED, "%s is empty", path);
	return e;
}

/*
 * An existing file takes secrets only if it is empty and our own: its mode
 * and whoever has it open were not chosen here.
 */
static FILE *
open_secret(const char *path)
{
	struct stat st;
	FILE *f;

	f = fopen(path, "wxe");
	if (f != NULL || errno != EEXIST)
		return f;
	f = fopen(path, "r+e");
	if (f == NULL)
		return NULL;
	if (fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size == 0 && st.st_uid == geteuid() &&
	    fchmod(fileno(f), S_IRUSR | S_IWUSR) == 0)
		return f;
	(void)fclose(f);
	errno = EEXIST;
	return NULL;
}

/*
 * What is there stays until something better was written (close_out()): a
 * command that finds nothing does not empty a file.
 */
static FILE *
open_plain(const char *path)
{
	FILE *f = fopen(path, "r+e");

	if (f == NULL)
		f = fopen(path, "we");
	return f;
}

/* Cuts what is left of an older, longer content. */
static int
cut(FILE *f)
{
	struct stat st;
	off_t end = ftello(f);

	if (end <= 0 || fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode))
		return 0;
	return fflush(f) | ftruncate(fileno(f), end);
}

static enum err
open_out(struct option_value *v)
{
	mode_t was;

	if (strcmp(v->text, "-") == 0) {
		v->out = stdout;
		return OK;
	}
	if (v->option->kind == OPT_OUT_SECRET) {
		was = umask(S_IRWXG | S_IRWXO);
		v->out = open_secret(v->text);
		(void)umask(was);
	} else {
		v->out = open_plain(v->text);
	}
	if (v->out == NULL)
		return say(errno == EEXIST ? ERR_EXISTS : ERR_REFUSED,
		    "cannot write %s: %s; name another file", v->text,
		    strerror(errno));
	return OK;
}

static enum err
load_value(struct option_value *v)
{
	switch (v->option->kind) {
	case OPT_FILE:
		/* Who reads it has the cap of its kind. */
		return read_file(v->text, MAX_IMPORT, &v->bytes);
	case OPT_SECRET:
		return take_secret(v);
	case OPT_OUT:
	case OPT_OUT_SECRET:
		return open_out(v);
	case OPT_FLAG:
	case OPT_TEXT:
	case OPT_NUMBER:
	case OPT_TIME:
	case OPT_SINCE:
	case OPT_OBJECT:
	case OPT_SECOND:
	case OPT__MAX:
		break;
	}
	return OK;
}

static enum err
load_names(struct command *cmd)
{
	struct stat st;
	enum err e = OK;
	int i;

	for (i = 0; i < cmd->names && e == OK; i++) {
		cmd->name_file[i].secret = true;
		if (cmd->verb->file_names == NAMES_MAYBE &&
		    (stat(cmd->name[i], &st) != 0 || !S_ISREG(st.st_mode)))
			continue;
		e = read_file(cmd->name[i],
		    cmd->verb->file_names == NAMES_MAYBE ? MAX_PEM : MAX_IMPORT,
		    &cmd->name_file[i]);
	}
	return e;
}

/* Does the value come from standard input? */
static bool
from_stdin(const struct option_value *v)
{
	return (v->option->kind == OPT_FILE || v->option->kind == OPT_SECRET) &&
	       strcmp(v->text, "-") == 0;
}

static bool
reads_names(const struct verb *verb)
{
	return verb->file_names == NAMES_FILES ||
	       verb->file_names == NAMES_TREES;
}

enum err
args_load(struct command *cmd)
{
	enum err e = OK;
	int readers = 0;
	size_t i;
	int j;

	for (i = 0; i < cmd->values; i++)
		readers += from_stdin(&cmd->value[i]);
	for (j = 0; reads_names(cmd->verb) && j < cmd->names; j++)
		readers += strcmp(cmd->name[j], "-") == 0;
	if (readers > 1)
		return usage(cmd, "only one \"-\" can read standard input");
	for (i = 0; i < cmd->values && e == OK; i++)
		e = load_value(&cmd->value[i]);
	if (e == OK && cmd->verb->file_names == NAMES_TREES)
		e = args_expand(cmd);
	if (e == OK && cmd->verb->file_names != NAMES_PLAIN &&
	    cmd->verb->file_names != NAMES_OPTIONS)
		e = load_names(cmd);
	return e;
}

static enum err
close_out(struct option_value *v)
{
	int bad;

	bad = cut(v->out) | ferror(v->out);
	bad |= fclose(v->out);
	v->out = NULL;
	if (bad == 0)
		return OK;
	return say(ERR_SYSTEM, "cannot write all of %s", v->text);
}

enum err
args_close(struct command *cmd)
{
	enum err e = OK;
	size_t i;

	for (i = 0; i < cmd->values; i++) {
		if (cmd->value[i].out != NULL && cmd->value[i].out != stdout &&
		    close_out(&cmd->value[i]) != OK)
			e = ERR_SYSTEM;
	}
	if (fflush(stdout) != 0 || ferror(stdout))
		e = say(ERR_SYSTEM, "cannot write all of the output: %s",
		    strerror(errno));
	return e;
}
