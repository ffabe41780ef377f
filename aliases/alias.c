#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aliases/alias.h"
#include "base/ini.h"
#include "base/limits.h"
#include "base/log.h"

/*
 * A file becomes a struct by a table: each row names a key, its meaning for
 * people and the function that takes its value.  A taker returns NULL, or
 * what is wrong with the value.
 */
struct row {
	const char *key;
	const char *(*take)(struct alias *a, size_t at, const char *value);
	size_t at; /* offset of the member in struct alias */
};

const struct alias_key alias_keys[] = {
	{ "scep", "operationmode", NULL,
	    "ca: registered entities enrol with their codes; must be written "
	    "out" },
	{ "scep", "cas", NULL,
	    "names of the CAs that this alias serves, separated by commas; "
	    "must be written out" },
	{ "scep", "defaultca", "the first of cas",
	    "the CA of GetCACert and GetCACaps where the client names none "
	    "that is known" },
	{ "scep", "includeca", "no",
	    "put the issuing CA's certificate behind the issued one" },
	{ "scep", "sha1", "yes", "admit SHA-1 in messages and requests" },
	{ "scep", "des3", "yes", "admit triple DES for message content" },
	{ "scep", "legacy", "no",
	    "admit MD5, single DES and signer keys from 512 bits, for clients "
	    "of twenty years ago" },
	{ "scep", "cutusername", "yes",
	    "the username ends at the first space of the request's CN" },
	{ "scep", "samekey", "yes",
	    "the message's signer and the request must have the same key" },
	{ "scep", "returncachainingetcacert", "yes",
	    "GetCACert returns the CA's issuers too" },
	{ "scep", "chainorder", "issuer-first",
	    "issuer-first or root-first: the order of GetCACert" },
	{ "scep", "chainroot", "yes",
	    "GetCACert returns a self-signed issuer too" },
	{ "scep", "strictkeyusage", "no",
	    "serve no CA or RA certificate without the key usages of SCEP" },
	{ "scep", "profile", "ENDUSER",
	    "certificate profile of entities that name none" },
	{ "scep", "getcert", "owner",
	    "who gets an issued certificate by GetCert: owner, who signs with "
	    "its key; any; or no, nobody" },
	{ "scep", "getcrl", "yes", "answer GetCRL" },
	{ NULL, NULL, NULL, NULL },
};

bool
alias_name_ok(struct span name)
{
	static const char *const reserved[] = { "admin", "metrics", "crl",
		"ca" };

	if (name.len == 0 || name.len > MAX_ALIAS)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.p[i];

		if ((c < 'A' || c > 'Z') && (c < 'a' || c > 'z') &&
		    (c < '0' || c > '9') && c != '-' && c != '_')
			return false;
	}
	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
		if (span_eq(name, span_of(reserved[i], strlen(reserved[i]))))
			return false;
	return true;
}

static const char out_of_memory[] = "out of memory";

static const char *
take_mode(struct alias *a, size_t at, const char *value)
{
	static const char *const later[] = { "ra", "proxy", "externalra" };

	(void)at;
	a->mode = MODE_CA;
	if (strcasecmp(value, "ca") == 0)
		return NULL;
	for (size_t i = 0; i < sizeof(later) / sizeof(*later); i++)
		if (strcasecmp(value, later[i]) == 0)
			return "not supported by this version, which knows: ca";
	return "it must be ca";
}

static const char *
take_bool(struct alias *a, size_t at, const char *value)
{
	static const char *const words[] = { "no", "yes", "false", "true",
		"off", "on", "0", "1" };
	bool *member = (bool *)(void *)((char *)a + at);

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcasecmp(value, words[i]) == 0) {
			*member = i % 2 == 1;
			return NULL;
		}
	}
	return "it must be yes or no";
}

static const char *
take_order(struct alias *a, size_t at, const char *value)
{
	(void)at;
	a->rootfirst = strcasecmp(value, "root-first") == 0;
	if (a->rootfirst || strcasecmp(value, "issuer-first") == 0)
		return NULL;
	return "it must be issuer-first or root-first";
}

static const char *
take_text(struct alias *a, size_t at, const char *value)
{
	char **member = (char **)(void *)((char *)a + at);

	if (*value == '\0')
		return "it must not be empty";
	free(*member);
	*member = str_dup(value);
	return *member ? NULL : out_of_memory;
}

/* One name of the list, blanks around it cut off. */
static const char *
take_ca(struct alias *a, const char *p, size_t len)
{
	struct buf name = BUF_INIT;
	const char *wrong = NULL;

	for (; len > 0 && (*p == ' ' || *p == '\t'); p++)
		len--;
	while (len > 0 && (p[len - 1] == ' ' || p[len - 1] == '\t'))
		len--;
	if (len == 0)
		wrong = "it has an empty name";
	else if (a->ncas == MAX_CAS)
		wrong = "too many CAs";
	else if (buf_add(&name, p, len) && alias_serves(a, buf_cstr(&name)))
		wrong = "it names a CA twice";
	else
		a->cas[a->ncas] = str_dup(buf_cstr(&name));
	if (wrong == NULL && a->cas[a->ncas] == NULL)
		wrong = out_of_memory;
	if (wrong == NULL)
		a->ncas++;
	buf_release(&name);
	return wrong;
}

static const char *
take_cas(struct alias *a, size_t at, const char *value)
{
	const char *wrong = NULL;

	(void)at;
	if ((a->cas = calloc(MAX_CAS, sizeof(*a->cas))) == NULL)
		return out_of_memory;
	while (wrong == NULL) {
		size_t len = strcspn(value, ",");

		wrong = take_ca(a, value, len);
		if (value[len] == '\0')
			break;
		value += len + 1;
	}
	return wrong;
}

static const char *
take_getcert(struct alias *a, size_t at, const char *value)
{
	static const char *const words[GETCERT__MAX] = {
		[GETCERT_OWNER] = "owner",
		[GETCERT_ANY] = "any",
		[GETCERT_NO] = "no",
	};

	(void)at;
	for (int i = 0; i < GETCERT__MAX; i++) {
		if (strcasecmp(value, words[i]) == 0) {
			a->getcert = (enum getcert)i;
			return NULL;
		}
	}
	return "it must be owner, any or no";
}

static const struct row rows[] = {
	{ "operationmode", take_mode, 0 },
	{ "cas", take_cas, 0 },
	{ "defaultca", take_text, offsetof(struct alias, defaultca) },
	{ "includeca", take_bool, offsetof(struct alias, includeca) },
	{ "sha1", take_bool, offsetof(struct alias, sha1) },
	{ "des3", take_bool, offsetof(struct alias, des3) },
	{ "legacy", take_bool, offsetof(struct alias, legacy) },
	{ "cutusername", take_bool, offsetof(struct alias, cutusername) },
	{ "samekey", take_bool, offsetof(struct alias, samekey) },
	{ "returncachainingetcacert", take_bool,
	    offsetof(struct alias, chain) },
	{ "chainorder", take_order, 0 },
	{ "chainroot", take_bool, offsetof(struct alias, chainroot) },
	{ "strictkeyusage", take_bool, offsetof(struct alias, strictkeyusage) },
	{ "profile", take_text, offsetof(struct alias, profile) },
	{ "getcert", take_getcert, 0 },
	{ "getcrl", take_bool, offsetof(struct alias, getcrl) },
};

static const char *
take_ident(struct alias *a, const struct ini_entry *entry)
{
	struct alias_ident *more =
	    realloc(a->ident, (a->nident + 1) * sizeof(*more));
	struct alias_ident *last;

	if (more == NULL)
		return out_of_memory;
	a->ident = more;
	last = &a->ident[a->nident++];
	last->ident = str_dup(entry->key);
	last->ca = str_dup(entry->value);
	return last->ident && last->ca ? NULL : out_of_memory;
}

static const char *
take_entry(struct alias *a, const struct ini_entry *entry)
{
	if (strcmp(entry->section, "identifiers") == 0)
		return take_ident(a, entry);
	if (strcmp(entry->section, "scep") != 0)
		return "no such section; there are [scep] and [identifiers]";
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(entry->key, rows[i].key) == 0)
			return rows[i].take(a, rows[i].at, entry->value);
	return "no such key; aliases/example.ini lists them all";
}

/* All entries, each error with its line; how many were wrong. */
static unsigned
take_all(const struct ini *ini, struct alias *a)
{
	static const char *const needed[] = { "operationmode", "cas" };
	unsigned wrong = 0;

	for (size_t i = 0; i < ini->n; i++) {
		const struct ini_entry *entry = &ini->entry[i];
		const char *why = take_entry(a, entry);

		if (why == NULL)
			continue;
		log_error(
		    "%s:%d: %s: %s", ini->where, entry->line, entry->key, why);
		wrong++;
	}
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		if (ini_find(ini, "scep", needed[i]) != NULL)
			continue;
		log_error("%s: [scep] %s is missing: it must be written out",
		    ini->where, needed[i]);
		wrong++;
	}
	return wrong;
}

/* One CA that a line names in vain; always 1. */
static unsigned
wrong_ca(const struct ini *ini, const char *section, const char *key,
    const char *ca, const char *why)
{
	const struct ini_entry *entry = ini_find(ini, section, key);

	log_error("%s:%d: %s: %s %s", ini->where, entry ? entry->line : 0, key,
	    ca, why);
	return 1;
}

/* The CAs that the file names must be among those served, and exist. */
static unsigned
check_cas(const struct ini *ini, const struct alias *a,
    bool (*known_ca)(const char *ca, void *arg), void *arg)
{
	static const char stranger[] = "is not one of cas";
	unsigned wrong = 0;

	for (size_t i = 0; known_ca && i < a->ncas; i++)
		if (!known_ca(a->cas[i], arg))
			wrong += wrong_ca(ini, "scep", "cas", a->cas[i],
			    "is no CA; `scep ca list` shows them");
	if (a->defaultca && !alias_serves(a, a->defaultca))
		wrong +=
		    wrong_ca(ini, "scep", "defaultca", a->defaultca, stranger);
	for (size_t i = 0; i < a->nident; i++)
		if (!alias_serves(a, a->ident[i].ca))
			wrong += wrong_ca(ini, "identifiers", a->ident[i].ident,
			    a->ident[i].ca, stranger);
	return wrong;
}

enum err
alias_parse(const char *name, const char *where, struct span text,
    bool (*known_ca)(const char *ca, void *arg), void *arg, struct alias **out)
{
	struct ini *ini = NULL;
	struct alias *a = NULL;
	enum err e;

	if ((e = ini_parse(where, text, &ini)) != OK)
		goto out;
	e = ERR_SYSTEM;
	if ((a = calloc(1, sizeof(*a))) == NULL) {
		log_error("%s: out of memory", where);
		goto out;
	}
	*a = (struct alias){ .sha1 = true,
		.des3 = true,
		.cutusername = true,
		.samekey = true,
		.chain = true,
		.chainroot = true,
		.getcrl = true };
	(void)snprintf(a->name, sizeof(a->name), "%s", name);
	e = ERR_INPUT;
	if (take_all(ini, a) + check_cas(ini, a, known_ca, arg) > 0)
		goto out;
	e = ERR_SYSTEM;
	if (a->defaultca == NULL && (a->defaultca = str_dup(a->cas[0])) == NULL)
		goto out;
	*out = a;
	a = NULL;
	e = OK;
out:
	alias_free(a);
	ini_free(ini);
	return e;
}

void
alias_free(struct alias *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < a->ncas; i++)
		free(a->cas[i]);
	for (size_t i = 0; i < a->nident; i++) {
		free(a->ident[i].ident);
		free(a->ident[i].ca);
	}
	free(a->cas);
	free(a->ident);
	free(a->defaultca);
	free(a->profile);
	free(a);
}

bool
alias_serves(const struct alias *a, const char *ca)
{
	for (size_t i = 0; i < a->ncas; i++)
		if (strcmp(a->cas[i], ca) == 0)
			return true;
	return false;
}

/* Is ident this word, bytes against a string?  Keys lost their case in INI. */
static bool
is(struct span ident, const char *word, bool anycase)
{
	const char *p = (const char *)ident.p;

	return ident.len > 0 && ident.len == strlen(word) &&
	       (anycase ? strncasecmp(p, word, ident.len) :
			  strncmp(p, word, ident.len)) == 0;
}

const char *
alias_ca(const struct alias *a, struct span ident)
{
	for (size_t i = 0; i < a->ncas; i++)
		if (is(ident, a->cas[i], false))
			return a->cas[i];
	for (size_t i = 0; i < a->nident; i++)
		if (is(ident, a->ident[i].ident, true))
			return a->ident[i].ca;
	return a->defaultca;
}
