#include <string.h>

#include "base/log.h"
#include "judge/judge.h"

/* The judge of CA mode: a registered entity and its own code. */

/*
 * A rule, not the secret, says no; it must cost what a wrong chosen password
 * costs, in time and in files.
 */
static enum err
no_before_code(
    const struct judge_case *c, struct judgement *j, const char *reason)
{
	code_decoy();
	j->reason = reason;
	return code_try_decoy(c->store, c->now);
}

/* Somebody guesses, or types badly: the request's own line says no name. */
static void
suspect(const struct judgement *j, const char *what)
{
	log_warn("entity %s: %s", j->entity.username, what);
}

/*
 * An attempt mark is taken before a chosen password is looked at, so that
 * parallel guesses cannot outrun the count, and given back if it was right.
 */
static enum err
compare_chosen(const struct judge_case *c, struct judgement *j, bool *right)
{
	struct try_mark mark;
	enum err e;

	if ((e = code_try(c->store, j->code.id, c->now, &mark)) != OK)
		return e;
	*right = code_match(&j->code, c->challenge);
	if (!*right)
		return code_try_wrong(c->store, &mark);
	code_try_clear(c->store, &mark);
	return OK;
}

/* Nobody guesses 128 bits: not counted, but it takes as long. */
static enum err
compare_generated(const struct judge_case *c, struct judgement *j, bool *right)
{
	*right = code_match(&j->code, c->challenge);
	return *right ? OK : code_try_decoy(c->store, c->now);
}

static enum err
compare(const struct judge_case *c, struct judgement *j)
{
	bool right = false;
	enum err e;

	e = j->code.form == CODE_SCRYPT ? compare_chosen(c, j, &right) :
					  compare_generated(c, j, &right);
	if (e == ERR_REFUSED) {
		suspect(j, "locked, and still being tried");
		return no_before_code(c, j,
		    "too many wrong codes this hour; `scep entity unlock` "
		    "admits the next");
	}
	if (e != OK)
		return e;
	if (right) {
		j->ruling = RULING_YES;
		return OK;
	}
	suspect(j, "a wrong code");
	j->reason = "wrong code";
	return OK;
}

enum err
judge_entity(const struct judge_case *c, struct judgement *j)
{
	enum err e;

	e = entity_find(
	    c->store, span_of(c->username, strlen(c->username)), &j->entity);
	if (e == ERR_NOTFOUND)
		return no_before_code(c, j, "unknown entity");
	if (e != OK)
		return e;
	if (j->entity.blocked)
		return no_before_code(c, j, "entity is blocked");
	if (!ca_called(c->ca, j->entity.ca))
		return no_before_code(
		    c, j, "entity is registered with another CA");
	if (j->entity.code == NULL)
		return no_before_code(c, j, "entity has no code");
	if (c->challenge.len == 0)
		return no_before_code(c, j, "no challengePassword");
	e = code_find(c->store, j->entity.username, j->entity.code, &j->code);
	if (e == ERR_NOTFOUND)
		return no_before_code(c, j, "entity's code is gone");
	if (e != OK)
		return e;
	if (j->code.expires != 0 && j->code.expires <= c->now)
		return no_before_code(c, j, "code has expired");
	return compare(c, j);
}
