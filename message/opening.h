#ifndef MESSAGE_OPENING_H
#define MESSAGE_OPENING_H

#include "message/attrs.h"
#include "message/ber.h"
#include "message/csr.h"
#include "message/envelope.h"
#include "message/signed.h"

/*
 * Inside message_open(): one message on its way through steps.  open.c has
 * the walk and the steps that read, check.c those that hold what was read
 * against the policy, content.c those behind the envelope.
 *
 * A step answers OK and leaves msg->fail alone to go on; a refusal is a
 * value (opening_refuse()); an error is our own trouble, or a message that
 * cannot be answered.
 */
struct opening {
	const struct ca *const *cas;
	size_t ncas;
	const struct message_policy *policy;
	struct span in;
	struct pkimsg *msg;
	struct ber outer; /* the message */
	struct ber inner; /* eContent, where the envelope is */
	struct signed_data sd;
	struct attrs attrs;
	struct envelope env;
	const char *env_wrong; /* why it cannot be read; NULL: it can */
	struct address address;
	/* where a password opens the envelope, not a key of ours (C-92) */
	bool password;
	struct pwri pwri;
	struct buf secret;
	struct secret_answer who; /* of source->find(); gen NULL: nobody */
};

/* Sets the verdict; always OK.  reason is a constant. */
enum err opening_refuse(
    struct opening *o, enum failinfo fail, const char *reason);

/* check.c: cheap ones first, in this order (C-177). */
enum err check_digest(struct opening *o);
enum err check_key(struct opening *o);
enum err check_message_digest(struct opening *o);
enum err check_signature_of(struct opening *o);
enum err check_type(struct opening *o);
enum err check_envelope(struct opening *o);
/* Can the answer be encrypted without the request's challenge (C-99)? */
enum err check_reply(struct opening *o);
/* Does it come by a key of ours, not under a password (C-99)? */
enum err check_known(struct opening *o);
/* Is the signer one of ours, and may it renew (C-77)? */
enum err check_signer(struct opening *o);
/* Of a CSR whose signature was good: nothing secret is told. */
enum err check_csr(struct opening *o, const struct csr_check *csr);

/* content.c: uniform, whatever came out of the cipher (DESIGN 5, C-168). */
enum err open_csr(struct opening *o);
enum err open_wanted(struct opening *o);

#endif
