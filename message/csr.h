#ifndef MESSAGE_CSR_H
#define MESSAGE_CSR_H

#include "message/alg.h"

/*
 * A PKCS#10 as it was received (RFC 2986, C-106 to C-111).  What is needed
 * beside struct csr to judge it.
 */
struct csr_check {
	struct span info;      /* certificationRequestInfo, signed bytes */
	struct span signature; /* without the unused-bits byte */
	struct scheme how;
	bool supported;	  /* how says something that we can check */
	struct span all;  /* everything that was given */
	size_t used;	  /* bytes of the request in it */
	const char *rule; /* readable, but against this rule; NULL: none */
};

/*
 * Reads the first element of `in` into csr, which is all zeros but for
 * secret marks.  Bytes behind it are the caller's to judge by used.
 * ERR_INPUT: unreadable, *why says what.
 */
enum err csr_scan(
    struct span in, struct csr *csr, struct csr_check *check, const char **why);

/* Who signed the message, whose key stands in, or must be the CSR's. */
struct csr_signer {
	struct span spki;  /* public and checked; empty: nobody, no stand-in */
	struct scheme how; /* as the message was signed */
	bool same;	   /* the CSR's key must be this one (C-74) */
};

/*
 * One signature check, whatever is given (C-168).  With by->same it is under
 * the signer's key, which was known before anything was opened: it costs the
 * same for a request that is readable and for one that is not, whatever key
 * is inside.  Without, it is under the request's own key, and the signer's
 * stands in where there is none that can be used: then the work differs as
 * the two keys do.  Only our own trouble is an error.
 */
enum err csr_verify(const struct csr *csr, const struct csr_check *check,
    bool readable, const struct csr_signer *by, bool *good);

/* What attributes and extensions ask for; sets check->rule. */
enum err csr_attributes(
    struct span attributes, struct csr *csr, struct csr_check *check);

void csr_init(struct csr *csr);

#endif
