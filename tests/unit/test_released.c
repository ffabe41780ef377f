/* The release mark of a held certificate: made once, and nobody else's. */
#include "tests/unit/checkhome.h"

static void
mark_path(const struct outcome *o, char out[160])
{
	(void)snprintf(out, 160, "transaction/%.2s/%s,%u,released",
	    o->transaction, o->transaction, o->attempt);
}

static void
held_outcome(const struct house *h, const char *id, const char *serial,
    struct outcome *o)
{
	struct transaction t;

	make_transaction(&t, id, KEY_A);
	make_outcome(&t, 1, serial, o);
	o->held = str_dup("intune");
	assert_int_equal(outcome_link(&h->st, o), OK);
}

static bool
released(const struct house *h, const struct outcome *o)
{
	bool yes = true;

	assert_int_equal(outcome_released(&h->st, o, &yes), OK);
	return yes;
}

static void
lets_go_once(void **state)
{
	struct house *h = *state;
	struct outcome o, back = OUTCOME_INIT;
	struct buf text = BUF_INIT, again = BUF_INIT;
	char path[160];

	held_outcome(h, "1", SERIAL_1, &o);
	assert_int_equal(cert_find(&h->st, "Test CA", 1, SERIAL_1, &back), OK);
	assert_string_equal(back.held, "intune");
	assert_false(released(h, &o));
	assert_int_equal(outcome_let_go(&h->st, &o, 1800000000), OK);
	assert_true(released(h, &o));
	mark_path(&o, path);
	assert_int_equal(file_read(h->st.root, path, 4096, &text), OK);
	assert_non_null(strstr(buf_cstr(&text), "by = intune\n"));
	/* another answer is as good, and changes nothing */
	assert_int_equal(outcome_let_go(&h->st, &o, 1800000001), OK);
	assert_int_equal(file_read(h->st.root, path, 4096, &again), OK);
	assert_true(span_eq(buf_span(&text), buf_span(&again)));
	outcome_release(&o);
	outcome_release(&back);
	buf_release(&text);
	buf_release(&again);
}

/* A mark that is another's, or cannot be read, lets nothing go. */
static void
believes_no_other(void **state)
{
	static const char damage[] = "[released]\ntransaction = ab\n";
	struct house *h = *state;
	struct outcome a, b;
	struct buf text = BUF_INIT;
	char path[160];
	bool yes = true;

	held_outcome(h, "1", SERIAL_1, &a);
	held_outcome(h, "2", SERIAL_2, &b);
	assert_int_equal(outcome_let_go(&h->st, &a, 1800000000), OK);
	mark_path(&a, path);
	assert_int_equal(file_read(h->st.root, path, 4096, &text), OK);
	mark_path(&b, path);
	scribble(h, path, buf_cstr(&text));
	assert_int_equal(outcome_released(&h->st, &b, &yes), ERR_SYSTEM);
	assert_false(yes);
	scribble(h, path, damage);
	assert_int_equal(outcome_released(&h->st, &b, &yes), ERR_SYSTEM);
	assert_false(yes);
	outcome_release(&a);
	outcome_release(&b);
	buf_release(&text);
}

static void
is_checked(void **state)
{
	struct house *h = *state;
	struct outcome o;
	struct buf text = BUF_INIT;
	char path[160];

	held_outcome(h, "1", SERIAL_1, &o);
	assert_int_equal(outcome_let_go(&h->st, &o, 1800000000), OK);
	clean(h);
	mark_path(&o, path);
	assert_int_equal(file_read(h->st.root, path, 4096, &text), OK);
	scribble(h, path, "[released]\n");
	damaged(h, path, "keeps its certificate back");
	scribble(h, path, buf_cstr(&text));
	clean(h);
	o.attempt = 2;
	mark_path(&o, path);
	scribble(h, path, buf_cstr(&text));
	damaged(h, path, "another attempt's mark");
	assert_int_equal(file_unlink(h->st.root, path), OK);
	assert_int_equal(outcome_let_go(&h->st, &o, 1800000000), OK);
	damaged(h, path, "its outcome is missing");
	outcome_release(&o);
	buf_release(&text);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, house_build, house_raze)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lets_go_once),
		TEST(believes_no_other),
		TEST(is_checked),
	};
	int failed = cmocka_run_group_tests_name("released", tests, NULL, NULL);

	buf_release(&findings);
	return failed;
}
