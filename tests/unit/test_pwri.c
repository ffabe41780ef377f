/*
 * PasswordRecipientInfo: our half against RFC 3211's own examples and
 * against OpenSSL's CMS, limits, damage, and who it is that has a secret.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/log.h"
#include "ca/der.h"
#include "message/alg.h"
#include "message/envelope.h"
#include "tests/unit/cms.h"

#define SECRET "7KQ2M4X-PB3WN5Z-9TRH6CV-A8DJ4FG"

static struct house house;
static struct actor device, ec;
static struct buf csr, ec_csr;

/* Who has a recoverable secret; counts how often it was asked for. */
static unsigned asked;
static const char *secret_there = SECRET;
static enum err trouble;

static enum err
find(void *arg, const struct secret_question *q, struct buf *secret,
    struct secret_answer *out)
{
	struct buf name = BUF_INIT;
	bool known;

	asked++;
	assert_ptr_equal(arg, &house);
	assert_true(q->txid.len > 0 && q->key != NULL);
	assert_int_equal(dn_value(q->subject, "CN", &name), OK);
	known = strcmp(buf_cstr(&name), "router1") == 0;
	buf_release(&name);
	if (trouble != OK || !known)
		return trouble != OK ? trouble : ERR_NOTFOUND;
	assert_true(buf_str(secret, secret_there));
	*out = (struct secret_answer){ &house.ca, &house.gen };
	return OK;
}

static const struct secret_source source = { &house, find };
static const struct message_policy with = { .sha1 = true,
	.des3 = true,
	.samekey = true,
	.secrets = &source };
static const struct message_policy no_des3 = { .samekey = true,
	.secrets = &source };
static const struct message_policy without = { .sha1 = true,
	.des3 = true,
	.samekey = true };

static int
setup(void **state)
{
	(void)state;
	house_new(&house, "CN=Management CA,O=Lab");
	actor_new(&device, 2048, "router1", 4711);
	csr_make(device.key, EVP_sha256(), "secret", MBSTRING_UTF8, &csr);
	actor_make(&ec, EVP_EC_gen("P-256"), "router1", 1);
	actor_sign(&ec);
	csr_make(ec.key, EVP_sha256(), SECRET, MBSTRING_UTF8, &ec_csr);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	house_free(&house);
	actor_free(&device);
	actor_free(&ec);
	buf_release(&csr);
	buf_release(&ec_csr);
	return 0;
}

static int
fresh(void **state)
{
	(void)state;
	asked = 0;
	trouble = OK;
	secret_there = SECRET;
	return 0;
}

/* C-94: RFC 3211 3.1 and 3.2, its examples from password to content key. */
static void
rfc_3211(void **state)
{
	static const char n_entities[] =
	    "All n-entities must communicate with other n-entities via n-1 "
	    "entiteeheehees";
	static const char key2[] =
	    "\x8c\x63\x7d\x88\x72\x23\xa2\xf9\x65\xb5\x66\xeb\x01\x4b\x0f\xa5"
	    "\xd5\x23\x00\xa3\xf7\xea\x40\xff\xfc\x57\x72\x03\xc7\x1b\xaf\x3b";
	struct pwri one = { DER_BYTES("\x12\x34\x56\x78\x78\x56\x34\x12"), 5,
		DIGEST_SHA1, CIPHER_DES,
		DER_BYTES("\xef\xe5\x98\xef\x21\xb3\x3d\x6d"),
		DER_BYTES("\xb8\x1b\x25\x65\xee\x37\x3c\xa6"
			  "\xde\xdc\xa2\x6a\x17\x8b\x0c\x10") };
	struct pwri two = { DER_BYTES("\x12\x34\x56\x78\x78\x56\x34\x12"), 500,
		DIGEST_SHA1, CIPHER_DES3,
		DER_BYTES("\xba\xf1\xca\x79\x31\x21\x3c\x4e"),
		DER_BYTES("\xc0\x3c\x51\x4a\xbd\xb9\xe2\xc5"
			  "\xaa\xc0\x38\x57\x2b\x5e\x24\x55"
			  "\x38\x76\xb3\x77\xaa\xfb\x82\xec"
			  "\xa5\xa9\xd7\x3f\x8a\xb1\x43\xd9"
			  "\xec\x74\xe6\xca\xd7\xdb\x26\x0c") };
	uint8_t key[32];

	(void)state;
	assert_int_equal(pwri_unwrap(&one, span_of("password", 8), 8, key), OK);
	assert_memory_equal(key, "\x8c\x62\x7c\x89\x73\x23\xa2\xf8", 8);
	assert_int_equal(
	    pwri_unwrap(&two, span_of(n_entities, strlen(n_entities)), 32, key),
	    OK);
	assert_memory_equal(key, key2, 32);
	/* a wrong secret gives a key too, always the same, and not this one */
	assert_int_equal(pwri_unwrap(&one, span_of("Password", 8), 8, key), OK);
	assert_true(memcmp(key, "\x8c\x62\x7c\x89\x73\x23\xa2\xf8", 8) != 0);
}

/* C-94: what is wrapped comes back, and after any change another key does. */
static void
round_trip(void **state)
{
	static const enum cipher keks[] = { CIPHER_AES128, CIPHER_AES192,
		CIPHER_AES256, CIPHER_DES3 };
	struct span secret = span_of("s", 1), body;
	uint8_t key[32], back[32], again[32];

	(void)state;
	memset(key, 0x3c, sizeof(key));
	for (size_t i = 0; i < 4; i++) {
		size_t len = cipher_of(keks[i])->key;
		struct buf out = BUF_INIT;
		struct pwri in;
		const char *why = NULL;

		assert_int_equal(
		    pwri_wrap(keks[i], secret, key, len, &out), OK);
		assert_true(der_one(buf_span(&out), DER_NESTED + 3, &body));
		assert_true(pwri_read(body, &in, &why));
		assert_int_equal(in.kek, keks[i]);
		assert_int_equal(in.iterations, SEND_PBKDF2);
		in.iterations = SEND_PBKDF2;
		assert_int_equal(pwri_unwrap(&in, secret, len, back), OK);
		assert_memory_equal(key, back, len);
		for (size_t at = 0; at < in.wrapped.len && i == 0; at += 5) {
			uint8_t *p = out.data + (in.wrapped.p - out.data) + at;

			*p ^= 1;
			assert_int_equal(
			    pwri_unwrap(&in, secret, len, back), OK);
			assert_int_equal(
			    pwri_unwrap(&in, secret, len, again), OK);
			assert_true(memcmp(key, back, len) != 0);
			assert_memory_equal(back, again, len);
			*p ^= 1;
		}
		/* a content key of another length than the cipher's (C-168) */
		assert_int_equal(pwri_unwrap(&in, secret, 8, back), OK);
		assert_true(memcmp(key, back, 8) != 0);
		buf_release(&out);
	}
}

/* An envelope under a password, by OpenSSL. */
static void
password_envelope(const EVP_CIPHER *cipher, int iterations, const char *secret,
    struct span content, struct buf *out)
{
	BIO *in = BIO_new_mem_buf(content.p, (int)content.len);
	CMS_ContentInfo *cms =
	    CMS_encrypt(NULL, NULL, cipher, CMS_BINARY | CMS_PARTIAL);
	unsigned char *pass = (unsigned char *)OPENSSL_strdup(secret);

	assert_non_null(CMS_add0_recipient_password(
	    cms, iterations, NID_undef, NID_undef, pass, -1, NULL));
	assert_true(CMS_final(cms, in, NULL, CMS_BINARY));
	envelope_out(cms, in, false, out);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
}

static const char *
opened(const struct message_policy *policy, const struct buf *env,
    const struct actor *by, const char *type, struct pkimsg *msg)
{
	struct recipe r = { .type = type };
	struct buf der = BUF_INIT;

	message_make(&r, by, buf_span(env), &der);
	assert_int_equal(
	    message_open(house.list, 1, policy, buf_span(&der), msg), OK);
	buf_release(&der);
	return msg->reason ? msg->reason : "";
}

/* C-92, both directions of 2 x 2, and every cipher. */
static void
requests(void **state)
{
	const EVP_CIPHER *ciphers[] = { EVP_aes_128_cbc(), EVP_aes_192_cbc(),
		EVP_aes_256_cbc(), EVP_des_ede3_cbc() };
	struct buf env = BUF_INIT;
	struct pkimsg msg;

	(void)state;
	for (int i = 0; i < 8; i++) {
		const struct actor *by = i < 4 ? &device : &ec;
		const struct buf *own = i < 4 ? &csr : &ec_csr;

		password_envelope(
		    ciphers[i % 4], -1, SECRET, buf_span(own), &env);
		assert_string_equal(opened(&with, &env, by, "19", &msg), "");
		assert_ptr_equal(msg.ca, &house.ca);
		assert_ptr_equal(msg.by, &house.gen);
		assert_int_equal((int)msg.cipher, i % 4);
		assert_true(span_eq(buf_span(&msg.csr.der), buf_span(own)));
		pkimsg_release(&msg);
		assert_int_equal(asked, i + 1);
	}
	(void)opened(&no_des3, &env, &ec, "19", &msg);
	assert_int_equal(msg.fail, FAIL_BADALG);
	pkimsg_release(&msg);
	buf_release(&env);
}

/*
 * C-95, C-168: a stranger, a wrong secret and a broken content get one
 * answer; where no secret can be there, nothing is asked for at all.
 */
static void
uniform(void **state)
{
	static const char *reason;
	struct actor stranger;
	struct buf env = BUF_INIT;
	struct pkimsg msg;

	(void)state;
	EVP_PKEY_up_ref(device.key);
	actor_make(&stranger, device.key, "router2", 1);
	actor_sign(&stranger);
	password_envelope(EVP_aes_128_cbc(), -1, SECRET, buf_span(&csr), &env);
	reason = opened(&with, &env, &stranger, "19", &msg);
	assert_int_equal(msg.fail, FAIL_BADALG);
	assert_null(msg.ca);
	pkimsg_release(&msg);
	/* a password that is empty opens nobody's */
	password_envelope(EVP_aes_128_cbc(), -1, "", buf_span(&csr), &env);
	assert_ptr_equal(opened(&with, &env, &stranger, "19", &msg), reason);
	assert_int_equal(msg.fail, FAIL_BADALG);
	pkimsg_release(&msg);
	password_envelope(EVP_aes_128_cbc(), -1, "wrong", buf_span(&csr), &env);
	assert_ptr_equal(opened(&with, &env, &device, "19", &msg), reason);
	assert_int_equal(msg.fail, FAIL_BADALG);
	assert_null(msg.ca);
	assert_null(msg.by);
	pkimsg_release(&msg);
	password_envelope(
	    EVP_aes_128_cbc(), -1, SECRET, span_of("no request", 10), &env);
	assert_ptr_equal(opened(&with, &env, &device, "19", &msg), reason);
	pkimsg_release(&msg);
	env.data[env.len - 20] ^= 1;
	assert_ptr_equal(opened(&with, &env, &device, "19", &msg), reason);
	pkimsg_release(&msg);
	asked = 0;
	assert_ptr_not_equal(
	    opened(&without, &env, &device, "19", &msg), reason);
	assert_int_equal(msg.fail, FAIL_BADALG);
	pkimsg_release(&msg);
	trouble = ERR_REFUSED;
	assert_ptr_not_equal(opened(&with, &env, &device, "19", &msg), reason);
	assert_int_equal(msg.fail, FAIL_BADALG);
	pkimsg_release(&msg);
	buf_release(&env);
	actor_free(&stranger);
}

/* Our own trouble with the secret is no refusal. */
static void
no_verdict(void **state)
{
	struct recipe r = { .type = NULL };
	struct buf env = BUF_INIT, der = BUF_INIT;
	struct pkimsg msg;

	(void)state;
	trouble = ERR_SYSTEM;
	password_envelope(EVP_aes_128_cbc(), -1, SECRET, buf_span(&csr), &env);
	message_make(&r, &device, buf_span(&env), &der);
	assert_int_equal(
	    message_open(house.list, 1, &with, buf_span(&der), &msg),
	    ERR_SYSTEM);
	pkimsg_release(&msg);
	buf_release(&env);
	buf_release(&der);
}

/*
 * C-99, C-168: what asks for something that may not be there never comes
 * under a password, whether that is the right one or not: the answer would
 * tell.
 */
static void
questions(void **state)
{
	static const char *const type[] = { "20", "21", "22" };
	static const char *const secret[] = { SECRET, "wrong" };
	struct buf env = BUF_INIT;
	struct pkimsg msg;

	(void)state;
	for (int i = 0; i < 6; i++) {
		password_envelope(EVP_aes_128_cbc(), -1, secret[i % 2],
		    DER_BYTES("\x30\x04\x30\x00\x30\x00"), &env);
		assert_string_equal(
		    opened(&with, &env, &device, type[i / 2], &msg),
		    "this message cannot come under a password");
		assert_int_equal(msg.fail, FAIL_BADALG);
		assert_null(msg.ca);
		pkimsg_release(&msg);
	}
	buf_release(&env);
}

/* C-93, C-177: too few and too many iterations, before one is computed. */
static void
limits(void **state)
{
	static const struct {
		int n;
		enum failinfo fail;
	} t[] = {
		{ 1, FAIL_BADALG },
		{ MIN_PBKDF2 - 1, FAIL_BADALG },
		{ MIN_PBKDF2, FAIL_NONE },
		{ MAX_PBKDF2, FAIL_NONE },
	};
	struct buf env = BUF_INIT;
	struct pkimsg msg;
	uint8_t *p = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		password_envelope(
		    EVP_aes_128_cbc(), t[i].n, SECRET, buf_span(&csr), &env);
		(void)opened(&with, &env, &device, "19", &msg);
		assert_int_equal(msg.fail, t[i].fail);
		pkimsg_release(&msg);
	}
	/* the count is the INTEGER of three bytes: 03 0d 40 */
	for (size_t i = 0; i + 5 < env.len && p == NULL; i++)
		if (memcmp(env.data + i, "\x02\x03\x03\x0d\x40", 5) == 0)
			p = env.data + i + 2;
	assert_non_null(p);
	for (int i = 0; i < 4; i++) {
		static const char *const n[] = { "\x03\x0d\x41", "\x0f\x42\x40",
			"\x7f\xff\xff", "\xff\xff\xff" };

		asked = 0;
		memcpy(p, n[i], 3);
		assert_non_null(strstr(
		    opened(&with, &env, &device, "19", &msg), "iteration"));
		assert_int_equal(msg.fail, FAIL_BADALG);
		assert_int_equal(asked, 0);
		pkimsg_release(&msg);
	}
	buf_release(&env);
}

/* Every byte of a PasswordRecipientInfo changed: never a crash. */
static void
damage(void **state)
{
	struct span secret = span_of(SECRET, strlen(SECRET)), body;
	uint8_t key[32] = { 1 };
	struct buf out = BUF_INIT;
	const char *why;
	struct pwri in;
	size_t good = 0;

	(void)state;
	assert_int_equal(pwri_wrap(CIPHER_AES256, secret, key, 32, &out), OK);
	for (size_t i = 0; i < out.len; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			out.data[i] ^= (uint8_t)(1U << bit);
			if (der_one(buf_span(&out), DER_NESTED + 3, &body) &&
			    pwri_read(body, &in, &why)) {
				assert_true(in.iterations <= MAX_PBKDF2);
				assert_true(in.wrapped.len <= MAX_WRAPPED);
				good++;
			}
			out.data[i] ^= (uint8_t)(1U << bit);
		}
	assert_true(good > 0);
	for (size_t i = 0; i < out.len; i++)
		assert_false(pwri_read(span_of(out.data, i), &in, &why));
	buf_release(&out);
}

/* The reply to a signer that cannot be encrypted to, read by OpenSSL. */
static void
replies(void **state)
{
	struct recipe r = { .cipher = EVP_aes_256_cbc() };
	struct span cert = buf_span(&house.gen.cert);
	struct certrep rep = { .status = PKI_SUCCESS,
		.fail = FAIL_NONE,
		.certs = &cert,
		.ncerts = 1,
		.gen = &house.gen };
	struct buf der = BUF_INIT, out = BUF_INIT;
	struct pkimsg msg;

	(void)state;
	pkcsreq_make(&r, &house, &ec, buf_span(&ec_csr), &der);
	assert_int_equal(
	    message_open(house.list, 1, &with, buf_span(&der), &msg), OK);
	assert_int_equal(msg.fail, FAIL_NONE);
	assert_int_equal(message_seal(&msg, &rep, &out), OK);
	for (int i = 0; i < 2; i++) {
		const uint8_t *p = out.data;
		CMS_ContentInfo *cms =
		    d2i_CMS_ContentInfo(NULL, &p, (long)out.len);
		BIO *content = BIO_new(BIO_s_mem()), *in, *plain;
		unsigned char pass[] = SECRET;
		CMS_ContentInfo *env;
		STACK_OF(CMS_RecipientInfo) * to;

		assert_int_equal(CMS_verify(cms, NULL, NULL, NULL, content,
				     CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY),
		    1);
		in = content;
		env = d2i_CMS_bio(in, NULL);
		assert_non_null(env);
		to = CMS_get0_RecipientInfos(env);
		assert_int_equal(sk_CMS_RecipientInfo_num(to), 1);
		assert_int_equal(
		    CMS_RecipientInfo_type(sk_CMS_RecipientInfo_value(to, 0)),
		    CMS_RECIPINFO_PASS);
		pass[0] ^= (unsigned char)i; /* and not with another */
		plain = BIO_new(BIO_s_mem());
		assert_int_equal(CMS_decrypt_set1_password(
				     env, pass, sizeof(pass) - 1) == 1 &&
				     CMS_decrypt(env, NULL, NULL, NULL, plain,
					 CMS_BINARY) == 1,
		    i == 0);
		assert_true(i == 1 || BIO_pending(plain) > (long)cert.len);
		BIO_free(plain);
		BIO_free(content);
		CMS_ContentInfo_free(env);
		CMS_ContentInfo_free(cms);
	}
	pkimsg_release(&msg);
	buf_release(&der);
	buf_release(&out);
}

static void
quiet(const char *line, void *arg)
{
	(void)line;
	(void)arg;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc_3211),
		cmocka_unit_test(round_trip),
		cmocka_unit_test_setup(requests, fresh),
		cmocka_unit_test_setup(uniform, fresh),
		cmocka_unit_test_setup(no_verdict, fresh),
		cmocka_unit_test_setup(questions, fresh),
		cmocka_unit_test_setup(limits, fresh),
		cmocka_unit_test(damage),
		cmocka_unit_test_setup(replies, fresh),
	};

	log_sink(quiet, NULL);
	return cmocka_run_group_tests_name(
	    "password recipients", tests, setup, teardown);
}
