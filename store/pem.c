#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "store/inside.h"

/* The block behind a record; what is in it stays bytes here. */

bool
pem_put(struct buf *out, const char *name, struct span der)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *pem = NULL;
	long len = 0;
	bool ok = false;

	if (bio != NULL && der.len <= MAX_RECORD &&
	    PEM_write_bio(bio, name, "", der.p, (long)der.len) > 0)
		len = BIO_get_mem_data(bio, &pem);
	if (len > 0)
		ok = buf_add(out, pem, (size_t)len);
	else
		log_openssl("cannot write a %s in PEM", name);
	BIO_free(bio);
	return ok;
}

enum err
pem_get(struct span pem, const char *name, struct buf *der)
{
	BIO *bio = NULL;
	char *found = NULL, *header = NULL;
	unsigned char *data = NULL;
	long len = 0;
	enum err e = ERR_INPUT;

	if (pem.len == 0 || pem.len > MAX_RECORD)
		goto out;
	bio = BIO_new_mem_buf(pem.p, (int)pem.len);
	if (bio == NULL || PEM_read_bio(bio, &found, &header, &data, &len) != 1)
		goto out;
	if (strcmp(found, name) != 0 || *header != '\0' || len <= 0)
		goto out;
	e = buf_add(der, data, (size_t)len) ? OK : ERR_SYSTEM;
out:
	OPENSSL_free(found);
	OPENSSL_free(header);
	OPENSSL_free(data);
	BIO_free(bio);
	ERR_clear_error();
	return e;
}
