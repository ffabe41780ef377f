/* base64 on one line (RFC 4648 10), and HMAC-SHA-256 (RFC 4231 4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/names.h"

static struct span
text(const char *s)
{
	return span_of(s, strlen(s));
}

static const struct {
	const char *bytes, *text;
} vectors[] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
	{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" }, { "\xfb\xff\xbf", "+/+/" } };

static void
both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		struct buf out = BUF_INIT;

		assert_true(base64_put(&out, text(vectors[i].bytes)));
		assert_string_equal(buf_cstr(&out), vectors[i].text);
		buf_clear(&out);
		assert_int_equal(base64_read(text(vectors[i].text), &out), OK);
		assert_string_equal(buf_cstr(&out), vectors[i].bytes);
		buf_release(&out);
	}
}

static void
nothing_else_is_read(void **state)
{
	static const char *const bad[] = { "Z", "Zg", "Zg=", "Zg===", "=",
		"====", "Z===", "Zh==", "Zm9=", "Zg==Zg==", "Zm8=Zm8=",
		"Zm9v\n", " Zm9v", "Zm 9v", "Zm9-", "Zm9_", "Zm=v",
		"Zm9v====", "Zm9\xc3" };
	struct buf out = BUF_INIT;

	(void)state;
	assert_true(buf_str(&out, "kept"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (base64_read(text(bad[i]), &out) != ERR_INPUT)
			fail_msg("%s was read", bad[i]);
	assert_int_equal(base64_read(span_of("Zm9\0", 4), &out), ERR_INPUT);
	assert_string_equal(buf_cstr(&out), "kept");
	buf_release(&out);
}

static void
mac_is(struct span key, struct span bytes, const char *want)
{
	uint8_t mac[SHA256_LEN];
	char hex[SHA256_HEX];

	assert_int_equal(hmac_sha256(key, bytes, mac), OK);
	hex_text(mac, sizeof(mac), hex);
	assert_string_equal(hex, want);
}

static void
macs(void **state)
{
	uint8_t key[131];

	(void)state;
	memset(key, 0x0b, 20);
	mac_is(span_of(key, 20), text("Hi There"),
	    "b0344c61d8db38535ca8afceaf0bf12b"
	    "881dc200c9833da726e9376c2e32cff7");
	mac_is(text("Jefe"), text("what do ya want for nothing?"),
	    "5bdcc146bf60754e6a042426089575c7"
	    "5a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	mac_is(span_of(key, sizeof(key)),
	    text("Test Using Larger Than Block-Size Key - Hash Key First"),
	    "60e431591ee0b67f0d8a26aacbf5b77f"
	    "8e0bc6213728c5140546040f0ee37f54");
	mac_is(span_of(NULL, 0), span_of(NULL, 0),
	    "b613679a0814d9ec772f95d778c35fc5"
	    "ff1697c493715653c6c712144292c5ad");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways),
		cmocka_unit_test(nothing_else_is_read),
		cmocka_unit_test(macs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
