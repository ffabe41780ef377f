/*
 * Envelopes and requests that are refused for what they are, before or after
 * they are opened; damage anywhere; recorded messages of real clients.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>

#include "base/log.h"
#include "message/alg.h"
#include "tests/unit/cms.h"

static struct house house;
static struct actor device;
static struct buf csr;
static const struct message_policy all = { .sha1 = true,
	.des3 = true,
	.samekey = true };
static const struct message_policy free_key = { .sha1 = true, .des3 = true };
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

/* Signs content as the device and opens it; OK, and this refusal. */
static void
refused(const struct message_policy *policy, const struct buf *content,
    const struct actor *by, enum failinfo fail)
{
	struct recipe r = { .type = NULL };
	struct buf der = BUF_INIT;
	struct pkimsg msg;

	message_make(&r, by, buf_span(content), &der);
	assert_int_equal(
	    message_open(house.list, 1, policy, buf_span(&der), &msg), OK);
	if (msg.fail != fail)
		fail_msg("%s: %s", failinfo_name(msg.fail),
		    msg.reason ? msg.reason : "no reason");
	assert_string_equal(buf_cstr(&msg.txid), CMS_TXID);
	pkimsg_release(&msg);
	buf_release(&der);
}

/* An envelope for these recipients. */
static void
envelope_for(X509 **to, size_t n, const char *password, struct buf *out)
{
	BIO *in = BIO_new_mem_buf(csr.data, (int)csr.len);
	CMS_ContentInfo *cms = CMS_encrypt(
	    NULL, NULL, EVP_aes_128_cbc(), CMS_BINARY | CMS_PARTIAL);
	unsigned char *pass = (unsigned char *)OPENSSL_strdup(password);

	for (size_t i = 0; i < n; i++)
		assert_non_null(CMS_add1_recipient_cert(cms, to[i], 0));
	if (*password)
		assert_non_null(CMS_add0_recipient_password(
		    cms, -1, NID_undef, NID_undef, pass, -1, NULL));
	else
		OPENSSL_free(pass);
	assert_true(CMS_final(cms, in, NULL, CMS_BINARY));
	envelope_out(cms, in, false, out);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
}

/* C-83, C-92, C-168; C-81: with a password among them, version 3 */
static void
recipients(void **state)
{
	struct actor other;
	X509 *to[11];
	struct buf env = BUF_INIT;

	(void)state;
	actor_new(&other, 2048, "another CA", 99);
	for (size_t i = 0; i < 11; i++)
		to[i] = other.cert;
	envelope_for(to, 1, "", &env);
	refused(&all, &env, &device, FAIL_BADREQUEST);
	envelope_for(to, 1, "password", &env);
	refused(&all, &env, &device, FAIL_BADALG);
	envelope_for(to, 0, "password", &env);
	refused(&all, &env, &device, FAIL_BADALG);
	to[4] = house.cert;
	envelope_for(to, 10, "", &env);
	refused(&all, &env, &device, FAIL_NONE);
	envelope_for(to, 11, "", &env); /* MAX_RECIPIENTS */
	refused(&all, &env, &device, FAIL_BADREQUEST);
	to[0] = house.cert;
	envelope_for(to, 10, "", &env);
	refused(&all, &env, &device, FAIL_BADREQUEST);
	buf_release(&env);
	actor_free(&other);
}

/* The recipient decides the CA; one that is not ours leaves none. */
static void
which_ca(void **state)
{
	struct house second;
	const struct ca *both[2] = { &house.ca, &second.ca };
	struct recipe r = { .type = NULL };
	struct buf der = BUF_INIT;
	struct pkimsg msg;

	(void)state;
	house_new(&second, "CN=Second CA");
	both[1] = &second.ca;
	pkcsreq_make(&r, &second, &device, buf_span(&csr), &der);
	assert_int_equal(message_open(both, 2, &all, buf_span(&der), &msg), OK);
	assert_int_equal(msg.fail, FAIL_NONE);
	assert_ptr_equal(msg.ca, &second.ca);
	pkimsg_release(&msg);
	assert_int_equal(
	    message_open(house.list, 1, &all, buf_span(&der), &msg), OK);
	assert_int_equal(msg.fail, FAIL_BADREQUEST);
	assert_null(msg.ca);
	assert_null(msg.gen);
	pkimsg_release(&msg);
	buf_release(&der);
	house_free(&second);
}

/* Replaces bytes of an envelope by others of the same length. */
static void
replace(struct buf *b, const char *from, const char *to, size_t len)
{
	for (size_t i = 0; i + len <= b->len; i++)
		if (memcmp(b->data + i, from, len) == 0) {
			memcpy(b->data + i, to, len);
			return;
		}
	fail_msg("nothing to replace");
}

/* C-86, C-100, C-160 */
static void
ciphers(void **state)
{
	struct recipe r = { .cipher = EVP_des_ede3_cbc() };
	struct buf env = BUF_INIT;

	(void)state;
	envelope_make(&r, house.cert, buf_span(&csr), &env);
	refused(&all, &env, &device, FAIL_NONE);
	refused(&strict, &env, &device, FAIL_BADALG);
	replace(&env, "\x86\x48\x86\xf7\x0d\x03\x07",
	    "\x86\x48\x86\xf7\x0d\x03\x02", 7); /* RC2 */
	refused(&all, &env, &device, FAIL_BADALG);
	replace(&env, "\x86\x48\x86\xf7\x0d\x03\x02",
	    "\x86\x48\x86\xf7\x0d\x03\x63", 7);
	refused(&all, &env, &device, FAIL_BADALG);
	envelope_make(&r, house.cert, buf_span(&csr), &env);
	replace(&env, "\x86\x48\x86\xf7\x0d\x01\x01\x01",
	    "\x86\x48\x86\xf7\x0d\x01\x01\x63", 8); /* key transport */
	refused(&all, &env, &device, FAIL_BADALG);
	buf_release(&env);
	/* C-98: in the clear */
	refused(&all, &csr, &device, FAIL_BADREQUEST);
}

/* C-84: the forms of default OAEP, and those that are not served. */
static void
oaep_parameters(void **state)
{
#define OAEP   "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x07"
#define SHA256 "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01"
#define SHA1   "\x30\x07\x06\x05\x2b\x0e\x03\x02\x1a"
#define MGF(n) "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01" n
#define LABEL  "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x09"
#define ROW(s) (const uint8_t *)(s), sizeof(s) - 1
	static const struct {
		const uint8_t *der;
		size_t len;
		int how; /* -1: refused */
	} t[] = {
		{ ROW("\x30\x0b" OAEP), TRANSPORT_OAEP_SHA1 },
		{ ROW("\x30\x0d" OAEP "\x05\x00"), TRANSPORT_OAEP_SHA1 },
		{ ROW("\x30\x0d" OAEP "\x30\x00"), TRANSPORT_OAEP_SHA1 },
		{ ROW("\x30\x35" OAEP "\x30\x28\xa0\x09" SHA1
		      "\xa1\x1b\x30\x19" MGF("\x08") "\x30\x0c\x06\x08"),
		    -1 },
		{ ROW("\x30\x18" OAEP "\x30\x0b\xa0\x09" SHA1),
		    TRANSPORT_OAEP_SHA1 },
		{ ROW("\x30\x1c" OAEP "\x30\x0f\xa0\x0d" SHA256), -1 },
		{ ROW("\x30\x38" OAEP "\x30\x2b\xa0\x0d" SHA256
		      "\xa1\x1a\x30\x18" MGF("\x08") SHA256),
		    TRANSPORT_OAEP_SHA256 },
		{ ROW("\x30\x38" OAEP "\x30\x2b\xa0\x0d" SHA256
		      "\xa1\x1a\x30\x18" MGF("\x63") SHA256),
		    -1 },
		{ ROW("\x30\x1e" OAEP "\x30\x11\xa2\x0f\x30\x0d" LABEL
		      "\x04\x00"),
		    TRANSPORT_OAEP_SHA1 },
		{ ROW("\x30\x1f" OAEP "\x30\x12\xa2\x10\x30\x0e" LABEL
		      "\x04\x01x"),
		    -1 },
		{ ROW("\x30\x0d" OAEP "\x04\x00"), -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct span in = span_of(t[i].der, t[i].len);
		enum transport how = TRANSPORT_V15;
		struct alg alg;
		bool good = alg_read(&in, &alg) && in.len == 0 &&
			    transport_read(&alg, &how);

		if (good != (t[i].how >= 0) || (good && (int)how != t[i].how))
			fail_msg("row %zu", i);
	}
}

/* C-79: what cannot encrypt; C-80, C-160 */
static void
signer_keys(void **state)
{
	struct recipe r = { .type = NULL };
	struct buf env = BUF_INIT;
	struct actor weak, ec;

	(void)state;
	envelope_make(&r, house.cert, buf_span(&csr), &env);
	actor_new(&weak, 768, "weak", 1);
	refused(&all, &env, &weak, FAIL_BADREQUEST);
	actor_make(&ec, EVP_EC_gen("P-256"), "ec", 1);
	actor_sign(&ec);
	/* it may sign, but the request is another key's (C-74) */
	refused(&all, &env, &ec, FAIL_BADREQUEST);
	refused(&free_key, &env, &ec, FAIL_NONE);
	actor_free(&weak);
	actor_free(&ec);
	buf_release(&env);
}

/* A PKCS#10 of this key and digest inside, and what becomes of it. */
static void
request(EVP_PKEY *key, const EVP_MD *md, const struct message_policy *policy,
    enum failinfo fail)
{
	struct recipe r = { .type = NULL };
	struct buf own = BUF_INIT, env = BUF_INIT;

	csr_make(key, md, "secret", MBSTRING_UTF8, &own);
	envelope_make(&r, house.cert, buf_span(&own), &env);
	refused(policy, &env, &device, fail);
	buf_release(&own);
	buf_release(&env);
}

/* C-74, C-100, C-160, and EC requests under an RSA signer */
static void
requests(void **state)
{
	EVP_PKEY *ec = EVP_EC_gen("P-384"), *rsa = EVP_RSA_gen(2048);
	EVP_PKEY *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	(void)state;
	request(device.key, EVP_md5(), &all, FAIL_BADALG);
	request(device.key, EVP_sha1(), &all, FAIL_NONE);
	request(device.key, EVP_sha1(), &strict, FAIL_BADALG);
	request(device.key, EVP_sha512(), &strict, FAIL_NONE);
	request(rsa, EVP_sha256(), &all, FAIL_BADREQUEST);
	request(rsa, EVP_sha256(), &free_key, FAIL_NONE);
	request(ec, EVP_sha384(), &all, FAIL_BADREQUEST);
	request(ec, EVP_sha384(), &free_key, FAIL_NONE);
	request(ed, NULL, &free_key, FAIL_NONE);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ed);
}

/*
 * Every byte of a message damaged, and every length of it: never a crash,
 * and nobody's request but the device's own.
 */
static void
damage(void **state)
{
	struct recipe r = { .stream = true };
	struct buf der = BUF_INIT;
	struct pkimsg msg;

	(void)state;
	pkcsreq_make(&r, &house, &device, buf_span(&csr), &der);
	for (size_t i = 0; i < der.len; i++) {
		uint8_t *cut = malloc(i + 1);

		memcpy(cut, der.data, i);
		assert_int_equal(
		    message_open(house.list, 1, &all, span_of(cut, i), &msg),
		    ERR_INPUT);
		pkimsg_release(&msg);
		free(cut);
		der.data[i] ^= (uint8_t)(1 << i % 8);
		if (message_open(house.list, 1, &all, buf_span(&der), &msg) ==
			OK &&
		    msg.fail == FAIL_NONE && msg.type == MSG_PKCSREQ)
			assert_true(
			    span_eq(buf_span(&msg.csr.der), buf_span(&csr)));
		pkimsg_release(&msg);
		der.data[i] ^= (uint8_t)(1 << i % 8);
	}
	buf_release(&der);
}

/* Opens one recorded file; -1: HTTP 400, else the failInfo. */
static int
recorded(const char *dir, const char *name)
{
	struct buf der = BUF_INIT;
	struct pkimsg msg;
	uint8_t bytes[4096];
	char path[4096];
	enum err e;
	FILE *f;
	size_t n;
	int fail;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if ((f = fopen(path, "rb")) == NULL)
		fail_msg("cannot open %s", path);
	while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0)
		assert_true(buf_add(&der, bytes, n));
	fclose(f);
	e = message_open(house.list, 1, &all, buf_span(&der), &msg);
	assert_true(e == OK || e == ERR_INPUT);
	fail = e == OK ? (int)msg.fail : -1;
	if (e == OK)
		assert_null(msg.ca);
	print_message("%s: %s: %s\n", name,
	    e == OK ? failinfo_name(msg.fail) : "HTTP 400",
	    msg.reason ? msg.reason : "");
	pkimsg_release(&msg);
	buf_release(&der);
	return fail;
}

static void
vectors(void **state)
{
	const char *dir = getenv("SCEP_VECTORS"); /* NOLINT(concurrency-*) */
	DIR *d = dir ? opendir(dir) : NULL;

	(void)state;
	if (d == NULL) {
		print_message("SCEP_VECTORS names no folder of recorded "
			      "messages: skipped\n");
		skip();
		return;
	}
	closedir(d);
	assert_int_equal(recorded(dir, "ejbca/openscep.der"), FAIL_BADALG);
	assert_int_equal(recorded(dir, "ejbca/sscep.der"), FAIL_BADALG);
	assert_int_equal(recorded(dir, "ejbca/ciscovpnscep.der"), FAIL_BADALG);
	assert_int_equal(recorded(dir, "jscep/scep_req2.der"), FAIL_BADREQUEST);
	assert_int_equal(recorded(dir, "jscep/scep_resp2.der"), -1);
	assert_int_equal(recorded(dir, "jscep/scep_req0.der"), -1);
	assert_int_equal(recorded(dir, "jscep/scep_req1.der"), -1);
	assert_int_equal(recorded(dir, "ejbca/p12.der"), -1);
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
		cmocka_unit_test(recipients),
		cmocka_unit_test(which_ca),
		cmocka_unit_test(ciphers),
		cmocka_unit_test(oaep_parameters),
		cmocka_unit_test(signer_keys),
		cmocka_unit_test(requests),
		cmocka_unit_test(damage),
		cmocka_unit_test(vectors),
	};

	log_sink(quiet, NULL);
	return cmocka_run_group_tests_name("envelope", tests, setup, teardown);
}
