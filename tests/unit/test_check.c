#include "tests/unit/checkhome.h"

static void
links_again(void **state)
{
	struct house *h = *state;

	assert_int_equal(file_unlink(h->st.root, CERT_1), OK);
	mended(h, attempt, false);
	/* even where the whole room is gone */
	assert_int_equal(file_unlink(h->st.root, CERT_1), OK);
	assert_int_equal(
	    unlinkat(h->st.root, "cert/Test%20CA/1/5d", AT_REMOVEDIR), 0);
	assert_int_equal(check(h, false), 2);
	assert_int_equal(check(h, true), 0);
	clean(h);
	assert_int_equal(file_exists(h->st.root, CERT_1), OK);
}

static void
makes_shards_again(void **state)
{
	struct house *h = *state;

	assert_int_equal(unlinkat(h->st.root, "try/a7", AT_REMOVEDIR), 0);
	mended(h, "try: ", false);
	assert_int_equal(
	    unlinkat(h->st.root, "cert/Test%20CA/1/a7", AT_REMOVEDIR), 0);
	mended(h, "cert/Test%20CA/1: ", false);
}

static void
sweeps(void **state)
{
	struct house *h = *state;
	char mark[128];

	scribble(h, "tmp/host.1", "half");
	clean(h); /* somebody may be writing it */
	age(h, "tmp/host.1", DAY + 60);
	mended(h, "tmp/host.1: ", true);
	(void)snprintf(mark, sizeof(mark), "try/%.2s/%s,2026-01-01T00,3",
	    code.id, code.id);
	scribble(h, mark, "");
	mended(h, mark, true);
	/* of a worker that died while it looked */
	(void)snprintf(mark, sizeof(mark), "try/%.2s/%s,2026-01-01T00.05,3",
	    code.id, code.id);
	scribble(h, mark, "");
	mended(h, mark, true);
}

static void
frees_dead_claims(void **state)
{
	struct house *h = *state;
	char dead[SHA256_HEX], rival[SHA256_HEX], by[SHA256_HEX], path[128];
	enum outcome_kind kind;
	unsigned slot = claim[strlen(claim) - 1] == '0';

	memset(dead, '7', 64);
	memset(rival, '8', 64);
	dead[64] = rival[64] = '\0';
	assert_int_equal(code_claim(&h->st, &code, dead, 1, by), OK);
	assert_int_equal(code_room(&h->st, &code, rival, 1, by), ERR_REFUSED);
	clean(h); /* its worker may still be at work */
	(void)snprintf(
	    path, sizeof(path), "used/%.2s/%s,%u", code.id, code.id, slot);
	age(h, path, 601);
	mended(h, path, true);
	assert_int_equal(outcome_kind(&h->st, dead, 1, &kind), OK);
	assert_int_equal(kind, OUTCOME_ABANDONED);
	assert_int_equal(code_room(&h->st, &code, rival, 1, by), OK);
}

static void
retires_orphans(void **state)
{
	struct house *h = *state;
	struct buf b = BUF_INIT;
	char id[CODE_ID], path[160];
	char *stamp;

	assert_int_equal(
	    code_add(&h->st, "router1", text("t"), CODE_SHA256, 1, 0, id), OK);
	clean(h); /* its entity's next version may be on its way */
	(void)snprintf(path, sizeof(path), "%.*s%s",
	    (int)(strlen(secret) - CODE_ID + 1), secret, id);
	assert_int_equal(file_read(h->st.root, path, 4096, &b), OK);
	stamp = strstr((char *)b.data, "created = ");
	assert_non_null(stamp);
	memcpy(stamp, "created = 2020", 14);
	scribble(h, path, buf_cstr(&b));
	mended(h, path, true);
	assert_int_equal(file_exists(h->st.root, path), ERR_NOTFOUND);
	assert_int_equal(file_exists(h->st.root, secret), OK);
	buf_release(&b);
}

static void
tells_damaged_records(void **state)
{
	struct house *h = *state;
	struct buf b = BUF_INIT;

	assert_int_equal(file_read(h->st.root, entity_2, 4096, &b), OK);
	b.data[b.len / 2] = '\0';
	scribble(h, entity_2, (const char *)b.data);
	damaged(h, entity_2, "cannot be read");
	scribble(h, entity_2, "");
	damaged(h, entity_2, "cannot be read");
	buf_release(&b);
}

static void
tells_lost_secrets(void **state)
{
	struct house *h = *state;

	scribble(h, secret, "[code]\n");
	damaged(h, secret, "cannot be read");
	assert_int_equal(file_unlink(h->st.root, secret), OK);
	damaged(h, "router1,1", "present code is gone");
}

static void
tells_lost_claims(void **state)
{
	struct house *h = *state;

	assert_int_equal(file_unlink(h->st.root, claim), OK);
	damaged(h, attempt, "does not know that it paid");
	scribble(h, claim, "x");
	assert_int_equal(check(h, false), 2);
	assert_non_null(strstr(buf_cstr(&findings), "is not a claim"));
	assert_int_equal(file_unlink(h->st.root, claim), OK);
	assert_int_equal(file_claim(h->st.root, claim, "../../nowhere"), OK);
	assert_int_equal(check(h, false), 2);
	assert_non_null(strstr(buf_cstr(&findings), "does not name"));
}

static void
tells_gaps(void **state)
{
	struct house *h = *state;
	char third[160];

	(void)snprintf(third, sizeof(third), "transaction/%.2s/%s,3,outcome",
	    outcome.transaction, outcome.transaction);
	assert_int_equal(outcome_abandon(&h->st, outcome.transaction, 3), OK);
	damaged(h, third, "the attempt before it is missing");
	assert_int_equal(file_unlink(h->st.root, third), OK);
	clean(h);
}

static void
tells_an_entity_gap(void **state)
{
	struct house *h = *state;
	char fourth[128];

	memcpy(fourth, entity_2, sizeof(fourth));
	fourth[strlen(fourth) - 1] = '4';
	assert_int_equal(file_link(h->st.root, entity_2, fourth), OK);
	damaged(h, fourth, "the version before it is missing");
}

static void
tells_misplaced_names(void **state)
{
	struct house *h = *state;
	char other[160];

	assert_int_equal(file_link(h->st.root, CERT_1, CERT_2), OK);
	damaged(h, CERT_2, "another certificate");
	assert_int_equal(file_unlink(h->st.root, CERT_2), OK);
	memcpy(other, attempt, sizeof(other));
	other[strlen("transaction/ab/") + 10] ^= 1;
	assert_int_equal(file_link(h->st.root, attempt, other), OK);
	damaged(h, other, "another attempt's outcome");
	assert_int_equal(file_unlink(h->st.root, other), OK);
	scribble(h, "used/00/notes", "");
	damaged(h, "used/00/notes", "name that the store does not give");
	assert_int_equal(file_unlink(h->st.root, "used/00/notes"), OK);
	scribble(h, "try/00/notes", "");
	damaged(h, "try/00/notes", "name that the store does not give");
	assert_int_equal(file_unlink(h->st.root, "try/00/notes"), OK);
	scribble(h, "core", "");
	damaged(h, "core", "nothing of the store's");
	assert_int_equal(file_unlink(h->st.root, "core"), OK);
	clean(h);
}

static void
tells_foreign_certificates(void **state)
{
	struct house *h = *state;
	struct transaction t;
	struct outcome o;

	/* the record says one serial, the certificate another */
	make_transaction(&t, "2", KEY_A);
	make_outcome(&t, 1, SERIAL_2, &o);
	o.serial[39] = '9';
	assert_int_equal(outcome_link(&h->st, &o), OK);
	damaged(h, o.transaction, "another serial number");
	outcome_release(&o);
}

static void
tells_broken_certificates(void **state)
{
	struct house *h = *state;
	struct transaction t;
	struct outcome o;

	make_transaction(&t, "2", KEY_A);
	make_outcome(&t, 1, SERIAL_2, &o);
	o.not_after += 1;
	assert_int_equal(outcome_link(&h->st, &o), OK);
	damaged(h, o.transaction, "another validity");
	outcome_release(&o);
	make_transaction(&t, "3", KEY_A);
	make_outcome(&t, 1, SERIAL_2, &o);
	o.serial[39] = '8';
	assert_true(buf_byte(&o.cert, 0));
	assert_int_equal(outcome_link(&h->st, &o), OK);
	assert_int_equal(check(h, false), 2);
	assert_non_null(strstr(buf_cstr(&findings), "does not parse"));
	outcome_release(&o);
}

static void
tells_certificates_without_outcome(void **state)
{
	struct house *h = *state;

	assert_int_equal(file_unlink(h->st.root, attempt), OK);
	assert_int_equal(check(h, true), 2);
	assert_non_null(strstr(buf_cstr(&findings), CERT_1));
	assert_non_null(strstr(buf_cstr(&findings), "issued/"));
	assert_non_null(
	    strstr(buf_cstr(&findings), "not the outcome of its transaction"));
}

static void
tells_modes(void **state)
{
	struct house *h = *state;

	assert_int_equal(fchmodat(h->st.root, secret, 0644, 0), 0);
	damaged(h, secret, "chmod 0640");
	assert_int_equal(fchmodat(h->st.root, secret, 0640, 0), 0);
	assert_int_equal(fchmodat(h->st.root, "used/00", 0777, 0), 0);
	damaged(h, "used/00", "chmod 0750");
	assert_int_equal(fchmodat(h->st.root, "used/00", 0750, 0), 0);
	clean(h);
}

/* Only root can give a file away. */
static void
tells_owners(void **state)
{
	struct house *h = *state;

	if (geteuid() != 0)
		skip();
	assert_int_equal(
	    fchownat(h->st.root, attempt, 65534, 65534, AT_SYMLINK_NOFOLLOW),
	    0);
	/* it is told under all of its names */
	assert_int_equal(check(h, true), 3);
	assert_non_null(strstr(buf_cstr(&findings), "`chown` it"));
	assert_int_equal(
	    fchownat(h->st.root, attempt, 0, 0, AT_SYMLINK_NOFOLLOW), 0);
	/* another group may read it, but nothing is broken */
	assert_int_equal(
	    fchownat(h->st.root, entity_2, 0, 65534, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(check(h, true), 0);
	assert_int_equal(warnings, 1);
	assert_non_null(strstr(buf_cstr(&findings), "`chgrp` it"));
	assert_int_equal(
	    fchownat(h->st.root, entity_2, 0, 0, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(
	    fchownat(h->st.root, claim, 65534, 65534, AT_SYMLINK_NOFOLLOW), 0);
	damaged(h, claim, "`chown` it");
}

/* Put back by tar without hard links, a store is whole. */
static void
needs_no_inodes(void **state)
{
	struct house *h = *state;
	struct buf b = BUF_INIT;

	assert_int_equal(file_read(h->st.root, CERT_1, 65536, &b), OK);
	scribble(h, CERT_1, buf_cstr(&b));
	clean(h);
	assert_int_equal(outcome_publish(&h->st, &outcome), OK);
	buf_release(&b);
}

static void
opens_and_makes(void **state)
{
	struct house *h = *state;
	struct store st;

	assert_int_equal(store_init(h->home, 2), ERR_EXISTS);
	assert_int_equal(store_init(h->home, 4), ERR_INPUT);
	assert_int_equal(store_probe(h->home), OK);
	clean(h);
	scribble(h, "format", "scep-store 2, shards 2\n");
	assert_int_equal(store_open(h->home, &st), ERR_SYSTEM);
	assert_int_equal(file_unlink(h->st.root, "format"), OK);
	assert_int_equal(store_open(h->home, &st), ERR_NOTFOUND);
	/* a half-made one is finished */
	assert_int_equal(store_init(h->home, 2), OK);
	assert_int_equal(store_open(h->home, &st), OK);
	store_release(&st);
	store_release(&st);
	clean(h);
}

static void
three_digits(void **state)
{
	struct house *h = *state;
	struct house big = *h;
	struct code c;
	struct outcome o;
	struct buf path = BUF_INIT;

	(void)snprintf(big.path, sizeof(big.path), "%.400s/big", h->path);
	assert_int_equal(dir_make(h->home, "big"), OK);
	assert_int_equal(dir_open(h->home, "big", &big.home), OK);
	assert_int_equal(store_init(big.home, 3), OK);
	assert_int_equal(store_open(big.home, &big.st), OK);
	assert_int_equal(big.st.shards, 3);
	assert_int_equal(cert_rooms(&big.st, "Test CA", 1), OK);
	furnish(&big, &c, &o);
	assert_int_equal(store_path_hex(&big.st, "cert", "5d", "", &path), OK);
	assert_string_equal(buf_cstr(&path), "cert/5d0/5d");
	assert_int_equal(
	    file_exists(big.st.root, "cert/Test%20CA/1/5d0/" SERIAL_1 ".pem"),
	    OK);
	buf_release(&path);
	code_release(&c);
	outcome_release(&o);
	store_release(&big.st);
	file_close(&big.home);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, build, raze)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(links_again),
		TEST(makes_shards_again),
		TEST(sweeps),
		TEST(frees_dead_claims),
		TEST(retires_orphans),
		TEST(tells_damaged_records),
		TEST(tells_lost_secrets),
		TEST(tells_lost_claims),
		TEST(tells_gaps),
		TEST(tells_an_entity_gap),
		TEST(tells_misplaced_names),
		TEST(tells_foreign_certificates),
		TEST(tells_broken_certificates),
		TEST(tells_certificates_without_outcome),
		TEST(tells_modes),
		TEST(tells_owners),
		TEST(needs_no_inodes),
		TEST(opens_and_makes),
		TEST(three_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
