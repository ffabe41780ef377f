/* Certificates of others, read as far as we need, however odd (C-76). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/time.h"
#include "ca/cert.h"
#include "ca/dn.h"

static EVP_PKEY *pkey;

static void
no_log(const char *line, void *arg)
{
	(void)line;
	(void)arg;
}

static int
setup(void **state)
{
	(void)state;
	pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	return pkey == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	EVP_PKEY_free(pkey);
	return 0;
}

static void
extend(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(ext);
	assert_int_equal(X509_add_ext(x, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

/* A certificate made by OpenSSL, not signed yet. */
static X509 *
draft(const char *subject, const char *issuer)
{
	X509 *x = X509_new();
	X509_NAME *s = X509_NAME_new(), *i = X509_NAME_new();

	assert_int_equal(X509_NAME_add_entry_by_txt(s, "CN", MBSTRING_UTF8,
			     (const unsigned char *)subject, -1, -1, 0),
	    1);
	assert_int_equal(X509_NAME_add_entry_by_txt(i, "CN", MBSTRING_UTF8,
			     (const unsigned char *)issuer, -1, -1, 0),
	    1);
	assert_int_equal(X509_set_version(x, 2), 1);
	assert_int_equal(X509_set_subject_name(x, s), 1);
	assert_int_equal(X509_set_issuer_name(x, i), 1);
	assert_int_equal(X509_set_pubkey(x, pkey), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x), 4711), 1);
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(x), 1700000000));
	assert_non_null(ASN1_TIME_set(X509_getm_notAfter(x), 1800000000));
	X509_NAME_free(s);
	X509_NAME_free(i);
	return x;
}

/* Signs it, takes it over. */
static void
finish(X509 *x, struct buf *out)
{
	unsigned char *der = NULL;
	int len;

	assert_true(X509_sign(x, pkey, EVP_sha256()) > 0);
	len = i2d_X509(x, &der);
	assert_true(len > 0);
	buf_clear(out);
	assert_true(buf_add(out, der, (size_t)len));
	OPENSSL_free(der);
	X509_free(x);
}

static void
test_view(void **state)
{
	struct buf der = BUF_INIT, name = BUF_INIT;
	unsigned char *spki = NULL;
	struct cert_view v;
	X509 *x = draft("leaf", "CA");
	int len = i2d_PUBKEY(pkey, &spki);

	(void)state;
	extend(x, NID_basic_constraints, "critical,CA:FALSE");
	extend(x, NID_key_usage,
	    "critical,digitalSignature,keyAgreement,decipherOnly");
	extend(x, NID_subject_key_identifier, "01:02:03");
	finish(x, &der);
	assert_int_equal(cert_view(buf_span(&der), &v), OK);
	assert_true(span_eq(v.der, buf_span(&der)));
	assert_int_equal(dn_text(v.subject, &name), OK);
	assert_true(buf_byte(&name, '<'));
	struct buf issuer = BUF_INIT;
	assert_int_equal(dn_text(v.issuer, &issuer), OK);
	assert_string_equal(buf_cstr(&name), "CN=leaf<");
	assert_string_equal(buf_cstr(&issuer), "CN=CA");
	assert_true(span_eq(v.serial, span_of("\x12\x67", 2)));
	assert_true(span_eq(v.spki, span_of(spki, (size_t)len)));
	assert_true(span_eq(v.ski, span_of("\1\2\3", 3)));
	assert_int_equal(v.usage,
	    KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT | KU_DECIPHER_ONLY);
	assert_int_equal(v.not_before, 1700000000);
	assert_int_equal(v.not_after, 1800000000);
	assert_false(v.ca);
	assert_false(v.self_signed);
	OPENSSL_free(spki);
	buf_release(&issuer);
	buf_release(&name);
	buf_release(&der);
}

static void
test_ca_bits(void **state)
{
	struct buf der = BUF_INIT;
	struct cert_view v;
	X509 *x = draft("CA", "CA");

	(void)state;
	extend(x, NID_basic_constraints, "CA:TRUE,pathlen:0");
	extend(x, NID_key_usage, "keyCertSign,cRLSign");
	finish(x, &der);
	assert_int_equal(cert_view(buf_span(&der), &v), OK);
	assert_true(v.ca);
	assert_true(v.self_signed);
	assert_int_equal(v.usage, KU_KEY_CERT_SIGN | KU_CRL_SIGN);
	buf_release(&der);
}

/* C-76: v1, long ago, serials of every shape, critical unknown extensions. */
static void
test_odd(void **state)
{
	struct buf der = BUF_INIT;
	struct cert_view v;
	BIGNUM *n = NULL;
	X509 *x = draft("a", "a");

	(void)state;
	assert_int_equal(X509_set_version(x, 0), 1);
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(x), -1000000000));
	assert_non_null(ASN1_TIME_set(X509_getm_notAfter(x), 2600000000));
	assert_true(BN_hex2bn(&n, "-80") > 0);
	assert_non_null(BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)));
	finish(x, &der);
	assert_int_equal(cert_view(buf_span(&der), &v), OK);
	assert_int_equal(v.usage, UINT32_MAX);
	assert_int_equal(v.ski.len, 0);
	assert_false(v.ca);
	assert_int_equal(v.not_before, -1000000000);
	assert_int_equal(v.not_after, 2600000000);
	assert_true(span_eq(v.serial, span_of("\x80", 1)));

	x = draft("a", "a");
	assert_true(BN_hex2bn(&n, "3333333333333333333333333333333333333333"
				  "333333333333333333333333") > 0);
	assert_non_null(BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)));
	extend(x, NID_netscape_comment, "critical,hello");
	finish(x, &der);
	assert_int_equal(cert_view(buf_span(&der), &v), OK);
	assert_int_equal(v.serial.len, 32);

	x = draft("a", "a");
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x), 0), 1);
	finish(x, &der);
	assert_int_equal(cert_view(buf_span(&der), &v), OK);
	assert_true(span_eq(v.serial, span_of("\0", 1)));
	BN_free(n);
	buf_release(&der);
}

/* Times without seconds are read, nonsense is 0 and no error. */
static void
test_times(void **state)
{
	static const struct {
		const char *text;
		int64_t t;
	} time[] = {
		{ "231114221320Z", 1700000000 },
		{ "2311142213Z", 1699999980 },
		{ "231114221320+", 0 },
		{ "231314221320Z", 0 },
		{ "23111422132xZ", 0 },
		{ "Z", 0 },
		{ "", 0 },
	};
	struct buf der = BUF_INIT;
	struct cert_view v;

	(void)state;
	for (size_t i = 0; i < sizeof(time) / sizeof(*time); i++) {
		X509 *x = draft("a", "a");

		assert_int_equal(
		    ASN1_STRING_set(X509_getm_notBefore(x), time[i].text, -1),
		    1);
		finish(x, &der);
		assert_int_equal(cert_view(buf_span(&der), &v), OK);
		assert_int_equal(v.not_before, time[i].t);
		assert_int_equal(v.not_after, 1800000000);
	}
	buf_release(&der);
}

static void
test_hostile(void **state)
{
	struct buf der = BUF_INIT;
	struct cert_view v;
	X509 *x = draft("a", "b");

	(void)state;
	extend(x, NID_basic_constraints, "critical,CA:TRUE");
	extend(x, NID_key_usage, "digitalSignature");
	finish(x, &der);
	for (size_t i = 0; i < der.len; i++) {
		/* a copy of its own, so that a read behind it is seen */
		struct buf cut = BUF_INIT;

		assert_true(buf_add(&cut, der.data, i));
		assert_int_equal(cert_view(buf_span(&cut), &v), ERR_INPUT);
		buf_release(&cut);
	}
	for (size_t i = 0; i < der.len; i++)
		for (int bit = 0; bit < 8; bit++) {
			der.data[i] ^= (uint8_t)(1 << bit);
			(void)cert_view(buf_span(&der), &v);
			der.data[i] ^= (uint8_t)(1 << bit);
		}
	assert_true(buf_byte(&der, 0));
	assert_int_equal(cert_view(buf_span(&der), &v), ERR_INPUT);
	assert_int_equal(cert_view(span_of(NULL, 0), &v), ERR_INPUT);
	assert_int_equal(
	    cert_view(span_of("\x30\x80\x00\x00", 4), &v), ERR_INPUT);
	assert_int_equal(
	    cert_view(span_of("\x30\x84\xff\xff\xff\xff", 6), &v), ERR_INPUT);
	buf_release(&der);
}

static void
test_pem(void **state)
{
	struct buf a = BUF_INIT, b = BUF_INIT, pem = BUF_INIT, out = BUF_INIT;
	struct buf *list = NULL;
	size_t n = 9;
	BIO *bio;
	X509 *x;

	(void)state;
	finish(draft("a", "a"), &a);
	finish(draft("b", "a"), &b);
	assert_int_equal(cert_read("t", buf_span(&a), &out), OK); /* DER */
	assert_true(span_eq(buf_span(&a), buf_span(&out)));
	/* text before the block, as in the store and from openssl -text */
	assert_true(buf_str(&pem, "[certificate]\nserial = 1\n\n"));
	assert_int_equal(cert_pem(buf_span(&a), &pem), OK);
	assert_int_equal(cert_pem(buf_span(&b), &pem), OK);
	assert_int_equal(cert_read("t", buf_span(&pem), &out), OK);
	assert_true(span_eq(buf_span(&a), buf_span(&out)));
	assert_int_equal(certs_read("t", buf_span(&pem), &list, &n), OK);
	assert_int_equal(n, 2);
	assert_true(span_eq(buf_span(&b), buf_span(&list[1])));
	certs_free(list, n);
	list = NULL;
	bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	assert_non_null(x);
	X509_free(x);
	BIO_free(bio);
	/* nothing, too much, rubbish */
	assert_int_equal(certs_read("t", span_of("", 0), &list, &n), OK);
	assert_int_equal(n, 0);
	assert_int_equal(
	    cert_read("t", span_of("rubbish", 7), &out), ERR_INPUT);
	assert_int_equal(cert_read("t", span_of("", 0), &out), ERR_INPUT);
	for (int i = 0; i < MAX_CERTS; i++)
		assert_int_equal(cert_pem(buf_span(&b), &pem), OK);
	assert_int_equal(certs_read("t", buf_span(&pem), &list, &n), ERR_INPUT);
	assert_null(list);
	buf_release(&a);
	buf_release(&b);
	buf_release(&pem);
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_view),
		cmocka_unit_test(test_ca_bits),
		cmocka_unit_test(test_odd),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_pem),
	};

	log_sink(no_log, NULL);
	return cmocka_run_group_tests(tests, setup, teardown);
}
