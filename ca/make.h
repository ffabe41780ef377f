#ifndef CA_MAKE_H
#define CA_MAKE_H

#include "base/limits.h"
#include "ca/ca.h"
#include "ca/folder.h"

/* What a new CA consists of; everything borrowed. */
struct ca_new {
	const char *name;
	struct key *key;
	struct span cert;	 /* DER */
	const struct buf *chain; /* of its issuers, DER, nearest first */
	size_t nchain;
	bool encrypt; /* the key files */
	int64_t now;
	const char *baseurl; /* for an RA's URLs; NULL: none */
};

#define BACKDATE 600 /* seconds: clocks of clients are slow */

/*
 * Writes generation 1 of a new CA, and an RA certificate where its key is no
 * RSA key: both or nothing.  ERR_EXISTS: the name is taken.
 */
enum err ca_make(int home, const struct ca_new *in);

/*
 * The same as the next generation of a CA that is here, without an RA: its
 * folder alone, above all others.  in->name is not asked.  ERR_EXISTS:
 * somebody else has made one meanwhile.
 */
enum err ca_make_next(int home, const struct ca *ca, const struct ca_new *in);

/*
 * A certificate for a CA's key.  Under a parent it is cut to the parent's
 * times and path, and says where the parent's CRL and certificate are
 * (C-186, C-192, C-196).
 */
struct ca_wish {
	struct key *key;
	struct span subject; /* Name DER */
	struct span ski;     /* empty: of the key */
	int64_t not_before, not_after;
	int pathlen;			 /* -1: none */
	const struct generation *parent; /* NULL: it signs itself */
	const char *parent_name;
	const char *baseurl; /* NULL: no URLs */
};
enum err ca_certify(const struct ca_wish *in, struct buf *der);

/*
 * What a certificate below parent brings as its chain, nearest first:
 * borrowed; NULL: none.
 */
size_t ca_chain_below(
    const struct generation *parent, struct buf chain[MAX_CERTS]);

/* The parent's certificate must allow a CA below it, from t on. */
enum err ca_parent_check(
    const struct generation *parent, const char *name, int64_t t);

/* C-196, and what SCEP needs of the certificate that clients encrypt to. */
unsigned ca_usage(enum key_type type);

#endif
