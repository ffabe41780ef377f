/* Answers of another server that are kept: a cache with an end. */
#include "tests/unit/storehome.h"

#include "store/kept.h"

static void
keep(struct house *h, const char *question, const char *answer, int64_t fetched,
    enum err wanted)
{
	struct kept k = { .type = "text/plain", .fetched = fetched };

	assert_true(buf_str(&k.body, answer));
	assert_int_equal(
	    kept_write(&h->st, "a", text(question), &k, 3600), wanted);
	kept_release(&k);
}

static enum err
look(struct house *h, const char *question, const char *answer)
{
	struct kept k = KEPT_INIT;
	enum err e = kept_read(&h->st, "a", text(question), &k);

	if (e == OK) {
		assert_string_equal(k.type, "text/plain");
		assert_string_equal(buf_cstr(&k.body), answer);
	}
	kept_release(&k);
	return e;
}

static void
keeps(void **state)
{
	struct house *h = *state;
	int64_t now = time_now();
	struct kept k = KEPT_INIT;

	assert_int_equal(look(h, "q", ""), ERR_NOTFOUND);
	keep(h, "q", "one", now, OK);
	keep(h, "q\n \"x\xff", "two", now, OK);
	assert_int_equal(look(h, "q", "one"), OK);
	assert_int_equal(look(h, "q\n \"x\xff", "two"), OK);
	keep(h, "q", "three", now - 5, OK);
	assert_int_equal(kept_read(&h->st, "a", text("q"), &k), OK);
	assert_true(k.fetched == now - 5);
	assert_string_equal(buf_cstr(&k.body), "three");
	kept_release(&k);
	assert_int_equal(kept_read(&h->st, "b", text("q"), &k), ERR_NOTFOUND);
	assert_int_equal(kept_forget(&h->st, "a"), OK);
	assert_int_equal(kept_forget(&h->st, "a"), OK);
	assert_int_equal(look(h, "q", ""), ERR_NOTFOUND);
}

/* The file's name is an address; what stands in it must be the question. */
static void
another_answer_is_none(void **state)
{
	struct house *h = *state;
	char a[SHA256_HEX], b[SHA256_HEX], from[128], to[128];

	keep(h, "a", "one", time_now(), OK);
	assert_int_equal(sha256_hex(text("a"), a), OK);
	assert_int_equal(sha256_hex(text("b"), b), OK);
	(void)snprintf(from, sizeof(from), "kept/a/%s", a);
	(void)snprintf(to, sizeof(to), "kept/a/%s", b);
	assert_int_equal(file_rename(h->st.root, from, to), OK);
	assert_int_equal(look(h, "b", ""), ERR_NOTFOUND);
	assert_non_null(strstr(said, "no answer to what was asked"));
	scribble(h, to, "[kept]\nquestion = b\n");
	assert_int_equal(look(h, "b", ""), ERR_NOTFOUND);
	scribble(h, to, "rubbish");
	assert_int_equal(look(h, "b", ""), ERR_NOTFOUND);
}

static void
has_an_end(void **state)
{
	struct house *h = *state;
	int64_t now = time_now();
	char question[16];
	struct buf large = BUF_INIT;

	for (int i = 0; i < KEPT_MAX; i++) {
		(void)snprintf(question, sizeof(question), "q%d", i);
		keep(h, question, "x", now, OK);
	}
	keep(h, "further", "x", now, ERR_TOOBIG);
	assert_int_equal(look(h, "further", "x"), ERR_NOTFOUND);
	keep(h, "q7", "y", now, OK); /* which is there */
	assert_int_equal(look(h, "q7", "y"), OK);
	/* an hour later all of them are old */
	keep(h, "further", "x", now + 3610, OK);
	assert_int_equal(look(h, "further", "x"), OK);
	for (int i = 0; i < KEPT_QUESTION; i++)
		assert_true(buf_byte(&large, 'q'));
	keep(h, buf_cstr(&large), "x", now + 3610, OK);
	assert_true(buf_byte(&large, 'q'));
	keep(h, buf_cstr(&large), "x", now + 3610, ERR_TOOBIG);
	assert_int_equal(look(h, buf_cstr(&large), "x"), ERR_NOTFOUND);
	while (large.len < KEPT_BODY)
		assert_true(buf_byte(&large, 'b'));
	keep(h, "q8", buf_cstr(&large), now, OK);
	assert_int_equal(look(h, "q8", buf_cstr(&large)), OK);
	assert_true(buf_byte(&large, 'b'));
	keep(h, "q8", buf_cstr(&large), now, ERR_TOOBIG);
	buf_release(&large);
}

/* n made-up questions of an operation, all of one answer. */
static void
make_up(struct house *h, const char *operation, unsigned n, const char *answer,
    int64_t now)
{
	char question[64];

	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(question, sizeof(question), "%s https://x?m=%u",
		    operation, i);
		keep(h, question, answer, now, i < KEPT_MAX ? OK : ERR_TOOBIG);
	}
}

static enum err
common(struct house *h, const char *question, const char *answer)
{
	struct kept k = KEPT_INIT;
	enum err e = kept_common(&h->st, "a", text(question), &k);

	if (e == OK)
		assert_string_equal(buf_cstr(&k.body), answer);
	kept_release(&k);
	return e;
}

/* A stranger made up as many as there is room for, before anybody else came. */
static void
made_up_ones_give_way(void **state)
{
	struct house *h = *state;
	int64_t now = time_now();

	make_up(h, "Cert", KEPT_MAX + 5, "default", now);
	/* who gets what is kept already is not kept again, nor needs it */
	keep(h, "Cert https://x?m=device", "default", now, ERR_TOOBIG);
	assert_int_equal(common(h, "Cert https://x?m=device", "default"), OK);
	assert_int_equal(common(h, "Cert https://x?", "default"), OK);
	assert_int_equal(common(h, "Cert https://y?", ""), ERR_NOTFOUND);
	assert_int_equal(common(h, "Caps https://x?", ""), ERR_NOTFOUND);
	/* what is new comes in, whatever the age of the others */
	keep(h, "Caps https://x?m=device", "default", now, OK);
	assert_int_equal(look(h, "Caps https://x?m=device", "default"), OK);
	keep(h, "Cert https://x?m=other", "another", now, OK);
	assert_int_equal(look(h, "Cert https://x?m=other", "another"), OK);
	/* what nobody made up comes in too, and stays */
	keep(h, "Cert https://x", "default", now, OK);
	assert_int_equal(look(h, "Cert https://x", "default"), OK);
	/* now it could be either */
	assert_int_equal(common(h, "Cert https://x?", ""), ERR_NOTFOUND);
	assert_int_equal(common(h, "Caps https://x?", "default"), OK);
}

/* Those whom real clients came for, long ago, before a stranger came. */
static void
made_up_ones_come_last(void **state)
{
	struct house *h = *state;
	int64_t now = time_now() + 86400;

	keep(h, "Cert https://x?m=one", "one", now - 86400, OK);
	keep(h, "Caps https://x?", "caps", now - 86400, OK);
	keep(h, "Cert https://x", "default", now - 86400, OK);
	/* all files are of today: by their age each could go */
	for (int i = 0; i < 2 * KEPT_MAX; i++) {
		char question[64];
		struct kept k = { .type = "text/plain", .fetched = now };

		(void)snprintf(
		    question, sizeof(question), "Cert https://x?m=%d", i);
		assert_true(buf_str(&k.body, "default"));
		assert_int_equal(
		    kept_write(&h->st, "a", text(question), &k, 3600), OK);
		kept_release(&k);
	}
	assert_int_equal(look(h, "Cert https://x?m=one", "one"), OK);
	assert_int_equal(look(h, "Caps https://x?", "caps"), OK);
	assert_int_equal(look(h, "Cert https://x", "default"), OK);
	assert_int_equal(common(h, "Cert https://x?", ""), ERR_NOTFOUND);
}

/* While there is room, what is not kept was never asked for. */
static void
no_answer_is_guessed(void **state)
{
	struct house *h = *state;
	int64_t now = time_now();

	assert_int_equal(common(h, "Cert https://x?", ""), ERR_NOTFOUND);
	make_up(h, "Cert", KEPT_MAX - 1, "default", now);
	assert_int_equal(common(h, "Cert https://x?", ""), ERR_NOTFOUND);
	keep(h, "Cert https://x?", "default", now, OK);
	assert_int_equal(common(h, "Cert https://x?n", "default"), OK);
}

/* What cannot be read goes before all that can. */
static void
damage_goes_first(void **state)
{
	struct house *h = *state;
	int64_t now = time_now();
	char path[128];

	for (int i = 0; i < KEPT_MAX - 1; i++) {
		char question[16], answer[16];

		(void)snprintf(question, sizeof(question), "q%d", i);
		(void)snprintf(answer, sizeof(answer), "a%d", i);
		keep(h, question, answer, now, OK);
	}
	(void)snprintf(path, sizeof(path), "kept/a/%064d", 0);
	scribble(h, path, "rubbish");
	keep(h, "more", "of it", now, OK);
	assert_int_equal(file_exists(h->st.root, path), ERR_NOTFOUND);
	keep(h, "more still", "another", now, ERR_TOOBIG);
}

static void
pauses(void **state)
{
	struct house *h = *state;
	int64_t now = time_now();

	assert_false(kept_pausing(&h->st, "a", now));
	assert_int_equal(kept_pause(&h->st, "a"), OK);
	assert_true(kept_pausing(&h->st, "a", now + 1));
	assert_false(kept_pausing(&h->st, "b", now + 1));
	assert_false(kept_pausing(&h->st, "a", now + KEPT_PAUSE));
	/* a clock that was set back does not make it longer */
	assert_false(kept_pausing(&h->st, "a", now - 3600));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keeps, house_build, house_raze),
		cmocka_unit_test_setup_teardown(
		    another_answer_is_none, house_build, house_raze),
		cmocka_unit_test_setup_teardown(
		    has_an_end, house_build, house_raze),
		cmocka_unit_test_setup_teardown(
		    made_up_ones_give_way, house_build, house_raze),
		cmocka_unit_test_setup_teardown(
		    made_up_ones_come_last, house_build, house_raze),
		cmocka_unit_test_setup_teardown(
		    no_answer_is_guessed, house_build, house_raze),
		cmocka_unit_test_setup_teardown(
		    damage_goes_first, house_build, house_raze),
		cmocka_unit_test_setup_teardown(
		    pauses, house_build, house_raze),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
