#ifndef FILE_TREE_H
#define FILE_TREE_H

/*
 * A fresh directory with two in it, "tmp" and "d", for each test of
 * test_file.c and test_file_read.c; log lines are counted.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

static char root[128];
static int home, tmp;
static int lines;

static inline void
count_lines(const char *line, void *arg)
{
	(void)line;
	(void)arg;
	lines++;
}

static inline int
tree_setup(void **state)
{
	const char *base = getenv("TMPDIR");

	(void)state;
	lines = 0;
	log_sink(count_lines, NULL);
	(void)snprintf(root, sizeof(root), "%s/test_file.XXXXXX",
	    base == NULL ? "/tmp" : base);
	if (mkdtemp(root) == NULL || dir_open(AT_FDCWD, root, &home) != OK ||
	    dir_make(home, "tmp") != OK || dir_make(home, "d") != OK ||
	    dir_open(home, "tmp", &tmp) != OK)
		return -1;
	return 0;
}

static inline enum err
remove_name(const char *name, void *arg)
{
	int *fd = arg;

	return unlinkat(*fd, name, 0) == 0 ||
		       unlinkat(*fd, name, AT_REMOVEDIR) == 0 ?
		   OK :
		   ERR_SYSTEM;
}

static inline int
tree_teardown(void **state)
{
	static const char *const dirs[] = { "tmp", "d", "." };
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < 3; i++) {
		if (dir_open(home, dirs[i], &fd) != OK ||
		    dir_each(fd, ".", remove_name, &fd) != OK)
			return -1;
		file_close(&fd);
	}
	file_close(&tmp);
	file_close(&home);
	log_sink(NULL, NULL);
	return rmdir(root);
}

static inline struct span
text(const char *s)
{
	return span_of(s, strlen(s));
}

static inline void
expect_content(const char *path, const char *want)
{
	struct buf b = BUF_INIT;

	assert_int_equal(file_read(home, path, 10000, &b), OK);
	assert_string_equal(buf_cstr(&b), want);
	buf_release(&b);
}

static inline mode_t
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(home, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

static inline enum err
count_name(const char *name, void *arg)
{
	(void)name;
	++*(int *)arg;
	return OK;
}

static inline int
names_in(const char *path)
{
	int n = 0;

	assert_int_equal(dir_each(home, path, count_name, &n), OK);
	return n;
}

#endif
