#include "store/transaction.h"

#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "store/audit.h"
#include "store/cert.h"
#include "store/inside.h"

/* Length and bytes, so that no two lists of fields are one text. */
static bool
add_field(struct buf *b, struct span field)
{
	uint8_t len[4] = { (uint8_t)(field.len >> 24),
		(uint8_t)(field.len >> 16), (uint8_t)(field.len >> 8),
		(uint8_t)field.len };

	return buf_add(b, len, sizeof(len)) && buf_add(b, field.p, field.len);
}

enum err
transaction_name(struct transaction *t, const uint8_t signer_key[SHA256_LEN])
{
	struct buf b = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (add_field(&b, span_of(t->alias, strlen(t->alias))) &&
	    add_field(&b, span_of(t->ca, strlen(t->ca))) &&
	    add_field(&b, t->id) &&
	    add_field(&b, span_of(signer_key, SHA256_LEN)))
		e = sha256_hex(buf_span(&b), t->name);
	buf_release(&b);
	return e;
}

enum err
outcome_path(const struct store *st, const char name[SHA256_HEX],
    unsigned attempt, struct buf *out)
{
	enum err e;

	e = store_path_hex(st, "transaction", name, "", out);
	if (e == OK && !buf_printf(out, ",%u,outcome", attempt))
		e = ERR_SYSTEM;
	return e;
}

/* Names are hashes: what is inside must be what was asked for (STORE.md). */
static bool
belongs(const struct outcome *o, const struct transaction *t, unsigned attempt)
{
	if (strcmp(o->transaction, t->name) != 0 || o->attempt != attempt)
		return false;
	return o->kind != OUTCOME_CERTIFICATE ||
	       (strcmp(o->alias, t->alias) == 0 && strcmp(o->ca, t->ca) == 0 &&
		   span_eq(buf_span(&o->id), t->id));
}

enum err
outcome_find(const struct store *st, const struct transaction *t,
    unsigned attempt, struct outcome *out)
{
	struct outcome o = OUTCOME_INIT;
	struct buf path = BUF_INIT;
	enum err e;

	e = outcome_path(st, t->name, attempt, &path);
	if (e == OK)
		e = outcome_read(st, buf_cstr(&path), &o);
	if (e != OK)
		goto out;
	if (!belongs(&o, t, attempt)) {
		log_error("%s belongs to another transaction", buf_cstr(&path));
		e = ERR_SYSTEM;
		goto out;
	}
	*out = o;
	o = (struct outcome)OUTCOME_INIT;
out:
	outcome_release(&o);
	buf_release(&path);
	return e;
}

enum err
outcome_latest(
    const struct store *st, const struct transaction *t, struct outcome *out)
{
	struct buf stem = BUF_INIT;
	unsigned n = 0;
	enum err e;

	e = store_path_hex(st, "transaction", t->name, "", &stem);
	if (e == OK)
		e = store_highest(st, buf_cstr(&stem), ",outcome", &n);
	if (e == OK)
		e = n == 0 ? ERR_NOTFOUND : outcome_find(st, t, n, out);
	buf_release(&stem);
	return e;
}

enum err
outcome_replay(const struct store *st, const struct transaction *t,
    const char csr[SHA256_HEX], const char *renews, struct outcome *out)
{
	struct outcome o = OUTCOME_INIT, last = OUTCOME_INIT;
	enum err e, found = ERR_NOTFOUND;

	for (unsigned n = 1;; n++) {
		e = outcome_find(st, t, n, &o);
		if (e != OK)
			break;
		if (o.kind == OUTCOME_CERTIFICATE && strcmp(o.csr, csr) == 0 &&
		    (renews == NULL ? o.renews == NULL :
				      o.renews != NULL &&
					  strcmp(o.renews, renews) == 0)) {
			outcome_release(&last);
			last = o;
			o = (struct outcome)OUTCOME_INIT;
			found = OK;
		}
		outcome_release(&o);
	}
	if (e != ERR_NOTFOUND) /* which is what is behind the last */
		found = e;
	if (found == OK)
		*out = last;
	else
		outcome_release(&last);
	return found;
}

/*
 * Who got what.  Before the name in cert/, so that a certificate with that
 * name has its line, and whoever makes the name later writes the line again.
 */
static enum err
audit_issued(const struct store *st, const struct outcome *o)
{
	struct buf who = BUF_INIT, id = BUF_INIT;
	struct audit line = { .verb = "enrol",
		.outcome = "issued",
		.object = o->entity,
		.alias = o->alias,
		.ca = o->ca,
		.serial = o->serial,
		.detail = o->subject };
	bool remote = o->remote != NULL && *o->remote != '\0';
	enum err e = ERR_SYSTEM;

	if (log_escape(&id, buf_span(&o->id)) &&
	    buf_printf(&who, "client %s", remote ? o->remote : "unknown")) {
		line.who = buf_cstr(&who);
		line.transaction = buf_cstr(&id);
		e = audit_write(st, &line);
	}
	buf_release(&who);
	buf_release(&id);
	return e;
}

/*
 * The audit line and the further names of a durable outcome.  The one in
 * cert/ comes last: where it stands, the others were made.
 */
static enum err
second_name(const struct store *st, const struct outcome *o, const char *from,
    const char *to)
{
	enum err e;

	e = audit_issued(st, o);
	if (e == OK)
		e = issued_link(st, o, from);
	if (e != OK)
		return e;
	e = file_link(st->root, from, to);
	if (e == ERR_NOTFOUND) {
		log_error("%s went away before its link", from);
		return ERR_SYSTEM;
	}
	/* A copy that came back from an archive is as good (check compares). */
	if (e != OK && e != ERR_EXISTS)
		return e;
	waiting_hide(st, o->alias, o->transaction, o->attempt);
	return store_sync_above(st, to);
}

enum err
outcome_link(const struct store *st, const struct outcome *o)
{
	struct buf text = BUF_INIT, path = BUF_INIT, cert = BUF_INIT;
	enum err e;

	e = outcome_text(o, &text);
	if (e == OK)
		e = outcome_path(st, o->transaction, o->attempt, &path);
	if (e == OK)
		e = cert_path(st, o->ca, o->generation, o->serial, &cert);
	if (e != OK)
		goto out;
	e = file_create_once(st->tmp, st->root, buf_cstr(&path),
	    buf_span(&text), FILE_RECORD, true);
	if (e == OK)
		e = second_name(st, o, buf_cstr(&path), buf_cstr(&cert));
out:
	buf_release(&text);
	buf_release(&path);
	buf_release(&cert);
	return e;
}

/*
 * The name in cert/ comes after the outcome is durable, so where it stands
 * nothing is left to do.  Where it does not, the issuer may not have come to
 * its fsync, and nobody may answer before one (STORE.md I1).
 */
enum err
outcome_publish(const struct store *st, const struct outcome *o)
{
	struct buf path = BUF_INIT, cert = BUF_INIT;
	enum err e;

	if (o->kind != OUTCOME_CERTIFICATE)
		return OK;
	e = cert_path(st, o->ca, o->generation, o->serial, &cert);
	if (e == OK)
		e = file_exists(st->root, buf_cstr(&cert));
	if (e != ERR_NOTFOUND)
		goto out;
	e = outcome_path(st, o->transaction, o->attempt, &path);
	if (e == OK)
		e = store_sync_above(st, buf_cstr(&path));
	if (e == OK)
		e = second_name(st, o, buf_cstr(&path), buf_cstr(&cert));
out:
	buf_release(&path);
	buf_release(&cert);
	return e;
}

enum err
outcome_decide(const struct store *st, const struct outcome *o)
{
	struct buf text = BUF_INIT, path = BUF_INIT;
	enum err e;

	e = outcome_text(o, &text);
	if (e == OK)
		e = outcome_path(st, o->transaction, o->attempt, &path);
	if (e == OK)
		e = file_create_once(st->tmp, st->root, buf_cstr(&path),
		    buf_span(&text), FILE_RECORD, true);
	if (e == OK && o->alias != NULL)
		waiting_hide(st, o->alias, o->transaction, o->attempt);
	buf_release(&text);
	buf_release(&path);
	return e;
}

/* No time inside: two who abandon write the same and both succeed. */
enum err
outcome_abandon(
    const struct store *st, const char name[SHA256_HEX], unsigned attempt)
{
	struct outcome o = { .kind = OUTCOME_ABANDONED, .attempt = attempt };

	memcpy(o.transaction, name, SHA256_HEX);
	return outcome_decide(st, &o);
}

/* By the transaction's name alone. */
static enum err
find_named(const struct store *st, const char name[SHA256_HEX],
    unsigned attempt, struct outcome *out)
{
	struct outcome o = OUTCOME_INIT;
	struct buf path = BUF_INIT;
	enum err e;

	e = outcome_path(st, name, attempt, &path);
	if (e == OK)
		e = outcome_read(st, buf_cstr(&path), &o);
	if (e == OK &&
	    (strcmp(o.transaction, name) != 0 || o.attempt != attempt)) {
		log_error("%s belongs to another transaction", buf_cstr(&path));
		e = ERR_SYSTEM;
	}
	if (e == OK) {
		*out = o;
		o = (struct outcome)OUTCOME_INIT;
	}
	outcome_release(&o);
	buf_release(&path);
	return e;
}

enum err
outcome_kind(const struct store *st, const char name[SHA256_HEX],
    unsigned attempt, enum outcome_kind *out)
{
	struct outcome o = OUTCOME_INIT;
	enum err e = find_named(st, name, attempt, &o);

	if (e == OK)
		*out = o.kind;
	outcome_release(&o);
	return e;
}

enum err
outcome_finish(
    const struct store *st, const char name[SHA256_HEX], unsigned attempt)
{
	struct outcome o = OUTCOME_INIT;
	enum err e = find_named(st, name, attempt, &o);

	if (e == OK)
		e = outcome_publish(st, &o);
	outcome_release(&o);
	return e;
}
