/*
 * The order of an opening (C-53, C-169, C-177): the CA's key is asked once, and
 * only for a message whose signature is good.  The Makefile links this program
 * with --wrap=key_unwrap.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/cms.h"

static struct house house;
static struct actor device;
static struct buf csr;
static unsigned unwraps;

enum err __real_key_unwrap(struct key *key, enum transport how,
    struct span block, size_t len, uint8_t *out);
enum err __wrap_key_unwrap(struct key *key, enum transport how,
    struct span block, size_t len, uint8_t *out);

enum err
__wrap_key_unwrap(struct key *key, enum transport how, struct span block,
    size_t len, uint8_t *out)
{
	unwraps++;
	return __real_key_unwrap(key, how, block, len, out);
}

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

/* Whose the signer's certificate is: this answer for everybody. */
static struct signer_answer answer;
static bool asked;

static enum err
find_signer(void *arg, const struct pkimsg *msg, struct signer_answer *out)
{
	(void)arg;
	(void)msg;
	*out = answer;
	return OK;
}

/* Opens it: this answer, after that many unwraps. */
static void
opens(const struct buf *der, bool sha1, enum failinfo fail, unsigned times)
{
	const struct signer_source signers = { .find = find_signer };
	const struct message_policy policy = { .sha1 = sha1,
		.des3 = true,
		.samekey = true,
		.signers = asked ? &signers : NULL };
	struct pkimsg msg;

	unwraps = 0;
	assert_int_equal(
	    message_open(house.list, 1, &policy, buf_span(der), &msg), OK);
	assert_int_equal(msg.fail, fail);
	assert_int_equal(unwraps, times);
	pkimsg_release(&msg);
}

/* The last byte of a message is the last of its signature. */
static void
signature_first(void **state)
{
	struct recipe r = { .type = NULL };
	struct buf der = BUF_INIT;

	(void)state;
	pkcsreq_make(&r, &house, &device, buf_span(&csr), &der);
	opens(&der, true, FAIL_NONE, 1);
	for (size_t i = 1; i < 256; i += 50) {
		der.data[der.len - i] ^= 1;
		opens(&der, true, FAIL_BADMESSAGECHECK, 0);
		der.data[der.len - i] ^= 1;
	}
	buf_release(&der);
}

/* A byte of the envelope: its digest is not the signed one. */
static void
digest_first(void **state)
{
	struct recipe r = { .type = NULL };
	struct buf der = BUF_INIT, env = BUF_INIT;
	size_t at = 0;

	(void)state;
	envelope_make(&r, house.cert, buf_span(&csr), &env);
	message_make(&r, &device, buf_span(&env), &der);
	while (at + env.len < der.len &&
	       memcmp(der.data + at, env.data, env.len) != 0)
		at++;
	assert_true(at + env.len < der.len);
	der.data[at + env.len - 1] ^= 1;
	opens(&der, true, FAIL_BADMESSAGECHECK, 0);
	buf_release(&der);
	buf_release(&env);
}

/* What the policy refuses, and types that have nothing to open. */
static void
policy_first(void **state)
{
	struct recipe sha1 = { .md = EVP_sha1() }, poll = { .type = "20" };
	struct recipe other = { .type = "4242" };
	struct buf der = BUF_INIT;

	(void)state;
	pkcsreq_make(&sha1, &house, &device, buf_span(&csr), &der);
	opens(&der, true, FAIL_NONE, 1);
	opens(&der, false, FAIL_BADALG, 0);
	pkcsreq_make(&poll, &house, &device, buf_span(&csr), &der);
	opens(&der, true, FAIL_NONE, 0);
	pkcsreq_make(&other, &house, &device, buf_span(&csr), &der);
	opens(&der, true, FAIL_NONE, 0);
	buf_release(&der);
}

/* A renewal's signer, before anything is opened; and then one answer for all. */
static void
signer_first(void **state)
{
	static const enum failinfo fails[] = { FAIL_BADMESSAGECHECK,
		FAIL_BADREQUEST };
	struct recipe r = { .type = "17" };
	struct buf der = BUF_INIT, noise = BUF_INIT;

	(void)state;
	pkcsreq_make(&r, &house, &device, buf_span(&csr), &der);
	opens(&der, true, FAIL_BADMESSAGECHECK, 0); /* nobody's */
	asked = true;
	for (size_t i = 0; i < sizeof(fails) / sizeof(*fails); i++) {
		answer = (struct signer_answer){ .fail = fails[i],
			.why = "not any more" };
		opens(&der, true, fails[i], 0);
	}
	answer = (struct signer_answer){ .renews = true,
		.ca = house.list[0],
		.generation = 1,
		.fail = FAIL_NONE };
	opens(&der, true, FAIL_NONE, 1);
	assert_true(buf_add(&noise, csr.data, csr.len / 2));
	buf_clear(&der);
	pkcsreq_make(&r, &house, &device, buf_span(&noise), &der);
	opens(&der, true, FAIL_BADMESSAGECHECK, 1); /* as for a foreign name */
	asked = false;
	buf_release(&der);
	buf_release(&noise);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signature_first),
		cmocka_unit_test(digest_first),
		cmocka_unit_test(policy_first),
		cmocka_unit_test(signer_first),
	};

	return cmocka_run_group_tests_name("order", tests, setup, teardown);
}
