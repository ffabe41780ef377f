#include "store/revoked.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/log.h"
#include "store/cert.h"
#include "store/inside.h"

#define ROUNDS 100 /* rivals that one command lets go first */

static const char *const reasons[REASON__MAX] = {
	[0] = "unspecified",
	[1] = "keyCompromise",
	[2] = "cACompromise",
	[3] = "affiliationChanged",
	[4] = "superseded",
	[5] = "cessationOfOperation",
	[REASON_HOLD] = "certificateHold",
	[REASON_REMOVE] = "removeFromCRL",
	[9] = "privilegeWithdrawn",
	[10] = "aACompromise",
};

const char *
reason_name(unsigned reason)
{
	return reason < REASON__MAX ? reasons[reason] : NULL;
}

bool
reason_read(const char *text, unsigned *out)
{
	unsigned n = 0;
	bool number = read_number(text, &n);

	for (unsigned i = 0; i < REASON__MAX; i++) {
		if (reasons[i] == NULL || i == REASON_REMOVE)
			continue;
		if (number ? n == i : strcasecmp(text, reasons[i]) == 0) {
			*out = i;
			return true;
		}
	}
	return false;
}

enum err
revoked_path(const struct store *st, const struct issuer *by,
    const char *serial, unsigned n, struct buf *out)
{
	struct buf room = BUF_INIT;
	char tail[16] = "";
	enum err e;

	if (n > 0)
		(void)snprintf(tail, sizeof(tail), ",%u", n);
	e = generation_room("revoked", by->ca, by->generation, &room);
	if (e == OK)
		e = store_path_hex(st, buf_cstr(&room), serial, tail, out);
	buf_release(&room);
	return e;
}

bool
revoked_name(const char *name, char serial[41], unsigned *n)
{
	size_t len = strcspn(name, ",");

	if (len < 2 || len > 40 || len % 2 != 0 || !is_hex(name, len) ||
	    name[len] != ',' || !read_number(name + len + 1, n) || *n == 0)
		return false;
	memcpy(serial, name, len);
	serial[len] = '\0';
	return true;
}

/* --- the text of a version ------------------------------------------- */

static const char *
state_word(const struct revocation *r)
{
	if (r->n % 2 == 0)
		return r->bridge ? "bridge" : "released";
	return r->reason == REASON_HOLD ? "held" : "revoked";
}

static enum err
put(const struct issuer *by, const struct revocation *r, struct buf *out)
{
	bool ok;

	ok = record_begin(out, "revoked") && record_text(out, "ca", by->ca) &&
	     record_num(out, "generation", by->generation) &&
	     record_text(out, "serial", r->serial) &&
	     record_text(out, "state", state_word(r));
	if (ok && r->n % 2 == 1)
		ok = record_text(out, "reason", reason_name(r->reason));
	/* No time in a bridge: all who make it write the same. */
	if (ok && !r->bridge)
		ok = record_time(out, "date", r->date) &&
		     record_time(out, "written", r->written);
	if (ok && !r->bridge && r->not_after != 0)
		ok = record_time(out, "not_after", r->not_after);
	return ok ? OK : ERR_SYSTEM;
}

static bool
get(const struct record *rec, struct revocation *r)
{
	const char *state = record_get(rec, "state");
	const char *reason = record_get(rec, "reason");

	if (state == NULL)
		return false;
	r->bridge = r->n % 2 == 0 && strcmp(state, "bridge") == 0;
	if (r->n % 2 == 1 &&
	    (reason == NULL || !reason_read(reason, &r->reason)))
		return false;
	if (strcmp(state, state_word(r)) != 0)
		return false;
	if (r->bridge)
		return true;
	if (record_get_time(rec, "date", &r->date) != OK ||
	    record_get_time(rec, "written", &r->written) != OK)
		return false;
	return record_get_time(rec, "not_after", &r->not_after) != ERR_INPUT;
}

/* Is the record about what its name says? */
static bool
belongs(const struct record *rec, const struct issuer *by, const char *serial)
{
	const char *ca = record_get(rec, "ca");
	const char *own = record_get(rec, "serial");
	int64_t n = 0;

	return ca != NULL && own != NULL && strcmp(ca, by->ca) == 0 &&
	       strcmp(own, serial) == 0 &&
	       record_get_num(rec, "generation", &n) == OK &&
	       n == (int64_t)by->generation;
}

enum err
revoked_read(const struct store *st, const struct issuer *by,
    const char *serial, unsigned n, struct revocation *out)
{
	struct revocation r = { .n = n };
	struct record rec = { 0 };
	struct buf path = BUF_INIT;
	enum err e;

	e = revoked_path(st, by, serial, n, &path);
	if (e == OK)
		e = store_read(st, buf_cstr(&path), "revoked", &rec);
	if (e != OK)
		goto out;
	if (!belongs(&rec, by, serial) || !get(&rec, &r)) {
		log_error("%s: a line is missing or not what it must be",
		    buf_cstr(&path));
		e = ERR_SYSTEM;
		goto out;
	}
	(void)snprintf(r.serial, sizeof(r.serial), "%s", serial);
	*out = r;
out:
	record_release(&rec);
	buf_release(&path);
	return e;
}

/* --- the present state ------------------------------------------------- */

/* What is behind a bridge is older than the bridge: it must be there. */
static enum err
behind_bridge(
    const struct store *st, const struct issuer *by, struct revocation *r)
{
	unsigned n = r->n + 1;
	char serial[sizeof(r->serial)];
	enum err e;

	memcpy(serial, r->serial, sizeof(serial));
	e = revoked_read(st, by, serial, n, r);
	if (e == ERR_NOTFOUND) {
		log_error("revocation %s,%u of CA %s is missing; restore it",
		    serial, n, by->ca);
		e = ERR_SYSTEM;
	}
	return e;
}

enum err
revoked_find(const struct store *st, const struct issuer *by,
    const char *serial, struct revocation *out)
{
	struct buf stem = BUF_INIT;
	unsigned n = 0;
	enum err e;

	e = revoked_path(st, by, serial, 0, &stem);
	if (e == OK)
		e = store_highest(st, buf_cstr(&stem), "", &n);
	if (e == OK)
		e = n == 0 ? ERR_NOTFOUND :
			     revoked_read(st, by, serial, n, out);
	if (e == OK && out->bridge)
		e = behind_bridge(st, by, out);
	buf_release(&stem);
	return e;
}

enum err
revoked_now(const struct store *st, const struct issuer *by, const char *serial,
    bool *out)
{
	struct revocation r;
	enum err e = revoked_find(st, by, serial, &r);

	if (e == OK || e == ERR_NOTFOUND)
		*out = e == OK && r.n % 2 == 1;
	return e == ERR_NOTFOUND ? OK : e;
}

/* --- changing it ------------------------------------------------------- */

static enum err
link_version(
    const struct store *st, const struct issuer *by, const struct revocation *r)
{
	struct buf text = BUF_INIT, path = BUF_INIT;
	enum err e;

	e = put(by, r, &text);
	if (e == OK)
		e = revoked_path(st, by, r->serial, r->n, &path);
	if (e == OK)
		e = file_create_once(st->tmp, st->root, buf_cstr(&path),
		    buf_span(&text), FILE_RECORD, true);
	buf_release(&text);
	buf_release(&path);
	return e;
}

enum err
revoked_bridge(const struct store *st, const struct issuer *by,
    const char *serial, unsigned n)
{
	struct revocation r = { .n = n, .bridge = true };

	(void)snprintf(r.serial, sizeof(r.serial), "%s", serial);
	return link_version(st, by, &r);
}

/* One try to revoke; ERR_BUSY: somebody was faster, look again. */
static enum err
revoke_once(
    const struct store *st, const struct issuer *by, struct revocation *r)
{
	struct revocation was = { .n = 0 };
	bool held;
	enum err e;

	e = revoked_find(st, by, r->serial, &was);
	if (e != OK && e != ERR_NOTFOUND)
		return e;
	held = was.n % 2 == 1 && was.reason == REASON_HOLD;
	if (was.n % 2 == 1 && (!held || r->reason == REASON_HOLD)) {
		*r = was;
		return ERR_EXISTS;
	}
	r->n = was.n + (held ? 2 : 1);
	r->bridge = false;
	if ((e = revoked_announce(st, by, r)) != OK)
		return e;
	e = link_version(st, by, r);
	if (e != OK && e != ERR_EXISTS)
		return e;
	if (held) {
		enum err bridged = revoked_bridge(st, by, r->serial, was.n + 1);

		/* Something else: it was released meanwhile, as 2. */
		if (bridged != OK && bridged != ERR_EXISTS)
			return bridged;
	}
	return e == ERR_EXISTS ? ERR_BUSY : OK;
}

enum err
revoked_add(
    const struct store *st, const struct issuer *by, struct revocation *r)
{
	enum err e = ERR_BUSY;

	for (int i = 0; i < ROUNDS && e == ERR_BUSY; i++)
		e = revoke_once(st, by, r);
	return e;
}

enum err
revoked_release(const struct store *st, const struct issuer *by,
    const char *serial, int64_t now, struct revocation *out)
{
	struct revocation r = { .date = now, .written = now };
	enum err e = ERR_EXISTS;

	for (int i = 0; i < ROUNDS && e == ERR_EXISTS; i++) {
		if ((e = revoked_find(st, by, serial, out)) != OK)
			return e;
		if (out->n % 2 == 0)
			return ERR_NOTFOUND;
		if (out->reason != REASON_HOLD)
			return ERR_REFUSED;
		memcpy(r.serial, out->serial, sizeof(r.serial));
		r.n = out->n + 1;
		r.not_after = out->not_after;
		if ((e = revoked_announce(st, by, &r)) == OK)
			e = link_version(st, by, &r);
		/* A crash may have left the revocation that comes behind. */
		if (e == OK)
			e = revoked_find(st, by, serial, out);
		if (e == OK && out->n != r.n)
			e = ERR_EXISTS;
	}
	return e == ERR_EXISTS ? ERR_BUSY : e;
}

/* --- all of them --------------------------------------------------------- */

struct scan {
	const struct store *st;
	const struct issuer *by;
	char serial[41]; /* whose versions pass at present; "": none */
	unsigned n;	 /* the highest of them */
	enum err (*each)(const struct revocation *, void *arg);
	void *arg;
};

/* All versions of a serial number have passed. */
static enum err
scan_flush(struct scan *s)
{
	struct revocation r;
	enum err e;

	if (s->serial[0] == '\0')
		return OK;
	e = revoked_read(s->st, s->by, s->serial, s->n, &r);
	if (e == OK && r.bridge)
		e = behind_bridge(s->st, s->by, &r);
	s->serial[0] = '\0';
	if (e == ERR_NOTFOUND) /* pruned while we walked */
		return OK;
	return e == OK ? s->each(&r, s->arg) : e;
}

/* Sorted by bytes, the versions of a serial number are neighbours. */
static enum err
scan_one(const char *path, void *arg)
{
	struct scan *s = arg;
	char serial[41];
	unsigned n = 0;
	enum err e = OK;

	if (!revoked_name(store_base(path), serial, &n))
		return OK; /* store_check() tells */
	if (strcmp(serial, s->serial) != 0) {
		e = scan_flush(s);
		memcpy(s->serial, serial, sizeof(serial));
		s->n = 0;
	}
	if (n > s->n)
		s->n = n;
	return e;
}

enum err
revoked_each(const struct store *st, const struct issuer *by,
    enum err (*each)(const struct revocation *, void *arg), void *arg)
{
	struct scan s = { .st = st, .by = by, .each = each, .arg = arg };
	struct buf room = BUF_INIT;
	enum err e;

	e = generation_room("revoked", by->ca, by->generation, &room);
	if (e == OK)
		e = store_each(st, buf_cstr(&room), scan_one, &s);
	if (e == OK)
		e = scan_flush(&s);
	buf_release(&room);
	return e;
}
