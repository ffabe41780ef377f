#ifndef CA_BRING_H
#define CA_BRING_H

#include "ca/ca.h"

/* A CA whose certificate was made elsewhere, read: by import or install. */
struct bring {
	const char *name;
	const struct ca *ca; /* whose next generation it is; NULL: a new CA */
	struct key *key;
	struct buf cert;
	struct buf *chain; /* as it came */
	size_t nchain;
	bool encrypt; /* the key files here */
};

/*
 * Checks that it can be a CA here, sorts its issuers, those among the CAs
 * that are here too, and stores it.  ERR_EXISTS (silent); all else is logged.
 */
enum err bring_store(int home, const struct bring *b, int64_t now);
void bring_release(struct bring *b);

#endif
