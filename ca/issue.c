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

/* C-186: never longer than the CA's, never before it began. */
static enum err
times(const struct generation *gen, const struct profile *profile, int64_t now,
    struct issued *out)
{
	char from[TIME_TEXT], until[TIME_TEXT];

	if (now < gen->not_before || now >= gen->not_after) {
		time_text(gen->not_before, from);
		time_text(gen->not_after, until);
		log_error("nothing is issued: the CA certificate is valid "
			  "from %s to %s",
		    from, until);
		return ERR_REFUSED;
	}
	out->not_before = now - profile->backdate;
	if (out->not_before < gen->not_before)
		out->not_before = gen->not_before;
	out->not_after = gen->not_after;
	if (profile->validity < gen->not_after - now)
		out->not_after = now + profile->validity;
	return OK;
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
	enum key_type type = KEY_RSA;
	unsigned bits = 0;
	enum err e;

	if ((e = times(gen, profile, now, &made)) != OK)
		return e;
	if (pubkey_look(leaf->spki, &type, &bits) != OK) {
		log_error("nothing is issued: unreadable public key");
		return ERR_REFUSED;
	}
	if ((e = serial_random(serial, sizeof(serial))) != OK)
		return e;
	struct issue in = {
		.issuer = gen->subject,
		.authority = gen->ski,
		.subject = leaf->subject,
		.spki = leaf->spki,
		.san = leaf->san,
		.serial = span_of(serial, sizeof(serial)),
		.not_before = made.not_before,
		.not_after = made.not_after,
		.usage =
		    type == KEY_RSA ? profile->usage_rsa : profile->usage_ec,
		.eku = profile->eku,
		.transaction = leaf->transaction,
	};
	if ((e = key_issue(gen->key, &in, &made.der)) != OK ||
	    (e = proof_read(leaf, &made)) != OK) {
		issued_release(&made);
		return e;
	}
	hex_text(serial, sizeof(serial), made.serial);
	*out = made;
	return OK;
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
