#ifndef TESTS_BUILDER_H
#define TESTS_BUILDER_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

/*
 * An independent writer and reader of SCEP messages, for the tests: DER is
 * put together by hand, so that everything that no client makes can be made;
 * replies are read with OpenSSL's CMS API.  Shares no code with the server.
 *
 * Whatever goes wrong ends the program (die()); memory is kept to the end.
 */
struct bytes {
	unsigned char *p;
	size_t n;
};

/* builder_der.c */
__attribute__((noreturn)) void die(const char *what);
unsigned char *hold(size_t n); /* zeroed, reachable until the end */
struct bytes raw(const void *p, size_t n);
struct bytes text(const char *s);
struct bytes join(const struct bytes *part, size_t n);
struct bytes tlv(unsigned tag, struct bytes body);
struct bytes tlv_ber(bool ber, unsigned tag, struct bytes body);
struct bytes octets(bool ber, unsigned tag, struct bytes body);
struct bytes set_of(unsigned tag, struct bytes *part, size_t n);
struct bytes oid(const char *dotted);
struct bytes number(long n);
struct bytes algorithm(const char *dotted); /* with NULL parameters */
struct bytes bit_string(struct bytes body);
struct bytes noise(size_t n);			/* random bytes */
struct bytes take(unsigned char *der, int len); /* of an i2d function */
struct bytes hex(const char *digits);
struct bytes unescape(const char *s); /* \xNN inside */
struct bytes read_file(const char *path);
void write_file(const char *path, struct bytes b); /* "-": standard output */

#define PARTS(...) ((const struct bytes[]){ __VA_ARGS__ })
#define JOIN(...)                \
	join(PARTS(__VA_ARGS__), \
	    sizeof(PARTS(__VA_ARGS__)) / sizeof(struct bytes))
#define SEQ(...) tlv(0x30, JOIN(__VA_ARGS__))
#define SET(...) tlv(0x31, JOIN(__VA_ARGS__))
#define NOTHING	 ((struct bytes){ NULL, 0 })

/* What was typed; NULL: not given. */
struct opts {
	const char *ca, *key, *cert, *serial, *signer_cert, *signer_key,
	    *subject;
	const char *challenge, *challenge_type, *in_extension, *san;
	const char *extensions, *attributes, *as, *said, *signer_subject;
	const char *envelope;
	const char *txid, *cipher, *digest, *transport, *type, *nonce;
	const char *csr, *csr_out, *cert_out, *ber, *flaws, *block;

	const char *pss, *password, *iterations, *legacy;
	const char *in, *out, *style, *out_prefix, *port;
};

enum attr {
	ATTR_CONTENT_TYPE,
	ATTR_DIGEST,
	ATTR_TYPE,
	ATTR_NONCE,
	ATTR_TXID,
	ATTR__MAX
};
enum attr_flaw {
	ATTR_GOOD,
	ATTR_MISSING,
	ATTR_DOUBLED,
	ATTR_TWO_VALUES,
	ATTR_NO_VALUE,
	ATTR_UNSIGNED,
	ATTR_WRONG_KIND
};
enum key_flaw {
	KEY_GOOD,
	KEY_HUGE,
	KEY_SMALL,
	KEY_EC,
	KEY_OTHER,
	KEY_NOBODYS,
	KEY_E_ONE,
	KEY_E_HUGE
};
enum recipient_flaw {
	TO_US,
	TO_OTHER,
	TO_NOBODY,
	TO_US_TWICE,
	TO_US_SECOND,
	TO_MANY,
	TO_PASSWORD,
	TO_US_BY_SKI
};
enum content_flaw {
	CONTENT_GOOD,
	CONTENT_CLEAR,
	CONTENT_NOISE,
	CONTENT_NONE,
	CONTENT_ABSENT,
	CONTENT_TRAILING
};
enum pad_flaw { PAD_GOOD, PAD_ZERO, PAD_LONG, PAD_UNEVEN };
enum block_flaw {
	BLOCK_GOOD,
	BLOCK_FLIPPED,
	BLOCK_TYPE1,
	BLOCK_NO_ZERO,
	BLOCK_EARLY_ZERO,
	BLOCK_SHORT,
	BLOCK_CUT,
	BLOCK_LARGE,
	BLOCK_OTHER_KEY
};
enum flip { FLIP_NONE, FLIP_FIRST, FLIP_MIDDLE, FLIP_LAST, FLIP_IV, FLIP_AT };
enum order { ORDER_SORTED, ORDER_AS_SIGNED, ORDER_SIGNED_SORTED };
enum certs_flaw {
	CERTS_GOOD,
	CERTS_SHUFFLED,
	CERTS_NONE,
	CERTS_OTHER,
	CERTS_MANY
};
enum tail { TAIL_NONE, TAIL_CRLF, TAIL_NOISE, TAIL_TWICE, TAIL_CUT };
enum whole { WHOLE_GOOD, WHOLE_EMPTY, WHOLE_NOISE, WHOLE_DEEP, WHOLE_ENVELOPE };
enum serial_flaw {
	SERIAL_GOOD,
	SERIAL_NEGATIVE,
	SERIAL_LONG,
	SERIAL_ZERO,
	SERIAL_ONE,
	SERIAL_ID /* the transactionID as text */
};
/* What a transactionID is made of, if none is given. */
enum id {
	ID_SHA1_SPKI_UPPER, /* strongSwan, and whoever names none */
	ID_SHA1_SPKI_LOWER,
	ID_SHA1_RSA_UPPER,
	ID_MD5_SPKI_UPPER,
	ID_MD5_SPKI_LOWER,
	ID_SERIAL,
	ID__MAX
};
enum challenge_flaw {
	CHALLENGE_GOOD,
	CHALLENGE_NONE,
	CHALLENGE_TWO,
	CHALLENGE_TWO_VALUES,
	CHALLENGE_INTEGER,
	CHALLENGE_LONG,
	CHALLENGE_NO_ATTRS
};
enum subject_flaw {
	SUBJECT_GOOD,
	SUBJECT_OID_OPEN,
	SUBJECT_OID_PADDED,
	SUBJECT_OID_EMPTY,
	SUBJECT_OID_LONG,
	SUBJECT_BOOLEAN,
	SUBJECT_NUL,
	SUBJECT_UTF8,
	SUBJECT_LENGTH,
	SUBJECT_EMPTY_SET,
	SUBJECT_MANY,
	SUBJECT_HUGE
};
enum san_flaw {
	SAN_GOOD,
	SAN_NUL,
	SAN_ADDRESS,
	SAN_UNKNOWN,
	SAN_LENGTH,
	SAN_NAME,
	SAN_MANY,
	SAN_TWO,
	SAN_HUGE
};
enum extra {
	EXTRA_NONE,
	EXTRA_HARMLESS,
	EXTRA_DOUBLED,
	EXTRA_MANY,
	EXTRA_BIG,
	EXTRA_DEEP,
	EXTRA_TIME,
	EXTRA_NONCE
};

/* One message to be: the options read, and what is wrong with it. */
struct plan {
	/* what the options say */
	const struct opts *o;
	X509 *ca;
	EVP_PKEY *key; /* of the CSR */
	EVP_PKEY *signer;
	struct bytes cert;		  /* the signer's, DER */
	struct bytes issuer, serial, ski; /* of it: DER, DER, plain */
	struct bytes txid, nonce;
	bool ber;
	/* texts that a flaw may set instead of an option */
	const char *cipher, *digest, *transport, *type, *challenge;
	const char *signer_name, *txid_text, *csr_digest, *signature_oid,
	    *transport_oid;
	/* what is wrong, each from one of the enums above */
	int attr[ATTR__MAX];
	int signer_key, csr_key, recipient, content, pad, block, flip;
	int order, certs, tail, whole, serial_form, challenge_form, extra;
	int signers, no_attrs, digest_wrong, signature_wrong, version, by_ski;
	int no_digest_algs, env_version, cek_more, iv_more, oaep_mixed, flip_at;
	int subject_form, san_form;
	int csr_version, csr_unsigned, csr_tail, csr_ca, csr_ber;
	int cert_v1, cert_old, cert_aki, txid_bytes, nonce_bytes, deep_content;
	int pieces, id;
};

/* builder_key.c */
EVP_PKEY *key_read(const char *path);
EVP_PKEY *key_new(const char *kind); /* bits of RSA, 0: P-256, a name */
struct bytes key_spki(const EVP_PKEY *key, int flaw);
void key_signer(struct plan *p); /* p->signer, cert, issuer, serial, ski */
/* With pss: RSASSA-PSS, if the key is an RSA key. */
struct bytes key_sign(
    EVP_PKEY *key, const char *digest, bool pss, struct bytes data);
/* The AlgorithmIdentifier that names digest and kind of key. */
struct bytes key_sign_alg(EVP_PKEY *key, const char *digest, bool pss);
struct bytes name_der(const char *subject);
struct bytes ski_of(struct bytes spki);
X509 *cert_read(const char *path);
struct bytes cert_issuer(const X509 *cert);
struct bytes cert_subject(const X509 *cert);
struct bytes cert_serial(const X509 *cert);

/* builder_csr.c */
struct bytes csr_build(const struct plan *p);

/* builder_envelope.c */
struct bytes envelope_build(const struct plan *p, struct bytes content);

/* builder_password.c */
struct bytes password_envelope(const struct plan *p, struct bytes content);

/* builder_message.c */
struct bytes message_build(const struct plan *p, struct bytes csr);
const char *digest_oid(const char *name);

/* builder_client.c */
void client_apply(struct plan *p, const char *name);
struct bytes client_txid(const struct plan *p);
/* What a client keeps of a request, lines txid=ESCAPED and nonce=HEX. */
void client_said(const struct plan *p, const char *path);

/* builder_break.c */
void flaws_apply(struct plan *p, const char *names); /* a,b,c */
int flaws_list(void);

/*
 * builder_post.c: sends a message to 127.0.0.1 and says in a letter what came
 * back: S success, A M R T C the failInfo of a verified CertRep, 4 HTTP 400,
 * L HTTP 413, - no answer, ? or ! something else.
 */
char post_letter(int port, struct bytes message, X509 *ca);

/* builder_grammar.c: a line for each variant that is not as it must be. */
unsigned grammar_walk(struct plan *p, const char *type, struct bytes content,
    int port, unsigned *tried);

/*
 * builder_fields.c: the letter that this variant must be answered with, and
 * what the field is called.  A field that is not in the table ends the program.
 */
char field_answer(
    const char *type, const char *region, const char *path, const char *way);
const char *field_name(const char *type, const char *region, const char *path);

/* builder_certrep.c, builder_get.c: subcommands */
int certrep_main(const struct opts *o);
int get_main(const struct opts *o);

#endif
