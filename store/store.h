#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * $SCEP_HOME/store: small readable files, decided by link(2) (STORE.md,
 * scep-store(5)).  Knows nothing of CAs' keys, HTTP or SCEP: names, numbers
 * and bytes come in, bytes go out.
 */
struct store {
	int root;	 /* descriptor of store/ */
	int tmp;	 /* descriptor of store/tmp */
	unsigned shards; /* hex digits of a shard: 2 or 3 */
};

/*
 * Makes store/ in the home with all shard directories; format is written
 * last, and what an earlier try left half made is finished.  ERR_EXISTS if
 * there is one, ERR_INPUT (logged) for other shards than 2 and 3.
 */
enum err store_init(int home, unsigned shards);

/*
 * Shows on this very file system that link, EEXIST, rename, symlink, modes
 * and fsync of files and directories work as the store needs; ERR_REFUSED
 * (logged: which and what to do) if not.  Makes store/tmp for it.
 */
enum err store_probe(int home);

/* Opens it; store_release() closes.  ERR_NOTFOUND: no store, run init. */
enum err store_open(int home, struct store *out);
void store_release(struct store *st);

/*
 * "kind/9c/" + escaped name + tail, where 9c is the shard: the first digits
 * of the SHA-256 of the (unescaped) name.  tail may be "" or ",3".
 */
enum err store_path(const struct store *st, const char *kind, struct span name,
    const char *tail, struct buf *out);
/*
 * The same where name is itself a random or hash hex string: its first digits
 * are the shard.  ERR_INPUT (logged) for what is not lower-case hex.
 */
enum err store_path_hex(const struct store *st, const char *kind,
    const char *hex, const char *tail, struct buf *out);

/* What store_check() found; `fixed` with repair. */
struct finding {
	const char *where; /* path under store/ */
	const char *what;  /* a sentence: what is wrong, what repair does */
	bool warning;	   /* litter, not damage */
	bool fixed;
};

/*
 * Walks everything: records parse and lie under their own names, versions
 * and attempts have no gaps, each present code has its secret, each
 * certificate parses and fits its names, each outcome has its link in cert/
 * and the claim that paid, each claim its outcome, no litter older than a
 * day, owners are the home's and modes what they must be.  Others may be at
 * work meanwhile.  found() is called for each finding.  With repair: makes
 * again what can be derived, removes litter, frees dead claims by
 * `abandoned` (those older than ten minutes).  The answer counts the
 * findings that remain and are no warnings.  Anything but OK: it could not
 * look everywhere.
 */
enum err store_check(struct store *st, bool repair,
    void (*found)(const struct finding *, void *arg), void *arg,
    unsigned *left);

#endif
