#ifndef TESTS_UNIT_KEYS_H
#define TESTS_UNIT_KEYS_H

/* One RSA and one EC key, and a kept log, for tests of the door to keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/log.h"
#include "ca/key.h"

static struct buf logged;
static struct buf pem_rsa, pem_ec; /* made once */
static struct key *rsa, *ec;
static EVP_PKEY *pub; /* of rsa */
static struct buf spki_rsa;

static void
keep_log(const char *line, void *arg)
{
	(void)arg;
	buf_clear(&logged);
	(void)buf_str(&logged, line);
}

/* The public half of a PEM key as SPKI, by OpenSSL. */
static EVP_PKEY *
public_of(const struct buf *pem, struct buf *spki)
{
	BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
	EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(pkey, &der);

	assert_true(len > 0);
	assert_true(buf_add(spki, der, (size_t)len));
	OPENSSL_free(der);
	BIO_free(bio);
	return pkey;
}

static int
setup(void **state)
{
	(void)state;
	if (key_generate("rsa:2048", &pem_rsa) != OK ||
	    key_generate("ec:P-256", &pem_ec) != OK ||
	    key_read("t", buf_span(&pem_rsa), span_of("", 0), &rsa) != OK ||
	    key_read("t", buf_span(&pem_ec), span_of("", 0), &ec) != OK)
		return -1;
	pub = public_of(&pem_rsa, &spki_rsa);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	key_close(rsa);
	key_close(ec);
	EVP_PKEY_free(pub);
	buf_release(&pem_rsa);
	buf_release(&pem_ec);
	buf_release(&spki_rsa);
	return 0;
}

#endif
