/*
 * The helper process: waits for a job, forks a child that does it, passes the
 * child's answer back.
 *
 *	worker -- socket on descriptor 3 -- helper -- socket -- child [-- program]
 *
 * Child and program are one process group, which never outlives the job.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/time.h"
#include "fetch/frame.h"
#include "fetch/job.h"

#define WORKER	  3
#define GRACE	  1000 /* ms: a child ends itself in time, or is killed */
#define GOODBYE	  500  /* ms for a child to end after its answer */
#define MAX_FILES 1024
#define HTTP_ROOM ((rlim_t)1 << 30) /* bytes of address space with libcurl */

#ifdef __SANITIZE_ADDRESS__
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

void
result_fail(struct result *r, enum err e, const char *fmt, ...)
{
	va_list ap;

	r->err = e;
	buf_clear(&r->body);
	buf_clear(&r->complaint);
	va_start(ap, fmt);
	(void)vsnprintf(r->why, sizeof(r->why), fmt, ap);
	va_end(ap);
}

void
result_release(struct result *r)
{
	buf_release(&r->body);
	buf_release(&r->complaint);
}

static enum err
answer(int fd, const struct result *r)
{
	struct answer a = { .err = r->err,
		.why = r->why,
		.status = r->status,
		.type = r->type,
		.body = buf_span(&r->body),
		.complaint = buf_span(&r->complaint) };
	struct buf bytes = BUF_SECRET;
	enum err e = wire_put(&bytes, WIRE_ANSWER, &a);

	if (e == OK)
		e = frame_send(fd, buf_span(&bytes), FRAME_EVER);
	buf_release(&bytes);
	return e;
}

static void
limit(int what, rlim_t most)
{
	struct rlimit l;

	if (getrlimit(what, &l) != 0)
		return;
	if (l.rlim_max == RLIM_INFINITY || l.rlim_max > most)
		l.rlim_max = most;
	if (l.rlim_cur == RLIM_INFINITY || l.rlim_cur > most)
		l.rlim_cur = most;
	(void)setrlimit(what, &l);
}

static void
work(const struct wire *job, struct result *r)
{
	const char *fault = job->kind == WIRE_HTTP ? http_fault(&job->is.http) :
						     run_fault(&job->is.run);

	if (fault != NULL) {
		result_fail(r, ERR_INPUT, "%s", fault);
	} else if (job->kind == WIRE_RUN) {
		job_run(&job->is.run, r);
	} else {
#ifndef SANITIZED
		/* A program may need more, and is the administrator's own. */
		limit(RLIMIT_AS, HTTP_ROOM);
#endif
		job_http(&job->is.http, r);
	}
}

/* The child: never returns. */
static void __attribute__((noreturn))
child(const struct wire *job, int out, pid_t helper)
{
	struct result r = RESULT_INIT;

	(void)close(WORKER);
	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != helper)
		_exit(0); /* it died before prctl() */
	work(job, &r);
	(void)answer(out, &r);
	result_release(&r);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	exit(0);
}

/* Ends all of the group; says how the child ended, which may do so itself. */
static int
end(pid_t pid, int fd, bool goodbye)
{
	struct buf nothing = BUF_INIT;
	int status = 0;

	/* Its socket is at an end when it is. */
	if (goodbye)
		(void)frame_read(
		    fd, WORKER, 0, time_ticks() + GOODBYE, &nothing);
	buf_release(&nothing);
	(void)kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* What the helper says where its child did not. */
static void
tell(struct result *r, enum err e, int status, int64_t timeout)
{
	if (e == ERR_BUSY)
		result_fail(r, e, "took longer than %lld ms: killed",
		    (long long)timeout);
	else if (e == ERR_NOTFOUND && WIFSIGNALED(status))
		result_fail(r, ERR_BUSY, "its process died by signal %d",
		    WTERMSIG(status));
	else if (e == ERR_NOTFOUND)
		result_fail(r, ERR_BUSY, "its process ended with status %d",
		    WEXITSTATUS(status));
	else
		result_fail(r, ERR_SYSTEM, "its process did not answer right");
}

static size_t
most(size_t limit_of_body)
{
	return limit_of_body + 4096;
}

/* Passes the job to a child, and its answer on, unread. */
static enum err
delegate(const struct wire *job, int64_t timeout, size_t max)
{
	struct result r = RESULT_INIT;
	struct buf bytes = BUF_SECRET;
	pid_t helper = getpid();
	int status;
	int s[2];
	pid_t pid;
	enum err e;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		s) != 0) {
		result_fail(&r, ERR_SYSTEM, "no socket: %s", strerror(errno));
		return answer(WORKER, &r);
	}
	if ((pid = fork()) == 0) {
		(void)close(s[0]);
		child(job, s[1], helper);
	}
	(void)close(s[1]);
	if (pid < 0) {
		result_fail(&r, ERR_SYSTEM, "no process: %s", strerror(errno));
		e = answer(WORKER, &r);
		goto out;
	}
	(void)setpgid(pid, pid);
	e = frame_read(
	    s[0], WORKER, max, time_ticks() + timeout + GRACE, &bytes);
	status = end(pid, s[0], e == OK);
	if (e == OK) {
		e = frame_send(WORKER, buf_span(&bytes), FRAME_EVER);
	} else {
		tell(&r, e, status, timeout);
		e = answer(WORKER, &r);
	}
out:
	(void)close(s[0]);
	buf_release(&bytes);
	return e;
}

static enum err
do_job(struct span bytes)
{
	struct result r = RESULT_INIT;
	struct wire job;
	enum err e;

	if (wire_get(bytes, &job) != OK || job.kind == WIRE_ANSWER) {
		result_fail(&r, ERR_SYSTEM, "the job cannot be read");
		return answer(WORKER, &r);
	}
	if (job.kind == WIRE_RUN)
		e = delegate(&job, job.is.run.timeout, most(job.is.run.limit));
	else if (curl_load(&r) != OK)
		e = answer(WORKER, &r);
	else
		e = delegate(
		    &job, job.is.http.timeout, most(job.is.http.limit));
	wire_release(&job);
	return e;
}

/* Is descriptor 3 the socket that fetch_start() leaves there? */
static bool
started_by_us(void)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);

	return getpeername(WORKER, (struct sockaddr *)&peer, &len) == 0 &&
	       peer.ss_family == AF_UNIX;
}

/*
 * A service manager and a terminal signal everybody, but the worker finishes
 * what it has at hand, and may need us for it: we end with it.
 */
static void
settle(void)
{
	static const int ignored[] = { SIGPIPE, SIGTERM, SIGINT, SIGHUP };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		(void)sigaction(ignored[i], &ignore, NULL);
	(void)sigaction(SIGCHLD, &plain, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)umask(022);
	(void)!chdir("/");
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_NOFILE, MAX_FILES);
}

int
fetch_helper(void)
{
	struct buf job = BUF_SECRET;
	enum err e = OK;

	if (!started_by_us()) {
		log_hat(LOG_COMMAND);
		log_error("`scep helper` is a word between scep and itself, "
			  "not for people; see `scep help`");
		return 2;
	}
	settle();
	while (e == OK) {
		e = frame_read(WORKER, -1, FETCH_MAX_ASK, FRAME_EVER, &job);
		if (e == OK)
			e = do_job(buf_span(&job));
		buf_clear(&job);
	}
	buf_release(&job);
	return e == ERR_NOTFOUND ? 0 : 1;
}
