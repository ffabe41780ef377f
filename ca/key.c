#include "ca/key_own.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/limits.h"
#include "base/log.h"
#include "ca/pubkey.h"

/* The private number, for the secret alone. */
static bool
private_bytes(const struct key *key, struct buf *out)
{
	const char *name = key->type == KEY_RSA ? OSSL_PKEY_PARAM_RSA_D :
						  OSSL_PKEY_PARAM_PRIV_KEY;
	BIGNUM *d = NULL;
	size_t len;
	bool good = false;

	if (EVP_PKEY_get_bn_param(key->pkey, name, &d) != 1)
		return false;
	/* a fixed width: the number's own length is nobody's business */
	len = (size_t)(EVP_PKEY_get_bits(key->pkey) + 7) / 8;
	if (buf_reserve(out, len) &&
	    BN_bn2binpad(d, out->data + out->len, (int)len) == (int)len) {
		out->len += len;
		good = true;
	}
	BN_clear_free(d);
	return good;
}

/*
 * The secret must not be guessable without the key and must be the same in
 * every process that holds it, so that a repeated bad block always meets the
 * same content key (C-168).
 */
static bool
derive_secret(struct key *key)
{
	static const char label[] = "scep implicit rejection 1";
	struct buf in = BUF_SECRET;
	bool good;

	good = buf_add(&in, label, sizeof(label)) && private_bytes(key, &in) &&
	       sha256(buf_span(&in), key->secret) == OK;
	buf_release(&in);
	return good;
}

static bool
read_modulus(struct key *key)
{
	BIGNUM *n = NULL;
	size_t len;
	bool good = false;

	if (EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_RSA_N, &n) != 1)
		return false;
	len = (size_t)BN_num_bytes(n);
	if (buf_reserve(&key->modulus, len)) {
		BN_bn2bin(n, key->modulus.data);
		key->modulus.len = len;
		good = true;
	}
	BN_free(n);
	return good;
}

/* RSA, or EC on a curve that pubkey.h knows: what can be a CA's key. */
static enum err
read_public(const char *where, struct key *key)
{
	struct buf spki = BUF_INIT;
	enum err e;

	if ((e = key_spki(key, &spki)) != OK)
		goto out;
	e = pubkey_look(buf_span(&spki), &key->type, &key->bits);
	if (e != OK || key->type == KEY_EDDSA) {
		log_error("%s: this type of key cannot be a CA's here: use "
			  "RSA (512 to %d bits) or EC on P-256, P-384, P-521",
		    where, MAX_RSA);
		e = ERR_REFUSED;
	}
out:
	buf_release(&spki);
	return e;
}

enum err
key_wrap(const char *where, EVP_PKEY *pkey, struct key **out)
{
	struct key *key = calloc(1, sizeof(*key));
	enum err e;

	if (key == NULL) {
		log_error("out of memory");
		EVP_PKEY_free(pkey);
		return ERR_SYSTEM;
	}
	key->pkey = pkey;
	if ((e = read_public(where, key)) != OK)
		goto out;
	if ((key->type == KEY_RSA && !read_modulus(key)) ||
	    !derive_secret(key)) {
		log_openssl("%s: reading the numbers of the key", where);
		e = ERR_CRYPTO;
		goto out;
	}
	*out = key;
	key = NULL;
out:
	key_close(key);
	return e;
}

enum err
key_public(const char *where, struct span spki, struct key **out)
{
	struct key *key = calloc(1, sizeof(*key));
	enum err e;

	if (key == NULL) {
		log_error("out of memory");
		return ERR_SYSTEM;
	}
	key->elsewhere = true;
	if ((e = pubkey_read(spki, &key->pkey)) != OK)
		log_error("%s: its public key is unreadable, or of a type that "
			  "no CA has here",
		    where);
	else
		e = read_public(where, key);
	if (e == OK && key->type == KEY_RSA && !read_modulus(key))
		e = ERR_CRYPTO;
	if (e == OK) {
		*out = key;
		key = NULL;
	}
	key_close(key);
	return e;
}

bool
key_elsewhere(const struct key *key)
{
	return key->elsewhere;
}

enum err
key_here(const struct key *key)
{
	if (!key->elsewhere)
		return OK;
	log_error("the private key of this CA is on another host, which alone "
		  "can do that; this one is its external RA");
	return ERR_REFUSED;
}

/* PEM's question for a passphrase; never asks a terminal. */
static int
passphrase_give(char *buf, int size, int writing, void *arg)
{
	const struct span *pass = arg;

	(void)writing;
	if (pass->len == 0 || size < 0 || pass->len > (size_t)size)
		return -1;
	memcpy(buf, pass->p, pass->len);
	return (int)pass->len;
}

enum err
key_read(const char *where, struct span pem, struct span passphrase,
    struct key **out)
{
	BIO *bio = NULL;
	EVP_PKEY *pkey = NULL;
	enum err e = ERR_INPUT;

	if (pem.len > MAX_PEM) {
		log_error("%s: too large for a key", where);
		return ERR_TOOBIG;
	}
	if (pem.len > 0)
		bio = BIO_new_mem_buf(pem.p, (int)pem.len);
	if (bio != NULL)
		pkey = PEM_read_bio_PrivateKey(
		    bio, NULL, passphrase_give, &passphrase);
	BIO_free(bio);
	if (pkey == NULL)
		log_openssl("%s: no private key in PEM form that can be read%s",
		    where,
		    passphrase.len > 0 ? ", or a wrong passphrase" :
					 " without a passphrase");
	else
		e = key_wrap(where, pkey, out);
	return e;
}

void
key_close(struct key *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_free(key->pkey);
	buf_release(&key->modulus);
	wipe(key, sizeof(*key));
	free(key);
}

enum key_type
key_type(const struct key *key)
{
	return key->type;
}

unsigned
key_bits(const struct key *key)
{
	return key->bits;
}

enum err
key_spki(const struct key *key, struct buf *spki)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key->pkey, &der);
	enum err e = ERR_CRYPTO;

	if (len <= 0)
		log_openssl("writing a public key");
	else
		e = buf_add(spki, der, (size_t)len) ? OK : ERR_SYSTEM;
	OPENSSL_free(der);
	return e;
}

bool
key_fits(const struct key *key, struct span spki)
{
	EVP_PKEY *other = NULL;
	bool fits;

	if (pubkey_read(spki, &other) != OK)
		return false;
	ERR_set_mark();
	fits = EVP_PKEY_eq(key->pkey, other) == 1;
	ERR_pop_to_mark();
	EVP_PKEY_free(other);
	return fits;
}

/* AES-256 and PBKDF2 where there is a passphrase. */
static enum err
write_pem(EVP_PKEY *pkey, struct span pass, struct buf *pem)
{
	BIO *bio = BIO_new(BIO_s_mem()); /* wipes its memory */
	const EVP_CIPHER *cipher = pass.len > 0 ? EVP_aes_256_cbc() : NULL;
	const char *text = pass.len > 0 ? (const char *)pass.p : NULL;
	char *out = NULL;
	enum err e = ERR_CRYPTO;
	long len;

	pem->secret = true;
	if (bio == NULL || PEM_write_bio_PKCS8PrivateKey(bio, pkey, cipher,
			       text, (int)pass.len, NULL, NULL) != 1)
		log_openssl("writing a private key");
	else if ((len = BIO_get_mem_data(bio, &out)) > 0)
		e = buf_add(pem, out, (size_t)len) ? OK : ERR_SYSTEM;
	BIO_free(bio);
	return e;
}

enum err
key_pem(const struct key *key, struct span passphrase, struct buf *pem)
{
	enum err e = key_here(key);

	return e == OK ? write_pem(key->pkey, passphrase, pem) : e;
}

enum err
key_generate(const char *kind, struct buf *pem)
{
	EVP_PKEY *pkey = NULL;
	char *end = NULL;
	unsigned long bits = 0;
	enum err e = ERR_CRYPTO;

	if (strncmp(kind, "rsa:", 4) == 0 && isdigit((unsigned char)kind[4]))
		bits = strtoul(kind + 4, &end, 10);
	if (end != NULL && *end == '\0' && bits >= 2048 && bits <= MAX_RSA &&
	    bits % 8 == 0) {
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);
	} else if (strcmp(kind, "ec:P-256") == 0 ||
		   strcmp(kind, "ec:P-384") == 0) {
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind + 3);
	} else {
		log_error("no such kind of key: %s; rsa:2048 to rsa:%d, "
			  "ec:P-256 or ec:P-384",
		    kind, MAX_RSA);
		return ERR_INPUT;
	}
	if (pkey == NULL)
		log_openssl("making a key (%s)", kind);
	else
		e = write_pem(pkey, span_of(NULL, 0), pem);
	EVP_PKEY_free(pkey);
	return e;
}

void
key_kind(const struct key *key, char out[KEY_KIND_TEXT])
{
	unsigned bits = key->bits / 8 * 8;

	if (key->type != KEY_RSA)
		(void)snprintf(out, KEY_KIND_TEXT, "ec:%s",
		    key->bits > 256 ? "P-384" : "P-256");
	else
		(void)snprintf(
		    out, KEY_KIND_TEXT, "rsa:%u", bits < 2048 ? 2048 : bits);
}
