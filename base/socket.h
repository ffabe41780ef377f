#ifndef BASE_SOCKET_H
#define BASE_SOCKET_H

#include <sys/stat.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * Listening sockets, and the word to the service manager.  socket.c is the
 * only caller of socket, bind, listen and connect.
 */
struct listener {
	int fd;		  /* -1: none */
	const char *path; /* of a socket file that we made, borrowed; or NULL */
	dev_t dev;	  /* which file that is */
	ino_t ino;
};
#define LISTENER_INIT     \
	(struct listener) \
	{                 \
		.fd = -1  \
	}

/*
 * Listens on `where`, "unix:PATH" or "HOST:PORT" ("[::1]:9000" for IPv6),
 * borrowed until listener_close().  A socket file is born with mode and
 * group; one that is there already is replaced only if nobody listens on it.
 * ERR_INPUT: `where` is neither; ERR_EXISTS: somebody listens there.  All
 * errors are logged.
 */
enum err listener_open(
    const char *where, mode_t mode, gid_t group, struct listener *out);

/*
 * The one listening socket that systemd hands over (sd_listen_fds(3)), and
 * takes its variables out of the environment.  ERR_NOTFOUND, silent: there is
 * none; ERR_INPUT, logged: what there is cannot be used.
 */
enum err listener_inherited(struct listener *out);

/* Closes it and removes its file, if that is still ours; twice is fine. */
void listener_close(struct listener *l);

/*
 * Says "READY=1" and the like to the service manager, sd_notify(3); silent
 * where NOTIFY_SOCKET names none.
 */
void service_notify(const char *state);

#endif
