#include <string.h>

#include "base/log.h"
#include "ca/cert.h"
#include "ca/dn.h"
#include "ca/profile.h"
#include "ca/san.h"
#include "enrol_own.h"
#include "enrol_unique.h"

/*
 * What certificate a request would get: names, profile, key, extensions.
 * Nothing is paid or written here.
 */

#define DEFAULT_PROFILE "ENDUSER"

/*
 * What a record holds beside names and key: extensions, signature (MAX_RSA),
 * digests, times, and the names of alias, CA, entity and profile, escaped.
 */
#define RECORD_REST 16384

/* The first attribute that has a value; empty if none has. */
static enum err
first_value(struct span subject, struct buf *value)
{
	static const char *const names[] = { "CN", "SN", "UNSTRUCTUREDNAME" };
	enum err e = ERR_NOTFOUND;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		buf_clear(value);
		e = dn_value(subject, names[i], value);
		if (e == ERR_SYSTEM || (e == OK && value->len > 0))
			return e;
	}
	buf_clear(value);
	return OK;
}

enum err
enrol_username(const struct alias *alias, struct span subject, char **out)
{
	struct buf value = BUF_INIT;
	char *text;
	enum err e;

	if ((e = first_value(subject, &value)) != OK)
		goto out;
	text = (char *)value.data;
	if (value.len == 0 || value.len > MAX_USERNAME ||
	    strlen(text) != value.len)
		goto out;
	if (alias->cutusername)
		text[strcspn(text, " ")] = '\0';
	if (*text != '\0' && (*out = str_dup(text)) == NULL)
		e = ERR_SYSTEM;
out:
	buf_release(&value);
	return e;
}

/* What is asked for: the request's names, in a renewal the old certificate's. */
struct wish {
	struct span subject, san;
	bool old;
};

static enum err
find_wish(const struct pkimsg *msg, struct decision *d, struct wish *out)
{
	struct cert_view v;

	*out =
	    (struct wish){ .subject = msg->csr.subject, .san = msg->csr.san };
	if (d->old.cert.len == 0)
		return OK;
	if (cert_view(buf_span(&d->old.cert), &v) != OK)
		return decision_refuse(
		    d, FAIL_BADREQUEST, "the old certificate is unreadable");
	*out = (struct wish){ v.subject, v.san, true };
	return OK;
}

/* The wished subjectAltName, or the entity's own. */
static enum err
find_san(struct span wish, struct decision *d)
{
	const char *own = d->entity.san;

	if (own == NULL)
		return OK;
	if (strcmp(own, "request") != 0)
		return san_parse(own, &d->san) == OK ?
			   OK :
			   decision_refuse(d, FAIL_BADREQUEST,
			       "entity's subjectAltName is unreadable");
	if (wish.len == 0)
		return OK;
	if (san_issuable(wish) != OK)
		return decision_refuse(d, FAIL_BADREQUEST,
		    "requested subjectAltName is malformed");
	return buf_add(&d->san, wish.p, wish.len) ? OK : ERR_SYSTEM;
}

/*
 * The entity's subject, else the wished one.  An old certificate that says
 * the same keeps its very bytes: clients compare them.
 */
static enum err
find_subject(const struct wish *wish, struct decision *d)
{
	struct span subject = wish->subject;

	if (d->entity.subject != NULL) {
		if (dn_parse(d->entity.subject, &d->subject) != OK)
			return decision_refuse(d, FAIL_BADREQUEST,
			    "entity's subject is unreadable");
		if (!wish->old || !dn_eq(buf_span(&d->subject), subject))
			return OK;
		buf_clear(&d->subject);
	}
	return buf_add(&d->subject, subject.p, subject.len) ? OK : ERR_SYSTEM;
}

/*
 * The names of the certificate: the entity's, else the wished ones.  They are
 * checked and written out here, before anything is paid or signed: what
 * cannot be read, certified or recorded is refused while that costs nothing.
 */
static enum err
find_names(const struct pkimsg *msg, struct decision *d)
{
	const char *why = NULL;
	struct wish wish;
	enum err e;

	if ((e = find_wish(msg, d, &wish)) != OK ||
	    d->verdict == VERDICT_REFUSE ||
	    (e = find_subject(&wish, d)) != OK || d->verdict == VERDICT_REFUSE)
		return e;
	if ((e = dn_check(buf_span(&d->subject), &why)) == OK)
		e = dn_text(buf_span(&d->subject), &d->subject_text);
	if (e == ERR_INPUT)
		return decision_refuse(d, FAIL_BADREQUEST,
		    why ? why : "the subject cannot be written as text");
	if (e != OK || (e = find_san(wish.san, d)) != OK ||
	    d->verdict == VERDICT_REFUSE)
		return e;
	if (dn_empty(buf_span(&d->subject)) && d->san.len == 0)
		return decision_refuse(
		    d, FAIL_BADREQUEST, "neither subject nor subjectAltName");
	return OK;
}

/*
 * Will the outcome fit into a record?  The certificate in PEM takes 4/3 of
 * its bytes and a bit, escaped text three times its length.
 */
static enum err
find_room(const struct pkimsg *msg, struct decision *d)
{
	size_t der = d->subject.len + d->san.len + msg->csr.spki.len +
		     msg->gen->subject.len;
	size_t text = d->subject_text.len + msg->txid.len;

	for (size_t i = 0; i < msg->csr.nasked; i++)
		der += msg->csr.asked[i].value.len;
	if (2 * der + 3 * text + RECORD_REST > MAX_RECORD)
		return decision_refuse(d, FAIL_BADREQUEST,
		    "the certificate is too large for a record");
	return OK;
}

/* What the judge wants now, and what people said yes to: the shorter. */
int64_t
enrol_validity(const struct decision *d)
{
	int64_t judged = d->over.validity, approved = d->waiting.validity;

	if (judged == 0 || (approved != 0 && approved < judged))
		return approved;
	return judged;
}

struct leaf
enrol_leaf(
    const struct enrol *in, const struct pkimsg *msg, const struct decision *d)
{
	return (struct leaf){ .subject = buf_span(&d->subject),
		.spki = msg->csr.spki,
		.san = buf_span(&d->san),
		.transaction = d->transaction.name,
		.ca = msg->ca->called,
		.baseurl = in->baseurl,
		.asked = msg->csr.asked,
		.nasked = msg->csr.nasked,
		.validity = enrol_validity(d) };
}

/* The entity's profile, else the alias's, else the one everybody has. */
const char *
enrol_profile_name(const struct alias *alias, const struct decision *d)
{
	const char *name = d->entity.profile;

	if (name == NULL && alias != NULL)
		name = alias->profile;
	return name != NULL ? name : DEFAULT_PROFILE;
}

/* Whose [entity] counts: in RA mode one of its own, that the record keeps. */
static const char *
rules_name(const struct alias *alias, const struct decision *d)
{
	if (d->waiting.entityprofile != NULL)
		return d->waiting.entityprofile;
	return alias != NULL && alias->mode == MODE_RA ?
		   alias->ra.entityprofile :
		   enrol_profile_name(alias, d);
}

/* What a judge says wrongly is mended there: the client tries again. */
static enum err
find_profile(const struct enrol *in, const char *name, struct decision *d)
{
	enum err e = profiles_find(in->profiles, name, &d->profile);

	if (e == ERR_NOTFOUND && d->over.profile != NULL &&
	    strcmp(d->over.profile, name) == 0) {
		log_error("alias %s: its judge wants certificate profile %s, "
			  "which does not exist",
		    d->transaction.alias, name);
		return ERR_BUSY;
	}
	if (e == ERR_NOTFOUND)
		return decision_refuse(
		    d, FAIL_BADREQUEST, "certificate profile does not exist");
	return e;
}

/* May the request have what the profile makes of it? */
static enum err
check_profile(const struct enrol *in, const struct pkimsg *msg, int64_t now,
    struct decision *d)
{
	struct leaf leaf = enrol_leaf(in, msg, d);
	const char *why = NULL;
	bool alg = false;
	struct shape s;
	enum err e;

	e = profile_key(d->profile, msg->csr.spki, &why, &alg);
	if (e == ERR_REFUSED)
		return decision_refuse(
		    d, alg ? FAIL_BADALG : FAIL_BADREQUEST, why);
	if (e != OK)
		return e;
	e = profile_shape(d->profile, msg->gen, &leaf, now, &s, &why);
	shape_release(&s);
	return e == ERR_REFUSED ? decision_refuse(d, FAIL_BADREQUEST, why) : e;
}

enum err
enrol_look(const struct enrol *in, const struct alias *alias,
    const struct pkimsg *msg, int64_t now, struct decision *d)
{
	const char *profile = enrol_profile_name(alias, d);
	enum err e;

	d->verdict = VERDICT_GRANT;
	if ((e = find_names(msg, d)) != OK || d->verdict == VERDICT_REFUSE ||
	    (e = enrol_rules(in, rules_name(alias, d), profile, msg, now, d)) !=
		OK ||
	    d->verdict == VERDICT_REFUSE ||
	    (e = find_profile(in, profile, d)) != OK ||
	    d->verdict == VERDICT_REFUSE)
		return e;
	if ((e = check_profile(in, msg, now, d)) != OK ||
	    d->verdict == VERDICT_REFUSE)
		return e;
	return find_room(msg, d);
}
