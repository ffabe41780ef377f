#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/limits.h"
#include "base/time.h"
#include "store/check.h"

/* Revocations, their news, and CRLs. */

#define STRANGE "has a name that the store does not give; move it away"
#define YOUNG	((int64_t)60) /* seconds in which a change may be half done */

/* --- revocations ----------------------------------------------------------- */

/*
 * The version before: a bridge that was not made is made; what else is
 * missing hides this version from who looks for it by number.
 */
static void
check_before(struct check *c, const char *path, const struct revocation *r)
{
	struct revocation was;
	bool held, fixed;

	if (r->n == 1 || revoked_read(c->st, &c->by, r->serial, r->n - 1,
			     &was) != ERR_NOTFOUND)
		return;
	held = r->n > 2 && r->n % 2 == 1 &&
	       revoked_read(c->st, &c->by, r->serial, r->n - 2, &was) == OK &&
	       was.reason == REASON_HOLD;
	if (!held) {
		check_damage(c, path,
		    "the version before it is missing; restore it, for until "
		    "then this one is not seen");
		return;
	}
	if (r->written > c->now - YOUNG)
		return;
	fixed = c->repair &&
		revoked_bridge(c->st, &c->by, r->serial, r->n - 1) == OK;
	check_mended(c, path,
	    "the version between it and the hold before is missing; repair "
	    "makes it",
	    fixed);
}

enum err
check_revoked(const char *path, void *check)
{
	struct check *c = check;
	struct buf own = BUF_INIT;
	struct revocation r, next;
	struct file_facts facts;
	char serial[41];
	unsigned n = 0;
	enum err e;

	if (!check_facts(c, path, FILE_REGULAR, &facts))
		return OK;
	if (!revoked_name(store_base(path), serial, &n) ||
	    revoked_path(c->st, &c->by, serial, n, &own) != OK ||
	    strcmp(buf_cstr(&own), path) != 0) {
		check_damage(c, path, STRANGE);
		goto out;
	}
	e = revoked_read(c->st, &c->by, serial, n, &r);
	if (e != OK && e != ERR_NOTFOUND)
		check_damage(c, path,
		    "cannot be read; restore it, for until then no CRL can be "
		    "issued");
	if (e != OK)
		goto out;
	check_before(c, path, &r);
	if (r.bridge && revoked_read(c->st, &c->by, serial, n + 1, &next) != OK)
		check_damage(
		    c, path, "the version behind it is missing; restore it");
out:
	buf_release(&own);
	return OK;
}

enum err
check_news(const char *path, void *check)
{
	struct check *c = check;
	struct revocation r;
	struct file_facts facts;
	char serial[41];
	unsigned n = 0;
	bool fixed;

	if (!check_facts(c, path, FILE_CLAIM, &facts))
		return OK;
	if (!revoked_name(store_base(path), serial, &n)) {
		check_damage(c, path, STRANGE);
		return OK;
	}
	if (facts.mtime > c->now - DAY ||
	    revoked_read(c->st, &c->by, serial, n, &r) != ERR_NOTFOUND)
		return OK;
	fixed = c->repair && file_unlink(c->st->root, path) == OK;
	check_litter(c, path,
	    "announces a revocation that never came; repair removes it", fixed);
	return OK;
}

/* --- is it shown? ----------------------------------------------------------- */

static bool
on_newest(const struct check *c, const char *serial)
{
	X509_REVOKED *entry = NULL;
	ASN1_INTEGER *number = NULL;
	BIGNUM *bn = NULL;
	bool on = false;

	if (BN_hex2bn(&bn, serial) > 0 &&
	    (number = BN_to_ASN1_INTEGER(bn, NULL)) != NULL)
		on = X509_CRL_get0_by_serial(c->newest, &entry, number) != 0;
	ASN1_INTEGER_free(number);
	BN_free(bn);
	return on;
}

static bool
is_news(const struct check *c, const struct revocation *r)
{
	struct buf path = BUF_INIT;
	bool there;

	there = generation_room("revoked", c->by.ca, c->by.generation, &path) ==
		    OK &&
		buf_printf(&path, "/new/%s,%u", r->serial, r->n) &&
		file_exists(c->st->root, buf_cstr(&path)) == OK;
	buf_release(&path);
	return there;
}

/* What had expired when the newest CRL was made may have left the CRLs. */
static bool
may_be_off(const struct check *c, const struct revocation *r)
{
	return r->not_after != 0 &&
	       ASN1_TIME_cmp_time_t(X509_CRL_get0_lastUpdate(c->newest),
		   (time_t)r->not_after) > 0;
}

/*
 * A hint that was lost, with a backup perhaps, would hide a revocation until
 * the next CRL is due.
 */
static enum err
shown_one(const struct revocation *r, void *arg)
{
	struct check *c = arg;
	struct buf path = BUF_INIT;
	uint64_t number = 0;
	bool fixed;
	enum err e;

	if (may_be_off(c, r) || on_newest(c, r->serial) == (r->n % 2 == 1) ||
	    is_news(c, r))
		return OK;
	e = crls_highest(c->st, &c->by, &number);
	if (e != OK || number != c->number) /* a newer one has it */
		return e;
	fixed = c->repair && revoked_announce(c->st, &c->by, r) == OK;
	e = revoked_path(c->st, &c->by, r->serial, r->n, &path);
	if (e == OK)
		check_mended(c, buf_cstr(&path),
		    "the newest CRL does not show it, and new/ does not tell; "
		    "repair announces it",
		    fixed);
	buf_release(&path);
	return e;
}

enum err
check_shown(struct check *c)
{
	enum err e = revoked_each(c->st, &c->by, shown_one, c);

	/* A record that cannot be read was told where it lies. */
	return e == ERR_SYSTEM ? OK : e;
}

/* --- CRLs -------------------------------------------------------------------- */

/* NULL: the file is the CRL of that number. */
static const char *
crl_wrong(const struct buf *der, uint64_t number)
{
	const unsigned char *p = der->data;
	ASN1_INTEGER *own = NULL;
	const char *wrong = NULL;
	uint64_t n = 0;
	X509_CRL *crl;

	crl = d2i_X509_CRL(NULL, &p, (long)der->len);
	if (crl != NULL)
		own = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
	if (crl == NULL || p != der->data + der->len)
		wrong = "does not parse; restore it";
	else if (own == NULL || ASN1_INTEGER_get_uint64(&n, own) != 1 ||
		 n != number)
		wrong = "is the CRL of another number; restore it";
	ASN1_INTEGER_free(own);
	X509_CRL_free(crl);
	ERR_clear_error();
	return wrong;
}

static void
check_number(struct check *c, const char *path, uint64_t number)
{
	struct buf der = BUF_INIT;
	const char *wrong;
	uint64_t highest = 0;

	if (file_read(c->st->root, path, MAX_CRL, &der) != OK) {
		check_damage(c, path, "cannot be read; restore it");
		goto out;
	}
	wrong = crl_wrong(&der, number);
	if (wrong == NULL && number > c->number &&
	    crls_highest(c->st, &c->by, &highest) == OK && number > highest)
		wrong = "a number before it is missing; restore it, for until "
			"then this one is not seen";
	if (wrong != NULL)
		check_damage(c, path, wrong);
out:
	buf_release(&der);
}

/* "above,<k>": a number, and without gaps. */
static void
check_above(struct check *c, const char *path, const char *tail)
{
	struct buf word = BUF_INIT, before = BUF_INIT;
	struct file_facts facts;
	uint64_t number;
	unsigned k = 0;

	if (!check_facts(c, path, FILE_CLAIM, &facts))
		goto out;
	if (!read_number(tail, &k) || k == 0)
		check_damage(c, path, STRANGE);
	else if (file_claim_read(c->st->root, path, &word) != OK ||
		 !crl_number_read(buf_cstr(&word), &number))
		check_damage(c, path, "is not a number; restore it");
	else if (k > 1 &&
		 buf_printf(
		     &before, "%.*s%u", (int)(tail - path), path, k - 1) &&
		 file_exists(c->st->root, buf_cstr(&before)) == ERR_NOTFOUND)
		check_damage(c, path,
		    "the one before it is missing; "
		    "restore it");
out:
	buf_release(&word);
	buf_release(&before);
}

/* A mark that no CRL could be signed in some hour. */
static void
check_warned(struct check *c, const char *path)
{
	struct file_facts facts;
	bool fixed;

	if (!check_facts(c, path, FILE_REGULAR, &facts) ||
	    facts.mtime > c->now - DAY)
		return;
	fixed = c->repair && file_unlink(c->st->root, path) == OK;
	check_litter(c, path,
	    "says that no CRL could be signed in that hour; repair removes it",
	    fixed);
}

enum err
check_crl(const char *path, void *check)
{
	static const char above[] = "above,", warned[] = "warned,";
	struct check *c = check;
	const char *name = store_base(path);
	size_t len = strlen(name);
	struct file_facts facts;
	char number[24] = "";
	uint64_t n = 0;

	if (strncmp(name, above, sizeof(above) - 1) == 0) {
		check_above(c, path, name + sizeof(above) - 1);
		return OK;
	}
	if (strncmp(name, warned, sizeof(warned) - 1) == 0) {
		check_warned(c, path);
		return OK;
	}
	if (len > 4 && len - 4 < sizeof(number) &&
	    strcmp(name + len - 4, ".crl") == 0)
		memcpy(number, name, len - 4);
	if (!check_facts(c, path, FILE_REGULAR, &facts))
		return OK;
	if (!crl_number_read(number, &n) || n == 0)
		check_damage(c, path, STRANGE);
	else
		check_number(c, path, n);
	return OK;
}
