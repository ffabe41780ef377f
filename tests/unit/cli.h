#ifndef TESTS_UNIT_CLI_H
#define TESTS_UNIT_CLI_H

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"

/*
 * Runs a program, an independent judge such as openssl(1), and gives what it
 * wrote to standard output and error; -1 if it did not end with exit 0.
 */
static inline int
cli_run(const char *const *argv, struct buf *out)
{
	int fd[2], status = 0;
	char block[4096];
	ssize_t n;
	pid_t pid;

	if (pipe(fd) != 0 || (pid = fork()) < 0)
		return -1;
	if (pid == 0) {
		(void)dup2(fd[1], 1);
		(void)dup2(fd[1], 2);
		(void)close(fd[0]);
		(void)execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	(void)close(fd[1]);
	while ((n = read(fd[0], block, sizeof(block))) > 0)
		(void)buf_add(out, block, (size_t)n);
	(void)close(fd[0]);
	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

#define CLI(out, ...) cli_run((const char *const[]){ __VA_ARGS__, NULL }, out)

/* A fresh directory under $TMPDIR; its name in path, a descriptor as answer. */
static inline int
cli_tmpdir(char *path, size_t size)
{
	const char *base = getenv("TMPDIR");

	(void)snprintf(path, size, "%s/scep-unit-XXXXXX", base ? base : "/tmp");
	if (mkdtemp(path) == NULL)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static inline void
cli_remove(const char *path)
{
	struct buf out = BUF_INIT;

	(void)CLI(&out, "rm", "-rf", path);
	buf_release(&out);
}

#endif
