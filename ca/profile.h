#ifndef CA_PROFILE_H
#define CA_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "ca/ca.h"
#include "ca/entity_rules.h"
#include "ca/ext.h"

/*
 * A profile is a kind of certificate: what stands in it beside names and key
 * (C-183 to C-195), and which entities may have it (ca/entity_rules.h).  profiles/NAME.ini in the home, or a file of the same
 * form that is built in; the home's comes first.  example.ini lists every
 * key.  Files: profile_read.c a text into the struct, profile_words.c the
 * names of usages, profiles.c which file counts, profile.c may this key be
 * certified, profile_shape.c what becomes of a request.
 */
#define MAX_EKU	     16 /* of one certificate */
#define MAX_COPIES   16 /* extensions that a profile copies */
#define MAX_POLICIES 8
#define MAX_URLS     4 /* of one kind */

/* Bits of profile.keys. */
#define KEYS_RSA     1U
#define KEYS_P256    2U
#define KEYS_P384    4U
#define KEYS_P521    8U
#define KEYS_ED25519 16U

enum url_kind { URL_CRL, URL_ISSUER, URL_OCSP, URL__MAX };

struct profile {
	char name[MAX_PROFILE + 1];
	int64_t validity; /* seconds; cut to the CA's notAfter; 0: until */
	int64_t until;	  /* the date, with validity 0 */
	int64_t backdate; /* seconds; never before the CA's notBefore */
	unsigned keys;	  /* KEYS_* */
	unsigned min_rsa; /* bits */
	unsigned max_rsa;
	/* keyUsage as KU_* of openssl/x509v3.h: for RSA, for EC and EdDSA */
	unsigned usage_rsa, usage_ec;
	const char *eku[MAX_EKU + 1];	  /* dotted OIDs, NULL-terminated */
	bool copy_usage;		  /* the request may narrow keyUsage */
	bool copy_eku;			  /* and the extended key usages */
	const char *copy[MAX_COPIES + 1]; /* dotted OIDs of extensions */
	struct policy policy[MAX_POLICIES];
	size_t npolicies;
	const char *url[URL__MAX][MAX_URLS + 1]; /* with ${ca} and the like */
	struct mstemplate template;
	struct entity_rules entity;
	unsigned approval;	/* yeses that an enrolment needs */
	bool approval_renewals; /* renewals need them too */
	char **own;		/* where all these texts live */
	size_t nown;
};

/* Every key there is, for help, `profile show` and the test of example.ini. */
struct profile_key {
	const char *section, *key, *fallback, *meaning;
};
const struct profile_key *profile_key_at(size_t i); /* NULL behind the last */

/* Is it [A-Za-z0-9_-]{1,32}, and not "example"? */
bool profile_name_ok(const char *name);

/*
 * Parses text; every error and unknown key is logged with file and line (all
 * of them, not the first).  The caller owns *out.
 */
enum err profile_parse(const char *name, const char *where, struct span text,
    struct profile **out);
void profile_free(struct profile *p);

/*
 * The profiles of one home, files parsed once and kept as aliases are (see
 * base/cache.h, also for ERR_BUSY and ERR_SYSTEM).  ERR_NOTFOUND: neither the
 * home nor the program has it.  The names of built-in ones are good in any
 * case.  The answer is borrowed until the next profiles_find().
 */
struct profiles;
enum err profiles_new(int home, struct profiles **out);
void profiles_free(struct profiles *ps);
enum err profiles_find(
    struct profiles *ps, const char *name, const struct profile **out);

/* The i-th built-in profile: its name and text; false behind the last. */
bool profile_shipped(size_t i, const char **name, struct span *text);

/* Its name as it is spelled, if it is a built-in one in any case, or NULL. */
const char *profile_shipped_name(const char *name);

/*
 * The text that counts: the home's file, else the built-in one.  `where` gets
 * the file's path, or "built-in NAME".  ERR_NOTFOUND.
 */
enum err profile_text(
    int home, const char *name, struct buf *where, struct buf *text);

/*
 * May this SPKI be certified under the profile (C-195)?  Size, exponent,
 * modulus, curve, point.  ERR_REFUSED: `why` is a constant sentence;
 * unsupported: *alg is set (badAlg, C-160).
 */
enum err profile_key(
    const struct profile *p, struct span spki, const char **why, bool *alg);

/*
 * What the profile makes of a request, before it is signed.  Spans borrow
 * from the leaf, texts from the profile or `text`.
 */
struct shape {
	int64_t not_before, not_after;
	unsigned usage;
	const char *eku[MAX_EKU + 1];
	const char *url[URL__MAX][MAX_URLS + 1];
	struct extension copied[MAX_COPIES];
	size_t ncopied;
	bool usage_asked; /* narrowed by the request */
	bool eku_asked;
	struct buf text[URL__MAX * MAX_URLS]; /* the URLs; owned */
	size_t ntext;
};
void shape_init(struct shape *s);
void shape_release(struct shape *s);

/*
 * ERR_REFUSED: *why is a constant sentence: what the request asks for and may
 * not have, a key whose usages are none, a profile whose end has passed.
 * Nothing but ERR_SYSTEM (logged) otherwise.  shape_release() after each.
 */
enum err profile_shape(const struct profile *p, const struct generation *gen,
    const struct leaf *leaf, int64_t now, struct shape *out, const char **why);

/*
 * Names of key usages ("digitalSignature") and of extended ones
 * ("clientAuth"), in any case.  A dotted OID is its own name.
 */
bool usage_read(const char *word, unsigned *bit);
enum err usage_text(unsigned bits, struct buf *out); /* ", " between */
const char *eku_read(const char *word); /* dotted OID, NULL if unknown */
const char *eku_name(const char *oid);	/* the OID itself if it has none */
/* The same for extensions that a profile can copy: "sid", "tlsFeature". */
const char *copy_read(const char *word);

#endif
