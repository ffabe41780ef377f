#include "store/code.h"

#include <openssl/evp.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "store/inside.h"

/*
 * Recoverable codes: beside its hash such a code keeps itself, encrypted with
 * AES-256-GCM under $SCEP_HOME/seal.key.  That key is not part of the store,
 * so a copy of the store alone tells no code (C-97).
 */
#define SEAL_KEY "seal.key"
#define KEY_LEN	 32
#define NONCE	 12
#define TAG	 16

/*
 * The home is above store/, which is opened without following links; it may
 * be another file system, so temporary names are made there too.
 */
static enum err
home_open(const struct store *st, int *home)
{
	return dir_open(st->root, "..", home);
}

enum err
code_sealing(const struct store *st)
{
	int home = -1;
	enum err e;

	if ((e = home_open(st, &home)) == OK)
		e = file_exists(home, SEAL_KEY);
	file_close(&home);
	return e;
}

/* 64 hex digits and a newline. */
static enum err
key_read(int home, uint8_t key[KEY_LEN])
{
	struct buf text = BUF_SECRET, bytes = BUF_SECRET;
	enum err e;

	if ((e = file_read(home, SEAL_KEY, 2 * KEY_LEN + 2, &text)) != OK)
		goto out;
	while (text.len > 0 && text.data[text.len - 1] == '\n')
		text.data[--text.len] = '\0';
	if (hex_read(buf_cstr(&text), &bytes) != OK || bytes.len != KEY_LEN) {
		log_error("%s is not the key that sealed the codes", SEAL_KEY);
		e = ERR_SYSTEM;
		goto out;
	}
	memcpy(key, bytes.data, KEY_LEN);
out:
	buf_release(&text);
	buf_release(&bytes);
	return e;
}

static enum err
key_load(const struct store *st, uint8_t key[KEY_LEN])
{
	int home = -1;
	enum err e;

	if ((e = home_open(st, &home)) == OK)
		e = key_read(home, key);
	file_close(&home);
	return e;
}

/* The first who needs it makes it; all others take that one. */
static enum err
key_make(const struct store *st, uint8_t key[KEY_LEN])
{
	struct buf text = BUF_SECRET;
	int home = -1;
	enum err e;

	if ((e = home_open(st, &home)) != OK ||
	    (e = key_read(home, key)) != ERR_NOTFOUND)
		goto out;
	if ((e = random_bytes(key, KEY_LEN)) != OK)
		goto out;
	e = ERR_SYSTEM;
	if (buf_hex(&text, key, KEY_LEN) && buf_byte(&text, '\n'))
		e = file_create_once(
		    home, home, SEAL_KEY, buf_span(&text), FILE_KEY, true);
	if (e == OK || e == ERR_EXISTS)
		e = key_read(home, key);
out:
	buf_release(&text);
	file_close(&home);
	return e;
}

/* The code's id is bound in: no record can carry another's secret. */
static bool
cipher_start(EVP_CIPHER_CTX *ctx, const uint8_t *key, const uint8_t *nonce,
    const struct code *c, bool encrypt)
{
	static EVP_CIPHER *gcm; /* kept until the process ends */
	int n = 0;

	if (gcm == NULL)
		gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	return ctx != NULL && gcm != NULL &&
	       EVP_CipherInit_ex2(ctx, gcm, key, nonce, encrypt, NULL) == 1 &&
	       EVP_CipherUpdate(
		   ctx, NULL, &n, (const uint8_t *)c->id, CODE_ID - 1) == 1;
}

/* nonce, ciphertext, tag */
static bool
encrypt(const uint8_t *key, const struct code *c, struct span secret,
    struct buf *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, rest = 0;
	bool good;

	good = buf_reserve(out, NONCE + secret.len + TAG) &&
	       random_bytes(out->data, NONCE) == OK &&
	       cipher_start(ctx, key, out->data, c, true) &&
	       EVP_CipherUpdate(ctx, out->data + NONCE, &n, secret.p,
		   (int)secret.len) == 1 &&
	       EVP_CipherFinal_ex(ctx, out->data + NONCE + n, &rest) == 1 &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG,
		   out->data + NONCE + secret.len) == 1;
	if (good)
		out->len = NONCE + secret.len + TAG;
	EVP_CIPHER_CTX_free(ctx);
	return good;
}

static bool
decrypt(const uint8_t *key, const struct code *c, struct buf *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	size_t len = c->sealed.len - NONCE - TAG;
	uint8_t *in = c->sealed.data, tag[TAG];
	int n = 0, rest = 0;
	bool good;

	memcpy(tag, in + NONCE + len, TAG);
	good =
	    buf_reserve(out, len + 1) && cipher_start(ctx, key, in, c, false) &&
	    EVP_CipherUpdate(ctx, out->data, &n, in + NONCE, (int)len) == 1 &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, tag) == 1 &&
	    EVP_CipherFinal_ex(ctx, out->data + n, &rest) == 1;
	if (good) {
		out->len = len;
		out->data[len] = '\0';
	}
	EVP_CIPHER_CTX_free(ctx);
	return good;
}

enum err
code_seal(const struct store *st, struct code *c, struct span secret)
{
	uint8_t key[KEY_LEN];
	enum err e;

	if ((e = key_make(st, key)) == OK &&
	    !encrypt(key, c, secret, &c->sealed)) {
		log_openssl("sealing a code");
		e = ERR_CRYPTO;
	}
	wipe(key, sizeof(key));
	return e;
}

enum err
code_reveal(const struct store *st, const struct code *c, struct buf *secret)
{
	uint8_t key[KEY_LEN];
	enum err e;

	secret->secret = true;
	if (c->form != CODE_SEALED)
		return ERR_NOTFOUND;
	if ((e = key_load(st, key)) == ERR_NOTFOUND) {
		log_error("%s is gone: recoverable codes cannot be read "
			  "without it",
		    SEAL_KEY);
		e = ERR_SYSTEM;
	}
	if (e == OK && !decrypt(key, c, secret)) {
		log_openssl("%s does not open the code %s", SEAL_KEY, c->id);
		e = ERR_SYSTEM;
	}
	wipe(key, sizeof(key));
	return e;
}

bool
code_sealed_read(const char *hex, struct code *c)
{
	return hex != NULL && hex_read(hex, &c->sealed) == OK &&
	       c->sealed.len > NONCE + TAG &&
	       c->sealed.len <= NONCE + TAG + MAX_CHALLENGE;
}
