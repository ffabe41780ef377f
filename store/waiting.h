#ifndef STORE_WAITING_H
#define STORE_WAITING_H

#include "store/transaction.h"

/*
 * A request that has to wait for people: transaction/ab/ab34...,<attempt>,
 * linked once, and waiting as long as that attempt has no outcome.  It keeps
 * what the CSR asks for without its challenge, the digests of the exact CSR,
 * and the rules it came with, which a later change of alias or profile does
 * not touch.  Its key stands behind it as a PEM block.
 *
 *	(nothing) --record--> waiting --outcome--> certificate | denied |
 *	                                           expired | passed | abandoned
 */
struct waiting {
	char transaction[SHA256_HEX];
	unsigned attempt;
	char id[SHA256_HEX]; /* digest of what approvers see; not in the file */
	char *alias;
	char *ca;
	unsigned generation; /* of the CA, that would issue */
	struct buf txid;
	char signer[SHA256_HEX]; /* SHA-256 of the signer's SPKI */
	char *username;
	char *subject;	     /* as text, for people */
	char *san;	     /* as text, or NULL */
	char *profile;	     /* certificate profile */
	char *entityprofile; /* NULL: the same */
	char *remote;
	char *renews;		   /* "<ca>/<generation>/<serial>" or NULL */
	char *sha1, *sha512, *md5; /* hex digests of the exact CSR (C-114) */
	char csr[SHA256_HEX];	   /* SHA-256 of it */
	char spki[SHA256_HEX];	   /* SHA-256 of the SPKI */
	struct buf subject_der, san_der, spki_der;
	struct buf asked_der; /* Extensions that were asked for */
	unsigned required;    /* yeses of different people */
	int64_t created, expires;
};
#define WAITING_INIT \
	{            \
		0    \
	}
void waiting_release(struct waiting *w);

#endif
