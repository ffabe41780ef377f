/*
 * Who may sign a message and with what: RSASSA-PSS, EC and Ed25519 keys,
 * names written anew, what an alias admits for old clients alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/provider.h>

#include "base/log.h"
#include "message/alg.h"
#include "tests/unit/cms.h"

static struct house house;
static struct actor device;
static struct buf csr;
static const struct message_policy all = { .sha1 = true,
	.des3 = true,
	.samekey = true };
static const struct message_policy old = { .sha1 = true,
	.des3 = true,
	.samekey = true,
	.legacy = true };
static const struct message_policy strict = { .samekey = true };

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

/* Opens; the message must be answered, and this way. */
static void
opens(const struct message_policy *policy, const struct buf *der,
    enum failinfo fail, struct pkimsg *msg)
{
	assert_int_equal(
	    message_open(house.list, 1, policy, buf_span(der), msg), OK);
	if (msg->fail != fail)
		fail_msg("%s: %s", failinfo_name(msg->fail),
		    msg->reason ? msg->reason : "no reason");
}

static void
made(const struct recipe *r, const struct actor *by, struct span content,
    const struct message_policy *policy, enum failinfo fail)
{
	struct buf der = BUF_INIT;
	struct pkimsg msg;

	pkcsreq_make(r, &house, by, content, &der);
	opens(policy, &der, fail, &msg);
	pkimsg_release(&msg);
	/* and not with another signature (C-159) */
	der.data[der.len - 20] ^= 1;
	if (fail == FAIL_NONE)
		opens(policy, &der, FAIL_BADMESSAGECHECK, &msg);
	pkimsg_release(&msg);
	buf_release(&der);
}

/* C-105: in the message and in the CSR, with the digests of SHA-2. */
static void
pss(void **state)
{
	static const struct {
		const EVP_MD *(*md)(void);
		enum failinfo fail;
	} t[] = {
		{ EVP_sha256, FAIL_NONE },
		{ EVP_sha384, FAIL_NONE },
		{ EVP_sha512, FAIL_NONE },
		{ EVP_sha1, FAIL_BADALG },
		{ EVP_sha224, FAIL_BADALG },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct recipe r = { .md = t[i].md(), .pss = true };
		struct buf own = BUF_INIT;

		made(&r, &device, buf_span(&csr), &all, t[i].fail);
		if (t[i].fail != FAIL_NONE)
			continue;
		csr_pss(device.key, t[i].md(), "secret", &own);
		made(&r, &device, buf_span(&own), &strict, FAIL_NONE);
		buf_release(&own);
	}
}

/* RFC 8017 A.2.3, each parameter for itself. */
static void
pss_parameters(void **state)
{
#define PSS	"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"
#define MGF	"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"
#define HASH(n) "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02" n
#define ROW(s)	(const uint8_t *)(s), sizeof(s) - 1
	static const struct {
		const uint8_t *der;
		size_t len;
		int salt; /* -1: refused */
	} t[] = {
		{ ROW("\x30\x0b" PSS), -1 }, /* SHA-1 by default */
		{ ROW("\x30\x0d" PSS "\x05\x00"), -1 },
		{ ROW("\x30\x0d" PSS "\x30\x00"), -1 },
		{ ROW("\x30\x38" PSS "\x30\x2b\xa0\x0d" HASH(
		      "\x01") "\xa1\x1a\x30\x18" MGF HASH("\x01")),
		    20 },
		{ ROW("\x30\x3d" PSS
		      "\x30\x30\xa0\x0d" HASH("\x01") "\xa1\x1a\x30\x18" MGF
			  HASH("\x01") "\xa2\x03\x02\x01\x20"),
		    32 },
		{ ROW("\x30\x42" PSS
		      "\x30\x35\xa0\x0d" HASH("\x03") "\xa1\x1a\x30\x18" MGF HASH(
			  "\x03") "\xa2\x03\x02\x01\x40\xa3\x03\x02\x01\x01"),
		    64 },
		/* another hash in the mask, salts, a trailer, bytes behind */
		{ ROW("\x30\x38" PSS "\x30\x2b\xa0\x0d" HASH(
		      "\x01") "\xa1\x1a\x30\x18" MGF HASH("\x02")),
		    -1 },
		{ ROW("\x30\x1c" PSS "\x30\x0f\xa0\x0d" HASH("\x01")), -1 },
		{ ROW("\x30\x3d" PSS
		      "\x30\x30\xa0\x0d" HASH("\x01") "\xa1\x1a\x30\x18" MGF
			  HASH("\x01") "\xa2\x03\x02\x01\x41"),
		    -1 },
		{ ROW("\x30\x3d" PSS
		      "\x30\x30\xa0\x0d" HASH("\x01") "\xa1\x1a\x30\x18" MGF
			  HASH("\x01") "\xa2\x03\x02\x01\xff"),
		    -1 },
		{ ROW("\x30\x3d" PSS
		      "\x30\x30\xa0\x0d" HASH("\x01") "\xa1\x1a\x30\x18" MGF
			  HASH("\x01") "\xa3\x03\x02\x01\x02"),
		    -1 },
		{ ROW("\x30\x3a" PSS "\x30\x2d\xa0\x0d" HASH(
		      "\x01") "\xa1\x1a\x30\x18" MGF HASH("\x01") "\x05\x00"),
		    -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct span in = span_of(t[i].der, t[i].len);
		struct scheme how;
		struct alg alg;

		assert_true(alg_read(&in, &alg) && in.len == 0);
		if (scheme_read(&alg, &how) != (t[i].salt >= 0) ||
		    (t[i].salt >= 0 && (int)how.salt != t[i].salt))
			fail_msg("row %zu", i);
	}
}

/*
 * C-79, C-92, C-99: an EC key signs, and its request's own challenge answers
 * for its encryption; without one, or in a message that has none, nothing
 * can.
 */
static void
ec_signers(void **state)
{
	static const char *const curves[] = { "P-256", "P-384", "P-521" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const EVP_MD *md = i == 1 ? EVP_sha384() : EVP_sha256();
		struct recipe r = { .md = md };
		struct actor ec;
		struct buf own = BUF_INIT;

		actor_make(&ec, EVP_EC_gen(curves[i]), "ec", 1);
		actor_sign(&ec);
		csr_make(ec.key, md, "secret", MBSTRING_UTF8, &own);
		made(&r, &ec, buf_span(&own), &strict, FAIL_NONE);
		csr_make(ec.key, md, NULL, 0, &own);
		made(&r, &ec, buf_span(&own), &strict, FAIL_BADALG);
		made(&r, &ec, buf_span(&csr), &strict, FAIL_BADREQUEST);
		r.type = "20";
		made(&r, &ec, buf_span(&csr), &strict, FAIL_BADALG);
		r.type = "21";
		made(&r, &ec, buf_span(&csr), &strict, FAIL_BADALG);
		r.type = "22";
		made(&r, &ec, buf_span(&csr), &strict, FAIL_BADALG);
		buf_release(&own);
		actor_free(&ec);
	}
}

/* C-74: one key, its point compressed in the certificate, full in the CSR. */
static void
compressed_point(void **state)
{
	struct recipe r = { .type = NULL };
	struct buf own = BUF_INIT;
	EVP_PKEY *key = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");
	struct actor ec;

	(void)state;
	csr_make(key, EVP_sha256(), "secret", MBSTRING_UTF8, &own);
	assert_int_equal(
	    EVP_PKEY_set_utf8_string_param(
		key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed"),
	    1);
	actor_make(&ec, key, "ec", 1);
	actor_sign(&ec);
	made(&r, &ec, buf_span(&own), &strict, FAIL_NONE);
	csr_make(other, EVP_sha256(), "secret", MBSTRING_UTF8, &own);
	made(&r, &ec, buf_span(&own), &strict, FAIL_BADREQUEST);
	EVP_PKEY_free(other);
	buf_release(&own);
	actor_free(&ec);
}

/* The last of these bytes becomes others; the SignerInfo's sid is unsigned. */
static void
patch(struct buf *b, const char *from, const char *to, size_t len)
{
	for (size_t i = b->len - len + 1; i-- > 0;)
		if (memcmp(b->data + i, from, len) == 0) {
			memcpy(b->data + i, to, len);
			return;
		}
	fail_msg("nothing to patch");
}

/* C-49, C-83: other string types, other case, are the same name. */
static void
names_written_anew(void **state)
{
	struct recipe r = { .type = NULL };
	struct buf env = BUF_INIT, der = BUF_INIT;
	struct pkimsg msg;

	(void)state;
	envelope_make(&r, house.cert, buf_span(&csr), &env);
	patch(&env, "\x0c\x0dManagement CA", "\x13\x0dMANAGEMENT ca", 15);
	message_make(&r, &device, buf_span(&env), &der);
	patch(&der, "\x0c\x07router1", "\x13\x07Router1", 9);
	opens(&strict, &der, FAIL_NONE, &msg);
	assert_ptr_equal(msg.gen, &house.gen);
	pkimsg_release(&msg);
	patch(&der, "\x13\x07Router1", "\x13\x07router2", 9);
	opens(&strict, &der, FAIL_BADMESSAGECHECK, &msg);
	pkimsg_release(&msg);
	buf_release(&env);
	buf_release(&der);
}

/* The critical extension that Windows adds, and one that nobody knows. */
static void
odd_add(X509 *cert, const char *oid)
{
	ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext;

	assert_true(
	    ASN1_OCTET_STRING_set(value, (const unsigned char *)"\x30\x00", 2));
	ext = X509_EXTENSION_create_by_OBJ(NULL, obj, 1, value);
	assert_true(X509_add_ext(cert, ext, -1));
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(obj);
}

/* C-76: serial 0, negative, one byte of zeros; extensions; not yet valid. */
static void
odd_certificates(void **state)
{
	static const long serials[] = { 0, -5, 1 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct recipe r = { .type = NULL };
		struct actor odd;

		EVP_PKEY_up_ref(device.key);
		actor_make(&odd, device.key, "odd", serials[i]);
		X509_gmtime_adj(X509_getm_notBefore(odd.cert), 86400);
		odd_add(odd.cert, "2.5.29.35");
		odd_add(odd.cert, "1.3.6.1.4.1.99999.1");
		actor_sign(&odd);
		made(&r, &odd, buf_span(&csr), &strict, FAIL_NONE);
		actor_free(&odd);
	}
}

/*
 * C-100 to C-104: what `legacy` admits, each noted, small keys too (C-80);
 * without it refused, in words that name the setting.
 */
static void
legacy(void **state)
{
	struct recipe r = { .md = EVP_md5() };
	struct actor weak;
	struct buf own = BUF_INIT, der = BUF_INIT, text = BUF_INIT;
	struct pkimsg msg;

	(void)state;
	pkcsreq_make(&r, &house, &device, buf_span(&csr), &der);
	opens(&all, &der, FAIL_BADALG, &msg);
	assert_non_null(strstr(msg.reason, "legacy yes"));
	assert_int_equal(msg.weak, 0);
	pkimsg_release(&msg);
	opens(&old, &der, FAIL_NONE, &msg);
	assert_int_equal(msg.weak, WEAK_MD5);
	pkimsg_release(&msg);

	csr_make(device.key, EVP_md5(), "secret", MBSTRING_UTF8, &own);
	r = (struct recipe){ .md = EVP_sha1(), .cipher = EVP_des_ede3_cbc() };
	pkcsreq_make(&r, &house, &device, buf_span(&own), &der);
	opens(&all, &der, FAIL_BADALG, &msg);
	assert_non_null(strstr(msg.reason, "legacy yes"));
	pkimsg_release(&msg);
	opens(&old, &der, FAIL_NONE, &msg);
	assert_true(weak_names(msg.weak, &text));
	assert_string_equal(buf_cstr(&text), "MD5 SHA-1 DES-EDE3-CBC");
	pkimsg_release(&msg);

	actor_new(&weak, 768, "weak", 1);
	csr_make(weak.key, EVP_sha256(), "secret", MBSTRING_UTF8, &own);
	r = (struct recipe){ .type = NULL };
	pkcsreq_make(&r, &house, &weak, buf_span(&own), &der);
	opens(&all, &der, FAIL_BADREQUEST, &msg);
	assert_non_null(strstr(msg.reason, "legacy yes"));
	pkimsg_release(&msg);
	opens(&old, &der, FAIL_NONE, &msg);
	assert_int_equal(msg.weak, WEAK_KEY);
	pkimsg_release(&msg);
	actor_free(&weak);
	buf_release(&own);
	buf_release(&der);
	buf_release(&text);
}

/* Single DES: its provider is loaded by the first message that needs it. */
static void
single_des(void **state)
{
	static const char des3[] = "\x06\x08\x2a\x86\x48\x86\xf7\x0d\x03\x07";
	const struct cipher_kind *des = cipher_of(CIPHER_DES);
	struct recipe r = { .cipher = EVP_des_ede3_cbc() };
	struct buf env = BUF_INIT, der = BUF_INIT;
	struct pkimsg msg;
	uint8_t *p = NULL;

	(void)state;
	assert_int_equal(OSSL_PROVIDER_available(NULL, "legacy"), 0);
	envelope_make(&r, house.cert, buf_span(&csr), &env);
	for (size_t i = 0; i + 10 < env.len && p == NULL; i++)
		if (memcmp(env.data + i, des3, 10) == 0)
			p = env.data + i;
	assert_non_null(p);
	/* the OID is three bytes shorter: those go behind the IV's length */
	assert_int_equal(des->oid.len, 5);
	memcpy(p, "\x06\x05", 2);
	memcpy(p + 2, des->oid.p, 5);
	memcpy(p + 7, "\x04\x0b\x00", 3);
	message_make(&r, &device, buf_span(&env), &der);
	opens(&all, &der, FAIL_BADALG, &msg);
	assert_non_null(strstr(msg.reason, "legacy yes"));
	assert_int_equal(OSSL_PROVIDER_available(NULL, "legacy"), 0);
	pkimsg_release(&msg);
	/* DES with an IV of eleven bytes: badRequest, but it was looked at */
	opens(&old, &der, FAIL_BADREQUEST, &msg);
	assert_int_equal(msg.weak, WEAK_DES);
	assert_int_equal(msg.cipher, CIPHER_DES);
	pkimsg_release(&msg);
	assert_int_equal(OSSL_PROVIDER_available(NULL, "legacy"), 1);
	buf_release(&env);
	buf_release(&der);
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
		cmocka_unit_test(pss),
		cmocka_unit_test(pss_parameters),
		cmocka_unit_test(ec_signers),
		cmocka_unit_test(compressed_point),
		cmocka_unit_test(names_written_anew),
		cmocka_unit_test(odd_certificates),
		cmocka_unit_test(legacy),
		cmocka_unit_test(single_des),
	};

	log_sink(quiet, NULL);
	return cmocka_run_group_tests_name("signers", tests, setup, teardown);
}
