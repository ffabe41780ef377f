#ifndef ADMIN_MOVEIN_H
#define ADMIN_MOVEIN_H

#include "admin/admin.h"
#include "admin/entity.h"
#include "ca/ca.h"
#include "store/revoked.h"

/*
 * A CA that moves in: what cert_import.c and crl_import.c share.  Everything
 * is read and judged before anything is written.
 */

/* The CAs that what comes may belong to. */
struct landlords {
	struct ca_list names;
	struct cas *cas;
	const struct ca **ca; /* borrowed from cas */
	size_t n;
};
/* All, or the one that --ca names; ERR_NOTFOUND (said): there is none. */
enum err landlords_find(struct command *cmd, struct landlords *out);
void landlords_release(struct landlords *l);

/*
 * The generation with this name whose key made a signature; NULL: none.
 * is_signed is crl_signed() or cert_signed_by().
 */
const struct generation *landlord_of(const struct landlords *l,
    struct span name, struct span der,
    bool (*is_signed)(struct span der, struct span spki), const struct ca **ca);

/* A revocation that comes along. */
struct arrival {
	struct issuer by; /* ca is NULL where it is not known yet */
	struct revocation r;
};
struct arrivals {
	struct arrival *arrival;
	size_t n, room;
};
enum err arrival_add(struct arrivals *a, const struct arrival *what);
void arrivals_release(struct arrivals *a);

/* Writes them; *done and *known count new ones and those known before. */
enum err arrivals_revoke(const struct command *cmd, struct arrivals *a,
    unsigned *done, unsigned *known);

enum err run_crl_import(struct command *cmd);
enum err run_crl_issue(struct command *cmd);

/* A CRL to cmd->out: DER, or PEM with --pem. */
struct crl;
enum err crl_write(const struct command *cmd, const struct crl *crl);

extern const struct option crl_import_options[];

/*
 * The revoked ones of an index.txt of `openssl ca`, or of a CSV file with
 * columns serial, date and reason (index.c).  ERR_INPUT (said).
 */
enum err index_read(const struct command *cmd, const char *where,
    struct span text, struct arrivals *out);

#endif
