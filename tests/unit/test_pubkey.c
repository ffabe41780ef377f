/* Public keys without OpenSSL's decoder, and what a profile thinks of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/x509.h>

#include "base/names.h"
#include "ca/der.h"
#include "ca/pubkey.h"
#include "tests/unit/shipped.h"

static void
spki_of(EVP_PKEY *pkey, struct buf *out)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(pkey, &der);

	assert_true(len > 0);
	buf_clear(out);
	assert_true(buf_add(out, der, (size_t)len));
	OPENSSL_free(der);
}

static EVP_PKEY *
make(const char *kind, const char *curve, size_t bits)
{
	EVP_PKEY *pkey = curve != NULL ?
			     EVP_PKEY_Q_keygen(NULL, NULL, kind, curve) :
			 bits != 0 ? EVP_PKEY_Q_keygen(NULL, NULL, kind, bits) :
				     EVP_PKEY_Q_keygen(NULL, NULL, kind);

	assert_non_null(pkey);
	return pkey;
}

static const struct {
	const char *kind;
	const char *curve;
	size_t arg;
	enum key_type type;
	unsigned bits;
	enum err e;
} made[] = {
	{ "RSA", NULL, 512, KEY_RSA, 512, OK },
	{ "RSA", NULL, 1024, KEY_RSA, 1024, OK },
	{ "RSA", NULL, 1025, KEY_RSA, 1025, OK },
	{ "RSA", NULL, 2048, KEY_RSA, 2048, OK },
	{ "EC", "P-256", 0, KEY_EC, 256, OK },
	{ "EC", "P-384", 0, KEY_EC, 384, OK },
	{ "EC", "P-521", 0, KEY_EC, 521, OK },
	{ "ED25519", NULL, 0, KEY_EDDSA, 256, OK },
	{ "EC", "secp256k1", 0, KEY_EC, 0, ERR_REFUSED },
	{ "EC", "P-224", 0, KEY_EC, 0, ERR_REFUSED },
	{ "ED448", NULL, 0, KEY_EDDSA, 0, ERR_REFUSED },
	{ "X25519", NULL, 0, KEY_EDDSA, 0, ERR_REFUSED },
};

static void
test_made(void **state)
{
	struct buf spki = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(made) / sizeof(*made); i++) {
		EVP_PKEY *pkey = make(made[i].kind, made[i].curve, made[i].arg);
		EVP_PKEY *back = NULL;
		enum key_type type = KEY__MAX;
		unsigned bits = 0;

		spki_of(pkey, &spki);
		assert_int_equal(
		    pubkey_look(buf_span(&spki), &type, &bits), made[i].e);
		assert_int_equal(
		    pubkey_read(buf_span(&spki), &back), made[i].e);
		if (made[i].e == OK) {
			assert_int_equal(type, made[i].type);
			assert_int_equal(bits, made[i].bits);
			assert_int_equal(EVP_PKEY_eq(pkey, back), 1);
		} else {
			assert_null(back);
		}
		EVP_PKEY_free(back);
		EVP_PKEY_free(pkey);
	}
	buf_release(&spki);
}

/* SPKI from pieces: OID and parameters in hex, key bytes. */
static void
compose(const char *alg, uint8_t unused, struct span key, struct buf *out)
{
	struct buf a = BUF_INIT, bits = BUF_INIT, body = BUF_INIT;

	assert_int_equal(hex_read(alg, &a), OK);
	assert_true(buf_byte(&bits, unused) && buf_add(&bits, key.p, key.len) &&
		    der_put(&body, DER_SEQUENCE, buf_span(&a)) &&
		    der_put(&body, DER_BITS, buf_span(&bits)));
	buf_clear(out);
	assert_true(der_put(out, DER_SEQUENCE, buf_span(&body)));
	buf_release(&a);
	buf_release(&bits);
	buf_release(&body);
}

#define RSA_ALG	     "06092a864886f70d010101 0500"
#define RSA_ALG_BARE "06092a864886f70d010101"

/* An RSA key of two magnitudes, each with a sign byte. */
static void
rsa(size_t bytes, uint8_t top, uint8_t low, const char *e, struct buf *out)
{
	struct buf n = BUF_INIT, exp = BUF_INIT, seq = BUF_INIT, key = BUF_INIT;

	assert_true(buf_byte(&n, 0) && buf_byte(&n, top));
	while (n.len < bytes)
		assert_true(buf_byte(&n, 0x5a));
	assert_true(buf_byte(&n, low));
	assert_int_equal(hex_read(e, &exp), OK);
	assert_true(der_put(&seq, DER_INTEGER, buf_span(&n)) &&
		    der_put(&seq, DER_INTEGER, buf_span(&exp)) &&
		    der_put(&key, DER_SEQUENCE, buf_span(&seq)));
	compose(RSA_ALG, 0, buf_span(&key), out);
	buf_release(&n);
	buf_release(&exp);
	buf_release(&seq);
	buf_release(&key);
}

static const struct {
	const char *what;
	size_t bytes;
	const char *e;
	enum err expect;
	uint8_t top, low;
} numbers[] = {
	{ "fine", 128, "010001", OK, 0x80, 1 },
	{ "8192 bits", 1024, "010001", OK, 0x80, 1 },
	{ "8200 bits", 1025, "010001", ERR_REFUSED, 0x80, 1 },
	{ "16384 bits", 2048, "010001", ERR_REFUSED, 0x80, 1 },
	{ "511 bits", 64, "010001", ERR_REFUSED, 0x7f, 1 },
	{ "even modulus", 128, "010001", ERR_INPUT, 0x80, 2 },
	{ "e = 1", 128, "01", ERR_INPUT, 0x80, 1 },
	{ "e = 3", 128, "03", OK, 0x80, 1 },
	{ "e = 0", 128, "00", ERR_INPUT, 0x80, 1 },
	{ "even e", 128, "010000", ERR_INPUT, 0x80, 1 },
	{ "negative e", 128, "ff", ERR_INPUT, 0x80, 1 },
	{ "e of 33 bits", 128, "0100000001", OK, 0x80, 1 },
	{ "e of 34 bits", 128, "0200000001", ERR_REFUSED, 0x80, 1 },
	{ "e of 64 bits", 128, "7fffffffffffffff", ERR_REFUSED, 0x80, 1 },
};

static void
test_numbers(void **state)
{
	struct buf spki = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		EVP_PKEY *pkey = NULL;

		rsa(numbers[i].bytes, numbers[i].top, numbers[i].low,
		    numbers[i].e, &spki);
		if (pubkey_read(buf_span(&spki), &pkey) != numbers[i].expect)
			fail_msg("%s", numbers[i].what);
		EVP_PKEY_free(pkey);
	}
	buf_release(&spki);
}

/* C-195: NULL or absent parameters, no others; no unused bits. */
static void
test_shape(void **state)
{
	struct buf spki = BUF_INIT, whole = BUF_INIT;
	struct span seq, alg, bits = { NULL, 0 }, key;
	EVP_PKEY *pkey = NULL;

	(void)state;
	rsa(128, 0x80, 1, "010001", &whole);
	assert_true(der_one(buf_span(&whole), DER_SEQUENCE, &seq) &&
		    der_get(&seq, DER_SEQUENCE, &alg) &&
		    der_get(&seq, DER_BITS, &bits));
	key = span_of(bits.p + 1, bits.len - 1);
	compose(RSA_ALG_BARE, 0, key, &spki);
	assert_int_equal(pubkey_read(buf_span(&spki), &pkey), OK);
	EVP_PKEY_free(pkey);
	pkey = NULL;
	compose(RSA_ALG_BARE "3000", 0, key, &spki);
	assert_int_equal(pubkey_read(buf_span(&spki), &pkey), ERR_INPUT);
	compose(RSA_ALG "0500", 0, key, &spki);
	assert_int_equal(pubkey_read(buf_span(&spki), &pkey), ERR_INPUT);
	compose(RSA_ALG, 1, key, &spki);
	assert_int_equal(pubkey_read(buf_span(&spki), &pkey), ERR_INPUT);
	compose(RSA_ALG, 0, span_of(key.p, key.len - 1), &spki);
	assert_int_equal(pubkey_read(buf_span(&spki), &pkey), ERR_INPUT);
	compose("06022a03", 0, key, &spki);
	assert_int_equal(pubkey_read(buf_span(&spki), &pkey), ERR_REFUSED);
	compose("06092a864886f70d01010a", 0, key, &spki); /* RSASSA-PSS */
	assert_int_equal(pubkey_read(buf_span(&spki), &pkey), ERR_REFUSED);
	for (size_t i = 0; i < whole.len; i++)
		assert_int_equal(
		    pubkey_read(span_of(whole.data, i), &pkey), ERR_INPUT);
	assert_true(buf_byte(&whole, 0));
	assert_int_equal(pubkey_read(buf_span(&whole), &pkey), ERR_INPUT);
	assert_null(pkey);
	buf_release(&spki);
	buf_release(&whole);
}

static void
test_points(void **state)
{
	EVP_PKEY *ec = make("EC", "P-256", 0), *pkey = NULL;
	const struct profile *p = shipped("ENDUSER");
	struct buf spki = BUF_INIT;
	const char *why = NULL;
	uint8_t *point;
	bool alg = true;

	(void)state;
	spki_of(ec, &spki);
	point = spki.data + spki.len - 65;
	assert_int_equal(point[0], 4);
	point[64] ^= 1; /* off the curve */
	assert_int_equal(pubkey_read(buf_span(&spki), &pkey), ERR_INPUT);
	assert_int_equal(
	    profile_key(p, buf_span(&spki), &why, &alg), ERR_REFUSED);
	assert_false(alg);
	assert_non_null(strstr(why, "curve"));
	point[64] ^= 1;
	point[0] = (uint8_t)(6 + (point[64] & 1)); /* hybrid form */
	assert_int_equal(pubkey_read(buf_span(&spki), &pkey), ERR_INPUT);
	point[0] = 4;
	memset(point + 1, 0xff, 32); /* x over the prime */
	assert_int_equal(pubkey_read(buf_span(&spki), &pkey), ERR_INPUT);
	compose("06072a8648ce3d0201 06082a8648ce3d030107", 0, span_of("\0", 1),
	    &spki); /* the point at infinity */
	assert_int_equal(pubkey_read(buf_span(&spki), &pkey), ERR_INPUT);
	assert_null(pkey);
	EVP_PKEY_free(ec);
	buf_release(&spki);
}

static void
test_compressed(void **state)
{
	EVP_PKEY *ec = make("EC", "P-384", 0), *pkey = NULL;
	struct buf spki = BUF_INIT;

	(void)state;
	assert_int_equal(
	    EVP_PKEY_set_utf8_string_param(ec, "point-format", "compressed"),
	    1);
	spki_of(ec, &spki);
	assert_true(spki.len < 90);
	assert_int_equal(pubkey_read(buf_span(&spki), &pkey), OK);
	assert_int_equal(EVP_PKEY_eq(ec, pkey), 1);
	EVP_PKEY_free(pkey);
	EVP_PKEY_free(ec);
	buf_release(&spki);
}

/* C-80: the profile's minimum for the key of a request. */
static void
test_profile(void **state)
{
	static const struct {
		size_t bytes;
		enum err e;
		const char *why;
	} size[] = { { 128, ERR_REFUSED, "shorter" }, { 256, OK, NULL },
		{ 1024, OK, NULL }, { 1025, ERR_REFUSED, "type" } };
	const struct profile *p = shipped("enduser");
	struct buf spki = BUF_INIT;
	const char *why;
	bool alg;

	(void)state;
	assert_non_null(p);
	assert_null(shipped("nosuch"));
	for (size_t i = 0; i < 4; i++) {
		rsa(size[i].bytes, 0x80, 1, "010001", &spki);
		assert_int_equal(
		    profile_key(p, buf_span(&spki), &why, &alg), size[i].e);
		if (size[i].why != NULL)
			assert_non_null(strstr(why, size[i].why));
		assert_int_equal(alg, size[i].bytes == 1025);
	}
	rsa(256, 0x80, 2, "010001", &spki);
	assert_int_equal(
	    profile_key(p, buf_span(&spki), &why, &alg), ERR_REFUSED);
	assert_false(alg);
	buf_release(&spki);
}

/* A modulus that is a power of 65537 modulo every small prime: 65537^k. */
static void
test_roca(void **state)
{
	const struct profile *p = shipped("ENDUSER");
	BIGNUM *n = BN_new(), *f4 = BN_new();
	BN_CTX *ctx = BN_CTX_new();
	struct buf raw = BUF_INIT, seq = BUF_INIT, key = BUF_INIT,
		   spki = BUF_INIT;
	const char *why = NULL;
	bool alg;

	(void)state;
	assert_true(BN_one(n) && BN_set_word(f4, 65537));
	while (BN_num_bits(n) < 2048)
		assert_true(BN_mul(n, n, f4, ctx));
	assert_true(buf_byte(&raw, 0) && buf_reserve(&raw, 300));
	raw.len += (size_t)BN_bn2bin(n, raw.data + 1);
	assert_true(der_put(&seq, DER_INTEGER, buf_span(&raw)) &&
		    der_put(&seq, DER_INTEGER, DER_BYTES("\x01\x00\x01")) &&
		    der_put(&key, DER_SEQUENCE, buf_span(&seq)));
	compose(RSA_ALG, 0, buf_span(&key), &spki);
	assert_int_equal(
	    profile_key(p, buf_span(&spki), &why, &alg), ERR_REFUSED);
	assert_non_null(strstr(why, "ROCA"));
	BN_free(n);
	BN_free(f4);
	BN_CTX_free(ctx);
	buf_release(&raw);
	buf_release(&seq);
	buf_release(&key);
	buf_release(&spki);
}

static void
test_digests(void **state)
{
	static const int size[] = { 16, 20, 32, 48, 64 };

	(void)state;
	for (int d = 0; d < DIGEST__MAX; d++) {
		const EVP_MD *md = digest_md((enum digest)d);

		assert_non_null(md);
		assert_int_equal(EVP_MD_get_size(md), size[d]);
		assert_ptr_equal(md, digest_md((enum digest)d));
	}
	assert_null(digest_md(DIGEST__MAX));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_shape),
		cmocka_unit_test(test_points),
		cmocka_unit_test(test_compressed),
		cmocka_unit_test(test_profile),
		cmocka_unit_test(test_roca),
		cmocka_unit_test(test_digests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
