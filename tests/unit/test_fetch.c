/* Programs that the helper runs, and the helper's own life and death. */
#include "tests/unit/fetched.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* The helper's pid, as a program sees it: its parent's parent. */
#define HELPER "$(cut -d' ' -f4 /proc/$PPID/stat)"

static char folder[64];

static int
set_up(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/test-fetch.XXXXXX");
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int
clean_up(void **state)
{
	char script[128];

	(void)state;
	(void)snprintf(script, sizeof(script), "rm -rf %s", folder);
	must_run(script, NULL, 0);
	return 0;
}

/* Neither there nor a zombie that nobody has reaped. */
static bool
is_gone(long pid)
{
	char text[512] = "";
	const char *after;
	FILE *f;

	(void)snprintf(text, sizeof(text), "/proc/%ld/stat", pid);
	if ((f = fopen(text, "r")) == NULL)
		return true;
	after = fgets(text, sizeof(text), f) ? strrchr(text, ')') : NULL;
	(void)fclose(f);
	return after == NULL || after[2] == 'Z' || after[2] == 'X';
}

static void
assert_gone(long pid)
{
	assert_true(pid > 1);
	for (int i = 0; i < 500 && !is_gone(pid); i++)
		(void)poll(NULL, 0, 10);
	assert_true(is_gone(pid));
}

static long
helper_pid(void)
{
	char text[32];

	must_run("echo " HELPER, text, sizeof(text));
	return strtol(text, NULL, 10);
}

/* A pid that a script left in a file of the folder. */
static long
pid_in(const char *name)
{
	char path[128];
	char text[32] = "";
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(text, sizeof(text), f));
	(void)fclose(f);
	return strtol(text, NULL, 10);
}

static void
output_status_and_complaint(void **state)
{
	const char *arg[] = { "-c", "cat; echo no >&2; exit \"$1\"", "x", "3",
		NULL };
	struct run_ask ask = { .path = "/bin/sh",
		.arg = arg,
		.input = span_of("in\0put", 6),
		.timeout = 10000,
		.limit = 6 };
	struct run_answer out;

	(void)state;
	assert_int_equal(fetch_run(&ask, &out), OK);
	assert_int_equal(out.status, 3);
	assert_int_equal(out.output.len, 6);
	assert_memory_equal(out.output.data, "in\0put", 6);
	assert_true(out.output.secret);
	assert_string_equal(buf_cstr(&out.complaint), "no\n");
	assert_string_equal(buf_cstr(&the_log), "");
	run_answer_release(&out);
	run_answer_release(&out);
}

static void
no_other_environment(void **state)
{
	const char *env[] = { "A=1", "LC_ALL=C.UTF-8", "B=two words", NULL };
	struct run_ask ask = {
		.path = "/usr/bin/env", .timeout = 10000, .limit = 4096
	};
	struct run_answer out;

	(void)state;
	(void)setenv("REQUEST_METHOD", "GET", 1);
	fetch_stop(); /* that one has seen the variable */
	assert_int_equal(fetch_run(&ask, &out), OK);
	assert_string_equal(buf_cstr(&out.output),
	    "PATH=/usr/sbin:/usr/bin:/sbin:/bin\nLC_ALL=C\n");
	run_answer_release(&out);
	ask.env = env;
	assert_int_equal(fetch_run(&ask, &out), OK);
	assert_string_equal(buf_cstr(&out.output),
	    "A=1\nLC_ALL=C.UTF-8\nB=two words\n"
	    "PATH=/usr/sbin:/usr/bin:/sbin:/bin\n");
	run_answer_release(&out);
	(void)unsetenv("REQUEST_METHOD");
}

/* Signals 32 and 33, which make(1) leaves ignored and nobody can change. */
#define OF_GLIBC (UINT64_C(3) << 31)

/* Also what a web server left us with: descriptors, signals, umask. */
static void
no_other_inheritance(void **state)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	uint64_t blocked, ignored;
	char text[256];
	sigset_t usr2;
	mode_t mask;
	int extra[2];

	(void)state;
	fetch_stop();
	assert_int_equal(pipe(extra), 0);
	mask = umask(0);
	(void)sigaction(SIGUSR1, &ignore, NULL);
	(void)sigaction(SIGCHLD, &ignore, NULL);
	(void)sigemptyset(&usr2);
	(void)sigaddset(&usr2, SIGUSR2);
	(void)sigprocmask(SIG_BLOCK, &usr2, NULL);
	/* The fourth is that of the folder itself. */
	must_run("exec ls /proc/self/fd", text, sizeof(text));
	assert_string_equal(text, "0\n1\n2\n3\n4\n");
	must_run("exec grep -E '^Sig(Blk|Ign)' /proc/self/status", text,
	    sizeof(text));
	assert_int_equal(sscanf(text, "SigBlk: %" SCNx64 " SigIgn: %" SCNx64,
			     &blocked, &ignored),
	    2);
	assert_true(blocked == 0);
	assert_true((ignored & ~OF_GLIBC) == 0);
	must_run("pwd; umask; ulimit -c", text, sizeof(text));
	assert_string_equal(text, "/\n0022\n0\n");
	ignore.sa_handler = SIG_DFL;
	(void)sigaction(SIGUSR1, &ignore, NULL);
	(void)sigaction(SIGCHLD, &ignore, NULL);
	(void)sigprocmask(SIG_UNBLOCK, &usr2, NULL);
	(void)umask(mask);
	(void)close(extra[0]);
	(void)close(extra[1]);
}

static void
the_secret_is_descriptor_3(void **state)
{
	const char *arg[] = { "-c", "cat /dev/fd/3; printf +; cat", NULL };
	struct run_ask ask = { .path = "/bin/sh",
		.arg = arg,
		.secret = span_of("pass", 4),
		.input = span_of("word", 4),
		.timeout = 10000,
		.limit = 4096 };
	struct run_answer out;

	(void)state;
	assert_int_equal(fetch_run(&ask, &out), OK);
	assert_string_equal(buf_cstr(&out.output), "pass+word");
	run_answer_release(&out);
	/* It is there, and at its end, without a secret as well. */
	ask.secret = ask.input = span_of(NULL, 0);
	assert_int_equal(fetch_run(&ask, &out), OK);
	assert_int_equal(out.status, 0);
	assert_string_equal(buf_cstr(&out.output), "+");
	run_answer_release(&out);
}

/* More than pipes and sockets hold, both ways at once; and not read at all. */
static void
much_input(void **state)
{
	size_t len = 1024 * 1024;
	uint8_t *big = malloc(len);
	struct run_ask ask = {
		.path = "/bin/cat", .timeout = 60000, .limit = len
	};
	struct run_answer out;

	(void)state;
	assert_non_null(big);
	for (size_t i = 0; i < len; i++)
		big[i] = (uint8_t)(i * i >> 7);
	ask.input = ask.secret = span_of(big, len);
	assert_int_equal(fetch_run(&ask, &out), OK);
	assert_int_equal(out.output.len, len);
	assert_memory_equal(out.output.data, big, len);
	run_answer_release(&out);
	ask.path = "/bin/true";
	assert_int_equal(fetch_run(&ask, &out), OK);
	assert_int_equal(out.status, 0);
	run_answer_release(&out);
	free(big);
}

static void
too_slow_kills_the_whole_group(void **state)
{
	struct run_answer out;
	int64_t start = time_ticks();
	char script[512];

	(void)state;
	(void)snprintf(script, sizeof(script),
	    "cd %s; sleep 60 & echo $! >one; sh -c 'sleep 61 & echo $! >two; "
	    "wait' & echo $$ >self; trap '' TERM; echo much; wait; wait",
	    folder);
	assert_int_equal(run_script(script, 2000, &out), ERR_BUSY);
	assert_in_range(time_ticks() - start, 2000, 30000);
	assert_int_equal(out.output.len, 0);
	assert_logged("/bin/sh: took longer than 2000 ms: killed");
	assert_gone(pid_in("one"));
	assert_gone(pid_in("two"));
	assert_gone(pid_in("self"));
	run_answer_release(&out);
}

/* It ends at once, although somebody still holds its output open. */
static void
what_is_left_behind_is_killed(void **state)
{
	int64_t start = time_ticks();
	char text[32];

	(void)state;
	must_run("sleep 60 & echo $!", text, sizeof(text));
	assert_in_range(time_ticks() - start, 0, 20000);
	assert_gone(strtol(text, NULL, 10));
}

/* Nothing is open any more, and still it is its end that counts. */
static void
who_closes_everything_is_waited_for(void **state)
{
	struct run_answer out;

	(void)state;
	assert_int_equal(run_script("exec <&- >&- 2>&- 3<&-; sleep 0.3; exit 5",
			     10000, &out),
	    OK);
	assert_int_equal(out.status, 5);
	run_answer_release(&out);
}

static void
too_much_output(void **state)
{
	const char *arg[] = { "abcdef", NULL };
	struct run_ask ask = {
		.path = "/bin/echo", .arg = arg, .timeout = 10000, .limit = 7
	};
	struct run_answer out;

	(void)state;
	assert_int_equal(fetch_run(&ask, &out), OK);
	run_answer_release(&out);
	ask.limit = 6;
	assert_int_equal(fetch_run(&ask, &out), ERR_TOOBIG);
	assert_int_equal(out.output.len, 0);
	assert_logged("/bin/echo: printed more than 6 bytes: killed");
	run_answer_release(&out);
	assert_int_equal(run_script("yes", 20000, &out), ERR_TOOBIG);
	run_answer_release(&out);
}

/* Of complaints the beginning is kept; an endless one does not hold us up. */
static void
much_complaint(void **state)
{
	struct run_answer out;

	(void)state;
	assert_int_equal(
	    run_script("head -c 200000 /dev/zero | tr '\\0' x >&2; exit 1",
		10000, &out),
	    OK);
	assert_int_equal(out.status, 1);
	assert_int_equal(out.complaint.len, 1000);
	run_answer_release(&out);
	assert_int_equal(run_script("yes >&2", 300, &out), ERR_BUSY);
	run_answer_release(&out);
}

static void
what_cannot_be_run(void **state)
{
	struct run_ask ask = { .timeout = 10000, .limit = 10 };
	struct run_answer out;
	char plain[128];
	char script[128];
	FILE *f;

	(void)state;
	ask.path = "/nonexistent/program";
	assert_int_equal(fetch_run(&ask, &out), ERR_NOTFOUND);
	assert_logged("/nonexistent/program: cannot be run: No such file");
	(void)snprintf(plain, sizeof(plain), "%s/plain", folder);
	(void)snprintf(script, sizeof(script), "%s/script", folder);
	assert_non_null(f = fopen(plain, "w"));
	(void)fputs("#!/bin/sh\n", f);
	(void)fclose(f);
	ask.path = plain;
	assert_int_equal(fetch_run(&ask, &out), ERR_NOTFOUND);
	assert_logged("/plain: cannot be run: Permission denied");
	assert_non_null(f = fopen(script, "w"));
	(void)fputs("#!/nonexistent/shell\n", f);
	(void)fclose(f);
	assert_int_equal(chmod(script, 0755), 0);
	ask.path = script;
	assert_int_equal(fetch_run(&ask, &out), ERR_NOTFOUND);
	ask.path = folder;
	assert_int_equal(fetch_run(&ask, &out), ERR_NOTFOUND);
}

/* More than a socket holds, so that it ends before it has all of it. */
static void
no_helper_starts(void **state)
{
	size_t len = 2 * 1024 * 1024;
	struct run_ask ask = { .path = "/bin/true", .timeout = 10000 };
	uint8_t *big = calloc(1, len);
	struct run_answer out;

	(void)state;
	assert_non_null(big);
	ask.input = span_of(big, len);
	fetch_stop();
	(void)setenv(HELPERS_DIE, "1", 1);
	assert_int_equal(fetch_run(&ask, &out), ERR_SYSTEM);
	assert_logged("no helper starts, each ends at once: is there a /proc");
	(void)unsetenv(HELPERS_DIE);
	assert_int_equal(fetch_run(&ask, &out), OK);
	run_answer_release(&out);
	free(big);
}

static void
what_makes_no_sense(void **state)
{
	static const struct run_ask asks[] = {
		{ .path = NULL, .timeout = 1000 },
		{ .path = "true", .timeout = 1000 },
		{ .path = "/bin/true", .timeout = 0 },
		{ .path = "/bin/true", .timeout = FETCH_MAX_TIMEOUT + 1 },
		{ .path = "/bin/true",
		    .timeout = 1000,
		    .limit = FETCH_MAX_LIMIT + 1 },
	};
	const char *arg[1002] = { NULL };
	struct run_ask big = { .path = "/bin/true", .timeout = 1000 };
	struct run_answer out;

	(void)state;
	for (size_t i = 0; i < sizeof(asks) / sizeof(*asks); i++)
		assert_int_equal(fetch_run(&asks[i], &out), ERR_INPUT);
	assert_logged("true: a program is named by an absolute path");
	for (size_t i = 0; i < 1001; i++)
		arg[i] = "x";
	big.arg = arg;
	assert_int_equal(fetch_run(&big, &out), ERR_INPUT);
	arg[1000] = NULL;
	assert_int_equal(fetch_run(&big, &out), OK);
	run_answer_release(&out);
	big.input.len = FETCH_MAX_ASK + 1;
	assert_non_null(big.input.p = calloc(1, big.input.len));
	assert_int_equal(fetch_run(&big, &out), ERR_INPUT);
	assert_logged("/bin/true: the job is larger than 4194304 bytes");
	free((void *)(uintptr_t)big.input.p);
}

static void
ended_by_a_signal(void **state)
{
	struct run_answer out;

	(void)state;
	assert_int_equal(run_script("kill -9 $$", 10000, &out), OK);
	assert_int_equal(out.status, 137);
	run_answer_release(&out);
}

/* What a program does to those above it takes its own job and no other. */
static void
trouble_above(void **state)
{
	static const struct {
		const char *script;
		const char *log;
	} cases[] = {
		{ "kill -9 $PPID; sleep 60", "its process died by signal 9" },
		{ "kill -STOP $PPID; sleep 60",
		    "took longer than 2000 ms: killed" },
		{ "kill -9 " HELPER "; sleep 60", "the helper died" },
		{ "kill -STOP " HELPER "; sleep 60",
		    "the helper did not answer in 4000 ms: killed" },
	};
	char script[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int64_t start = time_ticks();
		long before = helper_pid();
		struct run_answer out;

		(void)snprintf(script, sizeof(script), "echo $$ >%s/self; %s",
		    folder, cases[i].script);
		buf_clear(&the_log);
		assert_int_equal(run_script(script, 2000, &out), ERR_BUSY);
		assert_logged(cases[i].log);
		assert_in_range(time_ticks() - start, 0, 30000);
		assert_gone(pid_in("self"));
		/* The next job works, with the same helper if that lives. */
		if (i < 2)
			assert_int_equal(helper_pid(), before);
		else
			assert_int_not_equal(helper_pid(), before);
		if (i >= 2)
			assert_gone(before);
		run_answer_release(&out);
	}
}

/* One that died while nothing was asked of it is replaced in silence. */
static void
dead_between_jobs(void **state)
{
	long before = helper_pid();

	(void)state;
	assert_int_equal(kill((pid_t)before, SIGTERM), 0);
	assert_int_equal(helper_pid(), before);
	assert_int_equal(kill((pid_t)before, SIGKILL), 0);
	assert_gone(before);
	assert_int_not_equal(helper_pid(), before);
	assert_string_equal(buf_cstr(&the_log), "");
}

static void
stopping(void **state)
{
	long before = helper_pid();

	(void)state;
	fetch_stop();
	assert_true(is_gone(before));
	fetch_stop();
	assert_int_equal(fetch_start(), OK);
	assert_int_equal(fetch_start(), OK);
	assert_int_equal(helper_pid(), helper_pid());
}

/*
 * A worker that is a child of ours has a helper of its own, which ends with
 * it, also in the middle of a job.
 */
static void
ends_with_its_worker(void **state)
{
	long ours = helper_pid();
	char script[512];
	pid_t worker;
	long theirs;

	(void)state;
	(void)snprintf(script, sizeof(script),
	    "echo " HELPER " >%s/helper; mv %s/helper %s/theirs; sleep 60",
	    folder, folder, folder);
	if ((worker = fork()) == 0) {
		struct run_answer out;

		(void)run_script(script, 60000, &out);
		_exit(0);
	}
	(void)snprintf(script, sizeof(script),
	    "i=0; until [ -s %s/theirs ] || [ $i -gt 200 ]; do sleep 0.05; "
	    "i=$((i + 1)); done",
	    folder);
	must_run(script, NULL, 0);
	theirs = pid_in("theirs");
	assert_int_not_equal(theirs, ours);
	assert_int_equal(kill(worker, SIGKILL), 0);
	assert_int_equal(waitpid(worker, NULL, 0), worker);
	assert_gone(theirs);
	assert_int_equal(helper_pid(), ours);
}

static void
not_for_people(void **state)
{
	const char *arg[] = { "helper", NULL };
	struct run_ask ask = { .path = "/proc/self/exe",
		.arg = arg,
		.timeout = 10000,
		.limit = 4096 };
	struct run_answer out;

	(void)state;
	assert_int_equal(fetch_run(&ask, &out), OK);
	assert_int_equal(out.status, 2);
	assert_string_equal(buf_cstr(&out.complaint),
	    "scep: `scep helper` is a word between scep and itself, not for "
	    "people; see `scep help`\n");
	run_answer_release(&out);
}

#define TEST(f) cmocka_unit_test_setup(f, forget_log)

static const struct CMUnitTest tests[] = { TEST(output_status_and_complaint),
	TEST(no_other_environment), TEST(no_other_inheritance),
	TEST(the_secret_is_descriptor_3), TEST(much_input),
	TEST(too_slow_kills_the_whole_group),
	TEST(what_is_left_behind_is_killed),
	TEST(who_closes_everything_is_waited_for), TEST(too_much_output),
	TEST(much_complaint), TEST(what_cannot_be_run), TEST(no_helper_starts),
	TEST(what_makes_no_sense), TEST(ended_by_a_signal), TEST(trouble_above),
	TEST(dead_between_jobs), TEST(stopping), TEST(ends_with_its_worker),
	TEST(not_for_people) };

FETCHED_MAIN(tests)
