#ifndef STORE_CHECK_H
#define STORE_CHECK_H

#include <sys/types.h>

#include <openssl/x509.h>

#include "base/file.h"
#include "store/crl.h"
#include "store/inside.h"

/* Shared by the files of store_check(), and by nobody else. */

/* Names of issued/, and outcomes that have none there (check_issued.c). */
struct listed {
	char transaction[SHA256_HEX];
	unsigned attempt;
	int64_t issued;
};
struct list {
	struct listed *item;
	size_t n, room;
};

struct check {
	const struct store *st;
	bool repair;
	void (*found)(const struct finding *, void *arg);
	void *arg;
	unsigned left; /* findings that remain and are no warnings */
	uid_t uid;     /* the home's owner */
	gid_t gid;     /* and its group */
	int64_t now;
	struct issuer by; /* while the rooms of a generation are walked */
	X509_CRL *newest; /* its newest CRL then; NULL: none, or unreadable */
	uint64_t number;  /* its highest number then */
	struct list listed, unlisted; /* owned */
	bool sorted;		      /* listed, by name */
};

/* Tells of damage that only a person can mend. */
void check_damage(struct check *c, const char *where, const char *what);
/* The same, of what --repair mends; `fixed` says whether it did. */
void check_mended(
    struct check *c, const char *where, const char *what, bool fixed);
/* Of what is in nobody's way. */
void check_litter(
    struct check *c, const char *where, const char *what, bool fixed);

/*
 * Type, owner and mode of a name; false if it is not even of that type, or is
 * gone (which is no finding: others are at work).
 */
bool check_facts(struct check *c, const char *path, enum file_type type,
    struct file_facts *out);

/*
 * Each looks at one name of its room, path and all.  They answer OK to go on,
 * whatever they find; anything else ends the check: it could not look.
 */
enum err check_entity(const char *path, void *check);
enum err check_secret(const char *path, void *check);
enum err check_onetime(const char *path, void *check);
enum err check_used(const char *path, void *check);
enum err check_try(const char *path, void *check);
enum err check_unique(const char *path, void *check);
enum err check_transaction(const char *path, void *check);
enum err check_request(const char *path, void *check);
enum err check_approval(const char *path, void *check);
enum err check_approved(const char *path, void *check);
enum err check_cert(const char *path, void *check);
enum err check_issued(const char *path, void *check);
enum err check_renewed(const char *path, void *check);
enum err check_superseded(const char *path, void *check);
enum err check_tmp(const char *path, void *check);
enum err check_audit(const char *path, void *check);

enum err check_revoked(const char *path, void *check);
enum err check_news(const char *path, void *check);
enum err check_crl(const char *path, void *check);
/* Is each revocation on the newest CRL of c->by, or news? */
enum err check_shown(struct check *c);

/* Has an outcome its name in issued/?  For check_unlisted(), at the end. */
enum err check_listed(struct check *c, const struct outcome *o);
enum err check_unlisted(struct check *c);
/* Has an outcome that was bought by an old certificate its claim? */
enum err check_renewal(
    struct check *c, const char *path, const struct outcome *o);
/* Are the contents of these two files the same? */
bool check_same(const struct check *c, const char *a, const char *b);
/* Does a name of hex digits lie in the shard of its first ones? */
bool check_shard_of(const struct check *c, const char *path);

#define STRANGE "has a name that the store does not give; move it away"
#define YOUNG	((int64_t)60) /* seconds in which a grant may be half done */
/* waiting/, a room for each alias. */
enum err check_waiting(struct check *c);
/* kept/, where there is one: a cache, so nothing in it is damage. */
enum err check_kept(struct check *c);

/* queue/, a room for each alias; there may be none. */
enum err check_queue(struct check *c);
/* An outcome of a request that waited: is the request there? */
enum err check_decided(
    struct check *c, const char *path, const struct outcome *o);

/* The rooms of the generations under cert/, revoked/ and crl/. */
enum err check_generations(struct check *c);
/* each(path, c) for the names of a directory that must be there. */
enum err check_flat(struct check *c, const char *dir,
    enum err (*each)(const char *path, void *check));
/* The shards of a room; `missing` is what to say of one that is not there. */
enum err check_shards(struct check *c, const char *kind, bool *whole);

#endif
