#ifndef CA_TEXT_H
#define CA_TEXT_H

#include "base/err.h"
#include "ca/der.h"

/* ASN.1 string types as UTF-8. */

/* Well-formed UTF-8: no overlong forms, no surrogates. */
bool utf8_valid(struct span s);

/*
 * Appends the value of UTF8String, PrintableString, IA5String, T61String
 * (read as Latin-1, as everybody does), NumericString, VisibleString,
 * BMPString, UniversalString.  ERR_INPUT, silent: another type, or bytes
 * that it cannot have.
 */
enum err string_utf8(const struct der *value, struct buf *utf8);

#endif
