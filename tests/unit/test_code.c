/*
 * Enrolment codes: kept as salted hashes (C-97, C-171), claimed by a link, and
 * guesses counted (C-172).
 */
#include "tests/unit/storehome.h"

#include "base/limits.h"
#include "store/inside.h"

/* Adds a code for router1 and reads it back. */
static void
new_code(const struct house *h, const char *secret, enum code_form form,
    unsigned count, struct code *out)
{
	char id[CODE_ID];

	assert_int_equal(
	    code_add(&h->st, "router1", text(secret), form, count, 0, id), OK);
	assert_int_equal(code_find(&h->st, "router1", id, out), OK);
	assert_string_equal(out->id, id);
}

static void
name_of(unsigned i, char out[SHA256_HEX])
{
	assert_int_equal(sha256_hex(span_of(&i, sizeof(i)), out), OK);
}

static void
keeps_no_secret(void **state)
{
	struct house *h = *state;
	struct buf path = BUF_INIT, file = BUF_INIT;
	struct code a, b;

	new_code(h, "correct horse", CODE_SHA256, 3, &a);
	new_code(h, "correct horse", CODE_SHA256, 3, &b);
	assert_string_equal(a.username, "router1");
	assert_int_equal(a.form, CODE_SHA256);
	assert_int_equal(a.count, 3);
	assert_int_equal(a.expires, 0);
	assert_string_not_equal(a.id, b.id);
	assert_memory_not_equal(a.salt, b.salt, sizeof(a.salt));
	assert_memory_not_equal(a.hash, b.hash, sizeof(a.hash));
	assert_true(buf_printf(&path, ",%s", a.id));
	code_release(&b);
	{
		struct buf full = BUF_INIT;

		assert_int_equal(store_path(&h->st, "secret", text("router1"),
				     buf_cstr(&path), &full),
		    OK);
		assert_int_equal(
		    file_read(h->st.root, buf_cstr(&full), 4096, &file), OK);
		buf_release(&full);
	}
	assert_null(strstr(buf_cstr(&file), "horse"));
	buf_release(&path);
	buf_release(&file);
	code_release(&a);
	code_release(&a);
}

static void
compares(void **state)
{
	struct house *h = *state;
	struct code c;

	for (int form = 0; form < CODE__MAX; form++) {
		new_code(h, "Secret-1", (enum code_form)form, 1, &c);
		assert_true(code_match(&c, text("Secret-1")));
		assert_false(code_match(&c, text("secret-1")));
		assert_false(code_match(&c, text("Secret-")));
		assert_false(code_match(&c, text("Secret-11")));
		assert_false(code_match(&c, span_of("Secret-1", 9)));
		assert_false(code_match(&c, span_of(NULL, 0)));
		code_release(&c);
	}
	assert_false(code_match(NULL, text("")));
}

/* A false answer costs a scrypt; a true one for CODE_SHA256 costs nothing. */
static void
costs_the_same(void **state)
{
	struct house *h = *state;
	int64_t cheap, dear, unknown, start;
	struct code c;

	new_code(h, "right", CODE_SHA256, 1, &c);
	start = time_ticks();
	for (int i = 0; i < 40; i++)
		assert_true(code_match(&c, text("right")));
	cheap = time_ticks() - start;
	start = time_ticks();
	for (int i = 0; i < 4; i++)
		assert_false(code_match(&c, text("wrong")));
	dear = time_ticks() - start;
	start = time_ticks();
	for (int i = 0; i < 4; i++)
		assert_false(code_match(NULL, text("wrong")));
	unknown = time_ticks() - start;
	assert_true(dear >= 20); /* 16 MiB of scrypt, four times */
	assert_true(unknown >= 20);
	assert_true(cheap < dear);
	code_release(&c);
}

static void
refuses_nonsense(void **state)
{
	struct house *h = *state;
	char id[CODE_ID], longer[MAX_CHALLENGE + 1];
	struct code c;

	memset(longer, 'x', sizeof(longer));
	assert_int_equal(
	    code_add(&h->st, "u", text(""), CODE_SHA256, 1, 0, id), ERR_INPUT);
	assert_int_equal(code_add(&h->st, "u", span_of(longer, sizeof(longer)),
			     CODE_SHA256, 1, 0, id),
	    ERR_INPUT);
	assert_int_equal(
	    code_add(&h->st, "u", text("s"), CODE_SHA256, 0, 0, id), ERR_INPUT);
	assert_int_equal(code_add(&h->st, "u", text("s"), CODE_SHA256,
			     MAX_CODE_COUNT + 1, 0, id),
	    ERR_INPUT);
	assert_int_equal(code_find(&h->st, "u", "", &c), ERR_NOTFOUND);
	assert_int_equal(
	    code_find(&h->st, "u", "../../../x", &c), ERR_NOTFOUND);
	assert_int_equal(
	    code_find(&h->st, "u", "0123456789abcdef0123456789abcdef", &c),
	    ERR_NOTFOUND);
}

static void
pays_once(void **state)
{
	struct house *h = *state;
	char one[SHA256_HEX], two[SHA256_HEX], by[SHA256_HEX];
	struct code c;
	unsigned used = 9;

	new_code(h, "s", CODE_SHA256, 1, &c);
	name_of(1, one);
	name_of(2, two);
	assert_int_equal(code_used(&h->st, &c, &used), OK);
	assert_int_equal(used, 0);
	assert_int_equal(code_room(&h->st, &c, one, 1, by), OK);
	assert_int_equal(code_used(&h->st, &c, &used), OK);
	assert_int_equal(used, 0);
	assert_int_equal(code_claim(&h->st, &c, one, 1, by), OK);
	assert_int_equal(code_claim(&h->st, &c, one, 1, by), OK);
	assert_int_equal(code_room(&h->st, &c, one, 1, by), OK);
	assert_int_equal(code_claim(&h->st, &c, two, 1, by), ERR_REFUSED);
	assert_string_equal(by, one);
	assert_int_equal(code_room(&h->st, &c, two, 1, by), ERR_REFUSED);
	assert_string_equal(by, one);
	/* another attempt of the same transaction is another purchase */
	assert_int_equal(code_claim(&h->st, &c, one, 2, by), ERR_REFUSED);
	assert_int_equal(code_used(&h->st, &c, &used), OK);
	assert_int_equal(used, 1);
	code_release(&c);
}

static void
pays_count_times(void **state)
{
	struct house *h = *state;
	char name[SHA256_HEX], by[SHA256_HEX];
	struct code c;
	unsigned used, ok = 0;

	new_code(h, "s", CODE_SHA256, 7, &c);
	for (unsigned round = 0; round < 2; round++) {
		ok = 0;
		for (unsigned i = 0; i < 20; i++) {
			name_of(i, name);
			ok += code_claim(&h->st, &c, name, 1, by) == OK;
		}
		assert_int_equal(ok, 7);
	}
	assert_int_equal(code_used(&h->st, &c, &used), OK);
	assert_int_equal(used, 7);
	code_release(&c);
}

struct rush {
	struct house *h;
	struct code code;
	int64_t now;
};

static enum err
claim_one(int i, void *arg)
{
	struct rush *r = arg;
	char name[SHA256_HEX], by[SHA256_HEX];

	name_of((unsigned)i, name);
	return code_claim(&r->h->st, &r->code, name, 1, by);
}

static enum err
claim_same(int i, void *arg)
{
	return claim_one(i < 0 ? i : 1, arg);
}

static void
never_pays_too_much(void **state)
{
	struct rush r = { .h = *state };
	unsigned used;

	for (unsigned count = 1; count < 6; count++) {
		new_code(r.h, "s", CODE_SHA256, count, &r.code);
		assert_int_equal(race(12, claim_one, &r), count);
		assert_int_equal(code_used(&r.h->st, &r.code, &used), OK);
		assert_int_equal(used, count);
		code_release(&r.code);
	}
	/* twelve workers of one attempt pay once and all go on */
	new_code(r.h, "s", CODE_SHA256, 5, &r.code);
	assert_int_equal(race(12, claim_same, &r), 12);
	assert_int_equal(code_used(&r.h->st, &r.code, &used), OK);
	assert_int_equal(used, 1);
	code_release(&r.code);
}

static void
abandoned_do_not_count(void **state)
{
	struct house *h = *state;
	char name[SHA256_HEX], by[SHA256_HEX];
	struct code c;
	unsigned used;

	new_code(h, "s", CODE_SHA256, 2, &c);
	for (unsigned i = 0; i < 2; i++) {
		name_of(i, name);
		assert_int_equal(code_claim(&h->st, &c, name, 1, by), OK);
	}
	name_of(2, name);
	assert_int_equal(code_claim(&h->st, &c, name, 1, by), ERR_REFUSED);
	for (unsigned i = 0; i < 2; i++) {
		name_of(i, name);
		assert_int_equal(outcome_abandon(&h->st, name, 1), OK);
		assert_int_equal(code_used(&h->st, &c, &used), OK);
		assert_int_equal(used, 1);
		name_of(i + 2, name);
		assert_int_equal(code_room(&h->st, &c, name, 1, by), OK);
		assert_int_equal(code_claim(&h->st, &c, name, 1, by), OK);
		assert_int_equal(code_claim(&h->st, &c, name, 1, by), OK);
		name_of(9, name);
		assert_int_equal(
		    code_claim(&h->st, &c, name, 1, by), ERR_REFUSED);
	}
	assert_int_equal(code_used(&h->st, &c, &used), OK);
	assert_int_equal(used, 2);
	code_release(&c);
}

/* Two codes claimed one attempt: the one that did not buy it has lost none. */
static void
bought_by_another(void **state)
{
	struct house *h = *state;
	struct transaction t;
	struct outcome o;
	struct code a, b;
	char other[SHA256_HEX], by[SHA256_HEX];
	unsigned used = 9;

	new_code(h, "a", CODE_SHA256, 1, &a);
	new_code(h, "b", CODE_SHA256, 1, &b);
	make_transaction(&t, "1", KEY_A);
	make_outcome(&t, 1, SERIAL_1, &o);
	o.code = str_dup(a.id);
	assert_int_equal(code_claim(&h->st, &b, t.name, 1, by), OK);
	assert_int_equal(code_claim(&h->st, &a, t.name, 1, by), OK);
	assert_int_equal(code_room(&h->st, &b, t.name, 2, by), ERR_REFUSED);
	assert_int_equal(outcome_link(&h->st, &o), OK);
	assert_int_equal(code_used(&h->st, &a, &used), OK);
	assert_int_equal(used, 1);
	assert_int_equal(code_used(&h->st, &b, &used), OK);
	assert_int_equal(used, 0);
	assert_int_equal(code_room(&h->st, &a, t.name, 2, by), ERR_REFUSED);
	assert_int_equal(code_room(&h->st, &b, t.name, 2, by), OK);
	assert_int_equal(code_claim(&h->st, &b, t.name, 2, by), OK);
	assert_int_equal(code_used(&h->st, &b, &used), OK);
	assert_int_equal(used, 1);
	name_of(3, other);
	assert_int_equal(code_claim(&h->st, &b, other, 1, by), ERR_REFUSED);
	assert_string_equal(by, t.name);
	outcome_release(&o);
	code_release(&a);
	code_release(&b);
}

static void
damage_counts_as_used(void **state)
{
	struct house *h = *state;
	char name[SHA256_HEX], by[SHA256_HEX];
	struct buf path = BUF_INIT;
	struct code c;
	unsigned used;

	new_code(h, "s", CODE_SHA256, 1, &c);
	assert_int_equal(store_path_hex(&h->st, "used", c.id, ",0", &path), OK);
	name_of(1, name);
	scribble(h, buf_cstr(&path), "");
	assert_int_equal(code_claim(&h->st, &c, name, 1, by), ERR_REFUSED);
	assert_string_equal(by, "");
	assert_int_equal(file_unlink(h->st.root, buf_cstr(&path)), OK);
	assert_int_equal(
	    file_claim(h->st.root, buf_cstr(&path), "../../../etc/passwd"), OK);
	assert_int_equal(code_claim(&h->st, &c, name, 1, by), ERR_REFUSED);
	assert_non_null(strstr(said, "is not a claim"));
	assert_int_equal(code_used(&h->st, &c, &used), OK);
	assert_int_equal(used, 1);
	code_release(&c);
	buf_release(&path);
}

/* A claim is read with ls(1): it points to the certificate it paid for. */
static void
points_to_its_outcome(void **state)
{
	struct house *h = *state;
	struct transaction t;
	struct outcome o;
	struct code c;
	char by[SHA256_HEX], path[1024];
	const char *const args[] = { "openssl", "x509", "-in", path, "-noout",
		NULL };

	new_code(h, "s", CODE_SHA256, 1, &c);
	make_transaction(&t, "1", KEY_A);
	make_outcome(&t, 1, SERIAL_1, &o);
	assert_int_equal(code_claim(&h->st, &c, t.name, 1, by), OK);
	assert_int_equal(outcome_link(&h->st, &o), OK);
	(void)snprintf(
	    path, sizeof(path), "%s/store/used/%.2s/%s,0", h->path, c.id, c.id);
	run("openssl", args);
	outcome_release(&o);
	code_release(&c);
}

static void
retires(void **state)
{
	struct house *h = *state;
	struct transaction t;
	struct outcome o;
	enum outcome_kind kind;
	char dead[SHA256_HEX], late[SHA256_HEX], by[SHA256_HEX];
	struct code c;

	new_code(h, "s", CODE_SHA256, 3, &c);
	make_transaction(&t, "1", KEY_A);
	make_outcome(&t, 1, SERIAL_1, &o);
	assert_int_equal(code_claim(&h->st, &c, t.name, 1, by), OK);
	assert_int_equal(outcome_link(&h->st, &o), OK);
	name_of(1, dead);
	assert_int_equal(code_claim(&h->st, &c, dead, 1, by), OK);
	assert_int_equal(code_retire(&h->st, "router1", c.id), OK);
	assert_int_equal(code_retire(&h->st, "router1", c.id), OK);
	assert_int_equal(outcome_kind(&h->st, t.name, 1, &kind), OK);
	assert_int_equal(kind, OUTCOME_CERTIFICATE);
	assert_int_equal(outcome_kind(&h->st, dead, 1, &kind), OK);
	assert_int_equal(kind, OUTCOME_ABANDONED);
	/* a worker that read the code before cannot redeem it any more */
	name_of(2, late);
	assert_int_equal(code_claim(&h->st, &c, late, 1, by), ERR_BUSY);
	assert_int_equal(code_claim(&h->st, &c, dead, 1, by), ERR_BUSY);
	outcome_release(&o);
	code_release(&c);
}

#define GUESSED "0123456789abcdef0123456789abcdef"
#define AT	(INT64_C(1795460400) + 30 * 60) /* 2026-11-23T19:30:00Z */

static enum err
add_path(const char *path, void *arg)
{
	return buf_printf(arg, "%s;", path) ? OK : ERR_SYSTEM;
}

/* Every name in the shards of a room. */
static enum err
list_names(const struct house *h, const char *kind, struct buf *out)
{
	return store_each(&h->st, kind, add_path, out);
}

static void
counts_tries(void **state)
{
	struct house *h = *state;
	struct try_mark mark[MAX_TRIES], more;
	int64_t until = 1;
	unsigned removed;

	for (int i = 0; i < MAX_TRIES; i++)
		assert_int_equal(code_try(&h->st, GUESSED, AT, &mark[i]), OK);
	assert_string_equal(
	    mark[0].path, "try/01/" GUESSED ",2026-11-23T19.30,0");
	/* nobody was wrong yet, but no more may look */
	assert_int_equal(code_try(&h->st, GUESSED, AT, &more), ERR_BUSY);
	assert_string_equal(more.path, "");
	assert_int_equal(code_locked(&h->st, GUESSED, AT, &until), OK);
	assert_int_equal(until, 0);
	/* the right one gives its mark back, the others stay */
	code_try_clear(&h->st, &mark[4]);
	code_try_clear(&h->st, &more);
	for (int i = 0; i < MAX_TRIES; i++) {
		if (i != 4)
			assert_int_equal(code_try_wrong(&h->st, &mark[i]), OK);
	}
	assert_int_equal(code_try(&h->st, GUESSED, AT, &more), OK);
	assert_int_equal(code_try(&h->st, GUESSED, AT, &mark[0]), ERR_BUSY);
	assert_int_equal(code_try_wrong(&h->st, &more), OK);
	assert_int_equal(code_try(&h->st, GUESSED, AT, &more), ERR_REFUSED);
	assert_int_equal(code_locked(&h->st, GUESSED, AT, &until), OK);
	assert_int_equal(until, AT + 1800);
	/* a delay, not a lock-out */
	assert_int_equal(code_try(&h->st, GUESSED, until, &more), OK);
	assert_int_equal(code_unlock(&h->st, GUESSED, AT, &removed), OK);
	assert_int_equal(removed, MAX_TRIES);
	assert_int_equal(code_unlock(&h->st, GUESSED, AT, &removed), OK);
	assert_int_equal(removed, 0);
	assert_int_equal(code_try(&h->st, GUESSED, AT, &more), OK);
}

/* Ten workers died while they looked: nobody waits for them for an hour. */
static void
forgets_dead_workers(void **state)
{
	struct house *h = *state;
	struct try_mark mark;

	for (int i = 0; i < MAX_TRIES; i++)
		assert_int_equal(code_try(&h->st, GUESSED, AT, &mark), OK);
	assert_int_equal(code_try(&h->st, GUESSED, AT + 60, &mark), ERR_BUSY);
	assert_string_equal(mark.path, "try/01/" GUESSED ",2026-11-23T19.31,0");
	assert_int_equal(file_exists(h->st.root, mark.path), ERR_NOTFOUND);
	assert_int_equal(code_try(&h->st, GUESSED, AT + 120, &mark), OK);
}

/* As much work in files, and nothing stays. */
static void
decoys_leave_nothing(void **state)
{
	struct house *h = *state;
	struct buf names = BUF_INIT;

	assert_int_equal(code_try_decoy(&h->st, AT), OK);
	assert_int_equal(list_names(h, "try", &names), OK);
	assert_string_equal(buf_cstr(&names), "");
	/* where no mark can be made, neither can this one */
	file_close(&h->st.tmp);
	assert_int_equal(code_try_decoy(&h->st, AT), ERR_SYSTEM);
	assert_int_equal(dir_open(h->st.root, "tmp", &h->st.tmp), OK);
	buf_release(&names);
}

static enum err
try_one(int i, void *arg)
{
	struct rush *r = arg;
	struct try_mark mark;
	enum err e;

	e = code_try(&r->h->st, GUESSED, r->now, &mark);
	if (e == OK && i % 2 == 0)
		return code_try_wrong(&r->h->st, &mark);
	return e;
}

static void
parallel_tries_cannot_outrun(void **state)
{
	struct rush r = { .h = *state, .now = AT };

	/* half of them are still looking; nobody waits for a place */
	assert_in_range(race(24, try_one, &r), 1, MAX_TRIES);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, house_build, house_raze)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keeps_no_secret),
		TEST(compares),
		TEST(costs_the_same),
		TEST(refuses_nonsense),
		TEST(pays_once),
		TEST(pays_count_times),
		TEST(never_pays_too_much),
		TEST(abandoned_do_not_count),
		TEST(bought_by_another),
		TEST(damage_counts_as_used),
		TEST(points_to_its_outcome),
		TEST(retires),
		TEST(counts_tries),
		TEST(forgets_dead_workers),
		TEST(decoys_leave_nothing),
		TEST(parallel_tries_cannot_outrun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
