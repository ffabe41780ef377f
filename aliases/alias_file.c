#include <string.h>
#include <sys/stat.h>

#include "aliases/alias.h"
#include "aliases/alias_own.h"
#include "base/limits.h"
#include "base/log.h"

/* Files that an alias names: secrets, keys, certificates. */

static enum err
stamp_of(int home, const char *key, const char *path, struct file_stamp *out)
{
	enum err e = file_stamp(home, path, out);

	if (e == ERR_NOTFOUND)
		log_error("%s: there is no %s", key, path);
	return e;
}

/* Others may neither read it nor put a secret of theirs there. */
static enum err
check_facts(
    int home, const char *key, const char *path, enum alias_file_kind kind)
{
	unsigned forbidden =
	    kind == ALIAS_CERTS ? S_IWOTH : S_IROTH | S_IWOTH | S_IWGRP;
	struct file_facts facts;
	enum err e = file_facts(home, path, &facts);

	if (e != OK)
		return e;
	if (facts.type != FILE_REGULAR) {
		log_error("%s: %s is no regular file", key, path);
		return ERR_INPUT;
	}
	if ((facts.mode & forbidden) != 0) {
		log_error("%s: mode %04o of %s lets others %s it; chmod %s %s",
		    key, (unsigned)facts.mode, path,
		    kind == ALIAS_CERTS ? "write" : "read or write",
		    kind == ALIAS_CERTS ? "0644" : "0600", path);
		return ERR_INPUT;
	}
	return OK;
}

static enum err
take(const char *key, const char *path, enum alias_file_kind kind,
    const struct buf *text, struct buf *out)
{
	size_t len = text->len;

	if (kind == ALIAS_WORD)
		len = strcspn(buf_cstr(text), "\r\n");
	if (len == 0) {
		log_error("%s: %s%s is empty", key,
		    kind == ALIAS_WORD ? "the first line of " : "", path);
		return ERR_INPUT;
	}
	return buf_add(out, text->data, len) ? OK : ERR_SYSTEM;
}

enum err
alias_file(int home, const char *key, const char *path,
    enum alias_file_kind kind, struct buf *out)
{
	struct buf text = BUF_SECRET;
	struct file_stamp before, after;
	enum err e;

	/* the stamp changes with the mode too */
	if ((e = stamp_of(home, key, path, &before)) != OK ||
	    (e = check_facts(home, key, path, kind)) != OK)
		goto out;
	e = file_read(home, path, MAX_PEM, &text);
	if (e == ERR_TOOBIG)
		log_error("%s: %s is too large", key, path);
	if (e != OK)
		goto out;
	e = ERR_BUSY;
	if (file_stamp(home, path, &after) == OK &&
	    file_stamp_eq(&before, &after))
		e = take(key, path, kind, &text, out);
out:
	buf_release(&text);
	return e == ERR_NOTFOUND || e == ERR_TOOBIG ? ERR_INPUT : e;
}

enum err
alias_peer(int home, const struct peer_rules *peer, struct peer_files *out)
{
	const struct {
		const char *key, *path;
		enum alias_file_kind kind;
		struct buf *to;
	} files[] = {
		{ "cafile", peer->cafile, ALIAS_CERTS, &out->ca },
		{ "clientcert", peer->clientcert, ALIAS_CERTS, &out->cert },
		{ "clientkey", peer->clientkey, ALIAS_KEY, &out->key },
	};
	enum err e = OK;

	for (size_t i = 0; e == OK && i < sizeof(files) / sizeof(*files); i++)
		if (files[i].path != NULL)
			e = alias_file(home, files[i].key, files[i].path,
			    files[i].kind, files[i].to);
	return e;
}

void
peer_files_release(struct peer_files *files)
{
	buf_release(&files->ca);
	buf_release(&files->cert);
	buf_release(&files->key);
}
