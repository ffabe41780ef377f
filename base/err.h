#ifndef BASE_ERR_H
#define BASE_ERR_H

/*
 * The one error enum.  The leaf that meets an error logs it once, with what
 * and where (log.h); callers pass the code on in silence.  A refusal that a
 * client is told about is a value (enrol.h, message.h), not one of these.
 */
enum err {
	OK = 0,
	ERR_INPUT,    /* bytes or words that we were given cannot be read */
	ERR_REFUSED,  /* a rule says no */
	ERR_NOTFOUND, /* the named thing is not there */
	ERR_EXISTS,   /* the name is taken already */
	ERR_TOOBIG,   /* over a cap of limits.h */
	ERR_BUSY,     /* somebody else was faster, or not ready: try again */
	ERR_CRYPTO,   /* OpenSSL failed on good input: a key, a provider */
	ERR_SYSTEM,   /* disk, memory, permission: our own trouble */
	ERR__MAX
};

/* The HTTP status for a client (C-17, C-166): 400 to 503, 200 for OK. */
int err_http(enum err e);

/*
 * The exit status of the command line: 0 done, 1 no, 75 try again; the latter
 * also for our own trouble, so that no script takes it for "not found".
 */
int err_exit(enum err e);

/* A short constant name, "not found" and the like, for logs. */
const char *err_name(enum err e);

#endif
