/* Intune, as far as it can be told without it (ejbca-behaviour 8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "judge/intune.h"
#include "tests/unit/logged.h"

/* The window is before the end, and never longer than a tenth. */
static void
tokens_end_early(void **state)
{
	static const struct {
		int64_t seconds, used;
	} rows[] = {
		{ 3600, 3300 },
		{ 3000, 2700 },
		{ 2999, 2700 },
		{ 86400, 86100 },
		{ 60, 54 },
		{ 10, 9 },
		{ 1, 1 },
		{ 0, 0 },
		{ -5, 0 },
		{ INT64_MAX, 86100 },
		{ INT64_MIN, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(
		    intune_until(1000, rows[i].seconds), 1000 + rows[i].used);
}

/* Only what says that the request will never do is a no. */
static void
codes_are_rulings(void **state)
{
	static const char *const noes[] = { "CertificateRequestDecodingFailed",
		"ChallengePasswordMissing", "ChallengeDeserializationError",
		"ChallengeDecryptionError", "ChallengeDecodingError",
		"ChallengeInvalidTimestamp", "ChallengeExpired",
		"SubjectNameMissing", "SubjectNameMismatch",
		"SubjectAltNameMissing", "SubjectAltNameMismatch",
		"KeyUsageMismatch", "KeyLengthMismatch",
		"EnhancedKeyUsageMissing", "EnhancedKeyUsageMismatch",
		"AadKeyIdentifierListMissing", "RegisteredKeyMismatch",
		"SigningCertThumbprintMismatch",
		"ScepProfileNoLongerTargetedToTheClient",
		"SignatureValidationFailed",
		"BadCertificateRequestIdInChallenge", "BadDeviceIdInChallenge",
		"BadUserIdInChallenge", "BadTenantIdInChallenge" };
	static const char *const later[] = { "Unknown", "", "success",
		"SUCCESS", "Success ", "SubjectNameMismatch2", "no code" };
	const char *reason = "";

	(void)state;
	assert_int_equal(intune_ruling("Success", &reason), RULING_YES);
	assert_null(reason);
	for (size_t i = 0; i < sizeof(noes) / sizeof(*noes); i++) {
		assert_int_equal(intune_ruling(noes[i], &reason), RULING_NO);
		assert_string_equal(strstr(reason, ": ") + 2, noes[i]);
	}
	for (size_t i = 0; i < sizeof(later) / sizeof(*later); i++)
		assert_int_equal(
		    intune_ruling(later[i], &reason), RULING_LATER);
}

/* 255 bytes at most, whole characters, shorter texts as they are. */
static void
texts_are_cut(void **state)
{
	char text[400];

	(void)state;
	assert_int_equal(intune_cut("").len, 0);
	assert_int_equal(intune_cut("too short to cut").len, 16);
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(intune_cut(text).len, 255);
	text[255] = '\0';
	assert_int_equal(intune_cut(text).len, 255);
	for (size_t at = 252; at < 256; at++) { /* a euro sign across the end */
		memset(text, 'a', sizeof(text));
		memcpy(text + at, "\xe2\x82\xac", 3);
		text[300] = '\0';
		assert_int_equal(intune_cut(text).len, at == 252 ? 255 :
						       at > 255	 ? 255 :
								   at);
	}
}

static void
uuids_are_random(void **state)
{
	char a[UUID_TEXT], b[UUID_TEXT];

	(void)state;
	assert_int_equal(intune_uuid(a), OK);
	assert_int_equal(intune_uuid(b), OK);
	assert_int_equal(strlen(a), 36);
	assert_string_not_equal(a, b);
	assert_int_equal(a[14], '4');
	assert_non_null(strchr("89ab", a[19]));
	for (size_t i = 0; i < 36; i++)
		assert_non_null(strchr(i == 8 || i == 13 || i == 18 || i == 23 ?
					   "-" :
					   "0123456789abcdef",
		    a[i]));
}

/* ---- the assertion ----------------------------------------------------------- */

static void
put_pem(EVP_PKEY *key, X509 *cert, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p = NULL;
	long len;

	if (key != NULL)
		assert_int_equal(PEM_write_bio_PrivateKey(
				     bio, key, NULL, NULL, 0, NULL, NULL),
		    1);
	if (cert != NULL)
		assert_int_equal(PEM_write_bio_X509(bio, cert), 1);
	len = BIO_get_mem_data(bio, &p);
	assert_true(buf_add(out, p, (size_t)len));
	BIO_free(bio);
}

static X509 *
make_cert(EVP_PKEY *key)
{
	X509 *x = X509_new();

	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x), 1), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), 86400));
	assert_int_equal(X509_set_pubkey(x, key), 1);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	return x;
}

static void
read_base64url(const char *text, size_t len, struct buf *out)
{
	unsigned char raw[4096];
	char padded[4096];
	int got;

	assert_true(len + 4 < sizeof(padded));
	for (size_t i = 0; i < len; i++) {
		assert_null(strchr("+/=", text[i]));
		padded[i] = text[i];
		if (text[i] == '-')
			padded[i] = '+';
		else if (text[i] == '_')
			padded[i] = '/';
	}
	for (size_t pad = (4 - len % 4) % 4; pad > 0; pad--)
		padded[len++] = '=';
	got = EVP_DecodeBlock(raw, (unsigned char *)padded, (int)len);
	assert_true(got > 0);
	while (len > 0 && padded[len - 1] == '=') {
		len--;
		got--;
	}
	assert_true(buf_add(out, raw, (size_t)got));
}

static void
assertions_are_signed(void **state)
{
	const struct intune_claims claims = { "app.pem",
		"https://h/t/oauth2/v2.0/token", "app\"1", 1700000000 };
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	X509 *cert = make_cert(key);
	struct buf pem = BUF_SECRET, jwt = BUF_INIT, text = BUF_INIT,
		   signature = BUF_INIT;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const char *dot, *last;

	(void)state;
	put_pem(key, cert, &pem);
	assert_int_equal(intune_jwt(&claims, buf_span(&pem), &jwt), OK);
	dot = strchr(buf_cstr(&jwt), '.');
	last = strrchr(buf_cstr(&jwt), '.');
	assert_true(dot != NULL && last > dot);
	read_base64url(buf_cstr(&jwt), (size_t)(dot - buf_cstr(&jwt)), &text);
	assert_non_null(strstr(
	    buf_cstr(&text), "\"alg\":\"RS256\",\"typ\":\"JWT\",\"x5t\""));
	buf_clear(&text);
	read_base64url(dot + 1, (size_t)(last - dot - 1), &text);
	assert_non_null(strstr(buf_cstr(&text),
	    "{\"aud\":\"https://h/t/oauth2/v2.0/token\",\"iss\":\"app\\\"1\","
	    "\"sub\":\"app\\\"1\",\"jti\":\""));
	assert_non_null(
	    strstr(buf_cstr(&text), ",\"nbf\":1700000000,\"exp\":1700000060}"));
	read_base64url(last + 1, strlen(last + 1), &signature);
	assert_int_equal(
	    EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestVerify(ctx, signature.data, signature.len,
			     jwt.data, (size_t)(last - buf_cstr(&jwt))),
	    1);
	EVP_MD_CTX_free(ctx);
	X509_free(cert);
	EVP_PKEY_free(key);
	buf_release(&pem);
	buf_release(&jwt);
	buf_release(&text);
	buf_release(&signature);
}

/* A key of another kind or size, no key, no certificate, another's. */
static void
refuses(EVP_PKEY *key, X509 *cert, const char *says)
{
	const struct intune_claims claims = { "app.pem", "https://h/", "a", 1 };
	struct buf pem = BUF_SECRET, jwt = BUF_INIT;

	buf_clear(&logged);
	put_pem(key, cert, &pem);
	assert_int_equal(intune_jwt(&claims, buf_span(&pem), &jwt), ERR_INPUT);
	assert_non_null(strstr(buf_cstr(&logged), says));
	buf_release(&pem);
	buf_release(&jwt);
}

static void
bad_keys_are_refused(void **state)
{
	EVP_PKEY *rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048),
		 *small = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024),
		 *ec = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	X509 *cert = make_cert(rsa), *other = make_cert(ec);

	(void)state;
	refuses(small, cert, "app.pem has no RSA key of 2048 bits");
	refuses(ec, other, "app.pem has no RSA key");
	refuses(NULL, cert, "app.pem has no RSA key");
	refuses(NULL, NULL, "app.pem has no RSA key");
	refuses(rsa, NULL, "app.pem has no certificate of its key");
	refuses(rsa, other, "app.pem has no certificate of its key");
	X509_free(cert);
	X509_free(other);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(small);
	EVP_PKEY_free(ec);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, logged_setup, logged_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tokens_end_early),
		TEST(codes_are_rulings),
		TEST(texts_are_cut),
		TEST(uuids_are_random),
		TEST(assertions_are_signed),
		TEST(bad_keys_are_refused),
	};

	return cmocka_run_group_tests_name("intune", tests, NULL, NULL);
}
