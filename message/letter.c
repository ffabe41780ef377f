#include "message/letter.h"

#include "base/log.h"
#include "message/envelope.h"
#include "message/sealing.h"
#include "message/set.h"
#include "message/signed.h"

/* ---- writing ------------------------------------------------------------ */

static enum err
make_content(
    const struct letter *in, const struct generation *to, struct buf *out)
{
	struct buf body = BUF_SECRET, whole = BUF_SECRET;
	bool good = der_put(&body, DER_UTF8, in->text);
	struct wrap how = { .transport = TRANSPORT_OAEP_SHA256,
		.cipher = CIPHER_AES256 };
	enum err e = ERR_SYSTEM;

	for (size_t i = 0; good && i < LETTER_PARTS; i++)
		good = der_put(&body, DER_OCTETS, in->part[i]);
	if (!good || !der_put(&whole, DER_SEQUENCE, buf_span(&body)))
		goto out;
	if (to == NULL) {
		e = buf_add(out, whole.data, whole.len) ? OK : ERR_SYSTEM;
		goto out;
	}
	how.issuer = to->issuer;
	how.serial = to->serial;
	how.spki = to->spki;
	e = envelope_wrap(&how, buf_span(&whole), out);
out:
	buf_release(&body);
	buf_release(&whole);
	return e;
}

static enum err
make_attrs(struct sealing *s, const struct letter *in)
{
	struct span name = span_of(in->name, strlen(in->name));
	struct buf list = BUF_INIT;
	char type[4];
	enum err e;

	(void)snprintf(type, sizeof(type), "%d", (int)in->kind);
	if ((e = sealing_cms_attrs(s, &list)) != OK)
		goto out;
	e = ERR_SYSTEM;
	if (sealing_attr(
		&list, ATTR_MESSAGE_TYPE, DER_PRINT, span_of(type, 3)) &&
	    sealing_attr(&list, ATTR_SENDER_NONCE, DER_OCTETS,
		span_of(in->nonce, LETTER_NONCE)) &&
	    (in->answers.len == 0 || sealing_attr(&list, ATTR_RECIPIENT_NONCE,
					 DER_OCTETS, in->answers)) &&
	    sealing_attr(&list, ATTR_TRANSACTION_ID, DER_PRINT, name))
		e = set_sort(buf_span(&list), MAX_ATTRIBUTES, &s->attrs);
out:
	buf_release(&list);
	return e;
}

enum err
letter_seal(const struct letter *in, const struct generation *by,
    const struct generation *to, struct buf *out)
{
	struct sealing s = { .by = by, .digest = DIGEST_SHA256 };
	enum err e;

	if (to != NULL && key_type(to->key) != KEY_RSA) {
		log_error("the CA's key is no RSA key: nothing can be "
			  "encrypted to it");
		return ERR_REFUSED;
	}
	if ((e = make_content(in, to, &s.content)) == OK &&
	    (e = make_attrs(&s, in)) == OK &&
	    (e = sealing_sign(&s, key_sign_letter)) == OK)
		e = sealing_assemble(&s, buf_span(&by->cert), out);
	sealing_release(&s);
	return e;
}

/* ---- reading ------------------------------------------------------------ */

const char letter_stranger[] = "who signed it is not known here";

void
letter_release(struct letter_opened *o)
{
	buf_release(&o->plain);
	*o = (struct letter_opened){ .plain = BUF_SECRET };
}

/* The signer's certificate, if it or its key is one of those that may sign. */
static enum err
find_signer(const struct signed_data *sd, const struct letter_rule *rule,
    struct cert_view *out)
{
	if (signer_find(sd, out) != OK)
		return ERR_INPUT;
	for (size_t i = 0; i < rule->n; i++)
		if (span_eq(out->der, rule->signer[i]) ||
		    (rule->key != NULL && span_eq(out->spki, rule->key[i])))
			return OK;
	return ERR_INPUT;
}

static bool
digest_fits(const struct signed_data *sd, const struct attrs *a)
{
	uint8_t hash[SHA256_LEN];

	return sd->content.len > 0 && span_eq(sd->type, oid_data) &&
	       span_eq(a->content_type, oid_data) &&
	       sha256(sd->content, hash) == OK &&
	       span_eq(a->digest, span_of(hash, sizeof(hash)));
}

static enum err
verify(const struct signed_data *sd, struct span spki, bool *good)
{
	struct scheme how;
	enum digest d;
	enum err e;

	*good = false;
	if (!digest_find(sd->signer.digest.oid, &d) || d != DIGEST_SHA256 ||
	    !scheme_read(&sd->signer.signature, &how) ||
	    (how.digest != DIGEST__MAX && how.digest != d))
		return OK;
	how.digest = d;
	e = signer_verify(&sd->signer, spki, &how, good);
	if (e == ERR_INPUT || e == ERR_REFUSED)
		*good = false;
	return e == ERR_INPUT || e == ERR_REFUSED ? OK : e;
}

static const char *
check_attrs(const struct attrs *a, const struct letter_rule *rule)
{
	if (a->unclean || a->type != (long)rule->kind)
		return "it is a letter of another kind";
	if (a->nonce.len != LETTER_NONCE)
		return "its nonce is not one of ours";
	if (rule->name != NULL &&
	    !span_eq(a->txid.body, span_of(rule->name, strlen(rule->name))))
		return "it was written under another name";
	return NULL;
}

enum err
letter_verify(struct span der, const struct letter_rule *rule,
    struct letter_opened *out, const char **why)
{
	struct signed_data sd;
	struct cert_view by;
	struct span body;
	struct attrs a;
	bool good = false;
	enum err e;

	*out = (struct letter_opened){ .plain = BUF_SECRET };
	if ((e = signed_read(der, &sd, why)) != OK)
		return e;
	*why = "its attributes are unreadable";
	if (!der_one(sd.signer.attrs, DER_NESTED, &body))
		return ERR_INPUT;
	if ((e = attrs_read(body, &a, why)) != OK)
		return e;
	*why = letter_stranger;
	if ((e = find_signer(&sd, rule, &by)) != OK)
		return e;
	*why = "its content was changed";
	if (!digest_fits(&sd, &a))
		return ERR_INPUT;
	if ((e = verify(&sd, by.spki, &good)) != OK)
		return e;
	*why = "its signature is wrong";
	if (!good)
		return ERR_INPUT;
	/* only what was signed is worth a word */
	if ((*why = check_attrs(&a, rule)) != NULL)
		return ERR_INPUT;
	out->kind = rule->kind;
	out->name = a.txid.body;
	out->nonce = a.nonce;
	out->answers = a.answers;
	out->signer = by.der;
	out->content = sd.content;
	return OK;
}

enum err
letter_content(
    struct span der, struct span *text, struct span part[LETTER_PARTS])
{
	struct span in;

	if (!der_one(der, DER_SEQUENCE, &in) || !der_get(&in, DER_UTF8, text))
		return ERR_INPUT;
	for (size_t i = 0; i < LETTER_PARTS; i++)
		if (!der_get(&in, DER_OCTETS, &part[i]))
			return ERR_INPUT;
	return in.len == 0 ? OK : ERR_INPUT;
}

/* What one recipient's key makes of it. */
static enum err
decrypt(struct letter_opened *o, const struct envelope *env,
    const struct recipient *to, struct key *key, const char **why)
{
	struct unwrap how = { .cipher = CIPHER__MAX, .key = key };
	const struct cipher_kind *kind;
	unsigned padded = 0;
	size_t len = 0;
	enum err e;

	*why = "it is encrypted in a way that no letter is";
	if ((kind = cipher_find(env->cipher.oid)) == NULL ||
	    kind->id != CIPHER_AES256 ||
	    !transport_read(&to->transport, &how.transport))
		return ERR_INPUT;
	how.cipher = kind->id;
	how.block = to->block;
	e = envelope_unwrap(env, &how, &o->plain, &padded, &len);
	if (e != OK)
		return e;
	*why = "its content cannot be decrypted";
	if (padded == 0)
		return ERR_INPUT;
	o->content = span_of(o->plain.data, len);
	return OK;
}

/* With a key of these CAs. */
static enum err
unwrap(struct letter_opened *o, const struct ca *const *cas, size_t ncas,
    struct address *to, const char **why)
{
	/* long after its end too: letters wait */
	const struct when when = { 0, INT64_MAX };
	const struct recipient *recipient;
	struct envelope env;
	enum err e;

	if ((e = envelope_read(o->content, &env, why)) != OK)
		return e;
	envelope_address(&env, cas, ncas, &when, to);
	*why = "it is encrypted to no CA of the alias";
	if (to->times != 1)
		return ERR_INPUT;
	recipient = to->recipient;
	to->recipient = NULL; /* of env */
	return decrypt(o, &env, recipient, to->to->key, why);
}

static enum err
read_content(struct letter_opened *o, const char **why)
{
	*why = "its content is unreadable";
	return letter_content(o->content, &o->text, o->part);
}

enum err
letter_open(struct letter_opened *o, const struct ca *const *cas, size_t ncas,
    struct address *to, const char **why)
{
	enum err e = OK;

	if (cas != NULL)
		e = unwrap(o, cas, ncas, to, why);
	return e == OK ? read_content(o, why) : e;
}

enum err
letter_open_own(struct letter_opened *o, struct key *key, const char **why)
{
	struct envelope env;
	enum err e = envelope_read(o->content, &env, why);

	if (e == OK && env.n != 1) {
		*why = "it is not encrypted to one key alone";
		e = ERR_INPUT;
	}
	if (e == OK)
		e = decrypt(o, &env, &env.recipient[0], key, why);
	return e == OK ? read_content(o, why) : e;
}
