#include "store/queue.h"
#include "tests/unit/storehome.h"

/* What the CA's host has said, and up to when that was forgotten. */

#define HASH "7a827ae540cfdc45846e4e28411e849a5903f19d18d2a49eb57652448c304bee"
#define NAME HASH ",1"

static enum err
count(const char *name, void *arg)
{
	(void)name;
	++*(unsigned *)arg;
	return OK;
}

static void
link_one(const struct house *h, const char *name, const char *csr)
{
	struct queue_done done = { .request = HASH };

	(void)snprintf(done.csr, sizeof(done.csr), "%s", csr);
	done.time = *csr != '\0' ? 1790000000 : 0;
	assert_true(buf_str(&done.letter, "letter"));
	assert_int_equal(queue_done_link(&h->st, "fleet", name, &done), OK);
	buf_release(&done.letter);
}

static void
stays_until_dropped(void **state)
{
	const struct house *h = *state;
	struct queue_done done = { .letter = BUF_INIT };
	unsigned n = 0;

	assert_int_equal(
	    queue_done_each(&h->st, "fleet", count, &n), OK); /* no room yet */
	assert_int_equal(
	    queue_done(&h->st, "fleet", NAME, &done), ERR_NOTFOUND);
	link_one(h, NAME, HASH);
	link_one(h, NAME "," HASH, ""); /* as old programs did */
	assert_int_equal(queue_done_each(&h->st, "fleet", count, &n), OK);
	assert_int_equal(n, 2);
	assert_int_equal(queue_done(&h->st, "fleet", NAME, &done), OK);
	assert_string_equal(done.request, HASH);
	assert_string_equal(done.csr, HASH);
	assert_int_equal(done.time, 1790000000);
	assert_string_equal(buf_cstr(&done.letter), "letter");
	buf_release(&done.letter);
	done = (struct queue_done){ .letter = BUF_INIT };
	assert_int_equal(queue_done(&h->st, "fleet", NAME "," HASH, &done), OK);
	assert_string_equal(done.csr, "");
	assert_int_equal(done.time, 0);
	buf_release(&done.letter);
	queue_done_drop(&h->st, "fleet", NAME);
	assert_int_equal(
	    queue_done(&h->st, "fleet", NAME, &done), ERR_NOTFOUND);
}

static bool
stands(const struct house *h, const char *path)
{
	return file_exists(h->st.root, path) == OK;
}

/* Whoever forgets less does not take back what another has forgotten. */
static void
mark_only_grows(void **state)
{
	const struct house *h = *state;
	int64_t mark = 1;

	assert_int_equal(queue_mark(&h->st, "fleet", &mark), OK);
	assert_int_equal(mark, 0);
	link_one(h, NAME, HASH);
	assert_int_equal(queue_mark_link(&h->st, "fleet", 200), OK);
	assert_int_equal(queue_mark_link(&h->st, "fleet", 99), OK);
	assert_int_equal(queue_mark(&h->st, "fleet", &mark), OK);
	assert_int_equal(mark, 200);
	assert_int_equal(queue_mark_link(&h->st, "fleet", 1000), OK);
	assert_int_equal(queue_mark(&h->st, "fleet", &mark), OK);
	assert_int_equal(mark, 1000);
	assert_false(stands(h, "queue/fleet/pruned,200"));
	assert_false(stands(h, "queue/fleet/pruned,99"));
	assert_true(stands(h, "queue/fleet/pruned,1000"));
	assert_int_equal(queue_mark(&h->st, "other", &mark), OK);
	assert_int_equal(mark, 0);
}

static void
names_of_marks(void **state)
{
	static const char *const none[] = { "pruned", "pruned,", "pruned,-1",
		"pruned,1x", "pruned,1234567890123", "Pruned,1", "1" };
	int64_t time = 0;

	(void)state;
	assert_true(queue_mark_read("pruned,1790000000", &time));
	assert_int_equal(time, 1790000000);
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_false(queue_mark_read(none[i], &time));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    stays_until_dropped, house_build, house_raze),
		cmocka_unit_test_setup_teardown(
		    mark_only_grows, house_build, house_raze),
		cmocka_unit_test(names_of_marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
