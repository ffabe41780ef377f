#include "fetch/frame.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/time.h"

#define HEAD 4 /* bytes of the length */

int
frame_left(int64_t deadline)
{
	int64_t left;

	if (deadline == FRAME_EVER)
		return -1;
	left = deadline - time_ticks();
	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

/* Until fd is ready for `events`, or for the news that nobody is there. */
static enum err
wait_ready(int fd, short events, int watched, int64_t deadline)
{
	struct pollfd p[] = { { fd, events, 0 }, { watched, 0, 0 } };
	int n;

	do
		n = poll(p, watched < 0 ? 1 : 2, frame_left(deadline));
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		log_errno("cannot wait for the helper");
		return ERR_SYSTEM;
	}
	if (n == 0)
		return ERR_BUSY;
	return p[0].revents != 0 ? OK : ERR_NOTFOUND;
}

/* What is no answer of send() or recv(): the other side went away. */
static enum err
trouble(const char *verb)
{
	if (errno == EPIPE || errno == ECONNRESET)
		return ERR_NOTFOUND;
	log_errno("cannot %s the helper", verb);
	return ERR_SYSTEM;
}

static bool
not_now(void)
{
	return errno == EAGAIN || errno == EINTR;
}

static enum err
send_all(int fd, const uint8_t *p, size_t len, int64_t deadline)
{
	enum err e;
	ssize_t n;

	while (len > 0) {
		n = send(fd, p, len, MSG_NOSIGNAL);
		if (n < 0 && !not_now())
			return trouble("send to");
		if (n < 0 && (e = wait_ready(fd, POLLOUT, -1, deadline)) != OK)
			return e;
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	return OK;
}

enum err
frame_send(int fd, struct span bytes, int64_t deadline)
{
	uint8_t head[HEAD];
	enum err e;

	for (int i = 0; i < HEAD; i++)
		head[i] = (uint8_t)(bytes.len >> (8 * (HEAD - 1 - i)));
	if ((e = send_all(fd, head, HEAD, deadline)) != OK)
		return e;
	return send_all(fd, bytes.p, bytes.len, deadline);
}

static enum err
read_all(int fd, int watched, uint8_t *p, size_t len, int64_t deadline)
{
	enum err e;
	ssize_t n;

	while (len > 0) {
		if ((e = wait_ready(fd, POLLIN, watched, deadline)) != OK)
			return e;
		n = recv(fd, p, len, 0);
		if (n == 0)
			return ERR_NOTFOUND;
		if (n < 0 && !not_now())
			return trouble("hear from");
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	return OK;
}

enum err
frame_read(int fd, int watched, size_t max, int64_t deadline, struct buf *out)
{
	uint8_t head[HEAD];
	size_t len = 0;
	enum err e;

	e = read_all(fd, watched, head, HEAD, deadline);
	if (e != OK)
		return e;
	for (int i = 0; i < HEAD; i++)
		len = len << 8 | head[i];
	if (len > max)
		return ERR_TOOBIG;
	if (!buf_reserve(out, len))
		return ERR_SYSTEM;
	e = read_all(fd, watched, out->data + out->len, len, deadline);
	if (e != OK)
		return e;
	out->len += len;
	out->data[out->len] = '\0';
	return OK;
}
