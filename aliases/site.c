#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/* "http://pki.example.org/scep": the start of URLs in certificates (C-192). */
static enum err
take_baseurl(const struct ini *ini, struct site *out)
{
	const struct ini_entry *entry = ini_find(ini, "site", "baseurl");
	const char *url = entry ? entry->value : "", *host;
	size_t n = strlen(url);
	bool good = strncasecmp(url, "http://", 7) == 0 ||
		    strncasecmp(url, "https://", 8) == 0;

	while (n > 0 && url[n - 1] == '/')
		n--;
	for (size_t i = 0; good && i < n; i++)
		good = url[i] > ' ' && url[i] <= '~' && url[i] != '$';
	if (entry == NULL)
		return OK;
	host = good ? strchr(url, ':') + strlen("://") : "";
	if (*host == '\0' || *host == '/' || n > MAX_BASEURL) {
		log_error("%s:%d: baseurl: it must be as "
			  "http://pki.example.org, of at most %d bytes",
		    ini->where, entry->line, MAX_BASEURL);
		return ERR_INPUT;
	}
	(void)snprintf(out->baseurl, sizeof(out->baseurl), "%.*s", (int)n, url);
	return OK;
}

#define LEAST_VALIDITY ((int64_t)3600)
#define MOST_VALIDITY  (3650 * DAY)

/* A duration, 7d or 12h, between two. */
static enum err
take_duration(const struct ini *ini, const char *const name[2], int64_t least,
    int64_t most, int64_t *out)
{
	const struct ini_entry *entry = ini_find(ini, name[0], name[1]);
	int64_t t = 0;

	if (entry == NULL)
		return OK;
	if (time_option(entry->value, 0, 0, &t) != OK || t < least ||
	    t > most) {
		log_error("%s:%d: %s: it must be a duration as 7d or 12h, at "
			  "least %lld and at most %lld seconds",
		    ini->where, entry->line, name[1], (long long)least,
		    (long long)most);
		return ERR_INPUT;
	}
	*out = t;
	return OK;
}

static const char *const keys[][2] = { { "ca", "grace" }, { "crl", "overlap" },
	{ "crl", "validity" }, { "limits", "body" }, { "limits", "query" },
	{ "site", "baseurl" } };
enum { GRACE, OVERLAP, VALIDITY }; /* rows of it */

static bool
is_key(const struct ini_entry *entry)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (strcmp(entry->section, keys[i][0]) == 0 &&
		    strcmp(entry->key, keys[i][1]) == 0)
			return true;
	return false;
}

static enum err
take_site(const struct ini *ini, struct site *out)
{
	enum err e = OK, bad;

	for (size_t i = 0; i < ini->n; i++) {
		const struct ini_entry *entry = &ini->entry[i];

		if (is_key(entry))
			continue;
		/* read behind the keys' door (ca/passphrase.h) */
		if (strcmp(entry->section, "keys") == 0 &&
		    strcmp(entry->key, "passphrasefile") == 0)
			continue;
		log_error("%s:%d: no such key: [%s] %s; there are [limits] "
			  "body and query, [ca] grace, [crl] validity and "
			  "overlap, [site] baseurl, [keys] passphrasefile",
		    ini->where, entry->line, entry->section, entry->key);
		e = ERR_INPUT;
	}
	if ((bad = take_size(ini, "body", MAX_BODY, &out->maxbody)) != OK)
		e = bad;
	if ((bad = take_size(ini, "query", MAX_QUERY, &out->maxquery)) != OK)
		e = bad;
	if ((bad = take_baseurl(ini, out)) != OK)
		e = bad;
	if ((bad = take_duration(ini, keys[VALIDITY], LEAST_VALIDITY,
		 MOST_VALIDITY, &out->crlvalidity)) != OK)
		e = bad;
	out->crloverlap = out->crlvalidity / 7;
	if ((bad = take_duration(ini, keys[OVERLAP], 0, out->crlvalidity - 1,
		 &out->crloverlap)) != OK)
		e = bad;
	if ((bad = take_duration(
		 ini, keys[GRACE], 0, MOST_VALIDITY, &out->grace)) != OK)
		e = bad;
	return e;
}

enum err
site_read(int home, struct site *out)
{
	struct site site = SITE_INIT;
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
