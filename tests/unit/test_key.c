/* The door to private keys: uniform unwrapping, what is read and made. */
#include "tests/unit/keys.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include "base/names.h"
#include "ca/passphrase.h"
#include "ca/pubkey.h"
#include "tests/unit/cli.h"

/* OpenSSL wraps; pad as RSA_*_PADDING. */
static void
wrap(int pad, const char *md, const void *in, size_t len, uint8_t out[256])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pub, NULL);
	size_t n = 256;

	assert_int_equal(EVP_PKEY_encrypt_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, pad), 1);
	if (md != NULL) {
		assert_int_equal(
		    EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, md, NULL), 1);
		assert_int_equal(
		    EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, md, NULL), 1);
	}
	assert_int_equal(EVP_PKEY_encrypt(ctx, out, &n, in, len), 1);
	assert_int_equal(n, 256);
	EVP_PKEY_CTX_free(ctx);
}

static const struct {
	enum transport how;
	int pad;
	const char *md;
} schemes[] = {
	{ TRANSPORT_V15, RSA_PKCS1_PADDING, NULL },
	{ TRANSPORT_OAEP_SHA1, RSA_PKCS1_OAEP_PADDING, "SHA1" },
	{ TRANSPORT_OAEP_SHA256, RSA_PKCS1_OAEP_PADDING, "SHA256" },
};
static const size_t lengths[] = { 16, 24, 32 };
static const uint8_t content[32] = "0123456789abcdefghijklmnopqrstu";

/* What comes out of a block: the content key, or the pseudo-random one. */
static bool
unwraps(enum transport how, struct span block, size_t len, uint8_t out[32])
{
	memset(out, 0xee, 32);
	assert_int_equal(key_unwrap(rsa, how, block, len, out), OK);
	for (size_t i = len; i < 32; i++)
		assert_int_equal(out[i], 0xee);
	return memcmp(out, content, len) == 0;
}

/* C-84: v1.5, and OAEP with SHA-1 and SHA-256. */
static void
test_unwrap(void **state)
{
	uint8_t block[256], out[32];

	(void)state;
	for (size_t s = 0; s < 3; s++)
		for (size_t l = 0; l < 3; l++) {
			wrap(schemes[s].pad, schemes[s].md, content, lengths[l],
			    block);
			assert_true(unwraps(schemes[s].how, span_of(block, 256),
			    lengths[l], out));
		}
}

/* The same block always gives the same key, in every process (C-168). */
static void
test_replacement(void **state)
{
	uint8_t block[256], one[32], two[32], three[32];
	struct key *again = NULL;

	(void)state;
	wrap(RSA_PKCS1_PADDING, NULL, content, 16, block);
	block[17] ^= 4;
	assert_false(unwraps(TRANSPORT_V15, span_of(block, 256), 16, one));
	assert_int_equal(
	    key_read("t", buf_span(&pem_rsa), span_of("", 0), &again), OK);
	assert_int_equal(
	    key_unwrap(again, TRANSPORT_V15, span_of(block, 256), 16, two), OK);
	assert_memory_equal(one, two, 16);
	key_close(again);
	/* another block, another key */
	block[17] ^= 8;
	assert_false(unwraps(TRANSPORT_V15, span_of(block, 256), 16, three));
	assert_memory_not_equal(one, three, 16);
	assert_int_equal(
	    key_unwrap(ec, TRANSPORT_V15, span_of(block, 256), 16, two), OK);
	assert_memory_not_equal(two, three, 16);
	/* a longer key begins with the shorter one: cut, not hashed anew */
	assert_false(unwraps(TRANSPORT_V15, span_of(block, 256), 32, one));
	assert_memory_equal(one, three, 16);
}

/* A content key of another length than asked is as bad as any. */
static void
test_wrong_length(void **state)
{
	uint8_t block[256], out[32];

	(void)state;
	for (size_t s = 0; s < 3; s++)
		for (size_t len = 0; len <= 33; len++) {
			uint8_t in[33] = { 0 };

			memcpy(in, content, 32);
			wrap(schemes[s].pad, schemes[s].md, in, len, block);
			for (size_t l = 0; l < 3; l++)
				assert_int_equal(
				    unwraps(schemes[s].how, span_of(block, 256),
					lengths[l], out),
				    len == lengths[l]);
		}
}

/* Encoded messages made by hand: what each rule of RFC 8017 refuses. */
static const struct {
	const char *what;
	size_t at;
	uint8_t value;
	bool good;
} v15[] = {
	{ "as it should be", 2, 0x55, true },
	{ "first byte 1", 0, 0x01, false },
	{ "block type 0", 1, 0x00, false },
	{ "block type 1", 1, 0x01, false },
	{ "block type 3", 1, 0x03, false },
	{ "zero at the start of the padding", 2, 0, false },
	{ "zero as eighth byte of the padding", 9, 0, false },
	{ "zero as ninth byte: a longer message", 10, 0, false },
	{ "zero at the end of the padding", 256 - 18, 0, false },
	{ "no zero before the message", 256 - 17, 1, false },
	{ "0x80 before the message", 256 - 17, 0x80, false },
	{ "high bytes in the padding", 100, 0xff, true },
};

static void
test_v15_bytes(void **state)
{
	uint8_t em[256], block[256], out[32];

	(void)state;
	for (size_t i = 0; i < sizeof(v15) / sizeof(*v15); i++) {
		memset(em, 0x55, sizeof(em));
		em[0] = 0;
		em[1] = 2;
		em[256 - 17] = 0;
		memcpy(em + 240, content, 16);
		em[v15[i].at] = v15[i].value;
		wrap(RSA_NO_PADDING, NULL, em, 256, block);
		if (unwraps(TRANSPORT_V15, span_of(block, 256), 16, out) !=
		    v15[i].good)
			fail_msg("%s", v15[i].what);
	}
}

/* OAEP block: masks over a given DB, seed of zeros. */
static void
mask(const EVP_MD *md, const uint8_t *seed, size_t nseed, uint8_t *on, size_t n)
{
	uint8_t in[300], hash[64];
	unsigned h = 0;

	for (size_t i = 0; i < n; i++) {
		if (h == 0 || i % h == 0) {
			memcpy(in, seed, nseed);
			memset(in + nseed, 0, 4);
			in[nseed + 3] = h ? (uint8_t)(i / h) : 0;
			assert_int_equal(
			    EVP_Digest(in, nseed + 4, hash, &h, md, NULL), 1);
		}
		on[i] ^= hash[i % h];
	}
}

static const struct {
	const char *what;
	size_t at; /* in 00 seed DB, before masking */
	uint8_t value;
	bool good;
} oaep[] = {
	{ "as it should be", 5, 0, true },
	{ "first byte 1", 0, 1, false },
	{ "label's hash", 21, 0, false },
	{ "padding not zero", 60, 1, false },
	{ "early 01", 41, 1, false },
	{ "02 before the message", 239, 2, false },
	{ "00 before the message", 239, 0, false },
};

static void
test_oaep_bytes(void **state)
{
	const EVP_MD *md = digest_md(DIGEST_SHA1);
	uint8_t em[256], block[256], out[32];

	(void)state;
	for (size_t i = 0; i < sizeof(oaep) / sizeof(*oaep); i++) {
		memset(em, 0, sizeof(em));
		assert_int_equal(EVP_Digest("", 0, em + 21, NULL, md, NULL), 1);
		em[239] = 1;
		memcpy(em + 240, content, 16);
		em[oaep[i].at] = oaep[i].value;
		mask(md, em + 1, 20, em + 21, 235);
		mask(md, em + 21, 235, em + 1, 20);
		wrap(RSA_NO_PADDING, NULL, em, 256, block);
		if (unwraps(TRANSPORT_OAEP_SHA1, span_of(block, 256), 16,
			out) != oaep[i].good)
			fail_msg("%s", oaep[i].what);
	}
}

/* Blocks that RSA cannot even take: never an error, never a fixed answer. */
static void
test_odd_blocks(void **state)
{
	uint8_t block[1024], out[32], zero[32] = { 0 };
	static const size_t len[] = { 0, 1, 8, 255, 257, 512, 1024 };
	BIGNUM *n = NULL;

	(void)state;
	memset(block, 0, sizeof(block));
	wrap(RSA_PKCS1_PADDING, NULL, content, 16, block);
	for (size_t i = 0; i < sizeof(len) / sizeof(*len); i++)
		for (size_t s = 0; s < 3; s++) {
			assert_false(unwraps(schemes[s].how,
			    span_of(len[i] ? block : NULL, len[i]), 16, out));
			assert_memory_not_equal(out, zero, 16);
		}
	/* a good block with a zero before it, or plus the modulus */
	memmove(block + 1, block, 256);
	block[0] = 0;
	assert_false(unwraps(TRANSPORT_V15, span_of(block, 257), 16, out));
	memset(block, 0xff, 256);
	assert_false(unwraps(TRANSPORT_V15, span_of(block, 256), 16, out));
	assert_int_equal(
	    EVP_PKEY_get_bn_param(pub, OSSL_PKEY_PARAM_RSA_N, &n), 1);
	assert_int_equal(BN_bn2binpad(n, block, 256), 256);
	assert_false(unwraps(TRANSPORT_V15, span_of(block, 256), 16, out));
	memset(block, 0, 256);
	assert_false(unwraps(TRANSPORT_V15, span_of(block, 256), 16, out));
	BN_free(n);
	/* our own mistakes are errors */
	assert_int_equal(
	    key_unwrap(rsa, TRANSPORT_V15, span_of(block, 256), 33, out),
	    ERR_CRYPTO);
	assert_int_equal(
	    key_unwrap(rsa, TRANSPORT__MAX, span_of(block, 256), 16, out),
	    ERR_CRYPTO);
}

static void
test_generate(void **state)
{
	static const char *const bad[] = { "", "rsa", "rsa:", "rsa:1024",
		"rsa:2047", "rsa:2049", "rsa:8200", "rsa:16384", "rsa:-2048",
		"rsa: 2048", "rsa:2048x", "ec:P-521", "ec:p256", "dsa:2048" };
	struct buf pem = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(key_generate(bad[i], &pem), ERR_INPUT);
	assert_int_equal(pem.len, 0);
	assert_true(pem_rsa.secret);
	assert_int_equal(key_type(rsa), KEY_RSA);
	assert_int_equal(key_bits(rsa), 2048);
	assert_int_equal(key_type(ec), KEY_EC);
	assert_true(key_fits(rsa, buf_span(&spki_rsa)));
	assert_false(key_fits(ec, buf_span(&spki_rsa)));
	assert_false(key_fits(rsa, span_of("\x30\x00", 2)));
	buf_release(&pem);
}

static void
test_read(void **state)
{
	struct span none = span_of("", 0);
	struct buf pem = BUF_INIT;
	struct key *key = NULL;
	EVP_PKEY *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long len;

	(void)state;
	assert_int_equal(
	    key_read("t", span_of("rubbish", 7), none, &key), ERR_INPUT);
	assert_int_equal(key_read("t", none, none, &key), ERR_INPUT);
	assert_int_equal(
	    PEM_write_bio_PrivateKey(bio, ed, NULL, NULL, 0, NULL, NULL), 1);
	len = BIO_get_mem_data(bio, &text);
	assert_int_equal(
	    key_read("t", span_of(text, (size_t)len), none, &key), ERR_REFUSED);
	/* with a passphrase: right, wrong, none (and nobody is asked) */
	(void)BIO_reset(bio);
	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(
			     bio, pub, EVP_aes_128_cbc(), "abc", 3, NULL, NULL),
	    1);
	len = BIO_get_mem_data(bio, &text);
	assert_int_equal(
	    key_read("t", span_of(text, (size_t)len), span_of("abd", 3), &key),
	    ERR_INPUT);
	assert_int_equal(
	    key_read("t", span_of(text, (size_t)len), none, &key), ERR_INPUT);
	assert_null(key);
	assert_int_equal(
	    key_read("t", span_of(text, (size_t)len), span_of("abc", 3), &key),
	    OK);
	assert_true(key_fits(key, buf_span(&spki_rsa)));
	assert_int_equal(key_pem(key, none, &pem), OK);
	assert_true(span_eq(buf_span(&pem), buf_span(&pem_rsa)));
	key_close(key);
	key_close(NULL);
	buf_release(&pem);
	BIO_free(bio);
	EVP_PKEY_free(ed);
}

static void
test_open(void **state)
{
	struct key *key = NULL;
	char path[200];
	int at = cli_tmpdir(path, sizeof(path)), fd;
	bool sealed = true;

	(void)state;
	assert_true(at >= 0);
	fd = openat(at, "key.pem", O_WRONLY | O_CREAT, 0400);
	assert_int_equal(write(fd, pem_rsa.data, pem_rsa.len), pem_rsa.len);
	(void)close(fd);
	assert_int_equal(key_load(at, "c", "key.pem", &key, &sealed), OK);
	assert_false(sealed);
	assert_true(key_fits(key, buf_span(&spki_rsa)));
	key_close(key);
	key = NULL;
	assert_int_equal(
	    key_load(at, "c", "none.pem", &key, &sealed), ERR_NOTFOUND);
	assert_null(key);
	(void)close(at);
	cli_remove(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unwrap),
		cmocka_unit_test(test_replacement),
		cmocka_unit_test(test_wrong_length),
		cmocka_unit_test(test_v15_bytes),
		cmocka_unit_test(test_oaep_bytes),
		cmocka_unit_test(test_odd_blocks),
		cmocka_unit_test(test_generate),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_open),
	};
	int failed;

	log_sink(keep_log, NULL);
	failed = cmocka_run_group_tests(tests, setup, teardown);
	buf_release(&logged);
	return failed;
}
