/* Claims of keys and subjects: one living certificate has each (C-119). */
#include "tests/unit/checkhome.h"

#include "store/revoked.h"
#include "store/unique.h"
#include "store/waiting.h"

#define NOW    time_now()
#define ISSUER "CN=Test CA"

/* The tests' certificates have the key that their record says. */
static bool
has_key(const struct outcome *o, const void *arg)
{
	return strcmp(o->spki, arg) == 0;
}

static char spki[SHA256_HEX];

/* The key "bbbb..." of make_outcome(), for an entity. */
static struct unique
key_of(const char *own)
{
	struct unique u = {
		.kind = UNIQUE_KEY, .own = own, .has = has_key, .arg = spki
	};

	memset(spki, 'b', 64);
	assert_int_equal(unique_hash(text(ISSUER), text(spki), u.hash), OK);
	return u;
}

/* A transaction of its own by number, and its certificate. */
static void
nth(unsigned n, struct transaction *t, struct outcome *o)
{
	char id[16], serial[41];

	(void)snprintf(id, sizeof(id), "u%u", n);
	make_transaction(t, id, KEY_B);
	if (o == NULL)
		return;
	(void)snprintf(serial, sizeof(serial),
	    "5d03aa00aa00aa00aa00aa00aa00aa00aa00%04x", n + 16);
	make_outcome(t, 1, serial, o);
}

static enum err
claim_it(const struct house *h, const struct unique *u, unsigned n, int64_t now)
{
	struct transaction t;

	nth(n, &t, NULL);
	return unique_claim(&h->st, u, t.name, 1, now);
}

static enum err
look_at(const struct house *h, const struct unique *u, unsigned n, int64_t now)
{
	struct transaction t;

	nth(n, &t, NULL);
	return unique_look(&h->st, u, t.name, 1, now);
}

/* Claims for the n-th transaction and issues, as this entity. */
static void
issue(struct house *h, const struct unique *u, unsigned n, const char *who,
    struct outcome *o)
{
	struct transaction t;

	assert_int_equal(claim_it(h, u, n, NOW), OK);
	nth(n, &t, o);
	free(o->entity);
	o->entity = str_dup(who);
	assert_int_equal(outcome_link(&h->st, o), OK);
}

static void
slot(const struct unique *u, unsigned n, char out[100])
{
	(void)snprintf(out, 100, "%s/%.2s/%s,%u", u->kind, u->hash, u->hash, n);
}

static void
revoke_it(const struct house *h, const struct outcome *o, unsigned reason)
{
	struct revocation r = { .reason = reason,
		.date = NOW,
		.written = NOW,
		.not_after = o->not_after };
	const struct issuer by = { "Test CA", 1 };

	(void)snprintf(r.serial, sizeof(r.serial), "%s", o->serial);
	assert_int_equal(revoked_add(&h->st, &by, &r), OK);
}

static void
one_has_it(void **state)
{
	struct house *h = *state;
	const struct unique u = key_of(NULL);
	const char nobody[SHA256_HEX] = "";
	struct outcome o = OUTCOME_INIT;

	assert_int_equal(look_at(h, &u, 1, NOW), OK);
	issue(h, &u, 1, "a", &o);
	assert_int_equal(claim_it(h, &u, 1, NOW), OK); /* its own retry */
	assert_int_equal(look_at(h, &u, 1, NOW), OK);
	assert_int_equal(look_at(h, &u, 2, NOW), ERR_REFUSED);
	assert_int_equal(claim_it(h, &u, 2, NOW), ERR_REFUSED);
	assert_int_equal(unique_look(&h->st, &u, nobody, 0, NOW), ERR_REFUSED);
	clean(h);
	outcome_release(&o);
}

/* Expired is dead, revoked too; held is not, for it may live again. */
static void
dead_opens_the_next(void **state)
{
	struct house *h = *state;
	const struct unique u = key_of(NULL);
	struct outcome o = OUTCOME_INIT, p = OUTCOME_INIT;
	char path[100];

	issue(h, &u, 1, "a", &o);
	assert_int_equal(look_at(h, &u, 2, o.not_after - 1), ERR_REFUSED);
	assert_int_equal(look_at(h, &u, 2, o.not_after), OK);
	revoke_it(h, &o, REASON_HOLD);
	assert_int_equal(claim_it(h, &u, 2, NOW), ERR_REFUSED);
	revoke_it(h, &o, 1);
	assert_int_equal(look_at(h, &u, 2, NOW), OK);
	slot(&u, 1, path);
	assert_int_equal(
	    file_exists(h->st.root, path), ERR_NOTFOUND); /* looks only */
	issue(h, &u, 2, "b", &p);
	assert_int_equal(file_exists(h->st.root, path), OK);
	assert_int_equal(claim_it(h, &u, 3, NOW), ERR_REFUSED);
	assert_int_equal(claim_it(h, &u, 1, NOW), OK); /* a late retry */
	clean(h);
	outcome_release(&o);
	outcome_release(&p);
}

/* An entity's own do not collide, and all of them stand against others. */
static void
own_ones_pass(void **state)
{
	struct house *h = *state;
	const struct unique a = key_of("a"), b = key_of("b"),
			    all = key_of(NULL);
	struct outcome o = OUTCOME_INIT, p = OUTCOME_INIT;

	issue(h, &a, 1, "a", &o);
	assert_int_equal(look_at(h, &b, 2, NOW), ERR_REFUSED);
	assert_int_equal(look_at(h, &all, 2, NOW), ERR_REFUSED);
	issue(h, &a, 2, "a", &p);
	revoke_it(h, &p, 1); /* the older one lives */
	assert_int_equal(claim_it(h, &b, 3, NOW), ERR_REFUSED);
	revoke_it(h, &o, 1);
	assert_int_equal(claim_it(h, &b, 3, NOW), OK);
	outcome_release(&o);
	outcome_release(&p);
}

/* Abandoned, or gone to another key: it bought nothing. */
static void
bought_something_else(void **state)
{
	struct house *h = *state;
	const struct unique u = key_of(NULL);
	struct transaction t;
	struct outcome o = OUTCOME_INIT;

	assert_int_equal(claim_it(h, &u, 1, NOW), OK);
	nth(1, &t, &o);
	memset(o.spki, 'c', 64);
	assert_int_equal(outcome_link(&h->st, &o), OK);
	assert_int_equal(claim_it(h, &u, 2, NOW), OK);
	nth(2, &t, NULL);
	assert_int_equal(outcome_abandon(&h->st, t.name, 1), OK);
	assert_int_equal(claim_it(h, &u, 3, NOW), OK);
	outcome_release(&o);
}

/* Undecided: come again; after ten minutes it is freed, and stays freed. */
static void
the_dead_are_buried(void **state)
{
	struct house *h = *state;
	const struct unique u = key_of(NULL);
	struct transaction t;
	struct outcome o = OUTCOME_INIT;
	enum outcome_kind kind;
	char path[100], waiting[120];

	assert_int_equal(claim_it(h, &u, 1, NOW), OK);
	assert_int_equal(look_at(h, &u, 2, NOW), ERR_BUSY);
	assert_int_equal(claim_it(h, &u, 2, NOW), ERR_BUSY);
	assert_int_equal(claim_it(h, &u, 1, NOW), OK);
	slot(&u, 0, path);
	age(h, path, 601);
	/* not while its request waits for people */
	nth(1, &t, &o);
	(void)snprintf(
	    waiting, sizeof(waiting), "transaction/%.2s/%s,1", t.name, t.name);
	scribble(h, waiting, "x");
	assert_int_equal(claim_it(h, &u, 2, NOW), ERR_BUSY);
	assert_int_equal(file_unlink(h->st.root, waiting), OK);
	assert_int_equal(look_at(h, &u, 2, NOW), OK);
	assert_int_equal(outcome_kind(&h->st, t.name, 1, &kind), ERR_NOTFOUND);
	assert_int_equal(claim_it(h, &u, 2, NOW), OK);
	assert_int_equal(outcome_link(&h->st, &o), ERR_EXISTS); /* too late */
	outcome_release(&o);
}

/* A request of "router1" that waits, as the n-th transaction. */
static void
make_waiting(const struct house *h, unsigned n, struct transaction *t)
{
	static const uint8_t key[] = { 0x30, 0x03, 0x02, 0x01, 0x07 };
	struct waiting w = WAITING_INIT;

	nth(n, t, NULL);
	memcpy(w.transaction, t->name, sizeof(w.transaction));
	w.attempt = 1;
	w.alias = str_dup("scep");
	w.ca = str_dup("Test CA");
	w.generation = 1;
	assert_true(buf_str(&w.txid, "u1"));
	hex_text(KEY_B, SHA256_LEN, w.signer);
	w.username = str_dup("router1");
	w.subject = str_dup("CN=router1");
	w.profile = str_dup("ENDUSER");
	w.remote = str_dup("192.0.2.1");
	memset(w.csr, 'a', 64);
	memset(w.spki, 'b', 64);
	assert_true(buf_str(&w.subject_der, "\x30"));
	assert_true(buf_add(&w.spki_der, key, sizeof(key)));
	w.required = 1;
	w.created = NOW;
	w.expires = NOW + DAY;
	assert_int_equal(waiting_link(&h->st, &w), OK);
	waiting_release(&w);
}

/*
 * Approved, claimed, and then not issued: the entity's next request is held up
 * by that no more than by itself, once it takes the approval over.
 */
static void
the_approved_pass_on(void **state)
{
	struct house *h = *state;
	struct unique u = key_of(NULL);
	struct transaction t;

	assert_int_equal(claim_it(h, &u, 1, NOW), OK);
	make_waiting(h, 1, &t);
	assert_int_equal(look_at(h, &u, 2, NOW), ERR_BUSY);
	u.entity = "router2";
	assert_int_equal(look_at(h, &u, 2, NOW), ERR_BUSY);
	u.entity = "router1";
	assert_int_equal(look_at(h, &u, 2, NOW), OK);
	assert_int_equal(claim_it(h, &u, 2, NOW), ERR_BUSY);
	u.passed = t.name;
	u.passed_attempt = 2;
	assert_int_equal(claim_it(h, &u, 2, NOW), ERR_BUSY);
	u.passed_attempt = 1;
	assert_int_equal(claim_it(h, &u, 2, NOW), OK);
	u.passed = NULL;
	assert_int_equal(claim_it(h, &u, 3, NOW), ERR_BUSY);
}

static void
rooms_are_apart(void **state)
{
	struct house *h = *state;
	struct unique u = key_of(NULL), v = u;
	char other[SHA256_HEX];

	assert_int_equal(claim_it(h, &u, 1, NOW), OK);
	v.kind = UNIQUE_SUBJECT;
	assert_int_equal(claim_it(h, &v, 2, NOW), OK);
	assert_int_equal(
	    unique_hash(text("CN=Other CA"), text(spki), other), OK);
	assert_string_not_equal(other, u.hash);
	memcpy(v.hash, other, sizeof(v.hash));
	v.kind = UNIQUE_KEY;
	assert_int_equal(claim_it(h, &v, 3, NOW), OK);
}

/* A store of before has no such rooms; who needs one makes it. */
static void
makes_the_room(void **state)
{
	struct house *h = *state;
	const struct unique u = key_of(NULL);
	char path[600];
	const char *const args[] = { "rm", "-r", path, NULL };

	(void)snprintf(path, sizeof(path), "%s/store/key", h->path);
	run("rm", args);
	assert_int_equal(look_at(h, &u, 1, NOW), OK);
	mended(h, "key: is missing; repair makes it", false);
	run("rm", args);
	assert_int_equal(claim_it(h, &u, 1, NOW), OK);
	clean(h);
}

struct contest {
	struct house *h;
	struct unique u;
};

static enum err
contend(int i, void *arg)
{
	const struct contest *c = arg;

	return claim_it(c->h, &c->u, (unsigned)i, NOW);
}

static void
one_of_many_wins(void **state)
{
	struct contest c = { *state, key_of(NULL) };

	assert_int_equal(race(64, contend, &c), 1);
}

static void
damage_is_not_free(void **state)
{
	struct house *h = *state;
	const struct unique u = key_of(NULL);
	char path[100];

	slot(&u, 0, path);
	assert_int_equal(file_claim(h->st.root, path, "elsewhere"), OK);
	assert_int_equal(claim_it(h, &u, 1, NOW), ERR_SYSTEM);
	damaged(h, path, "does not name a transaction");
	assert_int_equal(file_unlink(h->st.root, path), OK);
	scribble(h, path, "x");
	assert_int_equal(claim_it(h, &u, 1, NOW), ERR_SYSTEM);
	damaged(h, path, "is not a claim");
	assert_int_equal(file_unlink(h->st.root, path), OK);
}

static void
check_knows_claims(void **state)
{
	struct house *h = *state;
	struct unique u = key_of(NULL);
	struct outcome o = OUTCOME_INIT;
	char path[100], word[200];
	struct transaction t;

	u.kind = UNIQUE_SUBJECT;
	nth(1, &t, NULL);
	(void)snprintf(word, sizeof(word),
	    "../../transaction/%.2s/%s,1,outcome", t.name, t.name);
	assert_int_equal(claim_it(h, &u, 1, NOW), OK);
	clean(h); /* it is young */
	slot(&u, 0, path);
	age(h, path, 601);
	mended(h, "was made by a process that died", true);
	issue(h, &u, 2, "a", &o);
	clean(h);
	assert_int_equal(file_unlink(h->st.root, path), OK);
	damaged(h, "subject/", "the claim before it is missing");
	assert_int_equal(file_claim(h->st.root, path, word), OK);
	clean(h);
	assert_int_equal(file_claim(h->st.root, "subject/00/x,0", word), OK);
	damaged(h, "subject/00/x,0", "has a name that the store does not give");
	assert_int_equal(file_unlink(h->st.root, "subject/00/x,0"), OK);
	slot(&u, 0, path);
	memcpy(path + strlen("subject/"), memcmp(u.hash, "00", 2) ? "00" : "01",
	    2);
	assert_int_equal(file_claim(h->st.root, path, word), OK);
	damaged(h, path, "has a name that the store does not give");
	outcome_release(&o);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, build, raze)
	const struct CMUnitTest tests[] = {
		TEST(one_has_it),
		TEST(dead_opens_the_next),
		TEST(own_ones_pass),
		TEST(bought_something_else),
		TEST(the_dead_are_buried),
		TEST(the_approved_pass_on),
		TEST(rooms_are_apart),
		TEST(makes_the_room),
		TEST(one_of_many_wins),
		TEST(damage_is_not_free),
		TEST(check_knows_claims),
	};

	return cmocka_run_group_tests_name("unique", tests, NULL, NULL);
}
