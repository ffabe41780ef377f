/*
 * What must be new in every reply: senderNonce (C-59), content key and IV
 * (C-88).  The same request is answered twice and the two are compared piece
 * by piece.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ca/der.h"
#include "tests/unit/cms.h"

static struct house house;
static struct actor device;
static struct buf csr;

/* The pieces of a reply. */
struct pieces {
	struct buf nonce, iv, key, body;
};

static int
setup(void **state)
{
	(void)state;
	house_new(&house, "CN=Management CA,O=Lab");
	actor_new(&device, 2048, "router1", 4711);
	csr_make(device.key, EVP_sha256(), "secret", MBSTRING_UTF8, &csr);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	house_free(&house);
	actor_free(&device);
	buf_release(&csr);
	return 0;
}

static void
keep(struct buf *out, struct span bytes)
{
	assert_true(buf_add(out, bytes.p, bytes.len));
}

/* The content key, by the device's own key. */
static void
decrypt(struct span block, struct buf *out)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(device.key, NULL);
	unsigned char key[256];
	size_t n = sizeof(key);

	assert_int_equal(EVP_PKEY_decrypt_init(ctx), 1);
	assert_int_equal(EVP_PKEY_decrypt(ctx, key, &n, block.p, block.len), 1);
	keep(out, span_of(key, n));
	EVP_PKEY_CTX_free(ctx);
}

/* EnvelopedData with one KeyTransRecipientInfo (RFC 5652 6.1). */
static void
take_envelope(struct span der, struct pieces *p)
{
	struct span info, oid, wrapped, env, set, one, skip, block, alg;

	assert_true(der_one(der, DER_SEQUENCE, &info) &&
		    der_get(&info, DER_OID, &oid) &&
		    der_one(info, DER_NESTED, &wrapped) &&
		    der_one(wrapped, DER_SEQUENCE, &env) &&
		    der_get(&env, DER_INTEGER, &skip) &&
		    der_get(&env, DER_SET, &set) &&
		    der_one(set, DER_SEQUENCE, &one) &&
		    der_get(&one, DER_INTEGER, &skip) &&
		    der_get(&one, DER_SEQUENCE, &skip) &&
		    der_get(&one, DER_SEQUENCE, &skip) &&
		    der_one(one, DER_OCTETS, &block));
	decrypt(block, &p->key);
	assert_true(der_one(env, DER_SEQUENCE, &info) &&
		    der_get(&info, DER_OID, &oid) &&
		    der_get(&info, DER_SEQUENCE, &alg) &&
		    der_get(&alg, DER_OID, &oid) &&
		    der_one(alg, DER_OCTETS, &skip));
	keep(&p->iv, skip);
	assert_true(der_one(info, DER_CONTEXT, &skip));
	keep(&p->body, skip);
}

static void
take_reply(const struct buf *reply, struct pieces *p)
{
	const uint8_t *der = reply->data;
	CMS_ContentInfo *cms =
	    d2i_CMS_ContentInfo(NULL, &der, (long)reply->len);
	ASN1_OBJECT *obj = OBJ_txt2obj(SCEP_OID "5", 1);
	const ASN1_STRING *s;

	assert_non_null(cms);
	s = CMS_signed_get0_data_by_OBJ(
	    sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0), obj, -3,
	    V_ASN1_OCTET_STRING);
	assert_non_null(s);
	keep(&p->nonce,
	    span_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s)));
	s = *CMS_get0_content(cms);
	take_envelope(
	    span_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s)),
	    p);
	ASN1_OBJECT_free(obj);
	CMS_ContentInfo_free(cms);
}

static void
is_new(const struct buf *a, const struct buf *b, size_t len)
{
	assert_int_equal(a->len, len);
	assert_int_equal(b->len, len);
	assert_memory_not_equal(a->data, b->data, len);
	/* nor a piece of it */
	assert_memory_not_equal(a->data, b->data, len / 2);
	assert_memory_not_equal(a->data + len / 2, b->data + len / 2, len / 2);
}

static void
answer_twice(const struct pkimsg *msg, size_t key, size_t block)
{
	struct span certs[1] = { buf_span(&house.gen.cert) };
	struct certrep rep = { .status = PKI_SUCCESS,
		.fail = FAIL_NONE,
		.certs = certs,
		.ncerts = 1,
		.gen = &house.gen };
	struct pieces p[2] = { 0 };

	for (int i = 0; i < 2; i++) {
		struct buf reply = BUF_INIT;

		assert_int_equal(message_seal(msg, &rep, &reply), OK);
		take_reply(&reply, &p[i]);
		buf_release(&reply);
	}
	is_new(&p[0].nonce, &p[1].nonce, 16);
	is_new(&p[0].key, &p[1].key, key);
	is_new(&p[0].iv, &p[1].iv, block);
	is_new(&p[0].body, &p[1].body, p[0].body.len);
	for (int i = 0; i < 2; i++) {
		buf_release(&p[i].nonce);
		buf_release(&p[i].key);
		buf_release(&p[i].iv);
		buf_release(&p[i].body);
	}
}

static void
everything_new(void **state)
{
	static const struct {
		const EVP_CIPHER *(*cipher)(void);
		size_t key, block;
	} t[] = {
		{ EVP_aes_128_cbc, 16, 16 },
		{ EVP_aes_192_cbc, 24, 16 },
		{ EVP_aes_256_cbc, 32, 16 },
		{ EVP_des_ede3_cbc, 24, 8 },
	};
	static const struct message_policy all = {
		.sha1 = true, .des3 = true, .samekey = true
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct recipe r = { .cipher = t[i].cipher() };
		struct buf der = BUF_INIT;
		struct pkimsg msg;

		pkcsreq_make(&r, &house, &device, buf_span(&csr), &der);
		assert_int_equal(
		    message_open(house.list, 1, &all, buf_span(&der), &msg),
		    OK);
		assert_int_equal(msg.fail, FAIL_NONE);
		answer_twice(&msg, t[i].key, t[i].block);
		pkimsg_release(&msg);
		buf_release(&der);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_new),
	};

	return cmocka_run_group_tests_name("fresh", tests, setup, teardown);
}
