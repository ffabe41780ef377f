#include "admin/entity.h"
#include "admin/profile.h"

#include <string.h>

#include "ca/ca.h"
#include "ca/dn.h"
#include "ca/san.h"

/* Records of entities against the rules of the profiles that they name. */

/* The registered names; what comes with each request is looked at then. */
static enum err
read_names(const struct entity *who, struct buf *subject, struct buf *san,
    struct entity_names *out)
{
	enum err e = OK;

	out->ca = who->ca;
	out->subject_later = who->subject == NULL;
	out->san_later = who->san != NULL && strcmp(who->san, "request") == 0;
	if (who->subject != NULL)
		e = dn_parse(who->subject, subject);
	if (e == OK && who->san != NULL && !out->san_later)
		e = san_parse(who->san, san);
	out->subject = buf_span(subject);
	out->san = buf_span(san);
	return e;
}

/* Of several names of one CA the one that the profile lists. */
static enum err
find_listed(const struct command *cmd, const char *const *list,
    struct entity_names *names)
{
	struct buf first = BUF_INIT, other = BUF_INIT;
	enum err e = OK;

	if (*list == NULL || names->ca == NULL ||
	    (e = ca_identify(cmd->home, names->ca, NULL, &first)) != OK)
		goto out;
	for (; *list != NULL && e == OK; list++) {
		buf_clear(&other);
		e = ca_identify(cmd->home, *list, NULL, &other);
		if (e == OK && span_eq(buf_span(&first), buf_span(&other))) {
			names->ca = *list;
			break;
		}
		if (e == ERR_NOTFOUND)
			e = OK; /* one to come */
	}
out:
	buf_release(&first);
	buf_release(&other);
	return e == ERR_NOTFOUND ? OK : e;
}

enum err
entity_fits(const struct command *cmd, const struct entity *who)
{
	struct buf subject = BUF_INIT, san = BUF_INIT;
	struct entity_names names = { .ca = NULL };
	struct breach breach = { NULL, NULL };
	struct profile *p = NULL;
	enum err e;

	if (who->profile == NULL)
		return OK; /* the alias's, which is known at an enrolment */
	if ((e = profile_load(cmd, who->profile, &p)) != OK ||
	    (e = read_names(who, &subject, &san, &names)) != OK ||
	    (e = find_listed(cmd, p->entity.cas, &names)) != OK)
		goto out;
	names.profile = p->name;
	e = entity_check(&p->entity, &names, &breach);
	if (e == ERR_REFUSED)
		(void)say(
		    e, "profile %s: %s: %s", p->name, breach.field, breach.why);
out:
	profile_free(p);
	buf_release(&subject);
	buf_release(&san);
	return e;
}

enum err
code_count(const struct command *cmd, const struct entity *who, bool asked,
    struct new_code *c)
{
	struct profile *p = NULL;
	unsigned most;
	enum err e = OK;

	if (who->profile == NULL ||
	    (e = profile_load(cmd, who->profile, &p)) != OK)
		return e;
	most = p->entity.enrolments;
	if (most > 0 && !asked)
		c->count = most;
	else if (most > 0 && c->count > most)
		e = say(ERR_REFUSED,
		    "profile %s allows %u enrolments; --count is at most that",
		    p->name, most);
	profile_free(p);
	return e;
}
