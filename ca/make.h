#ifndef CA_MAKE_H
#define CA_MAKE_H

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
};

/*
 * Writes generation 1 of a new CA, and an RA certificate where its key is no
 * RSA key: both or nothing.  ERR_EXISTS: the name is taken.
 */
enum err ca_make(int home, const struct ca_new *in);

/* C-196, and what SCEP needs of the certificate that clients encrypt to. */
unsigned ca_usage(enum key_type type);

#endif
