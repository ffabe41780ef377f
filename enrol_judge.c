#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "ca/dn.h"
#include "ca/profile.h"
#include "ca/san.h"
#include "enrol_own.h"
#include "judge/judge.h"

/*
 * What enrolment and the judge of its alias say to each other, and the road
 * of CA mode where the judge is not the entity's own code: somebody else says
 * yes, to a registered entity.
 */

/* The request's names as text; what cannot be written is not shown. */
static enum err
names_text(const struct pkimsg *msg, struct buf *subject, struct buf *san)
{
	enum err e = OK;

	if (msg->csr.subject.len > 0 && msg->csr.subject.len <= MAX_SUBJECT)
		e = dn_text(msg->csr.subject, subject);
	if (e == ERR_INPUT) {
		buf_clear(subject);
		e = OK;
	}
	if (e == OK && msg->csr.san.len > 0 && msg->csr.san.len <= MAX_SAN_DER)
		e = san_text(msg->csr.san, san);
	if (e == ERR_INPUT) {
		buf_clear(san);
		e = OK;
	}
	return e;
}

static bool
replace(char **member, const char *value)
{
	char *copy;

	if (value == NULL)
		return true;
	if ((copy = str_dup(value)) == NULL)
		return false;
	free(*member);
	*member = copy;
	return true;
}

static bool
is_profile(const char *name, const char *other)
{
	const char *shipped = profile_shipped_name(other);

	/* built-in ones have their names in any case */
	return strcmp(name, other) == 0 ||
	       (shipped != NULL && strcasecmp(name, shipped) == 0);
}

/*
 * Whoever has an RA's key writes what he likes: names.  What the certificate is
 * like is the alias's to say.
 */
static bool
may_choose(const struct alias *a, const char *profile)
{
	if (profile == NULL || is_profile(profile, a->ra.profile))
		return true;
	for (size_t i = 0; i < a->queue.nprofiles; i++)
		if (is_profile(profile, a->queue.profiles[i]))
			return true;
	log_warn("alias %s: its external RA wants certificate profile %.64s, "
		 "which is neither certificateprofile nor among [queue] "
		 "profiles",
	    a->name, profile);
	return false;
}

static enum err
vouch(const struct overrides *said, struct decision *d, struct overrides *out)
{
	if (!may_choose(d->alias, said->profile))
		return decision_refuse(d, FAIL_BADREQUEST,
		    "[queue] profiles does not name the certificate profile "
		    "that the RA wants");
	d->verdict = VERDICT_GRANT;
	out->validity = said->validity;
	return replace(&out->username, said->username) &&
		       replace(&out->subject, said->subject) &&
		       replace(&out->san, said->san) &&
		       replace(&out->profile, said->profile) ?
		   OK :
		   ERR_SYSTEM;
}

struct judge_case
enrol_case(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    const struct decision *d)
{
	return (struct judge_case){ .alias = d->alias,
		.store = in->store,
		.home = in->home,
		.username = d->username ? d->username : "",
		.ca = msg->ca,
		.challenge = buf_span(&msg->csr.challenge),
		.csr = buf_span(&msg->csr.der),
		.name = msg->csr.subject,
		.subject = "",
		.san = "",
		.altname = msg->csr.san,
		.asked = msg->csr.asked,
		.nasked = msg->csr.nasked,
		.txid = buf_span(&msg->txid),
		.remote = in->remote ? in->remote : "",
		.now = now };
}

enum err
enrol_judge(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    struct decision *d, struct judgement *j)
{
	struct buf subject = BUF_INIT, san = BUF_INIT;
	struct judge_case c = enrol_case(in, msg, now, d);
	enum err e;

	if (in->vouched != NULL)
		return vouch(in->vouched, d, &j->over);
	if ((e = names_text(msg, &subject, &san)) != OK)
		goto out;
	c.subject = buf_cstr(&subject);
	c.san = buf_cstr(&san);
	if ((e = judge(&c, j)) != OK)
		goto out;
	if (j->ruling == RULING_LATER)
		e = ERR_BUSY;
	else if (j->ruling != RULING_YES)
		e = decision_refuse(d, FAIL_BADREQUEST, j->reason);
	else
		d->verdict = VERDICT_GRANT;
	d->judged = e == OK && d->verdict == VERDICT_GRANT;
out:
	buf_release(&subject);
	buf_release(&san);
	return e;
}

void
decision_take(struct decision *d, struct judgement *j)
{
	entity_release(&d->entity);
	code_release(&d->code);
	overrides_release(&d->over);
	d->entity = j->entity;
	d->code = j->code;
	d->over = j->over;
	j->entity = (struct entity){ 0 };
	j->code = (struct code){ 0 };
	j->over = (struct overrides){ .validity = 0 };
}

enum err
decision_override(struct decision *d)
{
	struct entity *who = &d->entity;
	const struct overrides *o = &d->over;

	if (!replace(&who->subject, o->subject) ||
	    !replace(&who->san, o->san) || !replace(&who->profile, o->profile))
		return ERR_SYSTEM;
	if (o->san != NULL && *o->san == '\0') {
		free(who->san);
		who->san = NULL;
	}
	return OK;
}

/* The entity that the judge has said yes to must be one of this CA. */
static enum err
find_entity(
    const struct enrol *in, const struct pkimsg *msg, struct decision *d)
{
	const char *name = d->over.username;
	enum err e;

	if (name == NULL)
		name = d->username ? d->username : "";
	e = entity_find(in->store, span_of(name, strlen(name)), &d->entity);
	if (e == ERR_NOTFOUND)
		return decision_refuse(d, FAIL_BADREQUEST, "unknown entity");
	if (e != OK)
		return e;
	if (d->entity.blocked)
		return decision_refuse(d, FAIL_BADREQUEST, "entity is blocked");
	if (!ca_called(msg->ca, d->entity.ca))
		return decision_refuse(
		    d, FAIL_BADREQUEST, "entity is registered with another CA");
	return decision_override(d);
}

static enum err
ask(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    struct decision *d)
{
	struct judgement j;
	enum err e;

	judgement_init(&j);
	d->pay = PAY_JUDGE;
	e = enrol_judge(in, msg, now, d, &j);
	if (e == OK && d->verdict == VERDICT_GRANT) {
		decision_take(d, &j);
		e = enrol_strength(msg, d);
	}
	if (e == OK && d->verdict == VERDICT_GRANT)
		e = find_entity(in, msg, d);
	judgement_release(&j);
	return e;
}

static enum err
room(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    struct decision *d)
{
	(void)msg;
	return enrol_code_room(in, now, d);
}

static enum err
pay(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    struct decision *d)
{
	(void)msg;
	return enrol_code_pay(in, now, d);
}

const struct road road_judge = { ask, room, pay };

/*
 * An answer under the challenge can be guessed at by whoever sees it, as long
 * as he likes: 128 random bits stand that (C-96).  What a judge far away knows
 * of its challenges is not known here.
 */
enum err
enrol_strength(const struct pkimsg *msg, struct decision *d)
{
	if (msg->signer_type == KEY_RSA || *d->code.id != '\0' ||
	    judge_strong_secret(d->alias))
		return OK;
	return decision_refuse(d, FAIL_BADALG,
	    d->alias->challenge.judge == JUDGE_SECRET ?
		"the signer's key cannot encrypt, and the alias's secret is "
		"too short to" :
		"the signer's key cannot encrypt, and nobody knows here how "
		"strong the challenge is");
}
