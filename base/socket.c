#include "base/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

#define BACKLOG	 128
#define FIRST_FD 3 /* where systemd's descriptors begin */

/* ERR_TOOBIG, silent: the path does not fit. */
static enum err
unix_address(const char *path, struct sockaddr_un *sun, socklen_t *len)
{
	size_t n = strlen(path);

	*sun = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (n >= sizeof(sun->sun_path))
		return ERR_TOOBIG;
	memcpy(sun->sun_path, path, n);
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1);
	return OK;
}

/* Did the one who made this socket file end without removing it? */
static enum err
dead(const char *path, const struct sockaddr_un *sun, socklen_t len)
{
	struct stat st;
	bool refused;
	int fd;

	if (lstat(path, &st) != 0 || !S_ISSOCK(st.st_mode)) {
		log_error("%s is there, and is no socket", path);
		return ERR_EXISTS;
	}
	if ((fd = socket(
		 AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0) {
		log_errno("no socket");
		return ERR_SYSTEM;
	}
	refused = connect(fd, (const struct sockaddr *)sun, len) != 0 &&
		  errno == ECONNREFUSED;
	(void)close(fd);
	if (refused)
		return OK;
	log_error("somebody listens on %s already", path);
	return ERR_EXISTS;
}

/* What to do about a bind() that failed, in one line. */
static enum err
say_bind(const char *path, int error)
{
	const char *slash = strrchr(path, '/');

	if (error != ENOENT || slash == NULL) {
		log_error("cannot listen on %s: %s", path, strerror(error));
		return ERR_SYSTEM;
	}
	log_error("no directory for %s; `install -d -o USER %.*s` makes it",
	    path, (int)(slash - path), path);
	return ERR_NOTFOUND;
}

/* The umask gives the file its mode at birth, so nobody is ever early. */
static int
bind_file(int fd, const struct sockaddr_un *sun, socklen_t len, mode_t mode)
{
	mode_t was = umask(~mode & 0777U);
	int bad = bind(fd, (const struct sockaddr *)sun, len) == 0 ? 0 : errno;

	(void)umask(was);
	return bad;
}

static enum err
bind_unix(int fd, const char *path, mode_t mode, gid_t group)
{
	struct sockaddr_un sun;
	socklen_t len = 0;
	enum err e;
	int bad;

	if ((e = unix_address(path, &sun, &len)) != OK) {
		log_error("a socket's path has at most %zu bytes: %s",
		    sizeof(sun.sun_path) - 1, path);
		return e;
	}
	bad = bind_file(fd, &sun, len, mode);
	if (bad == EADDRINUSE) {
		if ((e = dead(path, &sun, len)) != OK)
			return e;
		e = file_unlink(AT_FDCWD, path);
		if (e != OK && e != ERR_NOTFOUND)
			return e;
		bad = bind_file(fd, &sun, len, mode);
	}
	if (bad != 0)
		return say_bind(path, bad);
	if (group != (gid_t)-1 && lchown(path, (uid_t)-1, group) != 0) {
		log_errno(
		    "cannot give %s to group %lu", path, (unsigned long)group);
		(void)file_unlink(AT_FDCWD, path);
		return ERR_SYSTEM;
	}
	return OK;
}

static enum err
open_unix(const char *path, mode_t mode, gid_t group, struct listener *out)
{
	struct listener l = LISTENER_INIT;
	struct stat st;
	enum err e;

	if ((l.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0) {
		log_errno("no socket");
		return ERR_SYSTEM;
	}
	if ((e = bind_unix(l.fd, path, mode, group)) != OK)
		goto out;
	if (lstat(path, &st) == 0) {
		l.path = path;
		l.dev = st.st_dev;
		l.ino = st.st_ino;
	}
	if (listen(l.fd, BACKLOG) != 0) {
		log_errno("cannot listen on %s", path);
		e = ERR_SYSTEM;
		goto out;
	}
	*out = l;
	l = LISTENER_INIT;
out:
	listener_close(&l);
	return e;
}

/* "host:port" or "[host]:port" -> both; ERR_INPUT, silent. */
static enum err
split(const char *where, char host[256], const char **port)
{
	const char *colon = strrchr(where, ':');
	size_t n;

	if (colon == NULL || colon == where || colon[1] == '\0')
		return ERR_INPUT;
	n = (size_t)(colon - where);
	if (*where == '[' && n > 2 && where[n - 1] == ']') {
		where++;
		n -= 2;
	}
	if (n >= 256 || strspn(colon + 1, "0123456789") != strlen(colon + 1))
		return ERR_INPUT;
	memcpy(host, where, n);
	host[n] = '\0';
	*port = colon + 1;
	return OK;
}

/* The socket, or -1 and errno. */
static int
listen_address(const struct addrinfo *ai)
{
	int on = 1, bad;
	int fd = socket(
	    ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC, ai->ai_protocol);

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return fd;
	bad = errno;
	(void)close(fd);
	errno = bad;
	return -1;
}

/* getaddrinfo() takes any number, and the kernel what fits of it. */
static bool
is_port(const char *port)
{
	char *end = NULL;
	unsigned long n = strtoul(port, &end, 10);

	return *port >= '0' && *port <= '9' && *end == '\0' && n >= 1 &&
	       n <= 65535;
}

static enum err
open_tcp(const char *where, struct listener *out)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *ai = NULL;
	const char *port = NULL;
	char host[256];
	int bad;

	if (split(where, host, &port) != OK || !is_port(port)) {
		log_error(
		    "listen on unix:PATH or HOST:PORT, not on \"%s\"", where);
		return ERR_INPUT;
	}
	if ((bad = getaddrinfo(host, port, &hints, &ai)) != 0) {
		log_error("no address %s: %s", where, gai_strerror(bad));
		return ERR_INPUT;
	}
	out->fd = listen_address(ai);
	freeaddrinfo(ai);
	if (out->fd >= 0)
		return OK;
	bad = errno;
	log_error("cannot listen on %s: %s", where, strerror(bad));
	return bad == EADDRINUSE ? ERR_EXISTS : ERR_SYSTEM;
}

enum err
listener_open(const char *where, mode_t mode, gid_t group, struct listener *out)
{
	*out = LISTENER_INIT;
	if (strncmp(where, "unix:", 5) == 0 && where[5] != '\0')
		return open_unix(where + 5, mode, group, out);
	return open_tcp(where, out);
}

/* Is it a stream socket that listens? */
static bool
listens(int fd)
{
	int on = 0, type = 0;
	socklen_t len = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) != 0 || !on)
		return false;
	len = sizeof(int);
	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	       type == SOCK_STREAM;
}

/* A variable that is exactly this number in decimal digits. */
static bool
variable_is(const char *name, unsigned long number)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	const char *value = getenv(name);
	char text[24];

	(void)snprintf(text, sizeof(text), "%lu", number);
	return value != NULL && strcmp(value, text) == 0;
}

enum err
listener_inherited(struct listener *out)
{
	/* Another process's variables may have come down to us. */
	bool ours = variable_is("LISTEN_PID", (unsigned long)getpid());
	bool one = variable_is("LISTEN_FDS", 1);

	*out = LISTENER_INIT;
	/* NOLINTBEGIN(concurrency-mt-unsafe): one thread */
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	/* NOLINTEND(concurrency-mt-unsafe) */
	if (!ours)
		return ERR_NOTFOUND;
	if (!one || !listens(FIRST_FD)) {
		log_error("systemd has to hand over one listening stream "
			  "socket");
		return ERR_INPUT;
	}
	out->fd = FIRST_FD;
	(void)fcntl(FIRST_FD, F_SETFD, FD_CLOEXEC);
	return OK;
}

void
listener_close(struct listener *l)
{
	struct stat st;

	if (l->path != NULL && lstat(l->path, &st) == 0 &&
	    st.st_dev == l->dev && st.st_ino == l->ino)
		(void)file_unlink(AT_FDCWD, l->path);
	file_close(&l->fd);
	*l = LISTENER_INIT;
}

void
service_notify(const char *state)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sun;
	socklen_t len = 0;
	int fd;

	if (path == NULL || (*path != '/' && *path != '@') ||
	    unix_address(path, &sun, &len) != OK)
		return;
	if (*path == '@') { /* of no file: as long as its name */
		sun.sun_path[0] = '\0';
		len--;
	}
	if ((fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0)
		return;
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL,
	    (const struct sockaddr *)&sun, len);
	(void)close(fd);
}
