#include "admin/ejbca.h"

#include "admin/entity.h"
#include "base/log.h"

/*
 * The status of an end entity.  We keep a code and a block instead:
 *
 *	10  code good, or locked for this hour, and not blocked
 *	40  no code, used up or expired
 *	50  blocked
 *
 * Setting 10 lifts the block and makes the code good again; 40 ends the code;
 * 50 and 60 end it and block.  The others are steps of EJBCA's own work.
 */
#define NEW	  10
#define GENERATED 40
#define REVOKED	  50
#define ALL	  0

static enum err
arm(const struct command *cmd, const char *username)
{
	enum err e = entity_rearm(cmd, username);

	return e == OK ? entity_set_block(cmd, username, false) : e;
}

/* Blocked first: no request slips in between. */
static enum err
forbid(const struct command *cmd, const char *username)
{
	enum err e = entity_set_block(cmd, username, true);

	return e == OK ? entity_disarm(cmd, username) : e;
}

static const struct status {
	int64_t code;
	const char *name;
	enum err (*set)(const struct command *cmd, const char *username);
	const char *why; /* not, and what to do */
} statuses[] = {
	{ NEW, "NEW", arm, NULL },
	{ 11, "FAILED", NULL,
	    "a failed request changes nothing here; 10 lets it try again" },
	{ 20, "INITIALIZED", NULL,
	    "an entity that waits has no state of its own; `scep request "
	    "list` shows what waits, 50 keeps one from enrolling" },
	{ 30, "INPROCESS", NULL,
	    "a request is answered at once; 10 lets it enrol" },
	{ GENERATED, "GENERATED", entity_disarm, NULL },
	{ REVOKED, "REVOKED", forbid, NULL },
	{ 60, "HISTORICAL", forbid, NULL },
	{ 70, "KEYRECOVERY", NULL,
	    "keys of devices never come here, so none can be recovered; 10 "
	    "lets it enrol with a new one" },
	{ 80, "WAITINGFORADDAPPROVAL", NULL,
	    "`scep request list` shows what waits for an approval" },
};

static const struct status *
status_find(int64_t code)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++)
		if (statuses[i].code == code)
			return &statuses[i];
	return NULL;
}

enum err
ejbca_run_setstatus(struct command *cmd)
{
	const char *username = cmd->name[0];
	const struct status *s;
	enum err e;

	if (!opt_given(cmd, "-S"))
		return usage(cmd, "ra setendentitystatus wants --username NAME "
				  "-S CODE");
	s = status_find(opt_number(cmd, "-S", 0));
	if (s == NULL)
		return usage(cmd,
		    "no status %s; there are 10 (NEW), 40 "
		    "(GENERATED), 50 (REVOKED), 60 (HISTORICAL)",
		    opt_text(cmd, "-S"));
	if (s->set == NULL)
		return say(ERR_REFUSED, "status %lld (%s) is not here: %s",
		    (long long)s->code, s->name, s->why);
	(void)buf_printf(
	    &cmd->detail, "status %lld (%s)", (long long)s->code, s->name);
	if ((e = s->set(cmd, username)) == OK)
		(void)fprintf(cmd->out,
		    "New status for end entity %s is %lld (%s)\n", username,
		    (long long)s->code, s->name);
	return e;
}

/* ---- lists --------------------------------------------------------------- */

struct list {
	struct command *cmd;
	int64_t wanted;
};

static enum err
status_of(
    const struct command *cmd, const struct entity *entity, int64_t *status)
{
	const char *word = "";
	enum err e;

	if (entity->blocked) {
		*status = REVOKED;
		return OK;
	}
	if ((e = entity_code_word(cmd, entity, &word)) != OK)
		return e;
	*status = strcmp(word, "good") == 0 || strcmp(word, "locked") == 0 ?
		      NEW :
		      GENERATED;
	return OK;
}

static enum err
list_one(const struct entity *entity, void *arg)
{
	const struct list *list = arg;
	FILE *out = list->cmd->out;
	int64_t status = ALL;
	char code[24];
	enum err e;

	if ((e = status_of(list->cmd, entity, &status)) != OK)
		return e;
	if (list->wanted != ALL && list->wanted != status)
		return OK;
	(void)snprintf(code, sizeof(code), "%lld", (long long)status);
	print_cell(out, entity->username, 24);
	print_cell(out, code, 3);
	print_cell(out, entity->ca, 16);
	print_cell(out, entity->subject, 0);
	return OK;
}

enum err
ejbca_run_find(struct command *cmd)
{
	struct entity entity = ENTITY_INIT;
	const struct status *s;
	int64_t status = ALL;
	enum err e;

	if ((e = run_entity_show(cmd)) == OK &&
	    (e = entity_get(cmd, cmd->name[0], &entity)) == OK &&
	    (e = status_of(cmd, &entity, &status)) == OK &&
	    (s = status_find(status)) != NULL)
		(void)fprintf(cmd->out, "%-14s%lld (%s)\n",
		    "Status:", (long long)s->code, s->name);
	entity_release(&entity);
	return e;
}

enum err
ejbca_run_list(struct command *cmd)
{
	struct list list = { cmd, opt_number(cmd, "-S", ALL) };

	if (list.wanted != ALL && status_find(list.wanted) == NULL)
		return usage(cmd,
		    "no status %s; there are 10 (NEW), 40 "
		    "(GENERATED), 50 (REVOKED), and 0 for all",
		    opt_text(cmd, "-S"));
	return entity_each(&cmd->store, list_one, &list);
}

enum err
ejbca_run_listnew(struct command *cmd)
{
	struct list list = { cmd, NEW };

	return entity_each(&cmd->store, list_one, &list);
}
