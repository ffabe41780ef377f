#ifndef CRL_H
#define CRL_H

#include "ca/ca.h"
#include "store/crl.h"

/*
 * The CRL of a generation of a CA, for everybody who hands it out: GetCRL,
 * HTTP, the command line.  It brings together the store, which knows what is
 * revoked and which numbers are taken, and the CA, which signs.
 *
 *	1. h = the highest number
 *	2. thisUpdate = now
 *	3. scan the revocations
 *	4. sign number h + 1
 *	5. link it; if somebody was faster, begin again at 1
 *
 * So the scan of each CRL began after its predecessor could be seen: numbers
 * have no gaps, and nothing is forgotten (STORE.md, CRLs).
 */
struct crl_times {
	int64_t validity; /* seconds from thisUpdate to nextUpdate */
	int64_t overlap;  /* before nextUpdate comes the next one (C-203) */
};

struct crl {
	struct buf der;
	unsigned generation;
	uint64_t number;
	int64_t this_update, next_update;
};
#define CRL_INIT                     \
	{                            \
		BUF_INIT, 0, 0, 0, 0 \
	}
void crl_release(struct crl *crl);

/* Which generation of which CA, and for how long its CRLs hold. */
struct crl_source {
	const struct store *st;
	const struct ca *ca;
	const struct generation *gen;
	struct crl_times times;
};

/*
 * The newest CRL, with every revocation that preceded the call: issued now
 * if there is none, if its end is near or if something is new since.  If it
 * cannot be signed, the last one until its nextUpdate, and then the error of
 * the signing; either is warned of once an hour.  Of a CA whose key is on
 * another host: the last that came from there, until its nextUpdate.
 */
enum err crl_current(const struct crl_source *from, struct crl *out);

/* Issues one now, whatever there is. */
enum err crl_issue(const struct crl_source *from, struct crl *out);

/*
 * Is a serial number (INTEGER content bytes) on the newest CRL as it stands?
 * No, where there is none.  For an external RA, which has no other record.
 */
enum err crl_lists(const struct store *st, const char *ca, unsigned generation,
    struct span serial, bool *yes);

/* Would crl_current() issue one? */
enum err crl_due(const struct crl_source *from, bool *due);

/*
 * The newest CRL as it stands, also an old one; ERR_NOTFOUND: none.  With
 * generation 0: of the highest generation that has one.  It needs no CA, so
 * it works where that cannot be loaded.
 */
enum err crl_last(const struct store *st, const char *ca, unsigned generation,
    struct crl *out);

/*
 * The same for handing out, where the CA cannot be loaded (why): until its
 * nextUpdate, then ERR_BUSY; warned of once an hour, as by crl_current().
 */
enum err crl_fallback(const struct store *st, const char *ca,
    unsigned generation, enum err why, struct crl *out);

/* Was it warned of in this hour?  Then trying again is to be quiet. */
bool crl_warned(const struct store *st, const char *ca, unsigned generation);

#endif
