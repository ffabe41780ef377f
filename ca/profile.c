#include "ca/profile.h"

#include <openssl/evp.h>

#include "ca/der.h"
#include "ca/pubkey.h"

static unsigned
modulo(struct span n, unsigned p)
{
	unsigned r = 0;

	for (size_t i = 0; i < n.len; i++)
		r = (r << 8 | n.p[i]) % p;
	return r;
}

/* Is r a power of 65537 modulo p? */
static bool
power_of_f4(unsigned r, unsigned p)
{
	unsigned x = 1;

	do {
		if (x == r)
			return true;
		x = x * (65537 % p) % p;
	} while (x != 1);
	return false;
}

/*
 * CVE-2017-15361 (ROCA): a chip's library made primes whose product is a
 * power of 65537 modulo every small prime.  For these primes the powers are
 * not all residues; an honest key fits them all once in 2^27.
 */
static bool
roca(struct span n)
{
	static const uint8_t prime[] = { 11, 13, 17, 19, 37, 53, 61, 71, 73, 79,
		97, 103, 107, 109, 127, 151, 157 };

	for (size_t i = 0; i < sizeof(prime); i++)
		if (!power_of_f4(modulo(n, prime[i]), prime[i]))
			return false;
	return true;
}

static const char *
rsa_why(const struct profile *p, struct span spki, unsigned bits)
{
	struct span n;

	if (bits < p->min_rsa)
		return "the RSA key is shorter than the profile asks";
	if (bits > p->max_rsa)
		return "the RSA key is longer than the profile allows";
	if (pubkey_modulus(spki, &n) != OK || roca(n))
		return "the RSA key was made by a broken generator (ROCA)";
	return NULL;
}

/* The bit of profile.keys for a key of this type and size. */
static unsigned
kind_of(enum key_type type, unsigned bits)
{
	if (type == KEY_RSA)
		return KEYS_RSA;
	if (type == KEY_EDDSA)
		return KEYS_ED25519;
	return bits == 256 ? KEYS_P256 : bits == 384 ? KEYS_P384 : KEYS_P521;
}

enum err
profile_key(
    const struct profile *p, struct span spki, const char **why, bool *alg)
{
	enum key_type type = KEY_RSA;
	EVP_PKEY *pkey = NULL;
	unsigned bits = 0;
	enum err e = pubkey_look(spki, &type, &bits);

	*why = NULL;
	*alg = e == ERR_REFUSED ||
	       (e == OK && (p->keys & kind_of(type, bits)) == 0);
	if (*alg)
		*why = "this type of key is not supported";
	else if (e != OK || !der_strict(spki)) /* it is copied as it is */
		*why = "the key is malformed";
	else if (type == KEY_RSA)
		*why = rsa_why(p, spki, bits);
	else if (pubkey_read(spki, &pkey) != OK)
		*why = "the key's point is not on its curve";
	EVP_PKEY_free(pkey);
	return *why == NULL ? OK : ERR_REFUSED;
}
