#ifndef ADMIN_CSV_H
#define ADMIN_CSV_H

#include "base/buf.h"
#include "base/err.h"

/*
 * RFC 4180, one record at a time: fields between commas, in quotes where
 * they hold commas, quotes (doubled) or line ends.  CRLF or LF; a UTF-8 byte
 * order mark in front is skipped, and so are empty lines.
 *
 *	csv_init(&c, text);
 *	while ((e = csv_next(&c)) == OK)
 *		... c.field[0..c.fields), c.line ...
 *	csv_release(&c);
 */
#define CSV_FIELDS 32

struct csv {
	struct span rest; /* borrowed text that was not read yet */
	int line;	  /* where the present record begins, from 1 */
	int next;	  /* where the next one does */
	int fields;
	struct buf field[CSV_FIELDS]; /* as C strings too; secret */
	const char *wrong;	      /* with ERR_INPUT: a sentence */
};

void csv_init(struct csv *c, struct span text);
void csv_release(struct csv *c);

/* ERR_NOTFOUND: no more.  ERR_INPUT (silent): c->wrong at c->line. */
enum err csv_next(struct csv *c);

/* Appends a field, in quotes where it must be. */
enum err csv_put(struct buf *out, const char *field);

#endif
