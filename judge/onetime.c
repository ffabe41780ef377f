#include <string.h>

#include "base/log.h"
#include "ca/dn.h"
#include "judge/judge.h"
#include "store/onetime.h"

/*
 * The judge of one-time codes (`scep challenge new`).  Nobody guesses 128
 * bits, so wrong ones are not counted; each NO costs what a wrong chosen
 * password costs, so that a code that was good tells nobody that it was.
 */

static enum err
no(const struct judge_case *c, struct judgement *j, const char *reason)
{
	code_decoy();
	j->reason = reason;
	return code_try_decoy(c->store, c->now);
}

/* Equal names, whatever their string types, case and blanks (RFC 5280 7.1). */
static enum err
is_subject(const struct judge_case *c, const struct onetime *o, bool *yes)
{
	struct buf wanted = BUF_INIT;
	enum err e = dn_parse(o->subject, &wanted);

	*yes = e == OK && dn_eq(buf_span(&wanted), c->name);
	buf_release(&wanted);
	return e == OK ? OK : ERR_SYSTEM;
}

/* Is it good for this request?  *why is NULL then. */
static enum err
look(const struct judge_case *c, const struct onetime *o, const char **why)
{
	bool same = true;
	enum err e = OK;

	*why = NULL;
	if (o->subject != NULL)
		e = is_subject(c, o, &same);
	if (strcmp(o->alias, c->alias->name) != 0)
		*why = "code of another alias";
	else if (o->code.expires <= c->now)
		*why = "code has expired";
	else if (!same)
		*why = "the code is for another subject";
	else if (o->entity == NULL && c->alias->mode == MODE_CA)
		*why = "the code is for no entity, as CA mode wants it to be "
		       "(`scep challenge new --for`)";
	return e;
}

/*
 * A code for one subject is for no other name either: the certificate has the
 * subjectAltName that the code was made with, else none.
 */
static enum err
take_san(struct onetime *o, struct judgement *j)
{
	if (o->subject == NULL ||
	    (o->san != NULL && strcmp(o->san, "request") == 0))
		return OK;
	j->over.san = o->san;
	o->san = NULL;
	if (j->over.san == NULL && (j->over.san = str_dup("")) == NULL)
		return ERR_SYSTEM;
	return OK;
}

/* It pays, and says what it was made for; *o is taken apart. */
static enum err
admit(const struct judge_case *c, struct onetime *o, struct judgement *j)
{
	j->ruling = RULING_YES;
	j->code = o->code;
	o->code = (struct code){ .onetime = true };
	j->over.profile = o->profile;
	o->profile = NULL;
	if (c->alias->mode != MODE_CA)
		return take_san(o, j);
	j->over.username = o->entity;
	o->entity = NULL;
	return OK;
}

enum err
judge_onetime(const struct judge_case *c, struct judgement *j)
{
	struct onetime o = ONETIME_INIT;
	const char *why = NULL;
	enum err e;

	if (c->challenge.len == 0)
		return no(c, j, "no challengePassword");
	e = onetime_find(c->store, c->challenge, &o);
	if (e == ERR_NOTFOUND)
		return no(c, j, "unknown code");
	if (e == OK && (e = look(c, &o, &why)) == OK && why == NULL) {
		e = admit(c, &o, j);
	} else if (e == OK) {
		log_warn("one-time code %s, which %s made: %s", o.code.id, o.by,
		    why);
		e = no(c, j, why);
	}
	onetime_release(&o);
	return e;
}
