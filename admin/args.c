#include "admin/args.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/names.h"
#include "base/time.h"

const struct option common_options[] = {
	{ "home", NULL, OPT_TEXT, "DIR",
	    "the server's home (else $SCEP_HOME, else /var/lib/scep)" },
	{ "help", NULL, OPT_FLAG, NULL, "show this help" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};

static bool
takes_value(const struct option *o)
{
	return o->kind != OPT_FLAG;
}

const char *
option_dashes(const struct option *o)
{
	return *o->name == '-' ? "" : "--";
}

static bool
is_spelling(const char *spelling, const char *word, size_t len)
{
	if (spelling == NULL)
		return false;
	spelling += *spelling == '-';
	return strlen(spelling) == len && memcmp(spelling, word, len) == 0;
}

/* Is word[0..len) this option's name in one of its spellings? */
static bool
is_option(const struct option *o, const char *word, size_t len)
{
	return is_spelling(o->name, word, len) ||
	       is_spelling(o->other, word, len);
}

static const struct option *
option_find(const struct verb *verb, const char *word, size_t len)
{
	const struct option *lists[2] = { verb->options, common_options };
	const struct option *o;
	int i;

	for (i = 0; i < 2; i++) {
		for (o = lists[i]; o != NULL && o->name != NULL; o++) {
			if (is_option(o, word, len))
				return o;
		}
	}
	return NULL;
}

static const char *
option_name(int i, const void *arg)
{
	const struct verb *verb = arg;
	const struct option *o = verb->options;

	for (; o != NULL && o->name != NULL; o++) {
		if (i-- == 0)
			return o->name;
	}
	return common_options[i].name;
}

static enum err
unknown_option(struct command *cmd, const char *word, size_t len)
{
	const char *near;
	char name[64];
	int n = 2;

	(void)snprintf(name, sizeof(name), "%.*s", (int)len, word);
	while (cmd->verb->options != NULL &&
	       cmd->verb->options[n - 2].name != NULL)
		n++;
	near = nearest(name, n, option_name, cmd->verb);
	return usage(cmd, "no option --%s here; did you mean %s%s?", name,
	    *near == '-' ? "" : "--", near);
}

static struct option_value *
value_find(const struct command *cmd, const char *name)
{
	size_t i;

	for (i = 0; i < cmd->values; i++) {
		const struct option *o = cmd->value[i].option;

		if (strcmp(o->name, name) == 0 ||
		    (o->other != NULL && strcmp(o->other, name) == 0))
			return &cmd->value[i];
	}
	return NULL;
}

static enum err
read_number(struct command *cmd, struct option_value *v)
{
	char *end = NULL;
	long long n;

	errno = 0;
	n = strtoll(v->text, &end, 10);
	if (end == v->text || *end != '\0' || errno != 0 || n < 0 ||
	    v->text[0] < '0' || v->text[0] > '9')
		return usage(cmd, "%s%s takes a number, not \"%s\"",
		    option_dashes(v->option), v->option->name, v->text);
	v->number = n;
	return OK;
}

static enum err
read_value(struct command *cmd, struct option_value *v)
{
	enum option_kind kind = v->option->kind;

	if (kind == OPT_NUMBER)
		return read_number(cmd, v);
	if (kind != OPT_TIME && kind != OPT_SINCE)
		return OK;
	if (time_option(v->text, kind == OPT_SINCE, cmd->now, &v->number) == OK)
		return OK;
	return usage(cmd,
	    "--%s takes 30d, 12h, 60m, 2027-01-31 or 2027-01-31T12:00:00Z, "
	    "not \"%s\"",
	    v->option->name, v->text);
}

/* The first name, or the second, said as an option. */
static enum err
take_object(struct command *cmd, const struct option *o, char *text)
{
	if (o->kind == OPT_SECOND) {
		cmd->name[cmd->names++] = text;
		return OK;
	}
	memmove(
	    cmd->name + 1, cmd->name, (size_t)cmd->names * sizeof(*cmd->name));
	cmd->name[0] = text;
	cmd->names++;
	return OK;
}

static enum err
take_common(struct command *cmd, const struct option *o, const char *text)
{
	if (o == &common_options[0])
		cmd->home_path = text;
	else
		cmd->help = true;
	return OK;
}

static enum err
take_value(struct command *cmd, const struct option *o, char *text)
{
	struct option_value *v;

	if (value_find(cmd, o->name) != NULL)
		return usage(
		    cmd, "%s%s is given twice", option_dashes(o), o->name);
	v = &cmd->value[cmd->values++];
	*v = (struct option_value){ .option = o, .text = text };
	v->bytes.secret = true;
	if (o->kind == OPT_OBJECT || o->kind == OPT_SECOND)
		return take_object(cmd, o, text);
	return read_value(cmd, v);
}

/*
 * Takes `--name`, `--name value` or `--name=value`, and `-S value` where the
 * verb spells it so; *used counts words.
 */
static enum err
take_option(struct command *cmd, int argc, char **argv, int *used)
{
	char *word = argv[0] + (argv[0][1] == '-' ? 2 : 1);
	size_t len = strcspn(word, "=");
	const struct option *o = option_find(cmd->verb, word, len);
	const char *dashes = o == NULL ? "" : option_dashes(o);
	char *text = NULL;

	*used = 1;
	if (o == NULL)
		return unknown_option(cmd, word, len);
	if (word[len] == '=')
		text = word + len + 1;
	if (text != NULL && !takes_value(o))
		return usage(cmd, "%s%s takes no value", dashes, o->name);
	if (text == NULL && takes_value(o)) {
		if (argc < 2)
			return usage(cmd, "%s%s wants a value: %s%s %s", dashes,
			    o->name, dashes, o->name, o->arg);
		text = argv[1];
		*used = 2;
	}
	if (o == &common_options[0] || o == &common_options[1])
		return take_common(cmd, o, text);
	return take_value(cmd, o, text);
}

/* Does the verb spell this word with one dash: -S, -force? */
static bool
is_onedash(const struct verb *verb, const char *word)
{
	size_t len = strcspn(word, "=");
	const struct option *o = verb->options;

	for (; o != NULL && o->name != NULL; o++) {
		const char *spelling = *o->name == '-' ? o->name : o->other;

		if (spelling != NULL && strlen(spelling) == len &&
		    *spelling == '-' && memcmp(spelling, word, len) == 0)
			return true;
	}
	return false;
}

/*
 * A word without a dash: a name, or with NAMES_OPTIONS the next value of the
 * table that was not given yet; there `null` leaves one out.
 */
static enum err
take_word(struct command *cmd, char *word)
{
	const struct option *o;

	if (cmd->verb->file_names != NAMES_OPTIONS) {
		cmd->name[cmd->names++] = word;
		return OK;
	}
	if (cmd->place == NULL)
		cmd->place = cmd->verb->options;
	while (cmd->place->name != NULL &&
	       (!takes_value(cmd->place) ||
		   value_find(cmd, cmd->place->name) != NULL))
		cmd->place++;
	o = cmd->place;
	if (o->name == NULL)
		return usage(cmd, "%s %s: \"%s\" is one word too many",
		    cmd->noun->name, cmd->verb->name, word);
	cmd->place++;
	return strcmp(word, "null") == 0 ? OK : take_value(cmd, o, word);
}

static enum err
count_names(struct command *cmd)
{
	const struct verb *verb = cmd->verb;
	const char *space = *verb->name == '\0' ? "" : " ";

	if (cmd->help)
		return OK;
	if (cmd->names < verb->min)
		return usage(cmd, "%s%s%s wants %s", cmd->noun->name, space,
		    verb->name, verb->args);
	if (verb->max >= 0 && cmd->names > verb->max)
		return usage(cmd, "%s%s%s: \"%s\" is one word too many",
		    cmd->noun->name, space, verb->name, cmd->name[verb->max]);
	return OK;
}

enum err
args_parse(struct command *cmd, int argc, char **argv)
{
	size_t room = (size_t)argc + 1;
	bool options = true;
	enum err e = OK;
	int i, used;

	cmd->name = calloc(room, sizeof(*cmd->name));
	cmd->value = calloc(room, sizeof(*cmd->value));
	cmd->name_file = calloc(room, sizeof(*cmd->name_file));
	if (cmd->name == NULL || cmd->value == NULL || cmd->name_file == NULL)
		return say(ERR_SYSTEM, "out of memory");
	for (i = 0; i < argc && e == OK; i += used) {
		used = 1;
		if (options && strcmp(argv[i], "--") == 0)
			options = false;
		else if (options && strcmp(argv[i], "-h") == 0)
			cmd->help = true;
		else if (options && (strncmp(argv[i], "--", 2) == 0 ||
					is_onedash(cmd->verb, argv[i])))
			e = take_option(cmd, argc - i, argv + i, &used);
		else if (options && argv[i][0] == '-' && argv[i][1] != '\0')
			e = usage(cmd, "no option %s; options have two dashes",
			    argv[i]);
		else
			e = take_word(cmd, argv[i]);
	}
	return e == OK ? count_names(cmd) : e;
}

void
args_release(struct command *cmd)
{
	size_t i;
	int j;

	for (i = 0; i < cmd->values; i++) {
		buf_release(&cmd->value[i].bytes);
		if (cmd->value[i].out != NULL && cmd->value[i].out != stdout)
			(void)fclose(cmd->value[i].out);
	}
	for (j = 0; cmd->name_file != NULL && j < cmd->names; j++)
		buf_release(&cmd->name_file[j]);
	for (i = 0; i < cmd->nexpanded; i++)
		free(cmd->expanded[i]);
	free(cmd->expanded);
	cmd->expanded = NULL;
	cmd->nexpanded = 0;
	free(cmd->name);
	free(cmd->value);
	free(cmd->name_file);
	cmd->name = NULL;
	cmd->value = NULL;
	cmd->name_file = NULL;
	cmd->values = 0;
	cmd->names = 0;
}

void
args_means(struct command *cmd, const char *given, const char *means)
{
	struct option_value *v = value_find(cmd, given);
	const struct option *o = option_find(cmd->verb, means, strlen(means));

	if (v != NULL && o != NULL)
		v->option = o;
}

bool
opt_given(const struct command *cmd, const char *name)
{
	return value_find(cmd, name) != NULL;
}

bool
opt_flag(const struct command *cmd, const char *name)
{
	return opt_given(cmd, name);
}

const char *
opt_text(const struct command *cmd, const char *name)
{
	const struct option_value *v = value_find(cmd, name);

	return v == NULL ? NULL : v->text;
}

int64_t
opt_number(const struct command *cmd, const char *name, int64_t def)
{
	const struct option_value *v = value_find(cmd, name);

	return v == NULL ? def : v->number;
}

int64_t
opt_time(const struct command *cmd, const char *name, int64_t def)
{
	return opt_number(cmd, name, def);
}

struct span
opt_bytes(const struct command *cmd, const char *name)
{
	const struct option_value *v = value_find(cmd, name);

	return v == NULL ? span_of(NULL, 0) : buf_span(&v->bytes);
}

struct span
name_bytes(const struct command *cmd, int i)
{
	if (cmd->name_file == NULL || i >= cmd->names)
		return span_of(NULL, 0);
	return buf_span(&cmd->name_file[i]);
}

FILE *
opt_out(const struct command *cmd, const char *name)
{
	const struct option_value *v = value_find(cmd, name);

	return v == NULL ? NULL : v->out;
}
