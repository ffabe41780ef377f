#include "ca/folder.h"

#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/names.h"
#include "ca/cert.h"

enum err
ca_path(const char *name, struct buf *path)
{
	struct buf escaped = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (name_escape(span_of(name, strlen(name)), &escaped) == OK) {
		/* too long for a name becomes a hash: no CA is called that */
		if (*name == '\0' || buf_cstr(&escaped)[0] == '=')
			e = ERR_INPUT;
		else if (buf_printf(path, "ca/%s", buf_cstr(&escaped)))
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
		else if (e == ERR_NOTFOUND)
			e = OK;
	}
	buf_release(&path);
	return e;
}

/* A generation that is being written: ca/.new-<random>/1. */
struct draft {
	int home;
	struct buf dir; /* ca/.new-<random> */
};

static enum err
draft_write(
    const struct draft *d, const char *file, struct span bytes, mode_t mode)
{
	struct buf path = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (buf_printf(&path, "%s/1/%s", buf_cstr(&d->dir), file))
		e = file_replace(d->home, buf_cstr(&path), bytes, mode);
	buf_release(&path);
	return e;
}

static enum err
draft_make(struct draft *d)
{
	struct buf path = BUF_INIT;
	char random[33];
	enum err e;

	e = dir_make(d->home, "ca");
	if (e != OK && e != ERR_EXISTS)
		return e;
	if ((e = random_hex(random, 16)) != OK)
		return e;
	e = ERR_SYSTEM;
	if (buf_printf(&d->dir, "ca/.new-%s", random) &&
	    buf_printf(&path, "%s/1", buf_cstr(&d->dir)) &&
	    (e = dir_make(d->home, buf_cstr(&d->dir))) == OK)
		e = dir_make(d->home, buf_cstr(&path));
	buf_release(&path);
	return e;
}

/* A key must not lie about; the empty folders are named as litter. */
static void
draft_drop(const struct draft *d)
{
	static const char *const file[] = { "key.pem", "cert.pem",
		"chain.pem" };
	struct buf path = BUF_INIT;

	for (size_t i = 0; i < sizeof(file) / sizeof(*file); i++) {
		buf_clear(&path);
		if (buf_printf(&path, "%s/1/%s", buf_cstr(&d->dir), file[i]))
			(void)file_unlink(d->home, buf_cstr(&path));
	}
	log_warn("left behind, may be removed: %s", buf_cstr(&d->dir));
	buf_release(&path);
}

static enum err
draft_fill(const struct draft *d, const struct key *key, struct span cert,
    const struct buf *chain, size_t nchain)
{
	struct buf text = BUF_INIT, issuers = BUF_INIT, pem = BUF_SECRET;
	enum err e;

	if ((e = key_pem(key, &pem)) != OK ||
	    (e = draft_write(d, "key.pem", buf_span(&pem), FILE_KEY)) != OK ||
	    (e = cert_pem(cert, &text)) != OK ||
	    (e = draft_write(d, "cert.pem", buf_span(&text), FILE_RECORD)) !=
		OK)
		goto out;
	for (size_t i = 0; i < nchain; i++)
		if ((e = cert_pem(buf_span(&chain[i]), &issuers)) != OK)
			goto out;
	if (nchain > 0 && (e = draft_write(d, "chain.pem", buf_span(&issuers),
			       FILE_RECORD)) != OK)
		goto out;
	e = dir_sync(d->home, buf_cstr(&d->dir));
out:
	buf_release(&text);
	buf_release(&issuers);
	buf_release(&pem);
	return e;
}

enum err
ca_store(int home, const char *name, const struct key *key, struct span cert,
    const struct buf *chain, size_t nchain)
{
	struct draft d = { home, BUF_INIT };
	struct buf path = BUF_INIT;
	enum err e;

	if ((e = ca_vacant(home, name)) != OK ||
	    (e = ca_path(name, &path)) != OK || (e = draft_make(&d)) != OK)
		goto out;
	if ((e = draft_fill(&d, key, cert, chain, nchain)) == OK)
		e = file_rename(home, buf_cstr(&d.dir), buf_cstr(&path));
	/* a folder of that name may have appeared meanwhile */
	if (e != OK && file_exists(home, buf_cstr(&d.dir)) == OK) {
		draft_drop(&d);
		if (ca_vacant(home, name) == ERR_EXISTS)
			e = ERR_EXISTS;
	}
out:
	buf_release(&d.dir);
	buf_release(&path);
	return e;
}
