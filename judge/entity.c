#include <string.h>

#include "judge/judge.h"

/* The judge of CA mode: a registered entity and its own code. */

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
	judgement_init(j);
}

/* A rule, not the secret, says no; it must cost what a wrong code costs. */
static enum err
no_before_code(struct judgement *j, const char *reason)
{
	code_decoy();
	j->reason = reason;
	return OK;
}

/*
 * An attempt mark is taken before a chosen password is looked at, so that
 * parallel guesses cannot outrun the count, and given back if it was right.
 */
static enum err
compare(const struct judge_case *c, struct judgement *j)
{
	struct try_mark mark = { "" };
	int64_t again = 0;
	enum err e = OK;

	if (j->code.form == CODE_SCRYPT)
		e = code_try(c->store, j->code.id, c->now, &mark, &again);
	if (e == ERR_REFUSED)
		return no_before_code(j,
		    "too many wrong codes this hour; `scep entity unlock` "
		    "admits the next");
	if (e != OK)
		return e;
	if (!code_match(&j->code, c->challenge)) {
		j->reason = "wrong code";
		return OK;
	}
	code_try_clear(c->store, &mark);
	j->ruling = RULING_YES;
	j->reason = NULL;
	return OK;
}

enum err
judge_entity(const struct judge_case *c, struct judgement *j)
{
	enum err e;

	e = entity_find(
	    c->store, span_of(c->username, strlen(c->username)), &j->entity);
	if (e == ERR_NOTFOUND)
		return no_before_code(j, "unknown entity");
	if (e != OK)
		return e;
	if (j->entity.blocked)
		return no_before_code(j, "entity is blocked");
	if (strcmp(j->entity.ca, c->ca) != 0)
		return no_before_code(
		    j, "entity is registered with another CA");
	if (j->entity.code == NULL)
		return no_before_code(j, "entity has no code");
	if (c->challenge.len == 0)
		return no_before_code(j, "no challengePassword");
	e = code_find(c->store, j->entity.username, j->entity.code, &j->code);
	if (e == ERR_NOTFOUND)
		return no_before_code(j, "entity's code is gone");
	if (e != OK)
		return e;
	if (j->code.expires != 0 && j->code.expires <= c->now)
		return no_before_code(j, "code has expired");
	return compare(c, j);
}
