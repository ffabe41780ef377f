#include "store/code.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/time.h"
#include "store/inside.h"

/* scrypt's cost: 16 MiB and some 30 ms (RFC 7914); part of the format. */
#define SCRYPT_N      16384
#define SCRYPT_R      8
#define SCRYPT_P      1
#define SCRYPT_MEMORY (UINT64_C(32) * 1024 * 1024)

static const char *const forms[CODE__MAX] = {
	[CODE_SHA256] = "sha256",
	[CODE_SCRYPT] = "scrypt",
	[CODE_SEALED] = "sealed",
};

void
code_release(struct code *c)
{
	free(c->username);
	buf_release(&c->sealed);
	wipe(c, sizeof(*c));
	*c = (struct code){ 0 };
}

static bool
hash_sha256(struct span secret, const uint8_t salt[16], uint8_t out[32])
{
	struct buf b = BUF_SECRET;
	bool ok;

	ok = buf_add(&b, salt, 16) && buf_add(&b, secret.p, secret.len) &&
	     sha256(buf_span(&b), out) == OK;
	buf_release(&b);
	return ok;
}

/*
 * Of the secret's SHA-256: scrypt begins with HMAC, to which a key and the
 * same key with zeros behind it are one, and the secret is its exact bytes.
 */
static bool
hash_scrypt(struct span secret, const uint8_t salt[16], uint8_t out[32])
{
	char digest[SHA256_LEN];
	bool ok;

	if (sha256(secret, (uint8_t *)digest) != OK)
		return false;
	ok = EVP_PBE_scrypt(digest, sizeof(digest), salt, 16, SCRYPT_N,
		 SCRYPT_R, SCRYPT_P, SCRYPT_MEMORY, out, 32) == 1;
	if (!ok)
		log_openssl("cannot compute scrypt");
	wipe(digest, sizeof(digest));
	return ok;
}

static bool (*const hashes[CODE__MAX])(
    struct span secret, const uint8_t salt[16], uint8_t out[32]) = {
	[CODE_SHA256] = hash_sha256,
	[CODE_SCRYPT] = hash_scrypt,
	[CODE_SEALED] = hash_sha256,
};

void
code_decoy(void)
{
	static const uint8_t salt[16] = { 0 };
	uint8_t hash[32];

	(void)hash_scrypt(span_of("", 0), salt, hash);
}

bool
code_match(const struct code *code, struct span secret)
{
	uint8_t hash[32];
	bool same;

	if (code == NULL) {
		code_decoy();
		return false;
	}
	same = hashes[code->form](secret, code->salt, hash) &&
	       secret_eq(span_of(hash, sizeof(hash)),
		   span_of(code->hash, sizeof(code->hash)));
	wipe(hash, sizeof(hash));
	if (!same && code->form != CODE_SCRYPT)
		code_decoy();
	return same;
}

static enum err
secret_path(const struct store *st, const char *username, const char *id,
    struct buf *out)
{
	struct buf tail = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (buf_printf(&tail, ",%s", id))
		e = store_path(st, "secret",
		    span_of(username, strlen(username)), buf_cstr(&tail), out);
	buf_release(&tail);
	return e;
}

/* Where its record lies. */
static enum err
code_path(const struct store *st, const struct code *c, struct buf *out)
{
	return c->onetime ? store_path_hex(st, "onetime", c->id, "", out) :
			    secret_path(st, c->username, c->id, out);
}

bool
code_put(const struct code *c, struct buf *out)
{
	char salt[2 * sizeof(c->salt) + 1], hash[2 * sizeof(c->hash) + 1];
	struct buf sealed = BUF_INIT;
	bool good;

	hex_text(c->salt, sizeof(c->salt), salt);
	hex_text(c->hash, sizeof(c->hash), hash);
	good = buf_hex(&sealed, c->sealed.data, c->sealed.len) &&
	       record_text(out, "form", forms[c->form]) &&
	       record_text(out, "salt", salt) &&
	       record_text(out, "hash", hash) &&
	       record_span(out, "sealed", buf_span(&sealed)) &&
	       record_num(out, "count", c->count) &&
	       record_time(out, "created", c->created) &&
	       (c->expires == 0 || record_time(out, "expires", c->expires));
	buf_release(&sealed);
	return good;
}

/* The salted hash alone, and the secret sealed where that was asked for. */
static bool
code_text(const struct code *c, struct buf *out)
{
	return record_begin(out, "code") &&
	       record_text(out, "username", c->username) && code_put(c, out);
}

static enum err
store_code(const struct store *st, const struct code *c)
{
	struct buf text = BUF_SECRET, path = BUF_INIT;
	enum err e;

	e = secret_path(st, c->username, c->id, &path);
	if (e == OK && !code_text(c, &text))
		e = ERR_SYSTEM;
	if (e == OK)
		e = file_create_once(st->tmp, st->root, buf_cstr(&path),
		    buf_span(&text), FILE_RECORD, true);
	buf_release(&text);
	buf_release(&path);
	return e;
}

enum err
code_hash(struct code *c, struct span secret)
{
	enum err e = random_bytes(c->salt, sizeof(c->salt));

	return e == OK && !hashes[c->form](secret, c->salt, c->hash) ?
		   ERR_CRYPTO :
		   e;
}

/* NOLINTBEGIN(readability-function-size): seven words make a code */
enum err
code_add(const struct store *st, const char *username, struct span secret,
    enum code_form form, unsigned count, int64_t expires, char id[CODE_ID])
{
	struct code c = { .form = form, .count = count, .expires = expires };
	enum err e;

	if (count < 1 || count > MAX_CODE_COUNT || secret.len == 0 ||
	    secret.len > MAX_CHALLENGE) {
		log_error("a code has 1 to %d bytes and pays for 1 to %d "
			  "certificates",
		    MAX_CHALLENGE, MAX_CODE_COUNT);
		return ERR_INPUT;
	}
	c.created = time_now();
	c.username = str_dup(username);
	e = c.username == NULL ? ERR_SYSTEM : OK;
	if (e == OK)
		e = random_hex(c.id, (CODE_ID - 1) / 2);
	if (e == OK)
		e = code_hash(&c, secret);
	if (e == OK && form == CODE_SEALED)
		e = code_seal(st, &c, secret);
	if (e == OK)
		e = store_code(st, &c);
	if (e == OK)
		memcpy(id, c.id, CODE_ID);
	code_release(&c);
	return e;
}
/* NOLINTEND(readability-function-size) */

/* What is sealed is bound to the id, so it is opened and sealed again. */
static enum err
seal_again(const struct store *st, const struct code *old, struct code *c)
{
	struct buf secret = BUF_SECRET;
	enum err e = code_reveal(st, old, &secret);

	if (e == OK)
		e = code_seal(st, c, buf_span(&secret));
	buf_release(&secret);
	return e;
}

enum err
code_again(const struct store *st, const struct code *old, const char *username,
    unsigned count, char id[CODE_ID])
{
	struct code c = { .form = old->form,
		.count = count,
		.created = time_now(),
		.expires = old->expires };
	enum err e;

	memcpy(c.salt, old->salt, sizeof(c.salt));
	memcpy(c.hash, old->hash, sizeof(c.hash));
	c.username = str_dup(username);
	e = c.username == NULL ? ERR_SYSTEM : OK;
	if (e == OK)
		e = random_hex(c.id, (CODE_ID - 1) / 2);
	if (e == OK && c.form == CODE_SEALED)
		e = seal_again(st, old, &c);
	if (e == OK)
		e = store_code(st, &c);
	if (e == OK)
		memcpy(id, c.id, CODE_ID);
	code_release(&c);
	return e;
}

static enum err
get_bytes(const struct record *r, const char *key, uint8_t *out, size_t len)
{
	const char *text = record_get(r, key);
	struct buf b = BUF_SECRET;
	enum err e = ERR_INPUT;

	if (text != NULL && strlen(text) == 2 * len && is_hex(text, 2 * len))
		e = hex_read(text, &b);
	if (e == OK)
		memcpy(out, b.data, len);
	buf_release(&b);
	return e;
}

enum err
code_get(const struct record *r, struct code *c)
{
	const char *form = record_get(r, "form");
	int64_t count;
	int f;
	enum err e;

	for (f = 0; f < CODE__MAX; f++) {
		if (form != NULL && strcmp(form, forms[f]) == 0)
			break;
	}
	if (f == CODE__MAX ||
	    get_bytes(r, "salt", c->salt, sizeof(c->salt)) != OK ||
	    get_bytes(r, "hash", c->hash, sizeof(c->hash)) != OK ||
	    (f == CODE_SEALED &&
		!code_sealed_read(record_get(r, "sealed"), c)) ||
	    record_get_num(r, "count", &count) != OK || count < 1 ||
	    count > MAX_CODE_COUNT ||
	    record_get_time(r, "created", &c->created) != OK)
		return ERR_INPUT;
	/* An expiry that cannot be read must not become "never". */
	e = record_get_time(r, "expires", &c->expires);
	if (e == ERR_NOTFOUND && record_get_span(r, "expires").len == 0)
		c->expires = 0;
	else if (e != OK)
		return ERR_INPUT;
	c->form = (enum code_form)f;
	c->count = (unsigned)count;
	return OK;
}

static enum err
get_code(const struct record *r, struct code *c)
{
	const char *username = record_get(r, "username");

	if (username == NULL)
		return ERR_INPUT;
	c->username = str_dup(username);
	return c->username == NULL ? ERR_SYSTEM : code_get(r, c);
}

/* Is this the path of such a code of such a user? */
static enum err
check_path(const struct store *st, const char *path, const struct code *c)
{
	struct buf own = BUF_INIT;
	enum err e;

	e = secret_path(st, c->username, c->id, &own);
	if (e == OK && strcmp(buf_cstr(&own), path) != 0)
		e = ERR_INPUT;
	buf_release(&own);
	return e;
}

enum err
code_read(const struct store *st, const char *path, struct code *out)
{
	const char *comma = strrchr(path, ',');
	struct record r = { 0 };
	struct code c = { 0 };
	enum err e;

	e = store_read(st, path, "code", &r);
	if (e != OK)
		goto out;
	if (comma == NULL || strlen(comma + 1) != CODE_ID - 1 ||
	    !is_hex(comma + 1, CODE_ID - 1)) {
		e = ERR_INPUT;
	} else {
		memcpy(c.id, comma + 1, CODE_ID);
		e = get_code(&r, &c);
		if (e == OK)
			e = check_path(st, path, &c);
	}
	if (e == ERR_INPUT) {
		log_error("%s: a line is missing, not what it must be, or "
			  "another code's",
		    path);
		e = ERR_SYSTEM;
	}
	if (e != OK)
		goto out;
	*out = c;
	c = (struct code){ 0 };
out:
	code_release(&c);
	record_release(&r);
	return e;
}

enum err
code_find(const struct store *st, const char *username, const char *id,
    struct code *out)
{
	struct buf path = BUF_INIT;
	enum err e;

	if (strlen(id) != CODE_ID - 1 || !is_hex(id, CODE_ID - 1))
		return ERR_NOTFOUND;
	e = secret_path(st, username, id, &path);
	if (e == OK)
		e = code_read(st, buf_cstr(&path), out);
	buf_release(&path);
	return e;
}

enum err
code_living(const struct store *st, const struct code *code)
{
	struct buf path = BUF_INIT;
	enum err e;

	e = code_path(st, code, &path);
	if (e == OK)
		e = file_exists(st->root, buf_cstr(&path));
	buf_release(&path);
	return e;
}

enum err
code_end(const struct store *st, const struct code *c)
{
	struct buf path = BUF_INIT, dir = BUF_INIT;
	enum err e;

	e = code_path(st, c, &path);
	if (e != OK)
		goto out;
	if (!buf_add(&dir, path.data,
		(size_t)(store_base(buf_cstr(&path)) - buf_cstr(&path))) ||
	    !buf_byte(&dir, '.')) {
		e = ERR_SYSTEM;
		goto out;
	}
	/*
	 * First the record.  Whoever looks after that, behind his claim
	 * (code_claim()) or behind his request's record (code_paid()), finds it
	 * gone; what he made before, the look at the claims sees.  The other
	 * way round a request could be linked between that look and the end
	 * of its attempt.  A crash here leaves claims, which `scep check` mends.
	 */
	e = file_unlink(st->root, buf_cstr(&path));
	if (e == OK || e == ERR_NOTFOUND)
		e = dir_sync(st->root, buf_cstr(&dir));
	if (e == OK)
		e = code_free_claims(st, c);
out:
	buf_release(&path);
	buf_release(&dir);
	return e;
}

enum err
code_retire(const struct store *st, const char *username, const char *id)
{
	struct code c = { 0 };
	enum err e;

	e = code_find(st, username, id, &c);
	if (e == ERR_NOTFOUND) /* an earlier try came this far */
		return OK;
	if (e == OK)
		e = code_end(st, &c);
	code_release(&c);
	return e;
}
