/* CAs on disk: made, loaded, current; and what they issue. */
#include "tests/unit/home.h"

/* C-35, C-196: what a root of our own may do. */
static void
test_create(void **state)
{
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(mode_of("ca/Test%20CA/1/key.pem"), 0400);
	assert_int_equal(mode_of("ca/Test%20CA/1/cert.pem"), 0640);
	assert_int_equal(mode_of("ca/Test%20CA/1"), 0750);
	assert_int_equal(
	    CLI(&out, "ls", "-A", at("ca"), at("ca/Test%20CA/1")), 0);
	assert_null(strstr(buf_cstr(&out), ".new-"));
	assert_null(strstr(buf_cstr(&out), "chain.pem"));
	buf_clear(&out);
	assert_int_equal(CLI(&out, "openssl", "x509", "-noout", "-text", "-in",
			     at("ca/Test%20CA/1/cert.pem")),
	    0);
	assert_non_null(strstr(buf_cstr(&out), "CA:TRUE"));
	assert_non_null(strstr(buf_cstr(&out),
	    "Digital Signature, Key Encipherment, Certificate Sign, CRL Sign"));
	assert_non_null(
	    strstr(buf_cstr(&out), "Subject: CN = Test CA, O = Lab, C = SE"));
	buf_clear(&out);
	assert_int_equal(
	    CLI(&out, "openssl", "verify", "-x509_strict", "-check_ss_sig",
		"-CAfile", at("ca/Test%20CA/1/cert.pem"),
		at("ca/Test%20CA/1/cert.pem")),
	    0);
	buf_release(&out);
}

static void
test_create_refused(void **state)
{
	char name[400];

	(void)state;
	assert_int_equal(create("Test CA", "CN=x", "rsa:2048", 10), ERR_EXISTS);
	buf_clear(&logged);
	assert_int_equal(create("e", "", "rsa:2048", 10), ERR_INPUT);
	assert_true(said("subject"));
	assert_int_equal(create("e", "what", "rsa:2048", 10), ERR_INPUT);
	assert_int_equal(create("e", "CN=x", "rsa:1024", 10), ERR_INPUT);
	assert_int_equal(create("e", "CN=x", "rsa:2048", 0), ERR_INPUT);
	assert_int_equal(create("e", "CN=x", "rsa:2048", 99999), ERR_INPUT);
	assert_int_equal(create("", "CN=x", "rsa:2048", 10), ERR_INPUT);
	buf_clear(&logged);
	memset(name, 'a', sizeof(name));
	name[201] = '\0';
	assert_int_equal(create(name, "CN=x", "rsa:2048", 10), ERR_INPUT);
	assert_true(said("200 bytes"));
	name[200] = '\0';
	memset(name, '/', 100);
	assert_int_equal(create(name, "CN=x", "rsa:2048", 10), ERR_INPUT);
	assert_int_equal(file_exists(home, "ca/e"), ERR_NOTFOUND);
	buf_clear(&logged);
}

static void
test_find(void **state)
{
	const struct ca *ca = NULL, *again = NULL;
	const struct generation *g;
	struct cas *cas = NULL;
	int64_t now = time_now();

	(void)state;
	assert_int_equal(cas_new(home, &cas), OK);
	assert_int_equal(cas_find(cas, "nosuch", &ca), ERR_NOTFOUND);
	assert_int_equal(cas_find(cas, "", &ca), ERR_NOTFOUND);
	assert_int_equal(cas_find(cas, "..", &ca), ERR_NOTFOUND);
	assert_int_equal(cas_find(cas, "Test CA/1", &ca), ERR_NOTFOUND);
	if (cas_find(cas, "Test CA", &ca) != OK)
		fail_msg("%s", buf_cstr(&logged));
	assert_string_equal(ca->name, "Test CA");
	assert_int_equal(ca->ngen, 1);
	assert_int_equal(cas_find(cas, "Test CA", &again), OK);
	assert_ptr_equal(ca, again);
	g = ca_current(ca, now);
	assert_non_null(g);
	assert_int_equal(g->n, 1);
	assert_true(g->self_signed);
	assert_int_equal(g->nchain, 0);
	assert_int_equal(g->ski.len, 20);
	/* create() read the clock itself, a moment earlier */
	assert_in_range(g->not_after - now, 3650 * DAY - 60, 3650 * DAY);
	assert_true(key_fits(g->key, g->spki));
	assert_null(ca_current(ca, g->not_before - 1));
	cas_free(cas);
	cas_free(NULL);
}

static void
move(const char *from, const char *to)
{
	assert_int_equal(rename(at(from), at(to)), 0);
}

/*
 * A second generation is seen at the next request; activation by time alone,
 * so that the next one is not served early (C-37).
 */
static void
test_generations(void **state)
{
	struct ca_order later = { .name = "Later",
		.subject = "CN=G",
		.key = "rsa:2048",
		.days = 100 };
	const struct ca *ca = NULL;
	struct cas *cas = NULL;
	int64_t now = time_now();

	(void)state;
	assert_int_equal(create("G", "CN=G", "rsa:2048", 100), OK);
	assert_int_equal(cas_new(home, &cas), OK);
	assert_int_equal(cas_find(cas, "G", &ca), OK);
	assert_int_equal(ca->ngen, 1);
	assert_int_equal(ca_create(home, &later, now + DAY), OK);
	move("ca/Later/1", "ca/G/10");
	assert_int_equal(create("Second", "CN=G", "rsa:2048", 100), OK);
	move("ca/Second/1", "ca/G/2");
	assert_int_equal(mkdir(at("ca/G/.new-x"), 0750), 0);
	assert_int_equal(mkdir(at("ca/G/03"), 0750), 0);
	cas_refresh(cas);
	assert_int_equal(cas_find(cas, "G", &ca), OK);
	assert_int_equal(ca->ngen, 3);
	assert_int_equal(ca->gen[2].n, 10);
	assert_int_equal(ca_current(ca, now)->n, 2);
	assert_int_equal(ca_current(ca, now + DAY)->n, 10);
	/* a broken generation is trouble, never skipped */
	assert_int_equal(mkdir(at("ca/G/11"), 0750), 0);
	cas_refresh(cas);
	buf_clear(&logged);
	assert_int_equal(cas_find(cas, "G", &ca), ERR_SYSTEM);
	assert_true(said("ca/G/11/cert.pem is missing"));
	cas_free(cas);
	cli_remove(at("ca/G"));
	cli_remove(at("ca/Later"));
	cli_remove(at("ca/Second"));
}

/* A folder that was quiet when read is kept; a change drops it. */
static void
test_refresh(void **state)
{
	struct timespec old[2] = { { 1700000000, 0 }, { 1700000000, 0 } };
	const struct ca *ca = NULL;
	struct cas *cas = NULL;
	const struct generation *gen;

	(void)state;
	assert_int_equal(create("R", "CN=R", "rsa:2048", 100), OK);
	assert_int_equal(utimensat(home, "ca/R", old, 0), 0);
	assert_int_equal(cas_new(home, &cas), OK);
	assert_int_equal(cas_find(cas, "R", &ca), OK);
	gen = ca->gen;
	cas_refresh(cas);
	assert_int_equal(cas_find(cas, "R", &ca), OK);
	assert_ptr_equal(ca->gen, gen);
	cli_remove(at("ca/R"));
	cas_refresh(cas);
	assert_int_equal(cas_find(cas, "R", &ca), ERR_NOTFOUND);
	cas_free(cas);
}

static void
test_key_mismatch(void **state)
{
	const struct ca *ca = NULL;
	struct cas *cas = NULL;

	(void)state;
	assert_int_equal(create("K", "CN=K", "rsa:2048", 100), OK);
	OPENSSL("genpkey", "-algorithm", "RSA", "-out", at("other.pem"));
	assert_int_equal(unlink(at("ca/K/1/key.pem")), 0);
	move("other.pem", "ca/K/1/key.pem");
	assert_int_equal(cas_new(home, &cas), OK);
	buf_clear(&logged);
	assert_int_equal(cas_find(cas, "K", &ca), ERR_CRYPTO);
	assert_true(said("is not the key of its certificate"));
	cas_free(cas);
	cli_remove(at("ca/K"));
}

static void
test_names(void **state)
{
	char **name = NULL;
	size_t n = 0;
	char other[] = "/tmp/scep-unit-XXXXXX";
	int fd;

	(void)state;
	assert_int_equal(create("A", "CN=A", "rsa:2048", 100), OK);
	assert_int_equal(mkdir(at("ca/.new-0"), 0750), 0);
	assert_int_equal(ca_names(home, &name, &n), OK);
	assert_int_equal(n, 2);
	assert_string_equal(name[0], "A");
	assert_string_equal(name[1], "Test CA");
	for (size_t i = 0; i < n; i++)
		free(name[i]);
	free(name);
	assert_non_null(mkdtemp(other));
	fd = open(other, O_RDONLY | O_DIRECTORY);
	assert_int_equal(ca_names(fd, &name, &n), OK);
	assert_int_equal(n, 0);
	(void)close(fd);
	(void)rmdir(other);
	cli_remove(at("ca/A"));
	cli_remove(at("ca/.new-0"));
}

/* openssl(1) is the judge: verify, text, asn1parse; C-189: critical. */
static void
test_issue(void **state)
{
	struct buf pem = BUF_INIT, out = BUF_INIT;
	struct issued i = { .der = BUF_INIT };
	int64_t now = time_now();
	struct cert_view v;

	(void)state;
	issue("Test CA", now, OK, &i);
	assert_int_equal(strlen(i.serial), 32);
	assert_int_equal(i.not_after, now + 730 * DAY);
	assert_int_equal(i.not_before, now - 600);
	assert_int_equal(cert_view(buf_span(&i.der), &v), OK);
	assert_int_equal(v.not_after, i.not_after);
	assert_int_equal(v.not_before, i.not_before);
	assert_int_equal(v.serial.len, 16);
	assert_int_equal(cert_pem(buf_span(&i.der), &pem), OK);
	put("leaf.pem", buf_span(&pem));
	OPENSSL("verify", "-x509_strict", "-purpose", "sslclient", "-CAfile",
	    at("ca/Test%20CA/1/cert.pem"), at("leaf.pem"));
	assert_int_equal(CLI(&out, "openssl", "x509", "-noout", "-text", "-in",
			     at("leaf.pem")),
	    0);
	assert_non_null(strstr(buf_cstr(&out), "Version: 3 (0x2)"));
	assert_non_null(strstr(buf_cstr(&out), "CA:FALSE"));
	assert_non_null(
	    strstr(buf_cstr(&out), "DNS:r1.lab, IP Address:10.0.0.1"));
	assert_non_null(strstr(buf_cstr(&out),
	    "X509v3 Key Usage: critical\n                Digital Signature\n"));
	assert_non_null(strstr(buf_cstr(&out),
	    "TLS Web Client Authentication, E-mail Protection"));
	OPENSSL("asn1parse", "-in", at("leaf.pem"));
	issued_release(&i);
	buf_release(&pem);
	buf_release(&out);
}

/* C-183: positive, 16 bytes, never the same. */
static void
test_serials(void **state)
{
	char last[41] = "";

	(void)state;
	for (int n = 0; n < 40; n++) {
		struct issued i = { .der = BUF_INIT };
		struct cert_view v;

		issue("Test CA", time_now(), OK, &i);
		assert_int_equal(cert_view(buf_span(&i.der), &v), OK);
		assert_int_equal(v.serial.len, 16);
		assert_true(v.serial.p[0] > 0 && v.serial.p[0] < 0x80);
		assert_string_not_equal(i.serial, last);
		memcpy(last, i.serial, sizeof(last));
		issued_release(&i);
	}
}

/* C-186: cut at the CA's end, never before its beginning, refused outside. */
static void
test_validity(void **state)
{
	struct issued i = { .der = BUF_INIT };
	int64_t now = time_now();

	(void)state;
	assert_int_equal(create("Short", "CN=S", "rsa:2048", 100), OK);
	issue("Short", now, OK, &i);
	assert_true(i.not_after >= now + 100 * DAY &&
		    i.not_after <= now + 100 * DAY + 60);
	assert_true(i.not_before >= now - 600 && i.not_before <= now - 540);
	issued_release(&i);
	issue("Short", now - 300, OK, &i);
	assert_true(i.not_before >= now - 600);
	issued_release(&i);
	buf_clear(&logged);
	/* C-129: ahead of the CA's beginning, what begins with it */
	issue("Short", now - 30 * DAY, OK, &i);
	assert_true(i.not_before >= now - 600 && i.not_before <= now - 540);
	assert_true(i.not_after > i.not_before);
	issued_release(&i);
	issue("Short", now + 101 * DAY, ERR_REFUSED, &i);
	assert_true(said("nothing is issued"));
	cli_remove(at("ca/Short"));
}

static void
test_fingerprint(void **state)
{
	struct buf text = BUF_INIT;

	(void)state;
	assert_int_equal(fingerprint(span_of("abc", 3), FP_SHA1, &text), OK);
	assert_string_equal(buf_cstr(&text),
	    "A9:99:3E:36:47:06:81:6A:BA:3E:25:71:78:50:C2:6C:9C:D0:D8:9D");
	buf_clear(&text);
	assert_int_equal(fingerprint(span_of("abc", 3), FP_MD5, &text), OK);
	assert_string_equal(
	    buf_cstr(&text), "90:01:50:98:3C:D2:4F:B0:D6:96:3F:7D:28:E1:7F:72");
	buf_clear(&text);
	assert_int_equal(fingerprint(span_of("abc", 3), FP_SHA256, &text), OK);
	assert_int_equal(text.len, 95);
	buf_release(&text);
}

/* ca/ cannot be written: an error, and no key left about. */
static void
test_unwritable(void **state)
{
	char base[200];
	int other = cli_tmpdir(base, sizeof(base)), fd;
	struct ca_order o = {
		.name = "A", .subject = "CN=A", .key = "rsa:2048", .days = 10
	};

	(void)state;
	fd = openat(other, "ca", O_WRONLY | O_CREAT, 0600); /* a file */
	(void)close(fd);
	assert_true(ca_create(other, &o, time_now()) != OK);
	(void)close(other);
	cli_remove(base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create),
		cmocka_unit_test(test_create_refused),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_generations),
		cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_key_mismatch),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_issue),
		cmocka_unit_test(test_serials),
		cmocka_unit_test(test_validity),
		cmocka_unit_test(test_fingerprint),
		cmocka_unit_test(test_unwritable),
	};
	int failed;

	log_sink(keep_log, NULL);
	failed = cmocka_run_group_tests(tests, setup, teardown);
	buf_release(&logged);
	return failed;
}
