#ifndef CA_GENERATION_H
#define CA_GENERATION_H

#include "ca/ca.h"

/* One key and its certificate, as they stand in a folder of a CA. */

/* Names of the files; chain may be NULL: there never is one. */
struct parts {
	const char *cert, *key, *chain;
	const char *elsewhere; /* instead of key: see KEY_ELSEWHERE */
};
/*
 * Of a CA whose key is on another host: a file of its own says so, so that a
 * key that was lost is no such CA.
 */
#define KEY_ELSEWHERE "The key of this CA is on another host.\n"
extern const struct parts parts_ca;   /* of a generation of the CA */
extern const struct parts parts_ra;   /* of an RA: both uses, or the first */
extern const struct parts parts_sign; /* of an RA with two: the second */

/*
 * Reads them from the folder dir of the CA called `ca`.  Whatever is wrong
 * was logged: ERR_CRYPTO, ERR_SYSTEM and others; g is to be released.
 */
enum err generation_load(int home, const char *ca, const char *dir,
    const struct parts *parts, struct generation *g);

/* From a certificate in memory (copied); the key is handed over on OK. */
enum err generation_of(struct span cert, struct key *key, struct generation *g);
void generation_release(struct generation *g);

/* "1" to "999999999"; 0 for any other name. */
unsigned generation_number(const char *name);

/*
 * Reads all of <dir>/ra/; none is fine.  Appends to ca, by n ascending.  What
 * cannot be loaded is left out, with a line in the log, and ca->ra_lost set.
 */
enum err ras_load(int home, const char *dir, struct ca *ca);
void ra_release(struct ra *ra);

#endif
