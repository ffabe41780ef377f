#ifndef CA_KEY_OWN_H
#define CA_KEY_OWN_H

#include <openssl/evp.h>

#include "base/names.h"
#include "ca/key.h"

/* Behind the door: included by ca/key*.c and nobody else. */
struct key {
	EVP_PKEY *pkey;
	enum key_type type;
	unsigned bits;
	struct buf modulus;	    /* RSA: n, big-endian, without zeros */
	uint8_t secret[SHA256_LEN]; /* for replacement content keys (C-168) */
	bool elsewhere;		    /* pkey is the public half alone */
};

/*
 * Takes pkey over, also on failure.  ERR_REFUSED (logged): a type that cannot
 * be a CA's.
 */
enum err key_wrap(const char *where, EVP_PKEY *pkey, struct key **out);

/* What the key signs certificates and requests with; NULL was logged. */
const EVP_MD *key_digest(const struct key *key);

#endif
