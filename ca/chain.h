#ifndef CA_CHAIN_H
#define CA_CHAIN_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/limits.h"

/* Did the key of spki sign the certificate? */
bool cert_signed_by(struct span cert, struct span spki);

/*
 * The issuers of cert, nearest first, up to a self-signed one or as far as
 * candidates go; borrowed from them.  Names, CA:TRUE and signatures decide.
 */
struct chain {
	struct buf issuer[MAX_CERTS];
	size_t n;
	bool whole; /* it ends at a self-signed certificate */
};
void chain_build(
    struct span cert, const struct buf *candidate, size_t n, struct chain *out);

#endif
