/* CAs that were made elsewhere. */
#include "tests/unit/home.h"

static void
load(const char *name, struct buf *out)
{
	buf_clear(out);
	assert_int_equal(file_read(home, name, 100000, out), OK);
}

/* root -> sub, by openssl(1): sub.pem, sub.key, root.pem. */
static void
make_chain(const char *usage)
{
	struct buf conf = BUF_INIT;

	assert_true(buf_printf(&conf,
	    "[req]\ndistinguished_name=dn\n[dn]\n"
	    "[ca]\nbasicConstraints=critical,CA:TRUE\n"
	    "subjectKeyIdentifier=hash\n%s%s\n",
	    *usage ? "keyUsage=critical," : "", usage));
	put("c.cnf", buf_span(&conf));
	OPENSSL("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
	    at("root.key"), "-out", at("root.pem"), "-subj", "/CN=Root",
	    "-days", "100", "-config", at("c.cnf"), "-extensions", "ca");
	OPENSSL("req", "-newkey", "rsa:2048", "-nodes", "-keyout",
	    at("sub.key"), "-out", at("sub.csr"), "-subj", "/CN=Sub", "-config",
	    at("c.cnf"));
	OPENSSL("x509", "-req", "-in", at("sub.csr"), "-CA", at("root.pem"),
	    "-CAkey", at("root.key"), "-set_serial", "7", "-days", "90",
	    "-extfile", at("c.cnf"), "-extensions", "ca", "-out",
	    at("sub.pem"));
	buf_release(&conf);
}

struct brought {
	struct buf cert, key, chain, p12;
	struct ca_import in;
};

static enum err
import(const char *name, const char *cert, const char *key, const char *chain,
    const char *pass)
{
	struct brought b = { .cert = BUF_INIT };
	enum err e;

	load(cert, &b.cert);
	load(key, &b.key);
	if (chain != NULL)
		load(chain, &b.chain);
	b.in = (struct ca_import){ .name = name,
		.cert = buf_span(&b.cert),
		.key = buf_span(&b.key),
		.chain = buf_span(&b.chain),
		.passphrase = span_of(pass, strlen(pass)) };
	buf_clear(&logged);
	e = ca_import(home, &b.in);
	buf_release(&b.cert);
	buf_release(&b.key);
	buf_release(&b.chain);
	return e;
}

#define GOOD_USAGE "keyCertSign,cRLSign,digitalSignature,keyEncipherment"

/* C-37: what is twice in a chain or no issuer is dropped. */
static void
test_import(void **state)
{
	struct issued i = { .der = BUF_INIT };
	struct buf pem = BUF_INIT;
	const struct ca *ca = NULL;
	struct cas *cas = NULL;

	(void)state;
	make_chain(GOOD_USAGE);
	assert_int_equal(
	    import("Sub", "sub.pem", "sub.key", "root.pem", ""), OK);
	assert_string_equal(buf_cstr(&logged), "");
	assert_int_equal(cas_new(home, &cas), OK);
	assert_int_equal(cas_find(cas, "Sub", &ca), OK);
	assert_int_equal(ca->gen[0].nchain, 1);
	assert_false(ca->gen[0].self_signed);
	cas_free(cas);
	assert_int_equal(mode_of("ca/Sub/1/key.pem"), 0400);
	issue("Sub", time_now(), OK, &i);
	assert_int_equal(cert_pem(buf_span(&i.der), &pem), OK);
	put("leaf.pem", buf_span(&pem));
	OPENSSL("verify", "-x509_strict", "-CAfile", at("root.pem"),
	    "-untrusted", at("sub.pem"), at("leaf.pem"));
	issued_release(&i);
	assert_int_equal(
	    import("Sub", "sub.pem", "sub.key", NULL, ""), ERR_EXISTS);
	/* without its chain, with strangers, as DER, encrypted key */
	OPENSSL("x509", "-in", at("sub.pem"), "-outform", "DER", "-out",
	    at("sub.der"));
	OPENSSL("pkey", "-in", at("sub.key"), "-aes128", "-passout",
	    "pass:secret", "-out", at("sub.enc"));
	/* its issuers are found in the chain of a CA that is here */
	assert_int_equal(
	    import("S2", "sub.der", "sub.enc", NULL, "secret"), OK);
	assert_string_equal(buf_cstr(&logged), "");
	assert_int_equal(
	    import("S3", "sub.der", "sub.enc", NULL, "wrong"), ERR_INPUT);
	assert_int_equal(
	    import("S3", "sub.der", "sub.enc", NULL, ""), ERR_INPUT);
	buf_clear(&pem);
	load("leaf.pem", &pem);
	load("sub.pem", &i.der);
	assert_true(buf_add(&pem, i.der.data, i.der.len));
	load("root.pem", &i.der);
	assert_true(buf_add(&pem, i.der.data, i.der.len));
	put("bag.pem", buf_span(&pem));
	assert_int_equal(import("S3", "sub.pem", "sub.key", "bag.pem", ""), OK);
	assert_true(said("1 certificates of the chain are not issuers"));
	make_chain(GOOD_USAGE);
	assert_int_equal(import("S4", "sub.pem", "sub.key", NULL, ""), OK);
	assert_true(said("does not reach a self-signed root"));
	issued_release(&i);
	buf_release(&pem);
}

static void
test_import_refused(void **state)
{
	(void)state;
	make_chain(GOOD_USAGE);
	assert_int_equal(
	    import("X", "sub.pem", "root.key", NULL, ""), ERR_REFUSED);
	assert_true(said("not the certificate's"));
	assert_int_equal(
	    import("X", "root.key", "root.key", NULL, ""), ERR_INPUT);
	assert_int_equal(
	    import("X", "root.pem", "root.pem", NULL, ""), ERR_INPUT);
	OPENSSL("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
	    at("e.key"), "-out", at("e.pem"), "-subj", "/CN=E", "-addext",
	    "basicConstraints=CA:FALSE", "-config", at("c.cnf"));
	assert_int_equal(import("X", "e.pem", "e.key", NULL, ""), ERR_REFUSED);
	assert_true(said("no CA certificate"));
	OPENSSL("x509", "-req", "-in", at("sub.csr"), "-CA", at("root.pem"),
	    "-CAkey", at("root.key"), "-set_serial", "8", "-days", "-1",
	    "-extfile", at("c.cnf"), "-extensions", "ca", "-out",
	    at("old.pem"));
	assert_int_equal(
	    import("X", "old.pem", "sub.key", NULL, ""), ERR_REFUSED);
	assert_true(said("expired"));
	OPENSSL("req", "-x509", "-newkey", "ec", "-pkeyopt",
	    "ec_paramgen_curve:P-256", "-nodes", "-keyout", at("ec.key"),
	    "-out", at("ec.pem"), "-subj", "/CN=EC", "-days", "9", "-config",
	    at("c.cnf"), "-extensions", "ca");
	/* clients cannot encrypt to it: it gets an RA certificate */
	assert_int_equal(import("EC", "ec.pem", "ec.key", NULL, ""), OK);
	assert_string_equal(buf_cstr(&logged), "");
	assert_int_equal(file_exists(home, "ca/EC/ra/1/cert.pem"), OK);
	make_chain("digitalSignature,keyEncipherment");
	assert_int_equal(
	    import("X", "root.pem", "root.key", NULL, ""), ERR_REFUSED);
	assert_true(said("keyCertSign"));
	assert_int_equal(file_exists(home, "ca/X"), ERR_NOTFOUND);
}

/* C-35: served, with a warning that names who will fail. */
static void
test_import_warns(void **state)
{
	(void)state;
	make_chain("keyCertSign,cRLSign");
	assert_int_equal(import("W", "root.pem", "root.key", NULL, ""), OK);
	assert_non_null(strstr(buf_cstr(&logged), "lacks keyEncipherment"));
	assert_non_null(strstr(buf_cstr(&logged), "jscep"));
	assert_non_null(strstr(buf_cstr(&logged), "lacks digitalSignature"));
	make_chain(""); /* no key usage at all: everything is allowed */
	assert_int_equal(import("W2", "root.pem", "root.key", NULL, ""), OK);
	assert_null(strstr(buf_cstr(&logged), "lacks"));
}

static enum err
import_p12(const char *name, const char *file, const char *pass)
{
	struct buf p12 = BUF_INIT;
	struct ca_import in = { .name = name };
	enum err e;

	load(file, &p12);
	in.pkcs12 = buf_span(&p12);
	in.passphrase = span_of(pass, strlen(pass));
	buf_clear(&logged);
	e = ca_import(home, &in);
	buf_release(&p12);
	return e;
}

static void
test_import_pkcs12(void **state)
{
	const struct ca *ca = NULL;
	struct cas *cas = NULL;

	(void)state;
	make_chain(GOOD_USAGE);
	OPENSSL("pkcs12", "-export", "-inkey", at("sub.key"), "-in",
	    at("sub.pem"), "-certfile", at("root.pem"), "-passout", "pass:pw",
	    "-out", at("sub.p12"));
	assert_int_equal(import_p12("P", "sub.p12", "bad"), ERR_INPUT);
	assert_true(said("-legacy"));
	assert_int_equal(import_p12("P", "root.pem", "pw"), ERR_INPUT);
	assert_int_equal(import_p12("P", "sub.p12", "pw"), OK);
	assert_int_equal(cas_new(home, &cas), OK);
	assert_int_equal(cas_find(cas, "P", &ca), OK);
	assert_int_equal(ca->gen[0].nchain, 1);
	cas_free(cas);
	OPENSSL("pkcs12", "-export", "-nokeys", "-in", at("sub.pem"),
	    "-passout", "pass:pw", "-out", at("nokey.p12"));
	assert_int_equal(import_p12("P2", "nokey.p12", "pw"), ERR_INPUT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_import),
		cmocka_unit_test(test_import_refused),
		cmocka_unit_test(test_import_warns),
		cmocka_unit_test(test_import_pkcs12),
	};
	int failed;

	log_sink(keep_log, NULL);
	failed = cmocka_run_group_tests(tests, setup, teardown);
	buf_release(&logged);
	return failed;
}
