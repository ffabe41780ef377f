#include "ca/tbs_own.h"

#include <string.h>

#include "base/limits.h"
#include "ca/attr.h"
#include "ca/der.h"

#define DER_URI (DER_CONTEXT + 6) /* GeneralName */

/* The growing list of an extension, and its last step: it goes in. */
static enum err
add(X509_EXTENSIONS *list, struct span oid, const struct buf *body)
{
	struct buf value = BUF_INIT;
	struct extension ext = { .oid = oid };
	enum err e = ERR_SYSTEM;

	if (der_put(&value, DER_SEQUENCE, buf_span(body))) {
		ext.value = buf_span(&value);
		e = tbs_add(list, &ext);
	}
	buf_release(&value);
	return e;
}

static bool
put_oid(struct buf *out, const char *dotted)
{
	uint8_t oid[MAX_OID];
	size_t len = 0;

	return oid_read(dotted, oid, &len) &&
	       der_put(out, DER_OID, span_of(oid, len));
}

static bool
put_text(struct buf *out, uint8_t tag, const char *text)
{
	return der_put(out, tag, span_of(text, strlen(text)));
}

/*
 * One DistributionPoint: several URIs are several places of the same CRL
 * (RFC 5280 4.2.1.13).
 */
static enum err
add_crl(X509_EXTENSIONS *list, const struct issue *in)
{
	static const uint8_t fullname = DER_NESTED, point = DER_NESTED;
	struct buf uris = BUF_INIT, names = BUF_INIT, dp = BUF_INIT;
	struct buf body = BUF_INIT;
	bool good = true;
	enum err e = OK;

	if (in->crl == NULL || in->crl[0] == NULL)
		goto out;
	for (size_t i = 0; good && in->crl[i] != NULL; i++)
		good = put_text(&uris, DER_URI, in->crl[i]);
	e = ERR_SYSTEM;
	if (good && der_put(&names, fullname, buf_span(&uris)) &&
	    der_put(&dp, point, buf_span(&names)) &&
	    der_put(&body, DER_SEQUENCE, buf_span(&dp)))
		e = add(list, DER_BYTES("\x55\x1d\x1f"), &body);
out:
	buf_release(&uris);
	buf_release(&names);
	buf_release(&dp);
	buf_release(&body);
	return e;
}

/* AccessDescriptions of one method. */
static bool
put_access(struct buf *out, struct span method, const char *const *url)
{
	struct buf one = BUF_INIT;
	bool good = true;

	for (; good && url != NULL && *url != NULL; url++) {
		buf_clear(&one);
		good = der_put(&one, DER_OID, method) &&
		       put_text(&one, DER_URI, *url) &&
		       der_put(out, DER_SEQUENCE, buf_span(&one));
	}
	buf_release(&one);
	return good;
}

static enum err
add_aia(X509_EXTENSIONS *list, const struct issue *in)
{
	const struct span aia = DER_BYTES("\x2b\x06\x01\x05\x05\x07\x01\x01");
	struct buf body = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (put_access(&body, DER_BYTES("\x2b\x06\x01\x05\x05\x07\x30\x01"),
		in->ocsp) &&
	    put_access(&body, DER_BYTES("\x2b\x06\x01\x05\x05\x07\x30\x02"),
		in->issuers))
		e = body.len == 0 ? OK : add(list, aia, &body);
	buf_release(&body);
	return e;
}

/* PolicyInformation, with a cPSuri where there is one. */
static bool
put_policy(struct buf *out, const struct policy *policy)
{
	struct buf info = BUF_INIT, cps = BUF_INIT, seq = BUF_INIT;
	bool good = put_oid(&info, policy->oid);

	if (good && policy->cps != NULL) {
		good = put_oid(&cps, "1.3.6.1.5.5.7.2.1") &&
		       put_text(&cps, DER_IA5, policy->cps) &&
		       der_put(&seq, DER_SEQUENCE, buf_span(&cps)) &&
		       der_put(&info, DER_SEQUENCE, buf_span(&seq));
	}
	good = good && der_put(out, DER_SEQUENCE, buf_span(&info));
	buf_release(&info);
	buf_release(&cps);
	buf_release(&seq);
	return good;
}

static enum err
add_policies(X509_EXTENSIONS *list, const struct issue *in)
{
	struct buf body = BUF_INIT;
	bool good = true;
	enum err e = OK;

	if (in->npolicies == 0)
		return OK;
	for (size_t i = 0; good && i < in->npolicies; i++)
		good = put_policy(&body, &in->policy[i]);
	e = good ? add(list, DER_BYTES("\x55\x1d\x20"), &body) : ERR_SYSTEM;
	buf_release(&body);
	return e;
}

/* A positive INTEGER, as few bytes as DER wants. */
static bool
put_number(struct buf *out, uint32_t n)
{
	uint8_t b[5] = { 0, (uint8_t)(n >> 24), (uint8_t)(n >> 16),
		(uint8_t)(n >> 8), (uint8_t)n };
	size_t skip = 0;

	while (skip < 4 && b[skip] == 0 && (b[skip + 1] & 0x80) == 0)
		skip++;
	return der_put(out, DER_INTEGER, span_of(b + skip, 5 - skip));
}

/* CertificateTemplate of [MS-WCCE] 2.2.2.7.7.2. */
static enum err
add_template(X509_EXTENSIONS *list, const struct mstemplate *t)
{
	const struct span oid =
	    DER_BYTES("\x2b\x06\x01\x04\x01\x82\x37\x15\x07");
	struct buf body = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (put_oid(&body, t->oid) && put_number(&body, t->major) &&
	    put_number(&body, t->minor))
		e = add(list, oid, &body);
	buf_release(&body);
	return e;
}

/* The older form: the template's name alone, a BMPString. */
static enum err
add_template_name(X509_EXTENSIONS *list, const char *name)
{
	struct extension ext = { .oid = DER_BYTES("\x2b\x06\x01\x04\x01\x82\x37"
						  "\x14\x02") };
	struct buf bmp = BUF_INIT, value = BUF_INIT;
	bool good = true;
	enum err e = ERR_SYSTEM;

	for (; good && *name != '\0'; name++)
		good = buf_byte(&bmp, 0) && buf_byte(&bmp, (uint8_t)*name);
	if (good && der_put(&value, DER_BMP, buf_span(&bmp))) {
		ext.value = buf_span(&value);
		e = tbs_add(list, &ext);
	}
	buf_release(&bmp);
	buf_release(&value);
	return e;
}

enum err
tbs_add_profile(X509_EXTENSIONS *list, const struct issue *in)
{
	const struct mstemplate *t = in->template;
	enum err e;

	if ((e = add_crl(list, in)) != OK || (e = add_aia(list, in)) != OK ||
	    (e = add_policies(list, in)) != OK)
		return e;
	if (t != NULL && t->oid != NULL && (e = add_template(list, t)) != OK)
		return e;
	if (t != NULL && t->name != NULL &&
	    (e = add_template_name(list, t->name)) != OK)
		return e;
	for (size_t i = 0; i < in->ncopied; i++)
		if ((e = tbs_add(list, &in->copied[i])) != OK)
			return e;
	return OK;
}

/* C-193: once each, and critical only what everybody must understand. */
static const char *
bad_copy(const struct issue *in, size_t i)
{
	const struct extension *ext = &in->copied[i];
	const char *why;

	if (ext->oid.len == 0 || ext->oid.len > MAX_OID)
		return "an extension without a type";
	if ((why = extension_denied(ext->oid)) != NULL ||
	    (why = extension_bad_value(ext)) != NULL)
		return why;
	if (ext->critical)
		return "a copied extension that is critical";
	for (size_t k = 0; k < i; k++)
		if (span_eq(in->copied[k].oid, ext->oid))
			return "an extension twice";
	return NULL;
}

const char *
tbs_bad_profile(const struct issue *in)
{
	const char *why = NULL;
	uint8_t oid[MAX_OID];
	size_t len = 0;

	if (in->ncopied > MAX_EXTENSIONS)
		return "too many extensions";
	for (size_t i = 0; i < in->ncopied && why == NULL; i++)
		why = bad_copy(in, i);
	for (size_t i = 0; i < in->npolicies && why == NULL; i++)
		if (!oid_read(in->policy[i].oid, oid, &len) ||
		    span_eq(span_of(oid, len), OID_ANY_POLICY))
			why = "anyPolicy, or no policy at all";
	return why;
}
