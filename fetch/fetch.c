/* The worker's side: it starts the helper, asks it, and ends it. */
#include "fetch/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/time.h"
#include "fetch/frame.h"
#include "fetch/job.h"

#define HELPER	3    /* the helper's end is its descriptor 3 */
#define PATIENT 2000 /* ms longer than the job's own time limit */
#define GOODBYE 1000 /* ms for the helper to end by itself */
#define ROOM	8192 /* bytes of an answer beside its body */

static struct {
	int fd;	     /* -1: none */
	pid_t pid;   /* of the helper */
	pid_t owner; /* who started it; not a child of ours after a fork */
} the_helper = { .fd = -1 };

extern char **environ;

/*
 * A URL as the log may have it: without a query and without user:password@,
 * which may be somebody's secrets.
 */
static bool
url_name(const char *url, struct buf *out)
{
	const char *host = strstr(url, "://");
	size_t at, len;

	host = host == NULL ? url : host + 3;
	len = strcspn(host, "/?#");
	at = strcspn(host, "@");
	if (!buf_add(out, url, (size_t)(host - url)))
		return false;
	if (at < len)
		host += at + 1;
	return buf_add(out, host, strcspn(host, "?#"));
}

/* What a helper inherits: only what tests and sanitizers need. */
static bool
is_kept(const char *variable)
{
	static const char *const kept[] = { "LD_PRELOAD=", "FAKETIME",
		"ASAN_OPTIONS=", "UBSAN_OPTIONS=" };

	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
		if (strncmp(variable, kept[i], strlen(kept[i])) == 0)
			return true;
	}
	return false;
}

/* A list of borrowed texts, in memory of its own. */
static char **
environment(void)
{
	char **env;
	size_t n = 0;

	while (environ != NULL && environ[n] != NULL)
		n++;
	if ((env = calloc(n + 1, sizeof(*env))) == NULL) {
		log_error("out of memory: an environment");
		return NULL;
	}
	for (size_t i = 0, to = 0; i < n; i++) {
		if (is_kept(environ[i]))
			env[to++] = environ[i];
	}
	return env;
}

/* Waits at most so many ms for its end; true: it is reaped, or not ours. */
static bool
reaped(pid_t pid, int64_t ms)
{
	for (int64_t waited = 0;; waited += 5) {
		pid_t got = waitpid(pid, NULL, WNOHANG);

		if (got == pid || (got < 0 && errno != EINTR))
			return true;
		if (waited >= ms)
			return false;
		(void)poll(NULL, 0, 5);
	}
}

/* Forgets the helper, and sees that it ends. */
static void
drop(int64_t patience)
{
	bool ours = the_helper.owner == getpid() && the_helper.pid > 0;

	file_close(&the_helper.fd);
	if (ours && !reaped(the_helper.pid, patience)) {
		(void)kill(the_helper.pid, SIGKILL);
		(void)reaped(the_helper.pid, GOODBYE);
	}
	the_helper.pid = 0;
}

/* In the child: descriptors 0 to 3 and no others, and exec(); else 127. */
static void __attribute__((noreturn)) become(int sock, int null, char **env)
{
	char name[] = "scep";
	char word[] = "helper";
	char *argv[] = { name, word, NULL };

	/* Out of the way of 0 to 3, which may be free here. */
	sock = fcntl(sock, F_DUPFD, HELPER + 1);
	null = fcntl(null, F_DUPFD, HELPER + 1);
	if (sock < 0 || null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0 || dup2(sock, HELPER) < 0)
		_exit(127);
	if (fcntl(STDERR_FILENO, F_GETFD) < 0)
		(void)dup2(null, STDERR_FILENO);
	closefrom(HELPER + 1);
	log_sink(NULL, NULL); /* that is our worker's */
	(void)execve("/proc/self/exe", argv, env);
	log_errno("cannot start a helper: /proc/self/exe");
	_exit(127);
}

static enum err
launch(void)
{
	char **env = NULL;
	int s[2] = { -1, -1 };
	int null = -1;
	enum err e = ERR_SYSTEM;
	pid_t pid;

	if ((env = environment()) == NULL)
		goto out;
	if (file_open(AT_FDCWD, "/dev/null", &null) != OK) {
		log_error("cannot start a helper: no /dev/null");
		goto out;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		s) != 0) {
		log_errno("cannot start a helper: no socket");
		goto out;
	}
	if ((pid = fork()) == 0)
		become(s[1], null, env);
	if (pid < 0) {
		log_errno("cannot start a helper");
		goto out;
	}
	the_helper.fd = s[0];
	the_helper.pid = pid;
	the_helper.owner = getpid();
	s[0] = -1;
	e = OK;
out:
	file_close(&s[0]);
	file_close(&s[1]);
	file_close(&null);
	free(env);
	return e;
}

/* Nothing is to be read between jobs: whatever there is means its end. */
static bool
lives(void)
{
	struct pollfd p = { the_helper.fd, POLLIN, 0 };

	return the_helper.fd >= 0 && the_helper.owner == getpid() &&
	       poll(&p, 1, 0) == 0;
}

enum err
fetch_start(void)
{
	if (lives())
		return OK;
	if (the_helper.fd >= 0)
		drop(0);
	return launch();
}

void
fetch_stop(void)
{
	if (the_helper.fd >= 0)
		drop(GOODBYE);
}

/*
 * Hands the job over.  A helper that dies before it has all of it has begun
 * nothing: another one is asked, once.  Never ERR_NOTFOUND: that would be the
 * program's trouble.
 */
static enum err
hand_over(struct span job, int64_t deadline)
{
	enum err e;

	for (int i = 0; i < 2; i++) {
		if ((e = fetch_start()) != OK)
			return e;
		e = frame_send(the_helper.fd, job, deadline);
		if (e != ERR_NOTFOUND)
			return e;
		drop(0);
	}
	log_error("no helper starts, each ends at once: is there a /proc, and "
		  "is /proc/self/exe this program, and may it be run?");
	return ERR_SYSTEM;
}

/* A job of either kind. */
struct job {
	const char *what; /* names it in the log */
	enum wire_kind kind;
	const void *ask; /* struct http_ask or run_ask */
	int64_t timeout; /* ms */
	size_t limit;	 /* bytes of the answer's body */
};

static enum err
ask_helper(const struct job *job, struct span bytes, struct buf *answer)
{
	int64_t patience = job->timeout + PATIENT;
	int64_t deadline = time_ticks() + patience;
	enum err e = hand_over(bytes, deadline);

	if (e == OK)
		e = frame_read(
		    the_helper.fd, -1, job->limit + ROOM, deadline, answer);
	if (e == OK || the_helper.fd < 0)
		return e;
	drop(0);
	if (e == ERR_BUSY)
		log_error("%s: the helper did not answer in %lld ms: killed",
		    job->what, (long long)patience);
	else if (e == ERR_NOTFOUND)
		log_error("%s: the helper died", job->what);
	else if (e == ERR_TOOBIG)
		log_error("%s: the helper answered too much", job->what);
	return e == ERR_NOTFOUND ? ERR_BUSY : e == ERR_TOOBIG ? ERR_SYSTEM : e;
}

/* The whole way of a job; `out` borrows from `answer`. */
static enum err
do_job(const struct job *job, struct buf *answer, struct answer *out)
{
	struct buf bytes = BUF_SECRET;
	struct wire wire;
	enum err e = wire_put(&bytes, job->kind, job->ask);

	if (e == ERR_INPUT || bytes.len > FETCH_MAX_ASK) {
		log_error("%s: the job is larger than %d bytes", job->what,
		    FETCH_MAX_ASK);
		e = ERR_INPUT;
	}
	if (e == OK)
		e = ask_helper(job, buf_span(&bytes), answer);
	if (e != OK)
		goto out;
	e = wire_get(buf_span(answer), &wire);
	if (e != OK || wire.kind != WIRE_ANSWER) {
		if (e == OK)
			wire_release(&wire);
		log_error("%s: the helper answered nonsense", job->what);
		e = ERR_SYSTEM;
		goto out;
	}
	*out = wire.is.answer;
	e = (enum err)out->err;
	if (e != OK)
		log_error(
		    "%s: %s", job->what, out->why == NULL ? "" : out->why);
out:
	buf_release(&bytes);
	return e;
}

enum err
fetch_http(const struct http_ask *ask, struct http_answer *out)
{
	const char *fault = http_fault(ask);
	struct buf bytes = BUF_SECRET;
	struct buf what = BUF_INIT;
	struct answer a = { 0 };
	struct job job;
	enum err e = ERR_SYSTEM;

	*out = (struct http_answer)HTTP_ANSWER_INIT;
	if (ask->url != NULL && !url_name(ask->url, &what))
		goto out;
	if (fault != NULL) {
		log_error("%s: %s", buf_cstr(&what), fault);
		e = ERR_INPUT;
		goto out;
	}
	job = (struct job){ buf_cstr(&what), WIRE_HTTP, ask, ask->timeout,
		ask->limit };
	e = do_job(&job, &bytes, &a);
	if (e != OK)
		goto out;
	out->status = (int)a.status;
	(void)snprintf(
	    out->type, sizeof(out->type), "%s", a.type == NULL ? "" : a.type);
	if (!buf_add(&out->body, a.body.p, a.body.len))
		e = ERR_SYSTEM;
out:
	buf_release(&bytes);
	buf_release(&what);
	return e;
}

void
http_answer_release(struct http_answer *a)
{
	buf_release(&a->body);
}

enum err
fetch_run(const struct run_ask *ask, struct run_answer *out)
{
	const char *what = ask->path == NULL ? "" : ask->path;
	const char *fault = run_fault(ask);
	struct job job = { what, WIRE_RUN, ask, ask->timeout, ask->limit };
	struct buf bytes = BUF_SECRET;
	struct answer a = { 0 };
	enum err e;

	*out = (struct run_answer)RUN_ANSWER_INIT;
	if (fault != NULL) {
		log_error("%s: %s", what, fault);
		return ERR_INPUT;
	}
	e = do_job(&job, &bytes, &a);
	if (e == OK) {
		out->status = (int)a.status;
		if (!buf_add(&out->output, a.body.p, a.body.len) ||
		    !buf_add(&out->complaint, a.complaint.p, a.complaint.len)) {
			run_answer_release(out);
			e = ERR_SYSTEM;
		}
	}
	buf_release(&bytes);
	return e;
}

void
run_answer_release(struct run_answer *a)
{
	buf_release(&a->output);
	buf_release(&a->complaint);
}
