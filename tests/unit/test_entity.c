#include "tests/unit/storehome.h"

static void
fill(struct entity *e, const char *username)
{
	*e = (struct entity)ENTITY_INIT;
	e->username = str_dup(username);
	e->ca = str_dup("Test CA");
	e->profile = str_dup("ENDUSER");
	e->subject = str_dup("CN=router,O=\"Lab\"");
}

static void
add(const struct house *h, const char *username)
{
	struct entity e;

	fill(&e, username);
	assert_int_equal(entity_add(&h->st, &e), OK);
	entity_release(&e);
}

static void
adds_and_finds(void **state)
{
	struct house *h = *state;
	struct entity e;

	fill(&e, "router1");
	assert_int_equal(
	    entity_find(&h->st, text("router1"), &e), ERR_NOTFOUND);
	assert_int_equal(entity_add(&h->st, &e), OK);
	assert_int_equal(e.version, 1);
	e.version = 0;
	assert_int_equal(entity_add(&h->st, &e), ERR_EXISTS);
	assert_int_equal(e.version, 0);
	entity_release(&e);
	assert_int_equal(entity_find(&h->st, text("router1"), &e), OK);
	assert_string_equal(e.username, "router1");
	assert_string_equal(e.subject, "CN=router,O=\"Lab\"");
	assert_null(e.san);
	assert_null(e.code);
	assert_false(e.blocked);
	assert_int_equal(e.created, e.changed);
	entity_release(&e);
	entity_release(&e);
}

/* Two read version n; only one of them makes n + 1. */
static void
compares_and_swaps(void **state)
{
	struct house *h = *state;
	struct entity a, b;
	char number[16];

	add(h, "router1");
	for (unsigned i = 2; i < 21; i++) {
		assert_int_equal(entity_find(&h->st, text("router1"), &a), OK);
		assert_int_equal(entity_find(&h->st, text("router1"), &b), OK);
		assert_int_equal(a.version, i - 1);
		(void)snprintf(number, sizeof(number), "%u@x", i);
		free(a.email);
		a.email = str_dup(number);
		assert_int_equal(entity_update(&h->st, &a), OK);
		assert_int_equal(a.version, i);
		assert_int_equal(entity_update(&h->st, &b), ERR_BUSY);
		assert_int_equal(b.version, i - 1);
		entity_release(&a);
		entity_release(&b);
	}
	assert_int_equal(entity_find(&h->st, text("router1"), &a), OK);
	assert_string_equal(a.email, "20@x");
	entity_release(&a);
}

static enum err
update(int i, void *arg)
{
	struct house *h = arg;
	struct entity e;
	char number[16];

	if (entity_find(&h->st, text("router1"), &e) != OK || e.version != 1)
		return ERR_BUSY;
	(void)snprintf(number, sizeof(number), "%d", i);
	e.email = str_dup(number);
	return entity_update(&h->st, &e);
}

static void
one_of_many_wins(void **state)
{
	struct house *h = *state;
	struct entity e;

	add(h, "router1");
	assert_int_equal(race(8, update, h), 1);
	assert_int_equal(entity_find(&h->st, text("router1"), &e), OK);
	assert_int_equal(e.version, 2);
	entity_release(&e);
}

static void
deletes_and_adds_again(void **state)
{
	struct house *h = *state;
	struct entity e;

	add(h, "router1");
	assert_int_equal(entity_find(&h->st, text("router1"), &e), OK);
	e.deleted = true;
	assert_int_equal(entity_update(&h->st, &e), OK);
	entity_release(&e);
	assert_int_equal(
	    entity_find(&h->st, text("router1"), &e), ERR_NOTFOUND);
	fill(&e, "router1");
	assert_int_equal(entity_add(&h->st, &e), OK);
	assert_int_equal(e.version, 3);
	assert_int_equal(file_exists(h->st.root, "entity"), OK);
	entity_release(&e);
}

static void
blocks(void **state)
{
	struct house *h = *state;
	struct entity e;

	add(h, "router1");
	for (int i = 0; i < 4; i++) {
		assert_int_equal(entity_block(&h->st, "router1", i < 2), OK);
		assert_int_equal(entity_find(&h->st, text("router1"), &e), OK);
		assert_int_equal(e.blocked, i < 2);
		entity_release(&e);
	}
}

/* A name from the network is never a path (STORE.md I5). */
static void
takes_any_name(void **state)
{
	static const char *const names[] = { "../../../etc/passwd", "..", ".",
		"a/b", "a,1", "a", "%", "=", "blocked", " ", "\xc3\x85sa",
		"\xff\xfe", "-rf", "host.example.org" };
	struct house *h = *state;
	char longest[256];
	struct entity e;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		add(h, names[i]);
	memset(longest, '/', 255);
	longest[255] = '\0';
	add(h, longest);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(entity_find(&h->st, text(names[i]), &e), OK);
		assert_string_equal(e.username, names[i]);
		entity_release(&e);
	}
	assert_int_equal(entity_find(&h->st, text(longest), &e), OK);
	entity_release(&e);
	longest[254] = '\0';
	assert_int_equal(entity_find(&h->st, text(longest), &e), ERR_NOTFOUND);
	assert_int_equal(
	    entity_find(&h->st, span_of("a\0b", 3), &e), ERR_NOTFOUND);
	assert_int_equal(entity_find(&h->st, span_of("", 0), &e), ERR_NOTFOUND);
	assert_int_equal(entity_find(&h->st, text("a\n"), &e), ERR_NOTFOUND);
	fill(&e, "a\nb");
	assert_int_equal(entity_add(&h->st, &e), ERR_INPUT);
	entity_release(&e);
}

static enum err
count(const struct entity *e, void *arg)
{
	struct buf *list = arg;

	return buf_printf(list, "%s;", e->username) ? OK : ERR_SYSTEM;
}

static void
lists_the_living(void **state)
{
	struct house *h = *state;
	struct buf list = BUF_INIT;
	struct entity e;

	add(h, "router1");
	add(h, "router2");
	add(h, "router3");
	assert_int_equal(entity_find(&h->st, text("router2"), &e), OK);
	e.deleted = true;
	assert_int_equal(entity_update(&h->st, &e), OK);
	entity_release(&e);
	assert_int_equal(entity_each(&h->st, count, &list), OK);
	assert_int_equal(list.len, strlen("router1;router3;"));
	assert_non_null(strstr(buf_cstr(&list), "router1;"));
	assert_non_null(strstr(buf_cstr(&list), "router3;"));
	buf_release(&list);
}

/* Damage is our own trouble, never "no such entity". */
static void
tells_damage(void **state)
{
	static const char *const bad[] = { "", "[entity]\n", "[entity]\nuse",
		"[entity]\nusername = router2\nca = x\nprofile = y\n"
		"created = 2026-01-01T00:00:00Z\n"
		"changed = 2026-01-01T00:00:00Z\n",
		"[entity]\nusername = router1\nca = x\nprofile = y\n"
		"created = 2026-01-01T00:00:00Z\n"
		"changed = 2026-01-01T00:00:00Z\nsubject = a%00b\n" };
	struct house *h = *state;
	struct buf path = BUF_INIT;
	struct entity e;

	assert_int_equal(
	    store_path(&h->st, "entity", text("router1"), ",1", &path), OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		scribble(h, buf_cstr(&path), bad[i]);
		said[0] = '\0';
		assert_int_equal(
		    entity_find(&h->st, text("router1"), &e), ERR_SYSTEM);
		assert_non_null(strstr(said, "router1,1"));
	}
	buf_release(&path);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, house_build, house_raze)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(adds_and_finds),
		TEST(compares_and_swaps),
		TEST(one_of_many_wins),
		TEST(deletes_and_adds_again),
		TEST(blocks),
		TEST(takes_any_name),
		TEST(lists_the_living),
		TEST(tells_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
