#ifndef CA_ENTITY_RULES_H
#define CA_ENTITY_RULES_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "ca/attr.h"

/*
 * The end-entity part of a profile, its section [entity] (C-119): which names
 * a certificate may have, from which CAs and certificate profiles it may come,
 * how often an entity may enrol and what must be unique.  Each field of a
 * subject and each kind of subjectAltName can have a rule:
 *
 *	required | optional | forbidden  [many]  [fixed "TEXT" | pattern "ERE"]
 *
 * Without a rule, `others` decides.  Files: entity_rules.c a text into the
 * struct, entity_check.c names against the rules.
 */
#define MAX_RULES    64
#define MAX_LISTED   20	   /* CAs or profiles */
#define MAX_PATTERN  255   /* bytes of a pattern */
#define MAX_WRITTEN  10000 /* characters of one with its {n} written out */
#define MAX_APPROVAL 100

enum need { NEED_REQUIRED, NEED_OPTIONAL, NEED_FORBIDDEN, NEED__MAX };

/* What is asked of one field, or of one kind of alternative name. */
struct name_rule {
	const char *name;     /* as people write it: CN, 1.2.3, dNSName */
	uint8_t oid[MAX_OID]; /* of a field of the subject; content bytes */
	size_t oid_len;	      /* 0: a kind of alternative name */
	enum need need;
	bool many;	   /* may stand more than once */
	const char *fixed; /* the value that it must have; NULL: any */
	bool has_pattern;
	regex_t pattern; /* anchored at both ends */
};

struct entity_rules {
	struct name_rule rule[MAX_RULES];
	size_t nrules;
	bool others;			 /* may names without a rule stand? */
	const char *cas[MAX_LISTED + 1]; /* NULL-terminated; none: all */
	const char *profiles[MAX_LISTED + 1]; /* the same */
	unsigned enrolments; /* certificates an entity may have; 0: no limit */
	bool unique_subject; /* among the living certificates of the CA */
	bool unique_key;
};
void entity_rules_release(struct entity_rules *r);

/*
 * Takes the rule `value` for the field or kind `key`, which is any spelling
 * that dn_parse() or san_parse() read.  Both live as long as the rules; value
 * is cut up in place.  NULL, or what is wrong: a constant sentence.
 */
const char *entity_rule_take(
    struct entity_rules *r, const char *key, char *value);

/* The names of a certificate to be, and where it is to come from. */
struct entity_names {
	struct span subject; /* Name DER */
	struct span san;     /* GeneralNames DER, or empty */
	bool subject_later;  /* it comes with the request: not looked at */
	bool san_later;
	const char *ca;	     /* NULL: not looked at */
	const char *profile; /* of the certificate; NULL: not looked at */
};

/* Which rule refuses. */
struct breach {
	const char *why;   /* a constant sentence */
	const char *field; /* which name; lives as long as the rules */
};

/*
 * ERR_REFUSED, silent: *breach says why.  ERR_SYSTEM: memory.  Of names that
 * dn_check() and san_issuable() would not take, those that cannot be read are
 * refused too.
 */
enum err entity_check(const struct entity_rules *r,
    const struct entity_names *names, struct breach *breach);

#endif
