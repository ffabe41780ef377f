#include "tests/unit/home.h"

#include "ca/crl.h"
#include "ca/der.h"

/* CRLs as the key's door makes them, with openssl(1) as the judge. */

struct fake {
	struct crl_entry entry[4];
	size_t n, at;
	enum err end;
};

static enum err
fake_next(void *arg, struct crl_entry *out)
{
	struct fake *f = arg;

	if (f->at == f->n)
		return f->end;
	*out = f->entry[f->at++];
	return OK;
}

/* Signs with the `Test CA`; der is appended to. */
static enum err
make(struct fake *f, uint64_t number, int64_t from, int64_t until,
    struct buf *der)
{
	struct crl_header in = { .number = number,
		.this_update = from,
		.next_update = until,
		.next = fake_next,
		.arg = f };
	const struct ca *ca = NULL;
	struct cas *cas = NULL;
	enum err e;

	f->at = 0;
	assert_int_equal(cas_new(home, &cas), OK);
	assert_int_equal(cas_find(cas, "Test CA", &ca), OK);
	e = ca_crl(&ca->gen[0], &in, der);
	if (e == OK) {
		assert_true(crl_signed(buf_span(der), ca->gen[0].spki));
		der->data[der->len - 1] ^= 1;
		assert_false(crl_signed(buf_span(der), ca->gen[0].spki));
		der->data[der->len - 1] ^= 1;
	}
	cas_free(cas);
	return e;
}

static void
judge(const struct buf *der, struct buf *text)
{
	buf_clear(text);
	put("x.crl", buf_span(der));
	assert_int_equal(CLI(text, "openssl", "crl", "-inform", "DER", "-in",
			     at("x.crl"), "-noout", "-text", "-verify",
			     "-CAfile", at("ca/Test%20CA/1/cert.pem")),
	    0);
	assert_non_null(strstr(buf_cstr(text), "verify OK"));
}

static bool
says(const struct buf *text, const char *words)
{
	return strstr(buf_cstr(text), words) != NULL;
}

/* C-198: numbered, and with the key identifier of its CA. */
static void
empty(void **state)
{
	struct buf der = BUF_INIT, text = BUF_INIT;
	struct fake f = { .end = ERR_NOTFOUND };
	struct crl_entry entry;
	struct crl_view v;
	int64_t now = time_now();

	(void)state;
	assert_int_equal(make(&f, 1, now, now + DAY, &der), OK);
	judge(&der, &text);
	assert_true(says(&text, "No Revoked Certificates"));
	assert_true(says(&text, "Version 2"));
	assert_int_equal(crl_view(buf_span(&der), &v), OK);
	assert_int_equal(v.entries.len, 0); /* C-199 */
	assert_int_equal(crl_next(&v.entries, &entry), ERR_NOTFOUND);
	assert_true(v.numbered);
	assert_int_equal(v.number, 1);
	assert_int_equal(v.this_update, now);
	assert_int_equal(v.next_update, now + DAY);
	assert_int_equal(v.authority.len, 20);
	buf_release(&der);
	buf_release(&text);
}

static const uint8_t high[20] = { 0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
	13, 14, 15, 16, 17, 18, 19 };

static void
entries(void **state)
{
	static const uint8_t zeros[] = { 0, 0, 0x7f };
	struct fake f = { .n = 3, .end = ERR_NOTFOUND };
	struct buf der = BUF_INIT, text = BUF_INIT;
	struct crl_entry entry;
	struct crl_view v;
	int64_t now = time_now();

	(void)state;
	/* the last second of UTCTime, and the first behind it (C-197) */
	f.entry[0] = (struct crl_entry){ span_of(high, 20), 2524607999, 1 };
	f.entry[1] = (struct crl_entry){ span_of(zeros, 3), 2524608000, 0 };
	f.entry[2] = (struct crl_entry){ span_of("\x80", 1), now, 10 };
	assert_int_equal(make(&f, UINT64_MAX, now, now + DAY, &der), OK);
	judge(&der, &text);
	assert_true(says(&text, "FF0102030405060708090A0B0C0D0E0F10111213"));
	assert_true(says(&text, "Dec 31 23:59:59 2049"));
	assert_true(says(&text, "Jan  1 00:00:00 2050"));
	assert_true(says(&text, "Serial Number: 7F"));
	assert_true(says(&text, "Serial Number: 80"));
	assert_true(says(&text, "Key Compromise"));
	assert_false(says(&text, "Unspecified")); /* C-200 */
	assert_int_equal(crl_view(buf_span(&der), &v), OK);
	assert_int_equal(v.number, UINT64_MAX);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(crl_next(&v.entries, &entry), OK);
		assert_int_equal(entry.reason, f.entry[i].reason);
		assert_int_equal(entry.date, f.entry[i].date);
	}
	assert_true(span_eq(entry.serial, span_of("\x80", 1)));
	assert_int_equal(crl_next(&v.entries, &entry), ERR_NOTFOUND);
	buf_release(&der);
	buf_release(&text);
}

/* What this door never signs, and trouble of the stream. */
static void
refuses(void **state)
{
	const struct {
		struct crl_entry entry;
		int64_t validity;
		enum err end, want;
	} rows[] = {
		{ { span_of(high, 20), 0, 7 }, DAY, ERR_NOTFOUND, ERR_REFUSED },
		{ { span_of(high, 20), 0, 8 }, DAY, ERR_NOTFOUND, ERR_REFUSED },
		{ { span_of(high, 20), 0, 11 }, DAY, ERR_NOTFOUND,
		    ERR_REFUSED },
		{ { span_of(high, 0), 0, 0 }, DAY, ERR_NOTFOUND, ERR_REFUSED },
		{ { span_of(high, 21), 0, 0 }, DAY, ERR_NOTFOUND, ERR_REFUSED },
		{ { span_of(high, 20), 0, 0 }, 0, ERR_NOTFOUND, ERR_REFUSED },
		{ { span_of(high, 20), 0, 0 }, DAY, ERR_SYSTEM, ERR_SYSTEM },
		{ { span_of(high, 20), 0, 0 }, DAY, ERR_NOTFOUND, OK },
	};
	struct buf der = BUF_INIT;
	int64_t now = time_now();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct fake f = {
			.entry = { rows[i].entry }, .n = 1, .end = rows[i].end
		};

		buf_clear(&der);
		assert_int_equal(make(&f, 1, now, now + rows[i].validity, &der),
		    rows[i].want);
		assert_int_equal(der.len > 0, rows[i].want == OK);
	}
	buf_release(&der);
}

/* Nothing is signed before the CA begins; behind its end it is (C-201). */
static void
in_time(void **state)
{
	struct fake f = { .end = ERR_NOTFOUND };
	struct buf der = BUF_INIT;
	int64_t now = time_now();

	(void)state;
	assert_int_equal(make(&f, 1, now - DAY, now + DAY, &der), ERR_REFUSED);
	assert_true(said("no CRL is signed"));
	assert_int_equal(
	    make(&f, 1, now + 3651 * DAY, now + 3660 * DAY, &der), OK);
	assert_true(der.len > 0);
	buf_release(&der);
}

/* Every truncation, and every byte changed, is read without harm. */
static void
hostile(void **state)
{
	struct fake f = { .n = 2, .end = ERR_NOTFOUND };
	struct buf der = BUF_INIT;
	struct crl_entry entry;
	struct crl_view v;
	int64_t now = time_now();

	(void)state;
	f.entry[0] = (struct crl_entry){ span_of(high, 20), now, 1 };
	f.entry[1] = (struct crl_entry){ span_of(high, 3), now, 0 };
	assert_int_equal(make(&f, 3, now, now + DAY, &der), OK);
	for (size_t i = 0; i < der.len; i++)
		assert_int_equal(crl_view(span_of(der.data, i), &v), ERR_INPUT);
	for (size_t i = 0; i < der.len * 4; i++) {
		der.data[i / 4] ^= (uint8_t)(1 << (i % 4 * 2));
		if (crl_view(buf_span(&der), &v) == OK)
			while (crl_next(&v.entries, &entry) == OK)
				assert_true(entry.serial.len <= 20);
		der.data[i / 4] ^= (uint8_t)(1 << (i % 4 * 2));
	}
	assert_true(buf_byte(&der, 0));
	assert_int_equal(crl_view(buf_span(&der), &v), ERR_INPUT);
	buf_release(&der);
}

static void
files(void **state)
{
	struct buf der = BUF_INIT, pem = BUF_INIT, back = BUF_INIT;
	struct fake f = { .end = ERR_NOTFOUND };
	int64_t now = time_now();

	(void)state;
	assert_int_equal(make(&f, 1, now, now + DAY, &der), OK);
	assert_int_equal(crl_pem(buf_span(&der), &pem), OK);
	assert_int_equal(crl_read("x", buf_span(&pem), &back), OK);
	assert_true(span_eq(buf_span(&back), buf_span(&der)));
	buf_clear(&back);
	assert_int_equal(crl_read("x", buf_span(&der), &back), OK);
	assert_true(span_eq(buf_span(&back), buf_span(&der)));
	buf_clear(&back);
	assert_int_equal(crl_read("x", span_of("no CRL", 6), &back), ERR_INPUT);
	assert_true(said("no CRL in it"));
	assert_int_equal(crl_read("x", span_of("", 0), &back), ERR_INPUT);
	buf_release(&der);
	buf_release(&pem);
	buf_release(&back);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty),
		cmocka_unit_test(entries),
		cmocka_unit_test(refuses),
		cmocka_unit_test(in_time),
		cmocka_unit_test(hostile),
		cmocka_unit_test(files),
	};
	int failed;

	log_sink(keep_log, NULL);
	failed = cmocka_run_group_tests_name("crl", tests, setup, teardown);
	buf_release(&logged);
	return failed;
}
