#include "ca/called.h"

#include <strings.h>

#include "base/file.h"
#include "base/ini.h"
#include "base/limits.h"
#include "base/log.h"
#include "ca/folder.h"

/* ---- ca.ini ---- */

static const char *
take_former(struct ca *ca, const char *value)
{
	char **more;
	size_t len;

	for (; *value != '\0'; value += len + (value[len] == ',')) {
		value += strspn(value, " ");
		len = strcspn(value, ",");
		more = realloc(ca->former, (ca->nformer + 1) * sizeof(*more));
		if (more == NULL)
			return "out of memory";
		ca->former = more;
		if ((more[ca->nformer] = strndup(value, len)) == NULL)
			return "out of memory";
		for (size_t n = len; n > 0 && value[n - 1] == ' '; n--)
			more[ca->nformer][n - 1] = '\0';
		ca->nformer++;
		if (!ca_name_ok(more[ca->nformer - 1]))
			return "it must be names of a CA, with commas between";
	}
	return NULL;
}

static const char *
take_required(struct ca *ca, const char *value)
{
	if (value[0] < '0' || value[0] > '0' + MAX_APPROVALS ||
	    value[1] != '\0')
		return "it must be a number from 0 to 9";
	ca->approval = (unsigned)(value[0] - '0');
	return NULL;
}

static const char *
take_renewals(struct ca *ca, const char *value)
{
	ca->approval_renewals = strcasecmp(value, "yes") == 0;
	return ca->approval_renewals || strcasecmp(value, "no") == 0 ?
		   NULL :
		   "it must be yes or no";
}

static const struct {
	const char *section, *key;
	const char *(*take)(struct ca *ca, const char *value);
} keys[] = {
	{ "ca", "former", take_former },
	{ "approval", "required", take_required },
	{ "approval", "renewals", take_renewals },
};

static const char *
take(struct ca *ca, const struct ini_entry *entry)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (strcmp(entry->section, keys[i].section) == 0 &&
		    strcmp(entry->key, keys[i].key) == 0)
			return keys[i].take(ca, entry->value);
	return "no such key; there are [ca] former, [approval] required and "
	       "renewals";
}

/* All that is wrong is told, not the first alone. */
static enum err
take_all(struct ca *ca, const struct ini *ini)
{
	const char *wrong;
	enum err e = OK;

	for (size_t i = 0; i < ini->n; i++) {
		const struct ini_entry *entry = &ini->entry[i];

		if ((wrong = take(ca, entry)) == NULL)
			continue;
		log_error("%s:%d: [%s] %s: %s", ini->where, entry->line,
		    entry->section, entry->key, wrong);
		e = ERR_INPUT;
	}
	return e;
}

enum err
ca_ini_read(int home, const char *path, const char *called, struct ca *ca)
{
	struct buf file = BUF_INIT, text = BUF_INIT;
	struct ini *ini = NULL;
	enum err e = ERR_SYSTEM;

	if (!buf_printf(&file, "%s/" CA_INI, path))
		goto out;
	e = file_read(home, buf_cstr(&file), MAX_INI, &text);
	if (e == OK)
		e = ini_parse(buf_cstr(&file), buf_span(&text), &ini);
	if (e == OK)
		e = take_all(ca, ini);
	if (e != OK && e != ERR_NOTFOUND)
		goto out;
	e = ERR_SYSTEM;
	if ((ca->called = str_dup(called)) != NULL &&
	    (ca->name = str_dup(ca->nformer > 0 ? ca->former[0] : called)) !=
		NULL)
		e = OK;
out:
	ini_free(ini);
	buf_release(&file);
	buf_release(&text);
	return e;
}

void
ca_names_release(struct ca *ca)
{
	for (size_t i = 0; i < ca->nformer; i++)
		free(ca->former[i]);
	free(ca->former);
	free(ca->called);
	free(ca->name);
	ca->former = NULL;
	ca->nformer = 0;
	ca->called = ca->name = NULL;
}

/* ---- which CA is meant ---- */

bool
ca_called(const struct ca *ca, const char *name)
{
	if (ca->called != NULL && strcmp(ca->called, name) == 0)
		return true;
	for (size_t i = 0; i < ca->nformer; i++)
		if (strcmp(ca->former[i], name) == 0)
			return true;
	return strcmp(ca->name, name) == 0;
}

static enum err
answer(const struct ca *ca, struct buf *called, struct buf *first)
{
	if ((called != NULL && !buf_str(called, ca->called)) ||
	    (first != NULL && !buf_str(first, ca->name)))
		return ERR_SYSTEM;
	return OK;
}

/* By its folder's name. */
static enum err
identify(int home, const char *folder, const char *name, struct buf *called,
    struct buf *first)
{
	struct ca ca = { .name = NULL };
	struct buf path = BUF_INIT;
	enum err e;

	if ((e = ca_path(folder, &path)) == OK &&
	    (e = file_exists(home, buf_cstr(&path))) == OK &&
	    (e = ca_ini_read(home, buf_cstr(&path), folder, &ca)) == OK)
		e = ca_called(&ca, name) ? answer(&ca, called, first) :
					   ERR_NOTFOUND;
	ca_names_release(&ca);
	buf_release(&path);
	return e == ERR_INPUT ? ERR_NOTFOUND : e;
}

/* Who renames is rare, and CAs are few: so all of them are asked. */
enum err
ca_identify(int home, const char *name, struct buf *called, struct buf *first)
{
	char **names = NULL;
	size_t n = 0;
	enum err e = identify(home, name, name, called, first);

	if (e != ERR_NOTFOUND)
		return e;
	if ((e = ca_names(home, &names, &n)) != OK)
		return e;
	e = ERR_NOTFOUND;
	for (size_t i = 0; i < n; i++) {
		if (e == ERR_NOTFOUND)
			e = identify(home, names[i], name, called, first);
		free(names[i]);
	}
	free(names);
	return e;
}
