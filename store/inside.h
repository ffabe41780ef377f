#ifndef STORE_INSIDE_H
#define STORE_INSIDE_H

#include "store/code.h"
#include "store/entity.h"
#include "store/record.h"
#include "store/store.h"
#include "store/transaction.h"

/* Shared by the files of store/, and by nobody else. */

/* Reads a record; damage is our own trouble: ERR_SYSTEM, never ERR_INPUT. */
enum err store_read(const struct store *st, const char *path, const char *kind,
    struct record *out);

/*
 * The highest n of "<stem>,<n><tail>", 0 if there is none: gallops, then
 * bisects, for there are no gaps.  With a writer at work: one that was the
 * highest at some moment.
 */
enum err store_highest(
    const struct store *st, const char *stem, const char *tail, unsigned *n);

/* each(path) for every name in every shard of "kind", which may be a path. */
enum err store_each(const struct store *st, const char *kind,
    enum err (*each)(const char *path, void *arg), void *arg);

/* Makes the shard directories of "kind", which may be there. */
enum err store_shards(const struct store *st, const char *kind);

/* A room with shards that an older version did not make; durable. */
enum err store_room(const struct store *st, const char *kind);

/* "9c" of the i-th shard; how many there are. */
#define SHARD_TEXT 4
unsigned store_shard(const struct store *st, unsigned i, char out[SHARD_TEXT]);

/* "<kind>/<ca>/<generation>", a room of a CA's generation. */
enum err generation_room(
    const char *kind, const char *ca, unsigned generation, struct buf *out);

/* "revoked/<ca>/<generation>/5d/5d03...,<n>" */
struct issuer;
enum err revoked_path(const struct store *st, const struct issuer *by,
    const char *serial, unsigned n, struct buf *out);
/* Reads one version; ERR_SYSTEM (logged) if it is not the one asked for. */
struct revocation;
enum err revoked_read(const struct store *st, const struct issuer *by,
    const char *serial, unsigned n, struct revocation *out);
/* "5d03...,2" and its halves; false for another form. */
bool revoked_name(const char *name, char serial[41], unsigned *n);
/* Links new/<serial>,<n> again, durably: no CRL shows that version yet. */
enum err revoked_announce(const struct store *st, const struct issuer *by,
    const struct revocation *r);
/* Makes version n of what went from held to revoked the bridge to n + 1. */
enum err revoked_bridge(const struct store *st, const struct issuer *by,
    const char *serial, unsigned n);

/*
 * fsync of the directory that holds a path, so that what we found stays.
 * ERR_SYSTEM (logged): it is missing.
 */
enum err store_sync_above(const struct store *st, const char *path);

/* The name behind the last slash of a path. */
const char *store_base(const char *path);

/* A decimal number as we write them, the whole text. */
bool read_number(const char *text, unsigned *out);
/* Are the first n characters lower-case hex digits? */
bool is_hex(const char *text, size_t n);

/* Paths under store/. */
enum err outcome_path(const struct store *st, const char name[SHA256_HEX],
    unsigned attempt, struct buf *out);
enum err cert_path(const struct store *st, const char *ca, unsigned generation,
    const char *serial, struct buf *out);

/* The sealed half of a code (store/seal.c): made, and read from its hex. */
enum err code_seal(const struct store *st, struct code *c, struct span secret);
bool code_sealed_read(const char *hex, struct code *c);

/* A PEM block of that name; ERR_INPUT (silent): none, or another one. */
bool pem_put(struct buf *out, const char *name, struct span der);
enum err pem_get(struct span pem, const char *name, struct buf *der);

/* least to most hex digits, an even number, to out; ERR_INPUT (silent). */
enum err record_digits(const struct record *r, const char *key, size_t least,
    size_t most, char *out);

/* "transaction/ab/ab34...,<n>", a request record, and the word of a hint. */
enum err waiting_path(const struct store *st, const char name[SHA256_HEX],
    unsigned attempt, struct buf *out);
enum err waiting_word(const struct store *st, const char name[SHA256_HEX],
    unsigned attempt, struct buf *out);
/* What a hint names; ERR_NOTFOUND, ERR_INPUT (silent): no hint of ours. */
struct claim;
enum err waiting_hint(
    const struct store *st, const char *path, struct claim *out);
/* A request record's text, and reading it. */
struct waiting;
enum err waiting_text(const struct waiting *w, struct buf *out);
/* The digest of what people see and say yes to. */
enum err waiting_id(const struct waiting *w, char id[SHA256_HEX]);
enum err waiting_read(
    const struct store *st, const char *path, struct waiting *out);
struct approval;
enum err approval_read(
    const struct store *st, const char *path, struct approval *out);
/* "waiting/<alias>/ab34...,<n>" made and taken away again, not durably. */
enum err waiting_show(const struct store *st, const struct waiting *w);
void waiting_hide(const struct store *st, const char *alias,
    const char name[SHA256_HEX], unsigned attempt);

/*
 * Beside outcomes lie the records of requests that had to wait, and the marks
 * of certificates that were held and may leave.
 */
bool is_outcome_name(const char *path);
bool is_released_name(const char *path);

/* "transaction/ab/ab34...,<n>,released" */
enum err released_path(const struct store *st, const char name[SHA256_HEX],
    unsigned attempt, struct buf *out);
/* What such a mark says; ERR_SYSTEM (logged): damage. */
enum err released_read(
    const struct store *st, const char *path, struct claim *out);

/* One more name of a durable outcome, at `from` (issued.h); not durable. */
enum err issued_link(
    const struct store *st, const struct outcome *o, const char *from);

/* "renewed/<ca>/<generation>/5d/<serial>," */
enum err renewed_stem(const struct store *st, const struct issuer *by,
    const char *serial, struct buf *out);

/* An outcome's text, and reading it from any of its names. */
enum err outcome_text(const struct outcome *o, struct buf *out);
enum err outcome_read(
    const struct store *st, const char *path, struct outcome *out);

/*
 * "../../transaction/ab/ab34...,1,outcome", the word of a claim at that path,
 * and back; ERR_INPUT (silent): it is not one.
 */
enum err claim_word(const struct store *st, const char *path,
    const char name[SHA256_HEX], unsigned attempt, struct buf *out);
struct claim {
	char transaction[SHA256_HEX];
	unsigned attempt;
};
enum err claim_parse(const struct store *st, const char *path, const char *word,
    struct claim *out);
/*
 * Did this code buy the outcome of that attempt, be it the no of a CA
 * elsewhere?  OTHER: no, it was abandoned or another code paid, so the claim
 * bought nothing.  ERR_NOTFOUND: there is
 * no outcome yet.
 */
enum payer { PAYER_IT, PAYER_OTHER };
enum err outcome_payer(const struct store *st, const struct claim *claim,
    const char *code, enum payer *out);

/* ERR_NOTFOUND: no such name; ERR_INPUT (logged): not a claim of ours. */
enum err claim_read(
    const struct store *st, const char *path, struct claim *out);

/* Did this attempt pay with this code?  ERR_NOTFOUND: no. */
enum err claim_find(const struct store *st, const struct code *code,
    const char transaction[SHA256_HEX], unsigned attempt);

/* The lines of a code that all records of codes have, from form on. */
bool code_put(const struct code *c, struct buf *out);
/* And back: all but id and username.  ERR_INPUT (silent). */
enum err code_get(const struct record *r, struct code *c);
/* A new salt, and the hash of this secret in c->form. */
enum err code_hash(struct code *c, struct span secret);
/* code_retire() of a code that was found. */
enum err code_end(const struct store *st, const struct code *c);

/* Frees what of a code never came to a certificate (code_retire()). */
enum err code_free_claims(const struct store *st, const struct code *code);

/* OK while the code's record is there, ERR_NOTFOUND when it is retired. */
enum err code_living(const struct store *st, const struct code *code);

/* Reads one code from its path; ERR_NOTFOUND. */
enum err code_read(const struct store *st, const char *path, struct code *out);

/* Is it the name of an answer in kept/<alias>/?  Its other name. */
bool kept_name(const char *name);
/* Reads a file of it; ERR_INPUT (logged): it is none. */
struct kept;
enum err kept_parse(
    const char *path, struct span text, struct buf *question, struct kept *out);
/* Makes room for one more answer (kept_write()); ERR_TOOBIG: there is none. */
enum err kept_place(const struct store *st, const char *alias,
    struct span question, const struct kept *k, int64_t age);
#define KEPT_MARK "pause" /* kept_pause() */

/* The hour of a wrong password, "2026-11-23T19". */
#define HOUR_TEXT 14
void code_hour(int64_t t, char out[HOUR_TEXT]);

/* Reads the highest version under a stem, deleted or not; ERR_NOTFOUND. */
enum err entity_read(
    const struct store *st, const char *stem, struct entity *out);
/* Reads one version; ERR_SYSTEM (logged) if it is not the stem's. */
enum err entity_version(const struct store *st, const char *stem,
    unsigned version, struct entity *out);

#endif
