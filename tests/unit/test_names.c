/* Names from the network are file names only when escaped (C-181). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/names.h"

static struct span
text(const char *s)
{
	return span_of(s, strlen(s));
}

static void
test_escape(void **state)
{
	static const struct {
		const char *in, *out;
	} table[] = {
		{ "router4711", "router4711" },
		{ "AZaz09_-", "AZaz09_-" },
		{ "", "%" },
		{ "a.example.com", "a.example.com" },
		{ ".hidden", "%2Ehidden" },
		{ "end.", "end%2E" },
		{ ".", "%2E" },
		{ "..", "%2E%2E" },
		{ "...", "%2E.%2E" },
		{ "../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd" },
		{ "a,3", "a%2C3" },
		{ "a=b", "a%3Db" },
		{ "100%", "100%25" },
		{ "%", "%25" },
		{ "a b\n", "a%20b%0A" },
		{ "J\xc3\xbcrg", "J%C3%BCrg" },
	};
	struct buf out = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		buf_clear(&out);
		assert_int_equal(name_escape(text(table[i].in), &out), OK);
		assert_string_equal(buf_cstr(&out), table[i].out);
		buf_clear(&out);
		assert_int_equal(name_unescape(table[i].out, &out), OK);
		assert_string_equal(buf_cstr(&out), table[i].in);
	}
	buf_release(&out);
}

/* All one-byte and two-byte names: a safe file name each, and back. */
static void
test_every_byte(void **state)
{
	struct buf name = BUF_INIT, back = BUF_INIT;
	const char *s;
	uint8_t in[2];
	size_t len;
	int i;

	(void)state;
	for (i = 0; i < 65536 + 256; i++) {
		in[0] = (uint8_t)(i & 255);
		in[1] = (uint8_t)(i >> 8);
		len = i < 65536 ? 2 : 1;
		buf_clear(&name);
		buf_clear(&back);
		assert_int_equal(name_escape(span_of(in, len), &name), OK);
		s = buf_cstr(&name);
		assert_int_equal(strlen(s), name.len);
		assert_null(strpbrk(s, "/,="));
		assert_int_not_equal(s[0], '.');
		assert_int_equal(name_unescape(s, &back), OK);
		assert_true(span_eq(buf_span(&back), span_of(in, len)));
	}
	buf_release(&name);
	buf_release(&back);
}

static void
test_long(void **state)
{
	struct buf in = BUF_INIT, out = BUF_INIT;
	char hash[SHA256_HEX];

	(void)state;
	while (in.len < MAX_NAME)
		assert_true(buf_byte(&in, 'a'));
	assert_true(buf_str(&out, "x,"));
	assert_int_equal(name_escape(buf_span(&in), &out), OK);
	assert_int_equal(out.len, MAX_NAME + 2);
	assert_true(buf_byte(&in, 'a'));
	buf_clear(&out);
	assert_true(buf_str(&out, "x,"));
	assert_int_equal(name_escape(buf_span(&in), &out), OK);
	assert_int_equal(sha256_hex(buf_span(&in), hash), OK);
	assert_memory_equal(out.data, "x,=", 3);
	assert_string_equal(buf_cstr(&out) + 3, hash);
	assert_int_equal(name_unescape(buf_cstr(&out) + 2, &in), ERR_INPUT);
	/* It is the escaped length that counts. */
	buf_clear(&in);
	buf_clear(&out);
	while (in.len < MAX_NAME / 3 + 1)
		assert_true(buf_byte(&in, '/'));
	assert_int_equal(name_escape(buf_span(&in), &out), OK);
	assert_int_equal(out.data[0], '=');
	buf_release(&in);
	buf_release(&out);
}

static void
test_not_ours(void **state)
{
	static const char *const bad[] = { "", ".", "..", ".a", "a.", "a/b",
		"a,b", "a b", "=", "%2", "%zz", "%2e", "%41", "a%", "%%",
		"%2Ea%", "\xc3\xa9" };
	struct buf out = BUF_INIT;
	size_t i;

	(void)state;
	assert_true(buf_str(&out, "keep"));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (name_unescape(bad[i], &out) != ERR_INPUT)
			fail_msg("accepted: %s", bad[i]);
		assert_string_equal(buf_cstr(&out), "keep");
	}
	buf_release(&out);
}

/* FIPS 180-4 examples. */
static void
test_sha256(void **state)
{
	char hex[SHA256_HEX];

	(void)state;
	assert_int_equal(sha256_hex(text("abc"), hex), OK);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223"
				 "b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(sha256_hex(span_of(NULL, 0), hex), OK);
	assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb924"
				 "27ae41e4649b934ca495991b7852b855");
}

static void
test_random(void **state)
{
	char a[33], b[33];
	char one[3];

	(void)state;
	memset(a, 'x', sizeof(a));
	assert_int_equal(random_hex(a, 16), OK);
	assert_int_equal(random_hex(b, 16), OK);
	assert_int_equal(strlen(a), 32);
	assert_int_equal(strspn(a, "0123456789abcdef"), 32);
	assert_string_not_equal(a, b);
	assert_int_equal(random_hex(one, 1), OK);
	assert_int_equal(strlen(one), 2);
}

/* The rear half of random_hex()'s output must not read its own front. */
static void
test_random_spread(void **state)
{
	char hex[2 * 200 + 1];
	int seen[16] = { 0 };
	size_t i;

	(void)state;
	assert_int_equal(random_hex(hex, 200), OK);
	for (i = 0; hex[i] != '\0'; i++)
		seen[hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10]++;
	assert_int_equal(i, 400);
	for (i = 0; i < 16; i++)
		assert_in_range(seen[i], 1, 80);
}

static void
test_hex(void **state)
{
	static const char *const bad[] = { "", ":", "0", "0x12", "12g4", "123",
		"12 3", "12-34" };
	struct buf out = BUF_INIT;
	char s[7];
	size_t i;

	(void)state;
	hex_text("\x00\xab\xff", 3, s);
	assert_string_equal(s, "00abff");
	assert_int_equal(hex_read("00:aB:Ff 1 2\t34", &out), OK);
	assert_true(
	    span_eq(buf_span(&out), span_of("\x00\xab\xff\x12\x34", 5)));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (hex_read(bad[i], &out) != ERR_INPUT)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(out.len, 5);
	}
	buf_release(&out);
}

static void
test_secrets(void **state)
{
	char s[8] = "secret!";

	(void)state;
	assert_true(secret_eq(text("abc"), text("abc")));
	assert_false(secret_eq(text("abc"), text("abd")));
	assert_false(secret_eq(text("abc"), text("ab")));
	assert_false(secret_eq(text("ab"), text("abc")));
	assert_false(secret_eq(text(""), text("abc")));
	assert_true(secret_eq(span_of(NULL, 0), text("")));
	wipe(s, sizeof(s));
	assert_memory_equal(s, "\0\0\0\0\0\0\0\0", 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_random_spread),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
