#ifndef CA_TEXT_H
#define CA_TEXT_H

#include "base/err.h"
#include "base/utf8.h"
#include "ca/der.h"

/* ASN.1 string types as UTF-8. */

/*
 * Appends the value of UTF8String, PrintableString, IA5String, T61String
 * (read as Latin-1, as everybody does), NumericString, VisibleString,
 * BMPString, UniversalString.  ERR_INPUT, silent: another type, or bytes
 * that it cannot have.
 */
enum err string_utf8(const struct der *value, struct buf *utf8);

#endif
