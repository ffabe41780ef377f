#include <stdlib.h>

#include "base/log.h"
#include "ca/cert.h"
#include "queue.h"
#include "queue_own.h"

/*
 * Whose letters are believed on the CA's host: those of the certificates in
 * [queue] ra.  One that has ended is believed for RA_GRACE more, of what was
 * written before its end: so requests that wait while it ends are not lost.
 */

static enum err
read_certs(const struct queue_desk *desk, struct buf **certs, size_t *n)
{
	const char *file = desk->alias->queue.ra;
	struct buf pem = BUF_INIT;
	enum err e;

	e = alias_file(desk->home, "[queue] ra", file, ALIAS_CERTS, &pem);
	if (e == OK)
		e = certs_read(file, buf_span(&pem), certs, n);
	buf_release(&pem);
	return e == ERR_INPUT ? ERR_SYSTEM : e; /* ours, not the RA's */
}

static enum err
check_times(struct span signer, int64_t now, const char **why)
{
	struct cert_view v;

	*why = "the RA's certificate is not valid yet";
	if (cert_view(signer, &v) != OK || now < v.not_before)
		return ERR_INPUT;
	*why = "the RA's certificate ended more than 30 days ago: remove the "
	       "request there, and the device's next one is taken";
	return now < v.not_after + RA_GRACE ? OK : ERR_INPUT;
}

enum err
queue_ra_verify(const struct queue_desk *desk, const char *name,
    struct span der, struct letter_opened *letter, const char **why)
{
	struct letter_rule rule = { .kind = LETTER_REQUEST, .name = name };
	struct buf *certs = NULL;
	struct span *signer = NULL;
	size_t n = 0;
	enum err e = read_certs(desk, &certs, &n);

	if (e == OK && (signer = calloc(n + 1, sizeof(*signer))) == NULL)
		e = ERR_SYSTEM;
	for (size_t i = 0; e == OK && i < n; i++)
		signer[i] = buf_span(&certs[i]);
	rule.signer = signer;
	rule.n = n;
	if (e == OK)
		e = letter_verify(der, &rule, letter, why);
	if (e == OK)
		e = check_times(letter->signer, desk->now, why);
	free(signer);
	certs_free(certs, n);
	return e;
}

enum err
queue_ra_held(struct span signer, int64_t written, const char **why)
{
	struct cert_view v;

	*why = "it was written when the RA's certificate had ended: remove "
	       "the request there, and the device's next one is taken";
	return cert_view(signer, &v) == OK && written < v.not_after ? OK :
								      ERR_INPUT;
}
