#ifndef CA_URLS_H
#define CA_URLS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* URLs in certificates: where a CA's CRL and its certificate are (C-192). */
#define URL_CRL_PATTERN	   "${baseurl}/crl/${ca}/${generation}.crl"
#define URL_ISSUER_PATTERN "${baseurl}/ca/${ca}/${generation}.cer"

struct url_place {
	const char *baseurl; /* of the site; NULL: none */
	const char *ca;	     /* NULL: not known */
	unsigned generation;
};
/*
 * Appends url with its places filled.  *known becomes false where the site
 * has no baseurl, or nobody said which CA it is: such a URL is left out.
 * False: memory is out.
 */
bool url_fill(
    const char *url, const struct url_place *at, struct buf *out, bool *known);

/* Both as key_subca() and key_ra() take them: lists that end with NULL. */
struct urls {
	struct buf text[2];
	const char *crl[2], *issuers[2];
};
enum err urls_fill(const struct url_place *at, struct urls *out);
void urls_release(struct urls *u);

#endif
