#include "store/supersede.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/time.h"
#include "store/audit.h"
#include "store/cert.h"
#include "store/inside.h"
#include "store/renewed.h"

#define SUPERSEDED 4 /* CRLReason */

static enum err
audit_it(const struct store *st, const struct issuer *by, const char *serial)
{
	const struct audit line = { .who = "server",
		.verb = "cert revoke",
		.object = serial,
		.outcome = "done",
		.ca = by->ca,
		.serial = serial,
		.detail = "superseded: it was renewed" };

	return audit_write(st, &line);
}

/* Once; cheap where it was done. */
static enum err
revoke(const struct store *st, const struct issuer *by, const char *serial,
    int64_t now)
{
	struct revocation r = {
		.reason = SUPERSEDED, .date = now, .written = now
	};
	struct outcome o = OUTCOME_INIT;
	struct revocation there;
	enum err e;

	e = revoked_find(st, by, serial, &there);
	if (e == OK && there.n % 2 == 1 && there.reason != REASON_HOLD)
		return OK;
	if (e != OK && e != ERR_NOTFOUND)
		return e;
	if ((e = cert_find(st, by->ca, by->generation, serial, &o)) != OK)
		return e == ERR_NOTFOUND ? OK : e;
	memcpy(r.serial, o.serial, sizeof(r.serial));
	r.not_after = o.not_after;
	outcome_release(&o);
	e = revoked_add(st, by, &r);
	if (e == OK)
		e = audit_it(st, by, serial);
	return e == ERR_EXISTS ? OK : e;
}

/* The parts of a certificate's name; ca is the caller's. */
static enum err
parse(const char *old, char **ca, struct issuer *by, char serial[41])
{
	enum err e = renewed_parse(old, ca, &by->generation, serial);

	by->ca = *ca;
	if (e == ERR_INPUT) {
		log_error("\"%.200s\" is no certificate's name", old);
		e = ERR_SYSTEM;
	}
	return e;
}

enum err
supersede_now(const struct store *st, const char *old, int64_t now)
{
	struct issuer by;
	char serial[41], *ca = NULL;
	enum err e;

	if ((e = parse(old, &ca, &by, serial)) == OK)
		e = revoke(st, &by, serial, now);
	free(ca);
	return e;
}

static enum err
path_of(const struct issuer *by, const char *name, struct buf *out)
{
	enum err e;

	e = generation_room("supersede", by->ca, by->generation, out);
	return e == OK && !buf_printf(out, "/%s", name) ? ERR_SYSTEM : e;
}

/* Another time that stands there already is as good. */
enum err
supersede_later(const struct store *st, const char *old, int64_t due)
{
	struct buf path = BUF_INIT;
	char serial[41], *ca = NULL, word[TIME_TEXT];
	struct issuer by;
	bool revoked = false;
	enum err e;

	if ((e = parse(old, &ca, &by, serial)) == OK)
		e = revoked_now(st, &by, serial, &revoked);
	if (e != OK || revoked)
		goto out;
	time_text(due, word);
	if ((e = path_of(&by, serial, &path)) != OK)
		goto out;
	e = file_claim(st->root, buf_cstr(&path), word);
	if (e == OK || e == ERR_EXISTS)
		e = store_sync_above(st, buf_cstr(&path));
out:
	free(ca);
	buf_release(&path);
	return e;
}

struct due {
	const struct store *st;
	const struct issuer *by;
	int64_t now;
};

static enum err
due_one(const char *serial, void *arg)
{
	const struct due *d = arg;
	struct buf path = BUF_INIT, word = BUF_INIT;
	int64_t when = 0;
	enum err e;

	if (strlen(serial) > 40 || !is_hex(serial, strlen(serial)))
		return OK; /* store_check() tells */
	if ((e = path_of(d->by, serial, &path)) == OK)
		e = file_claim_read(d->st->root, buf_cstr(&path), &word);
	if (e == OK)
		e = time_read(buf_cstr(&word), &when);
	if (e == ERR_INPUT || e == ERR_NOTFOUND || (e == OK && when > d->now)) {
		e = OK;
		goto out;
	}
	if (e == OK)
		e = revoke(d->st, d->by, serial, d->now);
	if (e == OK) {
		e = file_unlink(d->st->root, buf_cstr(&path));
		e = e == ERR_NOTFOUND ? OK : e;
	}
out:
	buf_release(&path);
	buf_release(&word);
	return e;
}

enum err
supersede_due(const struct store *st, const struct issuer *by, int64_t now)
{
	struct due d = { st, by, now };
	struct buf room = BUF_INIT;
	enum err e;

	e = generation_room("supersede", by->ca, by->generation, &room);
	if (e == OK)
		e = dir_each(st->root, buf_cstr(&room), due_one, &d);
	buf_release(&room);
	return e == ERR_NOTFOUND ? OK : e; /* an older version made none */
}
