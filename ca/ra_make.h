#ifndef CA_RA_MAKE_H
#define CA_RA_MAKE_H

#include "ca/folder.h"
#include "ca/generation.h"

/* Making RA certificates, shared by the files of ca/ that do. */

struct ra_make {
	const char *ca;		      /* its name, for URLs */
	const struct generation *gen; /* which issues */
	const struct ra_order *order;
	int64_t now;
	struct span passphrase; /* of the key files; empty: none */
};
/* Makes keys and certificates in the folder dir ("" or "ra/1/") of a draft. */
enum err ra_make(struct draft *d, const char *dir, const struct ra_make *m);

/* The name of an RA: the subject, or the CA's own and "RA" behind its CN. */
enum err ra_name(
    const struct generation *gen, const char *subject, struct buf *name);

/* A draft of the CA's next RA generation, and the path it will have. */
enum err ra_next(
    int home, const struct ca *ca, struct draft *d, struct buf *path);

/*
 * The passphrase for new key files: empty if they are not to be encrypted.
 * ERR_REFUSED (logged): they are, and there is none.
 */
enum err seal_passphrase(
    int home, const char *ca, bool encrypt, struct buf *out);

#endif
