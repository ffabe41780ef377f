#ifndef CA_SAN_H
#define CA_SAN_H

#include "base/buf.h"
#include "base/err.h"

/*
 * Subject alternative names.  Text: `dNSName=a, iPAddress=10.0.0.1,
 * rfc822Name=, uri=, upn=, directoryName=, registeredID=, guid=`, names in
 * any case, backslash escapes ',' in values.  Binary: DER of GeneralNames.
 */
enum err san_parse(const char *text, struct buf *der);
enum err san_text(struct span der, struct buf *text);

/*
 * each(kind as we write it, value as text, arg) for all names in order, as
 * long as it answers OK.  The text is as san_text() has it, but unescaped.
 * ERR_INPUT, silent: what san_check() would not take.
 */
enum err san_each(struct span der,
    enum err (*each)(const char *kind, struct span value, void *arg),
    void *arg);

/* The i-th kind, as we write it; NULL behind the last. */
const char *san_kind_at(size_t i);

/*
 * Is it a well-formed GeneralNames in DER, of at most MAX_SAN names and
 * MAX_SAN_DER bytes, none empty, each of them one that can be certified?
 */
enum err san_check(struct span der);

/*
 * That, and every value as RFC 5280 wants it (san_rule.h), so that it may
 * stand in a certificate?  san_parse() gives nothing else.
 */
enum err san_issuable(struct span der);

#endif
