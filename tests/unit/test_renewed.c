#include "tests/unit/checkhome.h"

#include "store/inside.h"
#include "store/renewed.h"

/* What an old certificate pays for, once: renewed/ (C-174). */

#define OLD SERIAL_1
#define NEW SERIAL_2

static bool over; /* what over() says of everything */

static enum err
is_over(const struct outcome *o, void *arg, bool *yes)
{
	(void)arg;
	assert_string_equal(o->renews, "Test CA/1/" OLD);
	*yes = over;
	return OK;
}

/* A renewal with OLD, as that transaction, of a CSR of that digit. */
static void
renewing(const char *id, char csr, struct renewing *r)
{
	struct transaction t;

	*r = (struct renewing){ .by = { "Test CA", 1 },
		.serial = OLD,
		.attempt = 1,
		.now = time_now(),
		.over = is_over };
	make_transaction(&t, id, KEY_A);
	memcpy(r->transaction, t.name, sizeof(t.name));
	memset(r->csr, csr, SHA256_HEX - 1);
}

/* Both questions have the same answer. */
static void
says(const struct house *h, const struct renewing *r, enum err wanted)
{
	struct outcome theirs = OUTCOME_INIT;

	assert_int_equal(renewed_room(&h->st, r, &theirs), wanted);
	assert_int_equal(
	    theirs.kind == OUTCOME_CERTIFICATE && theirs.cert.len > 0,
	    wanted == ERR_EXISTS);
	outcome_release(&theirs);
	assert_int_equal(renewed_claim(&h->st, r, &theirs), wanted);
	outcome_release(&theirs);
}

/* Its certificate. */
static void
bought(const struct house *h, const struct renewing *r, const char *serial)
{
	struct transaction t = { .alias = "scep", .ca = "Test CA" };
	struct outcome o;

	memcpy(t.name, r->transaction, sizeof(t.name));
	make_outcome(&t, r->attempt, serial, &o);
	memcpy(o.csr, r->csr, sizeof(o.csr));
	o.renews = str_dup("Test CA/1/" OLD);
	assert_int_equal(outcome_link(&h->st, &o), OK);
	outcome_release(&o);
}

#define CLAIM(n) "renewed/Test%20CA/1/5d/" OLD "," n

static void
buys_one(void **state)
{
	struct house *h = *state;
	struct renewing a, b, c;

	renewing("1", 'a', &a);
	renewing("2", 'a', &b);
	renewing("3", 'c', &c);
	says(h, &a, OK);
	says(h, &a, OK); /* a retry */
	says(h, &b, ERR_BUSY);
	bought(h, &a, NEW);
	clean(h);
	over = false;
	says(h, &b, ERR_EXISTS);
	says(h, &c, ERR_REFUSED);
	over = true; /* the same CSR gets nothing new all the same */
	says(h, &b, ERR_EXISTS);
	says(h, &c, OK);
	assert_int_equal(file_exists(h->st.root, CLAIM("1")), OK);
	assert_int_equal(file_exists(h->st.root, CLAIM("2")), ERR_NOTFOUND);
}

/* Other outcomes than a certificate that it bought. */
static void
passes_dead_claims(void **state)
{
	struct house *h = *state;
	struct renewing a, b;

	renewing("1", 'a', &a);
	renewing("2", 'b', &b);
	says(h, &a, OK);
	assert_int_equal(outcome_abandon(&h->st, a.transaction, 1), OK);
	over = false;
	says(h, &b, OK);
	clean(h);
}

/* Whoever died at it is out of the way after ten minutes. */
static void
abandons(void **state)
{
	struct house *h = *state;
	struct renewing a, b;
	enum outcome_kind kind;

	renewing("1", 'a', &a);
	renewing("2", 'b', &b);
	says(h, &a, OK);
	says(h, &b, ERR_BUSY);
	age(h, CLAIM("0"), 601);
	says(h, &b, OK);
	assert_int_equal(outcome_kind(&h->st, a.transaction, 1, &kind), OK);
	assert_int_equal(kind, OUTCOME_ABANDONED);
	/* check --repair does the same */
	age(h, CLAIM("1"), 601);
	mended(h, CLAIM("1"), true);
}

/* One that waits for people is neither free nor dead. */
static void
spares_waiting(void **state)
{
	struct house *h = *state;
	struct renewing a, b;
	struct buf path = BUF_INIT;

	renewing("1", 'a', &a);
	renewing("2", 'b', &b);
	says(h, &a, OK);
	age(h, CLAIM("0"), 601);
	assert_int_equal(
	    store_path_hex(&h->st, "transaction", a.transaction, ",1", &path),
	    OK);
	scribble(h, buf_cstr(&path), "waits\n");
	says(h, &b, ERR_REFUSED);
	buf_release(&path);
}

static enum err
claim_it(int i, void *arg)
{
	const struct house *h = arg;
	struct outcome theirs = OUTCOME_INIT;
	struct renewing r;
	char id[8];

	(void)snprintf(id, sizeof(id), "%d", i);
	renewing(id, (char)('0' + i), &r);
	return renewed_claim(&h->st, &r, &theirs);
}

static void
takes_one_rival(void **state)
{
	assert_int_equal(race(8, claim_it, *state), 1);
}

/* An outcome whose claim was lost gets it back. */
static void
is_mended(void **state)
{
	struct house *h = *state;
	struct renewing a, b;

	renewing("1", 'a', &a);
	renewing("2", 'b', &b);
	says(h, &a, OK);
	bought(h, &a, NEW);
	clean(h);
	assert_int_equal(file_unlink(h->st.root, CLAIM("0")), OK);
	mended(h, "transaction/", false);
	over = false;
	says(h, &b, ERR_REFUSED);
	scribble(h, CLAIM("x"), "");
	damaged(h, CLAIM("x"), "has a name");
}

static void
tells_damage(void **state)
{
	struct house *h = *state;
	struct outcome theirs = OUTCOME_INIT;
	struct renewing a;

	renewing("1", 'a', &a);
	assert_int_equal(
	    file_claim(h->st.root, CLAIM("0"), "../../nowhere"), OK);
	assert_int_equal(renewed_claim(&h->st, &a, &theirs), ERR_SYSTEM);
	assert_non_null(strstr(said, "is not a claim"));
	damaged(h, CLAIM("0"), "does not name");
}

static void
reads_texts(void **state)
{
	char serial[41], *ca = NULL;
	unsigned n = 0;

	(void)state;
	assert_int_equal(renewed_parse("a/b c/12/0aff", &ca, &n, serial), OK);
	assert_string_equal(ca, "a/b c");
	assert_int_equal(n, 12);
	assert_string_equal(serial, "0aff");
	free(ca);
	static const char *const bad[] = { "", "a", "a/1", "/1/aa", "a/0/aa",
		"a/x/aa", "a/1/AA", "a//aa", "a/123456789012345678/aa",
		"a/1/00000000000000000000000000000000000000000" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(
		    renewed_parse(bad[i], &ca, &n, serial), ERR_INPUT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, house_build, house_raze)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(buys_one),
		TEST(passes_dead_claims),
		TEST(abandons),
		TEST(spares_waiting),
		TEST(takes_one_rival),
		TEST(is_mended),
		TEST(tells_damage),
		cmocka_unit_test(reads_texts),
	};

	return cmocka_run_group_tests_name("renewed", tests, NULL, NULL);
}
