#include "tests/unit/checkhome.h"

#include "store/crl.h"
#include "store/inside.h"

/* store_check() of revocations, their news, and CRLs. */

#define REVOKED "revoked/Test%20CA/1/5d/" SERIAL_1 ","
#define NEWS	"revoked/Test%20CA/1/new/" SERIAL_1 ","
#define CRL	"crl/Test%20CA/1/"

static const struct issuer by = { "Test CA", 1 };

/* A hold, then revoked: versions 1, 2 (the bridge) and 3. */
static void
revoke_it(const struct house *h)
{
	struct revocation r = { .serial = SERIAL_1, .reason = REASON_HOLD };

	assert_int_equal(revoked_add(&h->st, &by, &r), OK);
	r.reason = 1;
	assert_int_equal(revoked_add(&h->st, &by, &r), OK);
	clean(h);
}

static void
builds_bridges(void **state)
{
	struct house *h = *state;

	revoke_it(h);
	assert_int_equal(file_unlink(h->st.root, REVOKED "2"), OK);
	mended(h, REVOKED "3", false);
	assert_int_equal(file_exists(h->st.root, REVOKED "2"), OK);
	assert_int_equal(file_unlink(h->st.root, REVOKED "3"), OK);
	damaged(h, REVOKED "2", "the version behind it is missing");
	assert_int_equal(revoked_bridge(&h->st, &by, SERIAL_1, 2), OK);
	assert_int_equal(file_unlink(h->st.root, REVOKED "2"), OK);
	assert_int_equal(file_unlink(h->st.root, REVOKED "1"), OK);
	scribble(h, REVOKED "1", "[revoked]\n");
	damaged(h, REVOKED "1", "no CRL can be issued");
}

static void
sweeps_news(void **state)
{
	struct house *h = *state;

	assert_int_equal(
	    file_claim(h->st.root, NEWS "1", "../5d/" SERIAL_1 ",1"), OK);
	clean(h); /* the revocation may be on its way */
	age(h, NEWS "1", DAY + 60);
	mended(h, NEWS "1", true);
	scribble(h, CRL "warned,2026-01-01T00", "");
	clean(h);
	age(h, CRL "warned,2026-01-01T00", DAY + 60);
	mended(h, CRL "warned,2026-01-01T00", true);
}

static void
tells_crls(void **state)
{
	struct house *h = *state;

	scribble(h, CRL "1.crl", "no CRL");
	damaged(h, CRL "1.crl", "does not parse");
	assert_int_equal(file_unlink(h->st.root, CRL "1.crl"), OK);
	scribble(h, CRL "x.crl", "");
	damaged(h, CRL "x.crl", "name that the store does not give");
	assert_int_equal(file_unlink(h->st.root, CRL "x.crl"), OK);
	assert_int_equal(crls_raise(&h->st, &by, 7), OK);
	clean(h);
	assert_int_equal(file_claim(h->st.root, CRL "above,3", "9"), OK);
	damaged(h, CRL "above,3", "the one before it is missing");
	assert_int_equal(file_claim(h->st.root, CRL "above,2", "x"), OK);
	damaged(h, CRL "above,2", "not a number");
}

/* Rooms that an older version did not make. */
static void
makes_rooms_again(void **state)
{
	struct house *h = *state;

	assert_int_equal(
	    unlinkat(h->st.root, "revoked/Test%20CA/1/new", AT_REMOVEDIR), 0);
	mended(h, "cert/Test%20CA/1: ", false);
	assert_int_equal(
	    unlinkat(h->st.root, "crl/Test%20CA/1", AT_REMOVEDIR), 0);
	assert_int_equal(
	    unlinkat(h->st.root, "crl/Test%20CA", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(h->st.root, "crl", AT_REMOVEDIR), 0);
	assert_true(check(h, false) > 0);
	assert_int_equal(check(h, true), 0);
	clean(h);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, build, raze)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(builds_bridges),
		TEST(sweeps_news),
		TEST(tells_crls),
		TEST(makes_rooms_again),
	};

	return cmocka_run_group_tests_name("check_crls", tests, NULL, NULL);
}
