#include "ca/profile.h"

#include <stdlib.h>
#include <string.h>

#include "base/ini.h"
#include "base/log.h"
#include "ca/profile_own.h"
#include "ca/urls.h"

/*
 * A file becomes a struct by a table: each row names section and key, its
 * default as it would be written, its meaning for people, and the function
 * that takes a value (profile_take.c).  A key that is
 * left out is taken with its default, so a default cannot be of another kind.
 */
struct row {
	struct profile_key about;
	const char *(*take)(struct profile *p, size_t at, char *value);
	size_t at; /* offset of a member, or an index */
};

static const char out_of_memory[] = "out of memory";

#define CERTIFICATE "certificate"
static const struct row rows[] = {
	{ { CERTIFICATE, "validity", "730d",
	      "how long a certificate lives, as 2y, 730d or 12h, or the date "
	      "when it ends; never longer than its CA's" },
	    profile_take_validity, 0 },
	{ { CERTIFICATE, "backdate", "10m",
	      "how long before its issuance it begins, for clocks that are "
	      "late" },
	    profile_take_backdate, 0 },
	{ { CERTIFICATE, "keys", "rsa, P-256, P-384, P-521, Ed25519",
	      "kinds of keys that are certified" },
	    profile_take_keys, 0 },
	{ { CERTIFICATE, "minrsa", "2048", "fewest bits of an RSA key" },
	    profile_take_bits, offsetof(struct profile, min_rsa) },
	{ { CERTIFICATE, "maxrsa", "8192", "most bits of an RSA key" },
	    profile_take_bits, offsetof(struct profile, max_rsa) },
	{ { CERTIFICATE, "keyusage", "digitalSignature, keyEncipherment",
	      "key usage of RSA keys" },
	    profile_take_usages, offsetof(struct profile, usage_rsa) },
	{ { CERTIFICATE, "keyusageec", "digitalSignature",
	      "key usage of EC and Ed25519 keys" },
	    profile_take_usages_ec, offsetof(struct profile, usage_ec) },
	{ { CERTIFICATE, "eku", "clientAuth",
	      "extended key usages, by name or OID, or none" },
	    profile_take_eku, 0 },
	{ { CERTIFICATE, "copy", "none",
	      "extensions taken from the request, by name or OID; keyUsage "
	      "and extendedKeyUsage only narrow the profile's" },
	    profile_take_copy, 0 },
	{ { CERTIFICATE, "policies", "none",
	      "certificate policies: OIDs, each with the URI of its CPS "
	      "behind a blank, or without" },
	    profile_take_policies, 0 },
	{ { CERTIFICATE, "crlurl", URL_CRL_PATTERN,
	      "where the CRL is: URLs, with blanks between, or none" },
	    profile_take_urls, URL_CRL },
	{ { CERTIFICATE, "caissuersurl", URL_ISSUER_PATTERN,
	      "where the CA's certificate is: URLs, or none" },
	    profile_take_urls, URL_ISSUER },
	{ { CERTIFICATE, "ocspurl", "none",
	      "where an OCSP responder is: URLs, or none" },
	    profile_take_urls, URL_OCSP },
	{ { CERTIFICATE, "mstemplate", NULL,
	      "Microsoft's certificate template: OID MAJOR MINOR" },
	    profile_take_template, 0 },
	{ { CERTIFICATE, "mstemplatename", NULL,
	      "Microsoft's certificate template of version 1: its name" },
	    profile_take_template_name, 0 },
};
#define ROWS (sizeof(rows) / sizeof(*rows))

const struct profile_key *
profile_key_at(size_t i)
{
	return i < ROWS ? &rows[i].about : NULL;
}

static const char *
take_row(struct profile *p, const struct row *row, const char *value)
{
	char **more = realloc(p->own, (p->nown + 1) * sizeof(*more));
	char *copy;

	if (more == NULL)
		return out_of_memory;
	p->own = more;
	if ((copy = str_dup(value)) == NULL)
		return out_of_memory;
	p->own[p->nown++] = copy;
	return row->take(p, row->at, copy);
}

static bool
is_section(const char *name)
{
	for (size_t i = 0; i < ROWS; i++)
		if (strcmp(rows[i].about.section, name) == 0)
			return true;
	return false;
}

static const char *
take_entry(struct profile *p, const struct ini_entry *entry)
{
	for (size_t i = 0; i < ROWS; i++)
		if (strcmp(rows[i].about.section, entry->section) == 0 &&
		    strcmp(rows[i].about.key, entry->key) == 0)
			return take_row(p, &rows[i], entry->value);
	if (!is_section(entry->section))
		return "no such section; there is [certificate]";
	return "no such key; profiles/example.ini lists them all";
}

/* All entries, then what is left out; how many were wrong. */
static unsigned
take_all(const struct ini *ini, struct profile *p)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < ini->n; i++) {
		const struct ini_entry *entry = &ini->entry[i];
		const char *why = take_entry(p, entry);

		if (why == NULL)
			continue;
		log_error(
		    "%s:%d: %s: %s", ini->where, entry->line, entry->key, why);
		wrong++;
	}
	for (size_t i = 0; i < ROWS; i++) {
		const struct profile_key *key = &rows[i].about;
		const char *why = NULL;

		if (key->fallback != NULL &&
		    ini_find(ini, key->section, key->key) == NULL)
			why = take_row(p, &rows[i], key->fallback);
		if (why == NULL)
			continue;
		log_error("%s: %s: %s", ini->where, key->key, why);
		wrong++;
	}
	if (wrong == 0 && p->min_rsa > p->max_rsa) {
		log_error("%s: minrsa is more than maxrsa", ini->where);
		wrong++;
	}
	return wrong;
}

enum err
profile_parse(
    const char *name, const char *where, struct span text, struct profile **out)
{
	struct ini *ini = NULL;
	struct profile *p = NULL;
	enum err e;

	if ((e = ini_parse(where, text, &ini)) != OK)
		goto out;
	e = ERR_SYSTEM;
	if ((p = calloc(1, sizeof(*p))) == NULL) {
		log_error("%s: out of memory", where);
		goto out;
	}
	(void)snprintf(p->name, sizeof(p->name), "%s", name);
	e = ERR_INPUT;
	if (take_all(ini, p) > 0)
		goto out;
	*out = p;
	p = NULL;
	e = OK;
out:
	profile_free(p);
	ini_free(ini);
	return e;
}

void
profile_free(struct profile *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->nown; i++)
		free(p->own[i]);
	free(p->own);
	free(p);
}
