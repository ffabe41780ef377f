#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "admin/csv.h"

static struct span
text(const char *s)
{
	return span_of(s, strlen(s));
}

/* The next record is these fields, up to NULL, and begins at this line. */
static void
expect(struct csv *c, int line, const char *const *fields)
{
	int n = 0;

	assert_int_equal(csv_next(c), OK);
	assert_int_equal(c->line, line);
	for (; fields[n] != NULL; n++) {
		assert_true(n < c->fields);
		assert_string_equal(buf_cstr(&c->field[n]), fields[n]);
	}
	assert_int_equal(c->fields, n);
}

#define EXPECT(c, line, ...) \
	expect((c), (line), (const char *const[]){ __VA_ARGS__, NULL })

static void
plain_fields(void **state)
{
	struct csv c;

	(void)state;
	csv_init(&c, text("a,b,c\r\n1,,3\n\nlast,,"));
	EXPECT(&c, 1, "a", "b", "c");
	EXPECT(&c, 2, "1", "", "3");
	EXPECT(&c, 4, "last", "", "");
	assert_int_equal(csv_next(&c), ERR_NOTFOUND);
	assert_int_equal(csv_next(&c), ERR_NOTFOUND);
	csv_release(&c);
}

static void
quoted_fields(void **state)
{
	struct csv c;

	(void)state;
	csv_init(&c, text("\"CN=a,O=b\",\"say \"\"hi\"\"\",\"\"\r\n"
			  "\"two\nlines\r\n\",x\n"
			  "y,\"z\""));
	EXPECT(&c, 1, "CN=a,O=b", "say \"hi\"", "");
	EXPECT(&c, 2, "two\nlines\r\n", "x");
	EXPECT(&c, 5, "y", "z");
	assert_int_equal(csv_next(&c), ERR_NOTFOUND);
	csv_release(&c);
}

static void
odd_but_good(void **state)
{
	struct csv c;

	(void)state;
	csv_init(&c, text(""));
	assert_int_equal(csv_next(&c), ERR_NOTFOUND);
	csv_release(&c);
	csv_init(&c, text("\r\n\n\r\n"));
	assert_int_equal(csv_next(&c), ERR_NOTFOUND);
	csv_release(&c);
	csv_init(&c, text("\xef\xbb\xbfname\nj\xc3\xb6rg\n"));
	EXPECT(&c, 1, "name");
	EXPECT(&c, 2, "j\xc3\xb6rg");
	csv_release(&c);
	/* blanks belong to the field; a lone CR is no line end */
	csv_init(&c, text(" a , b\rc\n"));
	EXPECT(&c, 1, " a ", " b\rc");
	csv_release(&c);
	csv_init(&c, text(","));
	EXPECT(&c, 1, "", "");
	csv_release(&c);
}

static void
refuse(struct span s, int line)
{
	struct csv c;
	enum err e;

	csv_init(&c, s);
	do
		e = csv_next(&c);
	while (e == OK);
	assert_int_equal(e, ERR_INPUT);
	assert_int_equal(c.line, line);
	assert_non_null(c.wrong);
	csv_release(&c);
}

static void
broken(void **state)
{
	char many[CSV_FIELDS + 2];

	(void)state;
	refuse(text("a\n\"b"), 2);
	refuse(text("a\nb\n\"c\nd\n"), 3);
	refuse(text("a\"b\n"), 1);
	refuse(text("\"a\"b\n"), 1);
	refuse(text("\"a\" ,b\n"), 1);
	refuse(span_of("a\0b", 3), 1);
	refuse(span_of("\"a\0b\"", 5), 1);
	memset(many, ',', sizeof(many));
	refuse(span_of(many, CSV_FIELDS), 1);
}

static void
most_fields(void **state)
{
	char many[CSV_FIELDS];
	struct csv c;

	(void)state;
	memset(many, ',', sizeof(many));
	csv_init(&c, span_of(many, CSV_FIELDS - 1));
	assert_int_equal(csv_next(&c), OK);
	assert_int_equal(c.fields, CSV_FIELDS);
	csv_release(&c);
}

static void
written_is_read(void **state)
{
	static const char *const fields[] = { "plain", "a,b", "q\"q", "l\nl",
		"r\rr", "", NULL };
	struct buf out = BUF_INIT;
	struct csv c;
	int i;

	(void)state;
	for (i = 0; fields[i] != NULL; i++) {
		if (i > 0)
			assert_true(buf_byte(&out, ','));
		assert_int_equal(csv_put(&out, fields[i]), OK);
	}
	assert_string_equal(
	    buf_cstr(&out), "plain,\"a,b\",\"q\"\"q\",\"l\nl\",\"r\rr\",");
	csv_init(&c, buf_span(&out));
	expect(&c, 1, fields);
	csv_release(&c);
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_fields),
		cmocka_unit_test(quoted_fields),
		cmocka_unit_test(odd_but_good),
		cmocka_unit_test(broken),
		cmocka_unit_test(most_fields),
		cmocka_unit_test(written_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
