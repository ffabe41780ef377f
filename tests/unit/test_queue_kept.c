#include "store/queue.h"
#include "tests/unit/storehome.h"

/* When the last news were written, and what is taken out of in/. */

#define NEWS "news,0123456789abcdef"
#define ROOM "queue/fleet/"

static void
keep(const struct house *h, int64_t time, const char *next)
{
	struct queue_kept kept = { .time = time };

	assert_int_equal(queue_rooms(&h->st, "fleet"), OK);
	assert_true(buf_str(&kept.next, next));
	assert_int_equal(queue_keep(&h->st, "fleet", NEWS, &kept), OK);
	buf_release(&kept.next);
}

/* As text, for one look: "time next". */
static const char *
kept(const struct house *h)
{
	static char text[64];
	struct queue_kept kept = { .next = BUF_INIT };
	enum err e = queue_kept(&h->st, "fleet", NEWS, &kept);

	(void)snprintf(text, sizeof(text), "%s", err_name(e));
	if (e == OK)
		(void)snprintf(text, sizeof(text), "%lld %s",
		    (long long)kept.time, buf_cstr(&kept.next));
	buf_release(&kept.next);
	return text;
}

static bool
stands(const struct house *h, const char *path)
{
	return file_exists(h->st.root, path) == OK;
}

static void
write_file(const struct house *h, const char *path, const char *text)
{
	assert_int_equal(file_replace(h->st.root, path,
			     span_of(text, strlen(text)), FILE_RECORD),
	    OK);
}

/* Who is late with older news changes nothing. */
static void
newest_news_count(void **state)
{
	const struct house *h = *state;

	assert_string_equal(kept(h), err_name(ERR_NOTFOUND));
	keep(h, 1790000200, "two");
	assert_string_equal(kept(h), "1790000200 two");
	keep(h, 1790000100, "one");
	assert_string_equal(kept(h), "1790000200 two");
	keep(h, 1790000200, "other"); /* of the same second: the last */
	assert_string_equal(kept(h), "1790000200 other");
	keep(h, 1790000300, "");
	assert_string_equal(kept(h), "1790000300 ");
	assert_false(stands(h, ROOM NEWS ",1790000100"));
	assert_false(stands(h, ROOM NEWS ",1790000200"));
	assert_true(stands(h, ROOM NEWS ",1790000300"));
}

/* What a former program has left, and what is no such name. */
static void
reads_the_former_name(void **state)
{
	static const char old[] = "[news]\ntime = 2026-09-21T14:00:00Z\n";
	const struct house *h = *state;

	assert_int_equal(queue_rooms(&h->st, "fleet"), OK);
	write_file(h, ROOM NEWS, old);
	write_file(h, ROOM NEWS "0,1990000000", old);
	write_file(h, ROOM NEWS ",19900000000000", old);
	write_file(h, ROOM NEWS ",199x", old);
	assert_string_equal(kept(h), "1789999200 ");
	keep(h, 1790090000, "new");
	assert_string_equal(kept(h), "1790090000 new");
	assert_false(stands(h, ROOM NEWS));
	assert_true(stands(h, ROOM NEWS "0,1990000000"));
	/* another time inside than in its name */
	write_file(h, ROOM NEWS ",1790099999", old);
	assert_string_equal(kept(h), err_name(ERR_SYSTEM));
}

static void
put(const struct house *h, const char *letter)
{
	struct buf file = BUF_INIT;

	assert_int_equal(
	    queue_file("news", NEWS, span_of(letter, strlen(letter)), &file),
	    OK);
	assert_int_equal(
	    queue_put_in(&h->st, "fleet", NEWS, buf_span(&file)), OK);
	buf_release(&file);
}

static void
drop(const struct house *h, const char *letter)
{
	queue_drop_read(&h->st, "fleet", NEWS, span_of(letter, strlen(letter)));
	assert_false(stands(h, ROOM "in/.read," NEWS));
}

/* What nobody has read stays. */
static void
drops_what_was_read(void **state)
{
	const struct house *h = *state;
	struct buf der = BUF_INIT;

	drop(h, "none is there");
	put(h, "second");
	drop(h, "first");
	assert_int_equal(queue_letter(&h->st, ROOM "in/" NEWS, &der), OK);
	assert_int_equal(der.len, strlen("second"));
	assert_memory_equal(der.data, "second", der.len);
	drop(h, "");
	assert_true(stands(h, ROOM "in/" NEWS));
	drop(h, "second");
	assert_false(stands(h, ROOM "in/" NEWS));
	/* half a letter was read as nothing */
	write_file(h, ROOM "in/" NEWS, "half");
	drop(h, "first");
	assert_true(stands(h, ROOM "in/" NEWS));
	drop(h, "");
	assert_false(stands(h, ROOM "in/" NEWS));
	/* a crash has left one aside */
	write_file(h, ROOM "in/.read," NEWS, "of a crash");
	put(h, "third");
	drop(h, "third");
	assert_false(stands(h, ROOM "in/" NEWS));
	buf_release(&der);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    newest_news_count, house_build, house_raze),
		cmocka_unit_test_setup_teardown(
		    reads_the_former_name, house_build, house_raze),
		cmocka_unit_test_setup_teardown(
		    drops_what_was_read, house_build, house_raze),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
