#include <string.h>
#include <strings.h>

#include "ca/dn.h"
#include "ca/entity_rules.h"
#include "ca/san.h"
#include "ca/text.h"

/* The names of a certificate to be against the rules of its profile. */

struct look {
	const struct entity_rules *rules;
	struct breach *breach;
	unsigned count[MAX_RULES]; /* how often each name stands there */
};

static enum err
refuse(const struct look *l, const char *field, const char *why)
{
	*l->breach = (struct breach){ why, field };
	return ERR_REFUSED;
}

/* A name for which no line stands; its own words are a stranger's. */
static enum err
look_other(const struct look *l, const char *field)
{
	return l->rules->others ?
		   OK :
		   refuse(l, field, "the profile does not allow this name");
}

/* A text with a NUL would be another to regexec(3): it fits nothing. */
static enum err
look_value(struct look *l, size_t i, struct span value)
{
	const struct name_rule *rule = &l->rules->rule[i];
	const char *name = rule->name, *text;
	struct buf copy = BUF_INIT;
	enum err e = OK;

	if (rule->need == NEED_FORBIDDEN)
		return refuse(l, name, "the profile forbids this name");
	if (l->count[i]++ > 0 && !rule->many)
		return refuse(
		    l, name, "the profile allows this name only once");
	if (rule->need == NEED_REQUIRED && value.len == 0)
		return refuse(l, name, "a required name is empty");
	if (rule->fixed != NULL &&
	    !span_eq(value, span_of(rule->fixed, strlen(rule->fixed))))
		return refuse(l, name, "it is not the profile's fixed value");
	if (!rule->has_pattern)
		return OK;
	if (!buf_add(&copy, value.p, value.len))
		return ERR_SYSTEM;
	text = buf_cstr(&copy);
	if (strlen(text) != value.len ||
	    regexec(&rule->pattern, text, 0, NULL, 0) != 0)
		e = refuse(l, name, "it does not fit the profile's pattern");
	buf_release(&copy);
	return e;
}

static enum err
each_field(bool first, struct span oid, const struct der *value, void *arg)
{
	struct look *l = arg;
	const struct entity_rules *r = l->rules;
	const char *name = attr_name(oid);
	struct buf text = BUF_INIT;
	size_t i = 0;
	enum err e;

	(void)first;
	while (i < r->nrules &&
	       (r->rule[i].oid_len == 0 ||
		   !span_eq(oid, span_of(r->rule[i].oid, r->rule[i].oid_len))))
		i++;
	if (i == r->nrules)
		return look_other(l, name != NULL ? name : "another OID");
	e = string_utf8(value, &text);
	if (e == ERR_INPUT)
		e = refuse(l, r->rule[i].name, "it is not text");
	else if (e == OK)
		e = look_value(l, i, buf_span(&text));
	buf_release(&text);
	return e;
}

static enum err
each_kind(const char *kind, struct span value, void *arg)
{
	struct look *l = arg;
	const struct entity_rules *r = l->rules;

	for (size_t i = 0; i < r->nrules; i++)
		if (r->rule[i].oid_len == 0 &&
		    strcmp(r->rule[i].name, kind) == 0)
			return look_value(l, i, value);
	return look_other(l, kind);
}

/* What is required and did not come. */
static enum err
look_missing(const struct look *l, const struct entity_names *names)
{
	for (size_t i = 0; i < l->rules->nrules; i++) {
		const struct name_rule *rule = &l->rules->rule[i];
		bool later =
		    rule->oid_len > 0 ? names->subject_later : names->san_later;

		if (rule->need == NEED_REQUIRED && l->count[i] == 0 && !later)
			return refuse(
			    l, rule->name, "the profile requires this name");
	}
	return OK;
}

static bool
listed(const char *const *list, const char *name)
{
	if (name == NULL || list[0] == NULL)
		return true;
	for (; *list != NULL; list++)
		if (strcmp(*list, name) == 0)
			return true;
	return false;
}

enum err
entity_check(const struct entity_rules *r, const struct entity_names *names,
    struct breach *breach)
{
	struct look l = { .rules = r, .breach = breach };
	enum err e = OK;

	if (!listed(r->cas, names->ca))
		return refuse(&l, "cas", "the profile is not for this CA");
	if (!listed(r->profiles, names->profile))
		return refuse(&l, "profiles",
		    "the profile does not allow this certificate profile");
	if (!names->subject_later)
		e = dn_each(names->subject, each_field, &l);
	if (e == ERR_INPUT)
		return refuse(&l, "subject", "it is unreadable");
	if (e == OK && !names->san_later && names->san.len > 0)
		e = san_each(names->san, each_kind, &l);
	if (e == ERR_INPUT)
		return refuse(&l, "subjectAltName", "it is unreadable");
	return e == OK ? look_missing(&l, names) : e;
}
