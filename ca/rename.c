#include "base/file.h"
#include "base/ini.h"
#include "base/limits.h"
#include "base/log.h"
#include "ca/called.h"
#include "ca/folder.h"

/*
 * Another name for a CA:
 *
 *	1. ca.ini gets the present name as a former one: no harm while it is
 *	   the present one too
 *	2. the folder is renamed
 *
 * The second decides, so a crash leaves the old name or the new one, and both
 * find it after.  The store is not touched: it goes on by the first name.
 */

/* May it be called so?  A former name of its own may. */
static enum err
check_name(int home, const struct ca *ca, const char *to)
{
	if (strcmp(to, ca->called) == 0)
		return ERR_EXISTS;
	return ca_called(ca, to) ? OK : ca_vacant(home, to);
}

static enum err
former_names(const struct ca *ca, struct buf *list)
{
	bool good = true, listed = false;

	for (size_t i = 0; i < ca->nformer; i++) {
		listed |= strcmp(ca->former[i], ca->called) == 0;
		good = good && buf_printf(list, "%s%s", i > 0 ? ", " : "",
				   ca->former[i]);
	}
	if (!listed)
		good = good && buf_printf(list, "%s%s", list->len ? ", " : "",
				   ca->called);
	return good ? OK : ERR_SYSTEM;
}

static enum err
keep_name(int home, const struct ca *ca, const char *folder)
{
	struct buf path = BUF_INIT, was = BUF_INIT, text = BUF_INIT;
	struct buf list = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (!buf_printf(&path, "%s/" CA_INI, folder))
		goto out;
	e = file_read(home, buf_cstr(&path), MAX_INI, &was);
	if ((e != OK && e != ERR_NOTFOUND) ||
	    (e = former_names(ca, &list)) != OK ||
	    (e = ini_set(
		 buf_span(&was), "ca", "former", buf_cstr(&list), &text)) != OK)
		goto out;
	e = file_replace(home, buf_cstr(&path), buf_span(&text), FILE_RECORD);
out:
	buf_release(&path);
	buf_release(&was);
	buf_release(&text);
	buf_release(&list);
	return e;
}

enum err
ca_rename(int home, const struct ca *ca, const char *to)
{
	struct buf from_path = BUF_INIT, to_path = BUF_INIT;
	enum err e;

	if ((e = check_name(home, ca, to)) != OK ||
	    (e = ca_path(ca->called, &from_path)) != OK ||
	    (e = ca_path(to, &to_path)) != OK ||
	    (e = keep_name(home, ca, buf_cstr(&from_path))) != OK)
		goto out;
	e = file_rename(home, buf_cstr(&from_path), buf_cstr(&to_path));
out:
	buf_release(&from_path);
	buf_release(&to_path);
	return e;
}
