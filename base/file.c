#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file_priv.h"
#include "base/log.h"
#include "base/names.h"

enum err
file_trouble(const char *verb, const char *path)
{
	log_errno("cannot %s %s", verb, path);
	return ERR_SYSTEM;
}

int
file_openat(int at, const char *path, int flags)
{
	int fd;

	do
		fd = openat(at, path, flags | O_CLOEXEC, 0600);
	while (fd < 0 && errno == EINTR);
	return fd;
}

int
file_sync(int fd)
{
	int r;

	do
		r = fsync(fd);
	while (r < 0 && errno == EINTR);
	return r;
}

static enum err
open_dir(int at, const char *path, int flags, int *out)
{
	int fd;

	fd = file_openat(at, path, O_RDONLY | O_DIRECTORY | flags);
	if (fd < 0 && errno == ENOENT)
		return ERR_NOTFOUND;
	if (fd < 0)
		return file_trouble("open directory", path);
	*out = fd;
	return OK;
}

enum err
dir_path(int fd, struct buf *out)
{
	char name[32], path[PATH_MAX];
	ssize_t len;

	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	len = readlink(name, path, sizeof(path));
	if (len < 0 || len == (ssize_t)sizeof(path))
		return file_trouble("find", name);
	return buf_add(out, path, (size_t)len) ? OK : ERR_SYSTEM;
}

enum err
dir_open(int at, const char *path, int *out)
{
	return open_dir(at, path, O_NOFOLLOW, out);
}

enum err
dir_open_home(const char *path, int *out)
{
	return open_dir(AT_FDCWD, path, 0, out);
}

void
file_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

enum err
dir_make(int at, const char *path)
{
	if (mkdirat(at, path, 0700) != 0) {
		if (errno == EEXIST)
			return ERR_EXISTS;
		return file_trouble("make directory", path);
	}
	if (fchmodat(at, path, DIR_MODE, 0) != 0)
		return file_trouble("set the mode of", path);
	return OK;
}

enum err
dir_sync(int at, const char *path)
{
	enum err e;
	int fd = -1;

	e = dir_open(at, path, &fd);
	if (e == OK && file_sync(fd) != 0)
		e = file_trouble("sync directory", path);
	file_close(&fd);
	return e;
}

enum err
file_parent(const char *path, struct buf *out)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - path) + 1;

	return buf_add(out, path, len) ? OK : ERR_SYSTEM;
}

enum err
file_sync_parent(int at, const char *path)
{
	struct buf dir = BUF_INIT;
	enum err e;

	e = file_parent(path, &dir);
	if (e == OK && !buf_byte(&dir, '.'))
		e = ERR_SYSTEM;
	if (e == OK)
		e = dir_sync(at, buf_cstr(&dir));
	if (e == ERR_NOTFOUND)
		e = file_trouble("sync directory", buf_cstr(&dir));
	buf_release(&dir);
	return e;
}

static int
by_bytes(const void *a, const void *b)
{
	const char *const *x = a;
	const char *const *y = b;

	return strcmp(*x, *y);
}

/* One more name behind n; the array grows by doubling. */
static enum err
keep_name(char ***names, size_t n, const char *name)
{
	char **more;

	if ((n & (n - 1)) == 0) { /* 0 and the powers of two */
		more = realloc(*names, (n == 0 ? 1 : 2 * n) * sizeof(*more));
		if (more == NULL) {
			log_error("out of memory: %zu file names", n);
			return ERR_SYSTEM;
		}
		*names = more;
	}
	(*names)[n] = str_dup(name);
	return (*names)[n] == NULL ? ERR_SYSTEM : OK;
}

static enum err
read_names(DIR *dir, const char *path, char ***names, size_t *n)
{
	const struct dirent *d;
	enum err e = OK;

	while (e == OK) {
		errno = 0;
		d = readdir(dir);
		if (d == NULL)
			return errno == 0 ? OK : file_trouble("list", path);
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		e = keep_name(names, *n, d->d_name);
		if (e == OK)
			++*n;
	}
	return e;
}

enum err
dir_each(int at, const char *path,
    enum err (*each)(const char *name, void *arg), void *arg)
{
	char **names = NULL;
	DIR *dir = NULL;
	size_t i, n = 0;
	enum err e;
	int fd = -1;

	e = dir_open(at, path, &fd);
	if (e != OK)
		goto out;
	dir = fdopendir(fd);
	if (dir == NULL) {
		e = file_trouble("list", path);
		goto out;
	}
	fd = -1; /* closedir() closes it */
	e = read_names(dir, path, &names, &n);
	if (e != OK)
		goto out;
	if (n > 0)
		qsort(names, n, sizeof(*names), by_bytes);
	for (i = 0; i < n && e == OK; i++)
		e = each(names[i], arg);
out:
	if (dir != NULL)
		(void)closedir(dir);
	file_close(&fd);
	for (i = 0; i < n; i++)
		free(names[i]);
	free(names);
	return e;
}

/* Up to `max` bytes and one more, to know that there are too many. */
static enum err
read_all(int fd, const char *what, size_t max, struct buf *out)
{
	size_t n = 0, want;
	ssize_t r;

	for (;;) {
		want = max - n < 16384 ? max - n + 1 : 16384;
		if (!buf_reserve(out, want))
			return ERR_SYSTEM;
		r = read(fd, out->data + out->len, want);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return file_trouble("read", what);
		if (r == 0)
			return OK;
		n += (size_t)r;
		if (n > max) {
			log_error("%s is over %zu bytes", what, max);
			return ERR_TOOBIG;
		}
		out->len += (size_t)r;
		out->data[out->len] = '\0';
	}
}

enum err
file_read_fd(int fd, const char *what, size_t max, struct buf *out)
{
	size_t from = out->len;
	enum err e;

	e = read_all(fd, what, max, out);
	if (out->data != NULL) {
		/* A secret's tail must not outlive an error either. */
		if (e != OK && out->secret)
			wipe(out->data + from, out->cap - from);
		if (e != OK)
			out->len = from;
		out->data[out->len] = '\0';
	}
	return e;
}

/* Opens a regular file; O_NONBLOCK, so that a FIFO cannot hold us up. */
static enum err
open_regular(int at, const char *path, int *out)
{
	struct stat st;
	enum err e = OK;
	int fd;

	fd = file_openat(at, path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return ERR_NOTFOUND;
	if (fd < 0)
		return file_trouble("open", path);
	if (fstat(fd, &st) != 0) {
		e = file_trouble("look at", path);
	} else if (!S_ISREG(st.st_mode)) {
		log_error("%s is not a regular file", path);
		e = ERR_SYSTEM;
	}
	if (e != OK)
		file_close(&fd);
	else
		*out = fd;
	return e;
}

/* A pipe's writer may come later, so this open waits for it. */
enum err
file_open(int at, const char *path, int *out)
{
	struct stat st;
	int fd;

	fd = file_openat(at, path, O_RDONLY | O_NOCTTY);
	if (fd < 0 && errno == ENOENT)
		return ERR_NOTFOUND;
	if (fd < 0 || fstat(fd, &st) != 0) {
		(void)file_trouble("open", path);
		file_close(&fd);
		return ERR_REFUSED;
	}
	if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode) &&
	    !S_ISCHR(st.st_mode)) {
		log_error("%s is neither a file nor a pipe; name one, or - for "
			  "standard input",
		    path);
		file_close(&fd);
		return ERR_REFUSED;
	}
	*out = fd;
	return OK;
}

enum err
file_read(int at, const char *path, size_t max, struct buf *out)
{
	enum err e;
	int fd = -1;

	e = open_regular(at, path, &fd);
	if (e == OK)
		e = file_read_fd(fd, path, max, out);
	file_close(&fd);
	return e;
}

enum err
file_read_head(int at, const char *path, size_t len, struct buf *out)
{
	enum err e;
	ssize_t r;
	int fd = -1;

	e = open_regular(at, path, &fd);
	if (e == OK && !buf_reserve(out, len))
		e = ERR_SYSTEM;
	while (e == OK && len > 0) {
		r = read(fd, out->data + out->len, len);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			e = file_trouble("read", path);
		if (r <= 0)
			break;
		out->len += (size_t)r;
		len -= (size_t)r;
	}
	if (out->data != NULL)
		out->data[out->len] = '\0';
	file_close(&fd);
	return e;
}

enum err
file_look(int at, const char *path, struct stat *st)
{
	if (fstatat(at, path, st, AT_SYMLINK_NOFOLLOW) == 0)
		return OK;
	if (errno == ENOENT)
		return ERR_NOTFOUND;
	return file_trouble("look at", path);
}

enum err
dir_same(int at, const char *path, int fd)
{
	struct stat held, there;
	enum err e;

	if (fstat(fd, &held) != 0)
		return errno == ESTALE ? ERR_EXISTS :
					 file_trouble("look at", path);
	e = file_look(at, path, &there);
	if (e != OK)
		return e;
	return held.st_dev == there.st_dev && held.st_ino == there.st_ino ?
		   OK :
		   ERR_EXISTS;
}

enum err
file_exists(int at, const char *path)
{
	struct stat st;

	return file_look(at, path, &st);
}

enum err
file_stamp(int at, const char *path, struct file_stamp *out)
{
	struct stat st;
	enum err e;

	e = file_look(at, path, &st);
	if (e != OK)
		return e;
	out->dev = (uint64_t)st.st_dev;
	out->ino = (uint64_t)st.st_ino;
	out->size = (uint64_t)st.st_size;
	out->mtime_s = (int64_t)st.st_mtim.tv_sec;
	out->mtime_ns = (int64_t)st.st_mtim.tv_nsec;
	out->ctime_s = (int64_t)st.st_ctim.tv_sec;
	out->ctime_ns = (int64_t)st.st_ctim.tv_nsec;
	return OK;
}

bool
file_stamp_eq(const struct file_stamp *a, const struct file_stamp *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       a->mtime_s == b->mtime_s && a->mtime_ns == b->mtime_ns &&
	       a->ctime_s == b->ctime_s && a->ctime_ns == b->ctime_ns;
}

enum err
file_space(int fd, uint64_t *bytes, uint64_t *inodes)
{
	struct statvfs v;
	int r;

	do
		r = fstatvfs(fd, &v);
	while (r < 0 && errno == EINTR);
	if (r != 0)
		return file_trouble("ask for", "free space");
	*bytes = (uint64_t)v.f_bavail * v.f_frsize;
	/* A file system without a fixed number of inodes has no total. */
	*inodes = v.f_files == 0 ? UINT64_MAX : (uint64_t)v.f_favail;
	return OK;
}
