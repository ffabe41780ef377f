#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "admin/queue_verbs.h"
#include "base/names.h"
#include "ca/der.h"
#include "message/letter.h"
#include "queue_text.h"
#include "store/queue.h"

/* What travels between an external RA and its CA, as plain bytes. */

#define HASH "7a827ae540cfdc45846e4e28411e849a5903f19d18d2a49eb57652448c304bee"

#define TEXT(s) span_of((s), sizeof(s) - 1)

static void
fill(struct queue_request *r)
{
	*r = (struct queue_request){ .attempt = 3,
		.renews = true,
		.no_san = true,
		.time = 1790000000,
		.validity = 86400 };
	memcpy(r->transaction, HASH, SHA256_HEX);
	memcpy(r->signer, HASH, SHA256_HEX);
	r->alias = str_dup("fleet");
	r->ca = str_dup("Lab \"x\"");
	r->username = str_dup("a\nb = c");
	r->subject = str_dup("CN=\xc3\x85sa");
	r->profile = str_dup("VPN");
	assert_true(buf_add(&r->txid, "\0\xff id ", 6));
}

static void
request_comes_back(void **state)
{
	struct queue_request in, out;
	struct buf text = BUF_INIT;

	(void)state;
	fill(&in);
	assert_int_equal(queue_request_text(&in, &text), OK);
	assert_int_equal(queue_request_read(buf_span(&text), &out), OK);
	assert_string_equal(out.transaction, in.transaction);
	assert_string_equal(out.signer, in.signer);
	assert_int_equal(out.attempt, 3);
	assert_string_equal(out.alias, in.alias);
	assert_string_equal(out.ca, in.ca);
	assert_string_equal(out.username, in.username);
	assert_string_equal(out.subject, in.subject);
	assert_string_equal(out.profile, in.profile);
	assert_null(out.san);
	assert_null(out.remote);
	assert_true(out.renews && out.no_san);
	assert_int_equal(out.validity, 86400);
	assert_int_equal(out.time, 1790000000);
	assert_true(span_eq(buf_span(&out.txid), buf_span(&in.txid)));
	queue_request_release(&in);
	queue_request_release(&out);
	buf_release(&text);
}

/* Each line is needed but those that may be left out. */
static void
request_lacks_nothing(void **state)
{
	static const char *const must[] = { "version", "transaction", "attempt",
		"alias", "ca", "id", "signer", "renews", "time", "nosan",
		"validity" };
	struct queue_request in, out;
	struct buf text = BUF_INIT, less = BUF_INIT;

	(void)state;
	fill(&in);
	assert_int_equal(queue_request_text(&in, &text), OK);
	for (size_t i = 0; i < sizeof(must) / sizeof(*must); i++) {
		struct buf key = BUF_INIT;
		char *at, *end;

		assert_true(buf_printf(&key, "\n%s = ", must[i]));
		at = strstr(buf_cstr(&text), buf_cstr(&key));
		assert_non_null(at);
		end = strchr(at + 1, '\n');
		buf_clear(&less);
		assert_true(buf_add(&less, text.data,
				(size_t)(at - (char *)text.data)) &&
			    buf_str(&less, end));
		assert_int_equal(
		    queue_request_read(buf_span(&less), &out), ERR_INPUT);
		buf_release(&key);
	}
	queue_request_release(&in);
	buf_release(&text);
	buf_release(&less);
}

static void
result_comes_back(void **state)
{
	struct queue_result in = { .issued = true, .time = 1790000000 }, out;
	struct buf b = BUF_INIT;

	(void)state;
	in.entity = str_dup("one");
	assert_int_equal(queue_result_text(&in, &b), OK);
	assert_int_equal(queue_result_read(buf_span(&b), &out), OK);
	assert_true(out.issued);
	assert_string_equal(out.entity, "one");
	assert_null(out.profile);
	queue_result_release(&in);
	queue_result_release(&out);
	assert_int_equal(
	    queue_result_read(
		TEXT("[result]\nversion = 1\nstatus = perhaps\nfail = 0\n"
		     "time = 2026-11-29T13:24:00Z\n"),
		&out),
	    ERR_INPUT);
	assert_int_equal(
	    queue_result_read(
		TEXT("[result]\nversion = 1\nstatus = refused\nfail = 5\n"
		     "time = 2026-11-29T13:24:00Z\n"),
		&out),
	    ERR_INPUT);
	buf_release(&b);
}

/* Certificates are any bytes; an older program writes none. */
static void
news_come_back(void **state)
{
	struct queue_news in = { .time = 1790000000 },
			  out = { .certs = BUF_INIT };
	struct buf b = BUF_INIT;

	(void)state;
	for (unsigned i = 0; i < 256; i++)
		assert_true(buf_byte(&in.certs, (unsigned char)i));
	assert_int_equal(queue_news_text(&in, &b), OK);
	assert_int_equal(queue_news_read(buf_span(&b), &out), OK);
	assert_int_equal(out.time, in.time);
	assert_true(span_eq(buf_span(&out.certs), buf_span(&in.certs)));
	queue_news_release(&in);
	queue_news_release(&out);
	buf_release(&b);
	assert_int_equal(queue_news_read(TEXT("[news]\nversion = 1\n"
					      "time = 2026-11-29T13:24:00Z\n"),
			     &out),
	    OK);
	assert_int_equal(out.certs.len, 0);
	assert_int_equal(
	    queue_news_read(TEXT("[news]\nversion = 1\n"), &out), ERR_INPUT);
	queue_news_release(&out);
}

/* Cut short at any byte, a file is none, and a stream is none. */
static void
files_are_whole(void **state)
{
	struct buf file = BUF_INIT, letter = BUF_INIT, stream = BUF_INIT;
	uint8_t der[200];

	(void)state;
	assert_int_equal(random_bytes(der, sizeof(der)), OK);
	assert_int_equal(
	    queue_file("result", "x", span_of(der, sizeof(der)), &file), OK);
	for (size_t i = 0; i < file.len; i++) {
		buf_clear(&letter);
		assert_int_equal(
		    queue_unfile(span_of(file.data, i), &letter), ERR_INPUT);
	}
	buf_clear(&letter);
	assert_int_equal(queue_unfile(buf_span(&file), &letter), OK);
	assert_true(span_eq(buf_span(&letter), span_of(der, sizeof(der))));
	assert_true(stream_begin(&stream) &&
		    stream_put(&stream, "fleet", "name", buf_span(&file)) &&
		    stream_put(&stream, "fleet", "-", span_of(NULL, 0)) &&
		    stream_end(&stream));
	for (size_t i = 0; i < stream.len; i++)
		assert_int_equal(
		    stream_each(span_of(stream.data, i), NULL, NULL),
		    ERR_INPUT);
	assert_int_equal(stream_each(buf_span(&stream), NULL, NULL), OK);
	assert_true(buf_byte(&stream, '\n'));
	assert_int_equal(stream_each(buf_span(&stream), NULL, NULL), ERR_INPUT);
	buf_release(&file);
	buf_release(&letter);
	buf_release(&stream);
}

static void
names_are_ours(void **state)
{
	char transaction[SHA256_HEX], name[QUEUE_NAME];
	unsigned n = 0;

	(void)state;
	queue_name(HASH, 4294967295U, name);
	assert_string_equal(name, HASH ",4294967295");
	assert_true(queue_name_read(HASH ",12", transaction, &n));
	assert_string_equal(transaction, HASH);
	assert_int_equal(n, 12);
	assert_false(queue_name_read(HASH, transaction, &n));
	assert_false(queue_name_read(HASH ",", transaction, &n));
	assert_false(queue_name_read(HASH ",0", transaction, &n));
	assert_false(queue_name_read(HASH ",1x", transaction, &n));
	assert_false(queue_name_read("../" HASH ",1", transaction, &n));
	assert_false(queue_name_read("A" HASH ",1", transaction, &n));
}

static void
names_of_kept_requests(void **state)
{
	static const char *const none[] = {
		HASH,
		HASH ",1",
		HASH "," HASH,
		HASH ",0," HASH,
		HASH ",1x," HASH,
		HASH ",1," HASH "0",
		HASH ",1,A" HASH,
		"../" HASH ",1," HASH,
		HASH "," HASH ",1," HASH,
		",",
		"",
	};
	char transaction[SHA256_HEX], csr[SHA256_HEX];
	unsigned n = 0;

	(void)state;
	assert_true(untold_name_read(HASH ",12," HASH, transaction, &n, csr));
	assert_string_equal(transaction, HASH);
	assert_string_equal(csr, HASH);
	assert_int_equal(n, 12);
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_false(untold_name_read(none[i], transaction, &n, csr));
}

static void
content_has_two_parts(void **state)
{
	struct span text, part[LETTER_PARTS];

	(void)state;
	assert_int_equal(
	    letter_content(
		DER_BYTES("\x30\x09\x0c\x02[]\x04\x01x\x04\x00"), &text, part),
	    OK);
	assert_true(span_eq(text, DER_BYTES("[]")));
	assert_true(span_eq(part[0], DER_BYTES("x")));
	assert_int_equal(part[1].len, 0);
	assert_int_equal(letter_content(DER_BYTES("\x30\x06\x0c\x02[]\x04\x00"),
			     &text, part),
	    ERR_INPUT);
	assert_int_equal(
	    letter_content(
		DER_BYTES("\x30\x0a\x0c\x02[]\x04\x00\x04\x00\x05\x00"), &text,
		part),
	    ERR_INPUT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_comes_back),
		cmocka_unit_test(request_lacks_nothing),
		cmocka_unit_test(result_comes_back),
		cmocka_unit_test(news_come_back),
		cmocka_unit_test(files_are_whole),
		cmocka_unit_test(names_are_ours),
		cmocka_unit_test(names_of_kept_requests),
		cmocka_unit_test(content_has_two_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
