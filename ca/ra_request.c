#include <openssl/x509v3.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "ca/passphrase.h"
#include "ca/ra_make.h"

/* A key for an RA whose CA is on another host, until its certificate comes. */

#define ROOM	 "/ra-request"
#define KEY_FILE "key.pem"
#define CSR_FILE "request.pem"

/* ca/<ca>/ra-request[/<file>] */
static enum err
path_of(const struct ca *ca, const char *file, struct buf *path)
{
	enum err e = ca_path(ca->called, path);

	return e == OK &&
		       !buf_printf(path, ROOM "%s%s", *file ? "/" : "", file) ?
		   ERR_SYSTEM :
		   e;
}

static enum err
read_part(int home, const struct ca *ca, const char *file, struct buf *out)
{
	struct buf path = BUF_INIT;
	enum err e = path_of(ca, file, &path);

	if (e == OK)
		e = file_read(home, buf_cstr(&path), MAX_PEM, out);
	buf_release(&path);
	return e;
}

static enum err
store(int home, const struct ca *ca, const struct key *key,
    struct span passphrase, const struct buf *csr)
{
	struct buf room = BUF_INIT, path = BUF_INIT;
	struct draft d = { .home = home, .dir = BUF_INIT };
	enum err e;

	if ((e = ca_path(ca->called, &room)) == OK &&
	    (e = path_of(ca, "", &path)) == OK)
		e = draft_begin(home, buf_cstr(&room), &d);
	if (e == OK)
		e = draft_key(&d, "", KEY_FILE, key, passphrase);
	if (e == OK)
		e = draft_file(&d, "", CSR_FILE, buf_span(csr), FILE_RECORD);
	e = draft_end(&d, buf_cstr(&path), e);
	buf_release(&room);
	buf_release(&path);
	return e;
}

enum err
ca_ra_request(int home, const struct ca *ca, const struct ra_order *order,
    int64_t now, struct buf *csr)
{
	const struct generation *gen = ca_current(ca, now);
	struct buf pem = BUF_SECRET, pass = BUF_SECRET, name = BUF_INIT;
	struct key *key = NULL;
	enum err e;

	if ((e = read_part(home, ca, CSR_FILE, csr)) != ERR_NOTFOUND)
		return e;
	if (gen == NULL) {
		log_error("CA %s is not valid yet", ca->called);
		return ERR_REFUSED;
	}
	if ((e = seal_passphrase(home, ca->called, order->encrypt, &pass)) !=
		OK ||
	    (e = ra_name(gen, order->subject, &name)) != OK ||
	    (e = key_generate(order->key, &pem)) != OK ||
	    (e = key_read("new key", buf_span(&pem), span_of("", 0), &key)) !=
		OK ||
	    (e = key_csr(key, buf_span(&name),
		 KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT, csr)) != OK)
		goto out;
	e = store(home, ca, key, buf_span(&pass), csr);
out:
	key_close(key);
	buf_release(&pem);
	buf_release(&pass);
	buf_release(&name);
	return e;
}

/* It stands in ra/ now; if this stays, the next request writes it again. */
static void
clear(int home, const struct ca *ca)
{
	static const char *const files[] = { CSR_FILE, KEY_FILE };
	struct buf path = BUF_INIT;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		buf_clear(&path);
		if (path_of(ca, files[i], &path) == OK)
			(void)file_unlink(home, buf_cstr(&path));
	}
	buf_clear(&path);
	if (path_of(ca, "", &path) == OK)
		(void)dir_remove(home, buf_cstr(&path));
	buf_release(&path);
}

enum err
ca_ra_install(int home, const struct ca *ca, struct span cert, int64_t now)
{
	struct ra_import in = { .cert = cert };
	struct buf path = BUF_INIT, pem = BUF_SECRET, pass = BUF_SECRET;
	struct key *key = NULL;
	enum err e;

	if ((e = path_of(ca, KEY_FILE, &path)) != OK ||
	    (e = key_load(
		 home, ca->called, buf_cstr(&path), &key, &in.encrypt)) != OK ||
	    (e = key_pem(key, span_of(NULL, 0), &pem)) != OK)
		goto out;
	in.key = buf_span(&pem);
	e = ca_ra_import(home, ca, &in, now);
	if (e == OK)
		clear(home, ca);
out:
	key_close(key);
	buf_release(&path);
	buf_release(&pem);
	buf_release(&pass);
	return e;
}
