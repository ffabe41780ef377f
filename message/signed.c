#include "message/signed.h"

#include "base/limits.h"
#include "ca/dn.h"

/* ContentInfo with the type given: what stands in its [0]. */
static bool
content_info(struct span der, struct span *body)
{
	struct span seq, oid, inner;

	return der_one(der, DER_SEQUENCE, &seq) &&
	       der_get(&seq, DER_OID, &oid) && span_eq(oid, oid_signed) &&
	       der_one(seq, DER_NESTED, &inner) &&
	       der_one(inner, DER_SEQUENCE, body);
}

/* Versions 1 and 3 are all that clients write (C-43). */
static bool
version_read(struct span *in)
{
	struct span v;

	return der_get(in, DER_INTEGER, &v) && v.len == 1 &&
	       (v.p[0] == 1 || v.p[0] == 3);
}

static bool
sid_read(struct span *in, struct signer *s)
{
	struct span seq;
	struct der name;

	if (der_get(in, DER_CONTEXT, &s->ski))
		return s->ski.len > 0;
	if (!der_get(in, DER_SEQUENCE, &seq) || !der_next(&seq, &name) ||
	    name.tag != DER_SEQUENCE)
		return false;
	s->issuer = name.whole;
	return der_get(&seq, DER_INTEGER, &s->serial) && s->serial.len > 0 &&
	       seq.len == 0;
}

/* Attributes without a signature count as absent (C-66). */
static bool
signer_read(struct span in, struct signer *s)
{
	struct span unsigned_attrs;
	struct der attrs;

	if (!version_read(&in) || !sid_read(&in, s) ||
	    !alg_read(&in, &s->digest) || !der_next(&in, &attrs) ||
	    attrs.tag != DER_NESTED)
		return false;
	s->attrs = attrs.whole;
	if (!alg_read(&in, &s->signature) ||
	    !der_get(&in, DER_OCTETS, &s->value))
		return false;
	(void)der_get(&in, DER_NESTED + 1, &unsigned_attrs);
	return in.len == 0;
}

static bool
encap_read(struct span *in, struct signed_data *sd)
{
	struct span seq, inner;

	if (!der_get(in, DER_SEQUENCE, &seq) ||
	    !der_get(&seq, DER_OID, &sd->type))
		return false;
	if (seq.len == 0)
		return true;
	return der_one(seq, DER_NESTED, &inner) &&
	       der_one(inner, DER_OCTETS, &sd->content);
}

static const char *
certs_check(struct span certs)
{
	struct der cert;
	size_t n = 0;

	while (certs.len > 0) {
		if (!der_next(&certs, &cert))
			return "certificates are unreadable";
		if (++n > MAX_CERTS)
			return "too many certificates";
	}
	return NULL;
}

enum err
signed_read(struct span der, struct signed_data *out, const char **why)
{
	struct span in, algs, crls, signers, one;

	*out = (struct signed_data){ .type = { NULL, 0 } };
	*why = "not a SignedData";
	if (!content_info(der, &in) || !version_read(&in) ||
	    !der_get(&in, DER_SET, &algs) || !encap_read(&in, out))
		return ERR_INPUT;
	(void)der_get(&in, DER_NESTED, &out->certs);
	(void)der_get(&in, DER_NESTED + 1, &crls);
	if (!der_one(in, DER_SET, &signers))
		return ERR_INPUT;
	if ((*why = certs_check(out->certs)) != NULL)
		return ERR_INPUT;
	*why = "not exactly one SignerInfo";
	if (!der_get(&signers, DER_SEQUENCE, &one) || signers.len > 0)
		return ERR_INPUT;
	*why = "the SignerInfo is unreadable";
	if (!signer_read(one, &out->signer))
		return ERR_INPUT;
	*why = NULL;
	return OK;
}

/* Clients write names anew, with other string types (C-83). */
bool
issuer_eq(struct span a, struct span b)
{
	return span_eq(a, b) || dn_eq(a, b);
}

static bool
is_signer(const struct signer *s, const struct cert_view *cert)
{
	if (s->ski.len > 0)
		return span_eq(s->ski, cert->ski);
	return span_eq(s->serial, cert->serial) &&
	       issuer_eq(s->issuer, cert->issuer);
}

enum err
signer_find(const struct signed_data *sd, struct cert_view *out)
{
	struct span certs = sd->certs;
	struct cert_view view;
	struct der cert;

	while (der_next(&certs, &cert))
		if (cert_view(cert.whole, &view) == OK &&
		    is_signer(&sd->signer, &view)) {
			*out = view;
			return OK;
		}
	return ERR_NOTFOUND;
}
