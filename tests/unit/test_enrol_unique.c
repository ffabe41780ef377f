/*
 * Unique keys and subjects in an enrolment: who loses after paying has paid
 * for nothing (C-115, C-119).
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
#include "base/time.h"
#include "ca/ca.h"
#include "ca/dn.h"
#include "enrol.h"
#include "enrol_unique.h"
#include "store/cert.h"
#include "store/unique.h"
#include "tests/unit/cli.h"

#define SECRET "a generated code"

/* A home with a CA, two entities, and a profile that wants all unique. */
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

/* One client's request. */
struct client {
	struct pkimsg msg;
	struct decision d;
	struct buf subject;
};

static struct buf spki[2];

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
new_entity(struct world *w, const char *username)
{
	struct entity e = ENTITY_INIT;
	char id[CODE_ID];

	assert_int_equal(
	    code_add(&w->store, username, span_of(SECRET, strlen(SECRET)),
		CODE_SHA256, 2, 0, id),
	    OK);
	e.username = str_dup(username);
	e.ca = str_dup("TestCA");
	e.profile = str_dup("unique");
	e.code = str_dup(id);
	assert_int_equal(entity_add(&w->store, &e), OK);
	entity_release(&e);
}

static void
write_profile(struct world *w)
{
	static const char text[] =
	    "[entity]\nuniquekey = yes\nuniquesubject = yes\nO = optional\n";
	struct timespec t[2] = { { time(NULL) - 9, 0 }, { time(NULL) - 9, 0 } };
	int fd;

	assert_int_equal(dir_make(w->home, "profiles"), OK);
	fd = openat(w->home, "profiles/unique.ini", O_WRONLY | O_CREAT, 0640);
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
	static char name[] = "TestCA";
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
	w->alias = (struct alias){
		.name = "scep", .cas = cas, .ncas = 1, .cutusername = true
	};
	new_spki(&spki[0]);
	new_spki(&spki[1]);
	write_profile(w);
	new_entity(w, "a");
	new_entity(w, "b");
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
	buf_release(&spki[0]);
	buf_release(&spki[1]);
	cli_remove(w->path);
	free(w);
	return 0;
}

/* A request of the entity that the subject's CN names, decided. */
static enum err
ask(struct world *w, struct client *c, const char *dn, int key, const char *id)
{
	*c = (struct client){ .subject = BUF_INIT };
	pkimsg_init(&c->msg);
	decision_init(&c->d);
	assert_int_equal(dn_parse(dn, &c->subject), OK);
	c->msg.type = MSG_PKCSREQ;
	c->msg.fail = FAIL_NONE;
	assert_int_equal(cas_find(w->cas, "TestCA", &c->msg.ca), OK);
	c->msg.gen = ca_current(c->msg.ca, w->now);
	c->msg.csr.subject = buf_span(&c->subject);
	c->msg.csr.spki = buf_span(&spki[key]);
	c->msg.signer_type = KEY_RSA;
	assert_int_equal(sha256(c->msg.csr.spki, c->msg.signer_key), OK);
	assert_int_equal(
	    sha256_hex(span_of(id, strlen(id)), c->msg.csr.digest), OK);
	assert_true(buf_str(&c->msg.csr.challenge, SECRET));
	assert_true(buf_str(&c->msg.txid, id));
	return enrol_decide(&w->in, &w->alias, &c->msg, w->now, &c->d);
}

static enum err
grant(struct world *w, struct client *c)
{
	assert_int_equal(c->d.verdict, VERDICT_GRANT);
	return enrol_grant(&w->in, &c->msg, "", w->now, &c->d);
}

static void
done(struct client *c)
{
	decision_release(&c->d);
	pkimsg_release(&c->msg);
	buf_release(&c->subject);
}

static void
used(struct world *w, const char *username, unsigned want)
{
	struct entity e = ENTITY_INIT;
	struct code code = { 0 };
	unsigned n = 99;

	assert_int_equal(
	    entity_find(&w->store, span_of(username, strlen(username)), &e),
	    OK);
	assert_int_equal(code_find(&w->store, username, e.code, &code), OK);
	assert_int_equal(code_used(&w->store, &code, &n), OK);
	assert_int_equal(n, want);
	code_release(&code);
	entity_release(&e);
}

static void
refused(struct client *c, const char *why)
{
	assert_int_equal(c->d.verdict, VERDICT_REFUSE);
	assert_int_equal(c->d.fail, FAIL_BADREQUEST);
	assert_string_equal(c->d.reason, why);
}

static const char key_taken[] = "a living certificate has this key";
static const char name_taken[] =
    "a living certificate of another entity has this subject";

/* Both looked before either had paid. */
static void
the_second_key_pays_nothing(void **state)
{
	struct world *w = *state;
	struct client a, b;

	assert_int_equal(ask(w, &a, "CN=a", 0, "1"), OK);
	assert_int_equal(ask(w, &b, "CN=b", 0, "2"), OK);
	assert_int_equal(grant(w, &a), OK);
	assert_int_equal(a.d.verdict, VERDICT_ISSUED);
	assert_int_equal(grant(w, &b), OK);
	refused(&b, key_taken);
	used(w, "a", 1);
	used(w, "b", 0);
	done(&b);
	/* from now on it is refused before */
	assert_int_equal(ask(w, &b, "CN=b", 0, "2"), OK);
	refused(&b, key_taken);
	done(&b);
	assert_int_equal(ask(w, &b, "CN=b", 1, "2"), OK);
	assert_int_equal(grant(w, &b), OK);
	assert_int_equal(b.d.verdict, VERDICT_ISSUED);
	used(w, "b", 1);
	done(&a);
	done(&b);
}

/* The record of b has the subject of a, in other letters. */
static void
the_second_subject_keeps_no_key(void **state)
{
	struct world *w = *state;
	struct client a, b;
	struct entity e = ENTITY_INIT;

	assert_int_equal(entity_find(&w->store, span_of("b", 1), &e), OK);
	e.subject = str_dup("CN=A");
	assert_int_equal(entity_update(&w->store, &e), OK);
	entity_release(&e);
	assert_int_equal(ask(w, &a, "CN=a", 0, "1"), OK);
	assert_int_equal(ask(w, &b, "CN=b", 1, "2"), OK);
	assert_int_equal(grant(w, &a), OK);
	assert_int_equal(grant(w, &b), OK);
	refused(&b, name_taken);
	used(w, "b", 0);
	done(&a);
	done(&b);
	/* the key that b claimed first is free: a has its subject again */
	assert_int_equal(ask(w, &a, "CN=a", 1, "3"), OK);
	assert_int_equal(grant(w, &a), OK);
	assert_int_equal(a.d.verdict, VERDICT_ISSUED);
	done(&a);
}

/* While a rival is at work: 503, and nothing is kept for it. */
static void
waits_for_the_undecided(void **state)
{
	struct world *w = *state;
	struct client a, b;
	enum outcome_kind kind = OUTCOME_CERTIFICATE;

	assert_int_equal(ask(w, &a, "CN=a", 0, "1"), OK);
	assert_int_equal(ask(w, &b, "CN=b", 0, "2"), OK);
	assert_int_equal(enrol_unique_claim(&w->in, &a.msg, w->now, &a.d), OK);
	assert_int_equal(grant(w, &b), ERR_BUSY);
	assert_int_equal(
	    outcome_kind(&w->store, b.d.transaction.name, 1, &kind), OK);
	assert_int_equal(kind, OUTCOME_ABANDONED);
	used(w, "b", 0);
	done(&b);
	assert_int_equal(ask(w, &b, "CN=b", 0, "2"), ERR_BUSY);
	done(&b);
	/* the first goes on with what it claimed */
	assert_int_equal(grant(w, &a), OK);
	assert_int_equal(a.d.verdict, VERDICT_ISSUED);
	done(&a);
	assert_int_equal(ask(w, &b, "CN=b", 1, "2"), OK);
	assert_int_equal(grant(w, &b), OK);
	assert_int_equal(b.d.verdict, VERDICT_ISSUED);
	done(&b);
}

/* The entity's own key is taken too, unless a renewal may keep it. */
static void
same_key_where_admitted(void **state)
{
	struct world *w = *state;
	struct client a;

	assert_int_equal(ask(w, &a, "CN=a", 0, "1"), OK);
	assert_int_equal(grant(w, &a), OK);
	done(&a);
	assert_int_equal(ask(w, &a, "CN=a", 0, "2"), OK);
	refused(&a, key_taken);
	a.d.same_key = true;
	buf_clear(&a.d.subject);
	buf_clear(&a.d.subject_text);
	assert_int_equal(
	    enrol_look(&w->in, &w->alias, &a.msg, w->now, &a.d), OK);
	assert_int_equal(grant(w, &a), OK);
	assert_int_equal(a.d.verdict, VERDICT_ISSUED);
	done(&a);
	assert_int_equal(ask(w, &a, "CN=b", 0, "3"), OK);
	refused(&a, key_taken);
	done(&a);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_second_key_pays_nothing),
		TEST(the_second_subject_keeps_no_key),
		TEST(waits_for_the_undecided),
		TEST(same_key_where_admitted),
	};

	return cmocka_run_group_tests_name("enrol unique", tests, NULL, NULL);
}
