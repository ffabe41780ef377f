#ifndef STORE_TEXT_H
#define STORE_TEXT_H

#include "base/buf.h"

/*
 * How many bytes at text.p + at are one character that a person may see as
 * it is, in a file or on a terminal: printable ASCII or well-formed UTF-8
 * without C1 controls.  0: that byte must be escaped.
 */
size_t text_plain(struct span text, size_t at);

#endif
