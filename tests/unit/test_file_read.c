#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/file_tree.h"

static void
test_read(void **state)
{
	struct buf b = BUF_INIT;
	int fd = -1;

	(void)state;
	assert_int_equal(file_mark(tmp, home, "d/a", text("12345")), OK);
	assert_true(buf_str(&b, "x"));
	assert_int_equal(file_read(home, "d/a", 5, &b), OK);
	assert_string_equal(buf_cstr(&b), "x12345");
	assert_int_equal(lines, 0);
	assert_int_equal(file_read(home, "d/a", 4, &b), ERR_TOOBIG);
	assert_int_equal(lines, 1);
	assert_string_equal(buf_cstr(&b), "x12345");
	assert_int_equal(file_read(home, "d/none", 4, &b), ERR_NOTFOUND);
	assert_int_equal(lines, 1);
	assert_int_equal(file_read(home, "d", 4, &b), ERR_SYSTEM);
	assert_int_equal(file_open(home, "d", &fd), ERR_REFUSED);
	assert_int_equal(fd, -1);
	assert_int_equal(file_open(home, "d/none", &fd), ERR_NOTFOUND);
	buf_release(&b);
}

static void
test_read_head(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(file_mark(tmp, home, "d/h", text("12345")), OK);
	assert_int_equal(file_read_head(home, "d/h", 3, &b), OK);
	assert_string_equal(buf_cstr(&b), "123");
	assert_int_equal(file_read_head(home, "d/h", 9, &b), OK);
	assert_string_equal(buf_cstr(&b), "12312345");
	assert_int_equal(file_read_head(home, "d/none", 9, &b), ERR_NOTFOUND);
	assert_int_equal(file_read_head(home, "d", 9, &b), ERR_SYSTEM);
	assert_string_equal(buf_cstr(&b), "12312345");
	buf_release(&b);
}

static void
test_same_directory(void **state)
{
	int fd = -1;

	(void)state;
	assert_int_equal(dir_make(home, "one"), OK);
	assert_int_equal(dir_open(home, "one", &fd), OK);
	assert_int_equal(dir_same(home, "one", fd), OK);
	assert_int_equal(file_rename(home, "one", "two"), OK);
	assert_int_equal(dir_same(home, "one", fd), ERR_NOTFOUND);
	assert_int_equal(dir_same(home, "two", fd), OK);
	assert_int_equal(dir_make(home, "one"), OK);
	assert_int_equal(dir_same(home, "one", fd), ERR_EXISTS);
	file_close(&fd);
}

/* Larger than one read() takes. */
static void
test_read_large(void **state)
{
	struct buf in = BUF_INIT, out = BUF_SECRET;
	size_t i;

	(void)state;
	for (i = 0; i < 100000; i++)
		assert_true(buf_byte(&in, (uint8_t)(i % 251)));
	assert_int_equal(file_mark(tmp, home, "d/a", buf_span(&in)), OK);
	assert_int_equal(file_read(home, "d/a", in.len, &out), OK);
	assert_true(span_eq(buf_span(&in), buf_span(&out)));
	buf_clear(&out);
	assert_int_equal(file_read(home, "d/a", in.len - 1, &out), ERR_TOOBIG);
	assert_int_equal(out.len, 0);
	for (i = 0; i < out.cap; i++)
		assert_int_equal(out.data[i], 0);
	buf_release(&in);
	buf_release(&out);
}

/* No symbolic link, FIFO or device stands in for a file of ours. */
static void
test_not_regular(void **state)
{
	struct buf b = BUF_INIT;
	int fd = -1;

	(void)state;
	assert_int_equal(file_mark(tmp, home, "d/a", text("x")), OK);
	assert_int_equal(symlinkat("a", home, "d/s"), 0);
	assert_int_equal(symlinkat("d", home, "ds"), 0);
	assert_int_equal(mkfifoat(home, "d/f", 0600), 0);
	assert_int_equal(file_read(home, "d/s", 10, &b), ERR_SYSTEM);
	assert_int_equal(file_read(home, "d/f", 10, &b), ERR_SYSTEM);
	assert_int_equal(
	    file_append(home, "d/s", text("x"), false), ERR_SYSTEM);
	assert_int_equal(dir_open(home, "ds", &fd), ERR_SYSTEM);
	assert_int_equal(lines, 4);
	assert_int_equal(
	    file_create_once(tmp, home, "d/s", text("x"), FILE_RECORD, true),
	    ERR_EXISTS);
	/* A file that a person named may be a link. */
	assert_int_equal(file_open(home, "d/s", &fd), OK);
	assert_int_equal(file_read_fd(fd, "d/s", 10, &b), OK);
	assert_string_equal(buf_cstr(&b), "x");
	file_close(&fd);
	buf_release(&b);
}

static enum err
collect(const char *name, void *arg)
{
	struct buf *b = arg;

	if (strcmp(name, "stop") == 0)
		return ERR_REFUSED;
	return buf_printf(b, "%s ", name) ? OK : ERR_SYSTEM;
}

static void
test_dir_each(void **state)
{
	static const char *const names[] = { "d/b", "d/a", "d/B", "d/10", "d/9",
		"d/.x", "d/\xc3\xa9" };
	struct buf b = BUF_INIT;
	size_t i;

	(void)state;
	assert_int_equal(dir_each(home, "d", collect, &b), OK);
	assert_int_equal(b.len, 0);
	for (i = 0; i < 7; i++)
		assert_int_equal(file_mark(tmp, home, names[i], text("")), OK);
	assert_int_equal(dir_each(home, "d", collect, &b), OK);
	assert_string_equal(buf_cstr(&b), ".x 10 9 B a b \xc3\xa9 ");
	buf_clear(&b);
	assert_int_equal(file_mark(tmp, home, "d/stop", text("")), OK);
	assert_int_equal(dir_each(home, "d", collect, &b), ERR_REFUSED);
	assert_string_equal(buf_cstr(&b), ".x 10 9 B a b ");
	assert_int_equal(dir_each(home, "none", collect, &b), ERR_NOTFOUND);
	assert_int_equal(lines, 0);
	buf_release(&b);
}

static void
test_directories(void **state)
{
	uint64_t bytes = 0, inodes = 0;
	int fd = 5;

	(void)state;
	assert_int_equal(dir_open(home, "none", &fd), ERR_NOTFOUND);
	assert_int_equal(fd, 5);
	assert_int_equal(dir_sync(home, "none"), ERR_NOTFOUND);
	assert_int_equal(dir_make(home, "none/x"), ERR_SYSTEM);
	assert_int_equal(dir_sync(home, "d"), OK);
	fd = -1;
	file_close(&fd);
	assert_int_equal(file_space(home, &bytes, &inodes), OK);
	assert_true(bytes > 0);
	assert_true(inodes > 0);
	assert_int_equal(file_space(-1, &bytes, &inodes), ERR_SYSTEM);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tree_setup, tree_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_read),
		TEST(test_read_head),
		TEST(test_same_directory),
		TEST(test_read_large),
		TEST(test_not_regular),
		TEST(test_dir_each),
		TEST(test_directories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
