#include "admin/queue_verbs.h"

#include <string.h>

#include "base/log.h"
#include "base/names.h"

/*
 * `scep queue export`: what waits, as a stream.
 *
 * Who reads it takes 64 MiB and no more, so that it ends before: whole, and
 * the next one has the rest.  Each alias has its share of that, and its names
 * begin at another one each time: what waits for people, and so stays, cannot
 * keep away what stands behind it.
 */

#define MOST  50331648 /* bytes: 48 MiB */
#define START 8	       /* random bytes */

struct export
{
	struct command *cmd;
	const char *alias;
	char start[2 * START + 1]; /* the first name, or what is below it */
	bool wrapped;		   /* those before it have their turn */
	size_t most, written, until;
	unsigned aliases; /* which have not had theirs */
	unsigned left;	  /* requests for the next export */
	struct buf out;
};

static enum err
write_file(struct export *x, const char *name, struct span file)
{
	bool good = stream_put(&x->out, x->alias, name, file);

	if (good) {
		(void)fwrite(x->out.data, 1, x->out.len, x->cmd->out);
		x->written += x->out.len;
	}
	buf_clear(&x->out);
	return good ? OK : ERR_SYSTEM;
}

static enum err
export_one(const char *name, void *arg)
{
	struct export *x = arg;
	struct buf file = BUF_INIT;
	char transaction[SHA256_HEX];
	unsigned attempt;
	enum err e;

	if (!queue_name_read(name, transaction, &attempt))
		return OK; /* `scep check` tells */
	if ((strcmp(name, x->start) < 0) != x->wrapped)
		return OK;
	if (x->written >= x->until) {
		x->left++;
		return OK;
	}
	e = queue_out_file(
	    &x->cmd->store, x->alias, transaction, attempt, &file);
	if (e == OK)
		e = write_file(x, name, buf_span(&file));
	buf_release(&file);
	return e == ERR_NOTFOUND ? OK : e;
}

static bool
is_alias(const char *name)
{
	return alias_name_ok(span_of(name, strlen(name)));
}

static enum err
count_alias(const char *alias, void *arg)
{
	struct export *x = arg;

	x->aliases += is_alias(alias);
	return OK;
}

/* The alias stands there in any case: its news are asked for by that. */
static enum err
export_alias(const char *alias, void *arg)
{
	struct export *x = arg;
	size_t rest = x->most > x->written ? x->most - x->written : 0;
	enum err e;

	if (!is_alias(alias))
		return OK; /* `scep check` tells */
	x->alias = alias;
	x->until = x->written + rest / (x->aliases > 1 ? x->aliases : 1);
	x->aliases -= x->aliases > 0;
	e = write_file(x, "-", span_of(NULL, 0));
	for (int i = 0; i < 2 && e == OK; i++) {
		x->wrapped = i > 0;
		e = queue_each(&x->cmd->store, alias, false, export_one, x);
	}
	return e;
}

static enum err
export_all(struct export *x)
{
	uint8_t start[START];
	struct buf frame = BUF_INIT;
	enum err e = random_bytes(start, sizeof(start));

	if (e != OK)
		return e;
	hex_text(start, sizeof(start), x->start);
	if ((e = queue_aliases(&x->cmd->store, count_alias, x)) != OK)
		return e;
	if (!stream_begin(&frame))
		return ERR_SYSTEM;
	(void)fwrite(frame.data, 1, frame.len, x->cmd->out);
	buf_clear(&frame);
	e = queue_aliases(&x->cmd->store, export_alias, x);
	if (e == OK && !stream_end(&frame))
		e = ERR_SYSTEM;
	if (e == OK)
		(void)fwrite(frame.data, 1, frame.len, x->cmd->out);
	buf_release(&frame);
	return e;
}

enum err
run_queue_export(struct command *cmd)
{
	int64_t most = opt_number(cmd, "limit", MOST);
	struct export x = { .cmd = cmd, .most = (size_t)most };
	enum err e;

	if (most < 1 || most > MOST)
		return usage(cmd, "--limit is 1 to %d bytes", MOST);
	e = export_all(&x);
	if (e == OK && x.left > 0)
		log_warn("%u requests are left to the next export", x.left);
	buf_release(&x.out);
	return e;
}

const struct option queue_export_options[] = {
	{ "limit", NULL, OPT_NUMBER, "BYTES",
	    "stop behind so many bytes, the next export has the rest; default "
	    "50331648" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};
