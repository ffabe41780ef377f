#ifndef TESTS_UNIT_STOREHOME_H
#define TESTS_UNIT_STOREHOME_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/file.h"
#include "base/log.h"
#include "base/names.h"
#include "base/time.h"
#include "store/cert.h"
#include "store/code.h"
#include "store/entity.h"
#include "store/store.h"
#include "store/transaction.h"

/* A store in a directory of its own, for the unit tests of store/. */
struct house {
	char path[512];
	int home;
	struct store st;
};

/* What the log said last, so that a test can ask for its words. */
static char said[4096];

static void
keep_line(const char *line, void *arg)
{
	(void)arg;
	(void)snprintf(said, sizeof(said), "%s", line);
}

static inline void
run(const char *program, const char *const args[])
{
	pid_t pid = fork();
	char *argv[16];
	int i, status = 0;

	assert_true(pid >= 0);
	if (pid == 0) {
		for (i = 0; args[i] != NULL && i < 15; i++)
			argv[i] = strdup(args[i]);
		argv[i] = NULL;
		(void)execvp(program, argv);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static inline int
house_build(void **state)
{
	const char *tmp = getenv("TMPDIR");
	struct house *h = calloc(1, sizeof(*h));

	assert_non_null(h);
	(void)snprintf(h->path, sizeof(h->path), "%s/scep-store.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(h->path));
	assert_int_equal(dir_open(AT_FDCWD, h->path, &h->home), OK);
	assert_int_equal(store_init(h->home, 2), OK);
	assert_int_equal(store_open(h->home, &h->st), OK);
	assert_int_equal(cert_rooms(&h->st, "Test CA", 1), OK);
	log_sink(keep_line, NULL);
	said[0] = '\0';
	*state = h;
	return 0;
}

static inline int
house_raze(void **state)
{
	struct house *h = *state;
	const char *const args[] = { "rm", "-rf", h->path, NULL };

	store_release(&h->st);
	file_close(&h->home);
	run("rm", args);
	free(h);
	return 0;
}

static inline struct span
text(const char *s)
{
	return span_of(s, strlen(s));
}

/* Writes a file under store/, whatever is there. */
static inline void
scribble(const struct house *h, const char *path, const char *content)
{
	(void)file_unlink(h->st.root, path);
	assert_int_equal(
	    file_mark(h->st.tmp, h->st.root, path, text(content)), OK);
}

/* A self-signed certificate with this serial number. */
static inline void
make_cert(const char *serial, int64_t from, int64_t to, struct buf *der)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	X509 *x = X509_new();
	BIGNUM *bn = NULL;
	unsigned char *p = NULL;
	int len;

	assert_non_null(key);
	assert_non_null(x);
	assert_true(BN_hex2bn(&bn, serial) > 0);
	assert_non_null(BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x)));
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(x), (time_t)from));
	assert_non_null(ASN1_TIME_set(X509_getm_notAfter(x), (time_t)to));
	assert_int_equal(X509_set_pubkey(x, key), 1);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	len = i2d_X509(x, &p);
	assert_true(len > 0);
	assert_true(buf_add(der, p, (size_t)len));
	OPENSSL_free(p);
	BN_free(bn);
	X509_free(x);
	EVP_PKEY_free(key);
}

#define KEY_A ((const uint8_t *)"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
#define KEY_B ((const uint8_t *)"BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB")

static inline void
make_transaction(struct transaction *t, const char *id, const uint8_t *key)
{
	*t = (struct transaction){
		.alias = "scep", .ca = "Test CA", .id = text(id)
	};
	assert_int_equal(transaction_name(t, key), OK);
}

/* A certificate's outcome with everything in it; serial is 40 hex digits. */
static inline void
make_outcome(const struct transaction *t, unsigned attempt, const char *serial,
    struct outcome *o)
{
	*o = (struct outcome)OUTCOME_INIT;
	o->kind = OUTCOME_CERTIFICATE;
	memcpy(o->transaction, t->name, sizeof(o->transaction));
	o->attempt = attempt;
	o->alias = str_dup(t->alias);
	o->ca = str_dup(t->ca);
	o->generation = 1;
	assert_true(buf_add(&o->id, t->id.p, t->id.len));
	o->entity = str_dup("router1");
	o->subject = str_dup("CN=router1,O=\"Lab\" 100%");
	o->profile = str_dup("ENDUSER");
	o->remote = str_dup("192.0.2.1");
	memset(o->csr, 'a', 64);
	memset(o->spki, 'b', 64);
	(void)snprintf(o->serial, sizeof(o->serial), "%s", serial);
	o->issued = time_now() - 3600;
	o->not_before = o->issued;
	o->not_after = o->issued + 730 * DAY;
	make_cert(serial, o->not_before, o->not_after, &o->cert);
}

#define SERIAL_1 "5d03aa00aa00aa00aa00aa00aa00aa00aa00aa01"
#define SERIAL_2 "5d03aa00aa00aa00aa00aa00aa00aa00aa00aa02"

/* n processes run work(i); how many of them said OK. */
static inline int
race(int n, enum err (*work)(int i, void *arg), void *arg)
{
	int go[2], won = 0, status;
	char byte;

	assert_int_equal(pipe(go), 0);
	for (int i = 0; i < n; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid != 0)
			continue;
		(void)close(go[1]);
		(void)!read(go[0], &byte, 1); /* until the parent closes */
		_exit(work(i, arg) == OK ? 0 : 1);
	}
	(void)close(go[0]);
	(void)close(go[1]);
	while (n-- > 0) {
		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status));
		won += WEXITSTATUS(status) == 0;
	}
	return won;
}

#endif
