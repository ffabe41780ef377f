#include "admin/cert.h"

#include "base/names.h"
#include "ca/ca.h"
#include "ca/cert.h"
#include "ca/der.h"
#include "store/cert.h"

/* Which certificate is meant: `show`, `revoke` and `unrevoke` ask it. */

struct wanted {
	const char *entity; /* as typed; NULL where a file was named */
	struct buf hex;	    /* hex digits as bytes; empty: none */
	struct buf der;	    /* of the file; empty: none */
	unsigned found;
	enum err (*each)(const struct outcome *, void *arg);
	void *arg;
};

/* Numbers are equal whatever their leading zeros. */
static bool
same_number(struct span a, struct span b)
{
	while (a.len > 0 && a.p[0] == 0)
		a = span_of(a.p + 1, a.len - 1);
	while (b.len > 0 && b.p[0] == 0)
		b = span_of(b.p + 1, b.len - 1);
	return span_eq(a, b);
}

static bool
same_fingerprint(struct span der, enum fingerprint kind, struct span wanted)
{
	struct buf text = BUF_INIT, raw = BUF_INIT;
	bool same = false;

	if (fingerprint(der, kind, &text) == OK &&
	    hex_read(buf_cstr(&text), &raw) == OK)
		same = span_eq(buf_span(&raw), wanted);
	buf_release(&text);
	buf_release(&raw);
	return same;
}

static bool
same_hex(const struct wanted *w, const struct outcome *o)
{
	struct span hex = buf_span(&w->hex), der = buf_span(&o->cert);
	struct buf serial = BUF_INIT;
	bool same = false;

	if (hex.len == 0)
		return false;
	if (hex_read(o->serial, &serial) == OK)
		same = same_number(hex, buf_span(&serial));
	buf_release(&serial);
	if (!same && hex.len == 20)
		same = same_fingerprint(der, FP_SHA1, hex);
	if (!same && hex.len == SHA256_LEN)
		same = same_fingerprint(der, FP_SHA256, hex);
	return same;
}

static bool
is_wanted(const struct wanted *w, const struct outcome *o)
{
	if (w->der.len > 0)
		return span_eq(buf_span(&w->der), buf_span(&o->cert));
	if (o->entity != NULL && strcmp(w->entity, o->entity) == 0)
		return true;
	return same_hex(w, o);
}

/* An entity may be called as some file here is that is no certificate. */
static bool
looks_like_cert(struct span file)
{
	static const char begin[] = "-----BEGIN ";
	size_t i, len = sizeof(begin) - 1;

	if (file.len > 0 && file.p[0] == DER_SEQUENCE)
		return true;
	for (i = 0; i + len <= file.len; i++) {
		if (memcmp(file.p + i, begin, len) == 0)
			return true;
	}
	return false;
}

static enum err
wanted_read(struct command *cmd, struct wanted *w)
{
	struct span file = name_bytes(cmd, 0);
	enum err e;

	if (looks_like_cert(file))
		return cert_read(cmd->name[0], file, &w->der);
	e = hex_read(cmd->name[0], &w->hex);
	if (e == ERR_INPUT) /* no hex digits: an entity's name, then */
		buf_clear(&w->hex);
	return e == ERR_INPUT ? OK : e;
}

static enum err
choose_one(const struct outcome *o, void *arg)
{
	struct wanted *w = arg;

	if (!is_wanted(w, o))
		return OK;
	w->found++;
	return w->each(o, w->arg);
}

enum err
cert_choose(struct command *cmd,
    enum err (*each)(const struct outcome *, void *arg), void *arg,
    unsigned *found)
{
	struct wanted w = { .entity = cmd->name[0], .each = each, .arg = arg };
	enum err e;

	if ((e = wanted_read(cmd, &w)) == OK)
		e = cert_each(&cmd->store, choose_one, &w);
	*found = w.found;
	buf_release(&w.hex);
	buf_release(&w.der);
	return e;
}

enum err
cert_none(const struct command *cmd)
{
	return say(ERR_NOTFOUND,
	    "no certificate %s, by serial, fingerprint, file or entity; `scep "
	    "cert list` shows them",
	    cmd->name[0]);
}
