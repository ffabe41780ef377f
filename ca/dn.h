#ifndef CA_DN_H
#define CA_DN_H

#include "base/buf.h"
#include "base/err.h"

/*
 * Distinguished names.  Text: `CN=router1,O=Lab,C=SE`, first RDN written =
 * first encoded, RFC 4514 escapes, '+' for a multi-valued RDN, EJBCA's short
 * names in any case: SN is serialNumber, SURNAME is surname (DESIGN 7).
 * Binary: the DER of an RDNSequence.
 */

/* ERR_INPUT logs what and where in the text. */
enum err dn_parse(const char *text, struct buf *der);

/*
 * The same for a subject in a web server's words, which are OpenSSL's: as RFC
 * 2253 has it, last RDN first ("CN=a,O=b": Apache, nginx), or in a line, first
 * RDN first ("O = b, CN = a": lighttpd).  ERR_INPUT (silent): neither; so is
 * the old form with slashes ("/O=b/CN=a"), which two names can share.
 */
enum err dn_server(const char *text, struct buf *der);

/* Text of any DER name; unknown types as dotted OIDs with #hex values. */
enum err dn_text(struct span der, struct buf *text);

/*
 * The value of the first attribute with that short name, as UTF-8 whatever
 * its string type.  ERR_NOTFOUND: none; ERR_INPUT: unreadable.  Silent.
 */
enum err dn_value(struct span der, const char *name, struct buf *utf8);

/* RFC 5280 7.1: equal after canonicalisation (string types, case, blanks). */
bool dn_eq(struct span a, struct span b);

/*
 * Does `part` say nothing that `whole` does not?  Each attribute of it, but
 * those whose short names are in `ignore` (n of them), stands in whole too,
 * equal as dn_eq() has it, in whatever order.  Where there are no others,
 * those count after all; an empty part is only within an empty whole, one
 * that cannot be read within nothing.  ERR_SYSTEM: memory.
 */
enum err dn_within(struct span part, struct span whole,
    const char *const *ignore, size_t n, bool *yes);

/*
 * May this Name stand in a certificate that we sign?  At most MAX_SUBJECT
 * bytes of DER, nothing indefinite or longer than it must be; each attribute
 * an OID and a string of a type and with bytes that everybody reads.  The
 * order inside a multi-valued RDN is left as it came: clients compare bytes.
 * ERR_INPUT, silent: *why is a constant that says what is wrong.
 */
enum err dn_check(struct span der, const char **why);

/*
 * each(first of its RDN?, type, value, arg) for all attributes in order, as
 * long as it answers OK.  ERR_INPUT, silent: no RDNSequence.
 */
struct der;
enum err dn_each(struct span der,
    enum err (*each)(
	bool first, struct span oid, const struct der *value, void *arg),
    void *arg);

/*
 * Appends a form that is the same bytes for names that are equal as dn_eq()
 * says, for hashes.  ERR_INPUT, silent: no RDNSequence, or over
 * MAX_NAME_PARTS attributes in an RDN.
 */
enum err dn_canon(struct span der, struct buf *out);

/* No RDN at all? */
bool dn_empty(struct span der);

#endif
