/* The end-entity part of a profile: rules, and names against them (C-119). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/log.h"
#include "base/names.h"
#include "ca/der.h"
#include "ca/dn.h"
#include "ca/profile.h"
#include "ca/san.h"

static struct buf logged;

static void
keep_log(const char *line, void *arg)
{
	(void)arg;
	(void)buf_str(&logged, line);
}

static int
setup(void **state)
{
	(void)state;
	buf_clear(&logged);
	log_sink(keep_log, NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	log_sink(NULL, NULL);
	buf_release(&logged);
	return 0;
}

#define HEAD "[entity]\n"

/* A profile whose [entity] section has these lines. */
static struct profile *
rules(const char *lines)
{
	struct profile *p = NULL;
	struct buf text = BUF_INIT;

	assert_true(buf_printf(&text, HEAD "%s\n", lines));
	if (profile_parse("x", "x.ini", buf_span(&text), &p) != OK)
		fail_msg("%s: %s", lines, buf_cstr(&logged));
	buf_release(&text);
	return p;
}

/* What refuses these names, as "field: why"; "" if nothing does. */
static const char *
verdict(const struct profile *p, struct span subject, struct span san)
{
	static char text[200];
	const struct entity_names names = { .subject = subject, .san = san };
	struct breach breach = { NULL, NULL };
	enum err e = entity_check(&p->entity, &names, &breach);

	if (e == OK)
		return "";
	assert_int_equal(e, ERR_REFUSED);
	(void)snprintf(text, sizeof(text), "%s: %s", breach.field, breach.why);
	return text;
}

static const char *
names_verdict(const char *lines, const char *dn, const char *san)
{
	struct profile *p = rules(lines);
	struct buf subject = BUF_INIT, names = BUF_INIT;
	const char *said;

	assert_int_equal(dn_parse(dn, &subject), OK);
	if (*san != '\0')
		assert_int_equal(san_parse(san, &names), OK);
	said = verdict(p, buf_span(&subject), buf_span(&names));
	profile_free(p);
	buf_release(&subject);
	buf_release(&names);
	return said;
}

static void
allows_everything_by_default(void **state)
{
	static const char *const shipped_names[] = { "EMPTY", "ENDUSER" };
	struct profile *p = NULL;

	(void)state;
	assert_int_equal(profile_parse("x", "x.ini", span_of("", 0), &p), OK);
	assert_true(p->entity.others);
	assert_int_equal(p->entity.nrules, 0);
	assert_int_equal(p->entity.enrolments, 0);
	assert_false(p->entity.unique_key || p->entity.unique_subject);
	assert_null(p->entity.cas[0]);
	assert_null(p->entity.profiles[0]);
	assert_int_equal(p->approval, 0);
	assert_false(p->approval_renewals);
	profile_free(p);
	for (size_t i = 0; i < 2; i++) {
		const char *name;
		struct span text;
		size_t k = 0;

		while (profile_shipped(k, &name, &text) &&
		       strcmp(name, shipped_names[i]) != 0)
			k++;
		p = NULL;
		assert_int_equal(profile_parse(name, name, text, &p), OK);
		assert_int_equal(p->entity.nrules, 0);
		assert_true(p->entity.others);
		profile_free(p);
	}
}

static void
reads_every_key(void **state)
{
	struct profile *p = rules("CN = required\nO = fixed \"Lab\"\n"
				  "ou = Optional MANY\nupn = forbidden\n"
				  "serialNumber = pattern '[0-9A-F]{12}'\n"
				  "1.2.3.4 = optional fixed \"a b\"\n"
				  "others = no\ncas = A, B\n"
				  "profiles = enduser, own\nenrolments = 3\n"
				  "uniquesubject = yes\nuniquekey = Yes\n"
				  "[approval]\nrequired = 2\nrenewals = yes");
	const struct name_rule *r = p->entity.rule;

	(void)state;
	assert_int_equal(p->entity.nrules, 6);
	assert_string_equal(r[0].name, "CN");
	assert_int_equal(r[0].need, NEED_REQUIRED);
	assert_false(r[0].many || r[0].has_pattern);
	assert_string_equal(r[1].fixed, "Lab");
	assert_int_equal(r[1].need, NEED_REQUIRED);
	assert_int_equal(r[2].need, NEED_OPTIONAL);
	assert_true(r[2].many);
	assert_string_equal(r[3].name, "upn");
	assert_int_equal(r[3].oid_len, 0);
	assert_int_equal(r[3].need, NEED_FORBIDDEN);
	assert_string_equal(r[4].name, "SN");
	assert_true(r[4].has_pattern);
	assert_string_equal(r[5].name, "1.2.3.4");
	assert_string_equal(r[5].fixed, "a b");
	assert_int_equal(r[5].need, NEED_OPTIONAL);
	assert_false(p->entity.others);
	assert_string_equal(p->entity.cas[1], "B");
	assert_string_equal(p->entity.profiles[0], "ENDUSER");
	assert_string_equal(p->entity.profiles[1], "own");
	assert_null(p->entity.profiles[2]);
	assert_int_equal(p->entity.enrolments, 3);
	assert_true(p->entity.unique_subject && p->entity.unique_key);
	assert_int_equal(p->approval, 2);
	assert_true(p->approval_renewals);
	profile_free(p);
}

static void
refuses_bad_rules(void **state)
{
	static const struct {
		const char *line, *says;
	} rows[] = {
		{ "CM = required", "x.ini:2: cm: no such key" },
		{ "CN =", "a rule is required, optional or forbidden" },
		{ "CN = needed", "a rule is required" },
		{ "CN = required optional", "a rule is required" },
		{ "CN = many", "a rule is required" },
		{ "CN = required fixed", "a text in quotes" },
		{ "CN = fixed Lab", "a text in quotes" },
		{ "CN = fixed \"Lab", "a text in quotes" },
		{ "CN = fixed 'Lab\"", "a text in quotes" },
		{ "CN = fixed \"a\" \"b\"", "a text in quotes" },
		{ "CN = fixed \"\"", "must not be empty" },
		{ "CN = forbidden fixed \"x\"", "has no value" },
		{ "CN = pattern \"\"", "1 to 255 characters" },
		{ "CN = pattern \"a)|(b\"", "a ')' too many" },
		{ "CN = pattern \"a(b\"", "no extended regular" },
		{ "CN = pattern \"[a\"", "'[' that is not closed" },
		{ "CN = pattern \"[[:alpha:\"", "'[' that is not closed" },
		{ "CN = pattern \"[[:letter:]]\"", "no extended regular" },
		{ "CN = pattern \"*a\"", "no extended regular" },
		{ "CN = pattern \"(a)\\1\"", "in a pattern stands what" },
		{ "CN = pattern \"\\w+\"", "in a pattern stands what" },
		{ "CN = pattern \"\\<a\"", "in a pattern stands what" },
		{ "CN = pattern \"a\\\"", "in a pattern stands what" },
		{ "CN = pattern \"a{10001}\"", "too many repetitions" },
		{ "CN = pattern \"((a{99}){99}){99}\"", "too many repet" },
		{ "CN = pattern \"(ab){99}{99}\"", "too many repetitions" },
		{ "CN = pattern \"(a{99})*{999}\"", "too many repetitions" },
		{ "CN = pattern \"a++++++++++++++\"", "too many repetitions" },
		{ "CN = pattern \"(((((((a{99}+)+)+)+)+)+)+)+\"",
		    "too many repetitions" },
		{ "CN = pattern \"(((((((a{99,}){1,}){1,}){1,}){1,}){1,}){1,})"
		  "{1,}\"",
		    "too many repetitions" },
		{ "CN = required\ncn = optional", "x.ini:3" },
		{ "SN = required\nserialNumber = optional",
		    "x.ini:3: serialnumber: another line" },
		{ "1.2.3 = required\nOID.1.2.3 = optional",
		    "x.ini:3: oid.1.2.3: another line" },
		{ "2.5.4.3 = required\nCN = optional", "another line" },
		{ "others = perhaps", "yes or no" },
		{ "cas =", "write none" },
		{ "cas = A, A", "twice" },
		{ "profiles = ENDUSER, enduser", "twice" },
		{ "profiles = ../x", "A-Z a-z 0-9" },
		{ "enrolments = 0", "from 1 to 10000" },
		{ "enrolments = 10001", "from 1 to 10000" },
		{ "uniquekey = 1", "yes or no" },
		{ "[approval]\nrequired = -1", "from 0 to 100" },
		{ "[approval]\nrequired = 101", "from 0 to 100" },
		{ "[approval]\nneeded = 1", "no such key" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct profile *p = NULL;
		struct buf text = BUF_INIT;

		buf_clear(&logged);
		assert_true(buf_printf(&text, HEAD "%s\n", rows[i].line));
		if (profile_parse("x", "x.ini", buf_span(&text), &p) !=
		    ERR_INPUT)
			fail_msg("taken: %s", rows[i].line);
		if (strstr(buf_cstr(&logged), rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].line, buf_cstr(&logged));
		buf_release(&text);
	}
}

/* Each kind of rule, kept and broken: what is said of names under lines. */
static const struct {
	const char *lines, *dn, *san, *says;
} judged[] = {
	{ "CN = required", "CN=a", "", "" },
	{ "CN = required", "O=a", "", "CN: the profile requires this name" },
	{ "CN = required", "", "dNSName=a",
	    "CN: the profile requires this name" },
	{ "CN = optional", "O=a", "", "" },
	{ "CN = forbidden", "O=a+CN=b", "",
	    "CN: the profile forbids this name" },
	{ "CN = optional", "CN=a,CN=b", "",
	    "CN: the profile allows this name only once" },
	{ "CN = required", "CN=a+O=b,CN=c", "",
	    "CN: the profile allows this name only once" },
	{ "CN = optional many", "CN=a,CN=b", "", "" },
	{ "O = fixed \"Lab\"", "O=Lab", "", "" },
	{ "O = fixed \"Lab\"", "O=lab", "",
	    "O: it is not the profile's fixed value" },
	{ "O = fixed \"Lab\"", "O=Lab 2", "",
	    "O: it is not the profile's fixed value" },
	{ "O = fixed \"Lab\"", "CN=a", "",
	    "O: the profile requires this name" },
	{ "O = optional fixed \"Lab\"", "CN=a", "", "" },
	{ "O = optional fixed \"Lab\"", "O=x", "",
	    "O: it is not the profile's fixed value" },
	{ "O = required many fixed \"Lab\"", "O=Lab,O=x", "",
	    "O: it is not the profile's fixed value" },
	{ "SN = pattern \"[0-9A-F]{12}\"", "SN=00112233AABB", "", "" },
	{ "SN = pattern \"[0-9A-F]{12}\"", "SN=00112233AABBC", "",
	    "SN: it does not fit the profile's pattern" },
	{ "SN = pattern \"[0-9A-F]{12}\"", "SN=x00112233AABB", "",
	    "SN: it does not fit the profile's pattern" },
	{ "CN = pattern \"a|b\"", "CN=ax", "",
	    "CN: it does not fit the profile's pattern" },
	{ "CN = pattern \"a|b\"", "CN=xb", "",
	    "CN: it does not fit the profile's pattern" },
	{ "CN = pattern \"[a-z]+\"", "CN=a\\0Ab", "",
	    "CN: it does not fit the profile's pattern" },
	{ "CN = pattern \"[])(]+\"", "CN=)]", "", "" },
	{ "CN = pattern \"(([a-z]+-)+[0-9]{1,})+\"", "CN=a-bc-12", "", "" },
	{ "CN = pattern \"[^]a]\"", "CN=]", "",
	    "CN: it does not fit the profile's pattern" },
	{ "CN = pattern \"[[:digit:])]{2}\"", "CN=7)", "", "" },
	{ "CN = pattern \"a\\.b\"", "CN=axb", "",
	    "CN: it does not fit the profile's pattern" },
	{ "CN = pattern \"[a-z]{1,63}[.][a-z]{1,63}[.][a-z]{1,63}\"",
	    "CN=a.b.cc", "", "" },
	{ "CN = pattern \"((a{20}){20}){20}\"", "CN=aaa", "",
	    "CN: it does not fit the profile's pattern" },
	{ "others = no\nCN = optional", "CN=a,OU=b", "",
	    "OU: the profile does not allow this name" },
	{ "others = no\nCN = optional", "CN=a,1.2.3=b", "",
	    "another OID: the profile does not allow this name" },
	{ "others = no\nCN = optional\n1.2.3 = optional", "CN=a,1.2.3=b", "",
	    "" },
	{ "others = no\nCN = optional", "CN=a", "dNSName=a",
	    "dNSName: the profile does not allow this name" },
	{ "others = no\nCN = optional\ndNSName = optional", "CN=a", "dns=a",
	    "" },
	{ "dNSName = required", "CN=a", "",
	    "dNSName: the profile requires this name" },
	{ "dNSName = required", "CN=a", "iPAddress=10.0.0.1",
	    "dNSName: the profile requires this name" },
	{ "dNSName = optional", "CN=a", "dns=a, dns=b",
	    "dNSName: the profile allows this name only once" },
	{ "dNSName = optional many pattern \"[a-z]+[.]lab\"", "CN=a",
	    "dns=a.lab, dns=b.lab", "" },
	{ "dNSName = optional many pattern \"[a-z]+[.]lab\"", "CN=a",
	    "dns=a.lab, dns=b.lab.evil",
	    "dNSName: it does not fit the profile's pattern" },
	{ "iPAddress = fixed \"10.0.0.1\"", "CN=a", "ip=10.0.0.1", "" },
	{ "iPAddress = pattern \"10[.].*\"", "CN=a", "ip=192.0.2.1",
	    "iPAddress: it does not fit the profile's pattern" },
	{ "upn = forbidden", "CN=a", "upn=u@x",
	    "upn: the profile forbids this name" },
	{ "otherName = forbidden", "CN=a", "upn=u@x", "" },
	{ "directoryName = fixed \"CN=x,O=y\"", "CN=a",
	    "directoryName=CN=x\\,O=y", "" },
};

static void
judges_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(judged) / sizeof(*judged); i++) {
		const char *said =
		    names_verdict(judged[i].lines, judged[i].dn, judged[i].san);

		if (strcmp(said, judged[i].says) != 0)
			fail_msg("%s / %s / %s: \"%s\"", judged[i].lines,
			    judged[i].dn, judged[i].san, said);
	}
}

/* What only a hostile encoder writes: Name DER in hex. */
static void
judges_hostile_names(void **state)
{
	static const struct {
		const char *lines, *hex, *says;
	} rows[] = {
		/* an empty CN is not there in a way that counts */
		{ "CN = required", "300b3109300706035504030c00",
		    "CN: a required name is empty" },
		{ "CN = optional", "300b3109300706035504030c00", "" },
		{ "CN = optional pattern \"a+\"", "300b3109300706035504030c00",
		    "CN: it does not fit the profile's pattern" },
		/* BMPString "ab" is the text ab */
		{ "CN = fixed \"ab\"", "300f310d300b06035504031e0400610062",
		    "" },
		{ "CN = pattern \"a.\"", "300f310d300b06035504031e0400610062",
		    "" },
		/* BMPString with half a character; a BIT STRING */
		{ "CN = required", "300e310c300a06035504031e03006100",
		    "CN: it is not text" },
		{ "CN = required", "300d310b30090603550403030200ff",
		    "CN: it is not text" },
		/* "a", NUL, "!": C reads "a" */
		{ "CN = pattern \"a\"", "300e310c300a06035504030c03610021",
		    "CN: it does not fit the profile's pattern" },
		{ "CN = fixed \"a\"", "300e310c300a06035504030c03610021",
		    "CN: it is not the profile's fixed value" },
		/* the second value of a multi-valued RDN */
		{ "CN = required many fixed \"a\"",
		    "301831163008 06035504030c0161 300a06035504030c0361 0021",
		    "CN: it is not the profile's fixed value" },
		/* no Name */
		{ "CN = optional", "3003310100", "subject: it is unreadable" },
		{ "CN = optional", "3002", "subject: it is unreadable" },
		{ "CN = optional", "0500", "subject: it is unreadable" },
	};
	static const uint8_t rubbish[] = { 0x30, 0x02, 0x82, 0x00 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct profile *p = rules(rows[i].lines);
		struct buf der = BUF_INIT;
		const char *said;

		assert_int_equal(hex_read(rows[i].hex, &der), OK);
		said = verdict(p, buf_span(&der), span_of(NULL, 0));
		if (strcmp(said, rows[i].says) != 0)
			fail_msg("%s / %s: \"%s\"", rows[i].lines, rows[i].hex,
			    said);
		profile_free(p);
		buf_release(&der);
	}
	{
		struct profile *p = rules("CN = optional");

		assert_string_equal(
		    verdict(p, span_of((const uint8_t *)"0\0", 2),
			span_of(rubbish, sizeof(rubbish))),
		    "subjectAltName: it is unreadable");
		profile_free(p);
	}
}

static void
knows_cas_and_profiles(void **state)
{
	struct profile *p = rules("cas = A, B\nprofiles = ENDUSER\n"
				  "CN = required\ndNSName = required");
	struct entity_names names = { .subject_later = true,
		.san_later = true,
		.ca = "B",
		.profile = "ENDUSER" };
	struct breach b = { NULL, NULL };

	(void)state;
	/* what comes later is not missed now */
	assert_int_equal(entity_check(&p->entity, &names, &b), OK);
	names.ca = "b";
	assert_int_equal(entity_check(&p->entity, &names, &b), ERR_REFUSED);
	assert_string_equal(b.why, "the profile is not for this CA");
	assert_string_equal(b.field, "cas");
	names.ca = NULL;
	names.profile = "router";
	assert_int_equal(entity_check(&p->entity, &names, &b), ERR_REFUSED);
	assert_string_equal(
	    b.why, "the profile does not allow this certificate profile");
	names.profile = NULL;
	names.san_later = false;
	assert_int_equal(entity_check(&p->entity, &names, &b), ERR_REFUSED);
	assert_string_equal(b.field, "dNSName");
	profile_free(p);
}

/* Equal as dn_eq() says is equal bytes, and the other way round. */
static void
canonical_names(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} rows[] = {
		{ "CN=a,O=b", "CN=A,O=B", true },
		{ "CN=a  b", "CN=a b", true },
		{ "CN=\\ a\\ ", "CN=a", true },
		{ "CN=a,O=b", "O=b,CN=a", false },
		{ "CN=a+O=b", "O=B+CN=A", true },
		{ "CN=a+O=b", "CN=a,O=b", false },
		{ "CN=a,CN=b", "CN=ab", false },
		{ "CN=a b", "CN=ab", false },
		{ "CN=\xc3\xa4", "CN=\xc3\x84", false }, /* not ASCII */
		{ "CN=ab", "CN=#1e0400610062", true },	 /* BMPString */
		{ "CN=ab", "CN=#13026142", true },	 /* PrintableString */
		{ "CN=ab", "SN=ab", false },
		{ "", "", true },
		{ "", "CN=a", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf a = BUF_INIT, b = BUF_INIT, x = BUF_INIT,
			   y = BUF_INIT;

		assert_int_equal(dn_parse(rows[i].a, &a), OK);
		assert_int_equal(dn_parse(rows[i].b, &b), OK);
		assert_int_equal(dn_canon(buf_span(&a), &x), OK);
		assert_int_equal(dn_canon(buf_span(&b), &y), OK);
		if (span_eq(buf_span(&x), buf_span(&y)) != rows[i].equal ||
		    dn_eq(buf_span(&a), buf_span(&b)) != rows[i].equal)
			fail_msg("%s / %s", rows[i].a, rows[i].b);
		buf_release(&a);
		buf_release(&b);
		buf_release(&x);
		buf_release(&y);
	}
}

static void
canonical_refuses(void **state)
{
	struct buf x = BUF_INIT;

	(void)state;
	assert_int_equal(
	    dn_canon(span_of((const uint8_t *)"\x30\x02\x31\x00", 4), &x),
	    ERR_INPUT);
	assert_int_equal(
	    dn_canon(span_of((const uint8_t *)"\x05\x00", 2), &x), ERR_INPUT);
	assert_int_equal(x.len, 0);
}

static const char *
named(const char *name)
{
	struct attr_type type;

	assert_true(attr_type_read(name, &type));
	return attr_name(span_of(type.oid, type.oid_len));
}

/* Every attribute and kind that has a name has its line in the table. */
static void
table_is_complete(void **state)
{
	/* the first name of each in ca/attr.c */
	static const char *const attributes[] = { "CN", "SN", "SURNAME",
		"GIVENNAME", "INITIALS", "T", "GENERATION", "DNQUALIFIER",
		"PSEUDONYM", "NAME", "O", "OU", "C", "L", "ST", "STREET",
		"POSTALCODE", "BUSINESSCATEGORY", "TELEPHONENUMBER", "UID",
		"DC", "E", "UNSTRUCTUREDNAME", "UNSTRUCTUREDADDRESS" };
	const struct profile_key *key;
	const char *kind;
	size_t names = 0;

	(void)state;
	for (size_t i = 0; (key = profile_key_at(i)) != NULL; i++) {
		struct profile *p = NULL;
		struct buf text = BUF_INIT;

		if (strcmp(key->section, "entity") != 0 ||
		    key->fallback != NULL)
			continue;
		names++;
		assert_true(buf_printf(&text, HEAD "%s = optional", key->key));
		assert_int_equal(
		    profile_parse("x", "x.ini", buf_span(&text), &p), OK);
		assert_int_equal(p->entity.nrules, 1);
		profile_free(p);
		buf_release(&text);
	}
	for (size_t i = 0; (kind = san_kind_at(i)) != NULL; i++)
		names--;
	for (size_t i = 0; i < sizeof(attributes) / sizeof(*attributes); i++)
		names -= strcmp(attributes[i], named(attributes[i])) == 0;
	assert_int_equal(names, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(allows_everything_by_default, setup),
		cmocka_unit_test_setup(reads_every_key, setup),
		cmocka_unit_test_setup(refuses_bad_rules, setup),
		cmocka_unit_test_setup(judges_names, setup),
		cmocka_unit_test_setup(judges_hostile_names, setup),
		cmocka_unit_test_setup(knows_cas_and_profiles, setup),
		cmocka_unit_test_setup(canonical_names, setup),
		cmocka_unit_test_setup(canonical_refuses, setup),
		cmocka_unit_test_setup(table_is_complete, setup),
	};

	return cmocka_run_group_tests_name(
	    "entity rules", tests, setup, teardown);
}
