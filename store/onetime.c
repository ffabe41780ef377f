#include "store/onetime.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/time.h"
#include "store/inside.h"

#define LABEL  "scep one-time code "
#define DIGITS (ONETIME_CODE - 1)

static const struct {
	const char *key;
	size_t at;
	bool must;
} texts[] = {
	{ "alias", offsetof(struct onetime, alias), true },
	{ "subject", offsetof(struct onetime, subject), false },
	{ "san", offsetof(struct onetime, san), false },
	{ "entity", offsetof(struct onetime, entity), false },
	{ "profile", offsetof(struct onetime, profile), false },
	{ "by", offsetof(struct onetime, by), true },
};
#define TEXTS (sizeof(texts) / sizeof(*texts))

static char **
text_at(struct onetime *o, size_t i)
{
	return (char **)(void *)((char *)o + texts[i].at);
}

void
onetime_release(struct onetime *o)
{
	for (size_t i = 0; i < TEXTS; i++)
		free(*text_at(o, i));
	code_release(&o->code);
	*o = (struct onetime)ONETIME_INIT;
}

/* The digits that are hashed; false: it is not of the form of a code. */
static bool
upper(struct span secret, char out[ONETIME_CODE])
{
	if (secret.len != DIGITS)
		return false;
	for (size_t i = 0; i < DIGITS; i++) {
		uint8_t c = secret.p[i];

		if (c >= 'a' && c <= 'f')
			c = (uint8_t)(c - 'a' + 'A');
		if (!(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'F'))
			return false;
		out[i] = (char)c;
	}
	out[DIGITS] = '\0';
	return true;
}

static enum err
find_id(const char code[ONETIME_CODE], char id[CODE_ID])
{
	struct buf text = BUF_SECRET;
	char hash[SHA256_HEX];
	enum err e = ERR_SYSTEM;

	if (buf_str(&text, LABEL) && buf_str(&text, code))
		e = sha256_hex(buf_span(&text), hash);
	if (e == OK) {
		memcpy(id, hash, CODE_ID - 1);
		id[CODE_ID - 1] = '\0';
	}
	buf_release(&text);
	return e;
}

static enum err
onetime_path(const struct store *st, const char *id, struct buf *out)
{
	return store_path_hex(st, "onetime", id, "", out);
}

static bool
put_record(struct onetime *o, struct buf *out)
{
	bool ok = record_begin(out, "onetime");

	for (size_t i = 0; i < TEXTS && ok; i++)
		ok = record_text(out, texts[i].key, *text_at(o, i));
	return ok && code_put(&o->code, out);
}

/* A home of an older version has no such room, or half of it after a crash. */
static enum err
ensure_room(const struct store *st, const char *path)
{
	struct buf shard = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (buf_add(&shard, path, (size_t)(store_base(path) - path)) &&
	    buf_byte(&shard, '.'))
		e = file_exists(st->root, buf_cstr(&shard));
	if (e == ERR_NOTFOUND)
		e = store_room(st, "onetime");
	buf_release(&shard);
	return e;
}

static enum err
store_record(const struct store *st, struct onetime *o)
{
	struct buf text = BUF_SECRET, path = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (put_record(o, &text))
		e = onetime_path(st, o->code.id, &path);
	if (e == OK)
		e = ensure_room(st, buf_cstr(&path));
	if (e == OK)
		e = file_create_once(st->tmp, st->root, buf_cstr(&path),
		    buf_span(&text), FILE_RECORD, true);
	buf_release(&text);
	buf_release(&path);
	return e;
}

/* 128 random bits, in the form in which NDES shows its own. */
static enum err
draw(char code[ONETIME_CODE])
{
	char digits[ONETIME_CODE];
	enum err e = random_hex(digits, DIGITS / 2);

	if (e == OK && !upper(span_of(digits, DIGITS), code))
		e = ERR_SYSTEM;
	wipe(digits, sizeof(digits));
	return e;
}

enum err
onetime_add(const struct store *st, struct onetime *o, struct buf *secret)
{
	char code[ONETIME_CODE] = "";
	enum err e;

	if (o->code.count < 1 || o->code.count > MAX_CODE_COUNT) {
		log_error(
		    "a code pays for 1 to %d certificates", MAX_CODE_COUNT);
		return ERR_INPUT;
	}
	o->code.onetime = true;
	o->code.form = CODE_SHA256;
	o->code.created = time_now();
	if ((e = draw(code)) == OK && (e = find_id(code, o->code.id)) == OK &&
	    (e = code_hash(&o->code, span_of(code, DIGITS))) == OK)
		e = store_record(st, o);
	if (e == OK && !buf_add(secret, code, DIGITS))
		e = ERR_SYSTEM;
	wipe(code, sizeof(code));
	return e;
}

static enum err
get_text(const struct record *r, const char *key, bool must, char **out)
{
	const char *value = record_get(r, key);

	/* A line that cannot be read must not become "for any". */
	if (value == NULL)
		return must || record_get_span(r, key).len > 0 ? ERR_INPUT : OK;
	*out = str_dup(value);
	return *out == NULL ? ERR_SYSTEM : OK;
}

static enum err
get_record(const struct record *r, struct onetime *o)
{
	enum err e = OK;

	for (size_t i = 0; i < TEXTS && e == OK; i++)
		e = get_text(r, texts[i].key, texts[i].must, text_at(o, i));
	if (e == OK)
		e = code_get(r, &o->code);
	/* an end that is missing would be none */
	return e == OK && o->code.expires == 0 ? ERR_INPUT : e;
}

enum err
onetime_get(const struct store *st, const char *id, struct onetime *out)
{
	struct onetime o = ONETIME_INIT;
	struct buf path = BUF_INIT;
	struct record r = { 0 };
	enum err e;

	if (strlen(id) != CODE_ID - 1 || !is_hex(id, CODE_ID - 1))
		return ERR_NOTFOUND;
	o.code.onetime = true;
	memcpy(o.code.id, id, CODE_ID);
	if ((e = onetime_path(st, id, &path)) != OK ||
	    (e = store_read(st, buf_cstr(&path), "onetime", &r)) != OK)
		goto out;
	if ((e = get_record(&r, &o)) == ERR_INPUT) {
		log_error("%s: a line is missing or not what it must be",
		    buf_cstr(&path));
		e = ERR_SYSTEM;
	}
	if (e != OK)
		goto out;
	*out = o;
	o = (struct onetime)ONETIME_INIT;
out:
	onetime_release(&o);
	record_release(&r);
	buf_release(&path);
	return e;
}

enum err
onetime_find(const struct store *st, struct span secret, struct onetime *out)
{
	struct onetime o = ONETIME_INIT;
	char code[ONETIME_CODE], id[CODE_ID];
	enum err e = ERR_NOTFOUND;

	if (!upper(secret, code))
		goto out;
	if ((e = find_id(code, id)) != OK ||
	    (e = onetime_get(st, id, &o)) != OK)
		goto out;
	/* nobody has another code of that id: somebody moved the record */
	if (!code_match(&o.code, span_of(code, DIGITS))) {
		log_error("onetime code %s: its hash is another code's", id);
		e = ERR_SYSTEM;
		goto out;
	}
	*out = o;
	o = (struct onetime)ONETIME_INIT;
out:
	onetime_release(&o);
	wipe(code, sizeof(code));
	return e;
}

struct names {
	enum err (*each)(const char *id, void *arg);
	void *arg;
};

static enum err
each_name(const char *path, void *arg)
{
	const struct names *n = arg;

	return n->each(store_base(path), n->arg);
}

enum err
onetime_each(const struct store *st,
    enum err (*each)(const char *id, void *arg), void *arg)
{
	struct names n = { each, arg };

	return store_each(st, "onetime", each_name, &n);
}

enum err
onetime_retire(const struct store *st, const char *id)
{
	struct onetime o = ONETIME_INIT;
	enum err e = onetime_get(st, id, &o);

	if (e == ERR_NOTFOUND) /* an earlier try came this far */
		return OK;
	if (e == OK)
		e = code_end(st, &o.code);
	onetime_release(&o);
	return e;
}
