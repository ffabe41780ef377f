#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/time.h"
#include "workers.h"

#define SOON	  10000 /* ms: who dies earlier than this failed to start */
#define MAX_PAUSE 30000 /* ms */
#define NEVER	  INT64_MAX

/* A place in the team; times are time_ticks(). */
struct worker {
	pid_t pid;	   /* 0: nobody yet */
	int64_t born;	   /* when it was started */
	int64_t next;	   /* nobody: when to start one */
	int64_t deadline;  /* asked to end: when it is killed; else NEVER */
	unsigned failures; /* early deaths in a row */
	bool old;	   /* to be replaced */
};

struct crew {
	const struct team *team;
	struct worker worker[MAX_WORKERS];
	sigset_t signals; /* what we wait for, blocked */
	sigset_t before;  /* the mask that workers get back */
	bool ending;	  /* nobody is started any more */
	bool reloading;	  /* somebody is old */
	bool killed;	  /* somebody did not finish in time */
};

/* The child's side of a start: never returns. */
static void __attribute__((noreturn)) live(const struct crew *c, pid_t manager)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	/* A terminal's and a group's SIGHUP is the manager's to act upon. */
	(void)sigaction(SIGHUP, &ignore, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != manager)
		_exit(0); /* it died before prctl() */
	if (dup2(c->team->listener->fd, STDIN_FILENO) < 0) {
		log_errno("no descriptor 0 for a worker");
		_exit(1);
	}
	(void)sigprocmask(SIG_SETMASK, &c->before, NULL);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	exit(c->team->work());
}

/* How long to wait after so many early deaths in a row. */
static int64_t
pause_after(unsigned failures)
{
	int64_t ms = failures > 1 ? 100 : 0;

	while (failures-- > 2 && ms < MAX_PAUSE)
		ms *= 2;
	return ms < MAX_PAUSE ? ms : MAX_PAUSE;
}

static void
plan_next(struct worker *w, int64_t now)
{
	w->pid = 0;
	w->deadline = NEVER;
	w->next = now + pause_after(w->failures);
}

static void
start(struct crew *c, struct worker *w, int64_t now)
{
	pid_t manager = getpid();

	w->pid = fork();
	if (w->pid == 0)
		live(c, manager);
	if (w->pid < 0) {
		log_errno("no worker can be started");
		w->failures++;
		plan_next(w, now);
		return;
	}
	w->born = now;
	w->deadline = NEVER;
	w->old = false;
}

/* Asks a worker to finish what it has at hand. */
static void
ask(const struct crew *c, struct worker *w, int64_t now)
{
	if (w->pid == 0 || w->deadline != NEVER)
		return;
	w->deadline = now + c->team->patience;
	(void)kill(w->pid, SIGTERM);
}

/* Nobody asked it to end: say so, and take care that it is not too often. */
static void
mourn(struct worker *w, int status, int64_t now)
{
	if (now - w->born < SOON)
		w->failures++;
	else
		w->failures = 0;
	if (WIFSIGNALED(status))
		log_warn("worker %ld died by signal %d; another takes its "
			 "place in %lld ms",
		    (long)w->pid, WTERMSIG(status),
		    (long long)pause_after(w->failures));
	else
		log_warn("worker %ld ended with status %d; another takes its "
			 "place in %lld ms",
		    (long)w->pid, WEXITSTATUS(status),
		    (long long)pause_after(w->failures));
}

static struct worker *
find(struct crew *c, pid_t pid)
{
	for (size_t i = 0; i < c->team->workers; i++) {
		if (c->worker[i].pid == pid)
			return &c->worker[i];
	}
	return NULL;
}

static void
reap(struct crew *c, int64_t now)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct worker *w = find(c, pid);

		if (w == NULL)
			continue;
		if (w->deadline == NEVER && !c->ending)
			mourn(w, status, now);
		else
			w->failures = 0;
		plan_next(w, now);
	}
}

static void
end(struct crew *c, int64_t now)
{
	if (!c->ending) {
		log_info("ending: requests at hand are finished");
		service_notify("STOPPING=1");
		/* What comes now shall not wait for nobody. */
		listener_close(c->team->listener);
	}
	c->ending = true;
	for (size_t i = 0; i < c->team->workers; i++)
		ask(c, &c->worker[i], now);
}

static void
reload(struct crew *c, int64_t now)
{
	(void)now;
	if (c->ending)
		return;
	log_info("reloading: workers are replaced one after the other");
	service_notify("RELOADING=1");
	c->reloading = true;
	for (size_t i = 0; i < c->team->workers; i++)
		c->worker[i].old = c->worker[i].pid != 0;
}

static const struct {
	int signal;
	void (*act)(struct crew *c, int64_t now);
} signals[] = { { SIGCHLD, reap }, { SIGTERM, end }, { SIGINT, end },
	{ SIGHUP, reload } };

#define SIGNALS (sizeof(signals) / sizeof(*signals))

/* While one worker is away the next old one stays: somebody always serves. */
static void
replace_one(struct crew *c, int64_t now)
{
	struct worker *old = NULL;

	for (size_t i = 0; i < c->team->workers; i++) {
		struct worker *w = &c->worker[i];

		if (w->pid == 0 || w->deadline != NEVER)
			return;
		if (w->old)
			old = w;
	}
	if (old != NULL) {
		ask(c, old, now);
		return;
	}
	c->reloading = false;
	log_info("reloaded");
	service_notify("READY=1");
}

static void
kill_late(struct crew *c, struct worker *w)
{
	log_warn("worker %ld did not finish in time: killed", (long)w->pid);
	c->killed = true;
	w->deadline = NEVER - 1;
	(void)kill(w->pid, SIGKILL);
}

/* All that is due; returns when the next thing will be. */
static int64_t
act(struct crew *c, int64_t now)
{
	int64_t next = NEVER;

	for (size_t i = 0; i < c->team->workers; i++) {
		struct worker *w = &c->worker[i];

		if (w->pid == 0 && !c->ending && w->next <= now)
			start(c, w, now);
		if (w->pid != 0 && w->deadline <= now)
			kill_late(c, w);
	}
	if (c->reloading && !c->ending)
		replace_one(c, now);
	for (size_t i = 0; i < c->team->workers; i++) {
		const struct worker *w = &c->worker[i];
		int64_t at = w->pid != 0 ? w->deadline : w->next;

		if (at < next && (w->pid != 0 || !c->ending))
			next = at;
	}
	return next;
}

/* Sleeps until a signal comes or it is time for the next thing. */
static void
wait_signal(struct crew *c, int64_t ms)
{
	struct timespec t;
	int got;

	ms = ms < 0 ? 0 : ms > MAX_PAUSE ? MAX_PAUSE : ms;
	t.tv_sec = (time_t)(ms / 1000);
	t.tv_nsec = (long)(ms % 1000) * 1000000;
	got = sigtimedwait(&c->signals, NULL, &t);
	for (size_t i = 0; i < SIGNALS; i++) {
		if (signals[i].signal == got)
			signals[i].act(c, time_ticks());
	}
}

static bool
over(const struct crew *c)
{
	if (!c->ending)
		return false;
	for (size_t i = 0; i < c->team->workers; i++) {
		if (c->worker[i].pid != 0)
			return false;
	}
	return true;
}

/* Signals wait for us, whatever whoever started us thought of them. */
static void
hold_signals(struct crew *c)
{
	struct sigaction plain = { .sa_handler = SIG_DFL };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	/* A log that nobody reads any more is no reason to end. */
	(void)sigaction(SIGPIPE, &ignore, NULL);
	(void)sigemptyset(&c->signals);
	for (size_t i = 0; i < SIGNALS; i++) {
		(void)sigaddset(&c->signals, signals[i].signal);
		(void)sigaction(signals[i].signal, &plain, NULL);
	}
	(void)sigprocmask(SIG_BLOCK, &c->signals, &c->before);
	for (size_t i = 0; i < SIGNALS; i++)
		(void)sigdelset(&c->before, signals[i].signal);
}

enum err
workers_run(const struct team *team)
{
	struct crew c = { .team = team };
	int64_t next;

	hold_signals(&c);
	for (size_t i = 0; i < team->workers; i++)
		plan_next(&c.worker[i], time_ticks());
	next = act(&c, time_ticks());
	service_notify("READY=1");
	while (!over(&c)) {
		wait_signal(&c, next - time_ticks());
		next = act(&c, time_ticks());
	}
	return c.killed ? ERR_BUSY : OK;
}
