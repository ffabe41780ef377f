#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/buf.h"

/* Well-formed UTF-8: no overlong forms, no surrogates. */
bool utf8_valid(struct span s);

#endif
