#include "ca/passphrase.h"

#include <fcntl.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/ini.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/names.h"

#define CREDENTIAL     "scep-key-passphrase"
#define MAX_PASSPHRASE 1024 /* bytes */

/* The first line of a file, which must not be empty. */
static enum err
first_line(int at, const char *path, struct buf *out)
{
	struct buf text = BUF_SECRET;
	enum err e;
	int fd = -1;

	if ((e = file_open(at, path, &fd)) != OK)
		return e;
	e = file_read_fd(fd, path, MAX_PASSPHRASE, &text);
	file_close(&fd);
	if (e == OK) {
		size_t len = strcspn(buf_cstr(&text), "\r\n");

		if (len == 0) {
			log_error(
			    "%s: its first line is empty: no passphrase", path);
			e = ERR_INPUT;
		} else if (!buf_add(out, text.data, len)) {
			e = ERR_SYSTEM;
		}
	}
	buf_release(&text);
	return e;
}

/* systemd's folder: one for this CA, else one for all. */
static enum err
from_credentials(const char *ca, struct buf *out)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	struct buf path = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (dir == NULL || *dir != '/')
		return ERR_NOTFOUND;
	if (buf_printf(&path, "%s/" CREDENTIAL ".", dir) &&
	    name_escape(span_of(ca, strlen(ca)), &path) == OK)
		e = first_line(AT_FDCWD, buf_cstr(&path), out);
	if (e == ERR_NOTFOUND) {
		buf_clear(&path);
		e = ERR_SYSTEM;
		if (buf_printf(&path, "%s/" CREDENTIAL, dir))
			e = first_line(AT_FDCWD, buf_cstr(&path), out);
	}
	buf_release(&path);
	return e;
}

static enum err
from_environment(struct buf *out)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	const char *text = getenv("SCEP_KEY_PASSPHRASE");

	if (text == NULL || *text == '\0')
		return ERR_NOTFOUND;
	return buf_str(out, text) ? OK : ERR_SYSTEM;
}

static enum err
from_file(int home, struct buf *out)
{
	const struct ini_entry *entry;
	struct buf text = BUF_INIT;
	struct ini *ini = NULL;
	enum err e;

	if ((e = file_read(home, "scep.ini", MAX_INI, &text)) != OK ||
	    (e = ini_parse("scep.ini", buf_span(&text), &ini)) != OK)
		goto out;
	entry = ini_find(ini, "keys", "passphrasefile");
	if (entry == NULL || *entry->value == '\0') {
		e = ERR_NOTFOUND;
		goto out;
	}
	e = first_line(home, entry->value, out);
	if (e == ERR_NOTFOUND) {
		log_error("scep.ini:%d: passphrasefile: there is no %s",
		    entry->line, entry->value);
		e = ERR_SYSTEM;
	}
out:
	ini_free(ini);
	buf_release(&text);
	return e;
}

enum err
passphrase_find(int home, const char *ca, struct buf *out)
{
	enum err e;

	out->secret = true;
	e = from_credentials(ca, out);
	if (e == ERR_NOTFOUND)
		e = from_environment(out);
	if (e == ERR_NOTFOUND)
		e = from_file(home, out);
	return e;
}

/* PKCS#8, or OpenSSL's form of former days. */
static bool
encrypted(const struct buf *pem)
{
	return strstr(buf_cstr(pem), "-----BEGIN ENCRYPTED PRIVATE KEY-----") !=
		   NULL ||
	       strstr(buf_cstr(pem), "\nProc-Type: 4,ENCRYPTED") != NULL;
}

enum err
key_load(
    int home, const char *ca, const char *path, struct key **out, bool *sealed)
{
	struct buf pem = BUF_SECRET, pass = BUF_SECRET;
	enum err e;

	if ((e = file_read(home, path, MAX_PEM, &pem)) != OK)
		goto out;
	*sealed = encrypted(&pem);
	if (*sealed && (e = passphrase_find(home, ca, &pass)) != OK) {
		if (e == ERR_NOTFOUND) {
			log_error("%s is encrypted and there is no passphrase: "
				  "set SCEP_KEY_PASSPHRASE, or passphrasefile "
				  "in scep.ini [keys]",
			    path);
			e = ERR_CRYPTO;
		}
		goto out;
	}
	e = key_read(path, buf_span(&pem), buf_span(&pass), out);
	/* a key that is here and cannot be used is no question of input */
	if (*sealed && e == ERR_INPUT)
		e = ERR_CRYPTO;
out:
	buf_release(&pem);
	buf_release(&pass);
	return e;
}
