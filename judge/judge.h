#ifndef JUDGE_JUDGE_H
#define JUDGE_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "aliases/alias.h"
#include "base/buf.h"
#include "ca/ca.h"
#include "store/code.h"
#include "store/entity.h"
#include "store/store.h"

/*
 * One interface, several judges of a request ([challenge] judge): one file
 * each, and a table of them (judge.c).
 */
enum ruling {
	RULING_YES,
	RULING_NO,
	RULING_LATER, /* it cannot say now: the client tries again (503) */
	RULING__MAX
};

struct judge_case {
	const struct alias *alias;
	const struct store *store;
	int home;	       /* descriptor, for files that the alias names */
	const char *username;  /* who the request says it is; "" nobody */
	const struct ca *ca;   /* the addressed one; borrowed */
	struct span challenge; /* as received, UTF-8 */
	struct span csr;       /* PKCS#10 DER as received, with its challenge */
	struct span name;      /* subject of the request, DER; empty: none */
	const char *subject;   /* the same as text; "" none */
	const char *san;       /* the same */
	struct span altname;   /* subjectAltName of the request; empty: none */
	const struct extension *asked; /* all that it asks for; borrowed */
	size_t nasked;
	struct span txid;   /* transactionID as received */
	const char *remote; /* who asks; "" unknown */
	int64_t now;
};

/* What a judge wants the certificate to be instead; all owned. */
struct overrides {
	char *username;	  /* or NULL */
	char *subject;	  /* as text, or NULL */
	char *san;	  /* as text, "" for none at all, or NULL */
	char *profile;	  /* certificate profile, or NULL */
	int64_t validity; /* seconds at most; 0: the profile's */
};
void overrides_release(struct overrides *o);

struct judgement {
	enum ruling ruling;
	const char *reason;   /* constant, for the log; never sent (C-163) */
	struct entity entity; /* owned; with YES of judge_entity() */
	struct code code;     /* owned; with YES: what will pay, if id is set */
	struct overrides over; /* owned; with YES; checked: they can be read */
	struct buf why; /* owned; the judge's own words, at most MAX_WHY */
};
void judgement_init(struct judgement *j);
void judgement_release(struct judgement *j);

/*
 * Asks the judge of c->alias.  Claims nothing, and nothing is claimed while
 * it takes its time.  A judge that is down, slow or says nonsense says LATER
 * (logged).  ERR_SYSTEM, ERR_BUSY: our own trouble (logged; HTTP 503 too).
 */
enum err judge(const struct judge_case *c, struct judgement *j);

/*
 * What becomes of its yes.  judge_holds(): the word for outcomes of a judge
 * that must know of a certificate before it leaves; NULL for all others.
 * judge_issued() tells it of the certificate (DER) that this request got: OK,
 * it has acknowledged that.  ERR_BUSY (logged): not yet; it is told again.
 * judge_refused() tells it that its yes came to nothing; fail is the failInfo
 * of the answer, negative for none, why is for its people.  That nobody heard
 * is logged, and that is all.
 */
const char *judge_holds(const struct alias *a);
enum err judge_issued(const struct judge_case *c, struct span cert);
void judge_refused(const struct judge_case *c, int fail, const char *why);

/*
 * A registered entity and its own code.  Looks up the entity, its CA and its
 * code.  Every NO costs one scrypt and the files of an attempt mark, whichever
 * it is.  Counts wrong chosen passwords.  ERR_SYSTEM: our own trouble,
 * ERR_BUSY: too many passwords at once (both HTTP 503).
 */
enum err judge_entity(const struct judge_case *c, struct judgement *j);

/*
 * Does the request bring the secret of the alias?  Compared in constant time;
 * every NO costs one scrypt.  Nothing is counted and nobody is locked out (see
 * judge/ra.c).  With `authpwd = none` YES, whatever the challenge is; it is
 * not looked at.  j->entity and j->code stay empty: no code pays.
 * Without a secret, where an external RA has judged (`[queue] ra`), NO.
 * ERR_SYSTEM: the alias has no secret, which its file never says.
 */
enum err judge_ra(const struct judge_case *c, struct judgement *j);

/*
 * A one-time code of this alias, not over, and for nobody else than the
 * request's subject; in CA mode it is for an entity, which is the one that is
 * meant, whoever the request says it is (over.username); elsewhere one for a
 * subject says the SAN too (over.san).  Every NO costs one scrypt and the files
 * of an attempt mark.  That the code is used up is found when it is to pay.
 * ERR_SYSTEM: our own trouble.
 */
enum err judge_onetime(const struct judge_case *c, struct judgement *j);

/*
 * Microsoft Intune: it made the challenge, and says whether this request is
 * the one that it made it for (ejbca-behaviour 8).
 */
enum err judge_intune(const struct judge_case *c, struct judgement *j);

/*
 * Can nobody guess the alias's secret, 128 bits or more, who has something to
 * try guesses on for as long as he likes: an envelope or an answer under it
 * (C-95, C-96)?  At least 22 characters without blanks, 8 of them different;
 * 26 if its letters are all of one case, 32 if hex digits are all it has, 39
 * if digits are.  No secret is none.
 */
bool judge_strong_secret(const struct alias *a);

/*
 * A program of the administrator's ([program] path): it gets the CSR, what is
 * known of the request, and the challenge, which nobody else has looked at.
 * Its exit status is the ruling, its output are lines of overrides, and what
 * else it says is logged (scep-alias(5), The program).  Whatever else it does
 * is LATER (logged).  ERR_SYSTEM: our own trouble.
 */
enum err judge_program(const struct judge_case *c, struct judgement *j);

/*
 * A web service ([web] url), asked as step-ca asks its webhooks for SCEP
 * challenges; scep-alias(5), The web service.  Only an answer with status 200
 * and a clean `allow` is a YES or a NO; whatever else there is, or is not, is
 * LATER (logged).  ERR_SYSTEM, ERR_BUSY: a file that the alias names.
 */
enum err judge_web(const struct judge_case *c, struct judgement *j);

/*
 * What a judge far away wants of the certificate, or says about it, by one
 * key and its value, into j->over or j->why:
 *
 *	username   1 to MAX_USERNAME bytes
 *	subject    a DN as dn_parse() has it, that can be certified
 *	san        as san_parse() has it, or empty: none at all
 *	profile    the name of a profile
 *	validity   a duration as 30d, 12h
 *	reason     1 to MAX_WHY bytes for the log
 *
 * none of them with control characters.  ERR_INPUT: there is no such key, it
 * came before, or this is no value for it: the judge is broken; logged, with
 * `who` as the one that said it.  ERR_SYSTEM.
 */
enum err overrides_put(
    const char *who, struct span key, struct span value, struct judgement *j);

/*
 * The same for lines `key=value`, without blanks around the '='.  The last
 * line may lack its newline; an empty text says nothing.
 */
enum err overrides_read(const char *who, struct span text, struct judgement *j);

/*
 * The secret under which requests may be enveloped, asked for before anything
 * is decrypted (C-95, C-96), and the CA that they are for.  CA mode: the
 * recoverable code of the entity `username`, and its CA.  ERR_NOTFOUND: it
 * has none that can be recovered.  ERR_REFUSED: nobody in this home has.  RA
 * mode: the alias's own, if it is strong, and defaultca, whoever asks; else
 * ERR_REFUSED.
 */
enum err judge_secret(const struct alias *a, const struct store *st,
    const char *username, struct buf *secret, char **ca);

#endif
