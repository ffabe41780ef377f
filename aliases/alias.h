#ifndef ALIASES_ALIAS_H
#define ALIASES_ALIAS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/time.h"

/*
 * An alias is a named configuration of the server: aliases/NAME.ini in the
 * home.  example.ini lists every key with meaning and default.
 */
enum operation_mode {
	MODE_CA,
	MODE_RA,
	MODE_PROXY,	 /* passes everything on, unopened */
	MODE_EXTERNALRA, /* takes requests in; a CA elsewhere fetches them */
	MODE__MAX
};

/* Who says whether a request may have a certificate ([challenge] judge). */
enum judge_kind {
	JUDGE_ENTITY,  /* a registered entity's own code */
	JUDGE_SECRET,  /* the alias's secret */
	JUDGE_ONETIME, /* a code that was made for one request */
	JUDGE_PROGRAM, /* a program of the administrator's */
	JUDGE_WEB,     /* a web service */
	JUDGE_INTUNE,  /* Microsoft Intune */
	JUDGE__MAX
};

/* Who gets an issued certificate by GetCert: who proves its key, ... */
enum getcert { GETCERT_OWNER, GETCERT_ANY, GETCERT_NO, GETCERT__MAX };

struct alias_ident {
	char *ident; /* what a client says in message= */
	char *ca;
};

/* From when on a certificate may be renewed. */
struct renew_window {
	unsigned percent; /* of its life that must be over; 0: see before */
	int64_t before;	  /* or so many seconds before its end */
};

/* When the old certificate of a renewed one is revoked as superseded. */
enum supersede {
	SUPERSEDE_NO,
	SUPERSEDE_DAYS, /* supersede_after seconds later */
	SUPERSEDE_USED, /* when the new one was seen in use */
	SUPERSEDE__MAX
};

/* Whence the username of a request in RA mode comes. */
enum namegen {
	NAMEGEN_DN,	  /* the first attribute of parameters that is there */
	NAMEGEN_USERNAME, /* the whole subject */
	NAMEGEN_RANDOM,
	NAMEGEN_FIXED, /* parameters itself */
	NAMEGEN__MAX
};

/* What becomes of an entity that has the generated name already. */
enum existing {
	EXISTING_RENEW, /* its certificate must sign */
	EXISTING_EDIT,	/* the request overwrites it, as EJBCA does */
	EXISTING_REFUSE,
	EXISTING__MAX
};

/* Section [ra]: of operationmode = ra alone; else all defaults. */
struct ra_rules {
	struct buf secret;	/* authpwd, or what stands in authpwdfile */
	bool nocheck;		/* authpwd = none: no secret at all */
	char *secretfile;	/* authpwdfile, or NULL */
	char *entityprofile;	/* entityprofile = EMPTY */
	char *profile;		/* certificateprofile = ENDUSER */
	enum namegen scheme;	/* namegenerationscheme = DN */
	char *parameters;	/* namegenerationparameters = CN */
	char *prefix;		/* namegenerationprefix, "" */
	char *postfix;		/* namegenerationpostfix, "" */
	enum existing existing; /* existing = renew */
};

/* Section [approval]. */
struct approval_rules {
	unsigned required;  /* approvers of a request; written out in RA mode */
	bool renewals;	    /* renewals = no: they need none */
	int64_t expiry;	    /* expiry = 30d, in seconds */
	int64_t denied;	    /* denied = 7d: a denial is remembered */
	unsigned limit;	    /* limit = 1000 waiting requests */
	unsigned persource; /* persource = 0: of one address; 0: any number */
};

/* Section [challenge]. */
struct challenge_rules {
	enum judge_kind judge; /* by the mode: entity, else secret */
	int64_t ttl;	       /* ttl = 60m: of a new one-time code, seconds */
	bool page;	       /* page = no: NDES's page makes such codes */
};

/* Section [program]: of judge = program alone. */
struct program_rules {
	char *path;	 /* absolute; must be written out */
	int64_t timeout; /* timeout = 10s, in seconds */
};

/*
 * How a server is reached: of [web], [intune] and [proxy] each.  Names of
 * files begin at the home unless absolute; alias_file() reads them.
 */
struct peer_rules {
	char *url;	  /* https://... */
	char *cafile;	  /* trusted instead of the system's, or NULL */
	char *pin;	  /* "sha256//BASE64" of the server's key, or NULL */
	char *clientcert; /* PEM, or NULL */
	char *clientkey;  /* PEM, or NULL */
	int64_t timeout;  /* seconds */
};

/* Section [web]: of judge = web alone. */
struct web_rules {
	struct peer_rules peer; /* timeout = 10s */
	char *id;	  /* X-Smallstep-Webhook-ID; NULL: the alias's name */
	char *keyfile;	  /* base64 of the HMAC key (secretfile), or NULL */
	char *bearerfile; /* a token, or NULL */
};

/* Section [intune]: of judge = intune alone (ejbca-behaviour 8). */
struct intune_rules {
	char *tenant, *appid;	/* must be written out */
	struct buf appkey;	/* aadappkey; or empty */
	char *appkeyfile;	/* aadappkeyfile, or NULL */
	bool keybinding;	/* aadusekeybinding = no */
	char *binding;		/* aadkeybinding: PEM of key and certificate */
	char *authority;	/* = https://login.microsoftonline.com/ */
	char *resourceurl;	/* = https://api.manage.microsoft.com/ */
	char *graphapiversion;	/* = v1.0 */
	char *graphresourceurl; /* = https://graph.microsoft.com/ */
	char *proxyhost, *proxyuser; /* or NULL */
	unsigned proxyport;	     /* 0: none */
	struct buf proxypass;	     /* or empty */
	char *cafile;	 /* trusted instead of the system's, or NULL */
	int64_t timeout; /* timeout = 20s of each call, in seconds */
};

/* Section [proxy]: of operationmode = proxy alone. */
struct proxy_rules {
	struct peer_rules peer; /* timeout = 30s; url, clientcert and clientkey
				   must be written out */
	int64_t keep; /* keep = 1h: answers of GET operations, in seconds */
};

/* Which mode of the CA's alias an external RA's requests go through. */
enum queue_target { TARGET_RA, TARGET_CA, TARGET__MAX };

/*
 * Section [queue]: on the CA's host ra, target and profiles, on the external
 * RA's limit.
 */
struct queue_rules {
	char *ra; /* PEM file of the RA's certificates, or NULL: no queue */
	enum queue_target target; /* must be written out with ra */
	unsigned limit;		  /* limit = 1000 requests that wait */
	char **profiles; /* beside certificateprofile; of target = ra */
	size_t nprofiles;
};

/* Section [renewal], and two keys of [scep]. */
struct renewal_rules {
	bool on;	/* clientcertificaterenewal = yes */
	bool oldkey;	/* clientcertificaterenewalwitholdkey = no */
	bool challenge; /* challenge = no: a right one too */
	struct renew_window window; /* window = 50% */
	char **ignore;		    /* renewalignore: names of attributes */
	size_t nignore;
	char **cas; /* cas: whose certificates may sign too */
	size_t ncas;
	enum supersede supersede; /* supersede = no */
	int64_t supersede_after;  /* in seconds, with SUPERSEDE_DAYS */
};

struct alias {
	char name[33];
	enum operation_mode
	    mode;   /* [scep] operationmode: must be written out */
	char **cas; /* [scep] cas: CAs served, at least one */
	size_t ncas;
	/*
	 * [scep] defaultca: for GET operations; else the first of cas.  In RA
	 * mode [ra] defaultca.
	 */
	char *defaultca;
	bool includeca; /* [scep] includeca = no: issuing CA behind the leaf */
	bool sha1;	/* [scep] sha1 = yes */
	bool des3;	/* [scep] des3 = yes */
	bool legacy;	/* [scep] legacy = no: MD5, single DES, small keys */
	/* [scep] cutusername = yes: CN up to the first space */
	bool cutusername;
	bool samekey;	/* [scep] samekey = yes: signer's key is the CSR's */
	bool chain;	/* [scep] returncachainingetcacert = yes */
	bool chainroot; /* [scep] chainroot = yes: a self-signed issuer too */
	bool rootfirst; /* [scep] chainorder = root-first */
	bool strictkeyusage; /* [scep] strictkeyusage = no: C-35 refuses */
	/* [scep] profile: of entities that name none, or NULL; CA mode */
	char *profile;
	enum getcert getcert; /* [scep] getcert = owner */
	bool getcrl;	      /* [scep] getcrl = yes */
	struct renewal_rules renewal;
	struct ra_rules ra;
	struct approval_rules approval;
	struct challenge_rules challenge;
	struct program_rules program;
	struct web_rules web;
	struct intune_rules intune;
	struct proxy_rules proxy;
	struct queue_rules queue;
	char **peers; /* [access] peers = DN; DN: who alone may ask */
	size_t npeers;
	struct alias_ident *ident; /* [identifiers] NAME = CA */
	size_t nident;
};

/* Is it [A-Za-z0-9_-]{1,32} and not one of admin, metrics, crl, ca? */
bool alias_name_ok(struct span name);

/*
 * All aliases of one home, parsed once and kept; a file that changed is read
 * again when it has been quiet for a second.  The answer is borrowed until
 * the next aliases_find().
 *   ERR_NOTFOUND  no such file
 *   ERR_BUSY      the file is being written and there is no good version yet
 *   ERR_SYSTEM    the file is broken (logged, one line a minute) and there is
 *                 no good version; others are unaffected
 * The file of [ra] authpwdfile is looked at each time too.  What was removed
 * or cannot be used any more takes the alias down (ERR_SYSTEM), for it may
 * have been taken away on purpose; while it is written the last one counts.
 */
struct aliases;
enum err aliases_new(int home, struct aliases **out);
void aliases_free(struct aliases *as);
enum err aliases_find(
    struct aliases *as, const char *name, const struct alias **out);

/*
 * Parses text as an alias; every error and unknown key is logged with file
 * and line (all of them, not the first), secrets never.  known_ca, if not
 * NULL, says whether a CA exists.  With ra.secretfile the secret is empty
 * until alias_secret().
 */
enum err alias_parse(const char *name, const char *where, struct span text,
    bool (*known_ca)(const char *ca, void *arg), void *arg, struct alias **out);
void alias_free(struct alias *a);

/*
 * Reads the secret of [ra] authpwdfile, if that is where it is: the first line
 * of a file that only its owner and group can read and only its owner write.
 * A relative path begins at the home.  ERR_INPUT (logged): it cannot be used;
 * the secret is empty then.  ERR_BUSY: it was changed while it was read; the
 * old secret stays.
 */
enum err alias_secret(int home, struct alias *a);

/*
 * The content of another file that an alias names under this key, at most
 * MAX_PEM bytes, appended to out: read anew each time, so that a renewed
 * certificate counts at once.  A relative path begins at the home.
 *   ALIAS_CERTS  PEM that everybody may read
 *   ALIAS_KEY    only owner and group may read it
 *   ALIAS_WORD   as ALIAS_KEY, and its first line alone is meant
 * ERR_INPUT (logged): it cannot be used.  ERR_BUSY: it changed meanwhile.
 */
enum alias_file_kind { ALIAS_CERTS, ALIAS_KEY, ALIAS_WORD };
enum err alias_file(int home, const char *key, const char *path,
    enum alias_file_kind kind, struct buf *out);

/*
 * The three files of a peer, each empty where it has none; errors as
 * alias_file().  PEER_FILES_INIT before, peer_files_release() after.
 */
struct peer_files {
	struct buf ca, cert; /* PEM */
	struct buf key;	     /* PEM, secret */
};
#define PEER_FILES_INIT               \
	{                             \
		.key = {.secret = 1 } \
	}
enum err alias_peer(
    int home, const struct peer_rules *peer, struct peer_files *out);
void peer_files_release(struct peer_files *files);

/* All keys, for help, `alias show` and the test of example.ini. */
struct alias_key {
	const char *section, *key, *fallback, *meaning;
};
extern const struct alias_key alias_keys[]; /* ends with section NULL */
/* Is the value of this key never shown?  authpwd's "none" may be. */
bool alias_key_secret(const char *section, const char *key);

/*
 * The CA a GET operation is about (DESIGN 4): ident (may be empty), else the
 * default; with judge = intune always that.
 */
const char *alias_ca(const struct alias *a, struct span ident);
bool alias_serves(const struct alias *a, const char *ca);

/*
 * Site settings, scep.ini in the home; a missing file means the defaults.
 */
struct site {
	size_t maxbody;	 /* [limits] body = 1048576 bytes */
	size_t maxquery; /* [limits] query = 131072 bytes */
	char baseurl[MAX_BASEURL +
		     1];     /* [site] baseurl, no '/' at its end; "" */
	int64_t crlvalidity; /* [crl] validity = 7d, in seconds */
	int64_t crloverlap;  /* [crl] overlap = a seventh of that */
	int64_t grace; /* [ca] grace = 30d: of a former CA's key, in seconds */
};
#define SITE_INIT                                                            \
	{                                                                    \
		.maxbody = MAX_BODY, .maxquery = MAX_QUERY, .baseurl = "",   \
		.crlvalidity = 7 * DAY, .crloverlap = DAY, .grace = 30 * DAY \
	}
enum err site_read(int home, struct site *out);

#endif
