#ifndef CA_CERT_H
#define CA_CERT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * The fields of any X.509 certificate that we look at, found by our own
 * walk (der.h) without decoding its key: a stranger's v1, expired or odd
 * certificate is read as far as its key, issuer and serial (C-76).
 * All spans borrow from der.
 */
struct cert_view {
	struct span der;
	struct span issuer;  /* Name DER */
	struct span subject; /* Name DER */
	struct span serial;  /* content bytes of the INTEGER, as they came */
	struct span spki;    /* SubjectPublicKeyInfo DER */
	struct span ski;     /* raw subjectKeyIdentifier or empty */
	struct span aki;     /* raw keyIdentifier of the authority or empty */
	int64_t not_before, not_after; /* 0 where unreadable */
	struct span san;	       /* GeneralNames DER or empty */
	unsigned usage;		       /* keyUsage bits, UINT32_MAX if absent */
	bool ca;		       /* basicConstraints CA:TRUE */
	int pathlen;		       /* its pathLenConstraint, -1: none */
	bool self_signed;	       /* names equal; signature not checked */
};
/* ERR_INPUT (silent): not a certificate, or bytes behind it. */
enum err cert_view(struct span der, struct cert_view *out);

/*
 * A serial number (content bytes) in lower-case hex, two digits a byte, as
 * the store names it; false: not one of 1 to 20 bytes.
 */
#define CERT_SERIAL 41
bool cert_serial(struct span serial, char out[CERT_SERIAL]);

/* First certificate of PEM or DER bytes, as DER; for files. */
enum err cert_read(const char *where, struct span bytes, struct buf *der);
enum err cert_pem(struct span der, struct buf *pem); /* appends */

/*
 * Calls each(DER, arg) for all certificates of PEM text, or of DER one behind
 * the other; stops at the first answer that is not OK.  ERR_INPUT (logged):
 * there is none, or bytes between that are none.
 */
enum err certs_each(const char *where, struct span bytes,
    enum err (*each)(struct span der, void *arg), void *arg);

/*
 * All certificates of PEM text, in order, as DER; none is fine.  The caller
 * owns the list: certs_free().  Errors are logged.
 */
enum err certs_read(
    const char *where, struct span pem, struct buf **list, size_t *n);
void certs_free(struct buf *list, size_t n);

#endif
