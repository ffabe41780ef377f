#include "ca/ca.h"

#include "base/log.h"
#include "base/names.h"
#include "base/time.h"
#include "ca/cert.h"
#include "ca/dn.h"
#include "ca/profile.h"
#include "ca/pubkey.h"
#include "ca/tbs.h"

#define SERIAL_BYTES 16 /* 127 random bits (C-183) */

/* One that is ahead issues what begins with it (C-129). */
static enum err
check_ca(const struct generation *gen, int64_t now)
{
	char until[TIME_TEXT];

	if (now < gen->not_after)
		return OK;
	time_text(gen->not_after, until);
	log_error("nothing is issued: the CA certificate ended at %s", until);
	return ERR_REFUSED;
}

static enum err
shape(const struct profile *profile, const struct generation *gen,
    const struct leaf *leaf, int64_t now, struct shape *out)
{
	const char *why = NULL;
	enum err e = profile_shape(profile, gen, leaf, now, out, &why);

	if (e == ERR_REFUSED)
		log_error("nothing is issued: %s", why);
	return e;
}

/*
 * Reads what was signed once more, by our own walk: d2i_X509() would cost as
 * much as the signature.  Nobody gets a certificate that does not say what
 * was asked for.
 */
static enum err
proof_read(const struct leaf *leaf, const struct issued *made)
{
	const char *why = "it does not say what was asked for";
	struct cert_view v;
	enum err e;

	if (cert_view(buf_span(&made->der), &v) == OK &&
	    span_eq(v.subject, leaf->subject) && span_eq(v.spki, leaf->spki) &&
	    !v.ca && v.not_before == made->not_before &&
	    v.not_after == made->not_after &&
	    (e = dn_check(v.subject, &why)) != ERR_INPUT)
		return e;
	log_error("transaction %s: the certificate that was built is not "
		  "good: %s",
	    leaf->transaction, why);
	return ERR_CRYPTO;
}

enum err
ca_issue(const struct generation *gen, const struct profile *profile,
    const struct leaf *leaf, int64_t now, struct issued *out)
{
	struct issued made = { .der = BUF_INIT };
	uint8_t serial[SERIAL_BYTES] = { 0 };
	struct shape s;
	enum err e;

	shape_init(&s);
	if ((e = check_ca(gen, now)) != OK ||
	    (e = shape(profile, gen, leaf, now, &s)) != OK ||
	    (e = serial_random(serial, sizeof(serial))) != OK)
		goto out;
	struct issue in = {
		.issuer = gen->subject,
		.authority = gen->ski,
		.subject = leaf->subject,
		.spki = leaf->spki,
		.san = leaf->san,
		.serial = span_of(serial, sizeof(serial)),
		.not_before = s.not_before,
		.not_after = s.not_after,
		.usage = s.usage,
		.eku = s.eku,
		.transaction = leaf->transaction,
		.crl = s.url[URL_CRL],
		.issuers = s.url[URL_ISSUER],
		.ocsp = s.url[URL_OCSP],
		.policy = profile->policy,
		.npolicies = profile->npolicies,
		.template = &profile->template,
		.copied = s.copied,
		.ncopied = s.ncopied,
	};
	made.not_before = s.not_before;
	made.not_after = s.not_after;
	if ((e = key_issue(gen->key, &in, &made.der)) != OK ||
	    (e = proof_read(leaf, &made)) != OK)
		goto out;
	hex_text(serial, sizeof(serial), made.serial);
	*out = made;
	made.der = (struct buf)BUF_INIT;
out:
	shape_release(&s);
	issued_release(&made);
	return e;
}

void
issued_release(struct issued *i)
{
	buf_release(&i->der);
}

enum err
fingerprint(struct span der, enum fingerprint kind, struct buf *text)
{
	static const enum digest digest[] = {
		[FP_SHA256] = DIGEST_SHA256,
		[FP_SHA1] = DIGEST_SHA1,
		[FP_MD5] = DIGEST_MD5,
	};
	const EVP_MD *md = digest_md(digest[kind]);
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (md == NULL || EVP_Digest(der.p, der.len, hash, &n, md, NULL) != 1) {
		log_openssl("fingerprint");
		return ERR_CRYPTO;
	}
	for (unsigned i = 0; i < n; i++)
		if (!buf_printf(text, "%s%02X", i > 0 ? ":" : "", hash[i]))
			return ERR_SYSTEM;
	return OK;
}
