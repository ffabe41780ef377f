#include "ca/profile.h"

#include <openssl/x509v3.h>
#include <strings.h>

#include "base/limits.h"
#include "base/time.h"
#include "ca/pubkey.h"

/*
 * ENDUSER is EJBCA's profile of that name as far as devices notice: two
 * years, clientAuth and emailProtection.  Two decisions of ours:
 * - RSA keys from 2048 bits.  A *signer* may be weaker (C-80), but what is
 *   certified here lives for two years, and TLS and IPsec peers of today
 *   refuse 1024 bits.  Clients whose default is 1024 can all be told.
 * - EC keys sign only: no peer does static ECDH any more, and for EdDSA
 *   keyAgreement would be wrong (RFC 8410 5).
 */
static const struct profile builtin[] = {
	{
	    .name = "ENDUSER",
	    .validity = 730 * DAY,
	    .backdate = 600,
	    .usage_rsa = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
	    .usage_ec = KU_DIGITAL_SIGNATURE,
	    .eku = { "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4" },
	    .min_rsa = 2048,
	    .max_rsa = MAX_RSA,
	    .ec = true,
	    .eddsa = true,
	},
};
#define BUILTIN (sizeof(builtin) / sizeof(*builtin))

const struct profile *
profile_find(const char *name)
{
	for (size_t i = 0; name != NULL && i < BUILTIN; i++)
		if (strcasecmp(builtin[i].name, name) == 0)
			return &builtin[i];
	return NULL;
}

const struct profile *
profile_at(size_t i)
{
	return i < BUILTIN ? &builtin[i] : NULL;
}

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

enum err
profile_key(
    const struct profile *p, struct span spki, const char **why, bool *alg)
{
	enum key_type type = KEY_RSA;
	EVP_PKEY *pkey = NULL;
	unsigned bits = 0;
	enum err e = pubkey_look(spki, &type, &bits);

	*why = NULL;
	*alg = e == ERR_REFUSED || (e == OK && type == KEY_EC && !p->ec) ||
	       (e == OK && type == KEY_EDDSA && !p->eddsa);
	if (*alg)
		*why = "this type of key is not supported";
	else if (e != OK)
		*why = "the key is malformed";
	else if (type == KEY_RSA)
		*why = rsa_why(p, spki, bits);
	else if (pubkey_read(spki, &pkey) != OK)
		*why = "the key's point is not on its curve";
	EVP_PKEY_free(pkey);
	return *why == NULL ? OK : ERR_REFUSED;
}
