#include <string.h>
#include <sys/stat.h>

#include "aliases/alias.h"
#include "base/limits.h"
#include "base/log.h"

/* The file of [ra] authpwdfile. */

#define MAX_SECRET_FILE 4096 /* bytes; the first line counts */

static enum err
stamp_of(int home, const char *path, struct file_stamp *out)
{
	enum err e = file_stamp(home, path, out);

	if (e == ERR_NOTFOUND)
		log_error("authpwdfile: there is no %s", path);
	return e;
}

/* Others may neither read it nor put a secret of theirs there. */
static enum err
check_facts(int home, const char *path)
{
	struct file_facts facts;
	enum err e = file_facts(home, path, &facts);

	if (e != OK)
		return e;
	if (facts.type != FILE_REGULAR) {
		log_error("authpwdfile: %s is no regular file", path);
		return ERR_INPUT;
	}
	if ((facts.mode & (S_IROTH | S_IWOTH | S_IWGRP)) != 0) {
		log_error("authpwdfile: mode %04o of %s lets others read or "
			  "write it; chmod 0600 %s",
		    (unsigned)facts.mode, path, path);
		return ERR_INPUT;
	}
	return OK;
}

static enum err
take_line(const char *path, const struct buf *text, struct buf *out)
{
	size_t len = strcspn(buf_cstr(text), "\r\n");
	struct span line = span_of(text->data, len);

	if (len == 0) {
		log_error("authpwdfile: the first line of %s is empty", path);
		return ERR_INPUT;
	}
	if (len > MAX_CHALLENGE) {
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
	return buf_add(out, line.p, line.len) ? OK : ERR_SYSTEM;
}

static enum err
read_secret(int home, const char *path, struct buf *out)
{
	struct buf text = BUF_SECRET;
	struct file_stamp before, after;
	enum err e;

	/* the stamp changes with the mode too */
	if ((e = stamp_of(home, path, &before)) != OK ||
	    (e = check_facts(home, path)) != OK ||
	    (e = file_read(home, path, MAX_SECRET_FILE, &text)) != OK)
		goto out;
	e = ERR_BUSY;
	if (file_stamp(home, path, &after) == OK &&
	    file_stamp_eq(&before, &after))
		e = take_line(path, &text, out);
out:
	buf_release(&text);
	return e == ERR_NOTFOUND || e == ERR_TOOBIG ? ERR_INPUT : e;
}

enum err
alias_secret(int home, struct alias *a)
{
	struct buf fresh = BUF_SECRET;
	enum err e;

	if (a->ra.secretfile == NULL)
		return OK;
	e = read_secret(home, a->ra.secretfile, &fresh);
	if (e == ERR_BUSY) {
		buf_release(&fresh);
		return e;
	}
	buf_release(&a->ra.secret);
	a->ra.secret = fresh; /* empty unless OK */
	return e;
}
