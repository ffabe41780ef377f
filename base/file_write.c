#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/file_priv.h"
#include "base/log.h"
#include "base/names.h"
#include "base/time.h"

#define HOST_MAX 64 /* bytes of the host's name in a temporary name */
#define RANDOM	 16 /* random bytes in a temporary name */

/* A half-born file, open for writing. */
struct temporary {
	struct buf name; /* relative to `at` */
	int at;
	int fd;
	struct stat st; /* device and inode, once it is open */
};

static void
temporary_init(struct temporary *t, int at)
{
	buf_init(&t->name);
	t->at = at;
	t->fd = -1;
}

/* Forgets the file; if `there`, the name is unlinked: litter is no error. */
static void
temporary_release(struct temporary *t, bool there)
{
	file_close(&t->fd);
	if (there && unlinkat(t->at, buf_cstr(&t->name), 0) != 0 &&
	    errno != ENOENT)
		log_warn("cannot remove %s: %s", buf_cstr(&t->name),
		    strerror(errno));
	buf_release(&t->name);
}

/* Adds "<host>.<128 random bits>": nobody else has that name, anywhere. */
static enum err
add_unique(struct buf *name)
{
	char host[HOST_MAX + 1] = "";
	char random[2 * RANDOM + 1];
	enum err e;

	/* A name that was cut short ends without NUL, an unknown one is "". */
	(void)gethostname(host, sizeof(host) - 1);
	host[HOST_MAX] = '\0';
	e = name_escape(span_of(host, strlen(host)), name);
	if (e == OK)
		e = random_hex(random, RANDOM);
	if (e == OK && !buf_printf(name, ".%s", random))
		e = ERR_SYSTEM;
	return e;
}

static int
write_all(int fd, struct span bytes)
{
	size_t done = 0;
	ssize_t n;

	while (done < bytes.len) {
		n = write(fd, bytes.p + done, bytes.len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0) { /* no progress and no reason */
			errno = EIO;
			return -1;
		}
		done += (size_t)n;
	}
	return 0;
}

/* Opens the temporary, whose name is complete, fills it, sets its mode. */
static enum err
temporary_fill(struct temporary *t, struct span bytes, mode_t mode)
{
	const char *name = buf_cstr(&t->name);

	t->fd =
	    file_openat(t->at, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
	if (t->fd < 0)
		return file_trouble("create", name);
	if (write_all(t->fd, bytes) != 0)
		return file_trouble("write", name);
	if (fchmod(t->fd, mode) != 0)
		return file_trouble("set the mode of", name);
	if (fstat(t->fd, &t->st) != 0)
		return file_trouble("look at", name);
	return OK;
}

/* Two seconds older than it is: readers need not wait until it is quiet. */
static enum err
temporary_age(struct temporary *t)
{
	struct timespec times[2] = { { 0, UTIME_OMIT }, { 0, 0 } };

	times[1].tv_sec = (time_t)(time_now() - 2);
	if (futimens(t->fd, times) != 0)
		return file_trouble("set the time of", buf_cstr(&t->name));
	return OK;
}

/* A network file system may keep its bad news for fsync() or close(). */
static enum err
temporary_finish(struct temporary *t, bool sync)
{
	int fd = t->fd;

	if (sync && file_sync(fd) != 0)
		return file_trouble("sync", buf_cstr(&t->name));
	t->fd = -1;
	if (close(fd) != 0 && errno != EINTR)
		return file_trouble("close", buf_cstr(&t->name));
	return OK;
}

/* OK if path holds exactly these bytes, ERR_EXISTS if others. */
static enum err
same_content(int at, const char *path, struct span bytes, const struct stat *st)
{
	struct buf theirs = BUF_INIT;
	enum err e = ERR_EXISTS;

	theirs.secret = true; /* a key, perhaps */
	if (!S_ISREG(st->st_mode) || (size_t)st->st_size != bytes.len)
		goto out;
	e = file_read(at, path, bytes.len, &theirs);
	if (e == ERR_TOOBIG || (e == OK && !span_eq(buf_span(&theirs), bytes)))
		e = ERR_EXISTS;
out:
	buf_release(&theirs);
	return e;
}

/*
 * The verdict after an error of link() or rename(), which a network file
 * system may have done all the same (STORE.md, The rule): OK if path is our
 * file, ERR_EXISTS if it is another one, ERR_NOTFOUND if nothing is there.
 */
static enum err
verdict(int at, const char *path, const struct stat *ours)
{
	struct stat st;
	enum err e;

	e = file_look(at, path, &st);
	if (e != OK)
		return e;
	return st.st_dev == ours->st_dev && st.st_ino == ours->st_ino ?
		   OK :
		   ERR_EXISTS;
}

/* What differs between the ways to create a file once. */
#define HOW_SYNC  1U /* its bytes are durable before it has its name */
#define HOW_ALONE 2U /* equal content of somebody else's is not ours */
#define HOW_OLD	  4U /* its mtime is set back */

/* Links the temporary to path; content decides too unless HOW_ALONE. */
static enum err
decide(const struct temporary *t, int at, const char *path, struct span bytes,
    unsigned how)
{
	struct stat st;
	enum err e;
	int saved;

	if (linkat(t->at, buf_cstr(&t->name), at, path, 0) == 0)
		return OK;
	saved = errno;
	e = verdict(at, path, &t->st);
	if (e == ERR_EXISTS && (how & HOW_ALONE) == 0) {
		e = file_look(at, path, &st);
		if (e == OK)
			e = same_content(at, path, bytes, &st);
	}
	if (e != ERR_NOTFOUND)
		return e;
	errno = saved;
	if (saved != EEXIST)
		return file_trouble("link", path);
	log_warn("%s came and went", path);
	return ERR_BUSY;
}

static enum err
create(int tmp, int at, const char *path, struct span bytes, mode_t mode,
    unsigned how)
{
	struct temporary t;
	bool there = false;
	enum err e;

	temporary_init(&t, tmp);
	e = add_unique(&t.name);
	if (e != OK)
		goto out;
	there = true;
	e = temporary_fill(&t, bytes, mode);
	if (e == OK && (how & HOW_OLD) != 0)
		e = temporary_age(&t);
	if (e == OK)
		e = temporary_finish(&t, (how & HOW_SYNC) != 0);
	if (e == OK)
		e = decide(&t, at, path, bytes, how);
out:
	temporary_release(&t, there);
	return e;
}

enum err
file_create_once(int tmp, int at, const char *path, struct span bytes,
    mode_t mode, bool sync)
{
	enum err e, synced;

	e = create(tmp, at, path, bytes, mode, HOW_SYNC);
	/*
	 * Also what somebody else linked is acted on by our caller, and may
	 * not be durable yet (STORE.md I1).
	 */
	if (sync && (e == OK || e == ERR_EXISTS)) {
		synced = file_sync_parent(at, path);
		if (synced != OK)
			e = synced;
	}
	return e;
}

enum err
file_create_new(
    int tmp, int at, const char *path, struct span bytes, mode_t mode)
{
	enum err e;

	e = create(tmp, at, path, bytes, mode, HOW_SYNC | HOW_ALONE | HOW_OLD);
	return e == OK ? file_sync_parent(at, path) : e;
}

enum err
file_mark(int tmp, int at, const char *path, struct span bytes)
{
	return create(tmp, at, path, bytes, FILE_RECORD, HOW_ALONE);
}

enum err
file_link(int at, const char *from, const char *to)
{
	struct stat st;
	enum err e;
	int saved;

	if (linkat(at, from, at, to, 0) == 0)
		return OK;
	saved = errno;
	e = file_look(at, from, &st);
	if (e != OK)
		return e;
	e = verdict(at, to, &st);
	if (e == ERR_NOTFOUND) {
		errno = saved;
		e = file_trouble("link", to);
	}
	return e;
}

/* renameat() of what has status `ours`, with its verdict. */
static enum err
rename_at(int at, const char *from, const char *to, const struct stat *ours)
{
	int saved;

	if (renameat(at, from, at, to) == 0)
		return OK;
	saved = errno;
	if (verdict(at, to, ours) == OK)
		return OK;
	if (saved == EEXIST || saved == ENOTEMPTY)
		return ERR_EXISTS;
	errno = saved;
	return file_trouble("rename to", to);
}

enum err
file_replace(int at, const char *path, struct span bytes, mode_t mode)
{
	struct temporary t;
	bool there = false;
	enum err e;

	temporary_init(&t, at);
	e = file_parent(path, &t.name);
	if (e == OK)
		e = buf_byte(&t.name, '.') ? add_unique(&t.name) : ERR_SYSTEM;
	if (e != OK)
		goto out;
	there = true;
	e = temporary_fill(&t, bytes, mode);
	if (e == OK)
		e = temporary_age(&t);
	if (e == OK)
		e = temporary_finish(&t, true);
	if (e != OK)
		goto out;
	e = rename_at(at, buf_cstr(&t.name), path, &t.st);
	if (e == OK) {
		there = false;
		e = file_sync_parent(at, path);
	}
out:
	temporary_release(&t, there);
	return e;
}

enum err
file_swap(
    int at, const char *path, struct span was, struct span bytes, mode_t mode)
{
	struct stat st;
	enum err e;

	e = file_look(at, path, &st);
	if (e == OK)
		e = same_content(at, path, was, &st);
	return e == OK ? file_replace(at, path, bytes, mode) : e;
}

enum err
file_unlink(int at, const char *path)
{
	if (unlinkat(at, path, 0) == 0)
		return OK;
	return errno == ENOENT ? ERR_NOTFOUND : file_trouble("remove", path);
}

enum err
dir_remove(int at, const char *path)
{
	if (unlinkat(at, path, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return OK;
	return file_trouble("remove", path);
}

enum err
file_rename(int at, const char *from, const char *to)
{
	struct stat st;
	enum err e;

	e = file_look(at, from, &st);
	if (e == OK)
		e = rename_at(at, from, to, &st);
	if (e == OK)
		e = file_sync_parent(at, to);
	if (e == OK)
		e = file_sync_parent(at, from);
	return e;
}

/* Opens for appending; *made if the file was not there. */
static enum err
open_append(int at, const char *path, int *out, bool *made)
{
	int flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK;
	int fd;

	*made = false;
	fd = file_openat(at, path, flags);
	if (fd < 0 && errno == ENOENT) {
		fd = file_openat(at, path, flags | O_CREAT | O_EXCL);
		*made = fd >= 0;
		if (fd < 0 && errno == EEXIST) /* somebody was faster */
			fd = file_openat(at, path, flags);
	}
	if (fd < 0)
		return file_trouble("open", path);
	if (*made && fchmod(fd, FILE_RECORD) != 0) {
		file_close(&fd);
		return file_trouble("set the mode of", path);
	}
	*out = fd;
	return OK;
}

/* Closing any descriptor of the file lets the lock go. */
static int
lock_whole(int fd)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int r;

	do
		r = fcntl(fd, F_SETLKW, &l);
	while (r < 0 && errno == EINTR);
	return r;
}

/* Under the lock: the bytes as one write, all of them or none. */
static enum err
append_locked(int fd, const char *path, struct span line)
{
	struct buf whole = BUF_INIT;
	struct stat st;
	char last = '\n';
	enum err e = OK;

	if (fstat(fd, &st) != 0 ||
	    (st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) != 1)) {
		e = file_trouble("look at", path);
		goto out;
	}
	if ((last != '\n' && !buf_byte(&whole, '\n')) ||
	    !buf_add(&whole, line.p, line.len) ||
	    ((line.len == 0 || line.p[line.len - 1] != '\n') &&
		!buf_byte(&whole, '\n'))) {
		e = ERR_SYSTEM;
		goto out;
	}
	if (write_all(fd, buf_span(&whole)) != 0) {
		e = file_trouble("append to", path);
		if (ftruncate(fd, st.st_size) != 0)
			(void)file_trouble("take back half a line of", path);
	}
out:
	buf_release(&whole);
	return e;
}

enum err
file_append(int at, const char *path, struct span line, bool sync)
{
	bool made = false;
	enum err e;
	int fd = -1;

	e = open_append(at, path, &fd, &made);
	if (e != OK)
		goto out;
	if (lock_whole(fd) != 0) {
		e = file_trouble("lock", path);
		goto out;
	}
	e = append_locked(fd, path, line);
	if (e == OK && sync && file_sync(fd) != 0)
		e = file_trouble("sync", path);
	if (e == OK && sync && made)
		e = file_sync_parent(at, path);
out:
	file_close(&fd);
	return e;
}

enum err
file_lock(int at, const char *path, int *out)
{
	bool made = false;
	enum err e;
	int fd = -1;

	e = open_append(at, path, &fd, &made);
	if (e == OK && lock_whole(fd) != 0)
		e = file_trouble("lock", path);
	if (e != OK)
		file_close(&fd);
	else
		*out = fd;
	return e;
}
