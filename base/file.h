#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * The only caller of open, link, rename, unlink and fsync (file.c reads,
 * file_write.c writes).  Every path is relative to a held directory
 * descriptor; every open is O_CLOEXEC and O_NOFOLLOW; modes are exact
 * whatever the umask.  `path` may contain '/' between names of ours.  Errors
 * are logged here, except ERR_NOTFOUND and ERR_EXISTS, which are answers.
 */
#define FILE_RECORD 0640
#define FILE_KEY    0400
#define DIR_MODE    0750

/* Opens a directory; its descriptor is closed with file_close(). */
enum err dir_open(int at, const char *path, int *out); /* at: fd or AT_FDCWD */
/* The home, by the name a person gave it: only here are links followed. */
enum err dir_open_home(const char *path, int *out);
void file_close(int *fd); /* sets *fd to -1; -1 is fine */

/*
 * Is path still the directory that fd holds?  ERR_EXISTS: another one, or fd
 * is stale; ERR_NOTFOUND: none.  A home may be moved or put back under us.
 */
enum err dir_same(int at, const char *path, int fd);

/* Appends the absolute path that the directory has now. */
enum err dir_path(int fd, struct buf *out);

/* Makes a directory (and no parents); ERR_EXISTS if there is one. */
enum err dir_make(int at, const char *path);
/* Removes an empty directory; OK if there is none. */
enum err dir_remove(int at, const char *path);
enum err dir_sync(int at, const char *path); /* fsync of the directory */

/*
 * Calls each(name, arg) for every name but . and .., sorted by bytes; stops at
 * and returns the first answer that is not OK.
 */
enum err dir_each(int at, const char *path,
    enum err (*each)(const char *name, void *arg), void *arg);

/* Appends a whole regular file of at most max bytes; ERR_TOOBIG over it. */
enum err file_read(int at, const char *path, size_t max, struct buf *out);

/* The same, but no more than its first `len` bytes; it may be longer. */
enum err file_read_head(int at, const char *path, size_t len, struct buf *out);

/*
 * Opens what a person named, for file_read_fd(): symbolic links are followed;
 * a file, a pipe (also of the shell's <(...)) or a character device.  Closed
 * with file_close().  ERR_NOTFOUND (silent), ERR_REFUSED.
 */
enum err file_open(int at, const char *path, int *out);

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
 * else; with `sync` that name is durable too.  link()'s return code is not
 * the verdict: on any error the target is compared with our temporary file,
 * by inode, then by content.  So OK also means: these very bytes stand there
 * already, as a plain retry finds them.  ERR_BUSY: the name was there and is
 * gone again.
 */
enum err file_create_once(int tmp, int at, const char *path, struct span bytes,
    mode_t mode, bool sync);

/*
 * The same for a file that a person makes: durable, and ERR_EXISTS also where
 * somebody else's of equal content stands.  Its mtime is set back, as
 * file_replace() does.
 */
enum err file_create_new(
    int tmp, int at, const char *path, struct span bytes, mode_t mode);

/*
 * A mark that may be lost: link without fsyncs, mode FILE_RECORD.  Marks are
 * counted, so here equal content is not ours: ERR_EXISTS.
 */
enum err file_mark(int tmp, int at, const char *path, struct span bytes);

/*
 * Hard link of a durable file to a second name, without fsync (dir_sync());
 * OK if that name is this file already.  ERR_EXISTS and ERR_NOTFOUND are
 * answers.
 */
enum err file_link(int at, const char *from, const char *to);

/*
 * Replaces a file: temporary name beside it, fsync, rename, directory fsync.
 * Its mtime is set two seconds back, so that readers who wait for a file to
 * be quiet for a second (DESIGN 7) take ours at once.
 */
enum err file_replace(int at, const char *path, struct span bytes, mode_t mode);

/*
 * The same, if the file still holds `was`: ERR_EXISTS if it holds anything
 * else, ERR_NOTFOUND.  Between that look and the rename somebody without our
 * lock can still come.
 */
enum err file_swap(
    int at, const char *path, struct span was, struct span bytes, mode_t mode);

/*
 * Waits for an fcntl lock on a file, FILE_RECORD, which is made and stays
 * empty; file_close(out) lets it go, and so does the end of the process.
 */
enum err file_lock(int at, const char *path, int *out);

/* Without fsync.  ERR_NOTFOUND is an answer. */
enum err file_unlink(int at, const char *path);

/*
 * Renames a file or directory over whatever `to` is, fsyncs both parents.
 * ERR_NOTFOUND; ERR_EXISTS where `to` is a directory with something in it.
 */
enum err file_rename(int at, const char *from, const char *to);

/*
 * Appends one line (its newline is added if missing) under an fcntl lock, in
 * one write, fsync only if `sync` (audit).  Makes the file, FILE_RECORD.  All
 * or nothing: what a full disk cut short is taken back, and half a line that
 * a crash left is ended first.
 */
enum err file_append(int at, const char *path, struct span line, bool sync);

/* Free bytes and inodes of the file system that holds fd. */
enum err file_space(int fd, uint64_t *bytes, uint64_t *inodes);

/*
 * A claim (file_claim.c): a name whose whole content is one short word of
 * ours, kept as the target of a symbolic link, which is never followed.  One
 * symlink(2) makes name and content at once, so neither is ever there
 * without the other, and one fsync of the directory (dir_sync()) makes both
 * durable.  OK: made now, or the same word stood there.  ERR_EXISTS: another
 * word, or something that is no claim, stands there.
 */
#define CLAIM_MAX 255 /* bytes of the word */
enum err file_claim(int at, const char *path, const char *word);

/*
 * Appends the word of a claim; ERR_NOTFOUND: no such name, ERR_INPUT
 * (silent): the name is no claim, or its word is too long.
 */
enum err file_claim_read(int at, const char *path, struct buf *out);

/* What a name itself is; symbolic links are not followed. */
enum file_type { FILE_REGULAR, FILE_DIRECTORY, FILE_CLAIM, FILE_OTHER };
struct file_facts {
	enum file_type type;
	mode_t mode; /* the permission bits */
	uid_t uid;
	gid_t gid;
	int64_t mtime; /* seconds */
};
enum err file_facts(int at, const char *path, struct file_facts *out);

/*
 * Calls each(line without its newline, arg) for the lines of a regular file;
 * stops at the first answer that is not OK and returns it.
 */
enum err file_lines(int at, const char *path,
    enum err (*each)(const char *line, void *arg), void *arg);

#endif
