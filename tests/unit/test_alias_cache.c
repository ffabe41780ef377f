#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <time.h>

#include "aliases/alias.h"
#include "base/log.h"
#include "tests/unit/cli.h"

static char path[200];
static int home = -1;
static struct aliases *as;
static unsigned lines; /* of log */

static void
count_log(const char *line, void *arg)
{
	(void)line;
	(void)arg;
	lines++;
}

static int
setup(void **state)
{
	(void)state;
	home = cli_tmpdir(path, sizeof(path));
	assert_true(home >= 0);
	assert_int_equal(dir_make(home, "aliases"), OK);
	assert_int_equal(aliases_new(home, &as), OK);
	log_sink(count_log, NULL);
	lines = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	log_sink(NULL, NULL);
	aliases_free(as);
	(void)close(home);
	cli_remove(path);
	return 0;
}

/* As an editor writes: in place, with the time of `ago` seconds before. */
static void
write_file(const char *text, int ago)
{
	struct timespec t[2] = { { time(NULL) - ago, 0 },
		{ time(NULL) - ago, 0 } };
	int fd =
	    openat(home, "aliases/a.ini", O_WRONLY | O_CREAT | O_TRUNC, 0640);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(futimens(fd, t), 0);
	(void)close(fd);
}

static enum err
find(const struct alias **a)
{
	return aliases_find(as, "a", a);
}

#define GOOD "[scep]\noperationmode = ca\ncas = A\n"

static void
takes_what_is_quiet(void **state)
{
	const struct alias *a = NULL;

	(void)state;
	assert_int_equal(find(&a), ERR_NOTFOUND);
	write_file(GOOD, 0);
	assert_int_equal(find(&a), ERR_BUSY);
	write_file(GOOD, 5);
	assert_int_equal(find(&a), OK);
	assert_false(a->includeca);
	/* being written: the last good version counts */
	write_file(GOOD "includeca = yes\n", 0);
	assert_int_equal(find(&a), OK);
	assert_false(a->includeca);
	/* and then it is live */
	write_file(GOOD "includeca = yes\n", 4);
	assert_int_equal(find(&a), OK);
	assert_true(a->includeca);
	assert_int_equal(lines, 0);
}

static void
takes_our_own_at_once(void **state)
{
	const struct alias *a = NULL;

	(void)state;
	assert_int_equal(file_replace(home, "aliases/a.ini",
			     span_of(GOOD, strlen(GOOD)), FILE_RECORD),
	    OK);
	assert_int_equal(find(&a), OK);
}

static void
keeps_the_last_good(void **state)
{
	const struct alias *a = NULL;

	(void)state;
	write_file("[scep\n", 5);
	assert_int_equal(find(&a), ERR_SYSTEM);
	assert_true(lines > 0);
	lines = 0;
	assert_int_equal(find(&a), ERR_SYSTEM);
	assert_int_equal(lines, 0); /* said once a minute */
	write_file(GOOD, 4);
	assert_int_equal(find(&a), OK);
	write_file("[scep\n", 3);
	assert_int_equal(find(&a), OK);
	assert_non_null(a);
	assert_int_equal(unlinkat(home, "aliases/a.ini", 0), 0);
	assert_int_equal(find(&a), ERR_NOTFOUND);
}

/* A clock that was set back must not keep an alias away for years. */
static void
takes_the_future(void **state)
{
	const struct alias *a = NULL;

	(void)state;
	write_file(GOOD, -3600);
	assert_int_equal(find(&a), OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    takes_what_is_quiet, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    takes_our_own_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    keeps_the_last_good, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    takes_the_future, setup, teardown),
	};

	return cmocka_run_group_tests_name("alias cache", tests, NULL, NULL);
}
