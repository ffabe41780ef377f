#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.h"
#include "fetch/frame.h"
#include "fetch/job.h"

#define COMPLAINT 1000 /* bytes of standard error that are kept */
#define ABOVE	  10   /* our ends of pipes are above what programs have */
#define EXEC_FD	  4    /* where a child tells that exec() failed */

/* The program's ends, 0 to 3, then ours; and how exec() went. */
enum end { INPUT, OUTPUT, COMPLAINTS, SECRET, EXEC, END__MAX };

struct program {
	const struct run_ask *ask;
	int theirs[END__MAX]; /* -1: closed */
	int ours[END__MAX];
	struct span left[END__MAX]; /* of INPUT and SECRET: to be written */
	int news;		    /* signalfd(2) of SIGCHLD */
	pid_t pid;
	bool ended;
	int status; /* as waitpid(2) has it */
};

static void
shut(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* A pipe whose ends no program inherits, and that do not stand in its way. */
static bool
open_pipe(int *reader, int *writer)
{
	int p[2];

	if (pipe(p) != 0)
		return false;
	*reader = fcntl(p[0], F_DUPFD_CLOEXEC, ABOVE);
	*writer = fcntl(p[1], F_DUPFD_CLOEXEC, ABOVE);
	(void)close(p[0]);
	(void)close(p[1]);
	return *reader >= 0 && *writer >= 0;
}

static bool
is_ours_to_write(int end)
{
	return end == INPUT || end == SECRET;
}

static bool
open_pipes(struct program *p)
{
	sigset_t child;

	for (int i = 0; i < END__MAX; i++) {
		bool writes = is_ours_to_write(i);

		if (!open_pipe(writes ? &p->theirs[i] : &p->ours[i],
			writes ? &p->ours[i] : &p->theirs[i]))
			return false;
		if (i != EXEC && fcntl(p->ours[i], F_SETFL, O_NONBLOCK) != 0)
			return false;
	}
	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &child, NULL) != 0)
		return false;
	p->news = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	return p->news >= 0;
}

static void
close_pipes(struct program *p)
{
	for (int i = 0; i < END__MAX; i++) {
		shut(&p->theirs[i]);
		shut(&p->ours[i]);
	}
	shut(&p->news);
}

/* Appends "NAME=value" unless that name was given. */
static void
add_default(const char **env, size_t *n, const char *variable)
{
	size_t name = strcspn(variable, "=") + 1;

	for (size_t i = 0; i < *n; i++) {
		if (strncmp(env[i], variable, name) == 0)
			return;
	}
	env[(*n)++] = variable;
}

/* Signals as a program expects them, whatever a web server left to us. */
static void
plain_signals(void)
{
	struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		(void)sigaction(i, &plain, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child: never returns. */
static void __attribute__((noreturn))
become(const struct program *p, const char **argv, const char **env, pid_t by)
{
	int tell = p->theirs[EXEC];
	char **words[2];
	int why;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != by)
		_exit(127); /* it died before prctl() */
	for (int i = INPUT; i <= SECRET; i++) {
		if (dup2(p->theirs[i], i) < 0)
			goto fail;
	}
	if (dup2(tell, EXEC_FD) < 0 || fcntl(EXEC_FD, F_SETFD, FD_CLOEXEC) != 0)
		goto fail;
	tell = EXEC_FD;
	closefrom(EXEC_FD + 1);
	plain_signals();
	/* exec() promises to leave them as they are, but its type does not. */
	memcpy(&words[0], &argv, sizeof(argv));
	memcpy(&words[1], &env, sizeof(env));
	(void)execve(p->ask->path, words[0], words[1]);
fail:
	why = errno;
	(void)!write(tell, &why, sizeof(why));
	_exit(127);
}

static bool
start(struct program *p)
{
	const char *argv[WIRE_MAX_LIST + 2] = { p->ask->path };
	const char *env[WIRE_MAX_LIST + 3] = { NULL };
	pid_t by = getpid();
	size_t n = 0;

	for (size_t i = 0; p->ask->arg != NULL && p->ask->arg[i] != NULL; i++)
		argv[i + 1] = p->ask->arg[i];
	for (; p->ask->env != NULL && p->ask->env[n] != NULL; n++)
		env[n] = p->ask->env[n];
	add_default(env, &n, "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
	add_default(env, &n, "LC_ALL=C");
	p->pid = fork();
	if (p->pid == 0)
		become(p, argv, env, by);
	for (int i = 0; i < END__MAX; i++)
		shut(&p->theirs[i]);
	return p->pid > 0;
}

/* Writes what the pipe takes; a program that does not want it is right. */
static void
feed(struct program *p, int end)
{
	struct span *left = &p->left[end];
	ssize_t n = 0;

	if (left->len > 0)
		n = write(p->ours[end], left->p, left->len);
	if (n > 0) {
		left->p += n;
		left->len -= (size_t)n;
	}
	if (left->len == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		shut(&p->ours[end]);
}

/* Reads what there is; false: it is more than the program may print. */
static bool
drain(struct program *p, int end, struct buf *out, size_t limit)
{
	uint8_t chunk[16384];
	ssize_t n;

	while (p->ours[end] >= 0) {
		n = read(p->ours[end], chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n <= 0) {
			shut(&p->ours[end]);
			return true;
		}
		if ((size_t)n > limit - out->len) {
			(void)buf_add(out, chunk, limit - out->len);
			return false;
		}
		if (!buf_add(out, chunk, (size_t)n))
			return false;
	}
	return true;
}

static void
look_whether_ended(struct program *p)
{
	struct signalfd_siginfo news;

	(void)!read(p->news, &news, sizeof(news));
	if (!p->ended && waitpid(p->pid, &p->status, WNOHANG) == p->pid)
		p->ended = true;
}

/* Whatever is ready is done once; ERR_BUSY: the time is over. */
static enum err
turn(struct program *p, struct result *out, int64_t deadline)
{
	struct pollfd f[] = { { p->ours[INPUT], POLLOUT, 0 },
		{ p->ours[OUTPUT], POLLIN, 0 },
		{ p->ours[COMPLAINTS], POLLIN, 0 },
		{ p->ours[SECRET], POLLOUT, 0 }, { p->news, POLLIN, 0 } };
	int n = poll(f, sizeof(f) / sizeof(*f), frame_left(deadline));

	if (n == 0 || time_ticks() >= deadline)
		return ERR_BUSY;
	if (n < 0)
		return errno == EINTR ? OK : ERR_SYSTEM;
	/* First: what it printed before it ended is read below. */
	if (f[4].revents != 0)
		look_whether_ended(p);
	for (int i = 0; i <= SECRET; i++) {
		if (is_ours_to_write(i) && f[i].revents != 0)
			feed(p, i);
	}
	if (!drain(p, OUTPUT, &out->body, p->ask->limit))
		return ERR_TOOBIG;
	/* What is more than enough is read all the same, and dropped. */
	(void)drain(p, COMPLAINTS, &out->complaint, COMPLAINT);
	return OK;
}

/* Who closed everything and goes on is waited for, too. */
static enum err
attend(struct program *p, struct result *out)
{
	int64_t deadline = time_ticks() + p->ask->timeout;
	enum err e = OK;

	while (e == OK && !p->ended)
		e = turn(p, out, deadline);
	return e;
}

/* Did exec() succeed?  Asked when the child has ended. */
static bool
was_run(struct program *p, struct result *out)
{
	int why = 0;

	if (read(p->ours[EXEC], &why, sizeof(why)) != sizeof(why))
		return true;
	result_fail(out,
	    why == ENOMEM || why == EMFILE || why == ENFILE || why == EAGAIN ?
		ERR_SYSTEM :
		ERR_NOTFOUND,
	    "cannot be run: %s", strerror(why));
	return false;
}

static void
tell(const struct program *p, enum err e, struct result *out)
{
	if (e == ERR_BUSY)
		result_fail(out, e, "took longer than %lld ms: killed",
		    (long long)p->ask->timeout);
	else if (e == ERR_TOOBIG)
		result_fail(out, e, "printed more than %zu bytes: killed",
		    p->ask->limit);
	else if (e != OK)
		result_fail(out, e, "was not waited for: %s", strerror(errno));
	else
		out->status = WIFSIGNALED(p->status) ?
				  128 + WTERMSIG(p->status) :
				  WEXITSTATUS(p->status);
}

void
job_run(const struct run_ask *ask, struct result *out)
{
	struct program p = { .ask = ask, .news = -1 };
	enum err e;

	for (int i = 0; i < END__MAX; i++)
		p.theirs[i] = p.ours[i] = -1;
	p.left[INPUT] = ask->input;
	p.left[SECRET] = ask->secret;
	if (!open_pipes(&p) || !start(&p)) {
		result_fail(
		    out, ERR_SYSTEM, "cannot be started: %s", strerror(errno));
		goto out;
	}
	e = attend(&p, out);
	if (e != OK || was_run(&p, out))
		tell(&p, e, out);
out:
	close_pipes(&p);
}
