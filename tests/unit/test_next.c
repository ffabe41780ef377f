/*
 * The answer of GetNextCACert (C-39, C-40), what the key's door signs for it,
 * and what a CA is called.
 */
#include "tests/unit/home.h"

#include <openssl/cms.h>

#include "base/limits.h"
#include "ca/folder.h"
#include "message/message.h"

static struct cas *cas;

static const struct ca *
find(const char *name)
{
	const struct ca *ca = NULL;

	cas_free(cas);
	cas = NULL;
	assert_int_equal(cas_new(home, &cas), OK);
	if (cas_find(cas, name, &ca) != OK)
		fail_msg("%s", buf_cstr(&logged));
	return ca;
}

static void
remake(const char *name, int64_t days)
{
	cli_remove(at("ca/Roll"));
	assert_int_equal(create("Roll", name, "rsa:2048", days), OK);
}

/* ---- GetNextCACert, read by OpenSSL ---- */

static void
test_next_answer(void **state)
{
	const struct ca_again order = { .days = 300 };
	struct span certs[MAX_CERTS];
	struct buf answer = BUF_INIT;
	const struct generation *now, *next;
	const struct ca *ca;
	STACK_OF(X509) * list;
	X509_STORE *trust = X509_STORE_new();
	BIO *inner = BIO_new(BIO_s_mem());
	CMS_ContentInfo *cms;
	const uint8_t *p;
	X509 *x;
	size_t n = 0;

	(void)state;
	remake("CN=Roll", 100);
	ca = find("Roll");
	assert_int_equal(
	    ca_next_certs(ca, time_now(), certs, &n), ERR_NOTFOUND);
	assert_int_equal(ca_rollover(home, ca, &order, time_now()), OK);
	ca = find("Roll");
	now = &ca->gen[0];
	next = &ca->gen[1];
	assert_int_equal(ca_next_certs(ca, time_now(), certs, &n), OK);
	assert_int_equal(n, 1);
	assert_int_equal(message_next(now, certs, n, &answer), OK);
	p = answer.data;
	cms = d2i_CMS_ContentInfo(NULL, &p, (long)answer.len);
	assert_non_null(cms);
	assert_ptr_equal(p, answer.data + answer.len);
	p = now->cert.data;
	x = d2i_X509(NULL, &p, (long)now->cert.len);
	list = sk_X509_new_null();
	assert_true(sk_X509_push(list, x) > 0);
	assert_int_equal(CMS_verify(cms, list, trust, NULL, inner,
			     CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY),
	    1);
	assert_int_equal(CMS_signed_get_attr_count(sk_CMS_SignerInfo_value(
			     CMS_get0_SignerInfos(cms), 0)),
	    2);
	CMS_ContentInfo_free(cms);
	sk_X509_pop_free(list, X509_free);
	/* the content is a SignedData of the next certificate (C-40) */
	cms = d2i_CMS_bio(inner, NULL);
	assert_non_null(cms);
	list = CMS_get1_certs(cms);
	assert_int_equal(sk_X509_num(list), 1);
	p = next->cert.data;
	x = d2i_X509(NULL, &p, (long)next->cert.len);
	assert_int_equal(X509_cmp(x, sk_X509_value(list, 0)), 0);
	X509_free(x);
	sk_X509_pop_free(list, X509_free);
	CMS_ContentInfo_free(cms);
	X509_STORE_free(trust);
	BIO_free(inner);
	buf_release(&answer);
}

#define CONTENT_TYPE(oid)                                  \
	"\x30\x18\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09" \
	"\x03\x31\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01" \
	"\x07" oid
#define DIGEST                                                         \
	"\x30\x11\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04\x31\x04" \
	"\x04\x02\xaa\xbb"
#define MESSAGE_TYPE                                           \
	"\x30\x12\x06\x0a\x60\x86\x48\x01\x86\xf8\x45\x01\x09" \
	"\x02\x31\x04\x13\x02\x33\x30"
#define SIGNING_TIME                                           \
	"\x30\x1c\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x05" \
	"\x31\x0f\x17\x0d\x32\x36\x30\x31\x30\x31\x30\x30\x30" \
	"\x30\x30\x30\x5a"
#define SET(length, body)                            \
	{                                            \
		length body, sizeof(length body) - 1 \
	}

/* The key's door: these two attributes, and nothing that is more or less. */
static void
test_door(void **state)
{
	static const struct {
		const char *der;
		size_t len;
	} sets[] = {
		SET("\x31\x2d", CONTENT_TYPE("\x01") DIGEST),
		SET("\x31\x2d", CONTENT_TYPE("\x02") DIGEST),
		SET("\x30\x2d", CONTENT_TYPE("\x01") DIGEST),
		SET("\x31\x2d", DIGEST CONTENT_TYPE("\x01")),
		SET("\x31\x1a", CONTENT_TYPE("\x01")),
		SET("\x31\x13", DIGEST),
		SET("\x31\x41", CONTENT_TYPE("\x01") DIGEST MESSAGE_TYPE),
		SET("\x31\x4b", CONTENT_TYPE("\x01") DIGEST SIGNING_TIME),
		SET("\x31\x40", CONTENT_TYPE("\x01") DIGEST DIGEST),
		SET("\x31\x2e", CONTENT_TYPE("\x01") DIGEST "\x05"),
		SET("\x31\x00", ""),
		SET("", ""),
	};
	const struct ca *ca = find("Test CA");
	struct buf sig = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
		enum err want = i == 0 ? OK : ERR_REFUSED;
		enum err e = key_sign_next(ca->gen[0].key, DIGEST_SHA256,
		    span_of(sets[i].der, sets[i].len), &sig);

		if (e != want)
			fail_msg("set %zu: %d", i, (int)e);
		assert_int_equal(sig.len, want == OK ? 256 : 0);
		buf_clear(&sig);
		/* what one verb signs the other does not */
		assert_int_equal(key_sign_attrs(ca->gen[0].key, DIGEST_SHA256,
				     span_of(sets[i].der, sets[i].len), &sig),
		    ERR_REFUSED);
	}
	buf_release(&sig);
}

/* ---- names ---- */

static void
put_ini(const char *text)
{
	put("ca/Roll/ca.ini", span_of(text, strlen(text)));
}

static void
test_ini(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "[ca]\nformers = x\n", "ca/Roll/ca.ini:2: [ca] formers" },
		{ "[other]\nx = 1\n", "ca/Roll/ca.ini:2: [other] x" },
		{ "[ca]\nformer = \"a,,b\"\n", "names of a CA" },
		{ "[approval]\nrequired = 10\n", "from 0 to 9" },
		{ "[approval]\nrequired = x\n", "from 0 to 9" },
		{ "[approval]\nrenewals = 1\n", "yes or no" },
	};
	const struct ca *ca;

	(void)state;
	remake("CN=Roll", 100);
	ca = find("Roll");
	assert_string_equal(ca->name, "Roll");
	assert_int_equal(ca->approval, 0);
	assert_false(ca->approval_renewals);
	put_ini("[ca]\nformer = First One ,Second\n[approval]\nrequired = 2\n"
		"renewals = Yes\n");
	ca = find("Second");
	assert_string_equal(ca->name, "First One");
	assert_string_equal(ca->called, "Roll");
	assert_int_equal(ca->approval, 2);
	assert_true(ca->approval_renewals);
	assert_true(ca_called(ca, "Roll"));
	assert_true(ca_called(ca, "First One"));
	assert_true(ca_called(ca, "Second"));
	assert_false(ca_called(ca, "Third"));
	cas_free(cas);
	cas = NULL;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		put_ini(bad[i].text);
		buf_clear(&logged);
		assert_int_equal(cas_new(home, &cas), OK);
		assert_int_equal(cas_find(cas, "Roll", &ca), ERR_SYSTEM);
		assert_true(said(bad[i].says));
		cas_free(cas);
		cas = NULL;
	}
}

/* Loaded CAs notice a change of ca.ini alone, and a new name. */
static void
test_rename(void **state)
{
	struct buf called = BUF_INIT, first = BUF_INIT;
	const struct ca *ca, *again = NULL;

	(void)state;
	remake("CN=Roll", 100);
	ca = find("Roll");
	assert_int_equal(ca_rename(home, ca, "Roll"), ERR_EXISTS);
	assert_int_equal(ca_rename(home, ca, "Test CA"), ERR_EXISTS);
	assert_int_equal(ca_rename(home, ca, "a,b"), ERR_INPUT);
	assert_int_equal(ca_rename(home, ca, "New"), OK);
	cas_refresh(cas);
	assert_int_equal(cas_find(cas, "Roll", &ca), OK);
	assert_int_equal(cas_find(cas, "New", &again), OK);
	assert_ptr_equal(ca, again);
	assert_string_equal(ca->name, "Roll");
	assert_string_equal(ca->called, "New");
	assert_int_equal(ca_vacant(home, "Roll"), ERR_REFUSED);
	assert_true(said("a former name of CA New"));
	/* on, and back: all of its names stay its own */
	assert_int_equal(ca_rename(home, find("New"), "Newer"), OK);
	assert_int_equal(ca_rename(home, find("New"), "Roll"), OK);
	ca = find("Newer");
	assert_string_equal(ca->name, "Roll");
	assert_string_equal(ca->called, "Roll");
	assert_int_equal(ca->nformer, 3);
	assert_int_equal(ca_identify(home, "New", &called, &first), OK);
	assert_string_equal(buf_cstr(&called), "Roll");
	assert_string_equal(buf_cstr(&first), "Roll");
	assert_int_equal(ca_identify(home, "Nobody", NULL, NULL), ERR_NOTFOUND);
	buf_release(&called);
	buf_release(&first);
	cli_remove(at("ca/Roll"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_next_answer),
		cmocka_unit_test(test_door),
		cmocka_unit_test(test_ini),
		cmocka_unit_test(test_rename),
	};
	int failed;

	log_sink(keep_log, NULL);
	failed = cmocka_run_group_tests(tests, setup, teardown);
	cas_free(cas);
	buf_release(&logged);
	return failed;
}
