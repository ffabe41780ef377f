#include "message/csr.h"

#include "message/ber.h"
#include "message/decoy.h"
#include "message/signed.h"

void
csr_init(struct csr *csr)
{
	*csr = (struct csr){ .der = BUF_SECRET, .challenge = BUF_SECRET };
}

void
csr_release(struct csr *csr)
{
	buf_release(&csr->der);
	buf_release(&csr->challenge);
	csr_init(csr);
}

/* 0 by RFC 2986; Apple writes 2 (C-108). */
static bool
version_read(struct span *in)
{
	struct span v;

	return der_get(in, DER_INTEGER, &v) && v.len == 1 && v.p[0] <= 2;
}

static bool
take(struct span *in, uint8_t tag, struct span *whole)
{
	struct der d;

	if (der_tag(*in) != tag || !der_next(in, &d))
		return false;
	*whole = d.whole;
	return true;
}

/* certificationRequestInfo; the attributes may be left out (C-109). */
static bool
info_read(struct span in, struct csr *csr, struct span *attributes)
{
	*attributes = span_of(NULL, 0);
	if (!version_read(&in) || !take(&in, DER_SEQUENCE, &csr->subject) ||
	    !take(&in, DER_SEQUENCE, &csr->spki))
		return false;
	return in.len == 0 || der_one(in, DER_NESTED, attributes);
}

static bool
outer_read(struct span der, struct csr_check *check)
{
	struct span seq, bits;
	struct alg alg;

	if (!der_one(der, DER_SEQUENCE, &seq) ||
	    !take(&seq, DER_SEQUENCE, &check->info) || !alg_read(&seq, &alg) ||
	    !der_one(seq, DER_BITS, &bits) || bits.len < 2 || bits.p[0] != 0)
		return false;
	check->signature = span_of(bits.p + 1, bits.len - 1);
	/* rsaEncryption names no digest: here there is no other place */
	check->supported =
	    scheme_read(&alg, &check->how) &&
	    (check->how.key == KEY_EDDSA || check->how.digest != DIGEST__MAX);
	return true;
}

enum err
csr_scan(
    struct span in, struct csr *csr, struct csr_check *check, const char **why)
{
	struct span body, attributes;
	struct ber ber;
	enum err e;

	*check = (struct csr_check){ .all = in };
	if ((e = ber_read(in, &ber, why)) != OK)
		goto out;
	check->used = ber.used;
	e = ERR_SYSTEM;
	if (!buf_add(&csr->der, ber.der.p, ber.der.len))
		goto out;
	if ((e = sha256_hex(buf_span(&csr->der), csr->digest)) != OK)
		goto out;
	*why = "not a PKCS#10";
	e = ERR_INPUT;
	if (!outer_read(buf_span(&csr->der), check) ||
	    !der_one(check->info, DER_SEQUENCE, &body) ||
	    !info_read(body, csr, &attributes))
		goto out;
	*why = "the PKCS#10's attributes are unreadable";
	if ((e = csr_attributes(attributes, csr, check)) == OK)
		*why = NULL;
	if (check->rule == NULL && csr->subject.len > MAX_SUBJECT)
		check->rule = "the subject is too large";
out:
	ber_release(&ber);
	return e;
}

/*
 * Under the signer's key: the request's signature where it can be one of
 * this key, else one of ours that never is good.
 */
static enum err
verify_by_signer(const struct csr *csr, const struct csr_check *check,
    bool readable, const struct csr_signer *by, bool *good)
{
	bool named =
	    readable && check->supported && check->how.key == by->how.key;
	bool real = named && by->same &&
		    signature_fits(by->spki, by->how.key, check->signature);
	struct check c = { .spki = by->spki,
		.how = named ? check->how : by->how,
		.data = readable ? check->info : check->all };
	uint8_t digest[SHA256_LEN];
	struct buf decoy = BUF_INIT;
	enum err e;

	/* a readable request had its digest taken */
	if (csr->digest[0] == '\0' && (e = sha256(c.data, digest)) != OK)
		return e;
	e = decoy_signature(by->spki, by->how.key, &decoy);
	if (e != OK)
		goto out;
	c.signature = real ? check->signature : buf_span(&decoy);
	e = check_signature(&c, good);
	*good = *good && real;
out:
	buf_release(&decoy);
	return e;
}

enum err
csr_verify(const struct csr *csr, const struct csr_check *check, bool readable,
    const struct csr_signer *by, bool *good)
{
	struct check c = { .spki = csr->spki,
		.how = check->how,
		.data = check->info,
		.signature = check->signature };
	enum err e = ERR_INPUT;

	*good = false;
	if (readable && check->supported && !by->same)
		e = check_signature(&c, good);
	if (e != ERR_INPUT && e != ERR_REFUSED)
		return e;
	if (by->spki.len == 0)
		return OK;
	return verify_by_signer(csr, check, readable, by, good);
}

enum err
csr_read(struct span der, struct csr *out, bool *verified, const char **reason)
{
	const struct csr_signer nobody = { .same = false };
	struct csr_check check;
	enum err e;

	*verified = false;
	csr_init(out);
	if ((e = csr_scan(der, out, &check, reason)) != OK)
		goto out;
	e = ERR_INPUT;
	if (!ber_tail(der, check.used)) {
		*reason = "bytes behind the PKCS#10";
		goto out;
	}
	if ((*reason = check.rule) != NULL)
		goto out;
	e = csr_verify(out, &check, true, &nobody, verified);
out:
	if (e != OK)
		csr_release(out);
	return e;
}
