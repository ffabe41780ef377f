#include "tests/unit/storehome.h"

#include "store/crl.h"

/* Revocations, what is news, and the numbers of CRLs. */

static const struct issuer by = { "Test CA", 1 };

static enum err
hit(const struct house *h, const char *serial, unsigned reason,
    struct revocation *r)
{
	*r = (struct revocation){ .reason = reason,
		.date = 1000,
		.written = 2000,
		.not_after = 3000 };
	(void)snprintf(r->serial, sizeof(r->serial), "%s", serial);
	return revoked_add(&h->st, &by, r);
}

static size_t
news(const struct house *h)
{
	struct news n = { NULL, 0 };
	size_t count;

	assert_int_equal(news_read(&h->st, &by, &n), OK);
	count = n.n;
	news_release(&n);
	return count;
}

static void
forget(const struct house *h)
{
	struct news n = { NULL, 0 };

	assert_int_equal(news_read(&h->st, &by, &n), OK);
	news_forget(&h->st, &by, &n);
	news_release(&n);
}

static void
expect(const struct house *h, const char *serial, unsigned n, unsigned reason)
{
	struct revocation r;
	bool stands = false;

	assert_int_equal(revoked_find(&h->st, &by, serial, &r), OK);
	assert_int_equal(r.n, n);
	assert_int_equal(revoked_now(&h->st, &by, serial, &stands), OK);
	assert_int_equal(stands, n % 2);
	if (n % 2 == 1)
		assert_int_equal(r.reason, reason);
}

static void
life(void **state)
{
	struct house *h = *state;
	struct revocation r;
	bool stands = true;

	assert_int_equal(revoked_find(&h->st, &by, SERIAL_1, &r), ERR_NOTFOUND);
	assert_int_equal(revoked_now(&h->st, &by, SERIAL_1, &stands), OK);
	assert_false(stands);
	assert_int_equal(
	    revoked_release(&h->st, &by, SERIAL_1, 1, &r), ERR_NOTFOUND);
	assert_int_equal(hit(h, SERIAL_1, REASON_HOLD, &r), OK);
	expect(h, SERIAL_1, 1, REASON_HOLD);
	assert_int_equal(hit(h, SERIAL_1, REASON_HOLD, &r), ERR_EXISTS);
	assert_int_equal(revoked_release(&h->st, &by, SERIAL_1, 5, &r), OK);
	expect(h, SERIAL_1, 2, 0);
	assert_int_equal(
	    revoked_release(&h->st, &by, SERIAL_1, 5, &r), ERR_NOTFOUND);
	assert_int_equal(hit(h, SERIAL_1, REASON_HOLD, &r), OK);
	assert_int_equal(hit(h, SERIAL_1, 1, &r), OK);
	expect(h, SERIAL_1, 5, 1);
	assert_int_equal(hit(h, SERIAL_1, 4, &r), ERR_EXISTS);
	assert_int_equal(r.reason, 1);
	assert_int_equal(r.date, 1000);
	assert_int_equal(r.written, 2000);
	assert_int_equal(r.not_after, 3000);
	assert_int_equal(
	    revoked_release(&h->st, &by, SERIAL_1, 5, &r), ERR_REFUSED);
	assert_int_equal(revoked_find(&h->st, &by, SERIAL_2, &r), ERR_NOTFOUND);
	assert_int_equal(revoked_find(&h->st, &(struct issuer){ "Test CA", 2 },
			     SERIAL_1, &r),
	    ERR_NOTFOUND);
}

static enum err
count_one(const struct revocation *r, void *arg)
{
	unsigned *sum = arg;

	*sum += 1 + 100 * (r->n % 2);
	return OK;
}

static void
scans(void **state)
{
	static const char *const serials[] = { "01", "0100", "ff", "ff00" };
	struct house *h = *state;
	struct revocation r;
	unsigned sum = 0;

	for (size_t i = 0; i < 4; i++)
		assert_int_equal(hit(h, serials[i], REASON_HOLD, &r), OK);
	for (int i = 0; i < 6; i++) { /* more than nine versions */
		assert_int_equal(
		    revoked_release(&h->st, &by, "0100", 5, &r), OK);
		assert_int_equal(hit(h, "0100", REASON_HOLD, &r), OK);
	}
	assert_int_equal(revoked_release(&h->st, &by, "ff", 5, &r), OK);
	expect(h, "0100", 13, REASON_HOLD);
	assert_int_equal(revoked_each(&h->st, &by, count_one, &sum), OK);
	assert_int_equal(sum, 304);
}

/* What is announced, and when it is news no more. */
static void
tells_news(void **state)
{
	struct house *h = *state;
	struct news seen = { NULL, 0 };
	struct revocation r;

	assert_int_equal(news(h), 0);
	assert_int_equal(hit(h, SERIAL_1, REASON_HOLD, &r), OK);
	assert_int_equal(news_read(&h->st, &by, &seen), OK);
	assert_int_equal(seen.n, 1);
	/* what comes behind the reading of the news stays news */
	assert_int_equal(hit(h, SERIAL_2, 0, &r), OK);
	assert_int_equal(revoked_release(&h->st, &by, SERIAL_1, 5, &r), OK);
	news_forget(&h->st, &by, &seen);
	news_release(&seen);
	assert_int_equal(news(h), 2);
	forget(h);
	assert_int_equal(news(h), 0);
	/* an announcement whose version never came is none */
	assert_int_equal(file_claim(h->st.root, "revoked/Test%20CA/1/new/0a,1",
			     "../0a/0a,1"),
	    OK);
	assert_int_equal(news(h), 0);
	assert_int_equal(hit(h, "0a", 0, &r), OK);
	assert_int_equal(news(h), 1);
}

static void
damage_is_told(void **state)
{
	static const char path[] = "revoked/Test%20CA/1/5d/" SERIAL_1 ",1";
	struct house *h = *state;
	struct revocation r;
	unsigned sum = 0;

	scribble(h, path, "[revoked]\n");
	assert_int_equal(revoked_find(&h->st, &by, SERIAL_1, &r), ERR_SYSTEM);
	assert_non_null(strstr(said, "line is missing"));
	/* no revocation is forgotten in silence */
	assert_int_equal(
	    revoked_each(&h->st, &by, count_one, &sum), ERR_SYSTEM);
	assert_int_equal(file_unlink(h->st.root, path), OK);
	assert_int_equal(hit(h, SERIAL_2, REASON_HOLD, &r), OK);
	assert_int_equal(file_link(h->st.root,
			     "revoked/Test%20CA/1/5d/" SERIAL_2 ",1", path),
	    OK);
	assert_int_equal(revoked_find(&h->st, &by, SERIAL_1, &r), ERR_SYSTEM);
}

/* The same content would be the same fact, and two may have made it. */
static enum err
revoke_racing(int i, void *arg)
{
	const struct house *h = arg;
	struct revocation r = { .serial = SERIAL_1,
		.reason = 1,
		.date = 1000 + i,
		.written = 2000 };

	return revoked_add(&h->st, &by, &r);
}

static enum err
end_hold_racing(int i, void *arg)
{
	const struct house *h = arg;
	struct revocation r = { .serial = SERIAL_2,
		.reason = 1,
		.date = 1000 + i,
		.written = 2000 };

	return revoked_add(&h->st, &by, &r);
}

static void
one_winner(void **state)
{
	struct house *h = *state;
	struct revocation r;

	assert_int_equal(race(8, revoke_racing, h), 1);
	assert_int_equal(revoked_find(&h->st, &by, SERIAL_1, &r), OK);
	assert_int_equal(r.n, 1);
	/* from a hold too */
	assert_int_equal(hit(h, SERIAL_2, REASON_HOLD, &r), OK);
	assert_int_equal(race(8, end_hold_racing, h), 1);
	expect(h, SERIAL_2, 3, 1);
}

static void
reasons(void **state)
{
	unsigned n = 99;

	(void)state;
	assert_true(reason_read("keycompromise", &n) && n == 1);
	assert_true(reason_read("6", &n) && n == REASON_HOLD);
	assert_true(reason_read("aACompromise", &n) && n == 10);
	assert_false(reason_read("removeFromCRL", &n));
	assert_false(reason_read("8", &n));
	assert_false(reason_read("7", &n));
	assert_false(reason_read("11", &n));
	assert_false(reason_read("", &n));
	assert_null(reason_name(7));
	assert_null(reason_name(11));
}

/* --- numbers ----------------------------------------------------------------- */

static uint64_t
highest(const struct house *h)
{
	uint64_t n = 99;

	assert_int_equal(crls_highest(&h->st, &by, &n), OK);
	return n;
}

/* C-198: each number once, none left out, never a lower one again. */
static void
numbers(void **state)
{
	struct house *h = *state;
	struct buf back = BUF_INIT;
	uint64_t n = 0;

	assert_int_equal(highest(h), 0);
	for (n = 1; n <= 20; n++) {
		assert_int_equal(crls_link(&h->st, &by, n, text("x")), OK);
		assert_int_equal(highest(h), n);
	}
	assert_int_equal(crls_link(&h->st, &by, 20, text("y")), ERR_EXISTS);
	assert_int_equal(crls_read(&h->st, &by, 20, &back), OK);
	assert_string_equal(buf_cstr(&back), "x");
	assert_int_equal(crls_read(&h->st, &by, 21, &back), ERR_NOTFOUND);
	/* a number that is not higher raises nothing */
	assert_int_equal(crls_raise(&h->st, &by, 7), OK);
	assert_int_equal(highest(h), 20);
	assert_int_equal(crls_raise(&h->st, &by, UINT64_MAX - 3), OK);
	assert_int_equal(highest(h), UINT64_MAX - 3);
	assert_int_equal(
	    crls_read(&h->st, &by, UINT64_MAX - 3, &back), ERR_NOTFOUND);
	/* who was at work below begins again */
	assert_int_equal(crls_link(&h->st, &by, 21, text("x")), ERR_EXISTS);
	assert_int_equal(crls_link(&h->st, &by, UINT64_MAX - 2, text("x")), OK);
	assert_int_equal(highest(h), UINT64_MAX - 2);
	buf_release(&back);
}

static void
reads_numbers(void **state)
{
	uint64_t n = 0;

	(void)state;
	assert_true(crl_number_read("18446744073709551615", &n));
	assert_true(n == UINT64_MAX);
	assert_true(crl_number_read("0", &n) && n == 0);
	assert_false(crl_number_read("18446744073709551616", &n));
	assert_false(crl_number_read("99999999999999999999", &n));
	assert_false(crl_number_read("01", &n));
	assert_false(crl_number_read("", &n));
	assert_false(crl_number_read("1x", &n));
	assert_false(crl_number_read("-1", &n));
}

static void
marks(void **state)
{
	struct house *h = *state;
	unsigned n = 0;

	assert_int_equal(crls_warned(&h->st, &by, 7200), ERR_NOTFOUND);
	assert_int_equal(crls_warn(&h->st, &by, 7200), OK);
	assert_int_equal(crls_warn(&h->st, &by, 10799), ERR_EXISTS);
	assert_int_equal(crls_warned(&h->st, &by, 10799), OK);
	assert_int_equal(crls_warn(&h->st, &by, 10800), OK);
	assert_int_equal(crls_generations(&h->st, "Test CA", &n), OK);
	assert_int_equal(n, 1);
	assert_int_equal(crls_generations(&h->st, "Nobody", &n), OK);
	assert_int_equal(n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(life, house_build, house_raze),
		cmocka_unit_test_setup_teardown(scans, house_build, house_raze),
		cmocka_unit_test_setup_teardown(
		    tells_news, house_build, house_raze),
		cmocka_unit_test_setup_teardown(
		    damage_is_told, house_build, house_raze),
		cmocka_unit_test_setup_teardown(
		    one_winner, house_build, house_raze),
		cmocka_unit_test(reasons),
		cmocka_unit_test_setup_teardown(
		    numbers, house_build, house_raze),
		cmocka_unit_test(reads_numbers),
		cmocka_unit_test_setup_teardown(marks, house_build, house_raze),
	};

	return cmocka_run_group_tests_name("revoked", tests, NULL, NULL);
}
