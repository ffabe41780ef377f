#ifndef BASE_FILE_PRIV_H
#define BASE_FILE_PRIV_H

#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"

/* Shared by file.c (reading) and file_write.c, and by nobody else. */

/* Logs errno as "cannot VERB PATH: reason"; always ERR_SYSTEM. */
enum err file_trouble(const char *verb, const char *path);

/* openat() with O_CLOEXEC and mode 0600, again after EINTR; -1 and errno. */
int file_openat(int at, const char *path, int flags);

/* fsync(), again after EINTR; -1 and errno. */
int file_sync(int fd);

/* The directory part of path, with its slash; "" if it has none. */
enum err file_parent(const char *path, struct buf *out);

/* Makes a name in path's directory durable. */
enum err file_sync_parent(int at, const char *path);

/*
 * The status of the name itself, never of what a symbolic link points to.
 * ERR_NOTFOUND is an answer.
 */
enum err file_look(int at, const char *path, struct stat *out);

#endif
