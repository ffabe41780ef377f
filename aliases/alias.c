#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aliases/alias_own.h"
#include "base/limits.h"
#include "base/log.h"

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

unsigned
alias_wrong(const struct ini *ini, const char *section, const char *key,
    const char *why)
{
	const struct ini_entry *entry = ini_find(ini, section, key);

	log_error(
	    "%s:%d: %s: %s", ini->where, entry ? entry->line : 0, key, why);
	return 1;
}

unsigned
alias_needs(const struct ini *ini, const char *section, const char *key)
{
	if (ini_find(ini, section, key) != NULL)
		return 0;
	log_error("%s: [%s] %s is missing: it must be written out", ini->where,
	    section, key);
	return 1;
}

/* All entries, each error with its line; how many were wrong. */
static unsigned
take_all(const struct ini *ini, struct alias *a)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < ini->n; i++) {
		const struct ini_entry *entry = &ini->entry[i];
		const char *why = alias_take(a, entry);

		if (why == NULL)
			continue;
		log_error(
		    "%s:%d: %s: %s", ini->where, entry->line, entry->key, why);
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

struct known {
	bool (*ca)(const char *ca, void *arg); /* NULL: all are */
	void *arg;
};

/* Each must exist. */
static unsigned
check_known(
    const struct ini *ini, const struct alias *a, const struct known *known)
{
	static const char why[] = "is no CA; `scep ca list` shows them";
	unsigned wrong = 0;

	for (size_t i = 0; i < a->ncas; i++) {
		bool own = a->mode == MODE_RA && a->defaultca &&
			   strcmp(a->cas[i], a->defaultca) == 0;

		if (!known->ca(a->cas[i], known->arg))
			wrong += wrong_ca(ini, own ? "ra" : "scep",
			    own ? "defaultca" : "cas", a->cas[i], why);
	}
	for (size_t i = 0; i < a->renewal.ncas; i++)
		if (!known->ca(a->renewal.cas[i], known->arg))
			wrong += wrong_ca(
			    ini, "renewal", "cas", a->renewal.cas[i], why);
	return wrong;
}

/* The CAs that the file names must be among those served, and exist. */
static unsigned
check_cas(
    const struct ini *ini, const struct alias *a, const struct known *known)
{
	static const char stranger[] = "is not one of cas";
	unsigned wrong = known->ca ? check_known(ini, a, known) : 0;

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
	struct known known = { known_ca, arg };
	struct ini *ini = NULL;
	struct alias *a = NULL;
	unsigned wrong;
	enum err e;

	if ((e = ini_parse(where, text, &ini)) != OK)
		goto out;
	e = ERR_SYSTEM;
	if ((a = calloc(1, sizeof(*a))) == NULL) {
		log_error("%s: out of memory", where);
		goto out;
	}
	if (!alias_defaults(a))
		goto out;
	(void)snprintf(a->name, sizeof(a->name), "%s", name);
	wrong = take_all(ini, a);
	alias_put_judge(a);
	wrong += alias_check_mode(ini, a);
	if (!alias_put_first(a))
		goto out;
	wrong += check_cas(ini, a, &known);
	e = ERR_INPUT;
	if (wrong > 0)
		goto out;
	e = ERR_SYSTEM;
	if (a->defaultca == NULL && a->ncas > 0 &&
	    (a->defaultca = str_dup(a->cas[0])) == NULL)
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
	for (size_t i = 0; i < a->nident; i++) {
		free(a->ident[i].ident);
		free(a->ident[i].ca);
	}
	free(a->ident);
	alias_list_free(&a->cas, &a->ncas);
	alias_list_free(&a->renewal.cas, &a->renewal.ncas);
	alias_list_free(&a->renewal.ignore, &a->renewal.nignore);
	alias_far_release(a);
	buf_release(&a->ra.secret);
	free(a->ra.secretfile);
	free(a->ra.entityprofile);
	free(a->ra.profile);
	free(a->ra.parameters);
	free(a->ra.prefix);
	free(a->ra.postfix);
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

/* EJBCA's Intune aliases take no notice of message= (ejbca-behaviour 8). */
const char *
alias_ca(const struct alias *a, struct span ident)
{
	if (a->challenge.judge == JUDGE_INTUNE)
		return a->defaultca;
	for (size_t i = 0; i < a->ncas; i++)
		if (is(ident, a->cas[i], false))
			return a->cas[i];
	for (size_t i = 0; i < a->nident; i++)
		if (is(ident, a->ident[i].ident, true))
			return a->ident[i].ca;
	return a->defaultca;
}
