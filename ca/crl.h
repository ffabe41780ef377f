#ifndef CA_CRL_H
#define CA_CRL_H

#include "ca/ca.h"

/*
 * CRLs (RFC 5280 5): what a generation signs, and reading one as bytes, by
 * our own walk, so that a hundred thousand entries cost no more than a look
 * at each.
 */

/* All spans borrow from der. */
struct crl_view {
	struct span der;
	struct span issuer;    /* Name DER */
	struct span authority; /* raw authorityKeyIdentifier or empty */
	int64_t this_update, next_update; /* next_update 0: none */
	bool numbered;			  /* it has a cRLNumber that fits */
	uint64_t number;
	struct span entries; /* for crl_next(); empty: none */
};
/* ERR_INPUT (silent): no CRL, or bytes behind it. */
enum err crl_view(struct span der, struct crl_view *out);

/*
 * Takes the next entry off *entries.  ERR_NOTFOUND: no more; ERR_INPUT
 * (silent): unreadable.  serial borrows and has no leading zeros; an entry
 * without a reason has 0.
 */
enum err crl_next(struct span *entries, struct crl_entry *out);

/* Did the key of this SubjectPublicKeyInfo sign the CRL? */
bool crl_signed(struct span der, struct span spki);

/* First CRL of PEM or DER bytes, as DER; for files.  ERR_INPUT is logged. */
enum err crl_read(const char *where, struct span bytes, struct buf *der);
enum err crl_pem(struct span der, struct buf *pem); /* appends */

/*
 * Signs a CRL with the key of a generation, whose name and key identifier
 * the header gets.  Behind its end too: what it issued may be asked for
 * (C-201).  ERR_REFUSED (logged): it has not begun, or its key usage does not
 * allow to sign CRLs.
 */
enum err ca_crl(
    const struct generation *gen, struct crl_header *in, struct buf *der);

#endif
