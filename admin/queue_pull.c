#include "admin/queue_verbs.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "fetch/fetch.h"
#include "store/waiting.h"

/* `scep queue pull`: the CA's host takes requests, and leaves its answers. */

#define MAX_BACK    3145728 /* bytes of answers at a time */
#define MAX_FILE    524288  /* of a request */
#define MAX_STREAM  FETCH_MAX_LIMIT
#define RUN_TIMEOUT 300000 /* ms of a command */

#define MAX_WORDS 32

struct words {
	char *text; /* owned */
	const char *word[MAX_WORDS + 2];
	size_t n;
};

struct pull {
	struct command *cmd;
	struct cas *cas;
	struct profiles *profiles;
	struct site site;
	struct aliases *aliases;
	const struct alias *alias; /* whose requests are looked at now */
	int dir;		   /* the room that is pulled, or -1 */
	int out, in;		   /* of the alias, held open; or -1 */
	struct words words;	   /* else: the command, */
	struct buf answers;	   /* and the stream that goes back; */
	char last[MAX_ALIAS + 1];  /* which alias it is at */
	unsigned issued, refused, waiting, same, bad, later;
};

/* ---- a command ------------------------------------------------------------- */

/* Blanks part them; no shell looks at them. */
static enum err
split(const char *command, struct words *out)
{
	char *rest, *word;

	*out = (struct words){ .text = str_dup(command) };
	if ((rest = out->text) == NULL)
		return ERR_SYSTEM;
	while ((word = strsep(&rest, " \t")) != NULL) {
		if (*word == '\0')
			continue;
		if (out->n == MAX_WORDS)
			return say(ERR_INPUT, "the command has too many words");
		out->word[out->n++] = word;
	}
	return OK;
}

/* ssh looks for its keys at home. */
static enum err
run_words(struct words *w, const char *verb, struct span input,
    struct run_answer *out)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	const char *home = getenv("HOME");
	struct buf var = BUF_INIT;
	const char *env[2] = { NULL, NULL };
	struct run_ask ask = { .path = w->word[0],
		.arg = w->word + 1,
		.env = env,
		.input = input,
		.timeout = RUN_TIMEOUT,
		.limit = MAX_STREAM };
	enum err e;

	w->word[w->n] = verb;
	w->word[w->n + 1] = NULL;
	if (home != NULL && buf_printf(&var, "HOME=%s", home))
		env[0] = buf_cstr(&var);
	e = fetch_run(&ask, out);
	if (e == OK && out->status != 0)
		e = say(ERR_BUSY, "%s ... %s: exit status %d: %s", w->word[0],
		    verb, out->status, buf_cstr(&out->complaint));
	buf_release(&var);
	return e;
}

/* ---- where answers go ------------------------------------------------------ */

/* The same bytes need not travel again. */
static bool
stands(const struct pull *p, const char *name, struct span file)
{
	struct buf there = BUF_INIT;
	bool same = file_read(p->in, name, file.len, &there) == OK &&
		    span_eq(buf_span(&there), file);

	buf_release(&there);
	return same;
}

static enum err
flush(struct pull *p)
{
	struct run_answer put = { .status = 0 };
	enum err e = ERR_SYSTEM;

	if (stream_end(&p->answers))
		e = run_words(&p->words, "import", buf_span(&p->answers), &put);
	run_answer_release(&put);
	buf_clear(&p->answers);
	return e == OK && !stream_begin(&p->answers) ? ERR_SYSTEM : e;
}

/* What a CRL of a hundred thousand entries is too large for, rsync is not. */
static enum err
send_back(struct pull *p, const char *name, struct span file)
{
	enum err e = OK;

	if (file.len > MAX_BACK) {
		log_error("alias %s: %s is over %d bytes: only rsync and a "
			  "directory carry it",
		    p->alias->name, name, MAX_BACK);
		p->later++;
		return OK;
	}
	if (p->answers.len + file.len > MAX_BACK)
		e = flush(p);
	if (e == OK && !stream_put(&p->answers, p->alias->name, name, file))
		e = ERR_SYSTEM;
	return e;
}

static enum err
leave(struct pull *p, const char *name, struct span file)
{
	if (p->dir < 0)
		return send_back(p, name, file);
	if (stands(p, name, file))
		return OK;
	return file_replace(p->in, name, file, FILE_RECORD);
}

/* ---- one request ----------------------------------------------------------- */

static struct queue_desk
desk_of(const struct pull *p)
{
	return (struct queue_desk){ .store = &p->cmd->store,
		.cas = p->cas,
		.profiles = p->profiles,
		.site = &p->site,
		.home = p->cmd->home,
		.alias = p->alias,
		.now = p->cmd->now };
}

static void
count(struct pull *p, const struct queue_answer *a)
{
	if (strcmp(a->result, "issued") == 0)
		p->issued++;
	else if (strcmp(a->result, "refused") == 0)
		p->refused++;
	else if (strcmp(a->result, "waits") == 0)
		p->waiting++;
	else
		p->same++;
}

/* One line for each that is news. */
static void
tell(const struct pull *p, const char *name, const struct queue_answer *a)
{
	if (strcmp(a->result, "answered") == 0 ||
	    strcmp(a->result, "waits") == 0)
		return;
	(void)fprintf(
	    p->cmd->out, "%s %.16s %s ", p->alias->name, name, a->result);
	print_text(p->cmd->out, a->subject ? a->subject : "-");
	if (a->reason != NULL)
		(void)fprintf(p->cmd->out, ": %s", a->reason);
	(void)fputc('\n', p->cmd->out);
}

/* What is wrong with one is no reason to leave the others. */
static enum err
take_one(struct pull *p, const char *name, struct span file)
{
	const struct queue_desk desk = desk_of(p);
	struct queue_answer a;
	enum err e = queue_answer(&desk, name, file, &a);

	if (e == ERR_INPUT) {
		p->bad++;
		log_error("alias %s, request %s: not taken: %s", p->alias->name,
		    name, a.why);
	} else if (e != OK) {
		p->later++;
		log_error("alias %s, request %s: not now: %s", p->alias->name,
		    name, err_name(e));
	} else {
		count(p, &a);
		tell(p, name, &a);
	}
	if (e == OK && a.file.len > 0)
		e = leave(p, name, buf_span(&a.file));
	else
		e = OK;
	queue_answer_release(&a);
	return e;
}

/* ---- one alias ------------------------------------------------------------- */

/* ERR_NOTFOUND (logged): nothing is taken for it here. */
static enum err
find_alias(struct pull *p, const char *name)
{
	enum err e = ERR_NOTFOUND;

	if (alias_name_ok(span_of(name, strlen(name))))
		e = aliases_find(p->aliases, name, &p->alias);
	if (e == ERR_NOTFOUND)
		log_error("alias %s: there is none here, but requests for it "
			  "wait",
		    name);
	else if (e == OK && p->alias->queue.ra == NULL) {
		log_error("alias %s takes no requests of an external RA; "
			  "[queue] ra names it",
		    name);
		e = ERR_NOTFOUND;
	}
	if (e == ERR_NOTFOUND)
		p->bad++;
	return e;
}

static enum err
leave_letter(const char *name, struct span file, void *arg)
{
	return leave(arg, name, file);
}

static enum err
leave_news(struct pull *p)
{
	const struct queue_desk desk = desk_of(p);
	const struct ca *ca = NULL;
	enum err e = OK;

	for (size_t i = 0; i < p->alias->ncas && e == OK; i++)
		if (cas_find(p->cas, p->alias->cas[i], &ca) == OK)
			e = queue_news_each(
			    &desk, ca, leave_letter, p, &p->later);
		else
			p->later++; /* logged */
	return e;
}

/* ---- a folder -------------------------------------------------------------- */

/*
 * Whoever has the RA's host has made what lies there: links out of the folder,
 * FIFOs, anything.  So each room is opened by itself, and held.
 */
static enum err
open_rooms(struct pull *p, const char *alias)
{
	int room = -1;
	enum err e = dir_open(p->dir, alias, &room);

	if (e == OK)
		e = dir_open(room, "out", &p->out);
	if (e == ERR_NOTFOUND && room >= 0) /* nothing has waited yet */
		e = OK;
	if (e == OK)
		e = dir_make(room, "in");
	if (e == OK || e == ERR_EXISTS)
		e = dir_open(room, "in", &p->in);
	file_close(&room);
	return e;
}

/* Logged by who could not read it. */
static void
count_strange(struct pull *p, const char *name)
{
	struct file_facts facts;

	if (file_facts(p->out, name, &facts) == OK &&
	    facts.type != FILE_REGULAR)
		p->bad++;
	else
		p->later++;
}

static enum err
dir_one(const char *name, void *arg)
{
	struct pull *p = arg;
	struct buf file = BUF_INIT;
	enum err e;

	if (*name == '.') /* what rsync is about to write */
		return OK;
	e = file_read(p->out, name, MAX_FILE, &file);
	if (e == OK || e == ERR_TOOBIG)
		e = take_one(p, name, buf_span(&file));
	else {
		if (e != ERR_NOTFOUND)
			count_strange(p, name);
		e = OK; /* the others have theirs */
	}
	buf_release(&file);
	return e;
}

static enum err
dir_alias(const char *name, void *arg)
{
	struct pull *p = arg;
	enum err e;

	if (*name == '.')
		return OK;
	if ((e = find_alias(p, name)) != OK)
		return e == ERR_NOTFOUND ? OK : e;
	if (open_rooms(p, name) != OK) {
		log_error("alias %s: its rooms are no directories that can be "
			  "opened; nothing is taken",
		    name);
		p->bad++;
	} else {
		if (p->out >= 0)
			e = dir_each(p->out, ".", dir_one, p);
		if (e == OK)
			e = leave_news(p);
	}
	file_close(&p->out);
	file_close(&p->in);
	return e;
}

static enum err
pull_dir(struct pull *p, const char *path)
{
	enum err e = dir_open_home(path, &p->dir);

	if (e == ERR_NOTFOUND)
		return say(e, "%s: there is no such directory", path);
	if (e == OK)
		e = dir_each(p->dir, ".", dir_alias, p);
	file_close(&p->dir);
	return e;
}

/*
 * News are made and signed for each alias once: a stream that goes back to one
 * could have them made without end.
 */
static enum err
next_alias(struct pull *p, const char *alias)
{
	enum err e;

	if (strcmp(alias, p->last) < 0)
		return say(ERR_REFUSED,
		    "alias %s stands behind %s in what the command printed, "
		    "which no `scep queue export` does: nothing more is taken",
		    alias, p->last);
	(void)snprintf(p->last, sizeof(p->last), "%s", alias);
	p->alias = NULL;
	if ((e = find_alias(p, alias)) == OK)
		e = leave_news(p);
	else
		p->alias = NULL;
	return e;
}

static enum err
stream_one(const char *alias, const char *name, struct span file, void *arg)
{
	struct pull *p = arg;
	enum err e = OK;

	if (strcmp(p->last, alias) != 0)
		e = next_alias(p, alias);
	/* the alias alone stands for its news */
	if (e == OK && p->alias != NULL && strcmp(name, "-") != 0)
		e = take_one(p, name, file);
	return e == ERR_NOTFOUND ? OK : e;
}

static enum err
pull_command(struct pull *p, const char *command)
{
	struct run_answer got = { .status = 0 };
	enum err e;

	if ((e = split(command, &p->words)) != OK)
		goto out;
	if (p->words.n == 0)
		e = usage(p->cmd, "--command wants a command");
	else
		e = run_words(&p->words, "export", span_of(NULL, 0), &got);
	if (e == OK && !stream_begin(&p->answers))
		e = ERR_SYSTEM;
	if (e != OK)
		goto out;
	e = stream_each(buf_span(&got.output), stream_one, p);
	if (e == ERR_INPUT)
		e = say(e, "what `%s export` printed is not whole", command);
	if (e == OK)
		e = flush(p);
out:
	run_answer_release(&got);
	return e;
}

/* ---- the verb -------------------------------------------------------------- */

static enum err
finish(struct pull *p)
{
	struct command *cmd = p->cmd;

	(void)buf_printf(&cmd->detail,
	    "%u issued, %u refused, %u wait, %u answered before", p->issued,
	    p->refused, p->waiting, p->same);
	cmd->unchanged = p->issued + p->refused == 0;
	if (opt_flag(cmd, "json")) {
		json_begin(cmd->out);
		json_num(cmd->out, "issued", p->issued);
		json_num(cmd->out, "refused", p->refused);
		json_num(cmd->out, "waiting", p->waiting);
		json_num(cmd->out, "answered", p->same);
		json_num(cmd->out, "bad", p->bad);
		json_num(cmd->out, "later", p->later);
		json_end(cmd->out);
	} else if (!opt_flag(cmd, "quiet")) {
		(void)fprintf(cmd->out, "%s\n", buf_cstr(&cmd->detail));
	}
	if (p->bad > 0)
		return say(ERR_INPUT,
		    "%u of them are not requests of this RA, whole and "
		    "unchanged, or for no alias here",
		    p->bad);
	return p->later > 0 ? say(ERR_BUSY,
				  "%u of them could not be dealt with now; "
				  "the next pull tries again",
				  p->later) :
			      OK;
}

enum err
run_queue_pull(struct command *cmd)
{
	struct pull p = { .cmd = cmd, .dir = -1, .out = -1, .in = -1 };
	const char *command = opt_text(cmd, "command");
	enum err e;

	if ((cmd->names > 0) == (command != NULL))
		return usage(cmd, "queue pull wants DIR, or --command COMMAND");
	if ((e = cas_new(cmd->home, &p.cas)) != OK ||
	    (e = aliases_new(cmd->home, &p.aliases)) != OK ||
	    (e = profiles_new(cmd->home, &p.profiles)) != OK ||
	    (e = site_read(cmd->home, &p.site)) != OK)
		goto out;
	e = command != NULL ? pull_command(&p, command) :
			      pull_dir(&p, cmd->name[0]);
	if (e == OK)
		e = finish(&p);
out:
	buf_release(&p.answers);
	free(p.words.text);
	profiles_free(p.profiles);
	aliases_free(p.aliases);
	cas_free(p.cas);
	return e;
}

const struct option queue_pull_options[] = {
	{ "command", NULL, OPT_TEXT, "COMMAND",
	    "`COMMAND export` prints what waits, `COMMAND import` reads the "
	    "answers; the first word is a path" },
	{ "quiet", "q", OPT_FLAG, NULL, "no line at the end" },
	{ "json", NULL, OPT_FLAG, NULL, "the line at the end as JSON" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};
