#include "message/decoy.h"

#include <string.h>

#include "base/limits.h"
#include "ca/der.h"
#include "ca/pubkey.h"

#define ED25519_BYTES 64

/* Bytes of the key's numbers: modulus, or coordinate; 0: of another type. */
static size_t
key_bytes(struct span spki, enum key_type type)
{
	enum key_type is;
	unsigned bits;

	if (pubkey_look(spki, &is, &bits) != OK || is != type)
		return 0;
	return (bits + 7) / 8;
}

static bool
rsa_fits(struct span spki, struct span s)
{
	struct span n;

	return pubkey_modulus(spki, &n) == OK && s.len == n.len &&
	       memcmp(s.p, n.p, n.len) < 0;
}

/* A positive INTEGER of at most that many bytes. */
static bool
number_fits(struct span *in, size_t bytes)
{
	struct span n;

	if (!der_get(in, DER_INTEGER, &n) || n.len == 0 || (n.p[0] & 0x80) != 0)
		return false;
	if (n.p[0] == 0) {
		n.p++;
		n.len--;
	}
	return n.len > 0 && n.p[0] != 0 && n.len <= bytes;
}

static bool
ec_fits(struct span spki, struct span s)
{
	size_t bytes = key_bytes(spki, KEY_EC);
	struct span numbers;

	return der_strict(s) && der_one(s, DER_SEQUENCE, &numbers) &&
	       number_fits(&numbers, bytes) && number_fits(&numbers, bytes) &&
	       numbers.len == 0;
}

/* RFC 8032 5.1.7: the second half, little-endian, is below 2^252 and a bit. */
static bool
ed_fits(struct span spki, struct span s)
{
	(void)spki;
	return s.len == ED25519_BYTES && s.p[ED25519_BYTES - 1] < 0x10;
}

bool
signature_fits(struct span spki, enum key_type type, struct span signature)
{
	static bool (*const fits[KEY__MAX])(struct span spki, struct span s) = {
		[KEY_RSA] = rsa_fits,
		[KEY_EC] = ec_fits,
		[KEY_EDDSA] = ed_fits,
	};

	return fits[type](spki, signature);
}

/* Below any modulus, or order, of that many bytes. */
static bool
put_numbers(enum key_type type, const uint8_t *p, size_t n, struct buf *out)
{
	struct span number = span_of(p + 1, n - 1);
	struct buf two = BUF_INIT;
	bool good;

	if (type == KEY_RSA)
		return buf_byte(out, 0) && buf_add(out, number.p, number.len);
	if (type == KEY_EDDSA)
		return buf_add(out, p, n) && buf_add(out, p, n - 1) &&
		       buf_byte(out, 0x05);
	good = der_put(&two, DER_INTEGER, number) &&
	       der_put(&two, DER_INTEGER, span_of(p, n - 1)) &&
	       der_put(out, DER_SEQUENCE, buf_span(&two));
	buf_release(&two);
	return good;
}

enum err
decoy_signature(struct span spki, enum key_type type, struct buf *out)
{
	size_t n = key_bytes(spki, type);
	uint8_t fill[MAX_RSA / 8];

	if (n < 2 || n > sizeof(fill))
		return ERR_REFUSED;
	memset(fill, 0x5a, n);
	return put_numbers(type, fill, n, out) ? OK : ERR_SYSTEM;
}
