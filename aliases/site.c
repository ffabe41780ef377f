#include <stdlib.h>
#include <string.h>

#include "aliases/alias.h"
#include "base/ini.h"
#include "base/limits.h"
#include "base/log.h"

/* A number of bytes from 1 to max. */
static enum err
take_size(const struct ini *ini, const char *key, size_t max, size_t *out)
{
	const struct ini_entry *entry = ini_find(ini, "limits", key);
	const char *text;
	unsigned long n;

	if (entry == NULL)
		return OK;
	text = entry->value;
	n = strtoul(text, NULL, 10);
	if (*text == '\0' || strlen(text) > 9 ||
	    strspn(text, "0123456789") != strlen(text) || n == 0 || n > max) {
		log_error("%s:%d: %s: it must be a number from 1 to %zu",
		    ini->where, entry->line, key, max);
		return ERR_INPUT;
	}
	*out = n;
	return OK;
}

static enum err
take_site(const struct ini *ini, struct site *out)
{
	enum err e = OK, bad;

	for (size_t i = 0; i < ini->n; i++) {
		const struct ini_entry *entry = &ini->entry[i];

		if (strcmp(entry->section, "limits") == 0 &&
		    (strcmp(entry->key, "body") == 0 ||
			strcmp(entry->key, "query") == 0))
			continue;
		/* read behind the keys' door (ca/passphrase.h) */
		if (strcmp(entry->section, "keys") == 0 &&
		    strcmp(entry->key, "passphrasefile") == 0)
			continue;
		log_error("%s:%d: no such key: [%s] %s; there are [limits] "
			  "body and query, [keys] passphrasefile",
		    ini->where, entry->line, entry->section, entry->key);
		e = ERR_INPUT;
	}
	if ((bad = take_size(ini, "body", MAX_BODY, &out->maxbody)) != OK)
		e = bad;
	if ((bad = take_size(ini, "query", MAX_QUERY, &out->maxquery)) != OK)
		e = bad;
	return e;
}

enum err
site_read(int home, struct site *out)
{
	struct site site = { MAX_BODY, MAX_QUERY };
	struct buf text = BUF_INIT;
	struct ini *ini = NULL;
	enum err e;

	e = file_read(home, "scep.ini", MAX_INI, &text);
	if (e == OK)
		e = ini_parse("scep.ini", buf_span(&text), &ini);
	if (e == OK)
		e = take_site(ini, &site);
	if (e == ERR_NOTFOUND)
		e = OK;
	if (e == OK)
		*out = site;
	ini_free(ini);
	buf_release(&text);
	return e;
}
