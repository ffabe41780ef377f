/*
 * The shape check, and definite lengths from indefinite ones (C-44, C-52,
 * C-177).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/limits.h"
#include "message/ber.h"

#define BYTES(s) (const uint8_t *)(s), sizeof(s) - 1

static const struct {
	const uint8_t *in;
	size_t inlen;
	const uint8_t *out;
	size_t outlen;
	size_t used;
} good[] = {
	{ BYTES("\x05\x00"), BYTES("\x05\x00"), 2 },
	{ BYTES("\x30\x03\x02\x01\x05"), BYTES("\x30\x03\x02\x01\x05"), 5 },
	/* lengths that are longer than they must be stay: they were signed */
	{ BYTES("\x30\x81\x03\x02\x01\x05"), BYTES("\x30\x81\x03\x02\x01\x05"),
	    6 },
	/* bytes behind are the caller's */
	{ BYTES("\x05\x00\r\n"), BYTES("\x05\x00"), 2 },
	{ BYTES("\x30\x80\x02\x01\x05\x00\x00"), BYTES("\x30\x03\x02\x01\x05"),
	    7 },
	{ BYTES("\x30\x80\x00\x00"), BYTES("\x30\x00"), 4 },
	{ BYTES("\x30\x80\x31\x80\x00\x00\x05\x00\x00\x00"),
	    BYTES("\x30\x04\x31\x00\x05\x00"), 10 },
	/* a constructed OCTET STRING, one in one, an empty one */
	{ BYTES("\x24\x06\x04\x01\x61\x04\x01\x62"), BYTES("\x04\x02\x61\x62"),
	    8 },
	{ BYTES("\x24\x80\x24\x80\x04\x01\x61\x00\x00\x04\x00\x04\x02\x62\x63"
		"\x00\x00"),
	    BYTES("\x04\x03\x61\x62\x63"), 17 },
	{ BYTES("\x24\x00"), BYTES("\x04\x00"), 2 },
	/* the definite parent of an indefinite child gets a new length */
	{ BYTES("\x30\x06\xa0\x80\x05\x00\x00\x00"),
	    BYTES("\x30\x04\xa0\x02\x05\x00"), 8 },
	/* a definite sibling is copied byte for byte */
	{ BYTES("\x30\x80\x02\x81\x01\x05\x00\x00"),
	    BYTES("\x30\x04\x02\x81\x01\x05"), 8 },
};

static const struct {
	const uint8_t *in;
	size_t inlen;
} bad[] = {
	{ BYTES("") },
	{ BYTES("\x30") },
	{ BYTES("\x30\x01") },
	{ BYTES("\x30\x02\x02\x01") },	       /* child outside parent */
	{ BYTES("\x30\x03\x02\x02\x05\x00") }, /* the same by one */
	{ BYTES("\x30\x80\x02\x01\x05") },     /* no end */
	{ BYTES("\x30\x80\x02\x01\x05\x00") }, /* half an end */
	{ BYTES("\x04\x80\x00\x00") },	       /* indefinite primitive */
	{ BYTES("\x00\x00") },		       /* an end of nothing */
	{ BYTES("\x30\x02\x00\x00") },	       /* in a definite length */
	{ BYTES("\x1f\x81\x01\x00") },	       /* tag of more bytes */
	{ BYTES("\x04\x85\x00\x00\x00\x00\x01\x61") }, /* length of five */
	{ BYTES("\x04\x84\xff\xff\xff\xff\x61") },     /* 4 GB */
	{ BYTES("\x04\xff") },
	{ BYTES("\x24\x03\x02\x01\x05") }, /* INTEGER in an OCTET STRING */
	{ BYTES("\x24\x80\x30\x00\x00\x00") },
	/* an end of contents cannot reach out of its parent */
	{ BYTES("\x30\x03\x30\x80\x00\x00") },
};

static void
good_ones(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		const char *why = NULL;
		struct ber b;

		assert_int_equal(
		    ber_read(span_of(good[i].in, good[i].inlen), &b, &why), OK);
		assert_int_equal(b.used, good[i].used);
		assert_int_equal(b.der.len, good[i].outlen);
		assert_memory_equal(b.der.p, good[i].out, good[i].outlen);
		ber_release(&b);
	}
}

static void
bad_ones(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const char *why = NULL;
		struct ber b;

		assert_int_equal(
		    ber_read(span_of(bad[i].in, bad[i].inlen), &b, &why),
		    ERR_INPUT);
		assert_non_null(why);
		ber_release(&b);
	}
}

/* Reads `n` times `head` and says what came of it. */
static enum err
nest(const char *head, size_t n, const char *tail)
{
	struct buf b = BUF_INIT;
	const char *why = NULL;
	struct ber ber;
	enum err e;

	for (size_t i = 0; i < n; i++)
		assert_true(buf_add(&b, head, 2));
	for (size_t i = 0; i < n; i++)
		assert_true(buf_add(&b, tail, 2));
	e = ber_read(buf_span(&b), &ber, &why);
	ber_release(&ber);
	buf_release(&b);
	return e;
}

static void
depth(void **state)
{
	(void)state;
	assert_int_equal(nest("\x30\x80", MAX_DEPTH, "\0\0"), OK);
	assert_int_equal(nest("\x30\x80", MAX_DEPTH + 1, "\0\0"), ERR_INPUT);
	assert_int_equal(nest("\x30\x80", 10000, "\0\0"), ERR_INPUT);
	assert_int_equal(nest("\x24\x80", 10000, "\0\0"), ERR_INPUT);
}

static enum err
elements(size_t n)
{
	struct buf b = BUF_INIT;
	const char *why = NULL;
	struct ber ber;
	enum err e;

	assert_true(buf_add(&b, "\x30\x80", 2));
	for (size_t i = 1; i < n; i++)
		assert_true(buf_add(&b, "\x05\x00", 2));
	assert_true(buf_add(&b, "\0\0", 2));
	e = ber_read(buf_span(&b), &ber, &why);
	if (e == OK)
		assert_int_equal(ber.der.len, 4 + 2 * (n - 1));
	ber_release(&ber);
	buf_release(&b);
	return e;
}

static void
many(void **state)
{
	(void)state;
	assert_int_equal(elements(MAX_ELEMENTS), OK);
	assert_int_equal(elements(MAX_ELEMENTS + 1), ERR_INPUT);
}

/* Every length form at the borders of its size, through an indefinite parent. */
static void
lengths(void **state)
{
	static const size_t size[] = { 0, 1, 127, 128, 255, 256, 65535, 65536 };

	(void)state;
	for (size_t i = 0; i < sizeof(size) / sizeof(*size); i++) {
		struct buf b = BUF_INIT;
		const char *why = NULL;
		struct ber ber;
		size_t n = size[i], head = 2;

		assert_true(buf_add(&b, "\x24\x80\x04\x84", 4));
		assert_true(buf_byte(&b, 0) &&
			    buf_byte(&b, (uint8_t)(n >> 16)) &&
			    buf_byte(&b, (uint8_t)(n >> 8)) &&
			    buf_byte(&b, (uint8_t)n));
		for (size_t k = 0; k < n; k++)
			assert_true(buf_byte(&b, (uint8_t)k));
		assert_true(buf_add(&b, "\0\0", 2));
		assert_int_equal(ber_read(buf_span(&b), &ber, &why), OK);
		head += n >= 128;
		head += n >= 256;
		head += n >= 65536;
		assert_int_equal(ber.der.len, head + n);
		assert_memory_equal(ber.der.p + head, b.data + 8, n);
		ber_release(&ber);
		buf_release(&b);
	}
}

static void
tails(void **state)
{
	(void)state;
	assert_true(ber_tail(span_of("ab", 2), 2));
	assert_true(ber_tail(span_of("ab\n", 3), 2));
	assert_true(ber_tail(span_of("ab\r\n", 4), 2));
	assert_false(ber_tail(span_of("ab\r\n\n", 5), 2));
	assert_false(ber_tail(span_of("ab\0", 3), 2));
	assert_false(ber_tail(span_of("abc", 3), 2));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones),
		cmocka_unit_test(bad_ones),
		cmocka_unit_test(depth),
		cmocka_unit_test(many),
		cmocka_unit_test(lengths),
		cmocka_unit_test(tails),
	};

	return cmocka_run_group_tests_name("ber", tests, NULL, NULL);
}
