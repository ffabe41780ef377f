#ifndef WORKERS_H
#define WORKERS_H

#include <stdint.h>

#include "base/socket.h"

/*
 * A number of processes that all do the same, and one that looks after them:
 * it starts another for each that died, at once or, where they die soon after
 * their start, after a pause that grows to half a minute.
 */
#define MAX_WORKERS 256

struct team {
	struct listener *listener; /* descriptor 0 of every worker */
	unsigned workers;	   /* 1 to MAX_WORKERS */
	int64_t patience;	   /* milliseconds a worker has to finish */
	int (*work)(void); /* a worker's life, until SIGTERM; its exit status */
};

/*
 * Returns after SIGTERM or SIGINT, which close the listener, when every worker
 * has finished; OK, or ERR_BUSY where one had to be killed.  SIGHUP replaces the workers, one after
 * the other.  Tells the service manager when it is ready.  Workers end with
 * the caller's process, also when that is killed.
 */
enum err workers_run(const struct team *team);

#endif
