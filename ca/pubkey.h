#ifndef CA_PUBKEY_H
#define CA_PUBKEY_H

#include <openssl/evp.h>

#include "ca/key.h"

/*
 * SubjectPublicKeyInfo stays opaque bytes until it is needed; then this
 * makes an EVP_PKEY by EVP_PKEY_fromdata (2-4 us; OpenSSL's own decoder
 * takes 150).  Caps and sanity first (C-177, C-195): RSA 512..MAX_RSA bits,
 * odd exponent > 1 of at most MAX_RSA_E bits, odd modulus; EC on P-256,
 * P-384, P-521, point checked; Ed25519.
 * ERR_INPUT: malformed or insane; ERR_REFUSED: a type or size not supported.
 * Both silent.  *out is freed with EVP_PKEY_free().
 */
enum err pubkey_read(struct span spki, EVP_PKEY **out);

/* Type and bits without making a key; same errors. */
enum err pubkey_look(struct span spki, enum key_type *type, unsigned *bits);

/* An RSA key's modulus, without leading zeros, borrowed; same errors. */
enum err pubkey_modulus(struct span spki, struct span *n);

/* The same key, however its parameters were written (C-74)? */
bool pubkey_same(struct span a, struct span b);

/* EVP_MD of a digest, fetched once per process; NULL if not available. */
const EVP_MD *digest_md(enum digest d);

#endif
