#include "ca/folder.h"

#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/names.h"
#include "ca/ca.h"
#include "ca/cert.h"

static enum err
path_of(const char *name, const char *before, struct buf *path)
{
	struct buf escaped = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (name_escape(span_of(name, strlen(name)), &escaped) == OK) {
		/* too long for a name becomes a hash: no CA is called that */
		if (*name == '\0' || buf_cstr(&escaped)[0] == '=')
			e = ERR_INPUT;
		else if (buf_printf(
			     path, "ca/%s%s", before, buf_cstr(&escaped)))
			e = OK;
	}
	buf_release(&escaped);
	return e;
}

/* Lists of CAs have commas, INI quotes them, lines of logs and lists end. */
bool
ca_name_ok(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || name[0] == ' ' || name[len - 1] == ' ' ||
	    strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f ||
		    name[i] == ',' || name[i] == '"')
			return false;
	return true;
}

enum err
ca_path(const char *name, struct buf *path)
{
	return path_of(name, "", path);
}

enum err
ca_request_path(const char *name, struct buf *path)
{
	return path_of(name, CA_REQUEST, path);
}

static enum err
no_request(int home, const char *name)
{
	struct buf path = BUF_INIT;
	enum err e;

	if ((e = ca_request_path(name, &path)) == OK)
		e = file_exists(home, buf_cstr(&path));
	if (e == OK) {
		log_error("CA %s waits for its certificate: `scep ca install` "
			  "brings it; if it will never come, remove %s",
		    name, buf_cstr(&path));
		e = ERR_REFUSED;
	} else if (e == ERR_NOTFOUND) {
		e = OK;
	}
	buf_release(&path);
	return e;
}

/* Its clients may still ask for it by that name. */
static enum err
no_namesake(int home, const char *name)
{
	struct buf called = BUF_INIT;
	enum err e = ca_identify(home, name, &called, NULL);

	if (e == OK) {
		log_error(
		    "%s is a former name of CA %s", name, buf_cstr(&called));
		e = ERR_REFUSED;
	}
	buf_release(&called);
	return e == ERR_NOTFOUND ? OK : e;
}

enum err
ca_vacant(int home, const char *name)
{
	struct buf path = BUF_INIT;
	enum err e;

	if (!ca_name_ok(name)) {
		log_error("no CA can be called \"%s\": no comma, quote or "
			  "control character, no blank at its ends, not . or "
			  "..",
		    name);
		return ERR_INPUT;
	}
	if ((e = ca_path(name, &path)) == ERR_INPUT)
		log_error("a CA's name is 1 to 200 bytes as a file name");
	else if (e == OK) {
		e = file_exists(home, buf_cstr(&path));
		if (e == OK)
			e = ERR_EXISTS;
		else if (e == ERR_NOTFOUND &&
			 (e = no_namesake(home, name)) == OK)
			e = no_request(home, name);
	}
	buf_release(&path);
	return e;
}

/* Remembers what draft_end() may have to remove. */
static enum err
remember(struct draft *d, const char *dir, const char *name)
{
	struct buf path = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (d->n == DRAFT_MAX)
		log_error("too many files for %s", buf_cstr(&d->dir));
	else if (buf_printf(&path, "%s%s", dir, name) &&
		 (d->made[d->n] = str_dup(buf_cstr(&path))) != NULL) {
		d->n++;
		e = OK;
	}
	buf_release(&path);
	return e;
}

enum err
draft_begin(int home, const char *room, struct draft *d)
{
	char random[33];
	enum err e;

	*d = (struct draft){ .home = home, .dir = BUF_INIT };
	e = dir_make(home, room);
	if (e != OK && e != ERR_EXISTS)
		return e;
	if ((e = random_hex(random, 16)) != OK)
		return e;
	if (!buf_printf(&d->dir, "%s/.new-%s", room, random))
		return ERR_SYSTEM;
	return dir_make(home, buf_cstr(&d->dir));
}

enum err
draft_folder(struct draft *d, const char *name)
{
	struct buf path = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (remember(d, "", name) == OK &&
	    buf_printf(&path, "%s/%s", buf_cstr(&d->dir), name))
		e = dir_make(d->home, buf_cstr(&path));
	buf_release(&path);
	return e;
}

enum err
draft_file(struct draft *d, const char *dir, const char *name,
    struct span bytes, mode_t mode)
{
	struct buf path = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (remember(d, dir, name) == OK &&
	    buf_printf(&path, "%s/%s%s", buf_cstr(&d->dir), dir, name))
		e = file_replace(d->home, buf_cstr(&path), bytes, mode);
	buf_release(&path);
	return e;
}

enum err
draft_key(struct draft *d, const char *dir, const char *name,
    const struct key *key, struct span passphrase)
{
	struct buf pem = BUF_SECRET;
	enum err e;

	if ((e = key_pem(key, passphrase, &pem)) == OK)
		e = draft_file(d, dir, name, buf_span(&pem), FILE_KEY);
	buf_release(&pem);
	return e;
}

enum err
draft_certs(struct draft *d, const char *dir, const char *name,
    const struct buf *certs, size_t n)
{
	struct buf pem = BUF_INIT;
	enum err e = OK;

	for (size_t i = 0; e == OK && i < n; i++)
		e = cert_pem(buf_span(&certs[i]), &pem);
	if (e == OK && n > 0)
		e = draft_file(d, dir, name, buf_span(&pem), FILE_RECORD);
	buf_release(&pem);
	return e;
}

/* Its folders' names are durable before the folder has its own. */
static enum err
finish(const struct draft *d, const char *path)
{
	enum err e;

	if ((e = dir_sync(d->home, buf_cstr(&d->dir))) == OK)
		e = file_rename(d->home, buf_cstr(&d->dir), path);
	return e;
}

/* A key must not lie about. */
static void
drop(const struct draft *d)
{
	struct buf path = BUF_INIT;
	bool left = false;
	enum err e;

	for (size_t i = d->n; i > 0; i--) {
		const char *name = d->made[i - 1];

		buf_clear(&path);
		if (!buf_printf(&path, "%s/%s", buf_cstr(&d->dir), name))
			e = ERR_SYSTEM;
		else if (name[strlen(name) - 1] == '/')
			e = dir_remove(d->home, buf_cstr(&path));
		else
			e = file_unlink(d->home, buf_cstr(&path));
		left |= e != OK && e != ERR_NOTFOUND;
	}
	if (left || dir_remove(d->home, buf_cstr(&d->dir)) != OK)
		log_warn("left behind, may be removed: %s", buf_cstr(&d->dir));
	buf_release(&path);
}

enum err
draft_end(struct draft *d, const char *path, enum err e)
{
	if (e == OK)
		e = finish(d, path);
	/* an error may come behind the rename: then it is there */
	if (e != OK && d->dir.len > 0 &&
	    file_exists(d->home, buf_cstr(&d->dir)) == OK)
		drop(d);
	for (size_t i = 0; i < d->n; i++)
		free(d->made[i]);
	buf_release(&d->dir);
	d->n = 0;
	return e;
}
