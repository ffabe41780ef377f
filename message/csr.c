#include "message/csr.h"

#include "message/ber.h"
#include "message/signed.h"

/*
 * The key that stands in: 2048 bits, a modulus nobody has factors of or uses.
 * Its signatures are never taken for good.
 */
#define DECOY_BYTES 256

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

static bool
decoy_spki(struct buf *out)
{
	uint8_t n[1 + DECOY_BYTES];
	struct buf key = BUF_INIT, bits = BUF_INIT;
	bool good;

	memset(n, 0xa5, sizeof(n)); /* 2048 bits, odd */
	n[0] = 0;
	good = der_put(&key, DER_INTEGER, span_of(n, sizeof(n))) &&
	       der_put(&key, DER_INTEGER, DER_BYTES("\x01\x00\x01")) &&
	       buf_byte(&bits, 0) &&
	       der_put(&bits, DER_SEQUENCE, buf_span(&key));
	buf_clear(&key);
	good = good &&
	       der_put(&key, DER_SEQUENCE,
		   DER_BYTES("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
			     "\x05\x00")) &&
	       der_put(&key, DER_BITS, buf_span(&bits)) &&
	       der_put(out, DER_SEQUENCE, buf_span(&key));
	buf_release(&key);
	buf_release(&bits);
	return good;
}

/* All that a readable request costs: its digest, its key, its signature. */
static enum err
decoy_verify(const struct csr *csr, struct span data)
{
	uint8_t digest[SHA256_LEN];
	struct check c = { .how = { .key = KEY_RSA, .digest = DIGEST_SHA256 },
		.data = data };
	uint8_t signature[DECOY_BYTES];
	struct buf spki = BUF_INIT;
	bool good;
	enum err e;

	if (csr->digest[0] == '\0' && (e = sha256(data, digest)) != OK)
		return e;
	e = ERR_SYSTEM;
	memset(signature, 0x5a, sizeof(signature));
	if (decoy_spki(&spki)) {
		c.spki = buf_span(&spki);
		c.signature = span_of(signature, sizeof(signature));
		e = check_signature(&c, &good);
	}
	buf_release(&spki);
	return e;
}

enum err
csr_verify(const struct csr *csr, const struct csr_check *check, bool readable,
    bool *good)
{
	struct check c = { .spki = csr->spki,
		.how = check->how,
		.data = check->info,
		.signature = check->signature };
	enum err e = ERR_INPUT;

	*good = false;
	if (readable && check->supported)
		e = check_signature(&c, good);
	if (e == ERR_INPUT || e == ERR_REFUSED)
		e = decoy_verify(csr, check->all);
	return e;
}

enum err
csr_read(struct span der, struct csr *out, bool *verified, const char **reason)
{
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
	e = csr_verify(out, &check, true, verified);
out:
	if (e != OK)
		csr_release(out);
	return e;
}
