#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

/*
 * Every cap in one place; each is checked before anything is parsed.  Plain
 * numbers, so that they compare with sizes of any type without warnings.
 */

/* HTTP */
#define MAX_QUERY      131072	/* bytes of a query string (C-11: 414) */
#define MAX_BODY       1048576	/* bytes of a POST body (C-12: 413) */
#define MAX_DISCARD    16777216 /* bytes read only to be able to answer */
#define MAX_DISCARD_MS 5000	/* and how long that may take */
#define MAX_PATH_INFO  2048	/* bytes of a request path */
#define MAX_PEER_CERT  32768	/* bytes of SSL_CLIENT_CERT */
#define MAX_PEER_TEXT  250	/* bytes of SSL_CLIENT_S_DN; lighttpd cuts it */
#define MAX_CA_IDENT   256	/* bytes of message= in GET operations */

/* Messages (C-52, C-71, C-177) */
#define MAX_DEPTH      32    /* nested BER elements */
#define MAX_ELEMENTS   20000 /* BER elements of one message */
#define MAX_CERTS      20    /* certificates in a SignedData */
#define MAX_ATTRIBUTES 50    /* attributes of a SignerInfo or CSR */
#define MAX_RECIPIENTS 10    /* RecipientInfos */
#define MAX_TXID       255   /* bytes of a transactionID */
#define MIN_NONCE      8     /* bytes of a senderNonce (C-59) */
#define MAX_NONCE      64
#define MAX_CHALLENGE  255  /* characters of a challengePassword */
#define MIN_SIGNER_RSA 1024 /* bits of a signer's key (C-80) */
#define MAX_RSA	       8192 /* bits of any RSA key (C-177) */
#define MAX_RSA_E      33   /* bits of a public exponent (C-177) */
#define MIN_SALT       8    /* bytes of a PBKDF2 salt (C-93) */
#define MAX_SALT       64
#define MIN_PBKDF2     1000   /* iterations of a request's PBKDF2 (C-93) */
#define MAX_PBKDF2     200000 /* above: refused before one is computed */
#define SEND_PBKDF2    100000 /* iterations in our replies */
#define MAX_WRAPPED    64     /* bytes of a content key under a password */
#define MAX_SAN	       100    /* general names in one extension */
#define MAX_SAN_DER    16384  /* bytes of them all */
#define MAX_SUBJECT    4096   /* bytes of a subject to be certified */
#define MAX_NAME_PARTS 64     /* attributes of it */
#define MAX_EXTENSIONS 50     /* extensions in a request */
#define MAX_COPIED     4096   /* bytes of an extension taken from a request */

/* JSON of other services */
#define MAX_JSON       1048576 /* bytes of a text that is read */
#define MAX_JSON_DEPTH 32      /* objects and arrays in each other */

/* Files */
#define MAX_RECORD     262144	/* bytes of one store file */
#define MAX_INI	       262144	/* bytes of one configuration file */
#define MAX_PEM	       262144	/* bytes of a key or certificate file */
#define MAX_IMPORT     67108864 /* bytes of a CSV file */
#define MAX_CRL	       67108864 /* bytes of a CRL */
#define MAX_NAME       200	/* bytes of an escaped name in a path */
#define MAX_ALIAS      32	/* characters of an alias name */
#define MAX_PROFILE    32	/* characters of a profile name */
#define MAX_URL	       1000	/* bytes of a URL in a certificate */
#define MAX_BASEURL    200	/* bytes of the site's URL */
#define MAX_CAS	       20	/* CAs that one alias serves */
#define MAX_USERNAME   255	/* bytes of an entity's name */
#define MAX_DN_TEXT    4096	/* bytes of a DN or SAN as text */
#define MAX_CODE_COUNT 10000	/* enrolments one code may pay for */
#define MAX_DAYS       36600	/* of a CA's or an RA's life */
#define MAX_TRIES      10	/* wrong passwords an hour */
#define MAX_APPROVALS  9	/* people who must approve one request */
#define MAX_WAITING    1000000	/* requests of one alias that may wait */
#define MAX_PEERS      100	/* names in [access] peers */
#define MAX_TIMEOUT    120	/* seconds that a judge or a peer may take */
#define MAX_WHY	       200  /* bytes of what a judge says about its ruling */
#define MAX_PRINTED    4096 /* bytes that a program may print who judges */

/*
 * Seconds that a process may take from its clock to its last link: a grant
 * that takes longer is dead, and a record that is older has come to rest.
 */
#define SETTLED 600

#endif
