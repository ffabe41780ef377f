#include "ca/entity_rules.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ca/der.h"
#include "ca/profile_own.h"
#include "ca/san.h"

/* ---- patterns ------------------------------------------------------------ */

/* What a pattern is looked at for before regcomp(3) sees it. */
struct scan {
	const char *p;
	size_t depth;			     /* of parentheses */
	unsigned long size[MAX_PATTERN + 1]; /* of what stands in each */
	unsigned long last; /* size of what a repetition repeats */
};

static void
scan_atom(struct scan *s, unsigned long size)
{
	s->last = size;
	s->size[s->depth] += size;
}

/*
 * Escaped letters and digits are no POSIX: glibc takes "\1" for a reference
 * back, with which matching can take for ever, and "\w" and "\<" for others.
 */
static const char *
scan_escape(struct scan *s)
{
	unsigned char c = (unsigned char)s->p[1];

	if (!ispunct(c) || strchr("<>`'", c) != NULL)
		return "behind '\\' in a pattern stands what has a meaning "
		       "without it, as '.'";
	s->p += 2;
	scan_atom(s, 1);
	return NULL;
}

/* "[...]", in which nothing of the rest has its meaning. */
static const char *
scan_bracket(struct scan *s)
{
	const char *p = s->p + 1;

	p += *p == '^';
	p += *p == ']';
	for (; *p != '\0' && *p != ']'; p++) {
		const char *end;
		char mark = p[1];

		if (*p != '[' || mark == '\0' || strchr(":.=", mark) == NULL)
			continue;
		for (end = p + 2; *end != '\0'; end++)
			if (end[0] == mark && end[1] == ']')
				break;
		if (*end == '\0')
			break;
		p = end + 1;
	}
	if (*p != ']')
		return "a pattern has a '[' that is not closed";
	s->p = p + 1;
	scan_atom(s, 1);
	return NULL;
}

/* regcomp(3) writes repetitions out, nested ones too, in memory. */
static const char *
scan_times(struct scan *s, unsigned long most)
{
	static const char too_long[] = "a pattern has too many repetitions";

	if (most > MAX_WRITTEN || s->last * most > MAX_WRITTEN)
		return too_long;
	s->size[s->depth] += s->last * (most - 1);
	s->last *= most;
	return s->size[s->depth] > MAX_WRITTEN ? too_long : NULL;
}

/* "{2,5}"; "{2,}" is written as two and a third with '*'. */
static const char *
scan_bound(struct scan *s)
{
	unsigned long most = 1;

	for (s->p++; *s->p != '\0' && *s->p != '}';) {
		char *end = NULL;
		unsigned long n = strtoul(s->p, &end, 10);

		if (end == s->p) {
			s->p++;
			continue;
		}
		if (n > most)
			most = n;
		s->p = end;
	}
	if (s->p[-1] == ',' && most <= MAX_WRITTEN)
		most++;
	s->p += *s->p == '}';
	return scan_times(s, most);
}

/*
 * A ')' too many is a letter to glibc; here it would end the "^(" that stands
 * before each pattern.
 */
static const char *
scan_char(struct scan *s)
{
	char c = *s->p++;

	if (c == ')' && s->depth == 0)
		return "a pattern has a ')' too many";
	if (c == '+')
		return scan_times(s, 2); /* "{1,}" */
	if (c == '(') {
		s->size[++s->depth] = 0;
	} else if (c == ')') {
		s->depth--;
		scan_atom(s, s->size[s->depth + 1]);
	} else if (strchr("*?", c) == NULL) {
		scan_atom(s, 1);
	}
	return NULL;
}

/* NULL, or what is wrong before regcomp(3) is asked. */
static const char *
pattern_wrong(const char *text)
{
	struct scan s = { .p = text };
	const char *wrong = NULL;

	if (*text == '\0' || strlen(text) > MAX_PATTERN)
		return "a pattern has 1 to 255 characters";
	while (wrong == NULL && *s.p != '\0') {
		if (*s.p == '\\')
			wrong = scan_escape(&s);
		else if (*s.p == '[')
			wrong = scan_bracket(&s);
		else if (*s.p == '{')
			wrong = scan_bound(&s);
		else
			wrong = scan_char(&s);
	}
	return wrong;
}

static const char *
take_pattern(struct name_rule *rule, const char *text)
{
	const char *wrong = pattern_wrong(text);
	struct buf whole = BUF_INIT;

	if (wrong != NULL)
		return wrong;
	if (!buf_printf(&whole, "^(%s)$", text))
		wrong = "out of memory";
	else if (regcomp(&rule->pattern, buf_cstr(&whole),
		     REG_EXTENDED | REG_NOSUB) != 0)
		wrong = "the pattern is no extended regular expression";
	else
		rule->has_pattern = true;
	buf_release(&whole);
	return wrong;
}

/* ---- rules --------------------------------------------------------------- */

static const char *const needs[NEED__MAX] = { "required", "optional",
	"forbidden" };

static const char form[] =
    "a rule is required, optional or forbidden, with `many` behind it or not, "
    "and fixed \"TEXT\" or pattern \"ERE\"";

/* Takes `word` off the front of a text; blanks stand behind it. */
static bool
take_word(char **text, const char *word)
{
	size_t n = strlen(word);

	if (strncasecmp(*text, word, n) != 0 ||
	    ((*text)[n] != '\0' && (*text)[n] != ' ' && (*text)[n] != '\t'))
		return false;
	*text += n;
	*text += strspn(*text, " \t");
	return true;
}

/* The text in quotes, of either kind, that ends a rule; NULL: it is none. */
static char *
unquote(char *text)
{
	size_t n = strlen(text);

	if (n < 2 || (text[0] != '"' && text[0] != '\'') ||
	    text[n - 1] != text[0])
		return NULL;
	text[n - 1] = '\0';
	return strchr(text + 1, text[0]) == NULL ? text + 1 : NULL;
}

static const char *
take_value(struct name_rule *rule, char *value)
{
	bool fixed = take_word(&value, "fixed");
	char *text;

	if (!fixed && !take_word(&value, "pattern"))
		return form;
	if ((text = unquote(value)) == NULL)
		return "behind fixed and pattern stands a text in quotes";
	if (rule->need == NEED_FORBIDDEN)
		return "what is forbidden has no value";
	if (!fixed)
		return take_pattern(rule, text);
	if (*text == '\0')
		return "a fixed value must not be empty";
	rule->fixed = text;
	return NULL;
}

static const char *
take_rule(struct name_rule *rule, char *value)
{
	bool said = false;

	profile_trim(&value);
	for (int i = 0; i < NEED__MAX && !said; i++) {
		said = take_word(&value, needs[i]);
		if (said)
			rule->need = (enum need)i;
	}
	rule->many = take_word(&value, "many");
	if (*value == '\0')
		return said ? NULL : form;
	return take_value(rule, value);
}

/* A kind of alternative name, else the type of an attribute. */
static const char *
find_name(struct name_rule *rule, const char *key)
{
	struct attr_type type = { .oid_len = 0 };
	const char *kind, *name;

	for (size_t i = 0; (kind = san_kind_at(i)) != NULL; i++) {
		if (strcasecmp(kind, key) != 0)
			continue;
		rule->name = kind;
		return NULL;
	}
	if (!attr_type_read(key, &type))
		return "no such key; profiles/example.ini lists them all";
	memcpy(rule->oid, type.oid, type.oid_len);
	rule->oid_len = type.oid_len;
	name = attr_name(span_of(rule->oid, rule->oid_len));
	rule->name = name != NULL ? name : key;
	return NULL;
}

/* SN and serialNumber, 1.2.3 and OID.1.2.3 are one. */
static bool
same_name(const struct name_rule *a, const struct name_rule *b)
{
	return span_eq(
		   span_of(a->oid, a->oid_len), span_of(b->oid, b->oid_len)) &&
	       (a->oid_len > 0 || strcmp(a->name, b->name) == 0);
}

const char *
entity_rule_take(struct entity_rules *r, const char *key, char *value)
{
	struct name_rule *rule = &r->rule[r->nrules];
	const char *wrong;

	if (r->nrules == MAX_RULES)
		return "too many rules";
	if ((wrong = find_name(rule, key)) != NULL)
		return wrong;
	for (size_t i = 0; i < r->nrules; i++)
		if (same_name(&r->rule[i], rule))
			return "another line has the rule of this name";
	r->nrules++; /* entity_rules_release() frees a pattern */
	return take_rule(rule, value);
}

void
entity_rules_release(struct entity_rules *r)
{
	for (size_t i = 0; i < r->nrules; i++)
		if (r->rule[i].has_pattern)
			regfree(&r->rule[i].pattern);
	r->nrules = 0;
}

/* ---- the other keys -------------------------------------------------------- */

static bool *
flag_at(struct profile *p, size_t at)
{
	return (bool *)(void *)((char *)p + at);
}

const char *
profile_take_yes(struct profile *p, size_t at, char *value)
{
	bool yes = strcasecmp(value, "yes") == 0;

	if (!yes && strcasecmp(value, "no") != 0)
		return "it must be yes or no";
	*flag_at(p, at) = yes;
	return NULL;
}

/* Appends to the list at `at`, which has room for MAX_LISTED names. */
static const char *
add_listed(struct profile *p, size_t at, const char *item)
{
	const char **list = (const char **)(void *)((char *)p + at);
	size_t n = 0;

	for (; list[n] != NULL; n++)
		if (strcmp(list[n], item) == 0)
			return "it names something twice";
	if (n == MAX_LISTED)
		return "too many";
	list[n] = item;
	return NULL;
}

static const char *
take_ca(struct profile *p, size_t at, char *item)
{
	return add_listed(p, at, item);
}

/* Built-in ones as they are spelled. */
static const char *
take_profile(struct profile *p, size_t at, char *item)
{
	const char *name = profile_shipped_name(item);

	if (name == NULL && !profile_name_ok(item))
		return "a profile's name has A-Z a-z 0-9 _ - alone";
	return add_listed(p, at, name != NULL ? name : item);
}

const char *
profile_take_cas(struct profile *p, size_t at, char *value)
{
	return profile_each_item(p, value, ",", take_ca, at);
}

const char *
profile_take_profiles(struct profile *p, size_t at, char *value)
{
	return profile_each_item(p, value, ",", take_profile, at);
}

/* A number up to max; false if it is none. */
static bool
number(const char *value, unsigned long max, unsigned *out)
{
	unsigned long n = strtoul(value, NULL, 10);

	if (*value == '\0' || strlen(value) > 5 ||
	    strspn(value, "0123456789") != strlen(value) || n > max)
		return false;
	*out = (unsigned)n;
	return true;
}

const char *
profile_take_enrolments(struct profile *p, size_t at, char *value)
{
	(void)at;
	if (strcasecmp(value, "none") == 0)
		return NULL;
	if (!number(value, MAX_CODE_COUNT, &p->entity.enrolments) ||
	    p->entity.enrolments == 0)
		return "it must be a number from 1 to 10000, or none";
	return NULL;
}

const char *
profile_take_approval(struct profile *p, size_t at, char *value)
{
	(void)at;
	return number(value, MAX_APPROVAL, &p->approval) ?
		   NULL :
		   "it must be a number from 0 to 100";
}
