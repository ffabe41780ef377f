#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"
#include "tests/unit/file_tree.h"

/* What administrators need: to make, to replace if, and to wait. */

static void
test_create_new(void **state)
{
	struct file_facts facts;

	(void)state;
	assert_int_equal(
	    file_create_new(tmp, home, "d/a", text("one"), FILE_RECORD), OK);
	expect_content("d/a", "one");
	assert_int_equal(file_facts(home, "d/a", &facts), OK);
	assert_int_equal(facts.mode, FILE_RECORD);
	assert_true(facts.mtime <= time_now() - 2);
	/* The same bytes are somebody else's. */
	assert_int_equal(
	    file_create_new(tmp, home, "d/a", text("one"), FILE_RECORD),
	    ERR_EXISTS);
	assert_int_equal(
	    file_create_new(tmp, home, "d/a", text("two"), FILE_RECORD),
	    ERR_EXISTS);
	expect_content("d/a", "one");
	assert_int_equal(lines, 0);
}

static void
test_swap(void **state)
{
	(void)state;
	assert_int_equal(
	    file_swap(home, "d/a", text("one"), text("two"), FILE_RECORD),
	    ERR_NOTFOUND);
	assert_int_equal(
	    file_replace(home, "d/a", text("one"), FILE_RECORD), OK);
	assert_int_equal(
	    file_swap(home, "d/a", text("one"), text("two"), FILE_RECORD), OK);
	expect_content("d/a", "two");
	/* Another text of that length, a longer and a shorter one. */
	assert_int_equal(
	    file_swap(home, "d/a", text("one"), text("x"), FILE_RECORD),
	    ERR_EXISTS);
	assert_int_equal(
	    file_swap(home, "d/a", text("tw"), text("x"), FILE_RECORD),
	    ERR_EXISTS);
	assert_int_equal(
	    file_swap(home, "d/a", text("two "), text("x"), FILE_RECORD),
	    ERR_EXISTS);
	expect_content("d/a", "two");
	assert_int_equal(lines, 0);
}

/* Takes the lock, says so, and holds it until it is told to let go. */
static void
hold(int said, int told)
{
	char c = 'x';
	int fd = -1;

	if (file_lock(home, "d/.lock", &fd) != OK || write(said, &c, 1) != 1 ||
	    read(told, &c, 1) != 1 ||
	    file_replace(home, "d/order", text("first"), FILE_RECORD) != OK)
		_exit(1);
	_exit(0);
}

static void
test_lock(void **state)
{
	int said[2], told[2], status, fd = -1;
	char c;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(said), 0);
	assert_int_equal(pipe(told), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		hold(said[1], told[0]);
	assert_int_equal(read(said[0], &c, 1), 1);
	assert_int_equal(write(told[1], &c, 1), 1);
	/* Ours only when the holder has ended, and so after its file. */
	assert_int_equal(file_lock(home, "d/.lock", &fd), OK);
	expect_content("d/order", "first");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	file_close(&fd);
	assert_int_equal(file_lock(home, "d/.lock", &fd), OK);
	file_close(&fd);
	for (int i = 0; i < 2; i++) {
		(void)close(said[i]);
		(void)close(told[i]);
	}
	assert_int_equal(lines, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_create_new, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(
		    test_swap, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(
		    test_lock, tree_setup, tree_teardown),
	};

	return cmocka_run_group_tests_name(
	    "base/file.h: swap", tests, NULL, NULL);
}
