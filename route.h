#ifndef ROUTE_H
#define ROUTE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

/*
 * Which alias a URL means (README has the table): SCEP_ALIAS if the web
 * server sets it, else the path segment behind the last segment `scep`, else
 * the alias `scep`.  A last segment `pkiclient.exe` never counts (C-2).
 * ERR_NOTFOUND: no possible alias name.
 */
enum err route_alias(
    struct span path, const char *variable, char alias[MAX_ALIAS + 1]);

/* What a URL means that is a file of a CA's, not an operation. */
enum document_kind { DOCUMENT_CRL, DOCUMENT_CERT, DOCUMENT__MAX };
struct document {
	enum document_kind kind;
	struct span ca;	     /* as it came, perhaps percent-encoded; borrowed */
	unsigned generation; /* 0: the present one */
};

/*
 * Is it /crl/<ca>.crl, /crl/<ca>/<generation>.crl, /ca/<ca>.cer or
 * /ca/<ca>/<generation>.cer, with anything in front?  `crl` and `ca` are no
 * alias names, so that no alias is hidden by it.
 */
bool route_document(struct span path, struct document *out);

/* Is it .../certsrv/mscep_admin, NDES's page of one-time codes? */
bool route_page(struct span path);

#endif
