#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/file_priv.h"

enum err
file_claim_read(int at, const char *path, struct buf *out)
{
	char word[CLAIM_MAX + 1];
	ssize_t n;

	n = readlinkat(at, path, word, sizeof(word));
	if (n < 0 && errno == ENOENT)
		return ERR_NOTFOUND;
	if (n < 0 && errno == EINVAL)
		return ERR_INPUT;
	if (n < 0)
		return file_trouble("read claim", path);
	if (n == 0 || n > CLAIM_MAX)
		return ERR_INPUT;
	return buf_add(out, word, (size_t)n) ? OK : ERR_SYSTEM;
}

#define TRIES 100 /* while others make and take away the same name */

/*
 * The return code is not the verdict: what stands there is (STORE.md).
 * ERR_NOTFOUND with errno EEXIST: it was taken away before it was read.
 */
static enum err
claim_once(int at, const char *path, const char *word)
{
	struct buf there = BUF_INIT;
	enum err e;
	int saved;

	if (symlinkat(word, at, path) == 0)
		return OK;
	saved = errno;
	e = file_claim_read(at, path, &there);
	if (e == OK && strcmp(buf_cstr(&there), word) != 0)
		e = ERR_EXISTS;
	if (e == ERR_INPUT)
		e = ERR_EXISTS;
	buf_release(&there);
	errno = saved;
	return e;
}

enum err
file_claim(int at, const char *path, const char *word)
{
	enum err e = ERR_NOTFOUND;

	errno = EEXIST;
	for (int i = 0; i < TRIES && e == ERR_NOTFOUND && errno == EEXIST; i++)
		e = claim_once(at, path, word);
	return e == ERR_NOTFOUND ? file_trouble("claim", path) : e;
}

enum err
file_facts(int at, const char *path, struct file_facts *out)
{
	struct stat st;
	enum err e;

	e = file_look(at, path, &st);
	if (e != OK)
		return e;
	out->type = FILE_OTHER;
	if (S_ISREG(st.st_mode))
		out->type = FILE_REGULAR;
	else if (S_ISDIR(st.st_mode))
		out->type = FILE_DIRECTORY;
	else if (S_ISLNK(st.st_mode))
		out->type = FILE_CLAIM;
	out->mode = st.st_mode & 07777;
	out->uid = st.st_uid;
	out->gid = st.st_gid;
	out->mtime = (int64_t)st.st_mtim.tv_sec;
	return OK;
}

static enum err
each_line(FILE *f, const char *path,
    enum err (*each)(const char *line, void *arg), void *arg)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	enum err e = OK;

	while (e == OK && (n = getline(&line, &cap, f)) >= 0) {
		if (n > 0 && line[n - 1] == '\n')
			line[n - 1] = '\0';
		e = each(line, arg);
	}
	if (e == OK && !feof(f))
		e = file_trouble("read", path);
	free(line);
	return e;
}

enum err
file_lines(int at, const char *path,
    enum err (*each)(const char *line, void *arg), void *arg)
{
	struct file_facts facts;
	FILE *f = NULL;
	enum err e;
	int fd = -1;

	e = file_facts(at, path, &facts);
	if (e == OK && facts.type != FILE_REGULAR)
		e = ERR_NOTFOUND;
	if (e != OK)
		goto out;
	fd = file_openat(at, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	f = fd < 0 ? NULL : fdopen(fd, "r");
	if (f == NULL) {
		e = file_trouble("open", path);
		goto out;
	}
	fd = -1; /* fclose() closes it */
	e = each_line(f, path, each, arg);
out:
	if (f != NULL)
		(void)fclose(f);
	file_close(&fd);
	return e;
}
