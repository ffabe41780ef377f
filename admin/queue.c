#include "admin/queue_verbs.h"

#include <string.h>

#include "admin/alias.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/time.h"

/* The queue between an external RA and its CA, on the RA's host. */

#define MAX_IN 134217728 /* bytes on standard input: two CRLs */

/* ---- list ------------------------------------------------------------------ */

struct listing {
	struct command *cmd;
	struct cas *cas;
	const char *alias;
	const struct ca *told; /* how long its RA lasts was looked at */
};

/* What waits is taken for 30 days more (queue_ra.c). */
static void
tell_ra(struct listing *l, const char *name)
{
	struct buf text = BUF_INIT;
	const struct ca *ca = NULL;

	if (cas_find(l->cas, name, &ca) != OK || ca == l->told)
		return;
	l->told = ca;
	if (alias_ra_end(ca, l->cmd->now, &text) != RA_LASTS)
		log_warn("alias %s: CA %s: %s, and what waits must be pulled "
			 "within 30 days of that end",
		    l->alias, ca->called, buf_cstr(&text));
	buf_release(&text);
}

static void
print_one(struct command *cmd, const struct queued *q)
{
	char age[24];

	(void)snprintf(age, sizeof(age), "%llds",
	    (long long)(cmd->now > q->created ? cmd->now - q->created : 0));
	print_cell(cmd->out, q->alias, 12);
	(void)fprintf(cmd->out, "%.16s ", q->transaction);
	print_cell(cmd->out, age, 8);
	print_cell(cmd->out, q->username, 16);
	print_cell(cmd->out, q->subject, 0);
}

static void
json_one(struct command *cmd, const struct queued *q)
{
	FILE *out = cmd->out;

	json_begin(out);
	json_text(out, "alias", q->alias);
	json_text(out, "transaction", q->transaction);
	json_num(out, "attempt", q->attempt);
	json_text(out, "ca", q->ca);
	json_text(out, "username", q->username);
	json_text(out, "subject", q->subject);
	json_text(out, "remote", q->remote);
	json_time(out, "created", q->created);
	json_text(out, "csr_sha256", q->csr);
	json_end(out);
}

static enum err
list_one(const char *name, void *arg)
{
	struct listing *l = arg;
	struct queued q = { .attempt = 0 };
	char transaction[SHA256_HEX];
	unsigned attempt;
	enum err e;

	if (!queue_name_read(name, transaction, &attempt))
		return OK; /* `scep check` tells */
	e = queue_find(&l->cmd->store, l->alias, transaction, attempt, &q);
	if (e == OK && opt_flag(l->cmd, "json"))
		json_one(l->cmd, &q);
	else if (e == OK)
		print_one(l->cmd, &q);
	if (e == OK)
		tell_ra(l, q.ca);
	queued_release(&q);
	return e == ERR_NOTFOUND ? OK : e;
}

static enum err
list_alias(const char *alias, void *arg)
{
	struct listing *l = arg;
	const char *only = opt_text(l->cmd, "alias");

	if (only != NULL && strcmp(only, alias) != 0)
		return OK;
	l->alias = alias;
	l->told = NULL;
	return queue_each(&l->cmd->store, alias, false, list_one, l);
}

static enum err
run_list(struct command *cmd)
{
	/* 16 digits and one blank: a cell would have two */
	static const struct heading columns[] = { { "ALIAS", 12 },
		{ "TRANSACTION", 15 }, { "AGE", 8 }, { "USERNAME", 16 },
		{ "SUBJECT", 0 } };
	struct listing l = { .cmd = cmd };
	enum err e;

	print_heading(cmd, columns);
	e = cas_new(cmd->home, &l.cas);
	if (e == OK)
		e = queue_aliases(&cmd->store, list_alias, &l);
	cas_free(l.cas);
	return e;
}

/* ---- import ---------------------------------------------------------------- */

struct import {
	struct command *cmd;
	struct cas *cas;
	struct aliases *aliases;
	const struct alias *alias;
	const struct ca *ca[MAX_CAS];
	struct queue_side side;
	unsigned taken, bad;
};

/* ERR_NOTFOUND: no external RA, or none whose CAs are here. */
static enum err
enter(struct import *im, const char *name)
{
	const struct alias *a;
	size_t n = 0;
	enum err e = ERR_NOTFOUND;

	if (alias_name_ok(span_of(name, strlen(name))))
		e = aliases_find(im->aliases, name, &im->alias);
	a = im->alias;
	if (e != OK || a->mode != MODE_EXTERNALRA)
		return e == OK ? ERR_NOTFOUND : e;
	cas_refresh(im->cas);
	for (size_t i = 0; i < a->ncas && n < MAX_CAS; i++)
		if (cas_find(im->cas, a->cas[i], &im->ca[n]) == OK)
			n++;
	im->side = (struct queue_side){ .store = &im->cmd->store,
		.home = im->cmd->home,
		.alias = a,
		.cas = im->ca,
		.n = n,
		.now = im->cmd->now };
	return OK;
}

static void
bad(struct import *im, const char *name, const char *why)
{
	im->bad++;
	log_error("alias %s: %s is not taken: %s", im->alias->name, name, why);
}

static enum err
take_one(const char *name, void *arg)
{
	struct import *im = arg;
	const char *why = NULL;
	enum err e;

	if (*name == '.' || strncmp(name, "news,", 5) == 0)
		return OK;
	e = queue_take(&im->side, name, &why);
	if (e == ERR_INPUT)
		bad(im, name, why);
	im->taken += e == OK;
	return e == ERR_INPUT || e == ERR_NOTFOUND ? OK : e;
}

/* ERR_EXISTS: the CAs are to be read anew. */
static enum err
take_news(struct import *im)
{
	const char *why = NULL;
	enum err e = OK, all = OK;

	for (size_t i = 0; i < im->side.n && e == OK; i++) {
		e = queue_take_news(&im->side, im->ca[i], &why);
		if (e == ERR_INPUT)
			bad(im, "news", why);
		if (e == OK || e == ERR_EXISTS || e == ERR_INPUT)
			all = ERR_EXISTS; /* and the others are looked at */
		if (e == ERR_INPUT || e == ERR_NOTFOUND || e == ERR_EXISTS)
			e = OK;
	}
	return e == OK ? all : e;
}

/* The news first: an answer may be signed by a certificate in them. */
static enum err
take_alias(const char *name, void *arg)
{
	struct import *im = arg;
	enum err e = ERR_EXISTS;

	for (int i = 0; i <= QUEUE_ROUNDS && e == ERR_EXISTS; i++)
		if ((e = enter(im, name)) == OK)
			e = take_news(im);
	if (e == ERR_NOTFOUND)
		return OK;
	if (e != OK && e != ERR_EXISTS)
		return e;
	return queue_each(&im->cmd->store, name, true, take_one, im);
}

static bool
is_news(const char *name)
{
	return strncmp(name, "news,", 5) == 0 && strlen(name) == 5 + 16 &&
	       strspn(name + 5, "0123456789abcdef") == 16;
}

/*
 * From the stream into in/: only for an external RA here, and under a name
 * that answers have.  Whether one waits for it is seen when it is taken.
 */
static enum err
put_one(const char *alias, const char *name, struct span file, void *arg)
{
	struct import *im = arg;
	char transaction[SHA256_HEX];
	unsigned attempt;
	enum err e;

	if ((e = enter(im, alias)) == ERR_NOTFOUND)
		return say(e, "alias %s is no external RA here", alias);
	if (e != OK)
		return e;
	if (!queue_name_read(name, transaction, &attempt) && !is_news(name)) {
		bad(im, "a file", "it has a name that no answer has");
		return OK;
	}
	return queue_put_in(&im->cmd->store, alias, name, file);
}

static enum err
read_stream(struct import *im)
{
	struct buf in = BUF_INIT;
	enum err e;

	if (opt_flag(im->cmd, "here"))
		return OK;
	e = file_read_fd(0, "standard input", MAX_IN, &in);
	if (e == OK)
		e = stream_each(buf_span(&in), put_one, im);
	if (e == ERR_INPUT)
		e = say(e, "what came on standard input is not whole; none of "
			   "it is taken");
	buf_release(&in);
	return e;
}

static enum err
run_import(struct command *cmd)
{
	struct import im = { .cmd = cmd };
	enum err e;

	if ((e = cas_new(cmd->home, &im.cas)) != OK ||
	    (e = aliases_new(cmd->home, &im.aliases)) != OK ||
	    (e = read_stream(&im)) != OK ||
	    (e = queue_aliases(&cmd->store, take_alias, &im)) != OK)
		goto out;
	cmd->unchanged = im.taken == 0;
	(void)buf_printf(&cmd->detail, "%u taken", im.taken);
	(void)fprintf(cmd->out, "%s\n", buf_cstr(&cmd->detail));
	if (im.bad > 0)
		e = say(ERR_INPUT,
		    "%u of them are no answers of this CA to "
		    "requests that wait, whole and unchanged",
		    im.bad);
out:
	aliases_free(im.aliases);
	cas_free(im.cas);
	return e;
}

static const struct option list_options[] = {
	{ "alias", NULL, OPT_TEXT, "NAME", "only those of this alias" },
	{ "json", NULL, OPT_FLAG, NULL, "one JSON object a line" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};
static const struct option import_options[] = {
	{ "here", NULL, OPT_FLAG, NULL,
	    "no stream: what lies in store/queue/ALIAS/in already" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};

static const struct verb queue_verbs[] = {
	{ "list", { NULL }, "", 0, 0, list_options, run_list,
	    "list what waits for the CA: alias, transaction, age, username, "
	    "subject",
	    "What was answered stays in the list until the answer was taken: "
	    "when the device\nasks next, by `scep queue import --here`, or when "
	    "[queue] limit wait.",
	    false, false, NAMES_PLAIN },
	{ "pull", { NULL }, "[DIR]", 0, 1, queue_pull_options, run_queue_pull,
	    "on the CA's host: take requests, and leave the answers",
	    "DIR is store/queue of the RA's home, or a copy of it: requests "
	    "are read in\nDIR/ALIAS/out, answers and news written to "
	    "DIR/ALIAS/in.\n\n"
	    "Which RA is believed says [queue] ra of the alias; scep-alias(5), "
	    "External RA,\nhas all steps, queue-pull.sh of the examples does "
	    "it by rsync.\n\n"
	    "  scep queue pull /var/lib/scep/queue-copy\n"
	    "  scep queue pull --command '/usr/bin/ssh ra scep queue'",
	    true, false, NAMES_PLAIN },
	{ "prune", { NULL }, "", 0, 0, queue_prune_options, run_queue_prune,
	    "on the CA's host: forget old answers",
	    "An answer is kept so that the RA gets it again, however often it "
	    "asks.  When\nit is forgotten, a certificate is still the same to "
	    "whoever asks again; other\nrequests of that time are refused.  "
	    "Once a day is enough, behind a pull.\n\n"
	    "  scep queue prune --older 90",
	    true, false, NAMES_PLAIN },
	{ "export", { NULL }, "", 0, 0, queue_export_options, run_queue_export,
	    "print what waits as a stream, for `scep queue pull --command`",
	    NULL, false, false, NAMES_PLAIN },
	{ "import", { NULL }, "", 0, 0, import_options, run_import,
	    "read the stream of answers, and take them",
	    "The server takes an answer by itself when a client asks for it; "
	    "this tells of\nthose that are none.",
	    true, false, NAMES_PLAIN },
	{ .name = NULL },
};

const struct noun noun_queue = { "queue",
	"requests between an external RA and its CA", queue_verbs };
