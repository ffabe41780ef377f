/*
 * Recoverable codes: what is sealed comes back, to its owner alone, and
 * stands nowhere in clear; who makes the key, and what happens without it
 * (C-97).
 */
#include "tests/unit/storehome.h"

#include "base/limits.h"
#include "judge/judge.h"

#define SECRET "7KQ2M4X-PB3WN5Z-9TRH6CV-A8DJ4FG"

static void
new_code(const struct house *h, const char *user, const char *secret,
    enum code_form form, struct code *out)
{
	char id[CODE_ID];

	assert_int_equal(
	    code_add(&h->st, user, text(secret), form, 1, 0, id), OK);
	assert_int_equal(code_find(&h->st, user, id, out), OK);
}

/* The whole file of a code. */
static void
file_of(const struct house *h, const struct code *c, struct buf *path,
    struct buf *file)
{
	struct buf tail = BUF_INIT;

	assert_true(buf_printf(&tail, ",%s", c->id));
	assert_int_equal(store_path(&h->st, "secret", text(c->username),
			     buf_cstr(&tail), path),
	    OK);
	assert_int_equal(file_read(h->st.root, buf_cstr(path), 4096, file), OK);
	buf_release(&tail);
}

static void
comes_back(void **state)
{
	struct house *h = *state;
	struct buf secret = BUF_INIT, path = BUF_INIT, file = BUF_INIT;
	struct file_facts facts;
	struct code c = { 0 };

	assert_int_equal(code_sealing(&h->st), ERR_NOTFOUND);
	new_code(h, "router1", SECRET, CODE_SEALED, &c);
	assert_int_equal(code_sealing(&h->st), OK);
	assert_int_equal(file_facts(h->home, "seal.key", &facts), OK);
	assert_int_equal(facts.mode, 0400);
	assert_true(code_match(&c, text(SECRET)));
	assert_false(code_match(&c, text("7KQ2M4X")));
	assert_int_equal(code_reveal(&h->st, &c, &secret), OK);
	assert_string_equal(buf_cstr(&secret), SECRET);
	assert_true(secret.secret);
	file_of(h, &c, &path, &file);
	assert_null(strstr(buf_cstr(&file), "7KQ2M4X"));
	assert_non_null(strstr(buf_cstr(&file), "\nsealed = "));
	buf_release(&secret);
	buf_release(&path);
	buf_release(&file);
	code_release(&c);
}

static void
others_do_not(void **state)
{
	struct house *h = *state;
	struct buf secret = BUF_INIT;
	struct code c = { 0 };

	new_code(h, "router1", SECRET, CODE_SHA256, &c);
	assert_int_equal(code_reveal(&h->st, &c, &secret), ERR_NOTFOUND);
	assert_int_equal(c.sealed.len, 0);
	assert_int_equal(code_sealing(&h->st), ERR_NOTFOUND);
	code_release(&c);
}

/* The sealed half of another's record, a bit of it, none of it. */
static void
bound_to_its_record(void **state)
{
	struct house *h = *state;
	struct buf secret = BUF_INIT, path = BUF_INIT, file = BUF_INIT;
	struct code a = { 0 }, b = { 0 }, other = { 0 };
	struct buf keep;
	char *line;

	new_code(h, "router1", SECRET, CODE_SEALED, &a);
	new_code(h, "router2", SECRET, CODE_SEALED, &b);
	keep = a.sealed;
	a.sealed = b.sealed;
	assert_int_equal(code_reveal(&h->st, &a, &secret), ERR_SYSTEM);
	assert_non_null(strstr(said, "seal.key"));
	b.sealed = a.sealed;
	a.sealed = keep;
	assert_int_equal(code_reveal(&h->st, &a, &secret), OK);
	buf_clear(&secret);
	a.sealed.data[20] ^= 1;
	assert_int_equal(code_reveal(&h->st, &a, &secret), ERR_SYSTEM);
	assert_int_equal(secret.len, 0);
	file_of(h, &a, &path, &file);
	line = strstr((char *)file.data, "sealed = ");
	assert_non_null(line);
	line[0] = 'x';
	scribble(h, buf_cstr(&path), buf_cstr(&file));
	assert_int_equal(
	    code_find(&h->st, "router1", a.id, &other), ERR_SYSTEM);
	buf_release(&secret);
	buf_release(&path);
	buf_release(&file);
	code_release(&a);
	code_release(&b);
}

static void
without_the_key(void **state)
{
	struct house *h = *state;
	struct buf secret = BUF_INIT;
	struct code c = { 0 };

	new_code(h, "router1", SECRET, CODE_SEALED, &c);
	assert_int_equal(file_unlink(h->home, "seal.key"), OK);
	assert_int_equal(code_reveal(&h->st, &c, &secret), ERR_SYSTEM);
	assert_non_null(strstr(said, "seal.key is gone"));
	assert_int_equal(
	    file_mark(h->st.tmp, h->home, "seal.key", text("nonsense\n")), OK);
	assert_int_equal(code_reveal(&h->st, &c, &secret), ERR_SYSTEM);
	/* the code itself is still good */
	assert_true(code_match(&c, text(SECRET)));
	code_release(&c);
	buf_release(&secret);
}

/* Of many who need the key at once, one makes it and all use it. */
static void
one_key(void **state)
{
	struct house *h = *state;
	struct buf secret = BUF_INIT;
	struct code c = { 0 };
	char id[8][CODE_ID] = { "" };
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	for (int i = 0; i < 8; i++)
		if (fork() == 0) {
			char mine[CODE_ID];
			enum err e = code_add(&h->st, "router1", text(SECRET),
			    CODE_SEALED, 1, 0, mine);

			if (e != OK || write(fd[1], mine, CODE_ID) != CODE_ID)
				_exit(1);
			_exit(0);
		}
	for (int i = 0; i < 8; i++) {
		int status = 1;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
		assert_int_equal(read(fd[0], id[i], CODE_ID), CODE_ID);
	}
	for (int i = 0; i < 8; i++) {
		assert_int_equal(code_find(&h->st, "router1", id[i], &c), OK);
		buf_clear(&secret);
		assert_int_equal(code_reveal(&h->st, &c, &secret), OK);
		assert_string_equal(buf_cstr(&secret), SECRET);
		code_release(&c);
	}
	buf_release(&secret);
	(void)close(fd[0]);
	(void)close(fd[1]);
}

static enum err
secret_of(const struct house *h, const char *user, const char *wanted)
{
	const struct alias alias = { .mode = MODE_CA };
	struct buf secret = BUF_SECRET;
	char *ca = NULL;
	enum err e = judge_secret(&alias, &h->st, user, &secret, &ca);

	assert_string_equal(buf_cstr(&secret), e == OK ? wanted : "");
	assert_true((ca != NULL) == (e == OK));
	assert_true(ca == NULL || strcmp(ca, "Test CA") == 0);
	buf_release(&secret);
	free(ca);
	return e;
}

static void
add_entity(const struct house *h, const char *user, enum code_form form)
{
	struct entity e = ENTITY_INIT;
	char id[CODE_ID];

	assert_int_equal(
	    code_add(&h->st, user, text(SECRET), form, 1, 0, id), OK);
	e.username = str_dup(user);
	e.ca = str_dup("Test CA");
	e.profile = str_dup("ENDUSER");
	e.code = str_dup(id);
	assert_int_equal(entity_add(&h->st, &e), OK);
	entity_release(&e);
}

/* C-95, C-96: whose secret opens an envelope, and whose never does. */
static void
asked_by_the_judge(void **state)
{
	struct house *h = *state;

	add_entity(h, "plain", CODE_SHA256);
	assert_int_equal(secret_of(h, "plain", SECRET), ERR_REFUSED);
	assert_int_equal(secret_of(h, "nobody", SECRET), ERR_REFUSED);
	add_entity(h, "router1", CODE_SEALED);
	assert_int_equal(secret_of(h, "router1", SECRET), OK);
	assert_int_equal(secret_of(h, "plain", SECRET), ERR_NOTFOUND);
	assert_int_equal(secret_of(h, "nobody", SECRET), ERR_NOTFOUND);
	assert_int_equal(secret_of(h, "", SECRET), ERR_NOTFOUND);
	assert_int_equal(entity_block(&h->st, "router1", true), OK);
	assert_int_equal(secret_of(h, "router1", SECRET), ERR_NOTFOUND);
	assert_int_equal(entity_block(&h->st, "router1", false), OK);
	assert_int_equal(file_unlink(h->home, "seal.key"), OK);
	assert_int_equal(
	    file_mark(h->st.tmp, h->home, "seal.key", text("nonsense\n")), OK);
	assert_int_equal(secret_of(h, "router1", SECRET), ERR_SYSTEM);
}

/* Another code of a secret that only its owner knows, in each form. */
static void
again(void **state)
{
	struct house *h = *state;
	char id[CODE_ID] = "", paid[SHA256_HEX], by[SHA256_HEX];
	struct buf secret = BUF_INIT;
	struct code old = { 0 }, fresh = { 0 };
	unsigned used = 9;

	assert_int_equal(sha256_hex(text("t"), paid), OK);
	for (int form = 0; form < CODE__MAX; form++) {
		new_code(h, "router1", SECRET, (enum code_form)form, &old);
		assert_int_equal(code_claim(&h->st, &old, paid, 1, by), OK);
		assert_int_equal(
		    code_again(&h->st, &old, "router2", 3, id), OK);
		assert_string_not_equal(id, old.id);
		assert_int_equal(
		    code_find(&h->st, "router1", id, &fresh), ERR_NOTFOUND);
		assert_int_equal(code_find(&h->st, "router2", id, &fresh), OK);
		assert_true(code_match(&fresh, text(SECRET)));
		assert_false(code_match(&fresh, text("another")));
		assert_int_equal(fresh.count, 3);
		assert_int_equal(fresh.form, form);
		assert_int_equal(code_used(&h->st, &fresh, &used), OK);
		assert_int_equal(used, 0);
		if (form == CODE_SEALED) {
			assert_int_equal(
			    code_reveal(&h->st, &fresh, &secret), OK);
			assert_string_equal(buf_cstr(&secret), SECRET);
		}
		code_release(&fresh);
		code_release(&old);
	}
	new_code(h, "router1", SECRET, CODE_SEALED, &old);
	assert_int_equal(file_unlink(h->home, "seal.key"), OK);
	assert_int_equal(
	    code_again(&h->st, &old, "router1", 1, id), ERR_SYSTEM);
	code_release(&old);
	buf_release(&secret);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, house_build, house_raze)
	const struct CMUnitTest tests[] = {
		TEST(comes_back),
		TEST(others_do_not),
		TEST(bound_to_its_record),
		TEST(without_the_key),
		TEST(one_key),
		TEST(asked_by_the_judge),
		TEST(again),
	};

	return cmocka_run_group_tests_name("sealed codes", tests, NULL, NULL);
}
