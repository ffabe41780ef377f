/*
 * Messages that must open, and the uniform refusal of what is wrong behind
 * the envelope.  All else that must not open: test_message_bad.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/cms.h"

static struct house house;
static struct actor device, ra;
static struct buf csr; /* the device's PKCS#10, challenge "secret" */
static const struct message_policy all = { true, true, true };

static int
setup(void **state)
{
	(void)state;
	house_new(&house, "CN=Management CA,O=Lab");
	actor_new(&device, 2048, "router1", 4711);
	actor_new(&ra, 2048, "somebody else", 4712);
	csr_make(device.key, EVP_sha256(), "secret", MBSTRING_UTF8, &csr);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	house_free(&house);
	actor_free(&device);
	actor_free(&ra);
	buf_release(&csr);
	return 0;
}

static enum err
open_it(const struct buf *der, struct pkimsg *msg)
{
	return message_open(house.list, 1, &all, buf_span(der), msg);
}

/* The message is the device's request, whole. */
static void
is_request(const struct pkimsg *msg)
{
	struct span cn = span_of("router1", 7);

	assert_string_equal(msg->reason ? msg->reason : "", "");
	assert_int_equal(msg->fail, FAIL_NONE);
	assert_int_equal(msg->type, MSG_PKCSREQ);
	assert_string_equal(buf_cstr(&msg->txid), CMS_TXID);
	assert_int_equal(msg->txid_tag, V_ASN1_PRINTABLESTRING);
	assert_string_equal(buf_cstr(&msg->nonce), CMS_NONCE);
	assert_ptr_equal(msg->ca, &house.ca);
	assert_ptr_equal(msg->gen, &house.gen);
	assert_true(msg->self_signed);
	assert_true(span_eq(msg->signer_serial, span_of("\x12\x67", 2)));
	assert_true(span_eq(buf_span(&msg->csr.der), buf_span(&csr)));
	assert_string_equal(buf_cstr(&msg->csr.challenge), "secret");
	assert_true(msg->csr.challenge.secret && msg->csr.der.secret);
	assert_true(msg->csr.subject.len > cn.len);
	assert_true(span_eq(msg->csr.spki, msg->signer_spki));
}

static void
every_algorithm(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * CMS_KINDS; i++) {
		const struct cms_kind *k = &cms_kinds[i / 2];
		struct recipe r = recipe_of(k);
		struct buf der = BUF_INIT;
		struct pkimsg msg;

		r.stream = i % 2 == 1;
		pkcsreq_make(&r, &house, &device, buf_span(&csr), &der);
		assert_int_equal(open_it(&der, &msg), OK);
		is_request(&msg);
		assert_int_equal(msg.cipher, k->cipher_id);
		assert_int_equal(msg.transport, k->transport);
		pkimsg_release(&msg);
		buf_release(&der);
	}
}

static void
key_identifiers(void **state)
{
	struct recipe r = { .keyid = true };
	struct buf der = BUF_INIT;
	struct pkimsg msg;

	(void)state;
	pkcsreq_make(&r, &house, &device, buf_span(&csr), &der);
	assert_int_equal(open_it(&der, &msg), OK);
	is_request(&msg);
	pkimsg_release(&msg);
	buf_release(&der);
}

/* C-49: with another certificate in front, behind, and of the same name. */
static void
signer_by_sid(void **state)
{
	struct actor twin;
	X509 *extra[2];

	(void)state;
	actor_new(&twin, 2048, "router1", 1);
	extra[0] = ra.cert;
	extra[1] = twin.cert;
	for (size_t i = 0; i < 2; i++) {
		struct recipe r = { .extra = extra[i] };
		struct buf der = BUF_INIT;
		struct pkimsg msg;

		pkcsreq_make(&r, &house, &device, buf_span(&csr), &der);
		assert_int_equal(open_it(&der, &msg), OK);
		is_request(&msg);
		pkimsg_release(&msg);
		buf_release(&der);
	}
	actor_free(&twin);
}

/* C-76: an expired v1 certificate with a serial of 32 text bytes. */
static void
odd_signer(void **state)
{
	static const char serial[] = "4567890123456789012345678901234\x81";
	struct actor odd;
	struct recipe r = { .type = NULL };
	struct buf der = BUF_INIT;
	struct pkimsg msg;
	BIGNUM *n = BN_bin2bn((const uint8_t *)serial, 32, NULL);

	(void)state;
	EVP_PKEY_up_ref(device.key);
	actor_make(&odd, device.key, "odd", 1);
	X509_set_version(odd.cert, X509_VERSION_1);
	BN_to_ASN1_INTEGER(n, X509_get_serialNumber(odd.cert));
	X509_gmtime_adj(X509_getm_notAfter(odd.cert), -86400);
	assert_true(X509_sign(odd.cert, odd.key, EVP_md5()) > 0);
	pkcsreq_make(&r, &house, &odd, buf_span(&csr), &der);
	assert_int_equal(open_it(&der, &msg), OK);
	assert_int_equal(msg.fail, FAIL_NONE);
	assert_true(span_eq(msg.signer_serial, span_of(serial, 32)));
	pkimsg_release(&msg);
	buf_release(&der);
	BN_free(n);
	actor_free(&odd);
}

/* Types that are not PKCSReq are verified, and nothing is decrypted. */
static void
other_types(void **state)
{
	static const struct {
		const char *text;
		long type;
		enum failinfo fail;
	} t[] = {
		{ "17", 17, FAIL_NONE },
		{ "20", 20, FAIL_NONE },
		{ "22", 22, FAIL_BADREQUEST }, /* of a CSR */
		{ "18", 18, FAIL_NONE },
		{ "4242", 4242, FAIL_NONE },
		{ "0", 0, FAIL_NONE },
		{ "3", 3, FAIL_BADREQUEST },
		{ "019", -1, FAIL_BADREQUEST },
		{ "+19", -1, FAIL_BADREQUEST },
		{ " 19", -1, FAIL_BADREQUEST },
		{ "19 ", -1, FAIL_BADREQUEST },
		{ "9999999999", -1, FAIL_BADREQUEST },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct recipe r = { .type = t[i].text };
		struct buf der = BUF_INIT;
		struct pkimsg msg;

		pkcsreq_make(
		    &r, &house, &device, span_of("no request", 10), &der);
		assert_int_equal(open_it(&der, &msg), OK);
		assert_int_equal(msg.type, t[i].type);
		assert_int_equal(msg.fail, t[i].fail);
		assert_int_equal(msg.csr.der.len, 0);
		assert_ptr_equal(msg.ca, &house.ca);
		pkimsg_release(&msg);
		buf_release(&der);
	}
}

static void
names(void **state)
{
	(void)state;
	assert_string_equal(message_type_name(19), "PKCSReq");
	assert_string_equal(message_type_name(-1), "unknown");
	assert_string_equal(message_type_name(18), "unknown");
	assert_string_equal(failinfo_name(FAIL_BADCERTID), "badCertId");
	assert_string_equal(failinfo_name(FAIL_NONE), "none");
	assert_string_equal(digest_name(DIGEST_SHA384), "SHA-384");
	assert_string_equal(cipher_name(CIPHER_DES3), "DES-EDE3-CBC");
}

/*
 * Counts signature checks: OpenSSL's own function, put together from its
 * halves, in its place.
 */
static unsigned checks;

int
EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *sig, size_t siglen,
    const unsigned char *data, size_t len)
{
	checks++;
	if (EVP_DigestVerifyUpdate(ctx, data, len) != 1)
		return -1;
	return EVP_DigestVerifyFinal(ctx, sig, siglen);
}

/* Opens what an attacker signed himself; it must be refused like all. */
static void
is_uniform(const struct buf *content)
{
	static const char *text; /* of the first refusal */
	struct recipe r = { .type = NULL };
	struct buf der = BUF_INIT;
	struct pkimsg msg;

	message_make(&r, &device, buf_span(content), &der);
	checks = 0;
	assert_int_equal(open_it(&der, &msg), OK);
	assert_int_equal(msg.fail, FAIL_BADREQUEST);
	assert_int_equal(checks, 2); /* the message's, and one more */
	assert_int_equal(msg.csr.der.len, 0);
	assert_int_equal(msg.csr.challenge.len, 0);
	assert_int_equal(msg.csr.subject.len, 0);
	assert_true(text == NULL || strcmp(text, msg.reason) == 0);
	text = msg.reason;
	pkimsg_release(&msg);
	buf_release(&der);
}

/* C-168: bits of the content key's block and of the ciphertext (C-170). */
static void
uniform_flips(void **state)
{
	struct recipe r = { .type = NULL };
	struct buf env = BUF_INIT;
	size_t at = 0, body = 0;

	(void)state;
	envelope_make(&r, house.cert, buf_span(&csr), &env);
	/* the OCTET STRING of 256 bytes, and the [0] of the content */
	for (size_t i = 0; i + 4 < env.len; i++) {
		if (at == 0 && memcmp(env.data + i, "\x04\x82\x01\x00", 4) == 0)
			at = i + 4;
		if (at != 0 && i > at + 256 && body == 0 &&
		    memcmp(env.data + i, "\x80\x82", 2) == 0)
			body = i + 4;
	}
	assert_true(at > 0 && body > 0);
	for (size_t i = at + 1; i < at + 256; i += 51) {
		env.data[i] ^= 1;
		is_uniform(&env);
		env.data[i] ^= 1;
	}
	for (size_t i = body; i < env.len; i += 16) {
		env.data[i] ^= 1;
		is_uniform(&env);
		env.data[i] ^= 1;
	}
	for (size_t i = env.len - 17; i > env.len - 33; i--) {
		env.data[i] ^= 0x80; /* the padding alone */
		is_uniform(&env);
		env.data[i] ^= 0x80;
	}
	buf_release(&env);
}

/* The same refusal for contents that are wrong, rightly enveloped. */
static void
uniform_contents(void **state)
{
	struct buf bad[5] = { BUF_INIT, BUF_INIT, BUF_INIT, BUF_INIT,
		BUF_INIT };
	EVP_PKEY *odd = EVP_EC_gen("secp256k1");

	(void)state;
	assert_true(buf_str(&bad[0], "x"));
	assert_true(buf_add(&bad[1], csr.data, csr.len));
	bad[1].data[csr.len - 1] ^= 1; /* its signature */
	assert_true(buf_add(&bad[2], csr.data, csr.len));
	assert_true(buf_byte(&bad[2], '\n')); /* something behind */
	assert_true(buf_add(&bad[3], csr.data, csr.len - 1));
	csr_make(odd, EVP_sha256(), "secret", MBSTRING_UTF8, &bad[4]);
	for (size_t i = 0; i < 5; i++) {
		struct recipe r = { .type = NULL };
		struct buf env = BUF_INIT;

		envelope_make(&r, house.cert, buf_span(&bad[i]), &env);
		is_uniform(&env);
		buf_release(&env);
		buf_release(&bad[i]);
	}
	EVP_PKEY_free(odd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_algorithm),
		cmocka_unit_test(key_identifiers),
		cmocka_unit_test(signer_by_sid),
		cmocka_unit_test(odd_signer),
		cmocka_unit_test(other_types),
		cmocka_unit_test(names),
		cmocka_unit_test(uniform_flips),
		cmocka_unit_test(uniform_contents),
	};

	return cmocka_run_group_tests_name("message", tests, setup, teardown);
}
