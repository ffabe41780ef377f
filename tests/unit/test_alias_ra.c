#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "aliases/alias.h"
#include "base/log.h"
#include "tests/unit/cli.h"
#include "tests/unit/logged.h"

/* The sections [ra], [approval] and [renewal], and the secret's file. */

static bool
known(const char *ca, void *arg)
{
	(void)arg;
	return strlen(ca) == 1 && *ca >= 'A' && *ca <= 'E';
}

static enum err
parse(const char *text, struct alias **out)
{
	buf_clear(&logged);
	return alias_parse(
	    "x", "x.ini", span_of(text, strlen(text)), known, NULL, out);
}

static struct alias *
good(const char *text)
{
	struct alias *a = NULL;

	if (parse(text, &a) != OK)
		fail_msg("%s", buf_cstr(&logged));
	return a;
}

/* Every row is refused, with its words. */
struct bad {
	const char *text, *says;
};

static void
all_refused(const struct bad *row, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct alias *a = NULL;

		assert_int_equal(parse(row[i].text, &a), ERR_INPUT);
		assert_null(a);
		if (strstr(buf_cstr(&logged), row[i].says) == NULL)
			fail_msg("%s: %s", row[i].says, buf_cstr(&logged));
	}
}
#define ALL_REFUSED(rows) all_refused(rows, sizeof(rows) / sizeof(*(rows)))

#define CA   "[scep]\noperationmode = ca\ncas = A\n"	    /* 3 lines */
#define RA   "[scep]\noperationmode = ra\n"		    /* 2 lines */
#define DOOR "[ra]\ndefaultca = B\nauthpwd = \"se;cret\"\n" /* 3 lines */
#define ASK  "[approval]\nrequired = 0\n"		    /* 2 lines */

static void
has_defaults(void **state)
{
	static const char *const ignored[] = { "unstructuredName",
		"serialNumber" };
	const char *const texts[] = { CA, RA DOOR ASK };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct alias *a = good(texts[i]);

		assert_int_equal(a->mode, i == 0 ? MODE_CA : MODE_RA);
		assert_true(a->renewal.on);
		assert_false(a->renewal.oldkey || a->renewal.challenge);
		assert_int_equal(a->renewal.window.percent, 50);
		assert_int_equal(a->renewal.nignore, 2);
		for (int k = 0; k < 2; k++)
			assert_string_equal(a->renewal.ignore[k], ignored[k]);
		assert_int_equal(a->renewal.supersede, SUPERSEDE_NO);
		assert_int_equal(a->renewal.ncas, 0);
		assert_string_equal(a->ra.entityprofile, "EMPTY");
		assert_string_equal(a->ra.profile, "ENDUSER");
		assert_int_equal(a->ra.scheme, NAMEGEN_DN);
		assert_string_equal(a->ra.parameters, "CN");
		assert_string_equal(a->ra.prefix, "");
		assert_string_equal(a->ra.postfix, "");
		assert_int_equal(a->ra.existing, EXISTING_RENEW);
		assert_false(a->ra.nocheck);
		assert_int_equal(a->approval.required, 0);
		assert_false(a->approval.renewals);
		assert_int_equal(a->approval.expiry, 30 * DAY);
		assert_int_equal(a->approval.denied, 7 * DAY);
		assert_int_equal(a->approval.limit, 1000);
		assert_int_equal(a->approval.persource, 0);
		alias_free(a);
	}
}

static void
reads_the_ra(void **state)
{
	struct alias *a;

	(void)state;
	a = good(RA "[ra]\ndefaultca = B\nauthpwd = 'a\"b'\n"
		    "entityprofile = routers\ncertificateprofile = vpn\n"
		    "namegenerationscheme = fixed\n"
		    "namegenerationparameters = \"UID;SN\"\n"
		    "namegenerationprefix = \"a-${RANDOM}-\"\n"
		    "namegenerationpostfix = $x\nexisting = edit\n" ASK);
	assert_string_equal(buf_cstr(&a->ra.secret), "a\"b");
	assert_true(a->ra.secret.secret);
	assert_string_equal(a->ra.entityprofile, "routers");
	assert_string_equal(a->ra.profile, "vpn");
	assert_int_equal(a->ra.scheme, NAMEGEN_FIXED);
	assert_string_equal(a->ra.parameters, "UID;SN");
	assert_string_equal(a->ra.prefix, "a-${RANDOM}-");
	assert_string_equal(a->ra.postfix, "$x");
	assert_int_equal(a->ra.existing, EXISTING_EDIT);
	alias_free(a);
	a = good(RA "[ra]\ndefaultca = B\nauthpwd = none\nexisting = refuse\n"
		    "namegenerationparameters =\n"
		    "namegenerationscheme = USERNAME\n[approval]\n"
		    "required = 2\nrenewals = yes\nexpiry = 12h\ndenied = 60m\n"
		    "limit = 5\npersource = 3\n");
	assert_true(a->ra.nocheck);
	assert_int_equal(a->ra.secret.len, 0);
	assert_string_equal(a->ra.parameters, "");
	assert_int_equal(a->ra.scheme, NAMEGEN_USERNAME);
	assert_int_equal(a->ra.existing, EXISTING_REFUSE);
	assert_int_equal(a->approval.required, 2);
	assert_true(a->approval.renewals);
	assert_int_equal(a->approval.expiry, 12 * 3600);
	assert_int_equal(a->approval.denied, 3600);
	assert_int_equal(a->approval.limit, 5);
	assert_int_equal(a->approval.persource, 3);
	alias_free(a);
}

/* defaultca is the CA of GET operations, whatever stands in cas. */
static void
serves_its_ca(void **state)
{
	static const struct {
		const char *cas;
		size_t n;
		const char *first;
	} rows[] = { { "", 1, "B" }, { "cas = A, C\n", 3, "B" },
		{ "cas = A, B\n", 2, "A" } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf text = BUF_INIT;
		struct alias *a;

		assert_true(
		    buf_printf(&text, "%s%s%s", RA, rows[i].cas, DOOR ASK));
		a = good(buf_cstr(&text));
		assert_int_equal(a->ncas, rows[i].n);
		assert_string_equal(a->cas[0], rows[i].first);
		assert_string_equal(a->defaultca, "B");
		assert_true(alias_serves(a, "B"));
		assert_string_equal(alias_ca(a, span_of(NULL, 0)), "B");
		assert_string_equal(alias_ca(a, span_of("what", 4)), "B");
		alias_free(a);
		buf_release(&text);
	}
}

/* What opens a door must be written out; what means nothing is said so. */
static void
refuses_half_files(void **state)
{
	static const struct bad rows[] = {
		{ RA ASK "[ra]\nauthpwd = x\n", "[ra] defaultca is missing" },
		{ RA ASK "[ra]\ndefaultca = B\n", "[ra] authpwd is missing" },
		{ RA DOOR, "[approval] required is missing" },
		{ RA "defaultca = B\n" DOOR ASK,
		    "x.ini:3: defaultca: in RA mode it is [ra] defaultca" },
		{ RA "profile = vpn\n" DOOR ASK,
		    "x.ini:3: profile: in RA mode it is [ra] certificatepr" },
		{ RA DOOR "authpwdfile = f\n" ASK,
		    "x.ini:5: authpwd: authpwdfile is there too" },
		{ RA "[ra]\ndefaultca = Z\nauthpwd = x\n" ASK,
		    "x.ini:4: defaultca: Z is no CA" },
		{ RA "cas = A, Z\n" DOOR ASK, "x.ini:3: cas: Z is no CA" },
		{ RA "cas = 1,2,3,4,5,6,7,8,9,a,b,c,d,e,f,g,h,i,j,k\n" DOOR ASK,
		    "x.ini:3: cas: with [ra] defaultca it has too many" },
		{ RA DOOR "namegenerationscheme = FIXED\n" ASK,
		    "[ra] namegenerationparameters is missing" },
		{ RA DOOR "namegenerationscheme = FIXED\n"
			  "namegenerationparameters =\n" ASK,
		    "x.ini:7: namegenerationparameters: with FIXED it is" },
		{ CA "[ra]\nexisting = edit\n",
		    "x.ini:5: existing: [ra] counts with operationmode" },
		{ CA "[approval]\nrequired = 1\n",
		    "x.ini:5: required: in CA mode nobody approves" },
	};

	(void)state;
	ALL_REFUSED(rows);
}

static void
refuses_bad_values(void **state)
{
	static const struct bad rows[] = {
		{ RA "[ra]\ndefaultca = B\nauthpwd =\n" ASK,
		    "x.ini:5: authpwd: it must not be empty" },
		{ RA "[ra]\ndefaultca = B\nauthpwd = None\n" ASK,
		    "x.ini:5: authpwd: none is written in small letters" },
		{ RA DOOR "namegenerationscheme = X\n" ASK,
		    "x.ini:6: namegenerationscheme: it must be DN," },
		{ RA DOOR "namegenerationprefix = ${random}\n" ASK,
		    "x.ini:6: namegenerationprefix: the only ${...} is" },
		{ RA DOOR "namegenerationpostfix = ${RANDOM}${CN}\n" ASK,
		    "x.ini:6: namegenerationpostfix: the only" },
		{ RA DOOR "namegenerationpostfix = a${RANDOM\n" ASK,
		    "x.ini:6: namegenerationpostfix: the only" },
		{ RA DOOR "existing = yes\n" ASK, "x.ini:6: existing: it" },
		{ RA DOOR "entityprofile =\n" ASK,
		    "x.ini:6: entityprofile: it must not be empty" },
		{ RA DOOR "certificateprofile =\n" ASK,
		    "x.ini:6: certificateprofile: it must not be empty" },
		{ RA DOOR "authpassword = x\n" ASK,
		    "x.ini:6: authpassword: no such key" },
		{ RA DOOR "[approval]\nrequired = -1\n",
		    "x.ini:7: required: it must be a number from 0" },
		{ RA DOOR "[approval]\nrequired = 101\n", "x.ini:7: req" },
		{ RA DOOR "[approval]\nrequired =\n", "x.ini:7: req" },
		{ CA "[approval]\nrenewals = 2\n", "x.ini:5: renewals" },
		{ CA "[approval]\nexpiry = 0d\n", "x.ini:5: expiry" },
		{ CA "[approval]\nexpiry = 2027-01-31\n", "x.ini:5: expiry" },
		{ CA "[approval]\ndenied = 7\n",
		    "x.ini:5: denied: it must be a duration" },
		{ CA "[approval]\nlimit = 0\n",
		    "x.ini:5: limit: it must be a number from 1" },
		{ CA "[approval]\npersource = 1000001\n",
		    "x.ini:5: persource: it must be a number from 0" },
		{ CA "clientcertificaterenewal = 2\n", "x.ini:4: clientc" },
		{ CA "clientcertificaterenewalwitholdkey = 2\n",
		    "x.ini:4: clientcertificaterenewalwitholdkey: it must" },
		{ CA "[renewal]\nwindow = 100%\n", "x.ini:5: window" },
		{ CA "[renewal]\nwindow = %\n", "x.ini:5: window" },
		{ CA "[renewal]\nwindow = 50\n", "x.ini:5: window" },
		{ CA "[renewal]\nwindow = 0d\n", "x.ini:5: window" },
		{ CA "[renewal]\nrenewalignore = a,,b\n", "x.ini:5: ren" },
		{ CA "[renewal]\nsupersede = x\n",
		    "x.ini:5: supersede: it must be no, used or a" },
		{ CA "[renewal]\nsupersede = 99999d\n", "x.ini:5: super" },
		{ CA "[renewal]\ncas = A, Z\n", "x.ini:5: cas: Z is no CA" },
		{ CA "[renewal]\ncas =\n", "x.ini:5: cas: it has an empty" },
		{ CA "[renewal]\nchallenge = x\n", "x.ini:5: challenge" },
		{ CA "[renewal]\nwhat = x\n", "x.ini:5: what: no such key" },
	};

	(void)state;
	ALL_REFUSED(rows);
}

static void
reads_the_renewal(void **state)
{
	static const struct {
		const char *value;
		unsigned percent;
		int64_t before;
	} windows[] = { { "1%", 1, 0 }, { "99%", 99, 0 },
		{ "30d", 0, 30 * DAY }, { "12h", 0, DAY / 2 },
		{ "0%", 0, 36600 * DAY } };
	static const struct {
		const char *value;
		enum supersede how;
		int64_t after;
	} supersedes[] = { { "no", SUPERSEDE_NO, 0 },
		{ "used", SUPERSEDE_USED, 0 },
		{ "7d", SUPERSEDE_DAYS, 7 * DAY },
		{ "7", SUPERSEDE_DAYS, 7 * DAY }, { "0d", SUPERSEDE_DAYS, 0 },
		{ "2h", SUPERSEDE_DAYS, 7200 } };
	struct alias *a;

	(void)state;
	a = good(CA "clientcertificaterenewal = no\n"
		    "clientcertificaterenewalwitholdkey = yes\n[renewal]\n"
		    "renewalignore = E , 1.2.3\ncas = A, C\n"
		    "challenge = yes\n");
	assert_false(a->renewal.on);
	assert_true(a->renewal.oldkey && a->renewal.challenge);
	assert_int_equal(a->renewal.nignore, 2);
	assert_string_equal(a->renewal.ignore[0], "E");
	assert_string_equal(a->renewal.ignore[1], "1.2.3");
	assert_int_equal(a->renewal.ncas, 2);
	assert_string_equal(a->renewal.cas[1], "C");
	assert_false(alias_serves(a, "C"));
	alias_free(a);
	a = good(CA "[renewal]\nrenewalignore =\n");
	assert_int_equal(a->renewal.nignore, 0);
	alias_free(a);
	for (size_t i = 0; i < sizeof(windows) / sizeof(*windows); i++) {
		struct buf text = BUF_INIT;

		assert_true(buf_printf(
		    &text, CA "[renewal]\nwindow = %s\n", windows[i].value));
		a = good(buf_cstr(&text));
		assert_int_equal(a->renewal.window.percent, windows[i].percent);
		assert_int_equal(a->renewal.window.before, windows[i].before);
		alias_free(a);
		buf_release(&text);
	}
	for (size_t i = 0; i < sizeof(supersedes) / sizeof(*supersedes); i++) {
		struct buf text = BUF_INIT;

		assert_true(buf_printf(&text, CA "[renewal]\nsupersede = %s\n",
		    supersedes[i].value));
		a = good(buf_cstr(&text));
		assert_int_equal(a->renewal.supersede, supersedes[i].how);
		assert_int_equal(
		    a->renewal.supersede_after, supersedes[i].after);
		alias_free(a);
		buf_release(&text);
	}
}

/* Not even of a file with errors in every line. */
static void
never_logs_secrets(void **state)
{
	static const char text[] =
	    RA "[ra]\ndefaultca = Z\nauthpwd = hush1\nauthpwdfile = f\n"
	       "existing = x\n[approval]\n";
	struct alias *a = NULL;
	char longest[600];

	(void)state;
	assert_int_equal(parse(text, &a), ERR_INPUT);
	assert_null(strstr(buf_cstr(&logged), "hush"));
	(void)snprintf(longest, sizeof(longest),
	    RA "[ra]\ndefaultca = B\nauthpwd = hush%0252d\n" ASK, 1);
	assert_int_equal(parse(longest, &a), ERR_INPUT);
	assert_non_null(strstr(buf_cstr(&logged), "longer than 255 bytes"));
	assert_null(strstr(buf_cstr(&logged), "hush"));
	for (const struct alias_key *k = alias_keys; k->section; k++)
		assert_int_equal(alias_key_secret(k->section, k->key),
		    strcmp(k->key, "authpwd") == 0 ||
			strcmp(k->key, "aadappkey") == 0 ||
			strcmp(k->key, "proxypass") == 0);
}

/* ---- authpwdfile ----------------------------------------------------- */

static char path[200];
static int home = -1;

static int
setup_home(void **state)
{
	home = cli_tmpdir(path, sizeof(path));
	assert_true(home >= 0);
	assert_int_equal(dir_make(home, "aliases"), OK);
	return logged_setup(state);
}

static int
teardown_home(void **state)
{
	(void)close(home);
	cli_remove(path);
	return logged_teardown(state);
}

/* Without a second of quiet to wait for. */
static void
put_file(const char *name, const char *text, mode_t mode)
{
	assert_int_equal(
	    file_replace(home, name, span_of(text, strlen(text)), mode), OK);
}

#define FILED RA "[ra]\ndefaultca = B\nauthpwdfile = s\n" ASK

static void
reads_the_file(void **state)
{
	struct buf text = BUF_INIT;
	struct alias *a = good(FILED);

	(void)state;
	assert_string_equal(a->ra.secretfile, "s");
	assert_int_equal(a->ra.secret.len, 0);
	put_file("s", "  pass word#;\"  \r\nmore\n", 0640);
	assert_int_equal(alias_secret(home, a), OK);
	assert_string_equal(buf_cstr(&a->ra.secret), "  pass word#;\"  ");
	assert_true(a->ra.secret.secret);
	put_file("s", "other", 0400);
	assert_int_equal(alias_secret(home, a), OK);
	assert_string_equal(buf_cstr(&a->ra.secret), "other");
	alias_free(a);
	assert_true(buf_printf(
	    &text, RA "[ra]\ndefaultca = B\nauthpwdfile = %s/s\n" ASK, path));
	a = good(buf_cstr(&text));
	assert_int_equal(alias_secret(home, a), OK);
	assert_string_equal(buf_cstr(&a->ra.secret), "other");
	alias_free(a);
	buf_release(&text);
}

static void
refuses_bad_secret_files(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		const char *says;
	} rows[] = {
		{ "secret1\n", 0644, "mode 0644 of s lets others" },
		{ "secret1\n", 0620, "mode 0620 of s" },
		{ "secret1\n", 0602, "mode 0602 of s" },
		{ "\nsecret1\n", 0600, "the first line of s is empty" },
		{ "", 0600, "the first line of s is empty" },
		{ "none\n", 0600, "write authpwd = none" },
	};
	struct alias *a = good(FILED);
	char longest[300];

	(void)state;
	assert_int_equal(alias_secret(home, a), ERR_INPUT);
	assert_non_null(strstr(buf_cstr(&logged), "there is no s"));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		put_file("s", "before", 0600);
		assert_int_equal(alias_secret(home, a), OK);
		buf_clear(&logged);
		put_file("s", rows[i].text, rows[i].mode);
		assert_int_equal(alias_secret(home, a), ERR_INPUT);
		assert_int_equal(a->ra.secret.len, 0);
		if (strstr(buf_cstr(&logged), rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].says, buf_cstr(&logged));
		assert_null(strstr(buf_cstr(&logged), "secret1"));
	}
	(void)snprintf(longest, sizeof(longest), "%0256d\n", 1);
	put_file("s", longest, 0600);
	assert_int_equal(alias_secret(home, a), ERR_INPUT);
	assert_int_equal(file_unlink(home, "s"), OK);
	assert_int_equal(dir_make(home, "s"), OK);
	assert_int_equal(alias_secret(home, a), ERR_INPUT);
	assert_int_equal(dir_remove(home, "s"), OK);
	put_file("t", "secret1\n", 0600);
	assert_int_equal(symlinkat("t", home, "s"), 0);
	assert_int_equal(alias_secret(home, a), ERR_INPUT);
	alias_free(a);
}

static const char *
secret_of(struct aliases *as)
{
	const struct alias *a = NULL;

	assert_int_equal(aliases_find(as, "a", &a), OK);
	return buf_cstr(&a->ra.secret);
}

/* The alias's own file stays as it is while its secret changes. */
static void
notices_another_secret(void **state)
{
	const struct alias *a = NULL;
	struct aliases *as = NULL;

	(void)state;
	put_file("aliases/a.ini", FILED, 0640);
	assert_int_equal(aliases_new(home, &as), OK);
	assert_int_equal(aliases_find(as, "a", &a), ERR_SYSTEM);
	assert_null(a);
	assert_true(logged.len > 0);
	buf_clear(&logged);
	assert_int_equal(aliases_find(as, "a", &a), ERR_SYSTEM);
	assert_int_equal(logged.len, 0); /* said once a minute */
	put_file("s", "one\n", 0600);
	assert_string_equal(secret_of(as), "one");
	put_file("s", "two\n", 0600);
	assert_string_equal(secret_of(as), "two");
	/* as long as somebody writes, the last good one counts */
	put_file("s", "three\n", 0600);
	assert_int_equal(utimensat(home, "s", NULL, 0), 0);
	assert_string_equal(secret_of(as), "two");
	put_file("s", "three\n", 0600);
	assert_string_equal(secret_of(as), "three");
	assert_int_equal(fchmodat(home, "s", 0604, 0), 0);
	assert_int_equal(aliases_find(as, "a", &a), ERR_SYSTEM);
	assert_int_equal(fchmodat(home, "s", 0600, 0), 0);
	assert_string_equal(secret_of(as), "three");
	assert_int_equal(file_unlink(home, "s"), OK);
	assert_int_equal(aliases_find(as, "a", &a), ERR_SYSTEM);
	aliases_free(as);
}

/* Before the first good one there is none to go on with. */
static void
waits_for_a_writer(void **state)
{
	const struct alias *a = NULL;
	struct aliases *as = NULL;

	(void)state;
	put_file("aliases/a.ini", FILED, 0640);
	put_file("s", "one\n", 0600);
	assert_int_equal(utimensat(home, "s", NULL, 0), 0);
	assert_int_equal(aliases_new(home, &as), OK);
	assert_int_equal(aliases_find(as, "a", &a), ERR_BUSY);
	assert_null(a);
	put_file("s", "one\n", 0600);
	assert_string_equal(secret_of(as), "one");
	aliases_free(as);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    has_defaults, logged_setup, logged_teardown),
		cmocka_unit_test_setup_teardown(
		    reads_the_ra, logged_setup, logged_teardown),
		cmocka_unit_test_setup_teardown(
		    serves_its_ca, logged_setup, logged_teardown),
		cmocka_unit_test_setup_teardown(
		    refuses_half_files, logged_setup, logged_teardown),
		cmocka_unit_test_setup_teardown(
		    refuses_bad_values, logged_setup, logged_teardown),
		cmocka_unit_test_setup_teardown(
		    reads_the_renewal, logged_setup, logged_teardown),
		cmocka_unit_test_setup_teardown(
		    never_logs_secrets, logged_setup, logged_teardown),
		cmocka_unit_test_setup_teardown(
		    reads_the_file, setup_home, teardown_home),
		cmocka_unit_test_setup_teardown(
		    refuses_bad_secret_files, setup_home, teardown_home),
		cmocka_unit_test_setup_teardown(
		    notices_another_secret, setup_home, teardown_home),
		cmocka_unit_test_setup_teardown(
		    waits_for_a_writer, setup_home, teardown_home),
	};

	return cmocka_run_group_tests_name("alias ra", tests, NULL, NULL);
}
