#include "store/store.h"

#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/names.h"
#include "store/inside.h"

#define FORMAT_MAX 256 /* bytes of store/format */

/* Rooms with shards; generations of a CA get theirs by cert_rooms(). */
static const char *const sharded[] = {
	"entity",
	"secret",
	"onetime",
	"used",
	"try",
	"transaction",
	"approval",
	"approved",
	"key",
	"subject",
	"issued",
};
static const char *const plain[] = { "tmp", "audit", "cert", "revoked", "crl",
	"waiting", "renewed", "supersede" };

/* Makes a directory that may be there already, half made by an earlier try. */
static enum err
make(int at, const char *path)
{
	enum err e = dir_make(at, path);

	return e == ERR_EXISTS ? OK : e;
}

static enum err
make_rooms(const struct store *st)
{
	enum err e = OK;
	size_t i;

	for (i = 0; i < sizeof(plain) / sizeof(plain[0]) && e == OK; i++)
		e = make(st->root, plain[i]);
	for (i = 0; i < sizeof(sharded) / sizeof(sharded[0]) && e == OK; i++) {
		e = make(st->root, sharded[i]);
		if (e == OK)
			e = store_shards(st, sharded[i]);
	}
	return e;
}

static enum err
write_format(const struct store *st)
{
	struct buf text = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (buf_printf(&text, "scep-store 1, shards %u\n", st->shards))
		e = file_create_once(st->tmp, st->root, "format",
		    buf_span(&text), FILE_RECORD, true);
	buf_release(&text);
	return e;
}

enum err
store_init(int home, unsigned shards)
{
	struct store st = { .root = -1, .tmp = -1, .shards = shards };
	enum err e;

	if (shards != 2 && shards != 3) {
		log_error(
		    "a store has 2 or 3 digits of shards, not %u", shards);
		return ERR_INPUT;
	}
	e = make(home, "store");
	if (e == OK)
		e = dir_open(home, "store", &st.root);
	if (e != OK)
		goto out;
	e = file_exists(st.root, "format");
	if (e == OK)
		e = ERR_EXISTS;
	if (e != ERR_NOTFOUND)
		goto out;
	e = make_rooms(&st);
	if (e == OK)
		e = dir_sync(st.root, ".");
	if (e == OK)
		e = dir_sync(home, ".");
	if (e == OK)
		e = dir_open(st.root, "tmp", &st.tmp);
	/* Last: the sign that the store is whole. */
	if (e == OK)
		e = write_format(&st);
out:
	store_release(&st);
	return e;
}

static enum err
read_format(struct store *st)
{
	static const char start[] = "scep-store 1, shards ";
	struct buf text = BUF_INIT;
	const char *s;
	enum err e;

	e = file_read(st->root, "format", FORMAT_MAX, &text);
	if (e != OK)
		goto out;
	s = buf_cstr(&text);
	if (strncmp(s, start, sizeof(start) - 1) == 0) {
		s += sizeof(start) - 1;
		if (strcmp(s, "2\n") == 0)
			st->shards = 2;
		else if (strcmp(s, "3\n") == 0)
			st->shards = 3;
	}
	if (st->shards == 0) {
		log_error("store/format is not one that this version reads "
			  "(scep-store 1, shards 2 or 3)");
		e = ERR_SYSTEM;
	}
out:
	buf_release(&text);
	return e == ERR_TOOBIG ? ERR_SYSTEM : e;
}

enum err
store_open(int home, struct store *out)
{
	struct store st = { .root = -1, .tmp = -1, .shards = 0 };
	enum err e;

	e = dir_open(home, "store", &st.root);
	if (e == OK)
		e = read_format(&st);
	if (e != OK)
		goto out;
	e = dir_open(st.root, "tmp", &st.tmp);
	if (e == ERR_NOTFOUND) {
		log_error("store/tmp is missing; make it again, owned as store "
			  "is, mode 0750");
		e = ERR_SYSTEM;
	}
	if (e != OK)
		goto out;
	*out = st;
	st.root = -1;
	st.tmp = -1;
out:
	store_release(&st);
	return e;
}

void
store_release(struct store *st)
{
	file_close(&st->root);
	file_close(&st->tmp);
}

enum err
store_path(const struct store *st, const char *kind, struct span name,
    const char *tail, struct buf *out)
{
	char hash[SHA256_HEX];
	enum err e;

	e = sha256_hex(name, hash);
	if (e != OK)
		return e;
	if (!buf_printf(out, "%s/%.*s/", kind, (int)st->shards, hash))
		return ERR_SYSTEM;
	e = name_escape(name, out);
	if (e == OK && !buf_str(out, tail))
		e = ERR_SYSTEM;
	return e;
}

enum err
store_path_hex(const struct store *st, const char *kind, const char *hex,
    const char *tail, struct buf *out)
{
	size_t len = strlen(hex);
	char shard[SHARD_TEXT] = "000"; /* an imported serial may be short */

	if (len == 0 || !is_hex(hex, len)) {
		log_error("a name under %s/ is not hex", kind);
		return ERR_INPUT;
	}
	memcpy(shard, hex, len < st->shards ? len : st->shards);
	shard[st->shards] = '\0';
	if (!buf_printf(out, "%s/%s/%s%s", kind, shard, hex, tail))
		return ERR_SYSTEM;
	return OK;
}
