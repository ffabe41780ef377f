/* Files of certificate profiles: what they say, and what they cannot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/ini.h"
#include "base/log.h"
#include "base/time.h"
#include "ca/der.h"
#include "tests/unit/cli.h"
#include "tests/unit/shipped.h"

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

#define HEAD "[certificate]\n"

static enum err
parse(const char *text, struct profile **out)
{
	return profile_parse("x", "x.ini", span_of(text, strlen(text)), out);
}

static void
has_defaults(void **state)
{
	struct profile *p = NULL;

	(void)state;
	assert_int_equal(parse("", &p), OK);
	assert_string_equal(p->name, "x");
	assert_int_equal(p->validity, 730 * DAY);
	assert_int_equal(p->backdate, 600);
	assert_int_equal(p->keys,
	    KEYS_RSA | KEYS_P256 | KEYS_P384 | KEYS_P521 | KEYS_ED25519);
	assert_int_equal(p->min_rsa, 2048);
	assert_int_equal(p->max_rsa, 8192);
	assert_int_equal(
	    p->usage_rsa, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
	assert_int_equal(p->usage_ec, KU_DIGITAL_SIGNATURE);
	assert_string_equal(p->eku[0], "1.3.6.1.5.5.7.3.2");
	assert_null(p->eku[1]);
	assert_null(p->copy[0]);
	assert_false(p->copy_usage || p->copy_eku);
	assert_int_equal(p->npolicies, 0);
	assert_non_null(strstr(p->url[URL_CRL][0], "${ca}"));
	assert_null(p->url[URL_OCSP][0]);
	assert_null(p->template.oid);
	assert_null(p->template.name);
	profile_free(p);
}

static void
reads_every_key(void **state)
{
	struct profile *p = NULL;

	(void)state;
	assert_int_equal(
	    parse(HEAD
		"Validity = 2y\nbackdate = 0s\nkeys = RSA , p-256\n"
		"minrsa = 1024\nmaxrsa = 4096\n"
		"keyusage = nonRepudiation, DIGITALSIGNATURE\n"
		"keyusageec = keyAgreement\n"
		"eku = serverAuth, 1.2.3.4\n"
		"copy = keyUsage, extendedKeyUsage, sid, 1.2.3\n"
		"policies = 1.2.3 http://x/cps, 1.2.4\n"
		"crlurl = http://a/${ca}/${generation}  ldap://b/CN=x,O=y\n"
		"caissuersurl = none\nocspurl = ${baseurl}/ocsp\n"
		"mstemplate = 1.2.5 4294967295 0\n"
		"mstemplatename = User\n",
		&p),
	    OK);
	assert_int_equal(p->validity, 730 * DAY);
	assert_int_equal(p->backdate, 0);
	assert_int_equal(p->keys, KEYS_RSA | KEYS_P256);
	assert_int_equal(p->min_rsa, 1024);
	assert_int_equal(p->max_rsa, 4096);
	assert_int_equal(
	    p->usage_rsa, KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION);
	assert_int_equal(p->usage_ec, KU_KEY_AGREEMENT);
	assert_string_equal(p->eku[1], "1.2.3.4");
	assert_true(p->copy_usage && p->copy_eku);
	assert_string_equal(p->copy[0], "1.3.6.1.4.1.311.25.2");
	assert_string_equal(p->copy[1], "1.2.3");
	assert_int_equal(p->npolicies, 2);
	assert_string_equal(p->policy[0].oid, "1.2.3");
	assert_string_equal(p->policy[0].cps, "http://x/cps");
	assert_null(p->policy[1].cps);
	assert_string_equal(p->url[URL_CRL][1], "ldap://b/CN=x,O=y");
	assert_null(p->url[URL_ISSUER][0]);
	assert_string_equal(p->url[URL_OCSP][0], "${baseurl}/ocsp");
	assert_int_equal(p->template.major, UINT32_MAX);
	assert_string_equal(p->template.name, "User");
	profile_free(p);
	p = NULL;
	assert_int_equal(
	    parse(HEAD "validity = 2030-01-01\neku = none\n", &p), OK);
	assert_int_equal(p->validity, 0);
	assert_int_equal(p->until, 1893456000);
	assert_null(p->eku[0]);
	profile_free(p);
}

/*
 * What is wrong is said with its line; nothing of the file counts.  No file
 * gives what is a CA's (C-178).
 */
static void
refuses_bad_files(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "[entities]\nx = y\n", "x.ini:2: x: no such section" },
		{ HEAD "ekus = clientAuth\n", "x.ini:2: ekus: no such key" },
		{ HEAD "eku = clientAuth\neku = none\n", "x.ini:3" },
		{ HEAD "validity = 0d\n", "from 1s to 100y" },
		{ HEAD "validity = 101y\n", "from 1s to 100y" },
		{ HEAD "validity = -1d\n", "x.ini:2: validity: it must be" },
		{ HEAD "validity = 2030-02-30\n", "it must be a time" },
		{ HEAD "validity =\n", "it must be a time" },
		{ HEAD "backdate = 31d\n", "backdate: it must be" },
		{ HEAD "backdate = 2026-01-01\n", "backdate: it must be" },
		{ HEAD "keys = none\n", "keys: it must not be empty" },
		{ HEAD "keys = rsa, dsa\n", "keys: there are rsa" },
		{ HEAD "keys = rsa,\n", "empty item" },
		{ HEAD "minrsa = 512\n", "from 1024 to 8192" },
		{ HEAD "minrsa = 2048k\n", "from 1024 to 8192" },
		{ HEAD "maxrsa = 16384\n", "from 1024 to 8192" },
		{ HEAD "maxrsa = 1024\n", "minrsa is more than maxrsa" },
		{ HEAD "keyusage = digitalSignature, keyCertSign\n",
		    "keyusage: it is a CA's" },
		{ HEAD "keyusage = crlsign\n", "it is a CA's" },
		{ HEAD "keyusage = none\n", "must not be empty" },
		{ HEAD "keyusage =\n", "must not be empty" },
		{ HEAD "keyusage = signing\n", "there are digitalSignature" },
		{ HEAD "keyusageec = keyEncipherment\n", "cannot encipher" },
		{ HEAD "eku = clientauthentication\n", "no such usage" },
		{ HEAD "eku = clientAuth, 1.3.6.1.5.5.7.3.2\n", "twice" },
		{ HEAD "eku = 1.1,1.2,1.3,1.4,1.5,1.6,1.7,1.8,1.9,1.10,1.11,"
		       "1.12,1.13,1.14,1.15,1.16,1.17\n",
		    "too many" },
		{ HEAD "eku = 9.9.9\n", "no such usage" },
		{ HEAD "copy = basicConstraints\n",
		    "copy: there are keyUsage" },
		{ HEAD "copy = 2.5.29.19\n", "standard extensions" },
		{ HEAD "copy = 2.5.29.30\n", "standard extensions" },
		{ HEAD "copy = 2.5.29.35\n", "standard extensions" },
		{ HEAD "copy = 1.3.6.1.5.5.7.1.1\n", "authorityInfoAccess" },
		{ HEAD "copy = 1.3.6.1.5.5.7.1.14\n", "a right to issue" },
		{ HEAD "copy = 1.3.6.1.4.1.311.21.7\n", "mstemplate sets it" },
		{ HEAD "copy = 2.16.840.1.113730.1.1\n", "Netscape" },
		{ HEAD "copy = 1.2.840.113549.1.9.7\n", "a secret" },
		{ HEAD "copy = 1.3.6.1.4.1.11129.2.4.3\n", "(CT)" },
		{ HEAD "policies = 2.5.29.32.0\n", "anyPolicy" },
		{ HEAD "policies = 2.5.29.032.00\n", "anyPolicy" },
		{ HEAD "policies = 1.2.3, 1.2.3\n", "twice" },
		{ HEAD "policies = http://x/cps\n", "a dotted OID" },
		{ HEAD "policies = 1.2.3 cps\n", "URI of its CPS" },
		{ HEAD "crlurl = ftp://x/y\n", "a URL begins with" },
		{ HEAD "crlurl = http://x/${name}\n", "${generation}" },
		{ HEAD "crlurl = http://x/\xc3\xa4\n", "a URL begins with" },
		{ HEAD "ocspurl =\n", "write none" },
		{ HEAD "ocspurl = http://1 http://2 http://3 http://4 http://5",
		    "too many" },
		{ HEAD "mstemplate = 1.2.3\n", "OID MAJOR MINOR" },
		{ HEAD "mstemplate = 1.2.3 1 4294967296\n", "OID MAJOR" },
		{ HEAD "mstemplate = 1.2.3 1 2 3\n", "OID MAJOR" },
		{ HEAD "mstemplatename =\n", "1 to 64 characters" },
		{ HEAD "mstemplatename = \xc3\xa4\n", "plain ASCII" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct profile *p = NULL;

		buf_clear(&logged);
		if (parse(rows[i].text, &p) != ERR_INPUT)
			fail_msg("taken: %s", rows[i].text);
		assert_null(p);
		if (strstr(buf_cstr(&logged), rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].says, buf_cstr(&logged));
	}
}

static void
reports_all_errors(void **state)
{
	struct profile *p = NULL;

	(void)state;
	assert_int_equal(
	    parse(HEAD "eku = x\nkeys = y\ncopy = z\n", &p), ERR_INPUT);
	assert_non_null(strstr(buf_cstr(&logged), "x.ini:2"));
	assert_non_null(strstr(buf_cstr(&logged), "x.ini:3"));
	assert_non_null(strstr(buf_cstr(&logged), "x.ini:4"));
}

/* profiles/example.ini names every key, with its default where it has one. */
static void
example_is_complete(void **state)
{
	struct buf text = BUF_INIT, all = BUF_INIT;
	const struct profile_key *key;
	struct profile *p = NULL;
	struct ini *ini = NULL;
	char *line, *rest;
	size_t n = 0;

	(void)state;
	assert_int_equal(
	    file_read(AT_FDCWD, "profiles/example.ini", MAX_INI, &text), OK);
	rest = (char *)text.data;
	while ((line = strsep(&rest, "\n")) != NULL) {
		bool example = line[0] == ';' && line[1] != ' ' && line[1];

		assert_true(buf_str(&all, line + (example ? 1 : 0)));
		assert_true(buf_byte(&all, '\n'));
	}
	assert_int_equal(profile_parse("e", "e.ini", buf_span(&all), &p), OK);
	profile_free(p);
	assert_int_equal(ini_parse("e.ini", buf_span(&all), &ini), OK);
	for (; (key = profile_key_at(n)) != NULL; n++) {
		const struct ini_entry *entry =
		    ini_find(ini, key->section, key->key);

		if (entry == NULL)
			fail_msg("example.ini lacks %s", key->key);
		if (key->fallback != NULL && strcmp(key->fallback, "none") != 0)
			assert_string_equal(entry->value, key->fallback);
	}
	assert_int_equal(ini->n, n);
	ini_free(ini);
	buf_release(&text);
	buf_release(&all);
}

/* Each is what its file in the tree says, and none takes 1024 bits. */
static void
shipped_are_good(void **state)
{
	static const char *const names[] = { "EMPTY", "ENDUSER", "mdm-device",
		"router", "tls-client", "tls-server", "vpn" };
	size_t n = sizeof(names) / sizeof(*names);
	const char *name = NULL;
	struct span text;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct buf path = BUF_INIT, file = BUF_INIT;
		const struct profile *p = shipped(names[i]);

		assert_true(profile_shipped(i, &name, &text));
		assert_string_equal(name, names[i]);
		assert_true(buf_printf(&path, "profiles/%s.ini", name));
		assert_int_equal(
		    file_read(AT_FDCWD, buf_cstr(&path), MAX_INI, &file), OK);
		assert_true(span_eq(text, buf_span(&file)));
		assert_non_null(p);
		assert_true(p->min_rsa >= 2048);
		assert_null(p->copy[0]);
		buf_release(&path);
		buf_release(&file);
	}
	assert_false(profile_shipped(n, &name, &text));
	assert_string_equal(profile_shipped_name("enduser"), "ENDUSER");
	assert_string_equal(shipped("tls-server")->eku[0], "1.3.6.1.5.5.7.3.1");
	assert_int_equal(shipped("mdm-device")->validity, 365 * DAY);
}

static void
knows_names(void **state)
{
	static const struct {
		const char *name;
		bool good;
	} rows[] = { { "router", true }, { "a-B_9", true }, { "", false },
		{ "12345678901234567890123456789012", true },
		{ "123456789012345678901234567890123", false },
		{ "../router", false }, { "a.b", false }, { "a b", false },
		{ "example", false } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(profile_name_ok(rows[i].name), rows[i].good);
}

/* As an editor writes: in place, with the time of `ago` seconds before. */
static void
write_file(int home, const char *path, const char *text, int ago)
{
	struct timespec t[2] = { { time(NULL) - ago, 0 },
		{ time(NULL) - ago, 0 } };
	int fd = openat(home, path, O_WRONLY | O_CREAT | O_TRUNC, 0640);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(futimens(fd, t), 0);
	(void)close(fd);
}

/* The home's file, while it is good; else its last good version, or 503. */
static void
home_comes_first(void **state)
{
	const struct profile *p = NULL;
	struct profiles *ps = NULL;
	char dir[200];
	int home = cli_tmpdir(dir, sizeof(dir));

	(void)state;
	assert_int_equal(profiles_new(home, &ps), OK);
	assert_int_equal(profiles_find(ps, "router", &p), OK); /* no room */
	assert_int_equal(dir_make(home, "profiles"), OK);
	assert_int_equal(profiles_find(ps, "ROUTER", &p), OK);
	assert_string_equal(p->name, "router");
	assert_int_equal(p->validity, 730 * DAY);
	assert_int_equal(profiles_find(ps, "own", &p), ERR_NOTFOUND);
	assert_int_equal(profiles_find(ps, "../own", &p), ERR_NOTFOUND);
	write_file(home, "profiles/own.ini", HEAD "eku = x\n", 9);
	assert_int_equal(profiles_find(ps, "own", &p), ERR_SYSTEM);
	assert_non_null(
	    strstr(buf_cstr(&logged), "profiles/own.ini:2: eku: no such"));
	write_file(home, "profiles/router.ini", HEAD "validity = 9d\n", 0);
	assert_int_equal(profiles_find(ps, "router", &p), ERR_BUSY);
	write_file(home, "profiles/router.ini", HEAD "validity = 9d\n", 9);
	assert_int_equal(profiles_find(ps, "Router", &p), OK);
	assert_int_equal(p->validity, 9 * DAY);
	write_file(home, "profiles/router.ini", HEAD "validity = x\n", 8);
	assert_int_equal(profiles_find(ps, "router", &p), OK);
	assert_int_equal(p->validity, 9 * DAY);
	assert_int_equal(unlinkat(home, "profiles/router.ini", 0), 0);
	assert_int_equal(profiles_find(ps, "router", &p), OK);
	assert_int_equal(p->validity, 730 * DAY);
	profiles_free(ps);
	(void)close(home);
	cli_remove(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(has_defaults, setup),
		cmocka_unit_test_setup(reads_every_key, setup),
		cmocka_unit_test_setup(refuses_bad_files, setup),
		cmocka_unit_test_setup(reports_all_errors, setup),
		cmocka_unit_test_setup(example_is_complete, setup),
		cmocka_unit_test_setup(shipped_are_good, setup),
		cmocka_unit_test_setup(knows_names, setup),
		cmocka_unit_test_setup(home_comes_first, setup),
	};

	return cmocka_run_group_tests_name("profile", tests, setup, teardown);
}
