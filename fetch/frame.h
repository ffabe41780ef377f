#ifndef FETCH_FRAME_H
#define FETCH_FRAME_H

#include "fetch/fetch.h"

/*
 * Frames on a stream socket: four bytes with the length, the high one first,
 * and so many bytes.  Descriptors do not block.  A deadline is a time_ticks();
 * FRAME_EVER waits for ever.
 */
#define FRAME_EVER INT64_MAX

/*
 * OK; ERR_NOTFOUND: the other side is gone; ERR_BUSY: the deadline came;
 * ERR_SYSTEM, logged.
 */
enum err frame_send(int fd, struct span bytes, int64_t deadline);

/*
 * Appends the bytes of one frame; ERR_TOOBIG (silent): it says that it is
 * longer than max.  ERR_NOTFOUND also when the other side of the socket
 * `watched` is gone (-1: none).
 */
enum err frame_read(
    int fd, int watched, size_t max, int64_t deadline, struct buf *out);

/* Milliseconds until the deadline as poll() takes them; -1: for ever. */
int frame_left(int64_t deadline);

#endif
