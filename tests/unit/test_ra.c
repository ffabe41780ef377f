/* RA certificates: made, loaded, chosen by time; what the key's door signs. */
#include "tests/unit/home.h"

#include <fcntl.h>
#include <openssl/x509v3.h>

#include "ca/chain.h"
#include "ca/generation.h"

static struct cas *cas;

static const struct ca *
find(const char *name)
{
	const struct ca *ca = NULL;

	cas_free(cas);
	cas = NULL;
	assert_int_equal(cas_new(home, &cas), OK);
	if (cas_find(cas, name, &ca) != OK)
		fail_msg("%s", buf_cstr(&logged));
	return ca;
}

static const struct ra_order plain = { .key = "rsa:2048", .days = 300 };
static const struct ra_order two = { .split = true,
	.key = "rsa:2048",
	.days = 300 };

static bool
names(struct span name, const char *text)
{
	struct buf got = BUF_INIT;
	bool same;

	assert_int_equal(dn_text(name, &got), OK);
	same = strcmp(buf_cstr(&got), text) == 0;
	if (!same)
		print_message("name: %s\n", buf_cstr(&got));
	buf_release(&got);
	return same;
}

/* openssl(1) is the judge; files and modes as scep-store(5) says. */
static void
test_made(void **state)
{
	int64_t now = time_now();
	const struct ca *ca = find("Test CA");
	const struct ra *ra;

	(void)state;
	assert_int_equal(ca->nra, 0);
	assert_null(ca_ra_current(ca, now));
	assert_ptr_equal(ca_signer(ca, now), &ca->gen[0]);
	assert_int_equal(ca_ra_renew(home, ca, &two, now), OK);
	/* somebody with the same view comes second, and leaves nothing */
	assert_int_equal(ca_ra_renew(home, ca, &plain, now), ERR_EXISTS);
	ca = find("Test CA");
	assert_int_equal(ca->nra, 1);
	ra = ca_ra_current(ca, now);
	assert_non_null(ra);
	assert_true(ra->split);
	assert_int_equal(ra->days, 300);
	assert_int_equal(ra->gen, 1);
	assert_int_equal(ra->enc.usage, KU_KEY_ENCIPHERMENT);
	assert_int_equal(ra->sign.usage, KU_DIGITAL_SIGNATURE);
	assert_true(
	    names(ra->enc.subject, "CN=Test CA RA encryption,O=Lab,C=SE"));
	assert_true(
	    names(ra->sign.subject, "CN=Test CA RA signing,O=Lab,C=SE"));
	assert_ptr_equal(ra_signer(ra), &ra->sign);
	assert_ptr_equal(ca_signer(ca, now), &ra->sign);
	assert_int_equal(ra->enc.not_after, now + 300 * DAY);
	OPENSSL("verify", "-x509_strict", "-CAfile",
	    at("ca/Test%20CA/1/cert.pem"), at("ca/Test%20CA/ra/1/cert.pem"),
	    at("ca/Test%20CA/ra/1/sign.pem"));
	assert_int_equal(mode_of("ca/Test%20CA/ra/1/key.pem"), 0400);
	assert_int_equal(mode_of("ca/Test%20CA/ra/1/sign-key.pem"), 0400);
	assert_int_equal(mode_of("ca/Test%20CA/ra/1/ra.ini"), 0640);
	assert_int_equal(mode_of("ca/Test%20CA/ra/1"), 0750);
}

static void
test_refused(void **state)
{
	struct ra_order ec = { .key = "ec:P-256", .days = 10 };
	struct ra_order never = { .key = "rsa:2048", .days = 0 };
	const struct ca *ca = find("Test CA");
	struct buf out = BUF_INIT;
	int64_t now = time_now();

	(void)state;
	buf_clear(&logged);
	assert_int_equal(ca_ra_renew(home, ca, &ec, now), ERR_REFUSED);
	assert_true(said("RSA key"));
	assert_int_equal(ca_ra_renew(home, ca, &never, now), ERR_INPUT);
	assert_int_equal(
	    ca_ra_renew(home, ca, &plain, now + 4000 * DAY), ERR_REFUSED);
	assert_true(said("the CA has expired"));
	assert_int_equal(CLI(&out, "ls", "-A", at("ca/Test%20CA/ra")), 0);
	assert_string_equal(buf_cstr(&out), "1\n");
	buf_release(&out);
}

/*
 * The clock alone decides which one is served (C-37), for how long it still
 * opens envelopes (C-83), and when it is renewed.
 */
static void
test_times(void **state)
{
	const struct ca *ca = find("Test CA");
	const struct ra *ra = &ca->ra[0];
	int64_t from = ra->enc.not_before, end = ra->enc.not_after;
	struct ra imported = *ra;
	struct ca other = *ca;

	(void)state;
	assert_null(ca_ra_current(ca, from - 1));
	assert_ptr_equal(ca_ra_current(ca, from), ra);
	assert_ptr_equal(ca_ra_current(ca, end - 1), ra);
	assert_null(ca_ra_current(ca, end));
	assert_false(ra_serves(ra, from - 1));
	assert_true(ra_serves(ra, end + RA_GRACE - 1));
	assert_false(ra_serves(ra, end + RA_GRACE));
	assert_false(ca_ra_due(ca, from + 199 * DAY));
	assert_true(ca_ra_due(ca, from + 201 * DAY));
	assert_true(ca_ra_due(ca, end + 100 * DAY));
	assert_false(ca_ra_due(ca, from - 1));
	assert_false(ca_ra_due(ca, ca->gen[0].not_after));
	/* an imported one is a person's */
	imported.days = 0;
	other.ra = &imported;
	assert_false(ca_ra_due(&other, from + 201 * DAY));
	/* as is one that cannot be made to last longer */
	imported.days = 300;
	imported.enc.not_after = ca->gen[0].not_after;
	assert_false(ca_ra_due(&other, imported.enc.not_after - DAY));
	/* and when the CA has a newer generation it is time at once */
	imported = *ra;
	imported.gen = 7;
	assert_true(ca_ra_due(&other, from + DAY));
	/* but no more than one a day, while it is valid */
	assert_false(ca_ra_due(&other, from + DAY - 1));
	imported.enc.not_after = from + 3600;
	assert_false(ca_ra_due(&other, from + 3599));
	assert_true(ca_ra_due(&other, from + 3600));
}

/*
 * A generation with the same name and key that waits ahead has issued no RA:
 * else each request would find the RA's issuer not to be the current one.
 */
static void
test_ahead(void **state)
{
	struct ca_order o = { .name = "Ahead",
		.subject = "CN=Ahead",
		.key = "ec:P-256",
		.days = 900 };
	int64_t now = time_now();
	const struct ca *ca;

	(void)state;
	assert_int_equal(ca_create(home, &o, now + 800 * DAY), OK);
	assert_int_equal(file_rename(home, "ca/Ahead/1", "ca/Ahead/2"), OK);
	cli_remove(at("ca/Ahead/ra"));
	assert_int_equal(mkdir(at("ca/Ahead/1"), 0750), 0);
	OPENSSL("req", "-x509", "-key", at("ca/Ahead/2/key.pem"), "-subj",
	    "/CN=Ahead", "-days", "900", "-out", at("ca/Ahead/1/cert.pem"));
	OPENSSL("pkey", "-in", at("ca/Ahead/2/key.pem"), "-out",
	    at("ca/Ahead/1/key.pem"));
	ca = find("Ahead");
	assert_int_equal(ca_ra_renew(home, ca, &plain, now + 3600), OK);
	ca = find("Ahead");
	assert_int_equal(ca->ngen, 2);
	assert_true(span_eq(ca->gen[0].ski, ca->gen[1].ski));
	assert_int_equal(ca->ra[0].gen, 1);
	assert_false(ca_ra_due(ca, now + 2 * DAY));
	cli_remove(at("ca/Ahead"));
}

/* Who issues for requests to it: the generation it is from, while that can. */
static void
test_issuer(void **state)
{
	const struct ca *ca = find("Test CA");
	struct generation gen[2] = { ca->gen[0], ca->gen[0] };
	struct ca both = { .gen = gen, .ngen = 2 };
	int64_t now = time_now();

	(void)state;
	gen[1].n = 2;
	assert_ptr_equal(ca_ra_issuer(&both, &ca->ra[0], now), &gen[0]);
	gen[0].not_after = now;
	assert_ptr_equal(ca_ra_issuer(&both, &ca->ra[0], now), &gen[1]);
	assert_null(ca_ra_issuer(&both, &ca->ra[0], gen[1].not_before - 1));
}

/* A request finds it due: the next one is as the last one was. */
static void
test_tend(void **state)
{
	static const char mark[] = "ca/Test%20CA/ra/.renewing";
	const struct ca *ca = find("Test CA");
	int64_t now = time_now();
	const struct timespec old[2] = { { .tv_sec = now - 130 },
		{ .tv_sec = now - 130 } };

	(void)state;
	cas_tend(cas, "Test CA", NULL, now);
	assert_int_equal(cas_find(cas, "Test CA", &ca), OK);
	assert_int_equal(ca->nra, 1);
	cas_tend(cas, "nosuch", NULL, now);
	/* somebody is at it: the old one goes on, and no key is made */
	assert_int_equal(mkdir(at(mark), 0750), 0);
	assert_false(cas_tend(cas, "Test CA", NULL, now + 250 * DAY));
	assert_int_equal(cas_find(cas, "Test CA", &ca), OK);
	assert_int_equal(ca->nra, 1);
	assert_int_equal(file_exists(home, mark), OK);
	/* no: that was a crash */
	assert_int_equal(utimensat(AT_FDCWD, at(mark), old, 0), 0);
	assert_true(cas_tend(cas, "Test CA", NULL, now + 250 * DAY));
	assert_int_equal(file_exists(home, mark), ERR_NOTFOUND);
	assert_int_equal(cas_find(cas, "Test CA", &ca), OK);
	assert_int_equal(ca->nra, 2);
	assert_true(ca->ra[1].split);
	assert_int_equal(ca->ra[1].days, 300);
	assert_int_equal(ca->ra[1].enc.not_after, now + 550 * DAY);
	assert_ptr_equal(ca_ra_current(ca, now + 250 * DAY), &ca->ra[1]);
	assert_ptr_equal(ca_ra_current(ca, now), &ca->ra[0]);
}

/* How often the log has that word. */
static unsigned
times_said(const char *what)
{
	const char *p = buf_cstr(&logged);
	unsigned n = 0;

	for (; (p = strstr(p, what)) != NULL; p++)
		n++;
	return n;
}

/*
 * What is broken is told once a load and left out: the CA and its other RAs
 * go on.  Its number stays taken, and mending it is seen.
 */
static void
test_broken(void **state)
{
	const struct ca *ca = NULL;

	(void)state;
	cas_free(cas);
	cas = NULL;
	put("ca/Test%20CA/ra/2/sign-key.pem", span_of("junk\n", 5));
	buf_clear(&logged);
	assert_int_equal(cas_new(home, &cas), OK);
	assert_int_equal(cas_find(cas, "Test CA", &ca), OK);
	assert_int_equal(ca->nra, 1);
	assert_int_equal(ca->ra[0].n, 1);
	assert_true(ca->ra_lost);
	assert_int_equal(ca->ra_top, 2);
	assert_int_equal(times_said("\n"), 1);
	assert_true(said("ra/2/sign-key.pem"));
	put("ca/Test%20CA/ra/1/ra.ini", span_of("[ra]\ndays = x\n", 14));
	cas_refresh(cas);
	assert_int_equal(cas_find(cas, "Test CA", &ca), OK);
	assert_int_equal(ca->nra, 0);
	assert_true(said("days must be"));
	assert_int_equal(ca_ra_renew(home, ca, &plain, time_now()), OK);
	put("ca/Test%20CA/ra/1/ra.ini", span_of("[ra]\ndays = 300\n", 16));
	assert_int_equal(unlink(at("ca/Test%20CA/ra/2/sign-key.pem")), 0);
	cas_refresh(cas);
	assert_int_equal(cas_find(cas, "Test CA", &ca), OK);
	assert_true(said("sign-key.pem is missing"));
	assert_int_equal(ca->nra, 2);
	assert_int_equal(ca->ra[1].n, 3);
	cli_remove(at("ca/Test%20CA/ra"));
}

/* Long names do not break the limit of a CN; none at all is no trouble. */
static void
test_names(void **state)
{
	static const struct {
		const char *ca, *ra;
	} t[] = {
		{ "O=No CN,C=SE", "CN=SCEP RA,O=No CN,C=SE" },
		{ "C=SE,O=Lab,CN=Back", "CN=Back RA,C=SE,O=Lab" },
		{ "CN=0123456789012345678901234567890123456789012345678901234"
		  "5678901",
		    "CN=SCEP RA" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		assert_int_equal(create("N", t[i].ca, "ec:P-256", 90), OK);
		assert_true(names(find("N")->ra[0].enc.subject, t[i].ra));
		cli_remove(at("ca/N"));
	}
}

/* C-180: the door signs RA certificates and nothing else by that name. */
static void
test_door(void **state)
{
	static const char *const eku[] = { "1.3.6.1.5.5.7.3.2", NULL };
	const struct ca *ca = find("Test CA");
	const struct generation *gen = &ca->gen[0];
	struct issue in = { .issuer = gen->subject,
		.authority = gen->ski,
		.subject = buf_span(&subject),
		.spki = buf_span(&spki),
		.serial = span_of("\x01", 1),
		.not_before = 1700000000,
		.not_after = 1800000000,
		.usage = KU_DIGITAL_SIGNATURE };
	struct buf der = BUF_INIT;

	(void)state;
	assert_int_equal(key_ra(gen->key, &in, &der), OK);
	in.usage = KU_KEY_CERT_SIGN | KU_DIGITAL_SIGNATURE;
	assert_int_equal(key_ra(gen->key, &in, &der), ERR_REFUSED);
	in.usage = KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT;
	assert_int_equal(key_ra(gen->key, &in, &der), ERR_REFUSED);
	in.usage = KU_KEY_ENCIPHERMENT;
	in.san = buf_span(&san);
	assert_int_equal(key_ra(gen->key, &in, &der), ERR_REFUSED);
	in.san = span_of(NULL, 0);
	in.eku = eku;
	assert_int_equal(key_ra(gen->key, &in, &der), ERR_REFUSED);
	buf_release(&der);
}

static void
count(const char *sentence, void *arg)
{
	(void)arg;
	(void)buf_printf(&logged, "%s\n", sentence);
}

/* C-35: what is missing, for whom, and what helps. */
static void
test_lacks(void **state)
{
	const unsigned both = KU_KEY_ENCIPHERMENT | KU_DIGITAL_SIGNATURE;
	struct generation gen = find("Test CA")->gen[0];
	struct ca ca = { .gen = &gen, .ngen = 1 };

	(void)state;
	buf_clear(&logged);
	assert_int_equal(ca_lacks(&ca, time_now(), count, NULL), 0);
	gen.usage = KU_KEY_CERT_SIGN;
	assert_int_equal(ca_lacks(&ca, time_now(), count, NULL), 2);
	assert_non_null(strstr(buf_cstr(&logged), "lacks keyEncipherment: "));
	assert_non_null(strstr(buf_cstr(&logged), "lacks digitalSignature: "));
	assert_true(said("scep ca ra create"));
	gen.usage = UINT32_MAX;
	assert_int_equal(ca_lacks(&ca, time_now(), count, NULL), 1);
	assert_true(said("macOS"));
	assert_int_equal(
	    usage_lacks("x", KU_KEY_ENCIPHERMENT, both, count, NULL), 1);
	assert_int_equal(usage_lacks("x", both, both, count, NULL), 0);
	buf_clear(&logged);
}

/* C-196: below a parent a chain that OpenSSL builds, in the order we found. */
static void
test_chain(void **state)
{
	struct ca_order sub = { .name = "Sub",
		.subject = "CN=Sub",
		.key = "ec:P-256",
		.days = 9000,
		.parent = "Test CA" };
	struct issued device = { .der = BUF_INIT };
	const struct generation *gen;
	struct buf mixed[3], pem = BUF_INIT;
	struct chain chain;

	(void)state;
	assert_int_equal(ca_create(home, &sub, time_now()), OK);
	sub.name = "Leaf";
	sub.subject = "CN=Leaf";
	sub.parent = "Sub";
	assert_int_equal(ca_create(home, &sub, time_now()), OK);
	OPENSSL("verify", "-x509_strict", "-CAfile",
	    at("ca/Test%20CA/1/cert.pem"), "-untrusted",
	    at("ca/Sub/1/cert.pem"), at("ca/Leaf/1/cert.pem"));
	issue("Leaf", time_now(), OK, &device);
	assert_int_equal(cert_pem(buf_span(&device.der), &pem), OK);
	put("device.pem", buf_span(&pem));
	assert_int_equal(
	    CLI(&pem, "cp", at("ca/Leaf/1/chain.pem"), at("chain.pem")), 0);
	OPENSSL("verify", "-x509_strict", "-CAfile", at("chain.pem"),
	    "-untrusted", at("ca/Leaf/1/cert.pem"), at("device.pem"));
	gen = &find("Leaf")->gen[0];
	assert_int_equal(gen->nchain, 2);
	mixed[0] = gen->chain[1];
	mixed[1] = gen->cert;
	mixed[2] = gen->chain[0];
	chain_build(buf_span(&gen->cert), mixed, 3, &chain);
	assert_true(chain.whole);
	assert_int_equal(chain.n, 2);
	assert_ptr_equal(chain.issuer[0].data, gen->chain[0].data);
	assert_ptr_equal(chain.issuer[1].data, gen->chain[1].data);
	chain_build(buf_span(&gen->cert), mixed, 2, &chain);
	assert_false(chain.whole);
	assert_int_equal(chain.n, 0);
	sub.name = "X";
	sub.parent = "nosuch";
	buf_clear(&logged);
	assert_int_equal(ca_create(home, &sub, time_now()), ERR_REFUSED);
	assert_true(said("the parent nosuch is no CA"));
	issued_release(&device);
	buf_release(&pem);
}

static int
stop(void **state)
{
	cas_free(cas);
	return teardown(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_ahead),
		cmocka_unit_test(test_issuer),
		cmocka_unit_test(test_tend),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_door),
		cmocka_unit_test(test_lacks),
		cmocka_unit_test(test_chain),
	};
	int failed;

	log_sink(keep_log, NULL);
	failed = cmocka_run_group_tests(tests, setup, stop);
	buf_release(&logged);
	return failed;
}
