#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * The only caller of open, link, rename, unlink and fsync.  Every path is
 * relative to a held directory descriptor; every open is O_CLOEXEC and
 * O_NOFOLLOW; modes are exact whatever the umask.  `path` may contain '/'
 * between names of ours.  Errors are logged here, except ERR_NOTFOUND and
 * ERR_EXISTS, which are answers.
 */
#define FILE_RECORD 0640
#define FILE_KEY    0400
#define DIR_MODE    0750

/* Opens a directory; its descriptor is closed with file_close(). */
enum err dir_open(int at, const char *path, int *out); /* at: fd or AT_FDCWD */
void file_close(int *fd); /* sets *fd to -1; -1 is fine */

/* Makes a directory (and no parents); ERR_EXISTS if there is one. */
enum err dir_make(int at, const char *path);
enum err dir_sync(int at, const char *path); /* fsync of the directory */

/*
 * Calls each(name, arg) for every name but . and .., sorted by bytes; stops at and
 * returns the first answer that is not OK.
 */
enum err dir_each(int at, const char *path,
    enum err (*each)(const char *name, void *arg), void *arg);

/* Appends a whole regular file of at most max bytes; ERR_TOOBIG over it. */
enum err file_read(int at, const char *path, size_t max, struct buf *out);

/* The same from an open descriptor, from where it stands to its end. */
enum err file_read_fd(int fd, const char *what, size_t max, struct buf *out);

/* OK, ERR_NOTFOUND or ERR_SYSTEM. */
enum err file_exists(int at, const char *path);

/* What identifies one version of a file; compared whole. */
struct file_stamp {
	uint64_t dev, ino, size;
	int64_t mtime_s, mtime_ns, ctime_s, ctime_ns;
};
enum err file_stamp(int at, const char *path, struct file_stamp *out);
bool file_stamp_eq(const struct file_stamp *a, const struct file_stamp *b);

/*
 * Create-once (STORE.md, The rule): writes `bytes` to a temporary name in
 * tmp, fsyncs it, links it to path, unlinks the temporary, fsyncs path's
 * directory if `sync`.  ERR_EXISTS: the name has been decided by somebody
 * else.  link()'s return code is not the verdict: on any error the target
 * is compared with our temporary file.
 */
enum err file_create_once(int tmp, int at, const char *path, struct span bytes,
    mode_t mode, bool sync);

/* A mark that may be lost: link without fsyncs.  ERR_EXISTS as above. */
enum err file_mark(int tmp, int at, const char *path, struct span bytes);

/* Hard link of a durable file to a second name; ERR_EXISTS is an answer. */
enum err file_link(int at, const char *from, const char *to);

/*
 * Replaces a file: temporary name beside it, fsync, rename, directory fsync.
 * Its mtime is set two seconds back, so that readers who wait for a file to
 * be quiet for a second (DESIGN 7) take ours at once.
 */
enum err file_replace(int at, const char *path, struct span bytes, mode_t mode);

/* ERR_NOTFOUND is an answer. */
enum err file_unlink(int at, const char *path);
enum err file_rename(int at, const char *from, const char *to);

/* Appends one line under an fcntl lock, fsync only if `sync` (audit). */
enum err file_append(int at, const char *path, struct span line, bool sync);

/* Free bytes and inodes of the file system that holds fd. */
enum err file_space(int fd, uint64_t *bytes, uint64_t *inodes);

#endif
