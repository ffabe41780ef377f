/* Whose request it is and what it gets (C-116). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/file.h"
#include "base/time.h"
#include "ca/ca.h"
#include "ca/der.h"
#include "ca/dn.h"
#include "enrol.h"
#include "store/cert.h"
#include "store/revoked.h"

#define SECRET "a code that a person chose"

/* A home with a CA, and a request that the tests bend. */
struct world {
	char path[64];
	int home;
	struct store store;
	struct cas *cas;
	const struct ca *ca;
	struct profiles *profiles;
	struct enrol in;
	struct alias alias;
	struct pkimsg msg;
	int64_t now;
};

static struct buf
new_spki(void)
{
	struct buf out = BUF_INIT;
	unsigned char *der = NULL;
	EVP_PKEY *key = EVP_RSA_gen(2048);
	int len = i2d_PUBKEY(key, &der);

	assert_true(len > 0);
	assert_true(buf_add(&out, der, (size_t)len));
	OPENSSL_free(der);
	EVP_PKEY_free(key);
	return out;
}

/* Gives the request a subject, key, challenge and transactionID. */
static struct buf spki[2], subject;

static void
ask(struct world *w, const char *dn, int key, const char *challenge,
    const char *csr)
{
	pkimsg_release(&w->msg);
	pkimsg_init(&w->msg);
	buf_clear(&subject);
	assert_int_equal(dn_parse(dn, &subject), OK);
	w->msg.type = MSG_PKCSREQ;
	w->msg.fail = FAIL_NONE;
	w->msg.ca = w->ca;
	w->msg.gen = ca_current(w->ca, w->now);
	w->msg.csr.subject = buf_span(&subject);
	w->msg.csr.spki = buf_span(&spki[key]);
	assert_int_equal(sha256(w->msg.csr.spki, w->msg.signer_key), OK);
	assert_int_equal(
	    sha256_hex(span_of(csr, strlen(csr)), w->msg.csr.digest), OK);
	assert_true(buf_str(&w->msg.csr.challenge, challenge));
	assert_true(buf_str(&w->msg.txid, "transaction 1"));
}

static void
expect(struct world *w, enum verdict verdict, const char *reason)
{
	struct decision d;

	decision_init(&d);
	assert_int_equal(
	    enrol_decide(&w->in, &w->alias, &w->msg, w->now, &d), OK);
	if (reason != NULL) {
		assert_non_null(d.reason);
		assert_string_equal(d.reason, reason);
	}
	assert_int_equal(d.verdict, verdict);
	decision_release(&d);
}

/* Decides and grants; the serial of what came of it. */
static void
grant(struct world *w, enum verdict verdict, char serial[41])
{
	struct decision d;

	decision_init(&d);
	assert_int_equal(
	    enrol_decide(&w->in, &w->alias, &w->msg, w->now, &d), OK);
	if (d.verdict == VERDICT_GRANT)
		assert_int_equal(
		    enrol_grant(&w->in, &w->msg, "", w->now, &d), OK);
	assert_int_equal(enrol_release(&w->in, &w->msg, w->now, &d), OK);
	assert_int_equal(d.verdict, verdict);
	memcpy(serial, d.outcome.serial, 41);
	decision_release(&d);
}

static void
new_code(struct world *w, const char *username, const char *secret,
    enum code_form form)
{
	struct entity e = ENTITY_INIT;
	char id[CODE_ID];
	char *old;

	assert_int_equal(
	    entity_find(&w->store, span_of(username, strlen(username)), &e),
	    OK);
	assert_int_equal(code_add(&w->store, username,
			     span_of(secret, strlen(secret)), form, 1, 0, id),
	    OK);
	old = e.code;
	e.code = str_dup(id);
	assert_int_equal(entity_update(&w->store, &e), OK);
	if (old != NULL)
		assert_int_equal(code_retire(&w->store, username, old), OK);
	free(old);
	entity_release(&e);
}

static void
new_entity(struct world *w, const char *username, const char *san)
{
	struct entity e = ENTITY_INIT;

	e.username = str_dup(username);
	e.ca = str_dup("TestCA");
	e.profile = str_dup("ENDUSER");
	e.san = str_dup(san);
	assert_int_equal(entity_add(&w->store, &e), OK);
	entity_release(&e);
	new_code(w, username, SECRET, CODE_SHA256);
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
	const char *tmp = getenv("TMPDIR");

	assert_non_null(w);
	(void)snprintf(
	    w->path, sizeof(w->path), "%s/enrol.XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(w->path));
	w->now = time_now();
	assert_int_equal(dir_open(AT_FDCWD, w->path, &w->home), OK);
	assert_int_equal(dir_make(w->home, "ca"), OK);
	assert_int_equal(store_init(w->home, 2), OK);
	assert_int_equal(store_open(w->home, &w->store), OK);
	assert_int_equal(ca_create(w->home, &order, w->now - 60), OK);
	assert_int_equal(cert_rooms(&w->store, "TestCA", 1), OK);
	assert_int_equal(cas_new(w->home, &w->cas), OK);
	assert_int_equal(cas_find(w->cas, "TestCA", &w->ca), OK);
	assert_int_equal(profiles_new(w->home, &w->profiles), OK);
	w->in = (struct enrol){
		.store = &w->store, .profiles = w->profiles, .home = w->home
	};
	w->alias = (struct alias){
		.name = "scep", .cas = cas, .ncas = 1, .cutusername = true
	};
	spki[0] = new_spki();
	spki[1] = new_spki();
	new_entity(w, "router1", NULL);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;
	pid_t rm;

	pkimsg_release(&w->msg);
	cas_free(w->cas);
	profiles_free(w->profiles);
	store_release(&w->store);
	file_close(&w->home);
	buf_release(&spki[0]);
	buf_release(&spki[1]);
	buf_release(&subject);
	if ((rm = fork()) == 0) {
		(void)execlp("rm", "rm", "-rf", w->path, (char *)NULL);
		_exit(1);
	}
	(void)waitpid(rm, NULL, 0);
	free(w);
	return 0;
}

static void
names_the_entity(void **state)
{
	struct world *w = *state;

	ask(w, "CN=router1,O=Any", 0, SECRET, "1");
	expect(w, VERDICT_GRANT, NULL);
	ask(w, "CN=router1 at home", 0, SECRET, "1");
	expect(w, VERDICT_GRANT, NULL);
	w->alias.cutusername = false;
	expect(w, VERDICT_REFUSE, "unknown entity");
	w->alias.cutusername = true;
	ask(w, "SN=router1,UNSTRUCTUREDNAME=x", 0, SECRET, "1");
	expect(w, VERDICT_GRANT, NULL);
	ask(w, "UNSTRUCTUREDNAME=router1", 0, SECRET, "1");
	expect(w, VERDICT_GRANT, NULL);
	ask(w, "CN=x,SN=router1", 0, SECRET, "1");
	expect(w, VERDICT_REFUSE, "unknown entity");
	ask(w, "O=Lab", 0, SECRET, "1");
	expect(w, VERDICT_REFUSE, "unknown entity");
}

static void
judges_the_code(void **state)
{
	struct world *w = *state;

	ask(w, "CN=router1", 0, "wrong", "1");
	expect(w, VERDICT_REFUSE, "wrong code");
	ask(w, "CN=router1", 0, "", "1");
	expect(w, VERDICT_REFUSE, "no challengePassword");
	ask(w, "CN=router1", 0, SECRET, "1");
	assert_int_equal(entity_block(&w->store, "router1", true), OK);
	expect(w, VERDICT_REFUSE, "entity is blocked");
	assert_int_equal(entity_block(&w->store, "router1", false), OK);
	expect(w, VERDICT_GRANT, NULL);
}

static void
delays_guesses(void **state)
{
	struct world *w = *state;
	unsigned removed = 0;
	struct entity e = ENTITY_INIT;

	new_code(w, "router1", SECRET, CODE_SCRYPT);
	ask(w, "CN=router1", 0, "wrong", "1");
	for (int i = 0; i < MAX_TRIES; i++)
		expect(w, VERDICT_REFUSE, "wrong code");
	ask(w, "CN=router1", 0, SECRET, "1");
	expect(w, VERDICT_REFUSE,
	    "too many wrong codes this hour; `scep entity unlock` admits the "
	    "next");
	assert_int_equal(entity_find(&w->store, span_of("router1", 7), &e), OK);
	assert_int_equal(code_unlock(&w->store, e.code, w->now, &removed), OK);
	assert_int_equal(removed, MAX_TRIES);
	entity_release(&e);
	/* right ones are not counted */
	for (int i = 0; i < MAX_TRIES + 2; i++)
		expect(w, VERDICT_GRANT, NULL);
}

static void
answers_again(void **state)
{
	struct world *w = *state;
	char first[41], again[41];

	ask(w, "CN=router1", 0, SECRET, "1");
	grant(w, VERDICT_ISSUED, first);
	/* the same bytes; re-signed with the code that paid */
	grant(w, VERDICT_KEPT, again);
	assert_string_equal(first, again);
	ask(w, "CN=router1", 0, SECRET, "2");
	grant(w, VERDICT_KEPT, again);
	assert_string_equal(first, again);
	/* another key is another transaction, and the code is gone */
	ask(w, "CN=router1", 1, SECRET, "3");
	expect(w, VERDICT_REFUSE, "code is used up");
	/* re-signed with a wrong code: the key alone is not enough */
	ask(w, "CN=router1", 0, "wrong", "4");
	expect(w, VERDICT_REFUSE, "wrong code");
	/* past its half-life it needs a new code */
	ask(w, "CN=router1", 0, SECRET, "5");
	w->now += 400 * DAY;
	expect(w, VERDICT_REFUSE, "code is used up");
	w->now -= 400 * DAY;
	/* a code set later buys a new certificate, once */
	new_code(w, "router1", "another", CODE_SHA256);
	ask(w, "CN=router1", 0, "another", "6");
	grant(w, VERDICT_ISSUED, again);
	assert_string_not_equal(first, again);
	grant(w, VERDICT_KEPT, first);
	assert_string_equal(first, again);
}

/*
 * The same password set again makes the very same bytes: a replay, until the
 * certificate has expired and the code is another.
 */
static void
replays_the_expired(void **state)
{
	struct world *w = *state;
	char first[41], again[41];

	ask(w, "CN=router1", 0, SECRET, "1");
	grant(w, VERDICT_ISSUED, first);
	new_code(w, "router1", SECRET, CODE_SHA256);
	grant(w, VERDICT_KEPT, again);
	assert_string_equal(first, again);
	w->now += 1000 * DAY;
	/* captured: the password is no longer that */
	new_code(w, "router1", "another", CODE_SHA256);
	grant(w, VERDICT_KEPT, again);
	assert_string_equal(first, again);
	new_code(w, "router1", SECRET, CODE_SHA256);
	grant(w, VERDICT_ISSUED, again);
	assert_string_not_equal(first, again);
	/* once, and that is what is replayed from now on */
	memcpy(first, again, sizeof(first));
	grant(w, VERDICT_KEPT, again);
	assert_string_equal(first, again);
	/* the code that paid for it buys no third */
	w->now += 1000 * DAY;
	grant(w, VERDICT_KEPT, again);
	assert_string_equal(first, again);
}

static void
revoke_cert(struct world *w, const char *serial)
{
	const struct issuer by = { "TestCA", 1 };
	struct revocation r = {
		.reason = REASON_UNSPECIFIED, .date = w->now, .written = w->now
	};

	memcpy(r.serial, serial, sizeof(r.serial));
	assert_int_equal(revoked_add(&w->store, &by, &r), OK);
}

/* The same holds for a certificate that was revoked. */
static void
replays_the_revoked(void **state)
{
	struct world *w = *state;
	char first[41], again[41];

	ask(w, "CN=router1", 0, SECRET, "1");
	grant(w, VERDICT_ISSUED, first);
	revoke_cert(w, first);
	/* the code that paid for it buys no other */
	grant(w, VERDICT_KEPT, again);
	assert_string_equal(first, again);
	new_code(w, "router1", "another", CODE_SHA256);
	grant(w, VERDICT_KEPT, again);
	assert_string_equal(first, again);
	new_code(w, "router1", SECRET, CODE_SCRYPT);
	grant(w, VERDICT_ISSUED, again);
	assert_string_not_equal(first, again);
	memcpy(first, again, sizeof(first));
	grant(w, VERDICT_KEPT, again);
	assert_string_equal(first, again);
}

/* A replay that would buy again waits for its CA like any other request. */
static void
replays_before_the_ca(void **state)
{
	struct world *w = *state;
	struct generation later;
	struct ca ca;
	struct decision d;
	char serial[41];

	ask(w, "CN=router1", 0, SECRET, "1");
	grant(w, VERDICT_ISSUED, serial);
	revoke_cert(w, serial);
	new_code(w, "router1", SECRET, CODE_SHA256);
	later = *w->msg.gen;
	later.not_before = w->now + DAY;
	ca = *w->msg.ca;
	ca.gen = &later;
	ca.ngen = 1;
	w->msg.gen = &later;
	w->msg.ca = &ca;
	decision_init(&d);
	assert_int_equal(
	    enrol_decide(&w->in, &w->alias, &w->msg, w->now, &d), ERR_BUSY);
	decision_release(&d);
	later.not_before = w->now;
	expect(w, VERDICT_GRANT, NULL);
}

/*
 * Two entities, one key and transactionID: b's worker is slower than a's, or
 * died behind its claim.  b never gets a's certificate, nor loses its code.
 */
static void
shares_no_attempt(void **state)
{
	struct world *w = *state;
	struct decision late;
	char a[41], b[41], again[41];

	new_entity(w, "router2", NULL);
	ask(w, "CN=router2", 0, SECRET, "b");
	decision_init(&late);
	assert_int_equal(
	    enrol_decide(&w->in, &w->alias, &w->msg, w->now, &late), OK);
	ask(w, "CN=router1", 0, SECRET, "a");
	grant(w, VERDICT_ISSUED, a);
	ask(w, "CN=router2", 0, SECRET, "b");
	late.transaction.id = buf_span(&w->msg.txid);
	assert_int_equal(
	    enrol_grant(&w->in, &w->msg, "", w->now, &late), ERR_BUSY);
	decision_release(&late);
	grant(w, VERDICT_ISSUED, b);
	assert_string_not_equal(a, b);
	grant(w, VERDICT_KEPT, again);
	assert_string_equal(b, again);
	ask(w, "CN=router1", 0, SECRET, "a");
	grant(w, VERDICT_KEPT, again);
	assert_string_equal(a, again);
	/* and neither has more than it paid for */
	ask(w, "CN=router2", 1, SECRET, "c");
	expect(w, VERDICT_REFUSE, "code is used up");
}

static void
checks_names_and_key(void **state)
{
	struct world *w = *state;
	EVP_PKEY *small = EVP_RSA_gen(1024);
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(small, &der);

	ask(w, "CN=router1", 0, SECRET, "1");
	w->msg.csr.spki = span_of(der, (size_t)len);
	expect(w, VERDICT_REFUSE, NULL);
	OPENSSL_free(der);
	EVP_PKEY_free(small);
	new_entity(w, "router2", "request");
	ask(w, "CN=router2", 0, SECRET, "1");
	w->msg.csr.san = span_of("\x30\x02\x01\x00", 4);
	expect(w, VERDICT_REFUSE, "requested subjectAltName is malformed");
	w->msg.csr.san = span_of("\x30\x03\x82\x01\x61", 5);
	expect(w, VERDICT_GRANT, NULL);
}

/*
 * A name that cannot be certified or written out is refused before anything
 * is paid: the code is still good.
 */
static void
pays_for_names_alone(void **state)
{
	const struct span bad[] = {
		/* CN=router1, then: OID open, OID empty, value an empty BOOLEAN */
		DER_BYTES("\x30\x1d\x31\x10\x30\x0e\x06\x03\x55\x04\x03\x0c"
			  "\x07router1"
			  "\x31\x09\x30\x07\x06\x02\x55\x80\x0c\x01x"),
		DER_BYTES("\x30\x1b\x31\x10\x30\x0e\x06\x03\x55\x04\x03\x0c"
			  "\x07router1"
			  "\x31\x07\x30\x05\x06\x00\x0c\x01x"),
		DER_BYTES("\x30\x1d\x31\x10\x30\x0e\x06\x03\x55\x04\x03\x0c"
			  "\x07router1"
			  "\x31\x09\x30\x07\x06\x03\x55\x04\x0a\x01\x00"),
	};
	struct world *w = *state;
	char serial[41];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		ask(w, "CN=router1", 0, SECRET, "1");
		w->msg.csr.subject = bad[i];
		expect(w, VERDICT_REFUSE, NULL);
	}
	ask(w, "CN=router1", 0, SECRET, "1");
	grant(w, VERDICT_ISSUED, serial);
}

/* What would not fit into a record is refused before it is paid for. */
static void
minds_the_record(void **state)
{
	struct world *w = *state;
	struct buf name = BUF_INIT;

	assert_true(buf_str(&name, "CN=router1"));
	for (int i = 0; i < MAX_NAME_PARTS - 1; i++)
		assert_true(
		    buf_printf(&name, ",2.999.%d=#1e0200%02x", i, i + 1));
	ask(w, buf_cstr(&name), 0, SECRET, "1");
	expect(w, VERDICT_GRANT, NULL);
	buf_clear(&w->msg.txid);
	for (int i = 0; i < MAX_RECORD / 3; i++)
		assert_true(buf_byte(&w->msg.txid, '%'));
	expect(w, VERDICT_REFUSE, "the certificate is too large for a record");
	buf_release(&name);
}

/* Gives router1 another profile; NULL: none of its own. */
static void
set_profile(struct world *w, const char *name)
{
	struct entity e = ENTITY_INIT;

	assert_int_equal(entity_find(&w->store, span_of("router1", 7), &e), OK);
	free(e.profile);
	e.profile = str_dup(name);
	assert_int_equal(entity_update(&w->store, &e), OK);
	entity_release(&e);
}

static void
decide(struct world *w, enum err e, const char *profile)
{
	struct decision d;

	decision_init(&d);
	assert_int_equal(
	    enrol_decide(&w->in, &w->alias, &w->msg, w->now, &d), e);
	if (profile != NULL) {
		assert_int_equal(d.verdict, VERDICT_GRANT);
		assert_string_equal(d.profile->name, profile);
	}
	decision_release(&d);
}

/* Entity, alias, ENDUSER (DESIGN 7); a broken file is our own trouble. */
static void
finds_the_profile(void **state)
{
	static char vpn[] = "vpn", nosuch[] = "nosuch";
	struct world *w = *state;

	ask(w, "CN=router1", 0, SECRET, "1");
	w->alias.profile = vpn;
	decide(w, OK, "ENDUSER"); /* new_entity() named it */
	set_profile(w, NULL);
	decide(w, OK, "vpn");
	w->alias.profile = NULL;
	decide(w, OK, "ENDUSER");
	set_profile(w, "tls-client");
	w->alias.profile = nosuch;
	decide(w, OK, "tls-client");
	set_profile(w, NULL);
	expect(w, VERDICT_REFUSE, "certificate profile does not exist");
	assert_int_equal(dir_make(w->home, "profiles"), OK);
	assert_int_equal(file_replace(w->home, "profiles/nosuch.ini",
			     span_of("[x]\ny = z\n", 9), FILE_RECORD),
	    OK);
	decide(w, ERR_SYSTEM, NULL);
	assert_int_equal(
	    file_replace(w->home, "profiles/nosuch.ini",
		span_of("[certificate]\nkeys = P-256\n", 27), FILE_RECORD),
	    OK);
	expect(w, VERDICT_REFUSE, "this type of key is not supported");
	w->alias.profile = NULL;
}

/* What the profile copies is checked before anything is paid. */
static void
refuses_extensions(void **state)
{
	static const char text[] = "[certificate]\ncopy = keyUsage\n";
	static char own[] = "own";
	struct world *w = *state;

	assert_int_equal(dir_make(w->home, "profiles"), OK);
	assert_int_equal(file_replace(w->home, "profiles/own.ini",
			     span_of(text, strlen(text)), FILE_RECORD),
	    OK);
	set_profile(w, NULL);
	w->alias.profile = own;
	ask(w, "CN=router1", 0, SECRET, "1");
	w->msg.csr.asked[0] = (struct extension){ OID_KEY_USAGE, true,
		DER_BYTES("\x03\x02\x01\x06") };
	w->msg.csr.nasked = 1;
	expect(w, VERDICT_REFUSE, "no requested key usage is the profile's");
	w->msg.csr.nasked = 0;
	expect(w, VERDICT_GRANT, NULL);
	w->alias.profile = NULL;
}

static void
minds_the_ca(void **state)
{
	struct world *w = *state;
	struct decision d;

	ask(w, "CN=router1", 0, SECRET, "1");
	decision_init(&d);
	assert_int_equal(
	    enrol_decide(&w->in, &w->alias, &w->msg, w->now + 3651 * DAY, &d),
	    ERR_BUSY);
	decision_release(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    names_the_entity, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    judges_the_code, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    delays_guesses, setup, teardown),
		cmocka_unit_test_setup_teardown(answers_again, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    replays_the_expired, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    replays_the_revoked, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    replays_before_the_ca, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    shares_no_attempt, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    checks_names_and_key, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    pays_for_names_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    minds_the_record, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    finds_the_profile, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    refuses_extensions, setup, teardown),
		cmocka_unit_test_setup_teardown(minds_the_ca, setup, teardown),
	};

	return cmocka_run_group_tests_name("enrol", tests, NULL, NULL);
}
