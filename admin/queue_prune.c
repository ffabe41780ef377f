#include "admin/queue_verbs.h"
#include "base/time.h"

/* `scep queue prune`: the CA's host forgets what it has said long ago. */

/* Letters wait for rsync, and for weekends. */
#define OLDER	  90
#define OLDER_MIN 7

struct prune {
	struct command *cmd;
	int64_t before;
	struct queue_pruned sum;
};

static enum err
prune_alias(const char *alias, void *arg)
{
	struct prune *p = arg;

	return queue_prune(&p->cmd->store, alias, p->before, &p->sum);
}

enum err
run_queue_prune(struct command *cmd)
{
	int64_t days = opt_number(cmd, "older", OLDER);
	struct prune p = { .cmd = cmd };
	enum err e;

	if (days < OLDER_MIN || days > 36500)
		return usage(cmd, "--older is 7 to 36500");
	p.before = cmd->now - days * DAY;
	if ((e = queue_aliases(&cmd->store, prune_alias, &p)) != OK)
		return e;
	cmd->unchanged = p.sum.gone == 0;
	(void)buf_printf(
	    &cmd->detail, "%u forgotten, %u kept", p.sum.gone, p.sum.kept);
	(void)fprintf(cmd->out, "%s\n", buf_cstr(&cmd->detail));
	return p.sum.bad == 0 ? OK :
				say(ERR_INPUT,
				    "%u of them cannot be read, and stay; "
				    "`scep check` tells which",
				    p.sum.bad);
}

const struct option queue_prune_options[] = {
	{ "older", NULL, OPT_NUMBER, "DAYS",
	    "what was said so many days ago, at least 7; default 90" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};
