#include "ca/profile_own.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/x509v3.h>

#include "base/time.h"
#include "ca/attr.h"
#include "ca/der.h"

#define MAX_VALIDITY (DAY * 365 * 100)
#define MAX_BACKDATE (DAY * 30)
#define MIN_KEY_BITS 1024 /* what any profile may go down to */

static const char not_empty[] = "it must not be empty";
static const char too_many[] = "too many";

void
profile_trim(char **word)
{
	char *end;

	*word += strspn(*word, " \t");
	end = *word + strlen(*word);
	while (end > *word && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
}

const char *
profile_each_item(struct profile *p, char *value, const char *separator,
    const char *(*take)(struct profile *p, size_t at, char *item), size_t at)
{
	const char *wrong = NULL;
	char *item;

	profile_trim(&value);
	if (strcasecmp(value, "none") == 0)
		return NULL;
	if (*value == '\0')
		return "it must not be empty; write none";
	while (wrong == NULL && (item = strsep(&value, separator)) != NULL) {
		profile_trim(&item);
		if (*item != '\0')
			wrong = take(p, at, item);
		else if (*separator == ',')
			wrong = "it has an empty item";
	}
	return wrong;
}

/* ---- times ------------------------------------------------------------ */

/* A duration in seconds; "2y" is 730 days. */
static bool
duration(const char *value, int64_t *out)
{
	size_t n = strspn(value, "0123456789");

	if (n > 0 && n < 4 && strcmp(value + n, "y") == 0) {
		*out = strtol(value, NULL, 10) * 365 * DAY;
		return true;
	}
	return strchr(value, '-') == NULL &&
	       time_option(value, 0, 0, out) == OK;
}

const char *
profile_take_validity(struct profile *p, size_t at, char *value)
{
	(void)at;
	if (!duration(value, &p->validity))
		return time_option(value, 0, 0, &p->until) == OK ?
			   NULL :
			   "it must be a time as 2y, 730d or 12h, or a date";
	if (p->validity <= 0 || p->validity > MAX_VALIDITY)
		return "it must be from 1s to 100y";
	return NULL;
}

const char *
profile_take_backdate(struct profile *p, size_t at, char *value)
{
	(void)at;
	if (!duration(value, &p->backdate) || p->backdate > MAX_BACKDATE)
		return "it must be a time from 0s to 30d, as 10m";
	return NULL;
}

/* ---- keys --------------------------------------------------------------- */

static const char *
take_key(struct profile *p, size_t at, char *item)
{
	static const char *const kinds[] = { "rsa", "P-256", "P-384", "P-521",
		"Ed25519" };

	(void)at;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcasecmp(kinds[i], item) == 0) {
			p->keys |= 1U << i;
			return NULL;
		}
	}
	return "there are rsa, P-256, P-384, P-521 and Ed25519";
}

const char *
profile_take_keys(struct profile *p, size_t at, char *value)
{
	const char *wrong = profile_each_item(p, value, ",", take_key, at);

	return wrong == NULL && p->keys == 0 ? not_empty : wrong;
}

/* The member at `at` of a profile. */
static unsigned *
number_at(struct profile *p, size_t at)
{
	return (unsigned *)(void *)((char *)p + at);
}

const char *
profile_take_bits(struct profile *p, size_t at, char *value)
{
	unsigned long n = strtoul(value, NULL, 10);

	if (*value == '\0' || strlen(value) > 5 ||
	    strspn(value, "0123456789") != strlen(value) || n < MIN_KEY_BITS ||
	    n > MAX_RSA)
		return "it must be a number from 1024 to 8192";
	*number_at(p, at) = (unsigned)n;
	return NULL;
}

/* ---- usages ------------------------------------------------------------- */

static const char *
take_usage(struct profile *p, size_t at, char *item)
{
	unsigned bit = 0;

	if (strcasecmp(item, "keyCertSign") == 0 ||
	    strcasecmp(item, "cRLSign") == 0)
		return "it is a CA's: no profile gives it";
	if (!usage_read(item, &bit))
		return "there are digitalSignature, nonRepudiation, "
		       "keyEncipherment, dataEncipherment and keyAgreement";
	*number_at(p, at) |= bit;
	return NULL;
}

/* A certificate without a use is a mistake: none is not taken here. */
const char *
profile_take_usages(struct profile *p, size_t at, char *value)
{
	const char *wrong = profile_each_item(p, value, ",", take_usage, at);

	if (wrong == NULL && *number_at(p, at) == 0)
		return not_empty;
	return wrong;
}

/* RFC 5480 3, RFC 8410 5: such keys encipher nothing. */
const char *
profile_take_usages_ec(struct profile *p, size_t at, char *value)
{
	const char *wrong = profile_take_usages(p, at, value);

	if (wrong == NULL &&
	    (p->usage_ec & (KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT)) != 0)
		return "a key of this kind cannot encipher";
	return wrong;
}

/* Appends to a NULL-terminated list that has room for max texts. */
static const char *
append(const char **list, size_t max, const char *text)
{
	size_t n = 0;

	for (; list[n] != NULL; n++)
		if (strcmp(list[n], text) == 0)
			return "it names something twice";
	if (n == max)
		return too_many;
	list[n] = text;
	return NULL;
}

static const char *
take_one_eku(struct profile *p, size_t at, char *item)
{
	const char *oid = eku_read(item);

	(void)at;
	if (oid == NULL)
		return "no such usage: clientAuth and the like, or a dotted "
		       "OID";
	return append(p->eku, MAX_EKU, oid);
}

const char *
profile_take_eku(struct profile *p, size_t at, char *value)
{
	return profile_each_item(p, value, ",", take_one_eku, at);
}

/* ---- extensions ------------------------------------------------------------ */

/* What is never copied must not look as if it were (C-178). */
static const char *
take_one_copy(struct profile *p, size_t at, char *item)
{
	const char *dotted = copy_read(item), *why;
	uint8_t oid[MAX_OID];
	size_t len = 0;

	(void)at;
	if (strcasecmp(item, "keyUsage") == 0)
		p->copy_usage = true;
	else if (strcasecmp(item, "extendedKeyUsage") == 0)
		p->copy_eku = true;
	else if (dotted == NULL || !oid_read(dotted, oid, &len))
		return "there are keyUsage, extendedKeyUsage, sid, tlsFeature "
		       "and dotted OIDs";
	else if ((why = extension_denied(span_of(oid, len))) != NULL)
		return why;
	else
		return append(p->copy, MAX_COPIES, dotted);
	return NULL;
}

const char *
profile_take_copy(struct profile *p, size_t at, char *value)
{
	return profile_each_item(p, value, ",", take_one_copy, at);
}

/* Printable ASCII without blanks: what an IA5String of a URI may be. */
static bool
is_uri(const char *text)
{
	size_t n = 0;

	for (; text[n] != '\0'; n++)
		if (text[n] <= ' ' || text[n] > '~')
			return false;
	return n > 0 && n <= MAX_URL;
}

/* "OID" or "OID CPS-URI" */
static const char *
take_policy(struct profile *p, size_t at, char *item)
{
	char *oid = strsep(&item, " \t");
	struct policy *policy = &p->policy[p->npolicies];
	uint8_t bytes[MAX_OID];
	size_t len = 0;

	(void)at;
	if (p->npolicies == MAX_POLICIES)
		return too_many;
	if (!oid_read(oid, bytes, &len))
		return "a policy is a dotted OID, and a URI behind a blank";
	if (span_eq(span_of(bytes, len), OID_ANY_POLICY))
		return "anyPolicy says nothing: name the policy";
	if (item != NULL) {
		profile_trim(&item);
		if (!is_uri(item) || strchr(item, ':') == NULL)
			return "behind a policy stands the URI of its CPS";
	}
	for (size_t i = 0; i < p->npolicies; i++)
		if (strcmp(p->policy[i].oid, oid) == 0)
			return "it names something twice";
	*policy = (struct policy){ oid, item };
	p->npolicies++;
	return NULL;
}

const char *
profile_take_policies(struct profile *p, size_t at, char *value)
{
	return profile_each_item(p, value, ",", take_policy, at);
}

/* Every ${...} is one that profile_shape() fills. */
static bool
good_places(const char *url)
{
	static const char *const places[] = { "${baseurl}", "${ca}",
		"${generation}" };

	while ((url = strstr(url, "${")) != NULL) {
		size_t i = 0, n = sizeof(places) / sizeof(*places);

		while (i < n && strncmp(url, places[i], strlen(places[i])) != 0)
			i++;
		if (i == n)
			return false;
		url += strlen(places[i]);
	}
	return true;
}

static const char *
take_url(struct profile *p, size_t at, char *item)
{
	static const char *const starts[] = { "http://", "https://", "ldap://",
		"ldaps://", "${baseurl}" };
	bool good = is_uri(item);
	size_t i = 0, n = sizeof(starts) / sizeof(*starts);

	while (i < n && strncasecmp(item, starts[i], strlen(starts[i])) != 0)
		i++;
	if (!good || i == n)
		return "a URL begins with http://, https://, ldap:// or "
		       "${baseurl}";
	if (!good_places(item))
		return "a URL may have ${baseurl}, ${ca} and ${generation}";
	return append(p->url[at], MAX_URLS, item);
}

/* Blanks between them: a URL may have a comma. */
const char *
profile_take_urls(struct profile *p, size_t at, char *value)
{
	return profile_each_item(p, value, " \t", take_url, at);
}

/* "OID MAJOR MINOR" */
const char *
profile_take_template(struct profile *p, size_t at, char *value)
{
	static const char form[] =
	    "it must be OID MAJOR MINOR, as 1.3.6.1.4.1.311.21.8.1.2 100 5";
	uint32_t *version[] = { &p->template.major, &p->template.minor };
	char *oid = strsep(&value, " \t");
	uint8_t bytes[MAX_OID];
	size_t len = 0;

	(void)at;
	if (!oid_read(oid, bytes, &len))
		return form;
	for (size_t i = 0; i < 2; i++) {
		char *word = strsep(&value, " \t");
		unsigned long long n;

		if (word == NULL || *word == '\0' || strlen(word) > 10 ||
		    strspn(word, "0123456789") != strlen(word))
			return form;
		if ((n = strtoull(word, NULL, 10)) > UINT32_MAX)
			return form;
		*version[i] = (uint32_t)n;
	}
	if (value != NULL)
		return form;
	p->template.oid = oid;
	return NULL;
}

const char *
profile_take_template_name(struct profile *p, size_t at, char *value)
{
	(void)at;
	if (*value == '\0' || strlen(value) > 64)
		return "it must have 1 to 64 characters";
	for (const char *s = value; *s != '\0'; s++)
		if (*s < ' ' || *s > '~')
			return "it must be plain ASCII";
	p->template.name = value;
	return NULL;
}
