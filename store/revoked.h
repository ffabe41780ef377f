#ifndef STORE_REVOKED_H
#define STORE_REVOKED_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

/*
 * Revocations: revoked/<ca>/<generation>/5d/5d03...,<n>.  Odd is revoked or
 * held, even is released; the highest version is the present state:
 *
 *	(nothing) --1--> held --2--> released --3--> revoked
 *	(nothing) --1--> revoked
 *	held --3, then 2--> revoked: version 2 is a bridge, and who meets it
 *	                    before 3 finds 3 there already
 *
 * new/5d03...,<n> is linked before a version and unlinked when a CRL shows
 * it: while one is there whose version is too, the newest CRL is out of date
 * (crl.h).
 */

/* CRLReason, RFC 5280 5.3.1: the numbers are the wire's. */
#define REASON_UNSPECIFIED 0
#define REASON_HOLD	   6
#define REASON_REMOVE	   8  /* of delta CRLs alone, never a record's */
#define REASON__MAX	   11 /* 7 is not used */
const char *reason_name(unsigned reason); /* "keyCompromise"; NULL: none */
/* A name in any case, or a number; false for what nobody is revoked for. */
bool reason_read(const char *text, unsigned *out);

/* Whose certificates, and whose CRL: one key of a CA (C-202). */
struct issuer {
	const char *ca; /* borrowed */
	unsigned generation;
};

struct revocation {
	char serial[41];   /* lower-case hex, two digits a byte */
	unsigned n;	   /* the version: odd stands, even does not */
	bool bridge;	   /* even, and n + 1 is there */
	unsigned reason;   /* of odd versions */
	int64_t date;	   /* revocationDate, or when it was released */
	int64_t written;   /* when this was recorded */
	int64_t not_after; /* of the certificate; 0: not known */
};

/* The present state.  ERR_NOTFOUND: it was never revoked. */
enum err revoked_find(const struct store *st, const struct issuer *by,
    const char *serial, struct revocation *out);

/* Is it revoked or held at present? */
enum err revoked_now(const struct store *st, const struct issuer *by,
    const char *serial, bool *out);

/*
 * Revokes, or holds where the reason is REASON_HOLD: serial, reason, date,
 * written and not_after are the caller's, n is filled.  Durable when it
 * answers OK.  ERR_EXISTS: it is revoked already, or held and should be held;
 * *r is that then.  For commands: it makes the room where there is none.
 */
enum err revoked_add(
    const struct store *st, const struct issuer *by, struct revocation *r);

/*
 * Lets a held one go.  ERR_NOTFOUND: it is not revoked at all; ERR_REFUSED
 * (silent): it is, and for good; *out is that then.
 */
enum err revoked_release(const struct store *st, const struct issuer *by,
    const char *serial, int64_t now, struct revocation *out);

/* The present state of each serial number, also of released ones. */
enum err revoked_each(const struct store *st, const struct issuer *by,
    enum err (*each)(const struct revocation *, void *arg), void *arg);

/*
 * What no CRL has shown yet.  An issuer reads the news, then scans by
 * revoked_each(), which sees all of them, and forgets them when its CRL is
 * linked; a version that came later has a name of its own.
 */
struct news {
	char **name; /* "<serial>,<n>"; owned */
	size_t n;
};
enum err news_read(
    const struct store *st, const struct issuer *by, struct news *out);
void news_forget(
    const struct store *st, const struct issuer *by, const struct news *news);
void news_release(struct news *news);

#endif
