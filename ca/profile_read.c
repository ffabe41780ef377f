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
#define ENTITY	    "entity"
#define APPROVAL    "approval"
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
	{ { ENTITY, "others", "yes",
	      "may names stand that have no rule of their own?" },
	    profile_take_yes, offsetof(struct profile, entity.others) },
	{ { ENTITY, "cas", "none",
	      "CAs whose certificates an entity may have; none: all" },
	    profile_take_cas, offsetof(struct profile, entity.cas) },
	{ { ENTITY, "profiles", "none",
	      "certificate profiles that it may have; none: all" },
	    profile_take_profiles, offsetof(struct profile, entity.profiles) },
	{ { ENTITY, "enrolments", "none",
	      "certificates that enrolment may give to one entity; none: no "
	      "limit" },
	    profile_take_enrolments, 0 },
	{ { ENTITY, "uniquesubject", "no",
	      "no two entities have living certificates of one CA with one "
	      "subject" },
	    profile_take_yes, offsetof(struct profile, entity.unique_subject) },
	{ { ENTITY, "uniquekey", "no",
	      "no two living certificates of one CA have one key" },
	    profile_take_yes, offsetof(struct profile, entity.unique_key) },
	{ { APPROVAL, "required", "0", "people who must say yes first" },
	    profile_take_approval, 0 },
	{ { APPROVAL, "renewals", "no", "renewals need that too" },
	    profile_take_yes, offsetof(struct profile, approval_renewals) },
};
#define ROWS (sizeof(rows) / sizeof(*rows))

/* Names that can have a rule; dotted OIDs can too. */
#define NAME(key, meaning)                 \
	{                                  \
		ENTITY, key, NULL, meaning \
	}
static const struct profile_key names[] = {
	NAME("cn", "the subject's common name"),
	NAME("sn", "its serialNumber"),
	NAME("surname", "its surname"),
	NAME("givenname", "its given name"),
	NAME("initials", "its initials"),
	NAME("t", "its title"),
	NAME("generation", "its generation qualifier"),
	NAME("dnqualifier", "its DN qualifier"),
	NAME("pseudonym", "its pseudonym"),
	NAME("name", "its name"),
	NAME("o", "its organisation"),
	NAME("ou", "its organisational unit"),
	NAME("c", "its country"),
	NAME("l", "its locality"),
	NAME("st", "its state or province"),
	NAME("street", "its street"),
	NAME("postalcode", "its postal code"),
	NAME("businesscategory", "its business category"),
	NAME("telephonenumber", "its telephone number"),
	NAME("uid", "its user ID"),
	NAME("dc", "its domain components"),
	NAME("e", "its e-mail address"),
	NAME("unstructuredname", "its unstructuredName"),
	NAME("unstructuredaddress", "its unstructuredAddress"),
	NAME("dnsname", "host names in the subjectAltName"),
	NAME("ipaddress", "IP addresses there"),
	NAME("rfc822name", "e-mail addresses there"),
	NAME("uri", "URIs there"),
	NAME("upn", "Microsoft's user principal names there"),
	NAME("guid", "Microsoft's GUIDs there"),
	NAME("othername", "other otherNames there"),
	NAME("directoryname", "directory names there"),
	NAME("registeredid", "registered OIDs there"),
};
#define NAMES (sizeof(names) / sizeof(*names))

const struct profile_key *
profile_key_at(size_t i)
{
	if (i < ROWS)
		return &rows[i].about;
	return i - ROWS < NAMES ? &names[i - ROWS] : NULL;
}

/* A copy that lives as long as the profile. */
static char *
keep(struct profile *p, const char *value)
{
	char **more = realloc(p->own, (p->nown + 1) * sizeof(*more));
	char *copy;

	if (more == NULL)
		return NULL;
	p->own = more;
	if ((copy = str_dup(value)) != NULL)
		p->own[p->nown++] = copy;
	return copy;
}

static const char *
take_row(struct profile *p, const struct row *row, const char *value)
{
	char *copy = keep(p, value);

	return copy == NULL ? out_of_memory : row->take(p, row->at, copy);
}

static const char *
take_name(struct profile *p, const char *key, const char *value)
{
	char *name = keep(p, key), *rule = keep(p, value);

	if (name == NULL || rule == NULL)
		return out_of_memory;
	return entity_rule_take(&p->entity, name, rule);
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
	if (strcmp(entry->section, ENTITY) == 0)
		return take_name(p, entry->key, entry->value);
	if (!is_section(entry->section))
		return "no such section; there are [certificate], [entity] "
		       "and [approval]";
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
	entity_rules_release(&p->entity);
	for (size_t i = 0; i < p->nown; i++)
		free(p->own[i]);
	free(p->own);
	free(p);
}
