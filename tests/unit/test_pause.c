/* Who did not answer is not asked for a while. */
#include "tests/unit/fetched.h"

#include "fetch/pause.h"

/* The helper's pid, as a program sees it: its parent's parent. */
#define HELPER "$(cut -d' ' -f4 /proc/$PPID/stat)"

static void
name(int i, char place[SHA256_HEX])
{
	char text[32];
	int n = snprintf(text, sizeof(text), "place %d", i);

	assert_int_equal(sha256_hex(span_of(text, (size_t)n), place), OK);
}

static void
begins_and_ends(void **state)
{
	char a[SHA256_HEX], b[SHA256_HEX];
	int64_t now = 1000000;

	(void)state;
	name(1, a);
	name(2, b);
	assert_true(pause_left(a, now) == 0);
	pause_note(a, ERR_BUSY, now, now);
	assert_true(pause_left(a, now) == PAUSE_MIN);
	assert_true(pause_left(a, now + PAUSE_MIN - 1) == 1);
	assert_true(pause_left(a, now + PAUSE_MIN) == 0);
	assert_true(pause_left(b, now) == 0);
	/* one stranger's requests must not silence it for all */
	for (int i = 0; i < 9; i++)
		pause_note(a, ERR_BUSY, now, now);
	assert_true(pause_left(a, now) == PAUSE_MIN);
	pause_note(a, OK, now, now);
	assert_true(pause_left(a, now) == 0);
	pause_note(a, ERR_BUSY, now, now);
	assert_true(pause_left(a, now) == PAUSE_MIN);
	pause_note(a, ERR_TOOBIG, now, now); /* an answer, too */
	assert_true(pause_left(a, now) == 0);
}

/* A worker waits half of its time at most. */
static void
is_as_long_as_the_wait(void **state)
{
	char a[SHA256_HEX];
	int64_t now = 2000000;

	(void)state;
	name(3, a);
	for (int i = 0; i < 3; i++) {
		pause_note(a, ERR_BUSY, now - 10000, now);
		assert_true(pause_left(a, now) == 10000);
	}
	pause_note(a, ERR_BUSY, now - 120000, now);
	assert_true(pause_left(a, now) == PAUSE_MAX);
	pause_note(a, OK, now, now);
}

static void
own_trouble_is_nothing(void **state)
{
	char a[SHA256_HEX];
	int64_t now = 3000000;

	(void)state;
	name(4, a);
	pause_note(a, ERR_SYSTEM, now - 5000, now);
	pause_note(a, ERR_INPUT, now - 5000, now);
	pause_note(a, ERR_NOTFOUND, now - 5000, now);
	assert_true(pause_left(a, now) == 0);
	pause_note(a, ERR_BUSY, now, now);
	pause_note(a, ERR_SYSTEM, now, now);
	assert_true(pause_left(a, now) == PAUSE_MIN);
	pause_note(a, OK, now, now);
}

/* Many places: the last ones are known, and none is lost to a dead one. */
static void
knows_the_last(void **state)
{
	char place[SHA256_HEX];
	int64_t now = 4000000;

	(void)state;
	for (int i = 0; i < 100; i++) {
		name(100 + i, place);
		pause_note(place, ERR_BUSY, now + i, now + i);
	}
	for (int i = 0; i < 100; i++) {
		name(100 + i, place);
		assert_true((pause_left(place, now + 100) > 0) == (i >= 68));
		pause_note(place, OK, now, now);
	}
}

static enum err
run(const char *alias, const char *script, int64_t timeout)
{
	const char *arg[] = { "-c", script, NULL };
	struct run_ask ask = {
		.path = "/bin/sh", .arg = arg, .timeout = timeout, .limit = 100
	};
	struct run_answer out;
	enum err e = pause_run(alias, &ask, &out);

	run_answer_release(&out);
	return e;
}

/* What a program says is an answer; only its time is none. */
static void
programs(void **state)
{
	int64_t began;

	(void)state;
	assert_int_equal(run("a", "exit 75", 60000), OK);
	assert_int_equal(run("a", "kill -9 $$", 60000), OK);
	assert_int_equal(run("a", "exit 75", 60000), OK);
	assert_int_equal(run("a", "sleep 60", 100), ERR_BUSY);
	began = time_ticks();
	assert_int_equal(run("a", "sleep 60", 30000), ERR_BUSY);
	assert_true(time_ticks() - began < 20000);
	assert_logged("alias a: /bin/sh did not answer, and is not asked for "
		      "another 1 s");
	assert_int_equal(run("b", "exit 0", 60000), OK);
}

/* A helper that dies says nothing about the program. */
static void
dead_helper(void **state)
{
	(void)state;
	assert_int_equal(
	    run("c", "kill -9 " HELPER "; sleep 60", 60000), ERR_BUSY);
	assert_int_equal(run("c", "exit 0", 60000), OK);
}

static enum err
ask(const char *alias, const char *url, const char *ca)
{
	struct http_ask job = { .method = "GET",
		.url = url,
		.ca = span_of(ca, strlen(ca)),
		.timeout = 10000,
		.plain = true };
	struct http_answer out;
	enum err e = pause_http(alias, &job, &out);

	http_answer_release(&out);
	return e;
}

/* By alias, scheme, host, port, and by what proves who it is. */
static void
servers(void **state)
{
	static const char words[] = "http://127.0.0.1:1 did not answer";

	(void)state;
	assert_int_equal(ask("a", "http://127.0.0.1:1/x?secret", ""), ERR_BUSY);
	assert_null(strstr(buf_cstr(&the_log), words));
	assert_int_equal(ask("b", "http://127.0.0.1:1/x", ""), ERR_BUSY);
	assert_int_equal(ask("a", "http://127.0.0.1:2/x", ""), ERR_BUSY);
	assert_int_equal(ask("a", "https://127.0.0.1:1/x", ""), ERR_BUSY);
	assert_int_equal(ask("a", "http://127.0.0.1:1/x", "mended"), ERR_BUSY);
	assert_null(strstr(buf_cstr(&the_log), words));
	assert_int_equal(ask("a", "http://127.0.0.1:1/y?secret", ""), ERR_BUSY);
	assert_logged(words);
	assert_null(strstr(buf_cstr(&the_log), "secret"));
}

static int
set_up(void **state)
{
	(void)state;
	return fetch_start() == OK ? 0 : -1;
}

static int
clean_up(void **state)
{
	(void)state;
	return 0;
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(begins_and_ends, forget_log),
	cmocka_unit_test_setup(is_as_long_as_the_wait, forget_log),
	cmocka_unit_test_setup(own_trouble_is_nothing, forget_log),
	cmocka_unit_test_setup(knows_the_last, forget_log),
	cmocka_unit_test_setup(programs, forget_log),
	cmocka_unit_test_setup(dead_helper, forget_log),
	cmocka_unit_test_setup(servers, forget_log),
};

FETCHED_MAIN(tests)
