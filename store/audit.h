#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include "store/store.h"

/*
 * audit/2026-11.<machine id>.log: one JSON object a line, appended under a
 * lock.  Never a secret.  Never pruned.
 */
struct audit {
	const char
	    *who; /* "uid 0 (root) for uid 1000 (anna)", "client 192.0.2.1" */
	const char *verb;    /* "entity add", "enrol" */
	const char *object;  /* "router4711", a serial */
	const char *outcome; /* "done", "refused: wrong code" */
	const char *alias;   /* may be NULL, as all below */
	const char *ca;
	const char *serial;
	const char *transaction; /* transactionID, escaped by the writer */
	const char *detail;
};

/* ERR_SYSTEM (logged): the line is not there. */
enum err audit_write(const struct store *st, const struct audit *a);

/* Lines since a time, oldest file first; each gets the raw JSON line. */
enum err audit_each(const struct store *st, int64_t since,
    enum err (*each)(const char *line, void *arg), void *arg);

#endif
