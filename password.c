#include "password.h"

#include <stdlib.h>
#include <string.h>

#include "enrol.h"
#include "judge/judge.h"

/* The CA of this name, and what it is today; false: not served here. */
static bool
take_ca(const struct passwords *p, const char *name, struct secret_answer *out)
{
	for (size_t i = 0; i < p->n; i++)
		if (ca_called(p->cas[i], name)) {
			out->ca = p->cas[i];
			out->gen = ca_current(out->ca, p->visit->now);
		}
	return out->gen != NULL;
}

enum err
password_find(void *arg, const struct secret_question *q, struct buf *secret,
    struct secret_answer *out)
{
	const struct passwords *p = arg;
	char *username = NULL, *ca = NULL;
	enum err e;

	*out = (struct secret_answer){ .ca = NULL };
	e = enrol_username(p->visit->alias, q->subject, &username);
	if (e != OK)
		goto out;
	e = judge_secret(p->visit->alias, &p->visit->house->store,
	    username ? username : "", secret, &ca);
	if (e == OK && !take_ca(p, ca, out)) {
		buf_clear(secret);
		*out = (struct secret_answer){ .ca = NULL };
		e = ERR_NOTFOUND;
	}
out:
	free(username);
	free(ca);
	return e;
}
