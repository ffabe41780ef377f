/* Requests that wait for people (C-114, C-141): records, hints, limits, moves. */
#include "tests/unit/checkhome.h"

#include "store/approval.h"
#include "store/waiting.h"

/* Any key will do; what is behind a record is its SPKI. */
static void
put_key(struct buf *der)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	unsigned char *p = NULL;
	int len = i2d_PUBKEY(key, &p);

	assert_true(len > 0);
	assert_true(buf_add(der, p, (size_t)len));
	OPENSSL_free(p);
	EVP_PKEY_free(key);
}

static void
make_waiting(const char *id, unsigned n, struct waiting *w)
{
	struct transaction t;

	make_transaction(&t, id, KEY_A);
	*w = (struct waiting)WAITING_INIT;
	memcpy(w->transaction, t.name, sizeof(w->transaction));
	w->attempt = n;
	w->alias = str_dup("scep");
	w->ca = str_dup("Test CA");
	w->generation = 1;
	assert_true(buf_str(&w->txid, id));
	hex_text(KEY_A, SHA256_LEN, w->signer);
	w->username = str_dup("router1");
	w->subject = str_dup("CN=router1,O=100%");
	w->san = str_dup("dNSName=router1");
	w->profile = str_dup("ENDUSER");
	w->remote = str_dup("192.0.2.1");
	memset(w->csr, 'a', 64);
	memset(w->spki, 'b', 64);
	assert_true(buf_str(&w->subject_der, "\x30\x01\xff subject"));
	put_key(&w->spki_der);
	w->required = 2;
	w->validity = 5400;
	w->created = time_now() - 3600;
	w->expires = w->created + 30 * DAY;
}

static void
make_linked(const struct house *h, const char *id, struct waiting *w)
{
	make_waiting(id, 1, w);
	assert_int_equal(waiting_link(&h->st, w), OK);
}

static void
hint_of(const struct waiting *w, char out[160])
{
	(void)snprintf(
	    out, 160, "waiting/%s/%s,%u", w->alias, w->transaction, w->attempt);
}

static void
decide(const struct house *h, const struct waiting *w, enum outcome_kind kind)
{
	struct outcome o = { .kind = kind,
		.attempt = w->attempt,
		.alias = w->alias,
		.by = (char *)(uintptr_t) "uid 0 (root)",
		.why = (char *)(uintptr_t) "no such device",
		.issued = w->created + 60 };

	memcpy(o.transaction, w->transaction, sizeof(o.transaction));
	assert_int_equal(outcome_decide(&h->st, &o), OK);
}

static void
say_yes(const struct house *h, const struct waiting *w, unsigned uid)
{
	struct approval a = { .uid = uid, .time = time_now() - 120 };
	unsigned n = 0;

	assert_int_equal(approval_add(&h->st, w, &a, &n), OK);
}

static void
comes_back(void **state)
{
	struct house *h = *state;
	struct waiting w, back = WAITING_INIT;
	char id[SHA256_HEX];

	make_linked(h, "id \n\xff%", &w);
	assert_int_equal(waiting_find(&h->st, w.transaction, 1, &back), OK);
	assert_string_equal(back.id, w.id);
	assert_string_equal(back.nonce, w.nonce);
	assert_string_equal(back.alias, "scep");
	assert_string_equal(back.ca, w.ca);
	assert_string_equal(back.signer, w.signer);
	assert_string_equal(back.subject, w.subject);
	assert_string_equal(back.san, w.san);
	assert_null(back.renews);
	assert_null(back.md5);
	assert_int_equal(back.required, 2);
	assert_int_equal(back.validity, 5400);
	assert_int_equal(back.expires, w.expires);
	assert_true(span_eq(buf_span(&back.txid), buf_span(&w.txid)));
	assert_true(
	    span_eq(buf_span(&back.subject_der), buf_span(&w.subject_der)));
	assert_true(span_eq(buf_span(&back.spki_der), buf_span(&w.spki_der)));
	memcpy(id, w.id, sizeof(id));
	waiting_release(&back);
	/* create-once: another one of the same attempt is not taken */
	w.remote[0] = '8';
	assert_int_equal(waiting_link(&h->st, &w), ERR_EXISTS);
	assert_int_equal(waiting_find(&h->st, w.transaction, 1, &back), OK);
	assert_string_equal(back.id, id);
	assert_string_not_equal(w.id, id);
	waiting_release(&back);
	waiting_release(&w);
	clean(h);
}

/* Two requests with the same facts are two: a yes is for one of them. */
static void
ids_differ(void **state)
{
	struct house *h = *state;
	struct waiting w, v;

	make_linked(h, "1", &w);
	decide(h, &w, OUTCOME_DENIED);
	make_waiting("1", 2, &v);
	buf_clear(&v.spki_der);
	assert_true(buf_add(&v.spki_der, w.spki_der.data, w.spki_der.len));
	v.created = w.created;
	v.expires = w.expires;
	assert_int_equal(waiting_link(&h->st, &v), OK);
	assert_string_not_equal(w.id, v.id);
	waiting_release(&w);
	waiting_release(&v);
	clean(h);
}

static void
latest_waits(void **state)
{
	struct house *h = *state;
	struct waiting w, back = WAITING_INIT;
	struct outcome o = OUTCOME_INIT;
	struct transaction t;
	unsigned next = 0;
	char hint[160];

	make_waiting("1", 1, &w);
	assert_int_equal(
	    waiting_latest(&h->st, w.transaction, &back, &next), ERR_NOTFOUND);
	assert_int_equal(next, 1);
	assert_int_equal(waiting_link(&h->st, &w), OK);
	hint_of(&w, hint);
	assert_int_equal(file_unlink(h->st.root, hint), OK);
	assert_int_equal(
	    waiting_latest(&h->st, w.transaction, &back, &next), OK);
	assert_int_equal(next, 1);
	assert_string_equal(back.id, w.id);
	waiting_release(&back);
	assert_int_equal(file_exists(h->st.root, hint), OK); /* again */
	decide(h, &w, OUTCOME_DENIED);
	assert_int_equal(file_exists(h->st.root, hint), ERR_NOTFOUND);
	assert_int_equal(
	    waiting_latest(&h->st, w.transaction, &back, &next), ERR_NOTFOUND);
	assert_int_equal(next, 2);
	make_transaction(&t, "1", KEY_A);
	assert_int_equal(outcome_latest(&h->st, &t, &o), OK);
	assert_int_equal(o.kind, OUTCOME_DENIED);
	assert_string_equal(o.by, "uid 0 (root)");
	assert_string_equal(o.why, "no such device");
	assert_int_equal(o.issued, w.created + 60);
	outcome_release(&o);
	waiting_release(&w);
	clean(h);
}

/* Who decides first has decided: a no, a certificate, an end. */
static void
one_outcome(void **state)
{
	struct house *h = *state;
	struct waiting w;
	struct transaction t;
	struct outcome o, no = { .kind = OUTCOME_DENIED, .attempt = 1 };
	char hint[160];

	make_linked(h, "1", &w);
	make_transaction(&t, "1", KEY_A);
	make_outcome(&t, 1, SERIAL_1, &o);
	assert_int_equal(outcome_link(&h->st, &o), OK);
	hint_of(&w, hint);
	assert_int_equal(file_exists(h->st.root, hint), ERR_NOTFOUND);
	memcpy(no.transaction, w.transaction, sizeof(no.transaction));
	no.by = w.username;
	no.issued = time_now();
	assert_int_equal(outcome_decide(&h->st, &no), ERR_EXISTS);
	assert_int_equal(waiting_expire(&h->st, &w), OK);
	assert_int_equal(outcome_abandon(&h->st, t.name, 1), ERR_EXISTS);
	assert_int_equal(
	    waiting_passed(&h->st, &w, w.transaction, 2), ERR_EXISTS);
	outcome_release(&o);
	waiting_release(&w);
	clean(h);
}

static void
passes_once(void **state)
{
	struct house *h = *state;
	struct transaction a, b;
	struct waiting w;

	make_linked(h, "1", &w);
	make_transaction(&a, "a", KEY_B);
	make_transaction(&b, "b", KEY_B);
	assert_int_equal(waiting_passed(&h->st, &w, a.name, 1), ERR_NOTFOUND);
	assert_int_equal(waiting_pass(&h->st, &w, a.name, 1), OK);
	assert_int_equal(waiting_pass(&h->st, &w, a.name, 1), OK); /* retry */
	assert_int_equal(waiting_passed(&h->st, &w, a.name, 1), OK);
	assert_int_equal(waiting_pass(&h->st, &w, b.name, 1), ERR_EXISTS);
	assert_int_equal(waiting_passed(&h->st, &w, b.name, 1), ERR_EXISTS);
	assert_int_equal(waiting_passed(&h->st, &w, a.name, 2), ERR_EXISTS);
	waiting_release(&w);
	clean(h);
}

static void
expires(void **state)
{
	struct house *h = *state;
	struct waiting w;
	bool over = true;
	int64_t yes = time_now() - 120;

	make_linked(h, "1", &w);
	assert_int_equal(waiting_over(&h->st, &w, w.expires - 1, &over), OK);
	assert_false(over);
	assert_int_equal(waiting_over(&h->st, &w, w.expires, &over), OK);
	assert_true(over);
	/* approved, its time begins anew */
	say_yes(h, &w, 1);
	assert_int_equal(waiting_over(&h->st, &w, w.expires, &over), OK);
	assert_true(over);
	say_yes(h, &w, 2);
	assert_int_equal(waiting_over(&h->st, &w, w.expires, &over), OK);
	assert_false(over);
	assert_int_equal(
	    waiting_over(&h->st, &w, yes - 60 + 30 * DAY, &over), OK);
	assert_false(over);
	assert_int_equal(
	    waiting_over(&h->st, &w, yes + 60 + 30 * DAY, &over), OK);
	assert_true(over);
	assert_int_equal(approved_add(&h->st, &w), OK);
	assert_int_equal(waiting_expire(&h->st, &w), OK);
	assert_int_equal(waiting_expire(&h->st, &w), OK);
	waiting_release(&w);
	clean(h);
}

static enum err
count(const struct waiting *w, void *arg)
{
	(void)w;
	++*(unsigned *)arg;
	return OK;
}

static unsigned
how_many(const struct house *h, const char *alias)
{
	unsigned n = 0;

	assert_int_equal(waiting_each(&h->st, alias, count, &n), OK);
	return n;
}

static void
has_limits(void **state)
{
	struct house *h = *state;
	struct waiting w[3];
	struct waiting_limit limit = { .alias = "scep",
		.remote = "192.0.2.1",
		.limit = 2,
		.now = time_now() };
	bool source = false;

	assert_int_equal(waiting_room(&h->st, &limit, &source), OK);
	make_linked(h, "1", &w[0]);
	assert_int_equal(waiting_room(&h->st, &limit, &source), OK);
	make_linked(h, "2", &w[1]);
	assert_int_equal(waiting_room(&h->st, &limit, &source), ERR_REFUSED);
	assert_false(source);
	limit.alias = "other";
	assert_int_equal(waiting_room(&h->st, &limit, &source), OK);
	limit.alias = "scep";
	limit.limit = 10;
	limit.persource = 2;
	assert_int_equal(waiting_room(&h->st, &limit, &source), ERR_REFUSED);
	assert_true(source);
	limit.remote = "192.0.2.2";
	assert_int_equal(waiting_room(&h->st, &limit, &source), OK);
	/* whose time is over makes room */
	limit.limit = 2;
	limit.persource = 0;
	limit.now = w[0].expires + 2;
	assert_int_equal(waiting_room(&h->st, &limit, &source), OK);
	assert_int_equal(how_many(h, "scep"), 0);
	/* and so does what was decided, even if its hint was left */
	make_linked(h, "3", &w[2]);
	decide(h, &w[2], OUTCOME_DENIED);
	for (int i = 0; i < 3; i++)
		waiting_release(&w[i]);
	clean(h);
}

static void
moves(void **state)
{
	struct house *h = *state;
	struct waiting w, there = WAITING_INIT;
	struct transaction t = {
		.alias = "new", .ca = "Test CA", .id = text("1")
	};
	enum outcome_kind kind;
	unsigned n = 0, next = 0;

	make_linked(h, "1", &w);
	say_yes(h, &w, 1);
	assert_int_equal(transaction_name(&t, KEY_A), OK);
	/* killed after the first step, twice: the old one counts */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    waiting_move(&h->st, "scep", "new", false, &n), OK);
		assert_int_equal(n, 1);
		assert_int_equal(how_many(h, "scep"), 1);
		assert_int_equal(how_many(h, "new"), 1);
	}
	assert_int_equal(waiting_move(&h->st, "scep", "new", true, &n), OK);
	assert_int_equal(how_many(h, "scep"), 0);
	assert_int_equal(waiting_move(&h->st, "scep", "new", true, &n), OK);
	assert_int_equal(n, 0);
	assert_int_equal(outcome_kind(&h->st, w.transaction, 1, &kind), OK);
	assert_int_equal(kind, OUTCOME_ABANDONED);
	assert_int_equal(waiting_latest(&h->st, t.name, &there, &next), OK);
	assert_string_equal(there.id, w.id); /* and so every yes */
	assert_string_equal(there.alias, "new");
	assert_int_equal(approval_count(&h->st, there.id, &n, NULL), OK);
	assert_int_equal(n, 1);
	waiting_release(&there);
	waiting_release(&w);
	clean(h);
}

/* Whoever meets the new record first ends the old one; or is too late. */
static void
moves_or_not(void **state)
{
	struct house *h = *state;
	struct waiting w, there = WAITING_INIT;
	struct transaction t = {
		.alias = "new", .ca = "Test CA", .id = text("1")
	};
	enum outcome_kind kind;
	unsigned n = 0, next = 0;

	assert_int_equal(transaction_name(&t, KEY_A), OK);
	make_linked(h, "1", &w);
	assert_int_equal(waiting_move(&h->st, "scep", "new", false, &n), OK);
	assert_int_equal(waiting_latest(&h->st, t.name, &there, &next), OK);
	waiting_release(&there);
	assert_int_equal(outcome_kind(&h->st, w.transaction, 1, &kind), OK);
	assert_int_equal(kind, OUTCOME_ABANDONED);
	waiting_release(&w);
	clean(h);

	t.id = text("2");
	assert_int_equal(transaction_name(&t, KEY_A), OK);
	make_linked(h, "2", &w);
	assert_int_equal(waiting_move(&h->st, "scep", "new", false, &n), OK);
	decide(h, &w, OUTCOME_DENIED);
	assert_int_equal(
	    waiting_latest(&h->st, t.name, &there, &next), ERR_NOTFOUND);
	assert_int_equal(next, 2);
	assert_int_equal(outcome_kind(&h->st, t.name, 1, &kind), OK);
	assert_int_equal(kind, OUTCOME_PASSED);
	waiting_release(&w);
	clean(h);
}

static void
is_checked(void **state)
{
	struct house *h = *state;
	struct waiting w;
	struct approval a = { .uid = 1, .time = time_now() - 3600 };
	char hint[160], record[160], slot[160];
	unsigned n;

	make_linked(h, "1", &w);
	hint_of(&w, hint);
	(void)snprintf(record, sizeof(record), "transaction/%.2s/%s,1",
	    w.transaction, w.transaction);
	assert_int_equal(file_unlink(h->st.root, hint), OK);
	mended(h, record, false);
	assert_int_equal(file_exists(h->st.root, hint), OK);
	/* a hint whose request is over */
	decide(h, &w, OUTCOME_EXPIRED);
	assert_int_equal(
	    file_claim(h->st.root, hint, "../../transaction/ab/x,1"), OK);
	age(h, hint, 3600);
	mended(h, hint, true);
	waiting_release(&w);
	/* an approved one must be found by its entity */
	make_linked(h, "2", &w);
	assert_int_equal(approval_add(&h->st, &w, &a, &n), OK);
	a.uid = 2;
	assert_int_equal(approval_add(&h->st, &w, &a, &n), OK);
	(void)snprintf(record, sizeof(record), "transaction/%.2s/%s,1",
	    w.transaction, w.transaction);
	mended(h, record, false);
	/* a yes without the one before it */
	(void)snprintf(slot, sizeof(slot), "approval/%.2s/%s,", w.id, w.id);
	n = (unsigned)strlen(slot);
	slot[n] = '1';
	slot[n + 1] = '\0';
	assert_int_equal(file_unlink(h->st.root, slot), OK);
	slot[n] = '2';
	damaged(h, slot, "the yes before it is missing");
	assert_int_equal(file_unlink(h->st.root, slot), OK);
	clean(h);
	/* a record that was written over, an outcome without one */
	scribble(h, record, "[request]\nattempt = 1\n");
	damaged(h, record, "cannot be read");
	assert_int_equal(file_unlink(h->st.root, record), OK);
	decide(h, &w, OUTCOME_DENIED);
	damaged(h, record, "its request is missing");
	waiting_release(&w);
}

/* An older version's home has no rooms for any of this. */
static void
makes_rooms(void **state)
{
	struct house *h = *state;
	const char *const rooms[] = { "waiting", "approval", "approved" };
	const char *args[] = { "rm", "-rf", NULL, NULL };
	char path[700];

	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(
		    path, sizeof(path), "%s/store/%s", h->path, rooms[i]);
		args[2] = path;
		run("rm", args);
		mended(h, rooms[i], false);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    comes_back, house_build, house_raze),
		cmocka_unit_test_setup_teardown(
		    ids_differ, house_build, house_raze),
		cmocka_unit_test_setup_teardown(
		    latest_waits, house_build, house_raze),
		cmocka_unit_test_setup_teardown(
		    one_outcome, house_build, house_raze),
		cmocka_unit_test_setup_teardown(
		    passes_once, house_build, house_raze),
		cmocka_unit_test_setup_teardown(
		    expires, house_build, house_raze),
		cmocka_unit_test_setup_teardown(
		    has_limits, house_build, house_raze),
		cmocka_unit_test_setup_teardown(moves, house_build, house_raze),
		cmocka_unit_test_setup_teardown(
		    moves_or_not, house_build, house_raze),
		cmocka_unit_test_setup_teardown(
		    is_checked, house_build, house_raze),
		cmocka_unit_test_setup_teardown(
		    makes_rooms, house_build, house_raze),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
