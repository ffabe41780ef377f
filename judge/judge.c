#include <stdlib.h>

#include "base/log.h"
#include "judge/intune.h"
#include "judge/judge.h"

void
overrides_release(struct overrides *o)
{
	free(o->username);
	free(o->subject);
	free(o->san);
	free(o->profile);
	*o = (struct overrides){ .validity = 0 };
}

void
judgement_init(struct judgement *j)
{
	*j = (struct judgement){ .ruling = RULING_NO };
}

void
judgement_release(struct judgement *j)
{
	entity_release(&j->entity);
	code_release(&j->code);
	overrides_release(&j->over);
	buf_release(&j->why);
	judgement_init(j);
}

static enum err (*const judges[JUDGE__MAX])(
    const struct judge_case *c, struct judgement *j) = {
	[JUDGE_ENTITY] = judge_entity,
	[JUDGE_SECRET] = judge_ra,
	[JUDGE_PROGRAM] = judge_program,
	[JUDGE_WEB] = judge_web,
	[JUDGE_ONETIME] = judge_onetime,
	[JUDGE_INTUNE] = judge_intune,
};

/* Those that want to know what became of their yes. */
static const struct {
	const char *word;
	enum err (*issued)(const struct judge_case *c, struct span cert);
	enum err (*refused)(
	    const struct judge_case *c, int fail, const char *why);
} holders[JUDGE__MAX] = {
	[JUDGE_INTUNE] = { "intune", intune_issued, intune_refused },
};

enum err
judge(const struct judge_case *c, struct judgement *j)
{
	enum judge_kind kind = c->alias->challenge.judge;

	if (kind < JUDGE__MAX && judges[kind] != NULL)
		return judges[kind](c, j);
	log_error("alias %s has no judge", c->alias->name);
	return ERR_SYSTEM;
}

const char *
judge_holds(const struct alias *a)
{
	enum judge_kind kind = a->challenge.judge;

	return kind < JUDGE__MAX ? holders[kind].word : NULL;
}

enum err
judge_issued(const struct judge_case *c, struct span cert)
{
	if (judge_holds(c->alias) == NULL)
		return OK;
	return holders[c->alias->challenge.judge].issued(c, cert);
}

void
judge_refused(const struct judge_case *c, int fail, const char *why)
{
	if (judge_holds(c->alias) != NULL)
		(void)holders[c->alias->challenge.judge].refused(c, fail, why);
}
