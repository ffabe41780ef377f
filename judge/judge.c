#include <stdlib.h>

#include "base/log.h"
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
