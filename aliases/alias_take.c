#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aliases/alias_own.h"
#include "base/limits.h"

const char alias_no_memory[] = "out of memory";

int
alias_word(const char *const *words, int n, const char *value)
{
	for (int i = 0; i < n; i++)
		if (strcasecmp(value, words[i]) == 0)
			return i;
	return -1;
}

static const char *
take_mode(struct alias *a, size_t at, const char *value)
{
	static const char *const words[MODE__MAX] = {
		[MODE_CA] = "ca",
		[MODE_RA] = "ra",
		[MODE_PROXY] = "proxy",
		[MODE_EXTERNALRA] = "externalra",
	};
	int i = alias_word(words, MODE__MAX, value);

	(void)at;
	if (i < 0)
		return "it must be ca, ra, proxy or externalra";
	a->mode = (enum operation_mode)i;
	return NULL;
}

const char *
alias_take_bool(struct alias *a, size_t at, const char *value)
{
	static const char *const words[] = { "no", "yes", "false", "true",
		"off", "on", "0", "1" };
	bool *member = (bool *)(void *)((char *)a + at);
	int i = alias_word(words, 8, value);

	if (i < 0)
		return "it must be yes or no";
	*member = i % 2 == 1;
	return NULL;
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

const char *
alias_take_any_text(struct alias *a, size_t at, const char *value)
{
	char **member = (char **)(void *)((char *)a + at);

	free(*member);
	*member = str_dup(value);
	return *member ? NULL : alias_no_memory;
}

const char *
alias_take_text(struct alias *a, size_t at, const char *value)
{
	if (*value == '\0')
		return "it must not be empty";
	return alias_take_any_text(a, at, value);
}

static const char *
take_getcert(struct alias *a, size_t at, const char *value)
{
	static const char *const words[GETCERT__MAX] = {
		[GETCERT_OWNER] = "owner",
		[GETCERT_ANY] = "any",
		[GETCERT_NO] = "no",
	};

	int i = alias_word(words, GETCERT__MAX, value);

	(void)at;
	if (i < 0)
		return "it must be owner, any or no";
	a->getcert = (enum getcert)i;
	return NULL;
}

/* ---- lists ----------------------------------------------------------- */

/* One word of the list, blanks around it cut off. */
static const char *
add_word(char **words, size_t *n, const char *p, size_t len)
{
	struct buf word = BUF_INIT;
	const char *wrong = NULL;

	for (; len > 0 && (*p == ' ' || *p == '\t'); p++)
		len--;
	while (len > 0 && (p[len - 1] == ' ' || p[len - 1] == '\t'))
		len--;
	if (len == 0)
		return "it has an empty name";
	if (*n == MAX_CAS)
		return "it has too many names";
	if (!buf_add(&word, p, len))
		return alias_no_memory;
	for (size_t i = 0; i < *n; i++)
		if (strcmp(words[i], buf_cstr(&word)) == 0)
			wrong = "it has a name twice";
	if (wrong == NULL && (words[*n] = str_dup(buf_cstr(&word))) == NULL)
		wrong = alias_no_memory;
	if (wrong == NULL)
		++*n;
	buf_release(&word);
	return wrong;
}

void
alias_list_free(char ***words, size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		free((*words)[i]);
	free(*words);
	*words = NULL;
	*n = 0;
}

const char *
alias_take_list(char ***words, size_t *n, const char *value)
{
	/* one more: RA mode puts its CA in front */
	char **fresh = calloc(MAX_CAS + 1, sizeof(*fresh));
	const char *wrong = fresh ? NULL : alias_no_memory;
	size_t count = 0;

	while (wrong == NULL) {
		size_t len = strcspn(value, ",");

		wrong = add_word(fresh, &count, value, len);
		if (value[len] == '\0')
			break;
		value += len + 1;
	}
	if (wrong != NULL) {
		alias_list_free(&fresh, &count);
		return wrong;
	}
	alias_list_free(words, n);
	*words = fresh;
	*n = count;
	return NULL;
}

static const char *
take_cas(struct alias *a, size_t at, const char *value)
{
	(void)at;
	return alias_take_list(&a->cas, &a->ncas, value);
}

/* ---- the table ------------------------------------------------------- */

#define AT(member) offsetof(struct alias, member)

static const struct alias_row rows[] = {
	{ "scep", "operationmode", take_mode, 0 },
	{ "scep", "cas", take_cas, 0 },
	{ "scep", "defaultca", alias_take_text, AT(defaultca) },
	{ "scep", "includeca", alias_take_bool, AT(includeca) },
	{ "scep", "sha1", alias_take_bool, AT(sha1) },
	{ "scep", "des3", alias_take_bool, AT(des3) },
	{ "scep", "legacy", alias_take_bool, AT(legacy) },
	{ "scep", "cutusername", alias_take_bool, AT(cutusername) },
	{ "scep", "samekey", alias_take_bool, AT(samekey) },
	{ "scep", "returncachainingetcacert", alias_take_bool, AT(chain) },
	{ "scep", "chainorder", take_order, 0 },
	{ "scep", "chainroot", alias_take_bool, AT(chainroot) },
	{ "scep", "strictkeyusage", alias_take_bool, AT(strictkeyusage) },
	{ "scep", "profile", alias_take_text, AT(profile) },
	{ "scep", "getcert", take_getcert, 0 },
	{ "scep", "getcrl", alias_take_bool, AT(getcrl) },
	{ "scep", "clientcertificaterenewal", alias_take_bool, AT(renewal.on) },
	{ "scep", "clientcertificaterenewalwitholdkey", alias_take_bool,
	    AT(renewal.oldkey) },
	{ "ra", "defaultca", alias_take_text, AT(defaultca) },
	{ "ra", "authpwd", alias_take_secret, 0 },
	{ "ra", "authpwdfile", alias_take_text, AT(ra.secretfile) },
	{ "ra", "entityprofile", alias_take_text, AT(ra.entityprofile) },
	{ "ra", "certificateprofile", alias_take_text, AT(ra.profile) },
	{ "ra", "namegenerationscheme", alias_take_scheme, 0 },
	{ "ra", "namegenerationparameters", alias_take_any_text,
	    AT(ra.parameters) },
	{ "ra", "namegenerationprefix", alias_take_affix, AT(ra.prefix) },
	{ "ra", "namegenerationpostfix", alias_take_affix, AT(ra.postfix) },
	{ "ra", "existing", alias_take_existing, 0 },
	{ "approval", "required", alias_take_required, 0 },
	{ "approval", "renewals", alias_take_bool, AT(approval.renewals) },
	{ "approval", "expiry", alias_take_duration, AT(approval.expiry) },
	{ "approval", "denied", alias_take_duration, AT(approval.denied) },
	{ "approval", "limit", alias_take_limit, AT(approval.limit) },
	{ "approval", "persource", alias_take_limit, AT(approval.persource) },
	{ "renewal", "window", alias_take_window, 0 },
	{ "renewal", "renewalignore", alias_take_ignore, 0 },
	{ "renewal", "supersede", alias_take_supersede, 0 },
	{ "renewal", "cas", alias_take_renewal_cas, 0 },
	{ "renewal", "challenge", alias_take_bool, AT(renewal.challenge) },
	{ NULL, NULL, NULL, 0 },
};
static const struct alias_row *const tables[] = { rows, alias_far_rows, NULL };

static const char *
take_ident(struct alias *a, const struct ini_entry *entry)
{
	struct alias_ident *more =
	    realloc(a->ident, (a->nident + 1) * sizeof(*more));
	struct alias_ident *last;

	if (more == NULL)
		return alias_no_memory;
	a->ident = more;
	last = &a->ident[a->nident++];
	last->ident = str_dup(entry->key);
	last->ca = str_dup(entry->value);
	return last->ident && last->ca ? NULL : alias_no_memory;
}

const char *
alias_take(struct alias *a, const struct ini_entry *entry)
{
	const struct alias_row *row;
	bool section = false;

	if (strcmp(entry->section, "identifiers") == 0)
		return take_ident(a, entry);
	for (size_t i = 0; tables[i] != NULL; i++)
		for (row = tables[i]; row->section != NULL; row++) {
			if (strcmp(entry->section, row->section) != 0)
				continue;
			section = true;
			if (strcmp(entry->key, row->key) == 0)
				return row->take(a, row->at, entry->value);
		}
	return section ? "no such key; scep-alias(5) has them all" :
			 "no such section; there are [scep], [ra], [approval], "
			 "[renewal], [challenge], [program], [web], [intune], "
			 "[proxy], [queue], [access] and [identifiers]";
}
