#ifndef CA_SAN_RULE_H
#define CA_SAN_RULE_H

#include "base/buf.h"

/*
 * What RFC 5280 4.2.1.6 allows as the value of a general name, beyond its
 * string type (C-194): host names of letters, digits, '-' and '_', with '*' as
 * first label at most; mailboxes local@domain; URIs with a scheme.  NULL if
 * the value is good, else what is wrong, as half a sentence.
 */
const char *san_dns_wrong(struct span host);
const char *san_mail_wrong(struct span mailbox);
const char *san_uri_wrong(struct span uri);

#endif
