/*
 * A code is not spent on a refusal that is final: what can refuse is looked
 * for before it pays (STORE.md, A grant; C-115).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/time.h"
#include "ca/ca.h"
#include "ca/der.h"
#include "ca/dn.h"
#include "enrol.h"
#include "store/cert.h"
#include "store/onetime.h"
#include "tests/unit/cli.h"

/* A home with a CA, and an alias in RA mode that takes one-time codes. */
struct world {
	char path[200];
	int home;
	struct store store;
	struct cas *cas;
	struct profiles *profiles;
	struct enrol in;
	struct alias alias;
	int64_t now;
};

/* One client's request, with its own code and key. */
struct client {
	struct pkimsg msg;
	struct decision d;
	struct buf subject, spki;
	struct onetime code;
};

static void
new_spki(struct buf *out)
{
	unsigned char *der = NULL;
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	int len = i2d_PUBKEY(key, &der);

	assert_true(len > 0);
	assert_true(buf_add(out, der, (size_t)len));
	OPENSSL_free(der);
	EVP_PKEY_free(key);
}

static void
write_profile(struct world *w)
{
	static const char text[] =
	    "[entity]\nenrolments = 2\nCN = optional\nO = optional\n";
	struct timespec t[2] = { { time(NULL) - 9, 0 }, { time(NULL) - 9, 0 } };
	int fd;

	assert_int_equal(dir_make(w->home, "profiles"), OK);
	fd = openat(w->home, "profiles/two.ini", O_WRONLY | O_CREAT, 0640);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(futimens(fd, t), 0);
	(void)close(fd);
}

static int
setup(void **state)
{
	static const struct ca_order order = { .name = "TestCA",
		.subject = "CN=Test CA,O=Lab",
		.key = "rsa:2048",
		.days = 3650 };
	static char name[] = "TestCA", two[] = "two", profile[] = "ENDUSER",
		    parameters[] = "CN", none[] = "";
	static char *cas[] = { name };
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->home = cli_tmpdir(w->path, sizeof(w->path));
	w->now = time_now();
	assert_int_equal(dir_make(w->home, "ca"), OK);
	assert_int_equal(store_init(w->home, 2), OK);
	assert_int_equal(store_open(w->home, &w->store), OK);
	assert_int_equal(ca_create(w->home, &order, w->now - 60), OK);
	assert_int_equal(cert_rooms(&w->store, "TestCA", 1), OK);
	assert_int_equal(cas_new(w->home, &w->cas), OK);
	assert_int_equal(profiles_new(w->home, &w->profiles), OK);
	w->in = (struct enrol){ .store = &w->store, .profiles = w->profiles };
	w->alias = (struct alias){ .name = "ra",
		.mode = MODE_RA,
		.cas = cas,
		.ncas = 1,
		.challenge = { .judge = JUDGE_ONETIME },
		.ra = { .entityprofile = two,
		    .profile = profile,
		    .parameters = parameters,
		    .prefix = none,
		    .postfix = none,
		    .existing = EXISTING_EDIT },
		.approval = { .expiry = DAY, .limit = 100 } };
	write_profile(w);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	cas_free(w->cas);
	profiles_free(w->profiles);
	store_release(&w->store);
	file_close(&w->home);
	cli_remove(w->path);
	free(w);
	return 0;
}

static void
new_client(struct world *w, struct client *c, const char *id)
{
	static char alias[] = "ra", by[] = "nobody";

	*c = (struct client){ .subject = BUF_INIT };
	pkimsg_init(&c->msg);
	c->code.alias = alias;
	c->code.by = by;
	c->code.code.count = 1;
	c->code.code.expires = w->now + DAY;
	assert_int_equal(
	    onetime_add(&w->store, &c->code, &c->msg.csr.challenge), OK);
	assert_int_equal(dn_parse("CN=a", &c->subject), OK);
	new_spki(&c->spki);
	c->msg.type = MSG_PKCSREQ;
	c->msg.fail = FAIL_NONE;
	assert_int_equal(cas_find(w->cas, "TestCA", &c->msg.ca), OK);
	c->msg.gen = ca_current(c->msg.ca, w->now);
	c->msg.csr.subject = buf_span(&c->subject);
	c->msg.csr.spki = buf_span(&c->spki);
	c->msg.signer_type = KEY_RSA;
	assert_int_equal(sha256(c->msg.csr.spki, c->msg.signer_key), OK);
	assert_int_equal(
	    sha256_hex(span_of(id, strlen(id)), c->msg.csr.digest), OK);
	assert_true(buf_str(&c->msg.txid, id));
	decision_init(&c->d);
}

static enum err
decide(struct world *w, struct client *c)
{
	decision_release(&c->d);
	return enrol_decide(&w->in, &w->alias, &c->msg, w->now, &c->d);
}

static enum err
grant(struct world *w, struct client *c)
{
	return enrol_grant(&w->in, &c->msg, "", w->now, &c->d);
}

static void
done(struct client *c)
{
	decision_release(&c->d);
	pkimsg_release(&c->msg);
	buf_release(&c->subject);
	buf_release(&c->spki);
}

static void
used(struct world *w, const struct client *c, unsigned want)
{
	unsigned n = 99;

	assert_int_equal(code_used(&w->store, &c->code.code, &n), OK);
	assert_int_equal(n, want);
}

/* Both looked while there was one enrolment left. */
static void
the_last_enrolment(void **state)
{
	struct world *w = *state;
	struct client a, b, c;

	new_client(w, &a, "1");
	new_client(w, &b, "2");
	new_client(w, &c, "3");
	assert_int_equal(decide(w, &a), OK);
	assert_int_equal(a.d.verdict, VERDICT_GRANT);
	assert_int_equal(grant(w, &a), OK);
	assert_int_equal(a.d.verdict, VERDICT_ISSUED);
	assert_int_equal(decide(w, &b), OK);
	assert_int_equal(decide(w, &c), OK);
	assert_int_equal(b.d.verdict, VERDICT_GRANT);
	assert_int_equal(c.d.verdict, VERDICT_GRANT);
	assert_int_equal(grant(w, &b), OK);
	assert_int_equal(b.d.verdict, VERDICT_ISSUED);
	assert_int_equal(grant(w, &c), OK);
	assert_int_equal(c.d.verdict, VERDICT_REFUSE);
	assert_int_equal(c.d.fail, FAIL_BADREQUEST);
	assert_string_equal(
	    c.d.reason, "the entity has had all its enrolments (`enrolments`)");
	used(w, &a, 1);
	used(w, &b, 1);
	used(w, &c, 0);
	done(&a);
	done(&b);
	done(&c);
}

/*
 * enrol_look() admits nothing that is too large for a certificate's record; that
 * a request's is larger yet only its writer knows.
 */
static void
too_large_to_wait(void **state)
{
	struct world *w = *state;
	struct buf value = BUF_INIT;
	struct client a;

	w->alias.approval.required = 1;
	new_client(w, &a, "1");
	assert_true(buf_reserve(&value, MAX_RECORD));
	while (value.len < MAX_RECORD)
		assert_true(buf_byte(&value, 'x'));
	assert_int_equal(decide(w, &a), OK);
	assert_int_equal(a.d.verdict, VERDICT_ASK);
	a.msg.csr.asked[0] =
	    (struct extension){ .oid = DER_BYTES("\x2a\x03\x04"),
		    .value = buf_span(&value) };
	a.msg.csr.nasked = 1;
	assert_int_equal(grant(w, &a), OK);
	assert_int_equal(a.d.verdict, VERDICT_REFUSE);
	assert_string_equal(
	    a.d.reason, "the request is too large for a record");
	used(w, &a, 0);
	/* the same code, for a request that is better */
	a.msg.csr.nasked = 0;
	assert_int_equal(decide(w, &a), OK);
	assert_int_equal(a.d.verdict, VERDICT_ASK);
	assert_int_equal(grant(w, &a), OK);
	assert_int_equal(a.d.verdict, VERDICT_WAIT);
	used(w, &a, 1);
	buf_release(&value);
	done(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    the_last_enrolment, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    too_large_to_wait, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
