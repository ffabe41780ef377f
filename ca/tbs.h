#ifndef CA_TBS_H
#define CA_TBS_H

#include <openssl/asn1.h>

#include "ca/key.h"

/*
 * Certificates as bytes, before and after they are signed (RFC 5280 4.1);
 * no key here.  Names, SubjectPublicKeyInfo and GeneralNames go in as they
 * are, byte for byte (C-185, C-187, C-195).
 */

/* TBSCertificate of a leaf.  ERR_REFUSED (logged) as key_issue() says. */
enum err tbs_leaf(const struct issue *in, int sig_nid, struct buf *tbs);

/* TBSCertificate of a self-signed CA over its own SPKI, random serial. */
enum err tbs_root(
    const struct root *in, struct span spki, int sig_nid, struct buf *tbs);

/* TBSCertificate of a CA under another; a root has no authority. */
enum err tbs_subca(const struct subca *in, int sig_nid, struct buf *tbs);

/*
 * TBSCertList (tbs_crl.c), written straight to DER, so that its size is no
 * matter.  ERR_REFUSED (logged) as key_sign_crl() says.
 */
enum err tbs_crl(const struct crl_header *in, int sig_nid, struct buf *tbs);

/* Certificate, or CertificateList, from its three parts. */
enum err tbs_close(
    struct span tbs, int sig_nid, struct span signature, struct buf *der);

/* The SHA-1 of an SPKI's BIT STRING content (RFC 5280 4.2.1.2, method 1). */
enum err spki_id(struct span spki, uint8_t id[20]);

/*
 * len random bytes with the top bit clear and the first byte not zero, so
 * that the INTEGER has exactly these bytes (C-183).
 */
enum err serial_random(uint8_t *serial, size_t len);

#endif
