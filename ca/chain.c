#include "ca/chain.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include "ca/cert.h"
#include "ca/dn.h"
#include "ca/pubkey.h"

bool
cert_signed_by(struct span cert, struct span spki)
{
	const unsigned char *p = cert.p;
	EVP_PKEY *pkey = NULL;
	X509 *x = NULL;
	bool good = false;

	if (pubkey_read(spki, &pkey) != OK)
		return false;
	ERR_set_mark();
	x = d2i_X509(NULL, &p, (long)cert.len);
	good = x != NULL && X509_verify(x, pkey) == 1;
	ERR_pop_to_mark();
	X509_free(x);
	EVP_PKEY_free(pkey);
	return good;
}

/* The issuer of v among the candidates; NULL if it is not there. */
static const struct buf *
find_issuer(const struct cert_view *v, const struct buf *candidate, size_t n,
    struct cert_view *issuer)
{
	for (size_t i = 0; i < n; i++)
		if (cert_view(buf_span(&candidate[i]), issuer) == OK &&
		    issuer->ca && dn_eq(issuer->subject, v->issuer) &&
		    cert_signed_by(v->der, issuer->spki))
			return &candidate[i];
	return NULL;
}

void
chain_build(
    struct span cert, const struct buf *candidate, size_t n, struct chain *out)
{
	const struct buf *found;
	struct cert_view v, issuer;

	out->n = 0;
	out->whole = false;
	if (cert_view(cert, &v) != OK)
		return;
	while (!v.self_signed && out->n < MAX_CERTS &&
	       (found = find_issuer(&v, candidate, n, &issuer)) != NULL) {
		out->issuer[out->n++] = *found;
		v = issuer;
	}
	out->whole = v.self_signed;
}
