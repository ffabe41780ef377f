#include "tests/unit/checkhome.h"

#include "store/issued.h"

/* An entity's certificates in order: issued/. */

#define SERIAL(n) "5d03aa00aa00aa00aa00aa00aa00aa00aa00aa1" n

/* Serial number and path of what was issued as that transaction. */
static void
issue(const struct house *h, const char *id, const char *serial, int64_t ago)
{
	struct transaction t;
	struct outcome o;

	make_transaction(&t, id, KEY_A);
	make_outcome(&t, 1, serial, &o);
	o.issued = time_now() - ago;
	assert_int_equal(outcome_link(&h->st, &o), OK);
	assert_int_equal(outcome_publish(&h->st, &o), OK);
	outcome_release(&o);
}

static const char *
path_of(const struct house *h, unsigned n)
{
	static char path[128];
	struct buf b = BUF_INIT;

	assert_int_equal(
	    store_path(&h->st, "issued", text("router1"), "", &b), OK);
	(void)snprintf(path, sizeof(path), "%s,%u", buf_cstr(&b), n);
	buf_release(&b);
	return path;
}

static struct buf order;

static enum err
note_one(const struct outcome *o, void *arg)
{
	(void)arg;
	assert_true(buf_byte(&order, (uint8_t)o->serial[39]));
	return OK;
}

/* The last digits of what is found, newest first. */
static void
in_order(const struct house *h, const char *digits)
{
	struct outcome o = OUTCOME_INIT;

	buf_clear(&order);
	assert_int_equal(issued_each(&h->st, "router1", note_one, NULL), OK);
	assert_string_equal(buf_cstr(&order), digits);
	assert_int_equal(issued_latest(&h->st, "router1", &o),
	    *digits != '\0' ? OK : ERR_NOTFOUND);
	if (*digits != '\0')
		assert_int_equal(o.serial[39], *digits);
	outcome_release(&o);
}

static void
keeps_order(void **state)
{
	struct house *h = *state;

	in_order(h, "");
	issue(h, "1", SERIAL("1"), 300);
	in_order(h, "1");
	issue(h, "2", SERIAL("2"), 200);
	in_order(h, "21");
	clean(h);
}

static enum err
issue_one(int i, void *arg)
{
	const struct house *h = arg;
	char id[8], serial[41];

	(void)snprintf(id, sizeof(id), "%d", i);
	(void)snprintf(serial, sizeof(serial), SERIAL("%d"), i);
	issue(h, id, serial, 300);
	return OK;
}

/* Eight at once: none is lost, none stands twice. */
static void
takes_rivals(void **state)
{
	struct house *h = *state;
	unsigned seen = 0;

	assert_int_equal(race(8, issue_one, h), 8);
	buf_clear(&order);
	assert_int_equal(issued_each(&h->st, "router1", note_one, NULL), OK);
	assert_int_equal(order.len, 8);
	for (size_t i = 0; i < order.len; i++)
		seen |= 1U << (order.data[i] - '0');
	assert_int_equal(seen, 0xff);
	clean(h);
}

/* More than are looked at: the last ones are. */
static void
looks_at_the_last(void **state)
{
	struct house *h = *state;
	char id[8], serial[41];

	for (int i = 0; i < ISSUED_WALK + 3; i++) {
		(void)snprintf(id, sizeof(id), "%d", i);
		(void)snprintf(serial, sizeof(serial),
		    "5d03aa00aa00aa00aa00aa00aa00aa00aa00aa%02d", i);
		issue(h, id, serial, 300);
	}
	in_order(h, "8765432109876543");
}

/* What was lost comes back, in the order of its time. */
static void
is_mended(void **state)
{
	struct house *h = *state;
	const char *what = "is not among its entity's in issued/";

	issue(h, "1", SERIAL("1"), 400);
	issue(h, "2", SERIAL("2"), 300);
	issue(h, "3", SERIAL("3"), 200);
	for (unsigned n = 3; n > 0; n--)
		assert_int_equal(file_unlink(h->st.root, path_of(h, n)), OK);
	in_order(h, "");
	assert_int_equal(check(h, false), 3);
	assert_non_null(strstr(buf_cstr(&findings), what));
	assert_int_equal(check(h, true), 0);
	assert_int_equal(fixed, 3);
	in_order(h, "321");
	clean(h);
	/* a gap: what is behind it is found again */
	assert_int_equal(file_unlink(h->st.root, path_of(h, 2)), OK);
	in_order(h, "1");
	assert_int_equal(check(h, true), 0);
	in_order(h, "321");
	clean(h);
	/* no room at all, as an older version left it */
	assert_int_equal(renameat(h->st.root, "issued", h->home, "gone"), 0);
	assert_int_equal(check(h, true), 0);
	in_order(h, "321");
	clean(h);
}

/* A name that is another entity's. */
static void
tells_strangers(void **state)
{
	struct house *h = *state;
	struct buf b = BUF_INIT;
	struct outcome o = OUTCOME_INIT;

	issue(h, "1", SERIAL("1"), 400);
	assert_int_equal(
	    store_path(&h->st, "issued", text("other"), ",1", &b), OK);
	assert_int_equal(
	    file_link(h->st.root, path_of(h, 1), buf_cstr(&b)), OK);
	assert_int_equal(issued_latest(&h->st, "other", &o), ERR_SYSTEM);
	assert_non_null(strstr(said, "another entity's"));
	mended(h, buf_cstr(&b), false);
	buf_release(&b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, house_build, house_raze)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keeps_order),
		TEST(takes_rivals),
		TEST(looks_at_the_last),
		TEST(is_mended),
		TEST(tells_strangers),
	};

	return cmocka_run_group_tests_name("issued", tests, NULL, NULL);
}
