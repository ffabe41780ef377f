#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/time.h"
#include "tests/unit/file_tree.h"

/*
 * These stand in the way of libc's functions, so that a call may do its work
 * and deny it, as network file systems do, or do half of it.
 */
static int link_lie;   /* errno that linkat() claims after linking */
static int link_fail;  /* errno that linkat() fails with */
static int rename_lie; /* the same for renameat() */
static int rename_fail;
static int fsync_fail; /* errno that fsync() fails with */
static int fsyncs;     /* calls of it */

int
linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
	if (link_fail != 0) {
		errno = link_fail;
		return -1;
	}
	if (syscall(SYS_linkat, from_fd, from, to_fd, to, flags) != 0)
		return -1;
	errno = link_lie;
	return link_lie == 0 ? 0 : -1;
}

int
renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	if (rename_fail != 0) {
		errno = rename_fail;
		return -1;
	}
	if (syscall(SYS_renameat2, from_fd, from, to_fd, to, 0) != 0)
		return -1;
	errno = rename_lie;
	return rename_lie == 0 ? 0 : -1;
}

int
fsync(int fd)
{
	(void)fd;
	fsyncs++;
	errno = fsync_fail;
	return fsync_fail == 0 ? 0 : -1;
}

/*
 * Not static: clang sees read(), which <unistd.h> defines inline, as external
 * inline still.
 */
extern bool trickle; /* write() and read(): a byte a call, or EINTR */
bool interrupted(void);
bool trickle;

bool
interrupted(void)
{
	static int turn;

	errno = EINTR;
	return trickle && ++turn % 2 == 0;
}

ssize_t
write(int fd, const void *p, size_t n)
{
	if (interrupted())
		return -1;
	return syscall(SYS_write, fd, p, trickle && n > 1 ? 1 : n);
}

ssize_t
read(int fd, void *p, size_t n)
{
	if (interrupted())
		return -1;
	return syscall(SYS_read, fd, p, trickle && n > 1 ? 1 : n);
}

static int
setup(void **state)
{
	link_lie = link_fail = rename_lie = rename_fail = fsync_fail = 0;
	trickle = false;
	fsyncs = 0;
	return tree_setup(state);
}

static void
test_create_once(void **state)
{
	(void)state;
	assert_int_equal(
	    file_create_once(tmp, home, "d/a", text("one"), FILE_RECORD, true),
	    OK);
	assert_int_equal(fsyncs, 2);
	expect_content("d/a", "one");
	assert_int_equal(
	    file_create_once(tmp, home, "d/a", text("two"), FILE_RECORD, true),
	    ERR_EXISTS);
	assert_int_equal(fsyncs, 4); /* what stands there is durable too */
	assert_int_equal(file_create_once(tmp, home, "d/a", text("twoo"),
			     FILE_RECORD, false),
	    ERR_EXISTS);
	assert_int_equal(fsyncs, 5);
	expect_content("d/a", "one");
	/* A plain retry finds its own bytes. */
	assert_int_equal(
	    file_create_once(tmp, home, "d/a", text("one"), FILE_RECORD, false),
	    OK);
	assert_int_equal(lines, 0);
	assert_int_equal(names_in("tmp"), 0);
	assert_int_equal(
	    file_create_once(tmp, home, "d/empty", text(""), FILE_KEY, false),
	    OK);
	expect_content("d/empty", "");
}

static void
test_modes(void **state)
{
	static const mode_t masks[] = { 0, 022, 0777 };
	char path[16];
	mode_t old;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		old = umask(masks[i]);
		(void)snprintf(path, sizeof(path), "d/%zuk", i);
		assert_int_equal(file_create_once(tmp, home, path, text("k"),
				     FILE_KEY, false),
		    OK);
		assert_int_equal(mode_of(path), FILE_KEY);
		path[3] = 'm';
		assert_int_equal(file_mark(tmp, home, path, text("m")), OK);
		assert_int_equal(mode_of(path), FILE_RECORD);
		path[3] = 'r';
		assert_int_equal(
		    file_replace(home, path, text("r"), FILE_RECORD), OK);
		assert_int_equal(mode_of(path), FILE_RECORD);
		path[3] = 'a';
		assert_int_equal(file_append(home, path, text("a"), false), OK);
		assert_int_equal(mode_of(path), FILE_RECORD);
		path[3] = 'd';
		assert_int_equal(dir_make(home, path), OK);
		assert_int_equal(mode_of(path), DIR_MODE);
		(void)umask(old);
	}
	assert_int_equal(dir_make(home, "d/0d"), ERR_EXISTS);
}

/* STORE.md, The rule: link()'s return code is never the verdict. */
static void
test_link_verdict(void **state)
{
	(void)state;
	link_lie = EEXIST;
	assert_int_equal(
	    file_create_once(tmp, home, "d/a", text("one"), FILE_RECORD, true),
	    OK);
	link_lie = EIO;
	assert_int_equal(
	    file_create_once(tmp, home, "d/b", text("one"), FILE_RECORD, true),
	    OK);
	assert_int_equal(file_mark(tmp, home, "d/m", text("")), OK);
	assert_int_equal(file_link(home, "d/a", "d/c"), OK);
	assert_int_equal(lines, 0);
	link_fail = EIO;
	assert_int_equal(
	    file_create_once(tmp, home, "d/x", text("one"), FILE_RECORD, true),
	    ERR_SYSTEM);
	assert_int_equal(lines, 1);
	/* Another's decision is an answer, whatever link() said. */
	assert_int_equal(
	    file_create_once(tmp, home, "d/a", text("two"), FILE_RECORD, true),
	    ERR_EXISTS);
	assert_int_equal(lines, 1);
	link_fail = EEXIST;
	assert_int_equal(
	    file_create_once(tmp, home, "d/y", text("one"), FILE_RECORD, true),
	    ERR_BUSY);
	assert_int_equal(file_exists(home, "d/x"), ERR_NOTFOUND);
	assert_int_equal(file_exists(home, "d/y"), ERR_NOTFOUND);
	assert_int_equal(names_in("tmp"), 0);
}

static void
test_rename_verdict(void **state)
{
	(void)state;
	rename_lie = EIO;
	assert_int_equal(
	    file_replace(home, "d/a", text("one"), FILE_RECORD), OK);
	assert_int_equal(file_rename(home, "d/a", "d/b"), OK);
	assert_int_equal(lines, 0);
	expect_content("d/b", "one");
	rename_fail = EIO;
	assert_int_equal(
	    file_replace(home, "d/b", text("two"), FILE_RECORD), ERR_SYSTEM);
	assert_int_equal(file_rename(home, "d/b", "d/c"), ERR_SYSTEM);
	assert_int_equal(lines, 2);
	expect_content("d/b", "one");
	assert_int_equal(names_in("d"), 1);
}

/* I4: a disk that does not keep what it took is our trouble. */
static void
test_fsync_fails(void **state)
{
	(void)state;
	fsync_fail = EIO;
	assert_int_equal(
	    file_create_once(tmp, home, "d/a", text("one"), FILE_RECORD, true),
	    ERR_SYSTEM);
	assert_int_equal(file_exists(home, "d/a"), ERR_NOTFOUND);
	assert_int_equal(
	    file_replace(home, "d/a", text("one"), FILE_RECORD), ERR_SYSTEM);
	assert_int_equal(file_exists(home, "d/a"), ERR_NOTFOUND);
	assert_int_equal(file_append(home, "d/l", text("x"), true), ERR_SYSTEM);
	assert_int_equal(dir_sync(home, "d"), ERR_SYSTEM);
	assert_int_equal(file_mark(tmp, home, "d/m", text("")), OK);
	assert_int_equal(lines, 4);
	assert_int_equal(names_in("tmp"), 0);
}

static void
test_trickle(void **state)
{
	(void)state;
	trickle = true;
	assert_int_equal(
	    file_create_once(tmp, home, "d/a",
		text("many bytes, one at a time"), FILE_RECORD, false),
	    OK);
	assert_int_equal(
	    file_replace(home, "d/b", text("and again"), FILE_RECORD), OK);
	expect_content("d/a", "many bytes, one at a time");
	expect_content("d/b", "and again");
}

static void
test_marks_count(void **state)
{
	(void)state;
	assert_int_equal(file_mark(tmp, home, "d/m,0", text("x")), OK);
	assert_int_equal(file_mark(tmp, home, "d/m,0", text("x")), ERR_EXISTS);
	assert_int_equal(fsyncs, 0);
	assert_int_equal(file_mark(tmp, home, "none/m", text("x")), ERR_SYSTEM);
	assert_int_equal(names_in("tmp"), 0);
}

/* How many of 40 names this process decided; 100 if anything went wrong. */
static int
decide_names(int child)
{
	char mine[16], path[16];
	int i, winners = 0;
	enum err e;

	(void)snprintf(mine, sizeof(mine), "%d", child);
	for (i = 0; i < 40; i++) {
		(void)snprintf(path, sizeof(path), "d/%d", i);
		e = file_create_once(
		    tmp, home, path, text(mine), FILE_RECORD, false);
		if (e != OK && e != ERR_EXISTS)
			return 100;
		if (e == OK)
			winners++;
	}
	return winners;
}

/* Many processes, one name: one of them decides it. */
static void
test_contest(void **state)
{
	int child, status, sum = 0;

	(void)state;
	for (child = 0; child < 6; child++) {
		if (fork() == 0)
			_exit(decide_names(child));
	}
	for (child = 0; child < 6; child++) {
		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status));
		sum += WEXITSTATUS(status);
	}
	assert_int_equal(sum, 40);
	assert_int_equal(names_in("d"), 40);
	assert_int_equal(names_in("tmp"), 0);
}

static void
test_links(void **state)
{
	struct file_stamp a, b;

	(void)state;
	assert_int_equal(file_link(home, "d/a", "d/b"), ERR_NOTFOUND);
	assert_int_equal(file_mark(tmp, home, "d/a", text("x")), OK);
	assert_int_equal(file_link(home, "d/a", "d/b"), OK);
	assert_int_equal(file_link(home, "d/a", "d/b"), OK);
	assert_int_equal(file_stamp(home, "d/a", &a), OK);
	assert_int_equal(file_stamp(home, "d/b", &b), OK);
	assert_true(file_stamp_eq(&a, &b));
	assert_int_equal(file_mark(tmp, home, "d/c", text("x")), OK);
	assert_int_equal(file_link(home, "d/a", "d/c"), ERR_EXISTS);
	assert_int_equal(lines, 0);
	assert_int_equal(file_link(home, "d/a", "none/c"), ERR_SYSTEM);
}

static void
test_replace(void **state)
{
	struct file_stamp a, b;

	(void)state;
	assert_int_equal(file_replace(home, "f", text("one"), FILE_RECORD), OK);
	assert_int_equal(fsyncs, 2);
	assert_int_equal(file_stamp(home, "f", &a), OK);
	assert_in_range(time_now() - a.mtime_s, 2, 4);
	assert_int_equal(file_replace(home, "f", text("two!"), FILE_KEY), OK);
	expect_content("f", "two!");
	assert_int_equal(mode_of("f"), FILE_KEY);
	assert_int_equal(file_stamp(home, "f", &b), OK);
	assert_false(file_stamp_eq(&a, &b));
	assert_int_equal(names_in("."), 3); /* tmp, d, f */
	assert_int_equal(
	    file_replace(home, "d", text("x"), FILE_RECORD), ERR_SYSTEM);
	assert_int_equal(
	    file_replace(home, "none/f", text("x"), FILE_RECORD), ERR_SYSTEM);
	assert_int_equal(names_in("."), 3);
}

static void
test_rename_unlink(void **state)
{
	(void)state;
	assert_int_equal(file_rename(home, "a", "b"), ERR_NOTFOUND);
	assert_int_equal(file_unlink(home, "a"), ERR_NOTFOUND);
	assert_int_equal(file_mark(tmp, home, "a", text("x")), OK);
	assert_int_equal(file_rename(home, "a", "d/b"), OK);
	assert_int_equal(fsyncs, 2);
	assert_int_equal(file_exists(home, "a"), ERR_NOTFOUND);
	assert_int_equal(dir_make(home, "new"), OK);
	assert_int_equal(file_rename(home, "new", "d"), ERR_EXISTS);
	assert_int_equal(lines, 0);
	assert_int_equal(file_unlink(home, "d/b"), OK);
	assert_int_equal(file_rename(home, "new", "d"), OK);
	assert_int_equal(file_unlink(home, "d"), ERR_SYSTEM);
	assert_int_equal(lines, 1);
}

static void
test_append(void **state)
{
	(void)state;
	assert_int_equal(file_append(home, "log", text("one"), false), OK);
	assert_int_equal(fsyncs, 0);
	assert_int_equal(file_append(home, "log", text("two\n"), true), OK);
	assert_int_equal(fsyncs, 1);
	expect_content("log", "one\ntwo\n");
	/* Half a line of a crash does not swallow the next. */
	assert_int_equal(
	    file_replace(home, "log", text("one\nha"), FILE_RECORD), OK);
	assert_int_equal(file_append(home, "log", text("three"), false), OK);
	expect_content("log", "one\nha\nthree\n");
	fsyncs = 0;
	assert_int_equal(file_append(home, "new", text("x"), true), OK);
	assert_int_equal(fsyncs, 2);
	assert_int_equal(
	    file_append(home, "none/log", text("x"), true), ERR_SYSTEM);
}

/* A full disk takes half a line; none of it may stay. */
static void
test_append_full(void **state)
{
	struct rlimit old, small;
	enum err e;

	(void)state;
	assert_int_equal(file_append(home, "log", text("one"), false), OK);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	small = old;
	small.rlim_cur = 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	e = file_append(home, "log", text("a line too long"), false);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	(void)signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(e, ERR_SYSTEM);
	expect_content("log", "one\n");
}

static void
test_append_contest(void **state)
{
	struct buf b = BUF_INIT;
	int child, i, status;
	size_t n;

	(void)state;
	for (child = 0; child < 4; child++) {
		if (fork() != 0)
			continue;
		for (i = 0; i < 50; i++) {
			if (file_append(home, "log", text("0123456789abcdef"),
				false) != OK)
				_exit(1);
		}
		_exit(0);
	}
	for (child = 0; child < 4; child++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(file_read(home, "log", 10000, &b), OK);
	assert_int_equal(b.len, 200 * 17);
	for (n = 0; n < b.len; n += 17)
		assert_memory_equal(b.data + n, "0123456789abcdef\n", 17);
	buf_release(&b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, tree_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_create_once),
		TEST(test_modes),
		TEST(test_link_verdict),
		TEST(test_rename_verdict),
		TEST(test_fsync_fails),
		TEST(test_trickle),
		TEST(test_marks_count),
		TEST(test_contest),
		TEST(test_links),
		TEST(test_replace),
		TEST(test_rename_unlink),
		TEST(test_append),
		TEST(test_append_full),
		TEST(test_append_contest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
