#include "tests/unit/storehome.h"

#include "store/audit.h"

static enum err
keep(const char *line, void *arg)
{
	return buf_str(arg, line) && buf_byte(arg, '\n') ? OK : ERR_SYSTEM;
}

static void
writes_lines(void **state)
{
	static const char expected[] =
	    ",\"who\":\"client 192.0.2.1\",\"verb\":\"enrol\","
	    "\"object\":\"a\\\"b\\\\c\\u000a\\u0007\xc3\x85\\u00ff\","
	    "\"outcome\":\"issued\",\"serial\":\"5d03\"}\n";
	const struct audit a = { .who = "client 192.0.2.1",
		.verb = "enrol",
		.object = "a\"b\\c\n\a\xc3\x85\xff",
		.outcome = "issued",
		.serial = "5d03" };
	struct house *h = *state;
	struct buf all = BUF_INIT;
	const char *s;
	int64_t t;

	assert_int_equal(audit_write(&h->st, &a), OK);
	assert_int_equal(audit_write(&h->st, &a), OK);
	assert_int_equal(audit_each(&h->st, 0, keep, &all), OK);
	s = buf_cstr(&all);
	assert_memory_equal(s, "{\"time\":\"2", 10);
	assert_memory_equal(s + 29, "\",\"host\":\"", 10);
	s = strstr(s, ",\"who\"");
	assert_non_null(s);
	assert_memory_equal(s, expected, sizeof(expected) - 1);
	s += sizeof(expected) - 1;
	assert_memory_equal(s, "{\"time\":\"", 9);
	s = strstr(s, ",\"who\"");
	assert_non_null(s);
	assert_string_equal(s, expected);
	t = time_now();
	buf_clear(&all);
	assert_int_equal(audit_each(&h->st, t + 60, keep, &all), OK);
	assert_int_equal(all.len, 0);
	assert_int_equal(audit_each(&h->st, t - 3600, keep, &all), OK);
	assert_true(all.len > 0);
	buf_release(&all);
}

static enum err
name_it(const char *name, void *arg)
{
	return buf_str(arg, name) ? OK : ERR_SYSTEM;
}

/* One file a month and host; the month in UTC comes first. */
static void
names_its_file(void **state)
{
	const struct audit a = { .who = "x", .verb = "y", .outcome = "z" };
	struct house *h = *state;
	struct buf name = BUF_INIT;
	struct file_facts facts;
	char path[300], now[TIME_TEXT];

	assert_int_equal(audit_write(&h->st, &a), OK);
	time_text(time_now(), now);
	assert_int_equal(dir_each(h->st.root, "audit", name_it, &name), OK);
	assert_memory_equal(buf_cstr(&name), now, 7);
	assert_int_equal(buf_cstr(&name)[7], '.');
	assert_string_equal(buf_cstr(&name) + name.len - 4, ".log");
	assert_true(name.len > strlen("2026-11..log"));
	(void)snprintf(path, sizeof(path), "audit/%s", buf_cstr(&name));
	assert_int_equal(file_facts(h->st.root, path, &facts), OK);
	assert_int_equal(facts.mode, FILE_RECORD);
	buf_release(&name);
}

static void
reads_oldest_first(void **state)
{
	static const char may[] = "{\"time\":\"2026-05-01T00:00:00Z\",\"a\":1}";
	static const char june[] =
	    "{\"time\":\"2026-06-01T00:00:00Z\",\"a\":2}";
	static const char odd[] = "half a line";
	struct house *h = *state;
	struct buf all = BUF_INIT;
	int64_t t = 0;

	scribble(h, "audit/2026-06.host.log",
	    "{\"time\":\"2026-06-01T00:00:00Z\",\"a\":2}\nhalf a line\n");
	scribble(h, "audit/2026-05.host.log",
	    "{\"time\":\"2026-05-01T00:00:00Z\",\"a\":1}\n");
	assert_int_equal(audit_each(&h->st, 0, keep, &all), OK);
	assert_memory_equal(buf_cstr(&all), may, sizeof(may) - 1);
	assert_memory_equal(
	    buf_cstr(&all) + sizeof(may), june, sizeof(june) - 1);
	buf_clear(&all);
	/* what has no time is shown: nothing is hidden */
	assert_int_equal(time_read("2026-06-02T00:00:00Z", &t), OK);
	assert_int_equal(audit_each(&h->st, t, keep, &all), OK);
	assert_memory_equal(buf_cstr(&all), odd, sizeof(odd) - 1);
	assert_int_equal(all.len, sizeof(odd));
	buf_release(&all);
}

static enum err
stop(const char *line, void *arg)
{
	(void)line;
	(void)arg;
	return ERR_REFUSED;
}

static enum err
write_many(int i, void *arg)
{
	struct house *h = arg;
	char long_text[2000];
	struct audit a = { .who = "x", .verb = "y", .outcome = long_text };
	enum err e = OK;

	memset(long_text, 'a' + i, sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	for (int k = 0; k < 20 && e == OK; k++)
		e = audit_write(&h->st, &a);
	return e;
}

static enum err
check_line(const char *line, void *arg)
{
	int *n = arg;
	const char *s = strstr(line, "\"outcome\":\"");

	assert_non_null(s);
	s += strlen("\"outcome\":\"");
	assert_int_equal(strspn(s, (const char[]){ *s, '\0' }), 1999);
	assert_string_equal(s + 1999, "\"}");
	++*n;
	return OK;
}

static void
lines_stay_whole(void **state)
{
	struct house *h = *state;
	int n = 0;

	assert_int_equal(race(6, write_many, h), 6);
	assert_int_equal(audit_each(&h->st, 0, check_line, &n), OK);
	assert_int_equal(n, 120);
	assert_int_equal(audit_each(&h->st, 0, stop, NULL), ERR_REFUSED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, house_build, house_raze)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(writes_lines),
		TEST(names_its_file),
		TEST(reads_oldest_first),
		TEST(lines_stay_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
