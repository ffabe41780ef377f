#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "store/inside.h"

/*
 * The text of an outcome: its record, then the certificate in PEM, so that
 * `openssl x509 -in` reads the file as it is.  Certificates stay bytes here:
 * nothing on a request's way decodes one.
 */

static const char *const kinds[OUTCOME__MAX] = {
	[OUTCOME_CERTIFICATE] = "certificate",
	[OUTCOME_ABANDONED] = "abandoned",
	[OUTCOME_DENIED] = "denied",
	[OUTCOME_EXPIRED] = "expired",
	[OUTCOME_PASSED] = "passed",
	[OUTCOME_REFUSED] = "refused",
};

/*
 * Text of any length; `must`: a certificate's outcome has it.  The code that
 * paid stands before them, among the first lines (outcome_payer()).
 */
static const struct {
	const char *key;
	size_t at;
	bool must;
} texts[] = {
	{ "alias", offsetof(struct outcome, alias), true },
	{ "ca", offsetof(struct outcome, ca), true },
	{ "entity", offsetof(struct outcome, entity), false },
	{ "subject", offsetof(struct outcome, subject), false },
	{ "profile", offsetof(struct outcome, profile), false },
	{ "remote", offsetof(struct outcome, remote), false },
	{ "renews", offsetof(struct outcome, renews), false },
	{ "held", offsetof(struct outcome, held), false },
};

/* Hex digits in place; a certificate's outcome has them all. */
static const struct {
	const char *key;
	size_t at;
	size_t least, most; /* digits */
} digits[] = {
	{ "csr", offsetof(struct outcome, csr), 64, 64 },
	{ "spki", offsetof(struct outcome, spki), 64, 64 },
	{ "serial", offsetof(struct outcome, serial), 2, 40 },
};

static const struct {
	const char *key;
	size_t at;
} times[] = {
	{ "issued", offsetof(struct outcome, issued) },
	{ "not_before", offsetof(struct outcome, not_before) },
	{ "not_after", offsetof(struct outcome, not_after) },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

void
outcome_release(struct outcome *o)
{
	free(o->alias);
	free(o->ca);
	free(o->entity);
	free(o->subject);
	free(o->code);
	free(o->renews);
	free(o->held);
	free(o->by);
	free(o->why);
	free(o->profile);
	free(o->remote);
	buf_release(&o->id);
	buf_release(&o->cert);
	*o = (struct outcome)OUTCOME_INIT;
}

static const char *
text_of(const struct outcome *o, size_t at)
{
	const char *value;

	memcpy(&value, (const char *)o + at, sizeof(value));
	return value;
}

static int64_t
time_of(const struct outcome *o, size_t at)
{
	int64_t value;

	memcpy(&value, (const char *)o + at, sizeof(value));
	return value;
}

static bool
put_certificate(const struct outcome *o, struct buf *out)
{
	bool ok;
	size_t i;

	ok = record_num(out, "generation", o->generation) &&
	     record_span(out, "id", buf_span(&o->id));
	for (i = 0; i < COUNT(texts) && ok; i++)
		ok = record_text(out, texts[i].key, text_of(o, texts[i].at));
	for (i = 0; i < COUNT(digits) && ok; i++)
		ok = record_text(
		    out, digits[i].key, (const char *)o + digits[i].at);
	for (i = 0; i < COUNT(times) && ok; i++)
		ok = record_time(out, times[i].key, time_of(o, times[i].at));
	if (ok && o->registered != 0)
		ok = record_time(out, "registered", o->registered);
	return ok && pem_put(out, "CERTIFICATE", buf_span(&o->cert));
}

/* Of the other kinds: who, why and when, as far as there is any. */
static bool
put_decided(const struct outcome *o, struct buf *out)
{
	return record_text(out, "by", o->by) &&
	       record_text(out, "why", o->why) &&
	       record_text(out, "csr", *o->csr ? o->csr : NULL) &&
	       (o->kind != OUTCOME_REFUSED ||
		   record_num(out, "fail", o->fail)) &&
	       (o->issued == 0 || record_time(out, "time", o->issued));
}

/*
 * What says whose outcome it is, and which code paid: for a certificate, or
 * for the CA's no.
 */
static bool
put_head(struct buf *out, enum outcome_kind kind, const char *transaction,
    unsigned attempt, const char *code)
{
	return buf_printf(out,
		   "[outcome]\nkind = %s\ntransaction = %s\nattempt = %u\n",
		   kinds[kind], transaction, attempt) &&
	       record_text(out, "code", code);
}

/* What its reader would not take must not be linked. */
enum err
outcome_text(const struct outcome *o, struct buf *out)
{
	bool ok;

	ok = put_head(out, o->kind, o->transaction, o->attempt, o->code);
	if (ok)
		ok = o->kind == OUTCOME_CERTIFICATE ? put_certificate(o, out) :
						      put_decided(o, out);
	if (ok && out->len > MAX_RECORD) {
		log_error("the outcome of transaction %s is over %d bytes",
		    o->transaction, MAX_RECORD);
		return ERR_TOOBIG;
	}
	return ok ? OK : ERR_SYSTEM;
}

static enum err
get_text(const struct record *r, size_t i, struct outcome *o)
{
	const char *value = record_get(r, texts[i].key);
	char *copy;

	if (value == NULL)
		return texts[i].must ? ERR_INPUT : OK;
	copy = str_dup(value);
	memcpy((char *)o + texts[i].at, &copy, sizeof(copy));
	return copy == NULL ? ERR_SYSTEM : OK;
}

static enum err
get_certificate(const struct record *r, struct outcome *o)
{
	struct span id = record_get_span(r, "id");
	const char *code = record_get(r, "code");
	int64_t n = 0;
	enum err e = OK;
	size_t i;

	if (record_get_num(r, "generation", &n) != OK || n < 1 || n > INT_MAX)
		return ERR_INPUT;
	o->generation = (unsigned)n;
	if (code != NULL && (o->code = str_dup(code)) == NULL)
		return ERR_SYSTEM;
	if (!buf_add(&o->id, id.p, id.len))
		return ERR_SYSTEM;
	for (i = 0; i < COUNT(texts) && e == OK; i++)
		e = get_text(r, i, o);
	for (i = 0; i < COUNT(digits) && e == OK; i++)
		e = record_digits(r, digits[i].key, digits[i].least,
		    digits[i].most, (char *)o + digits[i].at);
	for (i = 0; i < COUNT(times) && e == OK; i++) {
		if (record_get_time(r, times[i].key, &n) != OK)
			return ERR_INPUT;
		memcpy((char *)o + times[i].at, &n, sizeof(n));
	}
	if (e == OK &&
	    record_get_time(r, "registered", &o->registered) == ERR_INPUT)
		return ERR_INPUT;
	return e == OK ? pem_get(buf_span(&r->pem), "CERTIFICATE", &o->cert) :
			 e;
}

static enum err
get_decided(const struct record *r, struct outcome *o)
{
	const char *by = record_get(r, "by"), *why = record_get(r, "why");
	const char *code = record_get(r, "code");
	bool person = o->kind == OUTCOME_DENIED;
	int64_t fail = 0;

	if (o->kind == OUTCOME_REFUSED &&
	    (record_get_num(r, "fail", &fail) != OK || fail < 0 || fail > 4))
		return ERR_INPUT;
	o->fail = (unsigned)fail;
	if (record_get(r, "csr") != NULL &&
	    record_digits(r, "csr", 64, 64, o->csr) != OK)
		return ERR_INPUT;
	if (by == NULL && (person || o->kind == OUTCOME_PASSED))
		return ERR_INPUT;
	if (person && record_get_time(r, "time", &o->issued) != OK)
		return ERR_INPUT;
	o->by = str_dup(by);
	o->why = str_dup(why);
	o->code = str_dup(code);
	return (by == NULL || o->by != NULL) &&
		       (why == NULL || o->why != NULL) &&
		       (code == NULL || o->code != NULL) ?
		   OK :
		   ERR_SYSTEM;
}

static enum err
get_outcome(const struct record *r, struct outcome *o)
{
	const char *kind = record_get(r, "kind");
	int64_t n = 0;
	int k;

	for (k = 0; k < OUTCOME__MAX; k++) {
		if (kind != NULL && strcmp(kind, kinds[k]) == 0)
			break;
	}
	if (k == OUTCOME__MAX)
		return ERR_INPUT;
	o->kind = (enum outcome_kind)k;
	if (record_get_num(r, "attempt", &n) != OK || n < 1 || n > INT_MAX)
		return ERR_INPUT;
	o->attempt = (unsigned)n;
	if (record_digits(r, "transaction", 64, 64, o->transaction) != OK)
		return ERR_INPUT;
	return o->kind == OUTCOME_CERTIFICATE ? get_certificate(r, o) :
						get_decided(r, o);
}

enum err
outcome_read(const struct store *st, const char *path, struct outcome *out)
{
	struct outcome o = OUTCOME_INIT;
	struct record r = { 0 };
	enum err e;

	e = store_read(st, path, "outcome", &r);
	if (e != OK)
		goto out;
	e = get_outcome(&r, &o);
	if (e == ERR_INPUT) {
		log_error("%s: a line is missing or not what it must be", path);
		e = ERR_SYSTEM;
	}
	if (e != OK)
		goto out;
	*out = o;
	o = (struct outcome)OUTCOME_INIT;
out:
	outcome_release(&o);
	record_release(&r);
	return e;
}

/* The first lines are our own text, so the usual answer parses nothing. */
static bool
begins_with(const struct store *st, const char *path, const struct buf *head)
{
	struct buf there = BUF_INIT;
	bool same;

	same = file_read_head(st->root, path, head->len, &there) == OK &&
	       span_eq(buf_span(&there), buf_span(head));
	buf_release(&there);
	return same;
}

enum err
outcome_payer(const struct store *st, const struct claim *claim,
    const char *code, enum payer *out)
{
	struct outcome o = OUTCOME_INIT;
	struct buf path = BUF_INIT, head = BUF_INIT;
	enum err e;

	*out = PAYER_IT;
	e = outcome_path(st, claim->transaction, claim->attempt, &path);
	if (e == OK && !put_head(&head, OUTCOME_CERTIFICATE, claim->transaction,
			   claim->attempt, code))
		e = ERR_SYSTEM;
	if (e != OK || begins_with(st, buf_cstr(&path), &head))
		goto out;
	e = outcome_read(st, buf_cstr(&path), &o);
	if (e != OK)
		goto out;
	if (strcmp(o.transaction, claim->transaction) != 0 ||
	    o.attempt != claim->attempt) {
		log_error("%s belongs to another transaction", buf_cstr(&path));
		e = ERR_SYSTEM;
	} else if (o.code == NULL || strcmp(o.code, code) != 0) {
		*out = PAYER_OTHER;
	}
out:
	outcome_release(&o);
	buf_release(&path);
	buf_release(&head);
	return e;
}
