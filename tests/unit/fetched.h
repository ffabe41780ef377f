#ifndef TESTS_UNIT_FETCHED_H
#define TESTS_UNIT_FETCHED_H

/*
 * What the units of fetch/ share: log lines are kept, programs are run by
 * /bin/sh, and this very program is the helper when it is called so.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/time.h"
#include "fetch/fetch.h"

static struct buf the_log = BUF_INIT;

static inline void
keep_line(const char *line, void *arg)
{
	(void)arg;
	(void)buf_str(&the_log, line);
	(void)buf_byte(&the_log, '\n');
}

/* Before each test. */
static inline int
forget_log(void **state)
{
	(void)state;
	buf_clear(&the_log);
	return 0;
}

static inline void
assert_logged(const char *words)
{
	if (strstr(buf_cstr(&the_log), words) == NULL)
		fail_msg("not in the log: %s\nthe log: %s", words,
		    buf_cstr(&the_log));
}

/* Runs a script with a time limit in ms; `out` is released by the caller. */
static inline enum err
run_script(const char *script, int64_t timeout, struct run_answer *out)
{
	const char *arg[] = { "-c", script, NULL };
	struct run_ask ask = { .path = "/bin/sh",
		.arg = arg,
		.timeout = timeout,
		.limit = 65536 };

	return fetch_run(&ask, out);
}

/* A script that must do well; what it printed is put into text. */
static inline void
must_run(const char *script, char *text, size_t size)
{
	struct run_answer out;

	assert_int_equal(run_script(script, 60000, &out), OK);
	if (out.status != 0)
		fail_msg("%s: %s", script, buf_cstr(&out.complaint));
	if (text != NULL)
		(void)snprintf(text, size, "%s", buf_cstr(&out.output));
	run_answer_release(&out);
}

/* A variable that helpers inherit; this one ends them before they begin. */
#define HELPERS_DIE "FAKETIME_HELPERS_DIE"

/* Its own main: `helper` is what fetch_start() calls it with. */
#define FETCHED_MAIN(tests)                                                \
	int main(int argc, char **argv)                                    \
	{                                                                  \
		int bad;                                                   \
                                                                           \
		if (argc == 2 && strcmp(argv[1], "helper") == 0)           \
			return getenv(HELPERS_DIE) ? 127 : fetch_helper(); \
		log_sink(keep_line, NULL);                                 \
		bad = cmocka_run_group_tests(tests, set_up, clean_up);     \
		fetch_stop();                                              \
		buf_release(&the_log);                                     \
		return bad;                                                \
	}

#endif
