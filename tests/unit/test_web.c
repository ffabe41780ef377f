/*
 * What a web service is told of a request, byte for byte, and what its answers
 * mean.
 */
#include "tests/unit/storehome.h"

#include "base/base64.h"
#include "base/json.h"
#include "base/limits.h"
#include "ca/der.h"
#include "ca/dn.h"
#include "ca/ext.h"
#include "judge/web.h"

/*
 * openssl req: C=SE, O=Lab, OU=a, OU=b, CN=r\u00f6uter, UID=7; all kinds of
 * SAN, keyUsage, challengePassword "hush hush"; EC P-256.
 */
#define SUBJECT                                                                \
	"MFgxCzAJBgNVBAYTAlNFMQwwCgYDVQQKDANMYWIxCjAIBgNVBAsMAWExCjAIBgNVBAsM" \
	"AWIxEDAOBgNVBAMMB3LDtnV0ZXIxETAPBgoJkiaJk/IsZAEBDAE3"
#define SPKI                                                                   \
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEXdDMYlVk9V1TwXPzPHAfsyK9WVl6psW4" \
	"KPuIrbSFxLAFbrMb4OUvHHzmnn+0CG4GReVRmsI1zNq1PV8oWExM2A=="
#define CSR                                                                    \
	"MIIBrDCCAVECAQAwWDELMAkGA1UEBhMCU0UxDDAKBgNVBAoMA0xhYjEKMAgGA1UECwwB" \
	"YTEKMAgGA1UECwwBYjEQMA4GA1UEAwwHcsO2dXRlcjERMA8GCgmSJomT8ixkAQEMATcw" \
	"WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARd0MxiVWT1XVPBc/M8cB+zIr1ZWXqmxbgo" \
	"+4ittIXEsAVusxvg5S8cfOaef7QIbgZF5VGawjXM2rU9XyhYTEzYoIGWMBgGCSqGSIb3" \
	"DQEJBzELDAlodXNoIGh1c2gwegYJKoZIhvcNAQkOMW0wazBZBgNVHREEUjBQgglhLmV4" \
	"YW1wbGWCCWIuZXhhbXBsZYcEwAACB4cQIAENuAAAAAAAAAAAAAAAB4ELYUBiLmV4YW1w" \
	"bGWGE2h0dHBzOi8vYS5leGFtcGxlL3gwDgYDVR0PAQH/BAQDAgeAMAoGCCqGSM49BAMC" \
	"A0kAMEYCIQCTiNqfwwWYaiiV/yt/L589C89YK7TUaq6kxqv2wKZf6AIhAPSjyAqL8YKg" \
	"9AxA4MWehViCkwJ63UiSX5tVH4f+jhg6"
#define EXT_SAN                                                                \
	"MFCCCWEuZXhhbXBsZYIJYi5leGFtcGxlhwTAAAIHhxAgAQ24AAAAAAAAAAAAAAAHgQth" \
	"QGIuZXhhbXBsZYYTaHR0cHM6Ly9hLmV4YW1wbGUveA=="

static const char told[] =
    "{\"timestamp\":\"2027-01-15T08:00:00Z\",\"provisionerName\":\"net\","
    "\"x509CertificateRequest\":{\"version\":0,\"subject\":{"
    "\"country\":[\"SE\"],\"organization\":[\"Lab\"],"
    "\"organizationalUnit\":[\"a\",\"b\"],"
    "\"commonName\":\"r\xc3\xb6uter\",\"extraNames\":[{"
    "\"type\":\"0.9.2342.19200300.100.1.1\",\"value\":\"7\"}]},"
    "\"rawSubject\":\"" SUBJECT "\","
    "\"dnsNames\":[\"a.example\",\"b.example\"],"
    "\"emailAddresses\":[\"a@b.example\"],"
    "\"ipAddresses\":[\"192.0.2.7\",\"2001:db8::7\"],"
    "\"uris\":[\"https://a.example/x\"],\"sans\":null,\"extensions\":["
    "{\"id\":\"2.5.29.17\",\"critical\":false,\"value\":\"" EXT_SAN "\"},"
    "{\"id\":\"2.5.29.15\",\"critical\":true,\"value\":\"AwIHgA==\"}],"
    "\"signatureAlgorithm\":\"\",\"publicKey\":\"" SPKI "\","
    "\"publicKeyAlgorithm\":\"ECDSA\",\"raw\":\"" CSR "\"},"
    "\"scepChallenge\":\"hush hush\",\"scepTransactionID\":\"A1 b\"}";

static struct alias *net;
static struct buf csr = BUF_INIT, altname = BUF_INIT;
static struct extension wishes[2];

static int
begin(void **state)
{
	static const char text[] =
	    "[scep]\noperationmode = ra\n[ra]\ndefaultca = Lab\n"
	    "[challenge]\njudge = web\n[web]\n"
	    "url = https://hooks.example/?token=hidden\n"
	    "[approval]\nrequired = 0\n";

	(void)state;
	assert_int_equal(alias_parse("net", "net.ini",
			     span_of(text, sizeof(text) - 1), NULL, NULL, &net),
	    OK);
	assert_int_equal(base64_read(span_of(CSR, sizeof(CSR) - 1), &csr), OK);
	assert_int_equal(
	    base64_read(span_of(EXT_SAN, sizeof(EXT_SAN) - 1), &altname), OK);
	wishes[0] =
	    (struct extension){ .oid = OID_SAN, .value = buf_span(&altname) };
	wishes[1] = (struct extension){ .oid = OID_KEY_USAGE,
		.critical = true,
		.value = DER_BYTES("\x03\x02\x07\x80") };
	log_sink(keep_line, NULL);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	log_sink(NULL, NULL);
	alias_free(net);
	buf_release(&csr);
	buf_release(&altname);
	return 0;
}

static struct span
words(const char *s)
{
	return span_of(s, strlen(s));
}

static struct judge_case
asked(void)
{
	return (struct judge_case){ .alias = net,
		.challenge = words("hush hush"),
		.csr = buf_span(&csr),
		.altname = buf_span(&altname),
		.asked = wishes,
		.nasked = 2,
		.txid = words("A1 b"),
		.now = 1800000000 };
}

static void
says(const struct judge_case *c, const char *want)
{
	struct buf out = BUF_SECRET;
	const char *why = NULL;

	assert_int_equal(web_ask(c, &out, &why), OK);
	assert_null(why);
	assert_string_equal(buf_cstr(&out), want);
	buf_release(&out);
}

static void
tells_all_of_a_request(void **state)
{
	struct judge_case c = asked();

	(void)state;
	says(&c, told);
}

/* No challenge is no member, as with step-ca; bytes that are no CSR stay raw */
static void
tells_what_there_is(void **state)
{
	struct judge_case c = asked();

	(void)state;
	c.challenge = words("");
	c.csr = words("not DER");
	says(&c, "{\"timestamp\":\"2027-01-15T08:00:00Z\","
		 "\"provisionerName\":\"net\",\"x509CertificateRequest\":{"
		 "\"raw\":\"bm90IERFUg==\"},\"scepTransactionID\":\"A1 b\"}");
}

static void
what_json_cannot_say(void **state)
{
	struct judge_case c = asked();
	struct buf out = BUF_SECRET;
	const char *why = NULL;

	(void)state;
	c.challenge = span_of("a\0b", 3);
	assert_int_equal(web_ask(&c, &out, &why), ERR_INPUT);
	assert_string_equal(why, "the challengePassword is no text");
	c = asked();
	c.txid = words("\xff");
	assert_int_equal(web_ask(&c, &out, &why), ERR_INPUT);
	assert_string_equal(why, "the transactionID is no text");
	assert_int_equal(out.len, 0);
	buf_release(&out);
}

/* Two of what has one place, however they stand: the other would be unseen. */
static void
what_one_place_cannot_hold(void **state)
{
	static const char *const names[] = { "CN=a,CN=b", "CN=a+CN=a",
		"CN=a,O=Lab,CN=b", "SN=1,CN=a,SN=2" };
	struct judge_case c = asked();
	struct buf out = BUF_SECRET;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct buf der = BUF_INIT;
		const char *why = NULL;

		assert_int_equal(dn_parse(names[i], &der), OK);
		c.name = buf_span(&der);
		assert_int_equal(web_ask(&c, &out, &why), ERR_INPUT);
		assert_non_null(strstr(why,
		    i < 3 ? "several commonNames" : "several serialNumbers"));
		buf_release(&der);
	}
	assert_int_equal(out.len, 0);
	buf_release(&out);
}

/* oid_text() can write neither: nothing of them, and all that stands behind. */
static void
what_has_no_number(void **state)
{
	static const uint8_t lone[] = { 0x80 };
	uint8_t long_one[200];
	struct span bad[2] = { span_of(lone, sizeof(lone)),
		span_of(long_one, sizeof(long_one)) };
	struct judge_case c = asked();
	struct extension three[3] = { { .critical = true }, wishes[1],
		{ .critical = true } };
	struct buf out = BUF_SECRET;
	const char *why = NULL;

	(void)state;
	memset(long_one, 1, sizeof(long_one));
	three[0].oid = bad[0];
	three[2].oid = bad[1];
	c.asked = three;
	c.nasked = 3;
	assert_int_equal(web_ask(&c, &out, &why), OK);
	assert_non_null(strstr(buf_cstr(&out),
	    "\"extensions\":[{\"id\":\"2.5.29.15\",\"critical\":true,"
	    "\"value\":\"AwIHgA==\"}]"));
	buf_release(&out);
	c.nasked = 1;
	assert_int_equal(web_ask(&c, &out, &why), OK);
	assert_non_null(strstr(buf_cstr(&out), "\"extensions\":null"));
	buf_release(&out);
}

/* A request of a subject alone: version, subject, key. */
static void
put_csr(struct buf *out, struct span names)
{
	struct buf info = BUF_INIT, list = BUF_INIT;

	assert_true(der_put(&info, DER_INTEGER, span_of("", 1)) &&
		    der_put(&info, DER_SEQUENCE, names) &&
		    der_put(&info, DER_SEQUENCE, span_of(NULL, 0)) &&
		    der_put(&list, DER_SEQUENCE, buf_span(&info)) &&
		    der_put(out, DER_SEQUENCE, buf_span(&list)));
	buf_release(&info);
	buf_release(&list);
}

static void
put_name(struct buf *out, struct span oid)
{
	struct buf pair = BUF_INIT, set = BUF_INIT;

	assert_true(der_put(&pair, DER_OID, oid) &&
		    der_put(&pair, DER_UTF8, words("x")) &&
		    der_put(&set, DER_SEQUENCE, buf_span(&pair)) &&
		    der_put(out, DER_SET, buf_span(&set)));
	buf_release(&pair);
	buf_release(&set);
}

/* The same in a subject. */
static void
names_without_number(void **state)
{
	struct judge_case c = asked();
	struct buf names = BUF_INIT, der = BUF_INIT, out = BUF_SECRET;
	const char *why = NULL;

	(void)state;
	put_name(&names, words("\x80"));
	put_csr(&der, buf_span(&names));
	c.csr = buf_span(&der);
	assert_int_equal(web_ask(&c, &out, &why), OK);
	assert_non_null(strstr(buf_cstr(&out), "\"subject\":{},"));
	buf_release(&out);
	buf_release(&der);
	put_name(&names, words("\x2a\x03"));
	put_name(&names, words("\x55\x04\x03"));
	put_csr(&der, buf_span(&names));
	c.csr = buf_span(&der);
	assert_int_equal(web_ask(&c, &out, &why), OK);
	assert_non_null(strstr(buf_cstr(&out),
	    "\"subject\":{\"commonName\":\"x\",\"extraNames\":["
	    "{\"type\":\"1.2.3\",\"value\":\"x\"}]},"));
	buf_release(&out);
	buf_release(&der);
	buf_release(&names);
}

/* Every cut of the CSR: read within its bytes, and always said. */
static void
half_requests(void **state)
{
	struct judge_case c = asked();

	(void)state;
	for (size_t len = 0; len < csr.len; len++) {
		struct buf half = BUF_INIT, out = BUF_SECRET;
		const char *why = NULL;

		assert_true(buf_add(&half, csr.data, len));
		c.csr = buf_span(&half);
		assert_int_equal(web_ask(&c, &out, &why), OK);
		buf_release(&half);
		buf_release(&out);
	}
}

#define NO_ALLOW  "the answer has no allow that is true or false"
#define NO_OBJECT "the answer is not one JSON object"

static const struct {
	const char *reply;
	enum ruling ruling;
	const char *log; /* in the last line; NULL: there is none */
} replies[] = {
	{ "{\"allow\":true}", RULING_YES, NULL },
	{ " {\"allow\" : true , \"more\":[1,{}]}\r\n", RULING_YES, NULL },
	{ "{\"allow\":true,\"data\":null,\"error\":\"x\"}", RULING_YES, NULL },
	{ "{\"allow\":true,\"data\":\"text\"}", RULING_YES, NULL },
	{ "{\"allow\":true,\"data\":[\"subject\"]}", RULING_YES, NULL },
	{ "{\"allow\":true,\"data\":{\"Subject\":7,\"role\":{}}}", RULING_YES,
	    NULL },
	{ "{\"allow\":true,\"data\":{\"subject\":null}}", RULING_YES, NULL },
	{ "{\"allow\":false}", RULING_NO, NULL },
	{ "{\"allow\":false,\"data\":{\"subject\":7}}", RULING_NO, NULL },
	{ "{\"allow\":false,\"data\":1,\"data\":2}", RULING_NO, NULL },
	{ "{\"allow\":false,\"error\":{\"message\":\"late\"}}", RULING_NO,
	    "the web service says no: late" },
	{ "{\"allow\":false,\"error\":\"a\\nb\"}", RULING_NO, "no: a\\x0ab" },
	{ "{\"allow\":false,\"error\":\"'hush hush'?\"}", RULING_NO,
	    "no: (words that hold the challenge)" },
	{ "{\"allow\":false,\"error\":7}", RULING_NO, NULL },
	{ "", RULING_LATER, NO_OBJECT },
	{ "allow", RULING_LATER, NO_OBJECT },
	{ "{\"allow\":true", RULING_LATER, NO_OBJECT },
	{ "{\"allow\":true}x", RULING_LATER, NO_OBJECT },
	{ "{\"allow\":true}{}", RULING_LATER, NO_OBJECT },
	{ "{}", RULING_LATER, NO_ALLOW },
	{ "true", RULING_LATER, NO_ALLOW },
	{ "[{\"allow\":true}]", RULING_LATER, NO_ALLOW },
	{ "{\"allow\":null}", RULING_LATER, NO_ALLOW },
	{ "{\"allow\":1}", RULING_LATER, NO_ALLOW },
	{ "{\"allow\":\"true\"}", RULING_LATER, NO_ALLOW },
	{ "{\"allow\":{}}", RULING_LATER, NO_ALLOW },
	{ "{\"Allow\":true}", RULING_LATER, NO_ALLOW },
	{ "{\"data\":{\"allow\":true}}", RULING_LATER, NO_ALLOW },
	{ "{\"allow\":false,\"allow\":true}", RULING_LATER, NO_ALLOW },
	{ "{\"allow\":true,\"\\u0061llow\":false}", RULING_LATER, NO_ALLOW },
	{ "{\"allow\":true,\"data\":{},\"data\":{}}", RULING_LATER,
	    "the answer has data twice" },
	{ "{\"allow\":true,\"data\":{\"san\":[\"a\"]}}", RULING_LATER,
	    "san: it is no text" },
	{ "{\"allow\":true,\"data\":{\"san\":\"\",\"san\":\"\"}}", RULING_LATER,
	    "san: it is no text, or is there twice" },
	{ "{\"allow\":true,\"data\":{\"subject\":\"x\"}}", RULING_LATER,
	    "subject: no DN" },
	{ "{\"allow\":true,\"data\":{\"validity\":\"soon\"}}", RULING_LATER,
	    "validity: no duration" },
	{ "{\"allow\":true,\"data\":{\"username\":\"\"}}", RULING_LATER,
	    "username: " },
	{ "{\"allow\":true,\"data\":{\"username\":\"a\\nb\"}}", RULING_LATER,
	    "username: " },
};

static void
answers(void **state)
{
	struct judge_case c = asked();

	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(*replies); i++) {
		struct judgement j;

		judgement_init(&j);
		j.ruling = RULING__MAX;
		said[0] = '\0';
		assert_int_equal(
		    web_reply(&c, words(replies[i].reply), &j), OK);
		if (j.ruling != replies[i].ruling)
			fail_msg("%s: %d", replies[i].reply, j.ruling);
		if (replies[i].log == NULL)
			assert_string_equal(said, "");
		else if (strstr(said, replies[i].log) == NULL)
			fail_msg("%s: %s", replies[i].reply, said);
		assert_null(strstr(said, "hush"));
		assert_null(strstr(said, "hidden"));
		if (j.ruling == RULING_NO)
			assert_string_equal(
			    j.reason, "the web service says no");
		judgement_release(&j);
	}
}

static void
takes_overrides(void **state)
{
	struct judge_case c = asked();
	struct judgement j;

	(void)state;
	judgement_init(&j);
	assert_int_equal(
	    web_reply(&c,
		words("{\"data\":{\"validity\":\"12h\",\"profile\":\"SERVER\","
		      "\"san\":\"\",\"subject\":\"CN=r\\u00f6uter\","
		      "\"username\":\"shelf 7\",\"room\":7},\"allow\":true}"),
		&j),
	    OK);
	assert_int_equal(j.ruling, RULING_YES);
	assert_string_equal(j.over.username, "shelf 7");
	assert_string_equal(j.over.subject, "CN=r\xc3\xb6uter");
	assert_string_equal(j.over.san, "");
	assert_string_equal(j.over.profile, "SERVER");
	assert_int_equal(j.over.validity, 12 * 3600);
	judgement_release(&j);
}

/* One more than JSON may have, all blanks but the yes. */
static void
answers_have_an_end(void **state)
{
	static const char yes[] = "{\"allow\":true}";
	struct judge_case c = asked();
	struct buf b = BUF_INIT;
	struct judgement j;

	(void)state;
	judgement_init(&j);
	assert_true(buf_str(&b, yes));
	while (b.len < MAX_JSON)
		assert_true(buf_byte(&b, ' '));
	assert_int_equal(web_reply(&c, buf_span(&b), &j), OK);
	assert_int_equal(j.ruling, RULING_YES);
	assert_true(buf_byte(&b, ' '));
	assert_int_equal(web_reply(&c, buf_span(&b), &j), OK);
	assert_int_equal(j.ruling, RULING_LATER);
	buf_release(&b);
	judgement_release(&j);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_all_of_a_request),
		cmocka_unit_test(tells_what_there_is),
		cmocka_unit_test(what_json_cannot_say),
		cmocka_unit_test(what_one_place_cannot_hold),
		cmocka_unit_test(what_has_no_number),
		cmocka_unit_test(names_without_number),
		cmocka_unit_test(half_requests),
		cmocka_unit_test(answers),
		cmocka_unit_test(takes_overrides),
		cmocka_unit_test(answers_have_an_end),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
