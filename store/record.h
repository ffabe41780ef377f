#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * The text of a store file: `[kind]`, then `key = value` lines, optionally a
 * PEM block behind.  Values carry %XX for control characters, bytes that are
 * no UTF-8, quote, percent sign, backslash and blanks at either end, so a
 * line is a line whatever came from the network.  Unknown keys are kept out
 * of the way: a newer version's file can be read.
 */
struct record_line {
	char *key;
	struct buf value; /* unescaped */
};
struct record {
	char *kind;
	struct record_line *line;
	size_t n;
	struct buf pem; /* from "-----BEGIN" to the end, empty if none */
};

bool record_begin(struct buf *out, const char *kind);
/* NULL values and empty spans write no line. */
bool record_text(struct buf *out, const char *key, const char *value);
bool record_span(struct buf *out, const char *key, struct span value);
bool record_num(struct buf *out, const char *key, int64_t value);
bool record_time(struct buf *out, const char *key, int64_t value);

/*
 * ERR_INPUT (logged with where): not a record of this kind, a key twice, or cut
 * short.  Blank lines and lines that begin with ; or # are for people.
 */
enum err record_parse(
    const char *where, const char *kind, struct span text, struct record *out);
void record_release(struct record *r);

/* NULL: no such line, or the value has a NUL inside. */
const char *record_get(const struct record *r, const char *key);
/* Empty: no such line. */
struct span record_get_span(const struct record *r, const char *key);
/* ERR_NOTFOUND: no such line, ERR_INPUT: no number or time.  Silent. */
enum err record_get_num(const struct record *r, const char *key, int64_t *out);
enum err record_get_time(const struct record *r, const char *key, int64_t *out);

#endif
