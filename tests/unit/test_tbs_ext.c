/*
 * The extensions of a profile as OpenSSL reads them, and what key_issue()
 * never signs of them, whoever asks (C-178, C-192, C-193).
 */
#include "tests/unit/keys.h"

#include <openssl/x509v3.h>

#include "base/limits.h"
#include "ca/der.h"
#include "ca/dn.h"

static struct buf issuer, subject;

static struct issue
order(void)
{
	buf_clear(&issuer);
	buf_clear(&subject);
	assert_int_equal(dn_parse("CN=CA,O=Lab", &issuer), OK);
	assert_int_equal(dn_parse("CN=router1", &subject), OK);
	return (struct issue){ .issuer = buf_span(&issuer),
		.authority = DER_BYTES("\1\2\3\4\5\6\7\x8"),
		.subject = buf_span(&subject),
		.spki = buf_span(&spki_rsa),
		.serial = DER_BYTES("\x7f\xff\x01"),
		.not_before = 1700000000,
		.not_after = 1800000000,
		.usage = KU_DIGITAL_SIGNATURE };
}

static X509 *
issued(const struct issue *in)
{
	struct buf der = BUF_INIT;
	const unsigned char *p;
	X509 *x;

	assert_int_equal(key_issue(rsa, in, &der), OK);
	p = der.data;
	x = d2i_X509(NULL, &p, (long)der.len);
	assert_non_null(x);
	buf_release(&der);
	return x;
}

/* The value of the one extension of that OID, which is not critical. */
static struct span
value(const X509 *x, const char *oid)
{
	ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
	int i = X509_get_ext_by_OBJ(x, obj, -1);
	X509_EXTENSION *ext = X509_get_ext(x, i);
	const ASN1_OCTET_STRING *data = X509_EXTENSION_get_data(ext);

	assert_true(i >= 0);
	assert_int_equal(X509_get_ext_by_OBJ(x, obj, i), -1);
	assert_int_equal(X509_EXTENSION_get_critical(ext), 0);
	ASN1_OBJECT_free(obj);
	return span_of(
	    ASN1_STRING_get0_data(data), (size_t)ASN1_STRING_length(data));
}

static bool
is_uri(const GENERAL_NAME *name, const char *uri)
{
	int type = 0;
	const ASN1_IA5STRING *s = GENERAL_NAME_get0_value(name, &type);

	return type == GEN_URI && ASN1_STRING_length(s) == (int)strlen(uri) &&
	       memcmp(ASN1_STRING_get0_data(s), uri, strlen(uri)) == 0;
}

static void
points_to_crl(void **state)
{
	static const char *const urls[] = { "http://a/1.crl", "ldap://b/x",
		NULL };
	struct issue in = order();
	CRL_DIST_POINTS *dps;
	const GENERAL_NAMES *names;
	X509 *x;

	(void)state;
	in.crl = urls;
	x = issued(&in);
	(void)value(x, "2.5.29.31");
	dps = X509_get_ext_d2i(x, NID_crl_distribution_points, NULL, NULL);
	assert_int_equal(sk_DIST_POINT_num(dps), 1);
	names = sk_DIST_POINT_value(dps, 0)->distpoint->name.fullname;
	assert_int_equal(sk_GENERAL_NAME_num(names), 2);
	assert_true(is_uri(sk_GENERAL_NAME_value(names, 0), urls[0]));
	assert_true(is_uri(sk_GENERAL_NAME_value(names, 1), urls[1]));
	CRL_DIST_POINTS_free(dps);
	X509_free(x);
}

static void
points_to_services(void **state)
{
	static const char *const ca[] = { "http://a/1.cer", NULL };
	static const char *const ocsp[] = { "http://o/", NULL };
	struct issue in = order();
	AUTHORITY_INFO_ACCESS *aia;
	X509 *x;

	(void)state;
	in.issuers = ca;
	in.ocsp = ocsp;
	x = issued(&in);
	(void)value(x, "1.3.6.1.5.5.7.1.1");
	aia = X509_get_ext_d2i(x, NID_info_access, NULL, NULL);
	assert_int_equal(sk_ACCESS_DESCRIPTION_num(aia), 2);
	for (int i = 0; i < 2; i++) {
		const ACCESS_DESCRIPTION *ad =
		    sk_ACCESS_DESCRIPTION_value(aia, i);

		assert_int_equal(OBJ_obj2nid(ad->method),
		    i == 0 ? NID_ad_OCSP : NID_ad_ca_issuers);
		assert_true(is_uri(ad->location, i == 0 ? ocsp[0] : ca[0]));
	}
	AUTHORITY_INFO_ACCESS_free(aia);
	X509_free(x);
}

static void
states_policies(void **state)
{
	static const struct policy policy[] = { { "1.2.3.4", "http://x/cps" },
		{ "1.2.3.5", NULL } };
	struct issue in = order();
	CERTIFICATEPOLICIES *list;
	const POLICYINFO *info;
	const POLICYQUALINFO *q;
	X509 *x;

	(void)state;
	in.policy = policy;
	in.npolicies = 2;
	x = issued(&in);
	(void)value(x, "2.5.29.32");
	list = X509_get_ext_d2i(x, NID_certificate_policies, NULL, NULL);
	assert_int_equal(sk_POLICYINFO_num(list), 2);
	info = sk_POLICYINFO_value(list, 0);
	q = sk_POLICYQUALINFO_value(info->qualifiers, 0);
	assert_int_equal(OBJ_obj2nid(q->pqualid), NID_id_qt_cps);
	assert_memory_equal(
	    ASN1_STRING_get0_data(q->d.cpsuri), "http://x/cps", 12);
	assert_null(sk_POLICYINFO_value(list, 1)->qualifiers);
	CERTIFICATEPOLICIES_free(list);
	X509_free(x);
}

/* [MS-WCCE] 2.2.2.7.7.2 and .1, byte for byte. */
static void
names_templates(void **state)
{
	static const struct mstemplate t = { "1.2.3", 128, UINT32_MAX, "Web" };
	struct issue in = order();
	X509 *x;

	(void)state;
	in.template = &t;
	x = issued(&in);
	assert_true(span_eq(value(x, "1.3.6.1.4.1.311.21.7"),
	    DER_BYTES("\x30\x0f\x06\x02\x2a\x03\x02\x02\x00\x80"
		      "\x02\x05\x00\xff\xff\xff\xff")));
	assert_true(span_eq(
	    value(x, "1.3.6.1.4.1.311.20.2"), DER_BYTES("\x1e\x06\0W\0e\0b")));
	X509_free(x);
}

static void
leaves_out(void **state)
{
	static const char *const none[] = { NULL };
	static const struct mstemplate t = { NULL, 0, 0, NULL };
	struct issue in = order();
	X509 *x;

	(void)state;
	in.crl = in.issuers = in.ocsp = none;
	in.template = &t;
	x = issued(&in);
	assert_int_equal(X509_get_ext_count(x), 4); /* SKI, AKI, KU, BC */
	X509_free(x);
}

static void
copies(void **state)
{
	const struct extension ext[] = {
		{ DER_BYTES("\x2a\x03\x04"), false, DER_BYTES("\x05\x00") },
		{ OID_SID, false, DER_BYTES("\x0c\x01x") },
	};
	struct issue in = order();
	X509 *x;

	(void)state;
	in.copied = ext;
	in.ncopied = 2;
	x = issued(&in);
	assert_true(span_eq(value(x, "1.2.3.4"), ext[0].value));
	assert_true(span_eq(value(x, "1.3.6.1.4.1.311.25.2"), ext[1].value));
	X509_free(x);
}

static void
refused(const struct issue *in, const char *why)
{
	struct buf der = BUF_INIT;

	buf_clear(&logged);
	assert_int_equal(key_issue(rsa, in, &der), ERR_REFUSED);
	assert_int_equal(der.len, 0);
	if (strstr(buf_cstr(&logged), why) == NULL)
		fail_msg("%s is not in: %s", why, buf_cstr(&logged));
	buf_release(&der);
}

/* CA rights, constraints, policies, identifiers, services, secrets. */
static void
refuses_what_is_denied(void **state)
{
	static const char *const denied[] = { "2.5.29.9", "2.5.29.14",
		"2.5.29.15", "2.5.29.16", "2.5.29.17", "2.5.29.18", "2.5.29.19",
		"2.5.29.28", "2.5.29.30", "2.5.29.31", "2.5.29.32", "2.5.29.33",
		"2.5.29.35", "2.5.29.36", "2.5.29.37", "2.5.29.46", "2.5.29.54",
		"2.5.29.200.1", "1.3.6.1.5.5.7.1.1", "1.3.6.1.5.5.7.1.3",
		"1.3.6.1.5.5.7.1.11", "1.3.6.1.5.5.7.1.14",
		"1.3.6.1.5.5.7.48.1.5", "1.3.6.1.4.1.311.21.1",
		"1.3.6.1.4.1.311.21.2", "1.3.6.1.4.1.311.21.7",
		"1.3.6.1.4.1.311.20.2", "1.3.6.1.4.1.311.21.10",
		"1.3.6.1.4.1.311.21.11", "1.3.6.1.4.1.311.21.12",
		"2.16.840.1.113730.1.1", "1.3.6.1.4.1.11129.2.4.2",
		"1.3.6.1.4.1.11129.2.4.3", "1.2.840.113549.1.9.7" };

	(void)state;
	for (size_t i = 0; i < sizeof(denied) / sizeof(*denied); i++) {
		ASN1_OBJECT *obj = OBJ_txt2obj(denied[i], 1);
		struct extension ext = {
			.oid = span_of(OBJ_get0_data(obj), OBJ_length(obj)),
			.value = DER_BYTES("\x30\x03\x01\x01\xff"),
		};
		struct issue in = order();

		in.copied = &ext;
		in.ncopied = 1;
		refused(&in, "it is ");
		ASN1_OBJECT_free(obj);
	}
}

static void
refuses_bad_extensions(void **state)
{
	static const struct policy any[] = { { "2.5.29.32.0", NULL },
		{ "policy", NULL } };
	const struct extension twice[] = {
		{ DER_BYTES("\x2a\x03\x04"), false, DER_BYTES("\x05\x00") },
		{ DER_BYTES("\x2a\x03\x04"), false, DER_BYTES("\x05\x00") },
		{ DER_BYTES("\x2a\x03\x04"), true, DER_BYTES("\x05\x00") },
		{ DER_BYTES("\x2a\x03\x04"), false, DER_BYTES("\x05\x01") },
		{ DER_BYTES(""), false, DER_BYTES("\x05\x00") },
	};
	struct issue in = order();

	(void)state;
	in.copied = twice;
	in.ncopied = 2;
	refused(&in, "an extension twice");
	in.ncopied = 1;
	in.copied = &twice[2];
	refused(&in, "critical");
	in.copied = &twice[3];
	refused(&in, "not DER");
	in.copied = &twice[4];
	refused(&in, "without a type");
	in.ncopied = MAX_EXTENSIONS + 1;
	refused(&in, "too many extensions");
	in.ncopied = 0;
	in.npolicies = 1;
	in.policy = &any[0];
	refused(&in, "anyPolicy");
	in.policy = &any[1];
	refused(&in, "no policy at all");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(points_to_crl),
		cmocka_unit_test(points_to_services),
		cmocka_unit_test(states_policies),
		cmocka_unit_test(names_templates),
		cmocka_unit_test(leaves_out),
		cmocka_unit_test(copies),
		cmocka_unit_test(refuses_what_is_denied),
		cmocka_unit_test(refuses_bad_extensions),
	};
	int failed;

	log_sink(keep_log, NULL);
	failed = cmocka_run_group_tests(tests, setup, teardown);
	buf_release(&logged);
	buf_release(&issuer);
	buf_release(&subject);
	return failed;
}
