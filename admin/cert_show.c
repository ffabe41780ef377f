#include "admin/cert.h"

#include "base/time.h"
#include "ca/ca.h"
#include "ca/cert.h"
#include "ca/der.h"
#include "ca/dn.h"
#include "ca/san.h"

static enum err
find_revocation(
    const struct command *cmd, const struct outcome *o, struct revocation *r)
{
	struct issuer by = { o->ca, o->generation };
	enum err e = revoked_find(&cmd->store, &by, o->serial, r);

	if (e == ERR_NOTFOUND)
		*r = (struct revocation){ .n = 0 };
	return e == ERR_NOTFOUND ? OK : e;
}

enum err
cert_stands(const struct command *cmd, const struct outcome *o,
    struct cert_standing *out)
{
	bool released = true;
	enum err e;

	*out = (struct cert_standing){ .word = "valid" };
	if ((e = find_revocation(cmd, o, &out->revoked)) != OK)
		return e;
	if (o->held != NULL)
		e = outcome_released(&cmd->store, o, &released);
	if (!released)
		out->awaits = o->held;
	if (out->revoked.n % 2 == 1)
		out->word =
		    out->revoked.reason == REASON_HOLD ? "held" : "revoked";
	else if (o->not_after < cmd->now)
		out->word = "expired";
	else if (!released)
		out->word = "unreleased";
	return e;
}

/*
 * The subjectAltName of a certificate: the extensions are the last element
 * of the TBSCertificate, [3] (RFC 5280 4.1).
 */
static struct span
find_san(struct span der)
{
	struct span none = { NULL, 0 }, cert, tbs, list, ext, oid, value;
	struct der d = { .tag = 0 };

	if (!der_get(&der, DER_SEQUENCE, &cert) ||
	    !der_get(&cert, DER_SEQUENCE, &tbs))
		return none;
	while (der_next(&tbs, &d))
		;
	if (d.tag != DER_NESTED + 3 || !der_get(&d.body, DER_SEQUENCE, &list))
		return none;
	while (der_get(&list, DER_SEQUENCE, &ext)) {
		if (!der_get(&ext, DER_OID, &oid) ||
		    !span_eq(oid, DER_BYTES("\x55\x1d\x11")))
			continue;
		(void)der_get(&ext, DER_BOOLEAN, &value);
		if (der_get(&ext, DER_OCTETS, &value))
			return value;
	}
	return none;
}

/* Text of what only the certificate itself says, and how it stands. */
struct sight {
	struct buf subject, issuer, san, sha256, sha1, id;
	struct cert_standing standing;
};

static void
sight_release(struct sight *s)
{
	buf_release(&s->subject);
	buf_release(&s->issuer);
	buf_release(&s->san);
	buf_release(&s->sha256);
	buf_release(&s->sha1);
	buf_release(&s->id);
}

/* A transactionID is any bytes: shown as text if it is, else in hex. */
static bool
put_id(struct buf *out, const struct buf *id)
{
	size_t i;

	for (i = 0; i < id->len; i++) {
		if (id->data[i] < 0x20 || id->data[i] > 0x7e)
			return buf_str(out, "0x") &&
			       buf_hex(out, id->data, id->len);
	}
	return buf_str(out, buf_cstr(id));
}

static enum err
sight_fill(const struct command *cmd, const struct outcome *o, struct sight *s)
{
	struct span der = buf_span(&o->cert), san = find_san(der);
	struct cert_view view;
	enum err e;

	*s = (struct sight){ .subject = BUF_INIT };
	if (cert_view(der, &view) != OK)
		return say(ERR_SYSTEM,
		    "the certificate %s cannot be read; `scep check` looks at "
		    "all",
		    o->serial);
	if (!put_id(&s->id, &o->id))
		return ERR_SYSTEM;
	if ((e = cert_stands(cmd, o, &s->standing)) != OK)
		return e;
	if (san.len > 0 && (e = san_text(san, &s->san)) != OK)
		return e;
	if ((e = dn_text(view.subject, &s->subject)) != OK ||
	    (e = dn_text(view.issuer, &s->issuer)) != OK ||
	    (e = fingerprint(der, FP_SHA256, &s->sha256)) != OK)
		return e;
	return fingerprint(der, FP_SHA1, &s->sha1);
}

static const char *
or_null(const struct buf *b)
{
	return b->len == 0 ? NULL : buf_cstr(b);
}

static void
print_cert(FILE *out, const struct outcome *o, const struct sight *s)
{
	const struct revocation *r = &s->standing.revoked;

	print_field(out, "Serial:", o->serial);
	print_field(out, "State:", s->standing.word);
	if (r->n % 2 == 1) {
		print_time(out, "Revoked:", r->date);
		print_field(out, "Reason:", reason_name(r->reason));
	}
	print_field(out, "Waits for:", s->standing.awaits);
	print_field(out, "Subject:", buf_cstr(&s->subject));
	print_field(out, "SAN:", or_null(&s->san));
	print_field(out, "Issuer:", buf_cstr(&s->issuer));
	print_time(out, "Valid from:", o->not_before);
	print_time(out, "Valid until:", o->not_after);
	print_field(out, "SHA-256:", buf_cstr(&s->sha256));
	print_field(out, "SHA-1:", buf_cstr(&s->sha1));
	print_field(out, "Entity:", o->entity);
	print_field(out, "CA:", o->ca);
	(void)fprintf(out, "%-14s%u\n", "Generation:", o->generation);
	print_field(out, "Profile:", o->profile);
	print_field(out, "Alias:", o->alias);
	print_field(out, "Transaction:", buf_cstr(&s->id));
	(void)fprintf(out, "%-14s%u\n", "Attempt:", o->attempt);
	print_field(out, "Code id:", o->code);
	print_field(out, "Asked from:", o->remote);
	print_time(out, "Issued:", o->issued);
}

static void
json_cert(FILE *out, const struct outcome *o, const struct sight *s)
{
	const struct revocation *r = &s->standing.revoked;

	json_begin(out);
	json_text(out, "serial", o->serial);
	json_text(out, "state", s->standing.word);
	if (r->n % 2 == 1) {
		json_time(out, "revoked", r->date);
		json_text(out, "reason", reason_name(r->reason));
	}
	json_text(out, "waits_for", s->standing.awaits);
	json_text(out, "subject", buf_cstr(&s->subject));
	json_text(out, "san", or_null(&s->san));
	json_text(out, "issuer", buf_cstr(&s->issuer));
	json_time(out, "not_before", o->not_before);
	json_time(out, "not_after", o->not_after);
	json_text(out, "sha256", buf_cstr(&s->sha256));
	json_text(out, "sha1", buf_cstr(&s->sha1));
	json_text(out, "entity", o->entity);
	json_text(out, "ca", o->ca);
	json_num(out, "generation", o->generation);
	json_text(out, "profile", o->profile);
	json_text(out, "alias", o->alias);
	json_text(out, "transaction", buf_cstr(&s->id));
	json_num(out, "attempt", o->attempt);
	json_text(out, "code_id", o->code);
	json_text(out, "remote", o->remote);
	json_time(out, "issued", o->issued);
	json_end(out);
}

enum err
cert_json(const struct command *cmd, const struct outcome *o)
{
	struct sight s;
	enum err e = sight_fill(cmd, o, &s);

	if (e == OK)
		json_cert(cmd->out, o, &s);
	sight_release(&s);
	return e;
}

static enum err
write_pem(FILE *out, const struct outcome *o)
{
	struct buf pem = BUF_INIT;
	enum err e;

	e = cert_pem(buf_span(&o->cert), &pem);
	if (e == OK)
		(void)fwrite(buf_cstr(&pem), 1, pem.len, out);
	buf_release(&pem);
	return e;
}

/* What `show` has shown so far. */
struct showing {
	struct command *cmd;
	unsigned shown;
};

static enum err
show_one(const struct outcome *o, void *arg)
{
	struct showing *show = arg;
	struct command *cmd = show->cmd;
	struct sight s;
	enum err e;

	if (opt_flag(cmd, "pem") || opt_given(cmd, "out"))
		return write_pem(cmd->out, o);
	if (opt_flag(cmd, "json"))
		return cert_json(cmd, o);
	if ((e = sight_fill(cmd, o, &s)) == OK) {
		if (show->shown++ > 0)
			(void)fputc('\n', cmd->out);
		print_cert(cmd->out, o, &s);
	}
	sight_release(&s);
	return e;
}

enum err
run_cert_show(struct command *cmd)
{
	struct showing show = { cmd, 0 };
	unsigned found = 0;
	enum err e = cert_choose(cmd, show_one, &show, &found);

	return e == OK && found == 0 ? cert_none(cmd) : e;
}

const struct option cert_show_options[] = {
	{ "json", NULL, OPT_FLAG, NULL, "one JSON object a line" },
	{ "pem", NULL, OPT_FLAG, NULL, "the certificate itself" },
	{ "out", NULL, OPT_OUT, "FILE", "the certificate itself, to FILE" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};
