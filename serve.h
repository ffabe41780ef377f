#ifndef SERVE_H
#define SERVE_H

#include <stdbool.h>

/*
 * The server: answers one CGI request, or FastCGI requests until SIGTERM,
 * for the home named by SCEP_HOME.  Returns the exit status: 0 if every
 * request was answered, whatever the answer.
 */
int serve(bool fastcgi);

/*
 * A worker of `scep serve`: FastCGI on descriptor 0, and log lines go to
 * standard error, which the service manager keeps.
 */
int serve_worker(void);

/* Where everything is kept: SCEP_HOME, or /var/lib/scep. */
const char *serve_home(void);

#endif
