#ifndef SIGNER_H
#define SIGNER_H

#include "message/message.h"
#include "visit.h"

/*
 * Whose certificate signed a message: one that we issued may renew itself
 * (C-77, C-122), and shows by signing that it is in use.
 */
struct signers {
	struct visit *visit;
	const struct served *served; /* the CAs of the alias */
};

/*
 * For struct signer_source, whose arg is a struct signers.  A certificate of
 * the alias's CAs, or of those in [renewal] cas:
 *
 *	not by its issuer's name   a PKCSReq is an ordinary one
 *	by name, but not by bytes  badMessageCheck: forged
 *	not valid now, revoked or
 *	held, or nobody's          badMessageCheck
 *	of a blocked entity        badRequest
 *
 * To an external RA the CA's signature and its last CRL tell that; whose it
 * is, the CA alone knows.
 *
 * ERR_BUSY (logged): it may be of a CA that cannot be loaded now.
 */
enum err signer_renews(
    void *arg, const struct pkimsg *msg, struct signer_answer *out);

/*
 * `supersede = used`: a message that was verified shows that its signer's
 * certificate is in use.  The one that it renewed is revoked as superseded,
 * if it was not.  Trouble is logged, and left to the next message.
 */
void signer_used(const struct signers *s, const struct pkimsg *msg);

#endif
