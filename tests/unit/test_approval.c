/* People's yes: one each, in slots without gaps, whatever comes at once. */
#include "tests/unit/storehome.h"

#include "store/approval.h"

static struct waiting wanted = { .attempt = 1, .required = 3 };

static int
set_up(void **state)
{
	memset(wanted.id, 'c', SHA256_HEX - 1);
	return house_build(state);
}

static enum err
add(const struct house *h, unsigned uid, const char *name, const char *as,
    unsigned *n)
{
	struct approval a = { .uid = uid,
		.name = (char *)(uintptr_t)name,
		.as = (char *)(uintptr_t)as,
		.time = time_now() };

	return approval_add(&h->st, &wanted, &a, n);
}

static void
each_counts_once(void **state)
{
	struct house *h = *state;
	unsigned n = 9;

	assert_int_equal(approval_count(&h->st, wanted.id, &n, NULL), OK);
	assert_int_equal(n, 0);
	assert_int_equal(add(h, 1000, "anna", NULL, &n), OK);
	assert_int_equal(n, 1);
	assert_int_equal(add(h, 1000, "anna", NULL, &n), ERR_EXISTS);
	assert_int_equal(n, 1);
	/* another name for the same uid, the same name by root's word */
	assert_int_equal(add(h, 1000, "anne", NULL, &n), ERR_EXISTS);
	assert_int_equal(add(h, 0, "root", "anna", &n), ERR_EXISTS);
	assert_int_equal(add(h, 0, "root", "bert", &n), OK);
	assert_int_equal(n, 2);
	assert_int_equal(add(h, 1001, "bert", NULL, &n), ERR_EXISTS);
	assert_int_equal(n, 2);
	/* root himself is one more */
	assert_int_equal(add(h, 0, "root", NULL, &n), OK);
	assert_int_equal(n, 3);
	/* enough: nothing is added */
	assert_int_equal(add(h, 1002, "cleo", NULL, &n), OK);
	assert_int_equal(n, 3);
	assert_int_equal(approval_count(&h->st, wanted.id, &n, NULL), OK);
	assert_int_equal(n, 3);
}

/* Users whom the system does not know are told apart by their uid. */
static void
nameless(void **state)
{
	struct house *h = *state;
	unsigned n = 0;

	assert_int_equal(add(h, 4001, NULL, NULL, &n), OK);
	assert_int_equal(add(h, 4002, NULL, NULL, &n), OK);
	assert_int_equal(add(h, 4001, NULL, NULL, &n), ERR_EXISTS);
	assert_int_equal(n, 2);
}

static enum err
same(const struct approval *a, void *arg)
{
	struct approval *want = arg;

	assert_int_equal(a->uid, want->uid);
	assert_string_equal(a->name, want->name);
	assert_string_equal(a->as, want->as);
	assert_string_equal(a->reason, want->reason);
	assert_string_equal(a->host, want->host);
	assert_int_equal(a->time, want->time);
	want->request[0] = 'x';
	return OK;
}

static void
comes_back(void **state)
{
	struct house *h = *state;
	struct approval a = { .uid = UINT32_MAX - 1,
		.name = (char *)(uintptr_t) "an na",
		.as = (char *)(uintptr_t) "bert \n[approval]",
		.reason = (char *)(uintptr_t) "100% = sure",
		.host = (char *)(uintptr_t) "host1",
		.time = time_now() };
	int64_t last = 0;
	unsigned n = 0;

	assert_int_equal(approval_add(&h->st, &wanted, &a, &n), OK);
	assert_int_equal(approval_each(&h->st, wanted.id, same, &a), OK);
	assert_int_equal(a.request[0], 'x');
	assert_int_equal(approval_count(&h->st, wanted.id, &n, &last), OK);
	assert_int_equal(last, a.time);
}

struct crowd {
	struct house *h;
	unsigned people; /* how many different ones there are */
};

static enum err
one_of_them(int i, void *arg)
{
	const struct crowd *c = arg;
	unsigned n = 0;
	struct approval a = { .uid = 2000 + (unsigned)i % c->people,
		.reason = (char *)(uintptr_t)(i < 6 ? "yes" : "indeed"),
		.time = 1000 + i };

	return approval_add(&c->h->st, &wanted, &a, &n);
}

static void
at_once(void **state)
{
	struct crowd one = { *state, 1 }, many = { *state, 12 };
	unsigned n = 0;

	/* the same uid, twelve times in parallel, counts once */
	assert_int_equal(race(12, one_of_them, &one), 1);
	assert_int_equal(approval_count(&one.h->st, wanted.id, &n, NULL), OK);
	assert_int_equal(n, 1);
	/* twelve people at once: as many as are needed, none lost */
	(void)race(12, one_of_them, &many);
	assert_int_equal(approval_count(&one.h->st, wanted.id, &n, NULL), OK);
	assert_int_equal(n, 3);
}

static void
damage_is_no_yes(void **state)
{
	struct house *h = *state;
	char path[160];
	unsigned n = 0;

	assert_int_equal(add(h, 1, "a", NULL, &n), OK);
	(void)snprintf(
	    path, sizeof(path), "approval/%.2s/%s,2", wanted.id, wanted.id);
	scribble(h, path, "[approval]\nrequest = 12\nuid = 2\n");
	assert_int_equal(
	    approval_count(&h->st, wanted.id, &n, NULL), ERR_SYSTEM);
	assert_int_equal(add(h, 3, "b", NULL, &n), ERR_SYSTEM);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    each_counts_once, set_up, house_raze),
		cmocka_unit_test_setup_teardown(nameless, set_up, house_raze),
		cmocka_unit_test_setup_teardown(comes_back, set_up, house_raze),
		cmocka_unit_test_setup_teardown(at_once, set_up, house_raze),
		cmocka_unit_test_setup_teardown(
		    damage_is_no_yes, set_up, house_raze),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
