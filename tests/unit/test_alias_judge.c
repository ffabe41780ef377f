#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aliases/alias.h"
#include "tests/unit/logged.h"

/* Which judge in which mode, and the sections of judges and distance. */

static enum err
parse(const char *text, struct alias **out)
{
	buf_clear(&logged);
	return alias_parse(
	    "x", "x.ini", span_of(text, strlen(text)), NULL, NULL, out);
}

static const char *const heads[MODE__MAX] = {
	[MODE_CA] = "[scep]\noperationmode = ca\ncas = A\n",
	[MODE_RA] = "[scep]\noperationmode = ra\n[ra]\ndefaultca = A\n"
		    "[approval]\nrequired = 0\n",
	[MODE_PROXY] = "[scep]\noperationmode = proxy\n[proxy]\nurl = "
		       "https://a/\nclientcert = c\nclientkey = k\n",
	[MODE_EXTERNALRA] = "[scep]\noperationmode = externalra\ncas = A\n",
};

/* Each with what it must be told. */
static const struct {
	const char *lines;
	enum judge_kind kind;
	bool ca, ra, external;
} rows[] = {
	{ "[challenge]\njudge = entity\n", JUDGE_ENTITY, true, false, true },
	{ "[challenge]\njudge = secret\n[ra]\nauthpwd = x\n", JUDGE_SECRET,
	    false, true, true },
	{ "[challenge]\njudge = onetime\n", JUDGE_ONETIME, true, true, true },
	{ "[challenge]\njudge = PROGRAM\n[program]\npath = /x\n", JUDGE_PROGRAM,
	    true, true, true },
	{ "[challenge]\njudge = web\n[web]\nurl = https://h/p\n", JUDGE_WEB,
	    true, true, true },
	{ "[challenge]\njudge = intune\n[intune]\ntenant = t\naadappid = i\n"
	  "aadappkey = k\n[scep]\nclientcertificaterenewal = no\n",
	    JUDGE_INTUNE, false, true, true },
};

/* The table of modes and judges: what is not in it is an error. */
static void
knows_who_judges_where(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (int mode = 0; mode < MODE__MAX; mode++) {
			const bool may[MODE__MAX] = { [MODE_CA] = rows[i].ca,
				[MODE_RA] = rows[i].ra,
				[MODE_EXTERNALRA] = rows[i].external };
			struct buf text = BUF_INIT;
			struct alias *a = NULL;
			enum err e;

			assert_true(buf_printf(
			    &text, "%s%s", heads[mode], rows[i].lines));
			e = parse(buf_cstr(&text), &a);
			if (e != (may[mode] ? OK : ERR_INPUT))
				fail_msg("%s: %s", buf_cstr(&text),
				    buf_cstr(&logged));
			if (may[mode])
				assert_int_equal(
				    a->challenge.judge, rows[i].kind);
			alias_free(a);
			buf_release(&text);
		}
}

static void
has_its_own_judge(void **state)
{
	struct buf text = BUF_INIT;
	struct alias *a = NULL;

	(void)state;
	assert_int_equal(parse(heads[MODE_CA], &a), OK);
	assert_int_equal(a->challenge.judge, JUDGE_ENTITY);
	assert_int_equal(a->challenge.ttl, 3600);
	alias_free(a);
	a = NULL;
	assert_true(buf_printf(&text, "%s[ra]\nauthpwd = x\n", heads[MODE_RA]));
	assert_int_equal(parse(buf_cstr(&text), &a), OK);
	assert_int_equal(a->challenge.judge, JUDGE_SECRET);
	alias_free(a);
	buf_release(&text);
}

#define INTUNE(lines) \
	"[challenge]\njudge = intune\n[intune]\ntenant = t\naadappid = a\n" lines
#define NO_RENEWAL "[scep]\nclientcertificaterenewal = no\n"

/* Half a section, one that means nothing here, a value that is none. */
static const struct {
	enum operation_mode mode;
	const char *lines, *says;
} bad[] = {
	{ MODE_CA, "[challenge]\njudge = me\n",
	    "x.ini:5: judge: it must be entity, secret" },
	{ MODE_CA, "[challenge]\njudge = intune\n",
	    "in CA mode it is entity, onetime, program or web" },
	{ MODE_RA, "[challenge]\njudge = entity\n",
	    "in RA mode it is secret, onetime, program, web or "
	    "intune" },
	{ MODE_RA,
	    INTUNE("aadappkey = k\n" NO_RENEWAL) "[queue]\nra = "
						 "r.pem\ntarget = "
						 "ra\n",
	    "ra: with judge = intune it must go" },
	{ MODE_RA, "", "[ra] authpwd is missing" },
	{ MODE_RA, "[ra]\nauthpwd = x\n[challenge]\njudge = onetime\n",
	    "authpwd: it counts with [challenge] judge = secret "
	    "alone" },
	{ MODE_CA, "[challenge]\njudge = program\n",
	    "[program] path is missing" },
	{ MODE_CA, "[challenge]\njudge = web\n", "[web] url is missing" },
	{ MODE_CA, "[challenge]\njudge = onetime\npage = yes\n",
	    "page: its codes are for anybody: that needs RA mode" },
	{ MODE_RA, "[ra]\nauthpwd = x\n[challenge]\npage = yes\n",
	    "page: it counts with [challenge] judge = onetime alone" },
	{ MODE_CA, "[program]\npath = /x\n",
	    "[program] counts with [challenge] judge = program "
	    "alone" },
	{ MODE_CA, "[intune]\ntenant = x\n", "[intune] counts with" },
	{ MODE_RA, INTUNE("aadappkey = k\n") "[renewal]\n",
	    "judge: intune wants [renewal] challenge = yes" },
	{ MODE_RA, INTUNE(NO_RENEWAL), "[intune] aadappkey is missing" },
	{ MODE_RA, INTUNE("aadappkey = k\naadappkeyfile = f\n" NO_RENEWAL),
	    "aadappkey: aadappkeyfile is there too" },
	{ MODE_RA, INTUNE("aadappkey = k\naadkeybinding = f\n" NO_RENEWAL),
	    "aadkeybinding: it counts with aadusekeybinding = yes" },
	{ MODE_RA, INTUNE("aadusekeybinding = yes\n" NO_RENEWAL),
	    "[intune] aadkeybinding is missing" },
	{ MODE_RA,
	    INTUNE("aadusekeybinding = yes\naadkeybinding = f\n"
		   "aadappkey = k\n" NO_RENEWAL),
	    "aadappkey: with aadusekeybinding = yes" },
	{ MODE_RA,
	    INTUNE("aadusekeybinding = yes\naadkeybinding = f\n"
		   "aadappkeyfile = k\n" NO_RENEWAL),
	    "aadappkeyfile: with aadusekeybinding = yes" },
	{ MODE_RA, INTUNE("aadappkey = k\nproxyhost = h\n" NO_RENEWAL),
	    "[intune] proxyport is missing" },
	{ MODE_RA, INTUNE("aadappkey = k\nproxyport = 1\n" NO_RENEWAL),
	    "proxyport: it counts with proxyhost alone" },
	{ MODE_RA, INTUNE("aadappkey = k\nproxyuser = u\n" NO_RENEWAL),
	    "proxyuser: it counts with proxyhost alone" },
	{ MODE_RA,
	    INTUNE("aadappkey = k\nproxyhost = h\nproxyport = 1\n"
		   "proxypass = p\n" NO_RENEWAL),
	    "proxypass: it counts with proxyuser alone" },
	{ MODE_RA,
	    INTUNE("aadappkey = k\nproxyhost = h\nproxyport = 1\n"
		   "proxyuser = a:b\n" NO_RENEWAL),
	    "proxyuser: a name for a proxy has no colon" },
	{ MODE_RA, INTUNE("aadappkey = k\nproxyhost = h:1\n"),
	    "proxyhost: it must be of letters" },
	{ MODE_RA, "[challenge]\njudge = intune\n[intune]\ntenant = a/b\n",
	    "tenant: it must be of letters" },
	{ MODE_CA, "[proxy]\nkeep = 1h\n", "[proxy] counts with" },
	{ MODE_PROXY, "[challenge]\njudge = web\n",
	    "with operationmode = proxy only [proxy] and [access]" },
	{ MODE_PROXY, "[ra]\nauthpwd = x\n",
	    "with operationmode = proxy only" },
	{ MODE_CA, "[challenge]\njudge = program\n[program]\npath = x\n",
	    "path: it must be an absolute path" },
	{ MODE_CA, "[challenge]\njudge = web\n[web]\nurl = http://h/\n",
	    "url: it must be as https://host/path" },
	{ MODE_CA, "[challenge]\njudge = web\n[web]\nurl = https:///x\n",
	    "url: it must be as https://host/path" },
	{ MODE_CA, "[challenge]\njudge = web\n[web]\nurl = \"https://a b\"\n",
	    "url: it has a character that no URL has" },
	{ MODE_CA, "[challenge]\njudge = web\n[web]\ntimeout = 121s\n",
	    "timeout: it must be a duration from 1s to 120s" },
	{ MODE_CA, "[challenge]\njudge = web\n[web]\npin = sha256//x\n",
	    "pin: it must be sha256// and 44" },
	{ MODE_CA, "[challenge]\njudge = web\n[web]\nurl = https://me:pw@h/p\n",
	    "x.ini:7: url: no name or password stands in it, for logs show "
	    "it; clientcert and clientkey, bearerfile or aadappkey" },
	{ MODE_CA, "[challenge]\njudge = web\n[web]\nurl = https://me@h:1\n",
	    "x.ini:7: url: no name or password stands in it" },
	{ MODE_RA,
	    INTUNE("aadappkey = k\nauthority = https://me:pw@h/\n" NO_RENEWAL),
	    "x.ini:13: authority: no name or password stands in it" },
	{ MODE_RA, "[ra]\nauthpwd = x\n[queue]\nprofiles = vpn\n",
	    "profiles: it counts with [queue] ra alone" },
	{ MODE_CA, "[queue]\nra = r.pem\ntarget = ca\nprofiles = vpn\n",
	    "profiles: it counts with target = ra alone" },
	{ MODE_EXTERNALRA, "[ra]\nauthpwd = x\n[queue]\nprofiles = vpn\n",
	    "profiles: it counts on the CA's host" },
	{ MODE_PROXY, "[queue]\nprofiles = vpn\n",
	    "profiles: with operationmode = proxy only" },
	{ MODE_RA, "[queue]\nra = r.pem\ntarget = ra\nprofiles = a,,b\n",
	    "profiles: it has an empty name" },
	{ MODE_RA, "[queue]\nra = r.pem\ntarget = ra\nprofiles = a, a\n",
	    "profiles: it has a name twice" },
	{ MODE_CA, "[access]\npeers = \"CN=a;;CN=b\"\n",
	    "peers: it has an empty name" },
};

static void
refuses_bad_sections(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct buf text = BUF_INIT;
		struct alias *a = NULL;

		assert_true(buf_printf(
		    &text, "%s%s", heads[bad[i].mode], bad[i].lines));
		assert_int_equal(parse(buf_cstr(&text), &a), ERR_INPUT);
		assert_null(a);
		if (strstr(buf_cstr(&logged), bad[i].says) == NULL)
			fail_msg("%s: %s", bad[i].says, buf_cstr(&logged));
		buf_release(&text);
	}
}

/* What a proxy passes everything on to: no secret, no query of its own. */
static void
refuses_bad_places(void **state)
{
	static const struct {
		const char *url, *says;
	} urls[] = {
		{ "https://me:pw@h/scep",
		    "x.ini:4: url: no name or password stands in it, for logs "
		    "show it; clientcert and clientkey" },
		{ "https://me@h", "x.ini:4: url: no name or password" },
		{ "https://h/scep?a=1", "x.ini:4: url: it ends before '?'" },
		{ "\"https://h/scep#a\"", "x.ini:4: url: it ends before '?'" },
		{ "https://h/@me/scep", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
		struct buf text = BUF_INIT;
		struct alias *a = NULL;

		assert_true(buf_printf(&text,
		    "[scep]\noperationmode = proxy\n[proxy]\nurl = %s\n"
		    "clientcert = c\nclientkey = k\n",
		    urls[i].url));
		assert_int_equal(
		    parse(buf_cstr(&text), &a), urls[i].says ? ERR_INPUT : OK);
		if (urls[i].says != NULL &&
		    strstr(buf_cstr(&logged), urls[i].says) == NULL)
			fail_msg("%s: %s", urls[i].url, buf_cstr(&logged));
		/* nor is it shown where it is refused */
		assert_null(strstr(buf_cstr(&logged), "pw"));
		alias_free(a);
		buf_release(&text);
	}
}

static void
reads_peers(void **state)
{
	struct buf text = BUF_INIT;
	struct alias *a = NULL;

	(void)state;
	assert_true(buf_printf(&text,
	    "%s[access]\npeers = \"CN=a,O=Lab ; CN=b\"\n", heads[MODE_CA]));
	assert_int_equal(parse(buf_cstr(&text), &a), OK);
	assert_int_equal(a->npeers, 2);
	assert_string_equal(a->peers[0], "CN=a,O=Lab");
	assert_string_equal(a->peers[1], "CN=b");
	alias_free(a);
	buf_release(&text);
}

/* An approval would come when Intune's challenge is long over. */
static void
intune_waits_for_nobody(void **state)
{
	struct alias *a = NULL;

	(void)state;
	assert_int_equal(
	    parse("[scep]\noperationmode = ra\n[ra]\n"
		  "defaultca = A\n[approval]\nrequired = 1\n" INTUNE(
		      "aadappkey = k\n" NO_RENEWAL),
		&a),
	    ERR_INPUT);
	assert_non_null(
	    strstr(buf_cstr(&logged), "required: with judge = intune it is 0"));
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, logged_setup, logged_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(knows_who_judges_where),
		TEST(has_its_own_judge),
		TEST(refuses_bad_sections),
		TEST(refuses_bad_places),
		TEST(intune_waits_for_nobody),
		TEST(reads_peers),
	};

	return cmocka_run_group_tests_name("alias judge", tests, NULL, NULL);
}
