#ifndef MESSAGE_DECOY_H
#define MESSAGE_DECOY_H

#include "ca/key.h"

/*
 * Signatures as work (DESIGN 5, C-168).  OpenSSL gives up early on a
 * signature that cannot be one of the key at hand: one byte too long, above
 * the modulus, not two numbers.  Whoever asks first computes always.
 */

/* Would a check of this signature under the key come to the computing? */
bool signature_fits(
    struct span spki, enum key_type type, struct span signature);

/*
 * Appends a signature that would, and that nobody made.  ERR_REFUSED: not a
 * key of that type.
 */
enum err decoy_signature(struct span spki, enum key_type type, struct buf *out);

#endif
