#include "store/audit.h"
#include "visit.h"

/* Who is spoken of by ca_lacks(). */
struct tale {
	const char *ca;
};

static void
warn(const char *sentence, void *arg)
{
	const struct tale *tale = arg;

	log_warn("CA %s: %s", tale->ca, sentence);
}

static void
refuse(const char *sentence, void *arg)
{
	const struct tale *tale = arg;

	log_error("CA %s is not served, as strictkeyusage = yes says: %s",
	    tale->ca, sentence);
}

/* A certificate was made that nobody has asked for; it stands in any case. */
static void
audit_renewal(const struct visit *v, const char *ca)
{
	const struct audit line = { .who = "server",
		.verb = "ca ra renew",
		.object = ca,
		.outcome = "done",
		.ca = ca,
		.detail = "two thirds of its life had passed" };

	log_info("CA %s: its RA certificate was renewed", ca);
	(void)audit_write(&v->house->store, &line);
}

enum err
visit_ca(struct visit *v, const char *name, const struct ca **ca)
{
	const char *url = v->house->site.baseurl;
	struct tale tale = { name };
	enum err e;

	if (cas_tend(v->house->cas, name, *url ? url : NULL, v->now))
		audit_renewal(v, name);
	if ((e = cas_find(v->house->cas, name, ca)) != OK)
		return e;
	if (v->alias->strictkeyusage &&
	    ca_lacks(*ca, v->now, refuse, &tale) > 0)
		return ERR_SYSTEM;
	return OK;
}

void
visit_warn(const struct visit *v, const struct ca *ca)
{
	struct tale tale = { ca->called };

	(void)ca_lacks(ca, v->now, warn, &tale);
}
