/* Transactions: what names them (C-70, C-71) and their outcomes. */
#include "tests/unit/storehome.h"

#include "base/limits.h"
#include "store/audit.h"

#define CERT_1 "cert/Test%20CA/1/5d/" SERIAL_1 ".pem"

static void
outcome_name(const struct transaction *t, unsigned attempt, char out[128])
{
	(void)snprintf(out, 128, "transaction/%.2s/%s,%u,outcome", t->name,
	    t->name, attempt);
}

static void
names_bind_everything(void **state)
{
	struct transaction t, u;

	(void)state;
	make_transaction(&t, "1", KEY_A);
	make_transaction(&u, "1", KEY_A);
	assert_string_equal(t.name, u.name);
	make_transaction(&u, "1", KEY_B);
	assert_string_not_equal(t.name, u.name);
	make_transaction(&u, "2", KEY_A);
	assert_string_not_equal(t.name, u.name);
	/* the border between two fields counts */
	t = (struct transaction){ .alias = "ab", .ca = "c", .id = text("d") };
	u = (struct transaction){ .alias = "a", .ca = "bc", .id = text("d") };
	assert_int_equal(transaction_name(&t, KEY_A), OK);
	assert_int_equal(transaction_name(&u, KEY_A), OK);
	assert_string_not_equal(t.name, u.name);
}

static void
issues(void **state)
{
	struct house *h = *state;
	struct transaction t;
	struct outcome o, back = OUTCOME_INIT;
	char path[1024];
	const char *const args[] = { "openssl", "x509", "-in", path, "-noout",
		NULL };

	make_transaction(&t, "id \n\xff%", KEY_A);
	make_outcome(&t, 1, SERIAL_1, &o);
	assert_int_equal(outcome_find(&h->st, &t, 1, &back), ERR_NOTFOUND);
	assert_int_equal(outcome_latest(&h->st, &t, &back), ERR_NOTFOUND);
	assert_int_equal(outcome_link(&h->st, &o), OK);
	assert_int_equal(outcome_link(&h->st, &o), OK); /* the same once more */
	assert_int_equal(outcome_latest(&h->st, &t, &back), OK);
	assert_int_equal(back.kind, OUTCOME_CERTIFICATE);
	assert_int_equal(back.attempt, 1);
	assert_string_equal(back.transaction, o.transaction);
	assert_string_equal(back.alias, o.alias);
	assert_string_equal(back.ca, o.ca);
	assert_int_equal(back.generation, 1);
	assert_true(span_eq(buf_span(&back.id), t.id));
	assert_string_equal(back.entity, o.entity);
	assert_string_equal(back.subject, o.subject);
	assert_null(back.code);
	assert_string_equal(back.profile, o.profile);
	assert_string_equal(back.remote, o.remote);
	assert_string_equal(back.csr, o.csr);
	assert_string_equal(back.spki, o.spki);
	assert_string_equal(back.serial, o.serial);
	assert_int_equal(back.issued, o.issued);
	assert_int_equal(back.not_before, o.not_before);
	assert_int_equal(back.not_after, o.not_after);
	assert_true(span_eq(buf_span(&back.cert), buf_span(&o.cert)));
	outcome_release(&back);
	/* what a person has is openssl(1) */
	(void)snprintf(path, sizeof(path), "%s/store/%s", h->path, CERT_1);
	run("openssl", args);
	outcome_release(&o);
}

static void
finds_by_serial(void **state)
{
	struct house *h = *state;
	struct transaction t;
	struct outcome o, back = OUTCOME_INIT;

	make_transaction(&t, "1", KEY_A);
	make_outcome(&t, 1, SERIAL_1, &o);
	assert_int_equal(outcome_link(&h->st, &o), OK);
	assert_int_equal(cert_find(&h->st, "Test CA", 1, SERIAL_1, &back), OK);
	assert_string_equal(back.entity, "router1");
	outcome_release(&back);
	assert_int_equal(
	    cert_find(&h->st, "Test CA", 1, SERIAL_2, &back), ERR_NOTFOUND);
	assert_int_equal(
	    cert_find(&h->st, "Test CA", 2, SERIAL_1, &back), ERR_NOTFOUND);
	assert_int_equal(
	    cert_find(&h->st, "Other", 1, SERIAL_1, &back), ERR_NOTFOUND);
	assert_int_equal(
	    cert_find(&h->st, "Test CA", 1, "../../x", &back), ERR_NOTFOUND);
	assert_int_equal(
	    cert_find(&h->st, "Test CA", 1, "", &back), ERR_NOTFOUND);
	outcome_release(&o);
}

static void
never_two(void **state)
{
	struct house *h = *state;
	struct transaction t;
	struct outcome o, p, back = OUTCOME_INIT;

	make_transaction(&t, "1", KEY_A);
	make_outcome(&t, 1, SERIAL_1, &o);
	make_outcome(&t, 1, SERIAL_2, &p);
	assert_int_equal(outcome_link(&h->st, &o), OK);
	assert_int_equal(outcome_link(&h->st, &p), ERR_EXISTS);
	assert_int_equal(outcome_abandon(&h->st, t.name, 1), ERR_EXISTS);
	assert_int_equal(outcome_find(&h->st, &t, 1, &back), OK);
	assert_string_equal(back.serial, SERIAL_1);
	assert_int_equal(
	    cert_find(&h->st, "Test CA", 1, SERIAL_2, &p), ERR_NOTFOUND);
	outcome_release(&back);
	outcome_release(&o);
	outcome_release(&p);
}

struct rivals {
	struct house *h;
	struct outcome o[8];
};

static enum err
issue_one(int i, void *arg)
{
	struct rivals *r = arg;

	return i == 7 ? outcome_abandon(&r->h->st, r->o[0].transaction, 1) :
			outcome_link(&r->h->st, &r->o[i]);
}

static void
one_rival_wins(void **state)
{
	struct rivals r = { .h = *state };
	struct transaction t;
	char serial[41], id[8];

	for (int round = 0; round < 5; round++) {
		(void)snprintf(id, sizeof(id), "%d", round);
		make_transaction(&t, id, KEY_A);
		for (int i = 0; i < 7; i++) {
			(void)snprintf(serial, sizeof(serial), "5d%036x%02x",
			    (unsigned)round + 1, (unsigned)i);
			make_outcome(&t, 1, serial, &r.o[i]);
		}
		assert_int_equal(race(8, issue_one, &r), 1);
		for (int i = 0; i < 7; i++)
			outcome_release(&r.o[i]);
	}
}

static void
abandoned_is_final(void **state)
{
	struct house *h = *state;
	struct transaction t;
	struct outcome o, back = OUTCOME_INIT;
	enum outcome_kind kind;

	make_transaction(&t, "1", KEY_A);
	make_outcome(&t, 1, SERIAL_1, &o);
	assert_int_equal(outcome_kind(&h->st, t.name, 1, &kind), ERR_NOTFOUND);
	assert_int_equal(outcome_abandon(&h->st, t.name, 1), OK);
	assert_int_equal(outcome_abandon(&h->st, t.name, 1), OK);
	assert_int_equal(outcome_link(&h->st, &o), ERR_EXISTS);
	assert_int_equal(outcome_kind(&h->st, t.name, 1, &kind), OK);
	assert_int_equal(kind, OUTCOME_ABANDONED);
	assert_int_equal(outcome_find(&h->st, &t, 1, &back), OK);
	assert_int_equal(back.kind, OUTCOME_ABANDONED);
	assert_int_equal(outcome_publish(&h->st, &back), OK);
	outcome_release(&back);
	assert_int_equal(
	    cert_find(&h->st, "Test CA", 1, SERIAL_1, &back), ERR_NOTFOUND);
	outcome_release(&o);
}

static void
remembers_attempts(void **state)
{
	struct house *h = *state;
	struct transaction t;
	struct outcome o, back = OUTCOME_INIT;
	char serial[41], digest[SHA256_HEX];

	make_transaction(&t, "1", KEY_A);
	for (unsigned i = 1; i <= 6; i++) {
		(void)snprintf(serial, sizeof(serial), "5d%038x", i);
		make_outcome(&t, i, serial, &o);
		memset(o.csr, "0123456"[i], 64);
		if (i == 3)
			assert_int_equal(
			    outcome_abandon(&h->st, t.name, i), OK);
		else
			assert_int_equal(outcome_link(&h->st, &o), OK);
		outcome_release(&o);
		assert_int_equal(outcome_latest(&h->st, &t, &back), OK);
		assert_int_equal(back.attempt, i);
		outcome_release(&back);
	}
	memset(digest, '5', 64);
	digest[64] = '\0';
	assert_int_equal(outcome_replay(&h->st, &t, digest, NULL, &back), OK);
	assert_int_equal(back.attempt, 5);
	outcome_release(&back);
	memset(digest, '3', 64); /* that one was abandoned */
	assert_int_equal(
	    outcome_replay(&h->st, &t, digest, NULL, &back), ERR_NOTFOUND);
}

struct wanted {
	const char *word;
	int lines;
};

static enum err
count_line(const char *line, void *arg)
{
	struct wanted *w = arg;

	w->lines += strstr(line, w->word) != NULL &&
		    strstr(line, "\"outcome\":\"issued\"") != NULL;
	return OK;
}

/* Lines in the audit that say so. */
static int
lines_about(const struct house *h, const char *serial)
{
	struct wanted w = { serial, 0 };

	assert_int_equal(audit_each(&h->st, 0, count_line, &w), OK);
	return w.lines;
}

/* Killed between the issuance and its second name: the reader mends it. */
static void
publishes_late(void **state)
{
	struct house *h = *state;
	struct transaction t;
	struct outcome o, back = OUTCOME_INIT;

	make_transaction(&t, "1", KEY_A);
	make_outcome(&t, 1, SERIAL_1, &o);
	assert_int_equal(outcome_link(&h->st, &o), OK);
	assert_int_equal(file_unlink(h->st.root, CERT_1), OK);
	assert_int_equal(
	    cert_find(&h->st, "Test CA", 1, SERIAL_1, &back), ERR_NOTFOUND);
	assert_int_equal(lines_about(h, SERIAL_1), 1);
	assert_int_equal(outcome_publish(&h->st, &o), OK);
	assert_int_equal(outcome_publish(&h->st, &o), OK);
	assert_int_equal(lines_about(h, SERIAL_1), 2); /* at least once */
	assert_int_equal(cert_find(&h->st, "Test CA", 1, SERIAL_1, &back), OK);
	outcome_release(&back);
	outcome_release(&o);
}

/* Issued, but no room for its second name: our trouble, to be mended. */
static void
tells_a_missing_room(void **state)
{
	struct house *h = *state;
	struct transaction t;
	struct outcome o;

	make_transaction(&t, "1", KEY_A);
	make_outcome(&t, 1, SERIAL_1, &o);
	o.generation = 2;
	assert_int_equal(outcome_link(&h->st, &o), ERR_SYSTEM);
	assert_int_equal(cert_rooms(&h->st, "Test CA", 2), OK);
	assert_int_equal(cert_rooms(&h->st, "Test CA", 2), OK);
	assert_int_equal(outcome_publish(&h->st, &o), OK);
	outcome_release(&o);
}

/* What nobody could read again is not issued. */
static void
links_nothing_too_big(void **state)
{
	struct house *h = *state;
	struct transaction t;
	struct outcome o;
	enum outcome_kind kind;
	size_t len = MAX_RECORD / 3 + 1;

	make_transaction(&t, "1", KEY_A);
	make_outcome(&t, 1, SERIAL_1, &o);
	free(o.subject);
	o.subject = calloc(1, len + 1);
	assert_non_null(o.subject);
	memset(o.subject, '%', len); /* three bytes each when escaped */
	assert_int_equal(outcome_link(&h->st, &o), ERR_TOOBIG);
	assert_int_equal(outcome_kind(&h->st, t.name, 1, &kind), ERR_NOTFOUND);
	outcome_release(&o);
}

static void
compares_what_is_inside(void **state)
{
	struct house *h = *state;
	struct transaction t, u;
	struct outcome o, back = OUTCOME_INIT;
	char from[128], to[128];

	make_transaction(&t, "1", KEY_A);
	make_transaction(&u, "2", KEY_A);
	make_outcome(&t, 1, SERIAL_1, &o);
	assert_int_equal(outcome_link(&h->st, &o), OK);
	outcome_name(&t, 1, from);
	outcome_name(&u, 1, to);
	assert_int_equal(file_link(h->st.root, from, to), OK);
	assert_int_equal(outcome_find(&h->st, &u, 1, &back), ERR_SYSTEM);
	/* a hash that met another text: alias and id are compared too */
	memcpy(u.name, t.name, sizeof(u.name));
	assert_int_equal(outcome_find(&h->st, &u, 1, &back), ERR_SYSTEM);
	u.id = t.id;
	assert_int_equal(outcome_find(&h->st, &u, 1, &back), OK);
	outcome_release(&back);
	u.alias = "other";
	assert_int_equal(outcome_find(&h->st, &u, 1, &back), ERR_SYSTEM);
	outcome_release(&o);
}

static void
tells_damage(void **state)
{
	struct house *h = *state;
	struct transaction t;
	struct outcome o, back = OUTCOME_INIT;
	struct buf whole = BUF_INIT;
	char path[128], *cut;

	make_transaction(&t, "1", KEY_A);
	make_outcome(&t, 1, SERIAL_1, &o);
	assert_int_equal(outcome_link(&h->st, &o), OK);
	outcome_name(&t, 1, path);
	assert_int_equal(file_read(h->st.root, path, 65536, &whole), OK);
	/* cut short anywhere, it is no outcome */
	for (size_t len = 0; len < whole.len; len += 7) {
		cut = strndup(buf_cstr(&whole), len);
		scribble(h, path, cut);
		free(cut);
		assert_int_equal(
		    outcome_find(&h->st, &t, 1, &back), ERR_SYSTEM);
	}
	scribble(h, path, buf_cstr(&whole));
	assert_int_equal(outcome_find(&h->st, &t, 1, &back), OK);
	outcome_release(&back);
	outcome_release(&o);
	buf_release(&whole);
}

static enum err
add_serial(const struct outcome *o, void *arg)
{
	return buf_printf(arg, "%s;", o->serial) ? OK : ERR_SYSTEM;
}

static void
lists_all(void **state)
{
	struct house *h = *state;
	struct buf list = BUF_INIT;
	struct transaction t;
	struct outcome o;
	char path[128];

	make_transaction(&t, "1", KEY_A);
	make_outcome(&t, 1, SERIAL_1, &o);
	assert_int_equal(outcome_link(&h->st, &o), OK);
	outcome_release(&o);
	make_outcome(&t, 2, SERIAL_2, &o);
	assert_int_equal(outcome_link(&h->st, &o), OK);
	assert_int_equal(outcome_abandon(&h->st, t.name, 3), OK);
	assert_int_equal(file_unlink(h->st.root, CERT_1), OK);
	assert_int_equal(cert_each(&h->st, add_serial, &list), OK);
	assert_string_equal(buf_cstr(&list), SERIAL_1 ";" SERIAL_2 ";");
	/* one that is damaged does not hide the other */
	outcome_name(&t, 1, path);
	scribble(h, path, "[outcome]\n");
	buf_clear(&list);
	assert_int_equal(cert_each(&h->st, add_serial, &list), ERR_INPUT);
	assert_string_equal(buf_cstr(&list), SERIAL_2 ";");
	outcome_release(&o);
	buf_release(&list);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, house_build, house_raze)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_bind_everything),
		TEST(issues),
		TEST(finds_by_serial),
		TEST(never_two),
		TEST(one_rival_wins),
		TEST(abandoned_is_final),
		TEST(remembers_attempts),
		TEST(publishes_late),
		TEST(tells_a_missing_room),
		TEST(links_nothing_too_big),
		TEST(compares_what_is_inside),
		TEST(tells_damage),
		TEST(lists_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
