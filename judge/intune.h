#ifndef JUDGE_INTUNE_H
#define JUDGE_INTUNE_H

#include <stdbool.h>
#include <stdint.h>

#include "aliases/alias.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/names.h"
#include "base/version.h"
#include "fetch/fetch.h"
#include "judge/judge.h"

/*
 * Microsoft Intune (ejbca-behaviour 8): a token of the directory, the address
 * of a service from Graph, and a call.  intune.c judges, intune_call.c calls,
 * intune_token.c and intune_jwt.c say who we are, intune_revoke.c carries
 * revocations.
 *
 * Trouble of Microsoft's side, of the way there, or with who we are is
 * ERR_BUSY, logged: nothing was said, ask again later.  EJBCA answers such a
 * request with HTTP 400, which clients take as final; ours is a 503.
 */
#define INTUNE_CALLER "scep " SCEP_VERSION
#define INTUNE_LIMIT  1048576 /* bytes of an answer: MAX_JSON */

/* What one alias's file says of Intune, with its secrets, for a while. */
struct intune {
	const struct intune_rules *rules; /* borrowed */
	const char *alias;		  /* borrowed */
	int64_t now;
	struct buf secret; /* aadappkey, or PEM of key and certificate */
	struct buf ca;	   /* PEM of cafile, or empty */
	struct buf proxy, proxyuser;
	char key[SHA256_HEX]; /* hash of all this: caches go by it */
};
/*
 * Reads the files that the alias names.  ERR_INPUT (logged): one cannot be
 * used; ERR_BUSY: it changed meanwhile.  intune_close() in any case.
 */
enum err intune_open(
    const struct alias *a, int home, int64_t now, struct intune *out);
void intune_close(struct intune *in);

/*
 * A token for that scope, from the cache of this process or a new one;
 * borrowed until the next intune_token() or intune_token_drop().  Tokens are
 * never stored or logged.
 */
enum err intune_token(
    const struct intune *in, const char *scope, const char **token);
void intune_token_drop(const struct intune *in, const char *scope);

/*
 * Until when a token is used that was asked for then and is good for so many
 * seconds: five minutes less, or a tenth where that is less.
 */
int64_t intune_until(int64_t asked, int64_t seconds);

/*
 * A JSON Web Token, RS256, that says for a minute who we are, signed with the
 * key of `pem`, beside which its certificate stands (RFC 7523).  ERR_INPUT
 * (logged): no such key, no such certificate.
 */
struct intune_claims {
	const char *where;    /* the file, for messages */
	const char *audience; /* URL of the token's service */
	const char *client;   /* application id */
	int64_t now;
};
enum err intune_jwt(
    const struct intune_claims *c, struct span pem, struct buf *out);

/* A new random UUID, for client-request-id and jti. */
#define UUID_TEXT 37
enum err intune_uuid(char out[UUID_TEXT]);

/* One HTTP request by the rules of the alias: its CAs, proxy and time. */
enum err intune_http(const struct intune *in, const char *method,
    const char *url, const char *const *header, struct span body,
    struct http_answer *out);

/* Two of Intune's services, found by Graph. */
enum intune_service { INTUNE_SCEP, INTUNE_REVOCATION, INTUNE__MAX };

/*
 * POST of `ask` to <service>/verb.  OK: HTTP 200 and a JSON object, *answer is
 * the caller's.  A 401 is tried once more with a new token; where the service
 * cannot be reached, is in trouble or has moved, its address is asked for anew
 * the next time.
 */
enum err intune_call(const struct intune *in, enum intune_service service,
    const char *verb, const struct json *ask, struct json **answer);

/* What an answer's code means to a request. */
enum ruling intune_ruling(const char *code, const char **reason);

/* The first bytes of a text, 255 at most, whole characters of UTF-8. */
struct span intune_cut(const char *text);

/* judge.h, judge_issued() and judge_refused(). */
enum err intune_issued(const struct judge_case *c, struct span cert);
enum err intune_refused(const struct judge_case *c, int fail, const char *why);

/* A certificate (DER) as Intune is told of it, put into an object. */
enum err intune_put_cert(struct json *out, struct span cert);

/* ---- revocations ---------------------------------------------------------- */

#define INTUNE_MAX_REVOKE 500

/* What became of one; the numbers are Microsoft's. */
enum intune_result {
	INTUNE_DONE = 0,
	INTUNE_BAD = 4002,	 /* the request cannot be understood */
	INTUNE_NOTFOUND = 4004,	 /* no such certificate here */
	INTUNE_CONFLICT = 4005,	 /* it is revoked already */
	INTUNE_RETRYABLE = 4100, /* our own trouble */
};

struct intune_revocation {
	char *context; /* its name there */
	char *serial;  /* in hex, as it came; "" none */
	char *issuer;  /* as text, as it came; "" none */
	enum intune_result result;
	const char *why; /* constant, for people there */
};
struct intune_revocations {
	struct intune_revocation *item;
	size_t n;
};
void intune_revocations_release(struct intune_revocations *r);

/* Up to max requests, of one issuer or (NULL) of all. */
enum err intune_download(const struct intune *in, int64_t max,
    const char *issuer, struct intune_revocations *out);
/* Tells what became of them all. */
enum err intune_upload(
    const struct intune *in, const struct intune_revocations *r);

#endif
