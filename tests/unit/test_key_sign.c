/* What a CA key signs and refuses to sign. */
#include "tests/unit/keys.h"

#include <openssl/x509v3.h>

#include "ca/cert.h"
#include "ca/der.h"
#include "ca/dn.h"
#include "ca/pubkey.h"
#include "ca/san.h"

#define ATTR_TYPE(tag, len, v)                                                 \
	"\x30\x11\x06\x0a\x60\x86\x48\x01\x86\xf8\x45\x01\x09\x02\x31\x03" tag \
	    len v
#define ATTR_TYPE3(v)                                                      \
	"\x30\x13\x06\x0a\x60\x86\x48\x01\x86\xf8\x45\x01\x09\x02\x31\x05" \
	"\x13\x03" v
#define ATTR_OTHER "\x30\x0a\x06\x03\x2a\x03\x04\x31\x03\x02\x01\x07"

static const struct {
	const char *what;
	const char *der;
	size_t len;
	enum err e;
} sets[] = {
#define SET(what, bytes, e)                       \
	{                                         \
		what, bytes, sizeof(bytes) - 1, e \
	}
	SET("alone", "\x31\x13" ATTR_TYPE("\x13", "\x01", "3"), OK),
	SET("with others", "\x31\x1f" ATTR_OTHER ATTR_TYPE("\x13", "\x01", "3"),
	    OK),
	SET("none", "\x31\x0c" ATTR_OTHER, ERR_REFUSED),
	SET("empty", "\x31\x00", ERR_REFUSED),
	SET("PKCSReq", "\x31\x13" ATTR_TYPE("\x13", "\x01", "2"), ERR_REFUSED),
	SET("UTF8String", "\x31\x13" ATTR_TYPE("\x0c", "\x01", "3"),
	    ERR_REFUSED),
	SET("twice",
	    "\x31\x26" ATTR_TYPE("\x13", "\x01", "3")
		ATTR_TYPE("\x13", "\x01", "3"),
	    ERR_REFUSED),
	SET("a SEQUENCE", "\x30\x13" ATTR_TYPE("\x13", "\x01", "3"),
	    ERR_REFUSED),
	SET("bytes behind", "\x31\x13" ATTR_TYPE("\x13", "\x01", "3") "\x05",
	    ERR_REFUSED),
	SET("garbage within",
	    "\x31\x15" ATTR_TYPE("\x13", "\x01", "3") "\x05\x00", ERR_REFUSED),
	SET("cut", "\x31\x13\x30", ERR_REFUSED),
	{ "nothing", NULL, 0, ERR_REFUSED },
};

static bool
verifies(EVP_PKEY *pkey, enum digest d, struct span sig, struct span der)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good =
	    EVP_DigestVerifyInit(ctx, NULL, digest_md(d), NULL, pkey) == 1 &&
	    EVP_DigestVerify(ctx, sig.p, sig.len, der.p, der.len) == 1;

	EVP_MD_CTX_free(ctx);
	return good;
}

/* Letters have types of their own, and neither verb signs the other's. */
static void
test_sign_letter(void **state)
{
	static const struct {
		const char *der;
		size_t len;
		enum err e;
	} rows[] = {
#define ROW(bytes, e) { bytes, sizeof(bytes) - 1, e }
		ROW("\x31\x15" ATTR_TYPE3("101"), OK),
		ROW("\x31\x15" ATTR_TYPE3("102"), OK),
		ROW("\x31\x15" ATTR_TYPE3("103"), OK),
		ROW("\x31\x15" ATTR_TYPE3("100"), ERR_REFUSED),
		ROW("\x31\x15" ATTR_TYPE3("104"), OK),
		ROW("\x31\x15" ATTR_TYPE3("105"), ERR_REFUSED),
		ROW("\x31\x15" ATTR_TYPE3("201"), ERR_REFUSED),
		ROW("\x30\x15" ATTR_TYPE3("101"), ERR_REFUSED),
		ROW("\x31\x13" ATTR_TYPE("\x13", "\x01", "3"), ERR_REFUSED),
		ROW("\x31\x0c" ATTR_OTHER, ERR_REFUSED),
		ROW("\x31\x2a" ATTR_TYPE3("101") ATTR_TYPE3("102"),
		    ERR_REFUSED),
	};
	struct buf sig = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct span der = span_of(rows[i].der, rows[i].len);

		buf_clear(&sig);
		assert_int_equal(
		    key_sign_letter(rsa, DIGEST_SHA256, der, &sig), rows[i].e);
		if (rows[i].e == OK)
			assert_int_equal(
			    key_sign_attrs(rsa, DIGEST_SHA256, der, &sig),
			    ERR_REFUSED);
	}
	buf_release(&sig);
}

/* The public half alone knows what it is, and does nothing. */
static void
test_elsewhere(void **state)
{
	struct span der = span_of(sets[0].der, sets[0].len);
	struct buf out = BUF_INIT;
	struct key *key = NULL;
	uint8_t content[16];

	(void)state;
	assert_int_equal(key_public("x", buf_span(&spki_rsa), &key), OK);
	assert_true(key_elsewhere(key) && !key_elsewhere(rsa));
	assert_true(key_fits(key, buf_span(&spki_rsa)));
	assert_int_equal(key_type(key), KEY_RSA);
	assert_int_equal(key_bits(key), 2048);
	assert_int_equal(
	    key_sign_attrs(key, DIGEST_SHA256, der, &out), ERR_REFUSED);
	assert_int_equal(key_pem(key, span_of(NULL, 0), &out), ERR_REFUSED);
	assert_int_equal(
	    key_unwrap(key, TRANSPORT_V15, der, sizeof(content), content),
	    ERR_REFUSED);
	assert_int_equal(
	    key_csr(key, DER_BYTES("\x30\x00"), 0, &out), ERR_REFUSED);
	assert_int_equal(out.len, 0);
	key_close(key);
	key = NULL;
	assert_int_not_equal(key_public("x", DER_BYTES("\x30\x00"), &key), OK);
	assert_null(key);
	buf_release(&out);
}

/* C-180: signs what begins like the attributes of a reply, and nothing else. */
static void
test_sign_attrs(void **state)
{
	struct buf sig = BUF_INIT, spki = BUF_INIT;
	EVP_PKEY *ecpub = public_of(&pem_ec, &spki);

	(void)state;
	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
		struct span der = span_of(sets[i].der, sets[i].len);

		buf_clear(&sig);
		if (key_sign_attrs(rsa, DIGEST_SHA256, der, &sig) != sets[i].e)
			fail_msg("%s", sets[i].what);
		assert_int_equal(sig.len, sets[i].e == OK ? 256 : 0);
		if (sets[i].e == OK)
			assert_true(
			    verifies(pub, DIGEST_SHA256, buf_span(&sig), der));
	}
	for (int d = 0; d < DIGEST__MAX; d++) {
		struct span der = span_of(sets[0].der, sets[0].len);

		buf_clear(&sig);
		assert_int_equal(
		    key_sign_attrs(rsa, (enum digest)d, der, &sig), OK);
		assert_true(verifies(pub, (enum digest)d, buf_span(&sig), der));
		buf_clear(&sig);
		assert_int_equal(
		    key_sign_attrs(ec, (enum digest)d, der, &sig), OK);
		assert_true(
		    verifies(ecpub, (enum digest)d, buf_span(&sig), der));
	}
	EVP_PKEY_free(ecpub);
	buf_release(&spki);
	buf_release(&sig);
}

/* A leaf order that is fine; tests spoil one thing each. */
struct order {
	struct buf issuer, subject, san;
	struct issue in;
};
static const char *const eku[] = { "1.3.6.1.5.5.7.3.2", NULL };

static void
order_make(struct order *o)
{
	*o = (struct order){ .issuer = BUF_INIT };
	assert_int_equal(dn_parse("CN=CA,O=Lab,C=SE", &o->issuer), OK);
	assert_int_equal(dn_parse("CN=router1", &o->subject), OK);
	assert_int_equal(san_parse("dns=r1.lab", &o->san), OK);
	o->in = (struct issue){
		.issuer = buf_span(&o->issuer),
		.authority = span_of("\1\2\3\4\5\6\7\x8", 8),
		.subject = buf_span(&o->subject),
		.spki = buf_span(&spki_rsa),
		.san = buf_span(&o->san),
		.serial = span_of("\x7f\xff\x01", 3),
		.not_before = 1700000000,
		.not_after = 1800000000,
		.usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
		.eku = eku,
		.transaction = "t1",
	};
}

static void
order_free(struct order *o)
{
	buf_release(&o->issuer);
	buf_release(&o->subject);
	buf_release(&o->san);
}

static X509 *
issue(struct key *key, const struct issue *in, struct buf *der)
{
	const unsigned char *p;
	X509 *x;

	buf_clear(der);
	assert_int_equal(key_issue(key, in, der), OK);
	p = der->data;
	x = d2i_X509(NULL, &p, (long)der->len);
	assert_non_null(x);
	assert_ptr_equal(p, der->data + der->len);
	return x;
}

/* C-183 to C-195, read back by OpenSSL. */
static void
test_issue(void **state)
{
	static const int nids[] = { NID_authority_key_identifier,
		NID_subject_key_identifier, NID_key_usage,
		NID_basic_constraints, NID_ext_key_usage,
		NID_subject_alt_name };
	static const int critical[] = { 0, 0, 1, 0, 0, 0 };
	struct buf der = BUF_INIT;
	struct cert_view v;
	struct order o;
	uint8_t id[20];
	X509 *x;

	(void)state;
	order_make(&o);
	x = issue(rsa, &o.in, &der);
	assert_int_equal(X509_get_version(x), 2);
	assert_int_equal(X509_verify(x, pub), 1);
	assert_int_equal(X509_get_ext_count(x), 6);
	for (int i = 0; i < 6; i++) {
		X509_EXTENSION *ext = X509_get_ext(x, i);

		assert_int_equal(
		    OBJ_obj2nid(X509_EXTENSION_get_object(ext)), nids[i]);
		assert_int_equal(X509_EXTENSION_get_critical(ext), critical[i]);
	}
	assert_int_equal(
	    X509_get_key_usage(x), KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
	assert_int_equal(X509_check_ca(x), 0);
	assert_int_equal(X509_get_extended_key_usage(x), XKU_SSL_CLIENT);
	assert_int_equal(X509_check_host(x, "r1.lab", 6, 0, NULL), 1);
	assert_int_equal(cert_view(buf_span(&der), &v), OK);
	assert_true(span_eq(v.issuer, o.in.issuer));
	assert_true(span_eq(v.subject, o.in.subject));
	assert_true(span_eq(v.spki, o.in.spki));
	assert_true(span_eq(v.serial, o.in.serial));
	assert_int_equal(v.not_before, o.in.not_before);
	assert_int_equal(v.not_after, o.in.not_after);
	assert_int_equal(X509_pubkey_digest(x, EVP_sha1(), id, NULL), 1);
	assert_true(span_eq(v.ski, span_of(id, 20)));
	assert_int_equal(ASN1_STRING_length(X509_get0_authority_key_id(x)), 8);
	X509_free(x);
	buf_release(&der);
	order_free(&o);
}

/*
 * The signature algorithm, twice the same, NULL for RSA alone (C-184), SHA-256
 * or better (C-101).
 */
static void
test_algorithms(void **state)
{
	static const char r[] = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d"
				"\x01\x01\x0b\x05\x00";
	static const char e256[] = "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d"
				   "\x04\x03\x02";
	static const char e384[] = "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d"
				   "\x04\x03\x03";
	struct buf pem = BUF_INIT, der = BUF_INIT, spki = BUF_INIT;
	struct key *p384 = NULL;
	struct order o;

	(void)state;
	order_make(&o);
	assert_int_equal(key_generate("ec:P-384", &pem), OK);
	assert_int_equal(
	    key_read("t", buf_span(&pem), span_of("", 0), &p384), OK);
	struct {
		struct key *key;
		const struct buf *pem;
		struct span alg;
	} const suite[] = {
		{ rsa, &pem_rsa, span_of(r, sizeof(r) - 1) },
		{ ec, &pem_ec, span_of(e256, sizeof(e256) - 1) },
		{ p384, &pem, span_of(e384, sizeof(e384) - 1) },
	};
	for (size_t i = 0; i < 3; i++) {
		struct span cert, tbs, skip;
		struct der alg = { 0 }, inner = { 0 };
		EVP_PKEY *pkey;
		X509 *x = issue(suite[i].key, &o.in, &der);

		buf_clear(&spki);
		pkey = public_of(suite[i].pem, &spki);
		assert_int_equal(X509_verify(x, pkey), 1);
		assert_true(der_one(buf_span(&der), DER_SEQUENCE, &cert) &&
			    der_get(&cert, DER_SEQUENCE, &tbs) &&
			    der_next(&cert, &alg) &&
			    der_get(&tbs, DER_NESTED, &skip) &&
			    der_get(&tbs, DER_INTEGER, &skip) &&
			    der_next(&tbs, &inner));
		assert_true(span_eq(alg.whole, suite[i].alg));
		assert_true(span_eq(inner.whole, suite[i].alg));
		EVP_PKEY_free(pkey);
		X509_free(x);
	}
	key_close(p384);
	buf_release(&pem);
	buf_release(&der);
	buf_release(&spki);
	order_free(&o);
}

/* C-186: the form changes with 2050; C-187: critical SAN without subject. */
static void
test_edges(void **state)
{
	static const uint8_t long_serial[20] = { 0x7f, 1 };
	struct buf der = BUF_INIT;
	struct cert_view v;
	struct order o;
	X509 *x;

	(void)state;
	order_make(&o);
	o.in.not_before = 2524607999; /* 2049-12-31T23:59:59Z */
	o.in.not_after = 2524608000;
	o.in.serial = span_of(long_serial, 20);
	x = issue(rsa, &o.in, &der);
	assert_int_equal(
	    ASN1_STRING_type(X509_get0_notBefore(x)), V_ASN1_UTCTIME);
	assert_int_equal(
	    ASN1_STRING_type(X509_get0_notAfter(x)), V_ASN1_GENERALIZEDTIME);
	assert_memory_equal(
	    ASN1_STRING_get0_data(X509_get0_notBefore(x)), "491231235959Z", 13);
	assert_memory_equal(ASN1_STRING_get0_data(X509_get0_notAfter(x)),
	    "20500101000000Z", 15);
	assert_int_equal(cert_view(buf_span(&der), &v), OK);
	assert_int_equal(v.not_after, 2524608000);
	assert_true(span_eq(v.serial, o.in.serial));
	X509_free(x);
	o.in.subject = span_of("\x30\x00", 2);
	x = issue(rsa, &o.in, &der);
	assert_int_equal(X509_EXTENSION_get_critical(X509_get_ext(x, 5)), 1);
	X509_free(x);
	o.in.subject = buf_span(&o.subject);
	o.in.san = span_of(NULL, 0);
	o.in.eku = NULL;
	x = issue(rsa, &o.in, &der);
	assert_int_equal(X509_get_ext_count(x), 4);
	X509_free(x);
	buf_release(&der);
	order_free(&o);
}

static void
refused(const struct order *o, const char *why)
{
	struct buf der = BUF_INIT;

	buf_clear(&logged);
	assert_int_equal(key_issue(rsa, &o->in, &der), ERR_REFUSED);
	assert_int_equal(der.len, 0);
	if (strstr(buf_cstr(&logged), why) == NULL)
		fail_msg("%s is not in: %s", why, buf_cstr(&logged));
	buf_release(&der);
}

#define REFUSED(field, v, why)     \
	do {                       \
		struct order o_;   \
		order_make(&o_);   \
		o_.in.field = (v); \
		refused(&o_, why); \
		order_free(&o_);   \
	} while (0)

static void
test_refused(void **state)
{
	static const uint8_t big[21] = { 1 };

	(void)state;
	REFUSED(usage, KU_DIGITAL_SIGNATURE | KU_KEY_CERT_SIGN, "CA rights");
	REFUSED(usage, KU_DIGITAL_SIGNATURE | KU_CRL_SIGN, "CA rights");
	REFUSED(usage, 0, "usage");
	REFUSED(usage, 0x10080, "usage");
	REFUSED(serial, span_of("", 0), "serial");
	REFUSED(serial, span_of("\x80", 1), "serial");
	REFUSED(serial, span_of("\0\x80", 2), "serial");
	REFUSED(serial, span_of(big, 21), "serial");
	REFUSED(not_after, 1700000000, "notAfter");
	REFUSED(not_after, 1600000000, "notAfter");
	REFUSED(issuer, span_of("\x30\x00", 2), "name");
	REFUSED(subject, span_of("\x30\x00\x30\x00", 4), "name");
	REFUSED(subject, span_of("\x31\x00", 2), "name");
	REFUSED(spki, span_of("\x30\x05", 2), "name or key");
	REFUSED(authority, span_of("", 0), "identifier");
	REFUSED(san, span_of("\x30\x00", 2), "alternative");
	REFUSED(san, span_of("\x30\x02\x82\x00", 4), "alternative");
	struct order o;
	order_make(&o);
	o.in.subject = span_of("\x30\x00", 2);
	o.in.san = span_of("", 0);
	refused(&o, "neither");
	order_free(&o);
}

/* C-196, and a judge of its own: a self-signed root verifies. */
static void
test_root(void **state)
{
	struct buf subject = BUF_INIT, der = BUF_INIT;
	struct root in = { .pathlen = -1,
		.usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN | KU_DIGITAL_SIGNATURE |
			 KU_KEY_ENCIPHERMENT };
	const unsigned char *p;
	struct cert_view v;
	X509 *x;

	(void)state;
	assert_int_equal(dn_parse("CN=Root", &subject), OK);
	in.subject = buf_span(&subject);
	in.not_before = 1700000000;
	in.not_after = 1800000000;
	assert_int_equal(key_root(rsa, &in, &der), OK);
	p = der.data;
	x = d2i_X509(NULL, &p, (long)der.len);
	assert_non_null(x);
	assert_int_equal(X509_verify(x, pub), 1);
	assert_int_equal(X509_check_ca(x), 1);
	assert_int_equal(X509_get_key_usage(x), in.usage);
	assert_int_equal(X509_get_ext_count(x), 3);
	assert_int_equal(X509_EXTENSION_get_critical(X509_get_ext(x, 1)), 1);
	assert_int_equal(X509_EXTENSION_get_critical(X509_get_ext(x, 2)), 1);
	assert_int_equal(cert_view(buf_span(&der), &v), OK);
	assert_true(v.ca);
	assert_true(v.self_signed);
	assert_int_equal(v.usage, in.usage);
	assert_int_equal(v.serial.len, 16);
	assert_int_equal(v.ski.len, 20);
	X509_free(x);
	buf_release(&subject);
	buf_release(&der);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sign_attrs),
		cmocka_unit_test(test_sign_letter),
		cmocka_unit_test(test_elsewhere),
		cmocka_unit_test(test_issue),
		cmocka_unit_test(test_algorithms),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_root),
	};
	int failed;

	log_sink(keep_log, NULL);
	failed = cmocka_run_group_tests(tests, setup, teardown);
	buf_release(&logged);
	return failed;
}
