/*
 * Generations in time, by made-up ones and by real ones: which is current,
 * which is next, whose key still serves (C-128, C-130).
 */
#include "tests/unit/home.h"

#include <openssl/x509v3.h>

#include "base/limits.h"
#include "message/envelope.h"

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

/* ---- made up ---- */

/*
 * former: 1, current: 2 and its renewal 3, next: 4; the key is needed to be
 * an RSA key, no more.
 */
static struct generation gens[] = {
	{ .n = 1, .folder = 1, .not_before = 0, .not_after = 100 },
	{ .n = 2, .folder = 2, .not_before = 50, .not_after = 200 },
	{ .n = 2, .folder = 3, .not_before = 80, .not_after = 300 },
	{ .n = 4, .folder = 4, .not_before = 250, .not_after = 500 },
};
static char fake[] = "Fake";
static struct ca made_up = { .name = fake, .gen = gens, .ngen = 4 };

static void
test_which(void **state)
{
	(void)state;
	assert_null(ca_current(&made_up, -1));
	assert_null(ca_next(&made_up, -1));
	assert_ptr_equal(ca_current(&made_up, 0), &gens[0]);
	assert_ptr_equal(ca_next(&made_up, 0), &gens[1]);
	assert_ptr_equal(ca_current(&made_up, 49), &gens[0]);
	assert_ptr_equal(ca_current(&made_up, 50), &gens[1]);
	assert_ptr_equal(ca_next(&made_up, 50), &gens[2]);
	assert_ptr_equal(ca_next(&made_up, 249), &gens[3]);
	assert_ptr_equal(ca_current(&made_up, 250), &gens[3]);
	assert_null(ca_next(&made_up, 250));
	assert_int_equal(ca_top(&made_up), 4);
	assert_ptr_equal(ca_of_key(&made_up, 2), &gens[2]);
	assert_null(ca_of_key(&made_up, 3));
}

/* C-130: for the grace behind the beginning of the next key. */
static void
test_serves(void **state)
{
	static const struct {
		unsigned n;
		int64_t now, grace;
		bool serves;
	} rows[] = {
		{ 1, 49, 0, true },
		{ 1, 50, 0, false },
		{ 1, 50, 1, true },
		{ 1, 79, 30, true },
		{ 1, 80, 30, false },
		{ 1, 260, 30, false },
		/* one key, two certificates: it is used until the third */
		{ 2, 60, 0, true },
		{ 2, 249, 0, true },
		{ 2, 250, 0, false },
		{ 2, 279, 30, true },
		{ 2, 280, 30, false },
		/* ahead, and current */
		{ 4, 10, 0, true },
		{ 4, 249, 0, true },
		{ 4, 600, 0, true },
		/* nobody's, as of an RA that was brought */
		{ 0, 600, 0, true },
		{ 9, 600, 0, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (ca_serves(&made_up, rows[i].n, rows[i].now,
			rows[i].grace) != rows[i].serves)
			fail_msg("row %zu", i);
}

/* C-128, C-130: who issues, by the key that the envelope is for. */
static void
test_issues(void **state)
{
	static const struct {
		unsigned n;
		int64_t now;
		const struct generation *by;
	} rows[] = {
		{ 1, -1, NULL },
		{ 4, -1, NULL },
		{ 1, 60, &gens[0] },
		{ 1, 100, &gens[2] }, /* behind its end the current one */
		{ 1, 260, &gens[3] },
		{ 2, 10, &gens[1] }, /* ahead: what begins first */
		{ 2, 60, &gens[1] },
		{ 2, 80, &gens[2] }, /* the newest certificate of the key */
		{ 2, 260, &gens[2] },
		{ 2, 300, &gens[3] },
		{ 4, 90, &gens[3] }, /* ahead */
		{ 9, 90, &gens[2] },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (ca_issuer(&made_up, rows[i].n, rows[i].now) != rows[i].by)
			fail_msg("row %zu", i);
}

/* 1: of the former, renewed as 3 by it; 2: of the current, 4: of the next. */
static void
test_ras(void **state)
{
	struct ra ras[] = {
		{ .n = 1,
		    .gen = 1,
		    .enc = { .not_before = 0, .not_after = 90 } },
		{ .n = 2,
		    .gen = 2,
		    .enc = { .not_before = 50, .not_after = 200 } },
		{ .n = 3,
		    .gen = 1,
		    .enc = { .not_before = 40, .not_after = 100 } },
		{ .n = 4,
		    .gen = 4,
		    .enc = { .not_before = 250, .not_after = 400 } },
	};
	struct ca ca = made_up;

	(void)state;
	ca.ra = ras;
	ca.nra = 4;
	assert_ptr_equal(ca_ra_current(&ca, 10), &ras[0]);
	assert_ptr_equal(ca_ra_current(&ca, 45), &ras[2]);
	assert_ptr_equal(ca_ra_current(&ca, 60), &ras[1]);
	assert_null(ca_ra_current(&ca, 220));
	assert_ptr_equal(ca_ra_current(&ca, 260), &ras[3]);
	assert_ptr_equal(ca_ra_newest(&ca, 45), &ras[2]);
	assert_ptr_equal(ca_ra_newest(&ca, 220), &ras[1]);
	assert_ptr_equal(ca_ra_of(&ca, 1), &ras[2]);
	assert_null(ca_ra_of(&ca, 3));
	/* ahead; valid; behind its CA's grace, though not its own end */
	assert_true(ca_ra_serves(&ca, &ras[3], 60, 0));
	assert_true(ca_ra_serves(&ca, &ras[1], 60, 0));
	assert_true(ca_ra_serves(&ca, &ras[2], 60, 20));
	assert_false(ca_ra_serves(&ca, &ras[2], 70, 20));
	/* what clients still get is opened */
	assert_true(ca_ra_serves(&ca, &ras[3], 390, 0));
	assert_false(ca_ra_serves(&ca, &ras[0], -1, 0));
}

/* ---- real ones ---- */

static void
remake(const char *name, int64_t days)
{
	cli_remove(at("ca/Roll"));
	assert_int_equal(create("Roll", name, "rsa:2048", days), OK);
}

static void
test_rollover(void **state)
{
	const struct ca_again order = { .start = 0 };
	int64_t now = time_now();
	const struct generation *old, *next;
	const struct ca *ca;

	(void)state;
	remake("CN=Roll", 100);
	ca = find("Roll");
	assert_int_equal(ca_rollover(home, ca, &order, now), OK);
	/* somebody with the same view comes second, and leaves nothing */
	assert_int_equal(ca_rollover(home, ca, &order, now), ERR_EXISTS);
	ca = find("Roll");
	assert_int_equal(ca->ngen, 2);
	old = &ca->gen[0];
	next = &ca->gen[1];
	assert_ptr_equal(ca_next(ca, now), next);
	assert_int_equal(next->n, 2);
	assert_int_equal(next->folder, 2);
	assert_int_equal(next->not_before, old->not_after - 30 * DAY);
	assert_int_equal(next->not_after, next->not_before + 100 * DAY);
	assert_true(span_eq(next->subject, old->subject));
	assert_false(span_eq(next->spki, old->spki));
	assert_int_equal(ca_rollover(home, ca, &order, now), ERR_EXISTS);
	assert_int_equal(ca_renew(home, ca, &order, now), ERR_EXISTS);
	OPENSSL("verify", "-x509_strict", "-no_check_time", "-CAfile",
	    at("ca/Roll/2/cert.pem"), at("ca/Roll/2/cert.pem"));
}

/* Near its end, and behind it, there is less time for clients. */
static void
test_start(void **state)
{
	static const struct {
		int64_t life, at, start; /* days */
	} rows[] = { { 100, 10, 70 }, { 100, 65, 72 }, { 100, 98, 100 } };
	const struct ca_again order = { .days = 50 };
	const struct ca_again bad = { .days = MAX_DAYS + 1 };
	const struct ca *ca;
	int64_t now;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		remake("CN=Roll", rows[i].life);
		ca = find("Roll");
		now = ca->gen[0].not_after - rows[i].life * DAY;
		assert_int_equal(ca_rollover(home, ca, &bad, now), ERR_INPUT);
		assert_int_equal(
		    ca_rollover(home, ca, &order, now + rows[i].at * DAY), OK);
		ca = find("Roll");
		assert_int_equal(
		    ca->gen[1].not_before, now + rows[i].start * DAY);
		assert_int_equal(
		    ca->gen[1].not_after, now + (rows[i].start + 50) * DAY);
	}
	/* expired: at once, backdated for slow clocks */
	remake("CN=Roll", 1);
	ca = find("Roll");
	now = time_now() + 5 * DAY;
	assert_int_equal(ca_rollover(home, ca, &order, now), OK);
	ca = find("Roll");
	assert_int_equal(ca->gen[1].not_before, now - 600);
	assert_ptr_equal(ca_current(ca, now), &ca->gen[1]);
}

/* C-188, C-202: key, key identifier and number stay. */
static void
test_renew(void **state)
{
	const struct ca_again order = { .days = 300 };
	int64_t now = time_now();
	const struct ca *ca;

	(void)state;
	remake("CN=Roll", 100);
	ca = find("Roll");
	assert_int_equal(ca_renew(home, ca, &order, now), OK);
	ca = find("Roll");
	assert_int_equal(ca->ngen, 2);
	assert_int_equal(ca->gen[1].folder, 2);
	assert_int_equal(ca->gen[1].n, 1);
	assert_true(span_eq(ca->gen[0].spki, ca->gen[1].spki));
	assert_true(span_eq(ca->gen[0].ski, ca->gen[1].ski));
	assert_false(span_eq(ca->gen[0].serial, ca->gen[1].serial));
	assert_int_equal(ca->gen[1].not_after, now + 300 * DAY);
	assert_ptr_equal(ca_current(ca, now), &ca->gen[1]);
	/* and on from there */
	assert_int_equal(ca_rollover(home, ca, &order, now), OK);
	ca = find("Roll");
	assert_int_equal(ca->gen[2].n, 3);
	assert_int_equal(ca_next(ca, now)->folder, 3);
}

/* A key identifier and a path length that were made elsewhere are kept. */
static void
test_kept(void **state)
{
	const struct ca_again order = { .days = 300 };
	const struct ca *ca;

	(void)state;
	remake("CN=Roll", 100);
	OPENSSL("req", "-x509", "-key", at("ca/Roll/1/key.pem"), "-subj",
	    "/CN=Roll", "-days", "99", "-out", at("ca/Roll/1/cert.pem"),
	    "-config", "/dev/null", "-addext", "subjectKeyIdentifier=01020304",
	    "-addext", "basicConstraints=critical,CA:TRUE,pathlen:1", "-addext",
	    "keyUsage=critical,keyCertSign,cRLSign");
	ca = find("Roll");
	assert_int_equal(ca->gen[0].pathlen, 1);
	assert_int_equal(ca_renew(home, ca, &order, time_now()), OK);
	ca = find("Roll");
	assert_true(span_eq(ca->gen[1].ski, span_of("\1\2\3\4", 4)));
	assert_int_equal(ca->gen[1].pathlen, 1);
	assert_int_equal(ca_rollover(home, ca, &order, time_now()), OK);
	ca = find("Roll");
	assert_int_equal(ca->gen[2].ski.len, 20);
	assert_int_equal(ca->gen[2].pathlen, 1);
}

/* ---- who an envelope is for ---- */

static bool
addressed(const struct ca *ca, const struct recipient *r, int64_t now,
    int64_t grace, struct address *out)
{
	const struct when when = { now, grace };
	struct envelope env = { .n = 1 };

	env.recipient[0] = *r;
	envelope_address(&env, &ca, 1, &when, out);
	return out->times == 1;
}

static struct recipient
recipient_of(const struct generation *g)
{
	return (struct recipient){ .issuer = g->issuer, .serial = g->serial };
}

static void
test_address(void **state)
{
	const struct ca_again order = { .days = 300 };
	int64_t now = time_now(), then;
	const struct ca *ca;
	struct recipient former, next, ski;
	struct address a;

	(void)state;
	remake("CN=Roll", 100);
	assert_int_equal(ca_rollover(home, find("Roll"), &order, now), OK);
	ca = find("Roll");
	former = recipient_of(&ca->gen[0]);
	next = recipient_of(&ca->gen[1]);
	then = ca->gen[1].not_before;
	assert_true(addressed(ca, &former, now, 0, &a));
	assert_ptr_equal(a.gen, &ca->gen[0]);
	assert_true(addressed(ca, &next, now, 0, &a));
	assert_ptr_equal(a.gen, &ca->gen[1]);
	assert_ptr_equal(a.to, &ca->gen[1]);
	assert_ptr_equal(a.by, &ca->gen[1]);
	assert_false(addressed(ca, &former, then, 0, &a));
	assert_null(a.ca);
	assert_true(addressed(ca, &former, then, 1, &a));
	assert_ptr_equal(a.gen, &ca->gen[0]);
	assert_ptr_equal(a.by, &ca->gen[0]);
	/* behind the former's end: another issues, its key answers */
	assert_true(addressed(ca, &former, then + 40 * DAY, 50 * DAY, &a));
	assert_ptr_equal(a.gen, &ca->gen[1]);
	assert_ptr_equal(a.by, &ca->gen[0]);
	/* a renewal: by either serial number, and by the key identifier */
	then += DAY;
	assert_int_equal(ca_renew(home, ca, &order, then), OK);
	ca = find("Roll");
	next = recipient_of(&ca->gen[1]);
	assert_true(addressed(ca, &next, then, 0, &a));
	assert_ptr_equal(a.gen, &ca->gen[2]);
	assert_ptr_equal(a.by, &ca->gen[1]);
	next = recipient_of(&ca->gen[2]);
	assert_true(addressed(ca, &next, then, 0, &a));
	assert_ptr_equal(a.gen, &ca->gen[2]);
	ski = (struct recipient){ .ski = ca->gen[1].ski };
	assert_true(addressed(ca, &ski, then, 0, &a));
	assert_ptr_equal(a.by, &ca->gen[2]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which),
		cmocka_unit_test(test_serves),
		cmocka_unit_test(test_issues),
		cmocka_unit_test(test_ras),
		cmocka_unit_test(test_rollover),
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_renew),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_address),
	};
	int failed;

	log_sink(keep_log, NULL);
	failed = cmocka_run_group_tests(tests, setup, teardown);
	cas_free(cas);
	buf_release(&logged);
	return failed;
}
