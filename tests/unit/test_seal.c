/* What is sealed for a client, read by OpenSSL's CMS: an independent judge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "message/alg.h"
#include "tests/unit/cms.h"

static struct house house;
static struct actor device;
static struct buf csr;
static const struct message_policy all = { .sha1 = true,
	.des3 = true,
	.samekey = true };

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

static enum err
open_it(const struct buf *der, struct pkimsg *msg)
{
	return message_open(house.list, 1, &all, buf_span(der), msg);
}

static bool
holds(const struct buf *hay, const void *needle, size_t len)
{
	for (size_t i = 0; i + len <= hay->len; i++)
		if (memcmp(hay->data + i, needle, len) == 0)
			return true;
	return false;
}

/* One attribute of a reply, by its OID; the DER of its only value. */
static const ASN1_STRING *
reply_attr(CMS_SignerInfo *si, const char *oid, int kind)
{
	ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
	const ASN1_STRING *s = CMS_signed_get0_data_by_OBJ(si, obj, -3, kind);

	ASN1_OBJECT_free(obj);
	return s;
}

static bool
attr_is(CMS_SignerInfo *si, const char *oid, int kind, const char *value)
{
	const ASN1_STRING *s = reply_attr(si, oid, kind);

	return s != NULL && (size_t)ASN1_STRING_length(s) == strlen(value) &&
	       memcmp(ASN1_STRING_get0_data(s), value, strlen(value)) == 0;
}

/*
 * Versions as RFC 8894 has them and issuer and serial in the SignerInfo (C-43,
 * C-48), a status (C-56), ID and nonces (C-59, C-61), and no time (C-63,
 * C-154).
 */
static void
reply_form(const struct buf *der, CMS_SignerInfo *si)
{
	ASN1_INTEGER *serial = NULL;
	X509_NAME *issuer = NULL;
	ASN1_OCTET_STRING *keyid = NULL;

	/* SignedData: version 1, then the SET of digests. */
	assert_true(holds(der, "\x02\x01\x01\x31", 4));
	assert_int_equal(
	    CMS_SignerInfo_get0_signer_id(si, &keyid, &issuer, &serial), 1);
	assert_null(keyid);
	assert_non_null(issuer);
	assert_non_null(serial);
	assert_int_equal(
	    CMS_signed_get_attr_by_NID(si, NID_pkcs9_signingTime, -1), -1);
}

/* Verifies a reply as a client does; without content there is no eContent. */
static CMS_ContentInfo *
reply_read(const struct buf *der, const char *status, BIO *content)
{
	const uint8_t *p = der->data;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)der->len);
	X509_STORE *store = X509_STORE_new();
	BIO *none = content == NULL ? BIO_new_mem_buf("", 0) : NULL;
	CMS_SignerInfo *si;
	const ASN1_STRING *nonce;

	assert_non_null(cms);
	assert_ptr_equal(p, der->data + der->len);
	X509_STORE_add_cert(store, house.cert);
	assert_int_equal(CMS_verify(cms, NULL, store, none, content,
			     CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY),
	    1);
	assert_int_equal(sk_CMS_SignerInfo_num(CMS_get0_SignerInfos(cms)), 1);
	si = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);
	reply_form(der, si);
	assert_true(attr_is(si, SCEP_OID "2", V_ASN1_PRINTABLESTRING, "3"));
	assert_true(attr_is(si, SCEP_OID "3", V_ASN1_PRINTABLESTRING, status));
	assert_true(attr_is(si, SCEP_OID "6", V_ASN1_OCTET_STRING, CMS_NONCE));
	assert_true(
	    attr_is(si, SCEP_OID "7", V_ASN1_PRINTABLESTRING, CMS_TXID));
	nonce = reply_attr(si, SCEP_OID "5", V_ASN1_OCTET_STRING);
	assert_non_null(nonce);
	assert_int_equal(ASN1_STRING_length(nonce), 16);
	assert_memory_not_equal(ASN1_STRING_get0_data(nonce), CMS_NONCE, 16);
	BIO_free(none);
	X509_STORE_free(store);
	return cms;
}

/* What the SignerInfo names: digest and signature algorithm. */
static void
reply_algorithms(CMS_ContentInfo *cms, int digest)
{
	CMS_SignerInfo *si =
	    sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);
	X509_ALGOR *md = NULL, *sig = NULL;

	CMS_SignerInfo_get0_algs(si, NULL, NULL, &md, &sig);
	assert_int_equal(OBJ_obj2nid(md->algorithm), digest);
	assert_int_equal(OBJ_obj2nid(sig->algorithm), NID_rsaEncryption);
	assert_int_equal(ASN1_TYPE_get(sig->parameter), V_ASN1_NULL);
}

/* Decrypts the reply's envelope with the device's key: certs-only bytes. */
static void
reply_decrypt(BIO *content, struct buf *out)
{
	CMS_ContentInfo *env = d2i_CMS_bio(content, NULL);
	BIO *plain = BIO_new(BIO_s_mem());
	char *p = NULL;
	long len;

	assert_non_null(env);
	assert_int_equal(
	    CMS_decrypt(env, device.key, device.cert, NULL, plain, CMS_BINARY),
	    1);
	len = BIO_get_mem_data(plain, &p);
	buf_clear(out);
	assert_true(buf_add(out, p, (size_t)len));
	CMS_ContentInfo_free(env);
	BIO_free(plain);
}

/* Digest, cipher and transport of the reply are the request's. */
static void
answer(const struct pkimsg *msg, int digest)
{
	struct span certs[2] = { buf_span(&house.gen.cert), { NULL, 0 } };
	struct certrep rep = { .status = PKI_SUCCESS,
		.fail = FAIL_NONE,
		.certs = certs,
		.ncerts = 1,
		.gen = &house.gen };
	struct buf out = BUF_INIT, inner = BUF_INIT, only = BUF_INIT;
	BIO *content = BIO_new(BIO_s_mem());
	struct buf text = BUF_INIT;
	CMS_ContentInfo *cms;
	char *p = NULL;
	long len;

	assert_int_equal(message_seal(msg, &rep, &out), OK);
	cms = reply_read(&out, "0", content);
	reply_algorithms(cms, digest);
	len = BIO_get_mem_data(content, &p);
	assert_true(buf_add(&text, p, (size_t)len));
	assert_true(holds(&text, cipher_of(msg->cipher)->oid.p,
	    cipher_of(msg->cipher)->oid.len));
	assert_true(holds(&text, msg->signer_issuer.p, msg->signer_issuer.len));
	assert_true(transport_write(msg->transport, &only));
	assert_true(holds(&text, only.data, only.len));
	/* C-81: EnvelopedData version 0, then the SET of recipients. */
	assert_true(holds(&text, "\x02\x01\x00\x31", 4));
	reply_decrypt(content, &inner);
	buf_clear(&only);
	assert_int_equal(message_certs_only(certs, 1, &only), OK);
	assert_true(span_eq(buf_span(&only), buf_span(&inner)));
	CMS_ContentInfo_free(cms);
	BIO_free(content);
	buf_release(&out);
	buf_release(&inner);
	buf_release(&only);
	buf_release(&text);
}

/* C-85, C-87, C-102: and by key identifier, which replies never use. */
static void
mirrored(void **state)
{
	(void)state;
	for (size_t i = 0; i < CMS_KINDS; i++) {
		struct recipe r = recipe_of(&cms_kinds[i]);
		struct buf der = BUF_INIT;
		struct pkimsg msg;

		r.keyid = i == 0;
		pkcsreq_make(&r, &house, &device, buf_span(&csr), &der);
		assert_int_equal(open_it(&der, &msg), OK);
		assert_int_equal(msg.fail, FAIL_NONE);
		answer(&msg, cms_kinds[i].digest);
		pkimsg_release(&msg);
		buf_release(&der);
	}
}

/* C-131, C-90, C-57, C-58 */
static void
failure_and_pending(void **state)
{
	struct certrep rep = { .status = PKI_FAILURE,
		.fail = FAIL_BADREQUEST,
		.text = "request refused",
		.gen = &house.gen };
	struct recipe r = { .type = NULL };
	struct buf der = BUF_INIT, out = BUF_INIT;
	struct pkimsg msg;
	CMS_ContentInfo *cms;
	CMS_SignerInfo *si;

	(void)state;
	pkcsreq_make(&r, &house, &device, buf_span(&csr), &der);
	assert_int_equal(open_it(&der, &msg), OK);
	assert_int_equal(message_seal(&msg, &rep, &out), OK);
	cms = reply_read(&out, "2", NULL);
	assert_null(*CMS_get0_content(cms));
	si = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);
	assert_true(attr_is(si, SCEP_OID "4", V_ASN1_PRINTABLESTRING, "2"));
	assert_true(attr_is(
	    si, "1.3.6.1.5.5.7.24.1", V_ASN1_UTF8STRING, "request refused"));
	CMS_ContentInfo_free(cms);
	buf_clear(&out);
	rep = (struct certrep){ .status = PKI_PENDING,
		.fail = FAIL_BADALG,
		.text = "never sent",
		.gen = &house.gen };
	assert_int_equal(message_seal(&msg, &rep, &out), OK);
	cms = reply_read(&out, "3", NULL);
	si = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);
	assert_null(reply_attr(si, SCEP_OID "4", V_ASN1_PRINTABLESTRING));
	assert_false(holds(&out, "never sent", 10));
	CMS_ContentInfo_free(cms);
	pkimsg_release(&msg);
	buf_release(&der);
	buf_release(&out);
}

/* C-102: SHA-1 asked where it is not admitted is answered in SHA-256. */
static void
no_sha1(void **state)
{
	static const struct message_policy strict = { .samekey = true };
	struct certrep rep = { .status = PKI_FAILURE,
		.fail = FAIL_BADALG,
		.gen = &house.gen,
		.no_sha1 = true };
	struct recipe r = { .md = EVP_sha1() };
	struct buf der = BUF_INIT, out = BUF_INIT;
	struct pkimsg msg;
	CMS_ContentInfo *cms;

	(void)state;
	pkcsreq_make(&r, &house, &device, buf_span(&csr), &der);
	assert_int_equal(
	    message_open(house.list, 1, &strict, buf_span(&der), &msg), OK);
	assert_int_equal(msg.fail, FAIL_BADALG);
	assert_int_equal(message_seal(&msg, &rep, &out), OK);
	cms = reply_read(&out, "2", NULL);
	reply_algorithms(cms, NID_sha256);
	CMS_ContentInfo_free(cms);
	pkimsg_release(&msg);
	buf_release(&der);
	buf_release(&out);
}

/* C-148 to C-150: order kept though DER would sort the shorter one first. */
static void
certs_only(void **state)
{
	struct buf leaf = BUF_INIT, out = BUF_INIT;
	unsigned char *der = NULL;
	struct span certs[2];
	const uint8_t *p;
	CMS_ContentInfo *cms;
	STACK_OF(X509) * list;

	(void)state;
	cms_take(&leaf, &der, i2d_X509(device.cert, &der));
	for (int turn = 0; turn < 2; turn++) {
		certs[turn] = buf_span(&leaf);
		certs[!turn] = buf_span(&house.gen.cert);
		buf_clear(&out);
		assert_int_equal(message_certs_only(certs, 2, &out), OK);
		p = out.data;
		cms = d2i_CMS_ContentInfo(NULL, &p, (long)out.len);
		assert_non_null(cms);
		assert_int_equal(
		    CMS_get0_SignerInfos(cms) ?
			sk_CMS_SignerInfo_num(CMS_get0_SignerInfos(cms)) :
			0,
		    0);
		list = CMS_get1_certs(cms);
		assert_int_equal(sk_X509_num(list), 2);
		assert_int_equal(
		    X509_cmp(sk_X509_value(list, turn), device.cert), 0);
		sk_X509_pop_free(list, X509_free);
		CMS_ContentInfo_free(cms);
	}
	buf_release(&leaf);
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mirrored),
		cmocka_unit_test(failure_and_pending),
		cmocka_unit_test(no_sha1),
		cmocka_unit_test(certs_only),
	};

	return cmocka_run_group_tests_name("seal", tests, setup, teardown);
}
