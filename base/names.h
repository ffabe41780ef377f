#ifndef BASE_NAMES_H
#define BASE_NAMES_H

#include "base/buf.h"
#include "base/err.h"

#define SHA256_LEN 32
#define SHA256_HEX 65 /* with NUL */

/*
 * A file name for any text (STORE.md, Names): [A-Za-z0-9_-] and inner dots
 * stay, the rest is %XX; longer than 200 bytes: '=' and the SHA-256 in hex.
 * Never emits ',' or '/', never starts with a dot.  Empty text gives "%".
 * Appends to out.
 */
enum err name_escape(struct span text, struct buf *out);

/*
 * Undoes it, appending to out; ERR_INPUT (silent) for what name_escape() never
 * writes, and for hashes.
 */
enum err name_unescape(const char *name, struct buf *out);

/* SHA-256 of bytes; ERR_CRYPTO (logged) if OpenSSL fails. */
enum err sha256(struct span bytes, uint8_t out[SHA256_LEN]);
enum err sha256_hex(struct span bytes, char out[SHA256_HEX]); /* lower case */

/* HMAC-SHA-256 (RFC 2104) of bytes under a secret key; errors as sha256(). */
enum err hmac_sha256(
    struct span key, struct span bytes, uint8_t out[SHA256_LEN]);

/* len bytes of OpenSSL's private generator, ERR_CRYPTO (logged) if it fails. */
enum err random_bytes(void *out, size_t len);
/* n random bytes as 2n lower-case hex digits and NUL. */
enum err random_hex(char *out, size_t n);

void hex_text(const void *p, size_t len, char *out); /* 2*len+1 chars */
/*
 * Appends what hex digits of either case say, colons and blanks skipped.
 * ERR_INPUT (silent) for none, an odd number, or any other character.
 */
enum err hex_read(const char *s, struct buf *out);

/* Overwrites memory in a way compilers keep. */
void wipe(void *p, size_t len);

/* Constant-time equality of lengths and bytes. */
int secret_eq(struct span a, struct span b);

#endif
