#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "store/inside.h"
#include "store/waiting.h"

/*
 * The text of a waiting request: what places it (transaction, attempt, alias
 * and where it was before), then the facts that people say yes to.  The
 * digest of the facts, from the line "ca = " to the end of the file, is the
 * request's id; `alias rename` leaves them as they are.
 */
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct {
	const char *key;
	size_t at;
	bool must;
} texts[] = {
	{ "ca", offsetof(struct waiting, ca), true },
	{ "username", offsetof(struct waiting, username), true },
	{ "subject", offsetof(struct waiting, subject), false },
	{ "san", offsetof(struct waiting, san), false },
	{ "profile", offsetof(struct waiting, profile), true },
	{ "entityprofile", offsetof(struct waiting, entityprofile), false },
	{ "remote", offsetof(struct waiting, remote), false },
	{ "renews", offsetof(struct waiting, renews), false },
	{ "code", offsetof(struct waiting, code), false },
	{ "sha1", offsetof(struct waiting, sha1), false },
	{ "sha512", offsetof(struct waiting, sha512), false },
	{ "md5", offsetof(struct waiting, md5), false },
};

static const struct {
	const char *key;
	size_t at;
	size_t digits;
} digits[] = {
	{ "signer", offsetof(struct waiting, signer), 64 },
	{ "csr", offsetof(struct waiting, csr), 64 },
	{ "spki", offsetof(struct waiting, spki), 64 },
	{ "nonce", offsetof(struct waiting, nonce), 32 },
};

/* Bytes, in hex; an empty one has no line. */
static const struct {
	const char *key;
	size_t at;
} bytes[] = {
	{ "subject_der", offsetof(struct waiting, subject_der) },
	{ "san_der", offsetof(struct waiting, san_der) },
	{ "asked_der", offsetof(struct waiting, asked_der) },
};

static char **
text_at(struct waiting *w, size_t i)
{
	return (char **)(void *)((char *)w + texts[i].at);
}

static const char *
text_of(const struct waiting *w, size_t i)
{
	const char *value;

	memcpy(&value, (const char *)w + texts[i].at, sizeof(value));
	return value;
}

static struct buf *
bytes_at(struct waiting *w, size_t i)
{
	return (struct buf *)(void *)((char *)w + bytes[i].at);
}

void
waiting_release(struct waiting *w)
{
	for (size_t i = 0; i < COUNT(texts); i++)
		free(*text_at(w, i));
	for (size_t i = 0; i < COUNT(bytes); i++)
		buf_release(bytes_at(w, i));
	free(w->alias);
	free(w->moved);
	buf_release(&w->txid);
	buf_release(&w->spki_der);
	*w = (struct waiting)WAITING_INIT;
}

static bool
put_bytes(struct buf *out, const char *key, struct span value)
{
	if (value.len == 0)
		return true;
	return buf_printf(out, "%s = ", key) &&
	       buf_hex(out, value.p, value.len) && buf_byte(out, '\n');
}

/* "ca" is the first line. */
static bool
put_facts(const struct waiting *w, struct buf *out)
{
	bool ok = true;
	size_t i;

	for (i = 0; i < COUNT(texts) && ok; i++)
		ok = record_text(out, texts[i].key, text_of(w, i));
	ok = ok && record_num(out, "generation", w->generation) &&
	     record_span(out, "id", buf_span(&w->txid));
	for (i = 0; i < COUNT(digits) && ok; i++)
		ok = record_text(
		    out, digits[i].key, (const char *)w + digits[i].at);
	for (i = 0; i < COUNT(bytes) && ok; i++)
		ok = put_bytes(out, bytes[i].key,
		    buf_span(
			(const struct buf *)(const void *)((const char *)w +
							   bytes[i].at)));
	/* none in records of before, whose ids stay */
	if (ok && w->validity > 0)
		ok = record_num(out, "validity", w->validity);
	return ok && record_num(out, "required", w->required) &&
	       record_time(out, "created", w->created) &&
	       record_time(out, "expires", w->expires) &&
	       pem_put(out, "PUBLIC KEY", buf_span(&w->spki_der));
}

enum err
waiting_id(const struct waiting *w, char id[SHA256_HEX])
{
	struct buf facts = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (put_facts(w, &facts))
		e = sha256_hex(buf_span(&facts), id);
	buf_release(&facts);
	return e;
}

enum err
waiting_text(const struct waiting *w, struct buf *out)
{
	bool ok;

	ok = record_begin(out, "request") &&
	     record_text(out, "transaction", w->transaction) &&
	     record_num(out, "attempt", w->attempt) &&
	     record_text(out, "alias", w->alias) &&
	     record_text(out, "moved", w->moved) && put_facts(w, out);
	if (ok && out->len > MAX_RECORD) {
		log_error("the request of transaction %s is over %d bytes",
		    w->transaction, MAX_RECORD);
		return ERR_TOOBIG;
	}
	return ok ? OK : ERR_SYSTEM;
}

static enum err
get_text(const struct record *r, const char *key, bool must, char **out)
{
	const char *value = record_get(r, key);

	/* A line that cannot be read must not become "none". */
	if (value == NULL)
		return must || record_get_span(r, key).len > 0 ? ERR_INPUT : OK;
	*out = str_dup(value);
	return *out == NULL ? ERR_SYSTEM : OK;
}

static enum err
get_number(
    const struct record *r, const char *key, int64_t least, unsigned *out)
{
	int64_t n = 0;

	if (record_get_num(r, key, &n) != OK || n < least || n > INT32_MAX)
		return ERR_INPUT;
	*out = (unsigned)n;
	return OK;
}

static enum err
get_bytes(const struct record *r, const char *key, struct buf *out)
{
	const char *value = record_get(r, key);

	return value == NULL ? OK : hex_read(value, out);
}

static enum err
get_facts(const struct record *r, struct waiting *w)
{
	struct span txid = record_get_span(r, "id");
	enum err e = OK;
	size_t i;

	for (i = 0; i < COUNT(texts) && e == OK; i++)
		e = get_text(r, texts[i].key, texts[i].must, text_at(w, i));
	for (i = 0; i < COUNT(digits) && e == OK; i++)
		e = record_digits(r, digits[i].key, digits[i].digits,
		    digits[i].digits, (char *)w + digits[i].at);
	for (i = 0; i < COUNT(bytes) && e == OK; i++)
		e = get_bytes(r, bytes[i].key, bytes_at(w, i));
	if (e != OK)
		return e;
	if ((w->code != NULL && (strlen(w->code) != CODE_ID - 1 ||
				    !is_hex(w->code, CODE_ID - 1))) ||
	    get_number(r, "generation", 1, &w->generation) != OK ||
	    get_number(r, "required", 1, &w->required) != OK ||
	    record_get_time(r, "created", &w->created) != OK ||
	    record_get_time(r, "expires", &w->expires) != OK || txid.len == 0)
		return ERR_INPUT;
	if (record_get(r, "validity") != NULL &&
	    (record_get_num(r, "validity", &w->validity) != OK ||
		w->validity <= 0))
		return ERR_INPUT;
	if (!buf_add(&w->txid, txid.p, txid.len))
		return ERR_SYSTEM;
	return pem_get(buf_span(&r->pem), "PUBLIC KEY", &w->spki_der);
}

static enum err
get_waiting(const struct record *r, struct waiting *w)
{
	enum err e;

	e = record_digits(r, "transaction", 64, 64, w->transaction);
	if (e == OK)
		e = get_number(r, "attempt", 1, &w->attempt);
	if (e == OK)
		e = get_text(r, "alias", true, &w->alias);
	if (e == OK)
		e = get_text(r, "moved", false, &w->moved);
	if (e == OK)
		e = get_facts(r, w);
	return e == OK ? waiting_id(w, w->id) : e;
}

enum err
waiting_read(const struct store *st, const char *path, struct waiting *out)
{
	struct waiting w = WAITING_INIT;
	struct record r = { 0 };
	enum err e;

	e = store_read(st, path, "request", &r);
	if (e == OK)
		e = get_waiting(&r, &w);
	if (e == ERR_INPUT) {
		log_error("%s: a line is missing or not what it must be", path);
		e = ERR_SYSTEM;
	}
	if (e != OK)
		goto out;
	*out = w;
	w = (struct waiting)WAITING_INIT;
out:
	waiting_release(&w);
	record_release(&r);
	return e;
}
