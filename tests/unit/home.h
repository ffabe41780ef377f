#ifndef TESTS_UNIT_HOME_H
#define TESTS_UNIT_HOME_H

/* A throw-away home with one CA, `Test CA`, and what a device asks for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/time.h"
#include "ca/ca.h"
#include "ca/cert.h"
#include "ca/dn.h"
#include "ca/san.h"
#include "tests/unit/cli.h"
#include "tests/unit/shipped.h"

static struct buf logged;
static char dir[200];
static int home = -1;
static struct buf spki; /* of a device */
static struct buf subject, san;

static void
keep_log(const char *line, void *arg)
{
	(void)arg;
	(void)buf_str(&logged, line);
	(void)buf_byte(&logged, '\n');
}

static inline bool
said(const char *what)
{
	bool found = strstr(buf_cstr(&logged), what) != NULL;

	if (!found)
		print_message("log: %s\n", buf_cstr(&logged));
	buf_clear(&logged);
	return found;
}

/* A path below the home, from a ring of buffers. */
static const char *
at(const char *name)
{
	static char path[8][400];
	static int i;

	i = (i + 1) % 8;
	(void)snprintf(path[i], sizeof(path[i]), "%s/%s", dir, name);
	return path[i];
}

static inline void
put(const char *name, struct span bytes)
{
	assert_int_equal(file_replace(home, name, bytes, 0640), OK);
}

static inline void
openssl(const char *const *argv)
{
	struct buf out = BUF_INIT;

	if (cli_run(argv, &out) != 0)
		fail_msg("%s %s: %s", argv[0], argv[1], buf_cstr(&out));
	buf_release(&out);
}
#define OPENSSL(...) \
	openssl((const char *const[]){ "openssl", __VA_ARGS__, NULL })

static enum err
create(const char *name, const char *dn, const char *key, int64_t days)
{
	struct ca_order o = {
		.name = name, .subject = dn, .key = key, .days = days
	};

	return ca_create(home, &o, time_now());
}

static int
setup(void **state)
{
	EVP_PKEY *ec = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(ec, &der);

	(void)state;
	if (len <= 0 || !buf_add(&spki, der, (size_t)len) ||
	    dn_parse("CN=router1,O=Lab", &subject) != OK ||
	    san_parse("dns=r1.lab, ip=10.0.0.1", &san) != OK)
		return -1;
	OPENSSL_free(der);
	EVP_PKEY_free(ec);
	home = cli_tmpdir(dir, sizeof(dir));
	/* one CA that most tests use */
	return home < 0 ? -1 :
			  (int)create("Test CA", "CN=Test CA,O=Lab,C=SE",
			      "rsa:2048", 3650);
}

static int
teardown(void **state)
{
	(void)state;
	(void)close(home);
	cli_remove(dir);
	buf_release(&spki);
	buf_release(&subject);
	buf_release(&san);
	return 0;
}

static inline unsigned
mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(stat(at(name), &st), 0);
	return st.st_mode & 07777;
}

static inline void
issue(const char *name, int64_t now, enum err expect, struct issued *out)
{
	struct leaf leaf = { .subject = buf_span(&subject),
		.spki = buf_span(&spki),
		.san = buf_span(&san),
		.transaction = "t" };
	const struct ca *ca = NULL;
	struct cas *cas = NULL;

	assert_int_equal(cas_new(home, &cas), OK);
	assert_int_equal(cas_find(cas, name, &ca), OK);
	assert_int_equal(ca_issue(&ca->gen[ca->ngen - 1], shipped("ENDUSER"),
			     &leaf, now, out),
	    expect);
	cas_free(cas);
}

#endif
