/* Signatures that nobody made, and their shape (C-168). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "ca/der.h"
#include "ca/pubkey.h"
#include "message/decoy.h"
#include "message/signed.h"

static struct one {
	const char *name, *curve; /* for EVP_PKEY_Q_keygen() */
	enum key_type type;
	EVP_PKEY *key;
	struct buf spki, real;
} all[] = {
	{ .name = "RSA", .type = KEY_RSA },
	{ .name = "EC", .curve = "P-256", .type = KEY_EC },
	{ .name = "EC", .curve = "P-384", .type = KEY_EC },
	{ .name = "EC", .curve = "P-521", .type = KEY_EC },
	{ .name = "ED25519", .type = KEY_EDDSA },
};
#define ALL  (sizeof(all) / sizeof(*all))
#define DATA "what is signed"

static EVP_PKEY *
generate(const struct one *k)
{
	if (k->type == KEY_RSA)
		return EVP_RSA_gen(2048);
	if (k->curve != NULL)
		return EVP_PKEY_Q_keygen(NULL, NULL, k->name, k->curve);
	return EVP_PKEY_Q_keygen(NULL, NULL, k->name);
}

/* A key, its public half, and a signature that it made. */
static void
make(struct one *k)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char *der = NULL, sig[512];
	size_t n = sizeof(sig);
	int len;

	k->key = generate(k);
	len = i2d_PUBKEY(k->key, &der);
	assert_true(len > 0 && buf_add(&k->spki, der, (size_t)len));
	assert_int_equal(
	    EVP_DigestSignInit(ctx, NULL,
		k->type == KEY_EDDSA ? NULL : EVP_sha256(), NULL, k->key),
	    1);
	assert_int_equal(EVP_DigestSign(ctx, sig, &n,
			     (const unsigned char *)DATA, sizeof(DATA)),
	    1);
	assert_true(buf_add(&k->real, sig, n));
	OPENSSL_free(der);
	EVP_MD_CTX_free(ctx);
}

static int
setup(void **state)
{
	(void)state;
	for (size_t i = 0; i < ALL; i++)
		make(&all[i]);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < ALL; i++) {
		EVP_PKEY_free(all[i].key);
		buf_release(&all[i].spki);
		buf_release(&all[i].real);
	}
	return 0;
}

/* A real one fits and is good; ours fits, and is never good. */
static void
fits_its_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < ALL; i++) {
		struct buf decoy = BUF_INIT;
		struct check c = { .spki = buf_span(&all[i].spki),
			.how = { .key = all[i].type, .digest = DIGEST_SHA256 },
			.data = span_of(DATA, sizeof(DATA)),
			.signature = buf_span(&all[i].real) };
		bool good = false;

		assert_true(signature_fits(c.spki, all[i].type, c.signature));
		assert_int_equal(check_signature(&c, &good), OK);
		assert_true(good);
		assert_int_equal(
		    decoy_signature(c.spki, all[i].type, &decoy), OK);
		assert_true(
		    signature_fits(c.spki, all[i].type, buf_span(&decoy)));
		c.signature = buf_span(&decoy);
		assert_int_equal(check_signature(&c, &good), OK);
		assert_false(good);
		buf_release(&decoy);
	}
}

/* Another key's does not, unless its numbers are small enough. */
static void
fits_no_other(void **state)
{
	struct buf out = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < ALL; i++)
		for (size_t k = 0; k < ALL; k++)
			if (all[i].type != all[k].type || k > i)
				assert_false(
				    signature_fits(buf_span(&all[i].spki),
					all[i].type, buf_span(&all[k].real)));
	assert_int_equal(
	    decoy_signature(buf_span(&all[0].spki), KEY_EC, &out), ERR_REFUSED);
	assert_int_equal(
	    decoy_signature(span_of("x", 1), KEY_RSA, &out), ERR_REFUSED);
	assert_int_equal(out.len, 0);
}

/* What OpenSSL would not compute with. */
static void
fits_not(void **state)
{
	static const uint8_t high[256] = { 0xff, 0xff, 0xff, 0xff };
	const struct span bad[] = { DER_BYTES(""), DER_BYTES("\x30\x00"),
		DER_BYTES("\x30\x06\x02\x01\x01\x02\x01\x00"),
		DER_BYTES("\x30\x06\x02\x01\x81\x02\x01\x01"),
		DER_BYTES("\x30\x06\x02\x01\x01\x04\x01\x01"),
		DER_BYTES("\x30\x09\x02\x01\x01\x02\x01\x01\x02\x01\x01"),
		DER_BYTES("\x30\x81\x06\x02\x01\x01\x02\x01\x01") };
	struct span rsa = buf_span(&all[0].spki), ec = buf_span(&all[1].spki);
	struct span ed = buf_span(&all[4].spki);

	(void)state;
	/* above the modulus; a byte short */
	assert_false(signature_fits(rsa, KEY_RSA, span_of(high, 256)));
	assert_false(signature_fits(
	    rsa, KEY_RSA, span_of(all[0].real.data, all[0].real.len - 1)));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(signature_fits(ec, KEY_EC, bad[i]));
	assert_true(signature_fits(
	    ec, KEY_EC, DER_BYTES("\x30\x06\x02\x01\x01\x02\x01\x01")));
	memcpy(all[4].real.data + 60, "\xff\xff\xff\xff", 4);
	assert_false(signature_fits(ed, KEY_EDDSA, buf_span(&all[4].real)));
}

/* However it is written; another exponent is another key. */
static void
same_keys(void **state)
{
	struct span rsa = buf_span(&all[0].spki);
	struct buf other = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < ALL; i++)
		for (size_t k = 0; k < ALL; k++)
			assert_int_equal(pubkey_same(buf_span(&all[i].spki),
					     buf_span(&all[k].spki)),
			    i == k);
	assert_true(buf_add(&other, rsa.p, rsa.len));
	other.data[other.len - 1] = 3; /* 65537 becomes 65539 */
	assert_false(pubkey_same(rsa, buf_span(&other)));
	other.data[other.len - 1] = 1;
	assert_true(pubkey_same(rsa, buf_span(&other)));
	/* without the NULL behind rsaEncryption */
	memmove(other.data + 17, other.data + 19, other.len - 19);
	other.len -= 2;
	other.data[3] = (uint8_t)(other.data[3] - 2);
	other.data[5] = (uint8_t)(other.data[5] - 2);
	assert_true(pubkey_same(rsa, buf_span(&other)));
	buf_release(&other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fits_its_key),
		cmocka_unit_test(fits_no_other),
		cmocka_unit_test(same_keys),
		cmocka_unit_test(fits_not),
	};

	return cmocka_run_group_tests_name("decoy", tests, setup, teardown);
}
