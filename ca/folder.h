#ifndef CA_FOLDER_H
#define CA_FOLDER_H

#include "base/buf.h"
#include "base/err.h"
#include "ca/key.h"

/*
 * Where the generations of a CA stand: ca/<escaped name>.  ERR_INPUT
 * (silent): no CA can have this name.
 */
enum err ca_path(const char *name, struct buf *path);

/*
 * May a new CA be called so?  No comma, double quote or control character, no
 * blank first or last, not "." or "..".
 */
bool ca_name_ok(const char *name);

/* Where a CA stands that waits for its certificate: ca/.request-<escaped>. */
#define CA_REQUEST ".request-"
enum err ca_request_path(const char *name, struct buf *path);

/*
 * OK: the name can be used.  ERR_EXISTS: there is such a CA; ERR_INPUT
 * (logged): no name; ERR_REFUSED (logged): one waits for its certificate, or
 * one was called so.
 */
enum err ca_vacant(int home, const char *name);

/*
 * A folder that is being written: <room>/.new-<random>, all of it fsynced,
 * then renamed, so that it is there whole or not at all.  draft_begin(),
 * anything in between, draft_end() whatever happened.
 */
#define DRAFT_MAX 16 /* files and folders in it */
struct draft {
	int home;
	struct buf dir;	       /* its temporary name */
	char *made[DRAFT_MAX]; /* names below it; folders end with '/' */
	size_t n;
};
/* room: "ca" or "ca/<name>/ra"; made if it is not there. */
enum err draft_begin(int home, const char *room, struct draft *d);
/* A folder in it: "1/". */
enum err draft_folder(struct draft *d, const char *name);
/* A file in it; dir is "" or "1/". */
enum err draft_file(struct draft *d, const char *dir, const char *name,
    struct span bytes, mode_t mode);
/* A private key (0400), encrypted unless the passphrase is empty. */
enum err draft_key(struct draft *d, const char *dir, const char *name,
    const struct key *key, struct span passphrase);
/* Certificates in DER as a file of PEM; no file where there are none. */
enum err draft_certs(struct draft *d, const char *dir, const char *name,
    const struct buf *certs, size_t n);
/*
 * If e is OK the folder becomes path.  Otherwise, or if that does not work,
 * nothing of it is left.  ERR_EXISTS (silent): path is there already.
 */
enum err draft_end(struct draft *d, const char *path, enum err e);

#endif
