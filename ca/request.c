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
#include "ca/pubkey.h"
#include "ca/ra_make.h"

#define KEY_FILE "key.pem"
#define CSR_FILE "request.pem"

/* Of a new CA, or of the next generation of one that is here. */
#define NEXT_ROOM "request" /* below the CA's folder; no generation */

static enum err
next_path(const char *called, struct buf *path)
{
	enum err e = ca_path(called, path);

	return e == OK && !buf_str(path, "/" NEXT_ROOM) ? ERR_SYSTEM : e;
}

/* <folder>/<file> */
static enum err
path_in(const char *folder, const char *file, struct buf *path)
{
	buf_clear(path);
	return buf_printf(path, "%s/%s", folder, file) ? OK : ERR_SYSTEM;
}

/* What a request is made of, and the folder that will have it. */
struct asking {
	const char *name;   /* of the CA, for its passphrase */
	const char *room;   /* above the folder */
	const char *folder; /* its path */
	struct span subject;
	const char *key;
	bool encrypt;
};

static enum err
draft_write(int home, const struct asking *a, const struct key *key,
    struct span passphrase, const struct buf *csr)
{
	struct draft d;
	enum err e;

	e = draft_begin(home, a->room, &d);
	if (e == OK)
		e = draft_key(&d, "", KEY_FILE, key, passphrase);
	if (e == OK)
		e = draft_file(&d, "", CSR_FILE, buf_span(csr), FILE_RECORD);
	return draft_end(&d, a->folder, e);
}

/* A key, its request, and a folder that has both. */
static enum err
request_new(int home, const struct asking *a, struct buf *csr)
{
	struct buf pem = BUF_SECRET, pass = BUF_SECRET;
	struct key *key = NULL;
	enum err e;

	if ((e = seal_passphrase(home, a->name, a->encrypt, &pass)) != OK ||
	    (e = key_generate(a->key, &pem)) != OK ||
	    (e = key_read("new key", buf_span(&pem), span_of("", 0), &key)) !=
		OK ||
	    (e = key_csr(key, a->subject, ca_usage(key_type(key)), csr)) != OK)
		goto out;
	e = draft_write(home, a, key, buf_span(&pass), csr);
out:
	key_close(key);
	buf_release(&pem);
	buf_release(&pass);
	return e;
}

static enum err
request_first(
    int home, const struct ca_order *order, const char *folder, struct buf *csr)
{
	struct asking a = { .name = order->name,
		.room = "ca",
		.folder = folder,
		.key = order->key,
		.encrypt = order->encrypt };
	struct buf subject = BUF_INIT;
	enum err e;

	if ((e = dn_parse(order->subject, &subject)) != OK)
		goto out;
	a.subject = buf_span(&subject);
	if (dn_empty(a.subject)) {
		log_error("a CA needs a subject, such as CN=%s", order->name);
		e = ERR_INPUT;
		goto out;
	}
	e = request_new(home, &a, csr);
out:
	buf_release(&subject);
	return e;
}

/* The folder, if one waits there; ERR_INPUT (logged): no CA's name. */
static enum err
waits(int home, const char *name, struct buf *path)
{
	enum err e;

	if ((e = ca_request_path(name, path)) == ERR_INPUT)
		log_error("a CA's name is 1 to 200 bytes as a file name");
	else if (e == OK)
		e = file_exists(home, buf_cstr(path));
	return e;
}

static enum err
write_again(int home, const char *folder, struct buf *csr)
{
	struct buf path = BUF_INIT;
	enum err e;

	if ((e = path_in(folder, CSR_FILE, &path)) == OK)
		e = file_read(home, buf_cstr(&path), MAX_PEM, csr);
	buf_release(&path);
	return e;
}

enum err
ca_request(int home, const struct ca_order *order, struct buf *csr)
{
	struct buf folder = BUF_INIT;
	enum err e;

	e = waits(home, order->name, &folder);
	if (e == OK && order->subject != NULL)
		e = ERR_EXISTS;
	else if (e == OK)
		e = write_again(home, buf_cstr(&folder), csr);
	else if (e == ERR_NOTFOUND && order->subject != NULL &&
		 (e = ca_vacant(home, order->name)) == OK)
		e = request_first(home, order, buf_cstr(&folder), csr);
	buf_release(&folder);
	return e;
}

/* The CA stands: what waited for it goes; if it stays, `check` tells. */
static void
clear(int home, const char *folder)
{
	static const char *const files[] = { CSR_FILE, KEY_FILE };
	struct buf path = BUF_INIT;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (path_in(folder, files[i], &path) == OK)
			(void)file_unlink(home, buf_cstr(&path));
	(void)dir_remove(home, folder);
	buf_release(&path);
}

/*
 * Does one wait for the next generation?  A key that has its certificate
 * already was left by a crash behind that: it is cleared away.
 */
static enum err
next_waits(int home, const struct ca *ca, const char *folder)
{
	struct buf path = BUF_INIT;
	struct key *key = NULL;
	bool sealed;
	enum err e;

	if ((e = path_in(folder, KEY_FILE, &path)) != OK ||
	    (e = key_load(home, ca->called, buf_cstr(&path), &key, &sealed)) !=
		OK)
		goto out;
	if (key_fits(key, ca->gen[ca->ngen - 1].spki)) {
		clear(home, folder);
		e = ERR_NOTFOUND;
	}
out:
	key_close(key);
	buf_release(&path);
	return e;
}

enum err
ca_request_waits(int home, const struct ca *ca)
{
	struct buf folder = BUF_INIT;
	enum err e;

	if ((e = next_path(ca->called, &folder)) == OK)
		e = next_waits(home, ca, buf_cstr(&folder));
	buf_release(&folder);
	return e;
}

enum err
ca_request_next(int home, const struct ca *ca, const char *key, bool encrypt,
    struct buf *csr)
{
	const struct generation *last = &ca->gen[ca->ngen - 1];
	struct buf room = BUF_INIT, folder = BUF_INIT;
	char kind[KEY_KIND_TEXT];
	enum err e;

	key_kind(last->key, kind);
	if ((e = key_here(last->key)) != OK ||
	    (e = ca_path(ca->called, &room)) != OK ||
	    (e = next_path(ca->called, &folder)) != OK)
		goto out;
	const struct asking a = { .name = ca->called,
		.room = buf_cstr(&room),
		.folder = buf_cstr(&folder),
		.subject = last->subject,
		.key = key != NULL ? key : kind,
		.encrypt = encrypt || last->sealed };
	e = next_waits(home, ca, a.folder);
	if (e == OK)
		e = key != NULL ? ERR_EXISTS : write_again(home, a.folder, csr);
	else if (e == ERR_NOTFOUND)
		e = ca_next(ca, time_now()) != NULL ?
			ERR_EXISTS :
			request_new(home, &a, csr);
out:
	buf_release(&room);
	buf_release(&folder);
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

static enum err
install(int home, const char *folder, struct bring *b, struct span cert,
    struct span chain)
{
	struct buf path = BUF_INIT;
	enum err e;

	if ((e = path_in(folder, KEY_FILE, &path)) == OK)
		e = key_load(
		    home, b->name, buf_cstr(&path), &b->key, &b->encrypt);
	if (e == ERR_NOTFOUND) {
		log_error("%s is missing", buf_cstr(&path));
		e = ERR_SYSTEM;
	}
	if (e == OK && (e = read_answer(b, cert, chain)) == OK)
		e = bring_store(home, b, time_now());
	if (e == OK)
		clear(home, folder);
	buf_release(&path);
	return e;
}

/* Its key is on another host, and so is who made this: nothing waits here. */
static enum err
install_elsewhere(
    int home, struct bring *b, struct span cert, struct span chain)
{
	const struct generation *next = ca_next(b->ca, time_now());
	struct cert_view v;
	enum err e = read_answer(b, cert, chain);

	for (size_t i = 0; e == OK && i < b->ca->ngen; i++)
		if (span_eq(buf_span(&b->ca->gen[i].cert), buf_span(&b->cert)))
			e = ERR_EXISTS;
	if (e == OK)
		e = cert_view(buf_span(&b->cert), &v);
	/* behind the next one it would take its place for good */
	if (e == OK && next != NULL && v.not_before < next->not_before) {
		log_error("CA %s has a next generation, %u, and one behind it "
			  "would take its place: install this when that has "
			  "begun",
		    b->ca->called, next->folder);
		e = ERR_REFUSED;
	}
	if (e == OK)
		e = key_public("the certificate", v.spki, &b->key);
	return e == OK ? bring_store(home, b, time_now()) : e;
}

static enum err
install_next(int home, struct bring *b, struct span cert, struct span chain)
{
	struct buf folder = BUF_INIT;
	enum err e;

	if (key_elsewhere(b->ca->gen[b->ca->ngen - 1].key))
		return install_elsewhere(home, b, cert, chain);
	if ((e = next_path(b->ca->called, &folder)) == OK &&
	    (e = next_waits(home, b->ca, buf_cstr(&folder))) == OK)
		e = ca_next(b->ca, time_now()) != NULL ?
			ERR_EXISTS :
			install(home, buf_cstr(&folder), b, cert, chain);
	buf_release(&folder);
	return e;
}

enum err
ca_install(int home, const char *name, struct span cert, struct span chain)
{
	struct bring b = { .name = name };
	struct buf folder = BUF_INIT;
	struct cas *cas = NULL;
	enum err e, there;

	e = waits(home, name, &folder);
	if (e != OK && e != ERR_NOTFOUND)
		goto out;
	if ((there = cas_new(home, &cas)) == OK)
		there = cas_find(cas, name, &b.ca);
	if (e == OK)
		e = there == ERR_NOTFOUND ?
			install(home, buf_cstr(&folder), &b, cert, chain) :
			ERR_EXISTS;
	else
		e = there == OK ? install_next(home, &b, cert, chain) : there;
out:
	bring_release(&b);
	cas_free(cas);
	buf_release(&folder);
	return e;
}
