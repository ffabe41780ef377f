#ifndef STORE_RENEWED_H
#define STORE_RENEWED_H

#include "store/revoked.h"
#include "store/transaction.h"

/*
 * What old certificates paid for: renewed/<ca>/<generation>/5d/<serial>,<n>,
 * from 0 without gaps, is a claim (base/file.h) naming the transaction and
 * attempt that this certificate bought, or is about to.  So one old
 * certificate buys one new one, whoever asks and however often:
 *
 *	n is ours                                  -> it pays (a retry)
 *	n bought a certificate for the same CSR    -> that one is the answer
 *	n bought one that is over, or nothing      -> n + 1
 *	n bought one that is not over, or waits    -> refused
 *	n is a claim alone                         -> busy; after SETTLED it is
 *	                                              abandoned, and bought nothing
 */
struct renewing {
	struct issuer by;   /* of the old certificate; borrowed */
	const char *serial; /* its; borrowed */
	char transaction[SHA256_HEX];
	unsigned attempt;     /* that it is to pay for */
	char csr[SHA256_HEX]; /* SHA-256 of the CSR */
	int64_t now;
	/* Is a bought one over: revoked, or to be renewed itself? */
	enum err (*over)(const struct outcome *o, void *arg, bool *yes);
	void *arg;
};

/*
 * OK: it pays, durably.  ERR_EXISTS: *theirs was bought for the same CSR
 * under another transactionID.  ERR_REFUSED: it has bought another one
 * already.  ERR_BUSY (logged): somebody else is about to have one.
 */
enum err renewed_claim(
    const struct store *st, const struct renewing *r, struct outcome *theirs);

/* The same question, with the same answers; claims and abandons nothing. */
enum err renewed_room(
    const struct store *st, const struct renewing *r, struct outcome *theirs);

/* "<ca>/<generation>/<serial>" of a certificate, as outcomes have it. */
enum err renewed_text(
    const struct issuer *by, const char *serial, struct buf *out);
/* And back; ca (malloc'd) is the caller's.  ERR_INPUT (silent). */
enum err renewed_parse(
    const char *text, char **ca, unsigned *generation, char serial[41]);

#endif
