#ifndef ENROL_NAME_H
#define ENROL_NAME_H

#include "aliases/alias.h"
#include "base/buf.h"
#include "base/err.h"

/*
 * The username that a request makes in RA mode: prefix, name and postfix, as
 * [ra] of the alias says (ejbca-behaviour 4).  subject is the Name of the
 * request, DER; values count whole, whatever cutusername says.
 *
 *	DN        the first attribute of namegenerationparameters that has a
 *	          value, also in a multi-valued RDN; the whole subject if there
 *	          are none
 *	USERNAME  the whole subject: dn_text(), so in the request's own order
 *	RANDOM    12 letters and digits
 *	FIXED     namegenerationparameters
 *
 * *out is malloc'd.  ERR_INPUT (silent): no name comes of it, or none that an
 * entity can have: longer than MAX_USERNAME, or with control characters.
 */
enum err enrol_generate(const struct alias *a, struct span subject, char **out);

#endif
