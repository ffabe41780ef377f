#ifndef ADMIN_HEALTH_H
#define ADMIN_HEALTH_H

#include "admin/admin.h"

/* What `status` and `check` both look at. */

/*
 * Parses every aliases/NAME.ini; what is wrong is logged, file and line.
 * broken(file, arg) is called for each that is, and may be NULL.
 */
struct alias_health {
	unsigned count, broken;
	unsigned proxies; /* of those that are not */
};
enum err health_aliases(const struct command *cmd,
    void (*broken)(const char *file, void *arg), void *arg,
    struct alias_health *out);

/*
 * Compares every issued certificate with its record and its CA: issuer, key
 * and subject.  wrong(where, what, arg) is called for each that differs.
 */
enum err health_issued(const struct command *cmd,
    void (*wrong)(const char *where, const char *what, void *arg), void *arg);

/* Nothing is logged between them: the one line of `status` says it all. */
void health_hush(void);
void health_speak(void);

#endif
