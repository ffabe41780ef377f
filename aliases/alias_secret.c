#include "aliases/alias.h"
#include "base/limits.h"
#include "base/log.h"

/* The file of [ra] authpwdfile. */

static enum err
check_line(const char *path, struct span line)
{
	if (line.len > MAX_CHALLENGE) {
		log_error("authpwdfile: the first line of %s is longer than "
			  "%d bytes",
		    path, MAX_CHALLENGE);
		return ERR_INPUT;
	}
	/* what EJBCA means by it opens a door: not from far away */
	if (span_eq(line, span_of("none", 4))) {
		log_error("authpwdfile: %s says none; write authpwd = none if "
			  "no secret is to be asked for",
		    path);
		return ERR_INPUT;
	}
	return OK;
}

enum err
alias_secret(int home, struct alias *a)
{
	struct buf fresh = BUF_SECRET;
	enum err e;

	if (a->ra.secretfile == NULL)
		return OK;
	e = alias_file(
	    home, "authpwdfile", a->ra.secretfile, ALIAS_WORD, &fresh);
	if (e == OK)
		e = check_line(a->ra.secretfile, buf_span(&fresh));
	if (e != OK)
		buf_release(&fresh);
	if (e == ERR_BUSY)
		return e;
	buf_release(&a->ra.secret);
	a->ra.secret = fresh; /* empty unless OK */
	return e;
}
