/*
 * The secret of an alias in RA mode: who has it, what a wrong one costs, and
 * when envelopes and answers may be under it (C-95, C-96).
 */
#include "tests/unit/storehome.h"

#include "judge/judge.h"

#define STRONG "Xq7vGz2mRk9TbN4cWdP8yH"

static struct alias *
alias_of(const char *authpwd)
{
	struct buf text = BUF_INIT;
	struct alias *a = NULL;

	assert_true(buf_printf(&text,
	    "[scep]\noperationmode = ra\ncas = Other\n[ra]\ndefaultca = Lab\n"
	    "authpwd = '%s'\n[approval]\nrequired = 0\n",
	    authpwd));
	assert_int_equal(
	    alias_parse("net", "net.ini", buf_span(&text), NULL, NULL, &a), OK);
	buf_release(&text);
	return a;
}

static enum ruling
rules(const struct house *h, const struct alias *a, struct span challenge,
    const char *reason)
{
	const struct judge_case c = { .alias = a,
		.store = &h->st,
		.username = "router1",
		.ca = NULL, /* nobody looks at it */
		.challenge = challenge,
		.now = 1800000000 };
	struct judgement j;
	enum ruling ruling;

	said[0] = '\0';
	judgement_init(&j);
	assert_int_equal(judge_ra(&c, &j), OK);
	ruling = j.ruling;
	assert_null(j.entity.username);
	assert_int_equal(j.code.id[0], '\0');
	if (reason == NULL)
		assert_null(j.reason);
	else
		assert_string_equal(j.reason, reason);
	judgement_release(&j);
	return ruling;
}

#define WRONG "wrong secret of the alias"

static void
knows_its_secret(void **state)
{
	static const char *const wrong[] = { "hush", "hush hush!", "Hush hush",
		"hush hush ", " hush hush", "none" };
	struct house *h = *state;
	struct alias *a = alias_of("hush hush");

	assert_int_equal(rules(h, a, text("hush hush"), NULL), RULING_YES);
	assert_string_equal(said, "");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(rules(h, a, text(wrong[i]), WRONG), RULING_NO);
		assert_non_null(strstr(said, "alias net: a wrong secret"));
		assert_null(strstr(said, wrong[i]));
	}
	/* bytes, not strings */
	assert_int_equal(
	    rules(h, a, span_of("hush hush", 10), WRONG), RULING_NO);
	assert_int_equal(
	    rules(h, a, text(""), "no challengePassword"), RULING_NO);
	alias_free(a);
}

/* Written out as none: any will do, and none is told of. */
static void
none_is_no_check(void **state)
{
	struct house *h = *state;
	struct alias *a = alias_of("none");

	assert_int_equal(rules(h, a, text("what ever"), NULL), RULING_YES);
	assert_string_equal(said, "");
	assert_int_equal(rules(h, a, text(""), NULL), RULING_YES);
	assert_string_equal(said, "");
	alias_free(a);
}

/* A secret that could not be read is never the empty one. */
static void
no_secret_is_no_door(void **state)
{
	struct house *h = *state;
	struct alias *a = alias_of("x");
	struct judge_case c = {
		.alias = a, .store = &h->st, .challenge = text("")
	};
	struct judgement j;

	buf_clear(&a->ra.secret);
	judgement_init(&j);
	assert_int_equal(judge_ra(&c, &j), ERR_SYSTEM);
	assert_int_equal(j.ruling, RULING_NO);
	c.challenge = text("x");
	assert_int_equal(judge_ra(&c, &j), ERR_SYSTEM);
	assert_int_equal(j.ruling, RULING_NO);
	judgement_release(&j);
	alias_free(a);
}

static int64_t
cpu(void)
{
	struct timespec t;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/*
 * More wrong guesses than a password of one's own would get, each at the
 * price of an scrypt, with and without a challenge; then the fleet goes on.
 */
static void
slow_but_never_locked(void **state)
{
	struct house *h = *state;
	struct alias *a = alias_of("1234");
	int64_t t, scrypt = 0, wrong, right;

	t = cpu();
	for (int i = 0; i < 12; i++)
		code_decoy();
	scrypt = cpu() - t;
	t = cpu();
	for (int i = 0; i < 12; i++)
		assert_int_equal(
		    i % 2 == 0 ? rules(h, a, text("4321"), WRONG) :
				 rules(h, a, text(""), "no challengePassword"),
		    RULING_NO);
	wrong = cpu() - t;
	t = cpu();
	for (int i = 0; i < 12; i++)
		assert_int_equal(rules(h, a, text("1234"), NULL), RULING_YES);
	right = cpu() - t;
	assert_true(wrong > scrypt / 2);
	assert_true(right < scrypt / 4);
	alias_free(a);
}

static void
knows_strong_ones(void **state)
{
	static const struct {
		const char *secret;
		bool strong;
	} rows[] = {
		{ STRONG, true },
		{ "Xq7vGz2mRk9TbN4cWdP8y", false }, /* 21 */
		{ "7KQ2M4X-PB3WN5Z-9TRH6CV-A8DJ4FG", true },
		{ "7KQ2M4XPB3WN5Z9TRH6CVA8DJ", false }, /* 25 of one case */
		{ "7KQ2M4XPB3WN5Z9TRH6CVA8DJ4", true },
		{ "00112233445566778899aabbccddeef", false }, /* 31 hex */
		{ "00112233445566778899aabbccddeeff", true },
		{ "00112233445566778899AABBCCDDEEff", true },
		{ "31415926535897932384626433832795028841", false },
		{ "314159265358979323846264338327950288419", true },
		{ "aAaAaAaAaAaAaAaAaAaAaAaAaAaAaAaAaAaA", false },
		{ "Correct Horse Battery Staple", false },
		{ "Correct\tHorse\tBattery\tStaple", false },
		{ "none", false },
		{ "1234", false },
	};
	struct alias ca = { .mode = MODE_CA };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct alias *a = alias_of("x");

		buf_clear(&a->ra.secret);
		assert_true(buf_str(&a->ra.secret, rows[i].secret));
		if (judge_strong_secret(a) != rows[i].strong)
			fail_msg("%s", rows[i].secret);
		a->ra.nocheck = true;
		assert_false(judge_strong_secret(a));
		alias_free(a);
	}
	assert_false(judge_strong_secret(&ca));
}

/* C-95: strong ones open envelopes, for defaultca, whoever signs. */
static void
opens_envelopes(void **state)
{
	struct house *h = *state;
	const char *const secrets[] = { STRONG, "short", "none" };

	for (int i = 0; i < 3; i++) {
		struct alias *a = alias_of(secrets[i]);
		struct buf secret = BUF_SECRET;
		char *ca = NULL;

		assert_int_equal(judge_secret(a, &h->st, "", &secret, &ca),
		    i == 0 ? OK : ERR_REFUSED);
		assert_string_equal(buf_cstr(&secret), i == 0 ? STRONG : "");
		if (i == 0)
			assert_string_equal(ca, "Lab");
		else
			assert_null(ca);
		free(ca);
		buf_release(&secret);
		alias_free(a);
	}
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, house_build, house_raze)
	const struct CMUnitTest tests[] = {
		TEST(knows_its_secret),
		TEST(none_is_no_check),
		TEST(no_secret_is_no_door),
		TEST(slow_but_never_locked),
		TEST(knows_strong_ones),
		TEST(opens_envelopes),
	};

	return cmocka_run_group_tests_name("judge ra", tests, NULL, NULL);
}
