#ifndef ENROL_OWN_H
#define ENROL_OWN_H

#include "enrol.h"
#include "judge/judge.h"

/* Shared by the files of enrolment, and by queue.c, which takes in for others. */

/* Makes d an answer with the certificate in d->outcome; OK. */
enum err decision_keep(struct decision *d);

/*
 * Was this outcome bought by what would buy d's: the same code, the same old
 * certificate, or the secret of the alias?
 */
bool decision_paid(const struct decision *d, const struct outcome *o);

/* Is a certificate of no use: expired, revoked by now, or on hold? */
enum err outcome_spent(
    const struct store *st, int64_t now, const struct outcome *o, bool *yes);

/* enrol_release.c: one that is, and that its judge has not acknowledged; OK. */
enum err decision_unreleased(struct decision *d);

/*
 * With d->waiting: its profile instead of the one that alias or entity name
 * by now.
 */
enum err decision_keep_rules(struct decision *d);

/* With d->waiting: the code that paid when it was put into the queue. */
void decision_paid_before(struct decision *d);

/* "<transaction>,<attempt>" of what d would grant; false: memory is out. */
bool decision_attempt(const struct decision *d, struct buf *out);

/*
 * A road is a way to a certificate, by what pays for it.  All of them answer
 * OK with d->verdict GRANT or REFUSE, or our own trouble.
 */
struct road {
	/* Who is it, and by what right?  Fills d->entity and d->pay. */
	enum err (*ask)(const struct enrol *in, const struct pkimsg *msg,
	    int64_t now, struct decision *d);
	/* Is there still something to pay with?  Claims nothing. */
	enum err (*room)(const struct enrol *in, const struct pkimsg *msg,
	    int64_t now, struct decision *d);
	/* Pays, durably; a refusal that only paying can find. */
	enum err (*pay)(const struct enrol *in, const struct pkimsg *msg,
	    int64_t now, struct decision *d);
};
extern const struct road road_code;    /* CA mode: an entity and its code */
extern const struct road road_secret;  /* RA mode: the alias's secret */
extern const struct road road_renewal; /* a certificate that is to be renewed */

extern const struct road road_judge; /* CA mode: an entity, another's yes */

/* enrol_code.c: room and payment of d->code, if a code pays. */
enum err enrol_code_room(
    const struct enrol *in, int64_t now, struct decision *d);
enum err enrol_code_pay(
    const struct enrol *in, int64_t now, struct decision *d);
/*
 * Behind the record of a request that waits: as code_paid(), whose ERR_BUSY
 * says that the record must go.
 */
enum err enrol_code_paid(const struct enrol *in, const struct decision *d);

/*
 * enrol_judge.c: asks the alias's judge about this request.  OK with
 * d->verdict GRANT, and the judge's yes in *j (decision_take() moves it into
 * d), or REFUSE; ERR_BUSY: the judge says later.
 */
enum err enrol_judge(const struct enrol *in, const struct pkimsg *msg,
    int64_t now, struct decision *d, struct judgement *j);
void decision_take(struct decision *d, struct judgement *j);
/* The case for the judge; subject and SAN stay "".  Borrows from all three. */
struct judge_case enrol_case(const struct enrol *in, const struct pkimsg *msg,
    int64_t now, const struct decision *d);
/*
 * enrol_release.c: the judge's yes, to this message or to d->received, came to
 * nothing, by d->fail and d->reason; that nobody heard is logged.
 */
void enrol_tell_refusal(const struct enrol *in, const struct pkimsg *msg,
    int64_t now, const struct decision *d);
/* Names and profile of d->over into d->entity. */
enum err decision_override(struct decision *d);
/* May an answer be enveloped under the challenge, where it has to be (C-96)? */
enum err enrol_strength(const struct pkimsg *msg, struct decision *d);

/* enrol_look.c: the profile that a certificate gets by d->entity and alias. */
const char *enrol_profile_name(
    const struct alias *alias, const struct decision *d);

/* enrol_look.c: of the certificate to be, in seconds at most; 0: any. */
int64_t enrol_validity(const struct decision *d);

/* enrol_renew.c: "<ca>/<generation>/<serial>" of what a renewal renews. */
enum err enrol_renews(const struct pkimsg *msg, struct buf *out);

/* enrol_code.c: may a replay buy again?  See there. */
enum err enrol_buys_again(const struct enrol *in, const struct pkimsg *msg,
    int64_t now, struct decision *d, bool *yes);

#endif
