#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/time.h"
#include "ca/bring.h"
#include "ca/ca.h"
#include "ca/cert.h"
#include "ca/dn.h"
#include "ca/folder.h"
#include "ca/make.h"
#include "ca/passphrase.h"
#include "ca/ra_make.h"

#define KEY_FILE "key.pem"
#define CSR_FILE "request.pem"

/* ca/.request-<name>/<file> */
static enum err
path_in(const char *name, const char *file, struct buf *path)
{
	enum err e;

	if ((e = ca_request_path(name, path)) == OK &&
	    !buf_printf(path, "/%s", file))
		e = ERR_SYSTEM;
	return e;
}

static enum err
draft_write(int home, const char *name, const struct key *key,
    struct span passphrase, const struct buf *csr)
{
	struct buf path = BUF_INIT;
	struct draft d;
	enum err e;

	if ((e = ca_request_path(name, &path)) == OK) {
		e = draft_begin(home, "ca", &d);
		if (e == OK)
			e = draft_key(&d, "", KEY_FILE, key, passphrase);
		if (e == OK)
			e = draft_file(
			    &d, "", CSR_FILE, buf_span(csr), FILE_RECORD);
		e = draft_end(&d, buf_cstr(&path), e);
	}
	buf_release(&path);
	return e;
}

/* A key, its request, and a folder that has both. */
static enum err
request_new(int home, const struct ca_order *order, struct buf *csr)
{
	struct buf subject = BUF_INIT, pem = BUF_SECRET, pass = BUF_SECRET;
	struct key *key = NULL;
	enum err e;

	if ((e = dn_parse(order->subject, &subject)) != OK)
		goto out;
	if (dn_empty(buf_span(&subject))) {
		log_error("a CA needs a subject, such as CN=%s", order->name);
		e = ERR_INPUT;
		goto out;
	}
	if ((e = seal_passphrase(home, order->name, order->encrypt, &pass)) !=
		OK ||
	    (e = key_generate(order->key, &pem)) != OK ||
	    (e = key_read("new key", buf_span(&pem), span_of("", 0), &key)) !=
		OK ||
	    (e = key_csr(
		 key, buf_span(&subject), ca_usage(key_type(key)), csr)) != OK)
		goto out;
	e = draft_write(home, order->name, key, buf_span(&pass), csr);
out:
	key_close(key);
	buf_release(&subject);
	buf_release(&pem);
	buf_release(&pass);
	return e;
}

/* Does one wait?  OK, ERR_NOTFOUND; ERR_INPUT (logged): no CA's name. */
static enum err
waits(int home, const char *name)
{
	struct buf path = BUF_INIT;
	enum err e;

	if ((e = ca_request_path(name, &path)) == ERR_INPUT)
		log_error("a CA's name is 1 to 200 bytes as a file name");
	else if (e == OK)
		e = file_exists(home, buf_cstr(&path));
	buf_release(&path);
	return e;
}

enum err
ca_request(int home, const struct ca_order *order, struct buf *csr)
{
	struct buf path = BUF_INIT;
	enum err e;

	e = waits(home, order->name);
	if (e == OK && order->subject != NULL)
		e = ERR_EXISTS;
	else if (e == OK && (e = path_in(order->name, CSR_FILE, &path)) == OK)
		e = file_read(home, buf_cstr(&path), MAX_PEM, csr);
	else if (e == ERR_NOTFOUND && order->subject != NULL &&
		 (e = ca_vacant(home, order->name)) == OK)
		e = request_new(home, order, csr);
	buf_release(&path);
	return e;
}

/* The certificate is the first in its file; the others there are a chain. */
static enum err
read_answer(struct bring *b, struct span cert, struct span chain)
{
	struct cert_view v;
	struct buf all = BUF_INIT;
	enum err e = ERR_SYSTEM;

	/* DER has no chain behind it */
	if (cert_view(cert, &v) != OK &&
	    (!buf_add(&all, cert.p, cert.len) || !buf_byte(&all, '\n')))
		goto out;
	if (buf_add(&all, chain.p, chain.len) &&
	    (e = cert_read("certificate", cert, &b->cert)) == OK)
		e = certs_read("chain", buf_span(&all), &b->chain, &b->nchain);
out:
	buf_release(&all);
	return e;
}

/* The CA stands: what waited for it goes; if it stays, `check` tells. */
static void
clear(int home, const char *name)
{
	static const char *const files[] = { CSR_FILE, KEY_FILE };
	struct buf path = BUF_INIT;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		buf_clear(&path);
		if (path_in(name, files[i], &path) == OK)
			(void)file_unlink(home, buf_cstr(&path));
	}
	buf_clear(&path);
	if (ca_request_path(name, &path) == OK)
		(void)dir_remove(home, buf_cstr(&path));
	buf_release(&path);
}

/* Nothing of that name but what waits. */
static enum err
no_ca(int home, const char *name)
{
	struct buf path = BUF_INIT;
	enum err e;

	if ((e = ca_path(name, &path)) == OK)
		e = file_exists(home, buf_cstr(&path));
	buf_release(&path);
	if (e == OK)
		return ERR_EXISTS;
	return e == ERR_NOTFOUND ? OK : e;
}

enum err
ca_install(int home, const char *name, struct span cert, struct span chain)
{
	struct bring b = { .name = name };
	struct buf path = BUF_INIT;
	enum err e;

	if ((e = waits(home, name)) != OK || (e = no_ca(home, name)) != OK ||
	    (e = path_in(name, KEY_FILE, &path)) != OK)
		goto out;
	e = key_load(home, name, buf_cstr(&path), &b.key, &b.encrypt);
	if (e == ERR_NOTFOUND) {
		log_error("%s is missing", buf_cstr(&path));
		e = ERR_SYSTEM;
	}
	if (e == OK && (e = read_answer(&b, cert, chain)) == OK)
		e = bring_store(home, &b, time_now());
	if (e == OK)
		clear(home, name);
out:
	bring_release(&b);
	buf_release(&path);
	return e;
}
