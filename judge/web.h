#ifndef JUDGE_WEB_H
#define JUDGE_WEB_H

#include "judge/judge.h"

/*
 * The two halves of what judge_web() says to its service and hears of it, as
 * step-ca's webhook SCEPCHALLENGE has them (smallstep/certificates, webhook/
 * types.go); plain functions of bytes.
 */

/*
 * The body of the request as JSON, appended to out, which is secret: it has
 * the challenge, in scepChallenge and in the CSR.  ERR_INPUT (silent): *why
 * says what the request has that JSON cannot say.  ERR_SYSTEM.
 */
enum err web_ask(const struct judge_case *c, struct buf *out, const char **why);

/*
 * Reads the body of an answer with status 200 into j.  Nothing but a clean
 * `allow` is a yes or a no; the rest is LATER, logged.  Of `data` the texts
 * username, subject, san, profile and validity are overrides, with YES.
 * ERR_SYSTEM: memory.
 */
enum err web_reply(
    const struct judge_case *c, struct span body, struct judgement *j);

/*
 * The key of the signature, and the token, out of their files; appended.
 * ERR_INPUT (logged): the file cannot be used, or does not hold such a thing;
 * ERR_BUSY: it changed meanwhile.  For `alias check` too.
 */
enum err web_key(int home, const struct web_rules *web, struct buf *key);
enum err web_token(int home, const struct web_rules *web, struct buf *token);

#endif
