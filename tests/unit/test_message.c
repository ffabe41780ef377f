/*
 * Messages that must open, and the uniform refusal of what is wrong behind
 * the envelope.  All else that must not open: test_message_bad.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ca/der.h"
#include "tests/unit/cms.h"

static struct house house;
static struct actor device, ra;
static struct buf csr; /* the device's PKCS#10, challenge "secret" */
static const struct message_policy all = { .sha1 = true,
	.des3 = true,
	.samekey = true };

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

/* C-82: each also with indefinite lengths and content in pieces. */
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

/* C-48, C-83: subjectKeyIdentifier for signer and recipient. */
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

/* What RFC 8894 3.3.4 puts behind GetCert and GetCRL. */
static void
wanted_make(struct buf *out)
{
	struct buf body = BUF_INIT;

	buf_clear(out);
	assert_true(buf_add(&body, house.gen.issuer.p, house.gen.issuer.len));
	assert_true(der_put(&body, DER_INTEGER, DER_BYTES("\x12\x67")));
	assert_true(der_put(out, DER_SEQUENCE, buf_span(&body)));
	buf_release(&body);
}

enum inside { A_CSR, A_WANTED, NONSENSE };

/*
 * C-55, C-89: what stands in the envelope must be what the type says.  A
 * poll's is not looked at, nor is that of a type which nobody serves, such as
 * a RenewalReq (C-75).  A question that cannot be read is one for nothing: its
 * answer must not tell whoever signs a captured envelope again what came out
 * of it (C-168).
 */
static void
other_types(void **state)
{
	static const struct {
		const char *text;
		enum inside inside;
		long type;
		enum failinfo fail;
	} t[] = {
		{ "17", A_CSR, MSG_RENEWALREQ, FAIL_BADMESSAGECHECK },
		{ "17", A_WANTED, MSG_RENEWALREQ, FAIL_BADMESSAGECHECK },
		{ "19", A_WANTED, MSG_PKCSREQ, FAIL_BADREQUEST },
		{ "19", NONSENSE, MSG_PKCSREQ, FAIL_BADREQUEST },
		{ "20", A_WANTED, MSG_CERTPOLL, FAIL_NONE },
		{ "20", NONSENSE, MSG_CERTPOLL, FAIL_NONE },
		{ "21", A_WANTED, MSG_GETCERT, FAIL_NONE },
		{ "21", A_CSR, MSG_GETCERT, FAIL_NONE },
		{ "21", NONSENSE, MSG_GETCERT, FAIL_NONE },
		{ "22", A_WANTED, MSG_GETCRL, FAIL_NONE },
		{ "22", A_CSR, MSG_GETCRL, FAIL_NONE },
		{ "18", NONSENSE, 18, FAIL_NONE },
		{ "4242", NONSENSE, 4242, FAIL_NONE },
		{ "0", NONSENSE, 0, FAIL_NONE },
		{ "3", A_CSR, 3, FAIL_BADREQUEST },
		{ "019", A_CSR, -1, FAIL_BADREQUEST },
		{ "+19", A_CSR, -1, FAIL_BADREQUEST },
		{ " 19", A_CSR, -1, FAIL_BADREQUEST },
		{ "19 ", A_CSR, -1, FAIL_BADREQUEST },
		{ "9999999999", A_CSR, -1, FAIL_BADREQUEST },
	};
	struct buf wanted = BUF_INIT;

	(void)state;
	wanted_make(&wanted);
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct span content[] = { buf_span(&csr), buf_span(&wanted),
			span_of("no request", 10) };
		struct recipe r = { .type = t[i].text };
		bool good = t[i].fail == FAIL_NONE;
		struct buf der = BUF_INIT;
		struct pkimsg msg;

		pkcsreq_make(&r, &house, &device, content[t[i].inside], &der);
		assert_int_equal(open_it(&der, &msg), OK);
		assert_int_equal(msg.type, t[i].type);
		assert_int_equal(msg.fail, t[i].fail);
		assert_ptr_equal(msg.ca, &house.ca);
		assert_int_equal(msg.csr.der.len > 0,
		    good && t[i].inside == A_CSR && t[i].type == MSG_PKCSREQ);
		if (t[i].type == MSG_GETCERT || t[i].type == MSG_GETCRL) {
			bool is = t[i].inside == A_WANTED;

			assert_true(span_eq(msg.wanted_issuer,
			    is ? house.gen.issuer : DER_BYTES("\x30\x00")));
			assert_true(span_eq(msg.wanted_serial,
			    is ? DER_BYTES("\x12\x67") : DER_BYTES("\0")));
		}
		pkimsg_release(&msg);
		buf_release(&der);
	}
	buf_release(&wanted);
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
	assert_non_null(msg.reason);
	pkimsg_release(&msg);
	buf_release(&der);
}

/*
 * C-168: bits of the content key's block and of the ciphertext (C-170), and
 * every byte of the padding (C-88).
 */
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

/*
 * The same refusal for contents that are wrong, rightly enveloped; only a
 * PKCS#10 is right (C-89).
 */
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

/*
 * What an administrator can mend stands in the log, and changes nothing
 * outside (C-74, C-160): another key, and one that we cannot compute with.
 */
static void
reasons(void **state)
{
	static const struct message_policy any = { .sha1 = true, .des3 = true };
	static const struct {
		const struct message_policy *policy;
		const char *curve; /* of the CSR's key; NULL: RSA */
		const char *reason;
	} t[] = {
		{ &all, NULL, "the signer's key is not the CSR's" },
		{ &all, "secp256k1", "the signer's key is not the CSR's" },
		{ &any, "secp256k1",
		    "the CSR's key or its signature algorithm is not "
		    "supported" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		EVP_PKEY *key =
		    t[i].curve ? EVP_EC_gen(t[i].curve) : EVP_RSA_gen(2048);
		struct buf der = BUF_INIT, req = BUF_INIT;
		struct recipe r = { .type = NULL };
		struct pkimsg msg;

		csr_make(key, EVP_sha256(), "secret", MBSTRING_UTF8, &req);
		pkcsreq_make(&r, &house, &device, buf_span(&req), &der);
		checks = 0;
		assert_int_equal(message_open(house.list, 1, t[i].policy,
				     buf_span(&der), &msg),
		    OK);
		assert_int_equal(msg.fail, FAIL_BADREQUEST);
		assert_string_equal(msg.reason, t[i].reason);
		assert_int_equal(checks, 2);
		pkimsg_release(&msg);
		buf_release(&der);
		buf_release(&req);
		EVP_PKEY_free(key);
	}
}

/*
 * C-53, C-169: the signature is looked at first, so what is wrong behind it is
 * not, and no second signature is checked.
 */
static void
signature_first(void **state)
{
	struct recipe r = { .type = NULL };
	struct buf der = BUF_INIT;
	struct pkimsg msg;

	(void)state;
	message_make(&r, &device, span_of("no envelope", 11), &der);
	assert_int_equal(open_it(&der, &msg), OK);
	assert_int_equal(msg.fail, FAIL_BADREQUEST);
	pkimsg_release(&msg);
	der.data[der.len - 1] ^= 1; /* the signature stands last */
	checks = 0;
	assert_int_equal(open_it(&der, &msg), OK);
	assert_int_equal(msg.fail, FAIL_BADMESSAGECHECK);
	assert_int_equal(checks, 1);
	pkimsg_release(&msg);
	buf_release(&der);
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
		cmocka_unit_test(reasons),
		cmocka_unit_test(signature_first),
	};

	return cmocka_run_group_tests_name("message", tests, setup, teardown);
}
