#include "message/signed.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "base/limits.h"
#include "base/log.h"
#include "ca/pubkey.h"
#include "message/set.h"

/* The digest stands apart from an RSA key, is the key's own with Ed25519. */
static bool
verify_init(EVP_MD_CTX *ctx, const struct scheme *how, EVP_PKEY *pkey)
{
	const EVP_MD *md = NULL;
	EVP_PKEY_CTX *pctx; /* ctx owns it */

	if (how->key != KEY_EDDSA && (md = digest_md(how->digest)) == NULL)
		return false;
	if (EVP_DigestVerifyInit(ctx, &pctx, md, NULL, pkey) != 1)
		return false;
	return !how->pss ||
	       (EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) ==
		       1 &&
		   EVP_PKEY_CTX_set_rsa_mgf1_md(pctx, md) == 1 &&
		   EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, (int)how->salt) == 1);
}

enum err
check_signature(const struct check *c, bool *good)
{
	EVP_MD_CTX *ctx = NULL;
	EVP_PKEY *pkey = NULL;
	enum key_type type;
	unsigned bits;
	enum err e;

	*good = false;
	if ((e = pubkey_look(c->spki, &type, &bits)) != OK)
		return e;
	if (type != c->how.key)
		return ERR_REFUSED;
	ERR_set_mark();
	if ((e = pubkey_read(c->spki, &pkey)) != OK)
		goto out;
	e = ERR_CRYPTO;
	if ((ctx = EVP_MD_CTX_new()) == NULL ||
	    !verify_init(ctx, &c->how, pkey)) {
		log_openssl(
		    "checking a signature with %s", digest_name(c->how.digest));
		goto out;
	}
	*good = EVP_DigestVerify(ctx, c->signature.p, c->signature.len,
		    c->data.p, c->data.len) == 1;
	e = OK;
out:
	ERR_pop_to_mark();
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return e;
}

/*
 * Signed attributes travel under [0] and are signed as a SET OF in DER order
 * (RFC 5652 5.4).  Some senders do not sort: what they signed is either the
 * bytes as they stand, or the sorted ones (C-46).
 */
enum err
signer_verify(const struct signer *signer, struct span spki,
    const struct scheme *how, bool *good)
{
	struct check c = { spki, *how, { NULL, 0 }, signer->value };
	struct span attrs = signer->attrs, body;
	struct buf received = BUF_INIT, sorted = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (!der_one(attrs, DER_NESTED, &body))
		return ERR_INPUT;
	if (!buf_byte(&received, DER_SET) ||
	    !buf_add(&received, attrs.p + 1, attrs.len - 1))
		goto out;
	c.data = buf_span(&received);
	if ((e = check_signature(&c, good)) != OK || *good)
		goto out;
	if ((e = set_sort(body, MAX_ATTRIBUTES, &sorted)) != OK)
		goto out;
	c.data = buf_span(&sorted);
	if (!span_eq(c.data, buf_span(&received)))
		e = check_signature(&c, good);
out:
	buf_release(&received);
	buf_release(&sorted);
	return e;
}
