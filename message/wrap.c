#include "message/envelope.h"

#include <openssl/rsa.h>

#include "base/log.h"
#include "ca/pubkey.h"
#include "message/set.h"

/* encryptedContentInfo, with a fresh IV. */
static enum err
encrypt(const struct wrap *how, const uint8_t *key, struct span content,
    struct buf *out)
{
	const struct cipher_kind *kind = cipher_of(how->cipher);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	struct buf sealed = BUF_INIT, alg = BUF_INIT, info = BUF_INIT;
	uint8_t iv[EVP_MAX_IV_LENGTH];
	int n = 0, rest = 0;
	enum err e;

	if ((e = random_bytes(iv, kind->block)) != OK)
		goto out;
	e = ERR_SYSTEM;
	if (!buf_reserve(&sealed, content.len + kind->block))
		goto out;
	if (ctx == NULL || content.len > MAX_BODY ||
	    EVP_EncryptInit_ex2(ctx, cipher_evp(how->cipher), key, iv, NULL) !=
		1 ||
	    EVP_EncryptUpdate(
		ctx, sealed.data, &n, content.p, (int)content.len) != 1 ||
	    EVP_EncryptFinal_ex(ctx, sealed.data + n, &rest) != 1) {
		log_openssl("encrypting with %s", kind->name);
		e = ERR_CRYPTO;
		goto out;
	}
	sealed.len = (size_t)n + (size_t)rest;
	if (der_put(&alg, DER_OID, kind->oid) &&
	    der_put(&alg, DER_OCTETS, span_of(iv, kind->block)) &&
	    der_put(&info, DER_OID, oid_data) &&
	    der_put(&info, DER_SEQUENCE, buf_span(&alg)) &&
	    der_put(&info, DER_CONTEXT, buf_span(&sealed)) &&
	    der_put(out, DER_SEQUENCE, buf_span(&info)))
		e = OK;
out:
	EVP_CIPHER_CTX_free(ctx);
	buf_release(&sealed);
	buf_release(&alg);
	buf_release(&info);
	return e;
}

static bool
transport_init(EVP_PKEY_CTX *ctx, enum transport how)
{
	const EVP_MD *md;

	if (EVP_PKEY_encrypt_init(ctx) != 1)
		return false;
	if (how == TRANSPORT_V15)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) ==
		       1;
	md = digest_md(transport_digest(how));
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) == 1 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1;
}

/* The content key, encrypted to the signer's key. */
static enum err
transport_key(
    const struct wrap *how, const uint8_t *key, size_t len, struct buf *out)
{
	EVP_PKEY_CTX *ctx = NULL;
	EVP_PKEY *pkey = NULL;
	size_t n = 0;
	enum err e = ERR_CRYPTO;

	if (pubkey_read(how->spki, &pkey) != OK ||
	    (ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL)) == NULL ||
	    !transport_init(ctx, how->transport) ||
	    EVP_PKEY_encrypt(ctx, NULL, &n, key, len) != 1)
		goto out;
	if (!buf_reserve(out, n)) {
		e = ERR_SYSTEM;
		goto out;
	}
	if (EVP_PKEY_encrypt(ctx, out->data, &n, key, len) == 1) {
		out->len = n;
		e = OK;
	}
out:
	if (e == ERR_CRYPTO)
		log_openssl("encrypting to a signer's key");
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return e;
}

/* KeyTransRecipientInfo, version 0: issuer and serial (C-78, C-81). */
static bool
recipient_write(const struct wrap *how, struct span block, struct buf *out)
{
	struct buf sid = BUF_INIT, body = BUF_INIT;
	bool good;

	good = buf_add(&sid, how->issuer.p, how->issuer.len) &&
	       der_put(&sid, DER_INTEGER, how->serial) &&
	       der_put(&body, DER_INTEGER, DER_BYTES("\0")) &&
	       der_put(&body, DER_SEQUENCE, buf_span(&sid)) &&
	       transport_write(how->transport, &body) &&
	       der_put(&body, DER_OCTETS, block) &&
	       der_put(out, DER_SEQUENCE, buf_span(&body));
	buf_release(&sid);
	buf_release(&body);
	return good;
}

static enum err
key_recipient(
    const struct wrap *how, const uint8_t *key, size_t len, struct buf *out)
{
	struct buf block = BUF_INIT;
	enum err e;

	if ((e = transport_key(how, key, len, &block)) == OK &&
	    !recipient_write(how, buf_span(&block), out))
		e = ERR_SYSTEM;
	buf_release(&block);
	return e;
}

/* The content's cipher wraps its key; single DES never does. */
static enum cipher
kek_of(enum cipher content)
{
	return content == CIPHER_DES ? CIPHER_AES128 : content;
}

static bool
content_info(struct buf *body, struct buf *out)
{
	struct buf info = BUF_INIT;
	bool good;

	good = der_wrap(body, DER_SEQUENCE) && der_wrap(body, DER_NESTED) &&
	       der_put(&info, DER_OID, oid_enveloped) &&
	       buf_add(&info, body->data, body->len) &&
	       der_put(out, DER_SEQUENCE, buf_span(&info));
	buf_release(&info);
	return good;
}

enum err
envelope_wrap(const struct wrap *how, struct span content, struct buf *out)
{
	bool secret = how->secret.len > 0;
	struct buf body = BUF_INIT, to = BUF_INIT;
	size_t len = cipher_of(how->cipher)->key;
	uint8_t key[32];
	enum err e;

	if ((e = random_bytes(key, len)) != OK)
		goto out;
	if (secret)
		e = pwri_wrap(kek_of(how->cipher), how->secret, key, len, &to);
	else
		e = key_recipient(how, key, len, &to);
	if (e != OK)
		goto out;
	e = ERR_SYSTEM;
	if (!der_put(&body, DER_INTEGER,
		secret ? DER_BYTES("\3") : DER_BYTES("\0")) || /* C-81 */
	    !der_put(&body, DER_SET, buf_span(&to)))
		goto out;
	if ((e = encrypt(how, key, content, &body)) == OK &&
	    !content_info(&body, out))
		e = ERR_SYSTEM;
out:
	wipe(key, sizeof(key));
	buf_release(&body);
	buf_release(&to);
	return e;
}
