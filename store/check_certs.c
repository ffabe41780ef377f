#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/names.h"
#include "store/cert.h"
#include "store/check.h"
#include "store/onetime.h"
#include "store/waiting.h"

/* Outcomes and their second names in cert/; check_rooms.c walks there. */

/* The serial number as we name it: two digits a byte, lower case. */
static bool
serial_is(const X509 *x, const char *serial)
{
	BIGNUM *bn = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
	unsigned char bytes[32];
	char text[2 * sizeof(bytes) + 1] = "";
	int n;

	n = bn == NULL ? 0 : BN_num_bytes(bn);
	if (n > 0 && n <= (int)sizeof(bytes) && !BN_is_negative(bn)) {
		(void)BN_bn2bin(bn, bytes);
		hex_text(bytes, (size_t)n, text);
	}
	BN_free(bn);
	return strcmp(text, serial) == 0;
}

static bool
time_is(const ASN1_TIME *t, int64_t want)
{
	return ASN1_TIME_cmp_time_t(t, (time_t)want) == 0;
}

/* NULL: the certificate parses to its end and is what its record says. */
static const char *
certificate_wrong(const struct outcome *o)
{
	const unsigned char *p = o->cert.data;
	const char *wrong = NULL;
	X509 *x;

	x = d2i_X509(NULL, &p, (long)o->cert.len);
	if (x == NULL || p != o->cert.data + o->cert.len)
		wrong = "its certificate does not parse; restore it";
	else if (!serial_is(x, o->serial))
		wrong = "its certificate has another serial number; restore it";
	else if (!time_is(X509_get0_notBefore(x), o->not_before) ||
		 !time_is(X509_get0_notAfter(x), o->not_after))
		wrong = "its certificate has another validity; restore it";
	X509_free(x);
	ERR_clear_error();
	return wrong;
}

bool
check_same(const struct check *c, const char *a, const char *b)
{
	struct buf x = BUF_INIT, y = BUF_INIT;
	bool same;

	same = file_read(c->st->root, a, MAX_RECORD, &x) == OK &&
	       file_read(c->st->root, b, MAX_RECORD, &y) == OK &&
	       span_eq(buf_span(&x), buf_span(&y));
	buf_release(&x);
	buf_release(&y);
	return same;
}

/* Its second name, which repair makes again. */
static enum err
check_second(struct check *c, const char *path, const struct outcome *o)
{
	struct buf cert = BUF_INIT;
	bool fixed;
	enum err e;

	e = cert_path(c->st, o->ca, o->generation, o->serial, &cert);
	if (e != OK)
		goto out;
	e = file_exists(c->st->root, buf_cstr(&cert));
	if (e == ERR_NOTFOUND && o->issued <= c->now - YOUNG) {
		fixed = c->repair &&
			cert_rooms(c->st, o->ca, o->generation) == OK &&
			outcome_publish(c->st, o) == OK;
		check_mended(
		    c, path, "has no name in cert/; repair links it", fixed);
	}
	if (e == ERR_NOTFOUND)
		e = OK;
out:
	buf_release(&cert);
	return e;
}

/* A request that `alias rename` moved was paid for under its former name. */
static bool
was_moved(const struct check *c, const struct outcome *o)
{
	struct waiting w = WAITING_INIT;
	bool yes;

	yes = waiting_find(c->st, o->transaction, o->attempt, &w) == OK &&
	      w.moved != NULL;
	waiting_release(&w);
	return yes;
}

/* While its code is there, so is the claim that paid (STORE.md, Care). */
static enum err
check_paid(struct check *c, const char *path, const struct outcome *o)
{
	struct onetime once = ONETIME_INIT;
	struct code own = { 0 };
	const struct code *code = &own;
	enum err e;

	if (o->entity == NULL || o->code == NULL)
		return OK;
	e = code_find(c->st, o->entity, o->code, &own);
	if (e == ERR_NOTFOUND) {
		e = onetime_get(c->st, o->code, &once);
		code = &once.code;
	}
	if (e == OK)
		e = claim_find(c->st, code, o->transaction, o->attempt);
	else if (e == ERR_NOTFOUND || e == ERR_SYSTEM)
		e = OK; /* retired; or damage, told where it lies */
	if (e == ERR_NOTFOUND && !was_moved(c, o))
		check_damage(c, path,
		    code->onetime ?
			"its code does not know that it paid; `scep challenge "
			"delete` ends that code" :
			"its code does not know that it paid; `scep entity "
			"setpwd` ends that code");
	onetime_release(&once);
	code_release(&own);
	return e == ERR_NOTFOUND ? OK : e;
}

/* "<transaction>,<attempt>,outcome" with a neighbour before it. */
static bool
check_attempt(struct check *c, const char *path, const struct outcome *o)
{
	struct buf own = BUF_INIT;
	bool ok;

	ok = outcome_path(c->st, o->transaction, o->attempt, &own) == OK &&
	     strcmp(buf_cstr(&own), path) == 0;
	if (!ok) {
		check_damage(c, path,
		    "is another attempt's outcome, or has a name that the "
		    "store does not give; move it away");
		goto out;
	}
	buf_clear(&own);
	if (o->attempt > 1 &&
	    outcome_path(c->st, o->transaction, o->attempt - 1, &own) == OK &&
	    file_exists(c->st->root, buf_cstr(&own)) == ERR_NOTFOUND)
		check_damage(c, path,
		    "the attempt before it is missing; restore it, for until "
		    "then this one is not seen");
out:
	buf_release(&own);
	return ok;
}

/* The mark of a held certificate: beside its outcome, and nobody else's. */
static enum err
check_released(struct check *c, const char *path)
{
	struct claim whose = { .attempt = 0 };
	struct buf own = BUF_INIT, outcome = BUF_INIT;
	enum err e = released_read(c->st, path, &whose);

	if (e != OK) {
		if (e != ERR_NOTFOUND)
			check_damage(c, path,
			    "cannot be read, and keeps its certificate back; "
			    "restore it, or remove it: then the judge is told "
			    "once more");
		return OK;
	}
	e = released_path(c->st, whose.transaction, whose.attempt, &own);
	if (e == OK)
		e = outcome_path(
		    c->st, whose.transaction, whose.attempt, &outcome);
	if (e != OK)
		goto out;
	if (strcmp(buf_cstr(&own), path) != 0)
		check_damage(c, path,
		    "is another attempt's mark, or has a name that the store "
		    "does not give; move it away");
	else if (file_exists(c->st->root, buf_cstr(&outcome)) == ERR_NOTFOUND)
		check_damage(c, path, "its outcome is missing; restore it");
out:
	buf_release(&own);
	buf_release(&outcome);
	return e;
}

enum err
check_transaction(const char *path, void *check)
{
	struct check *c = check;
	struct outcome o = OUTCOME_INIT;
	struct file_facts facts;
	const char *wrong;
	enum err e = OK;

	if (!check_facts(c, path, FILE_REGULAR, &facts))
		return OK;
	if (is_released_name(path))
		return check_released(c, path);
	if (!is_outcome_name(path))
		return check_request(path, c);
	e = outcome_read(c->st, path, &o);
	if (e != OK) {
		if (e != ERR_NOTFOUND)
			check_damage(c, path, "cannot be read; restore it");
		return OK;
	}
	if (!check_attempt(c, path, &o))
		goto out;
	if (o.kind != OUTCOME_CERTIFICATE) {
		e = check_decided(c, path, &o);
		goto out;
	}
	wrong = certificate_wrong(&o);
	if (wrong != NULL) {
		check_damage(c, path, wrong);
		goto out;
	}
	e = check_second(c, path, &o);
	if (e == OK)
		e = check_paid(c, path, &o);
	if (e == OK)
		e = check_renewal(c, path, &o);
	if (e == OK)
		e = check_listed(c, &o);
out:
	outcome_release(&o);
	return e;
}

enum err
check_cert(const char *path, void *check)
{
	struct check *c = check;
	struct outcome o = OUTCOME_INIT;
	struct buf own = BUF_INIT;
	struct file_facts facts;
	enum err e;

	if (!check_facts(c, path, FILE_REGULAR, &facts))
		return OK;
	e = outcome_read(c->st, path, &o);
	if (e != OK) {
		if (e != ERR_NOTFOUND)
			check_damage(c, path, "cannot be read; restore it");
		goto out;
	}
	if (o.kind == OUTCOME_CERTIFICATE)
		e = cert_path(c->st, o.ca, o.generation, o.serial, &own);
	if (e != OK || strcmp(buf_cstr(&own), path) != 0) {
		check_damage(c, path,
		    "is another certificate, or has a name that the store "
		    "does not give; move it away");
		goto out;
	}
	buf_clear(&own);
	if (outcome_path(c->st, o.transaction, o.attempt, &own) != OK)
		goto out;
	if (!check_same(c, path, buf_cstr(&own)))
		check_damage(c, path,
		    "is not the outcome of its transaction; restore that");
out:
	outcome_release(&o);
	buf_release(&own);
	return OK;
}
