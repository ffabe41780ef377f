#ifndef MESSAGE_SET_H
#define MESSAGE_SET_H

#include "ca/der.h"
#include "base/err.h"

/*
 * Appends the DER SET OF these elements, sorted as DER wants.  ERR_INPUT
 * (silent): unreadable, or more than max.
 */
enum err set_sort(struct span elements, size_t max, struct buf *out);

/* Puts tag and length around all that b holds. */
bool der_wrap(struct buf *b, uint8_t tag);

#endif
