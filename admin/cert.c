#include "admin/cert.h"
#include "admin/ca.h"

#include <fnmatch.h>

#include "base/names.h"
#include "base/time.h"
#include "ca/ca.h"
#include "ca/cert.h"
#include "ca/der.h"
#include "ca/dn.h"
#include "ca/san.h"
#include "store/cert.h"

/* --- which certificate is meant ------------------------------------- */

struct wanted {
	const char *entity; /* as typed; NULL where a file was named */
	struct buf hex;	    /* hex digits as bytes; empty: none */
	struct buf der;	    /* of the file; empty: none */
	unsigned found;
	enum err (*each)(const struct outcome *, void *arg);
	void *arg;
};

/* Numbers are equal whatever their leading zeros. */
static bool
same_number(struct span a, struct span b)
{
	while (a.len > 0 && a.p[0] == 0)
		a = span_of(a.p + 1, a.len - 1);
	while (b.len > 0 && b.p[0] == 0)
		b = span_of(b.p + 1, b.len - 1);
	return span_eq(a, b);
}

static bool
same_fingerprint(struct span der, enum fingerprint kind, struct span wanted)
{
	struct buf text = BUF_INIT, raw = BUF_INIT;
	bool same = false;

	if (fingerprint(der, kind, &text) == OK &&
	    hex_read(buf_cstr(&text), &raw) == OK)
		same = span_eq(buf_span(&raw), wanted);
	buf_release(&text);
	buf_release(&raw);
	return same;
}

static bool
same_hex(const struct wanted *w, const struct outcome *o)
{
	struct span hex = buf_span(&w->hex), der = buf_span(&o->cert);
	struct buf serial = BUF_INIT;
	bool same = false;

	if (hex.len == 0)
		return false;
	if (hex_read(o->serial, &serial) == OK)
		same = same_number(hex, buf_span(&serial));
	buf_release(&serial);
	if (!same && hex.len == 20)
		same = same_fingerprint(der, FP_SHA1, hex);
	if (!same && hex.len == SHA256_LEN)
		same = same_fingerprint(der, FP_SHA256, hex);
	return same;
}

static bool
is_wanted(const struct wanted *w, const struct outcome *o)
{
	if (w->der.len > 0)
		return span_eq(buf_span(&w->der), buf_span(&o->cert));
	if (o->entity != NULL && strcmp(w->entity, o->entity) == 0)
		return true;
	return same_hex(w, o);
}

/* An entity may be called as some file here is that is no certificate. */
static bool
looks_like_cert(struct span file)
{
	static const char begin[] = "-----BEGIN ";
	size_t i, len = sizeof(begin) - 1;

	if (file.len > 0 && file.p[0] == DER_SEQUENCE)
		return true;
	for (i = 0; i + len <= file.len; i++) {
		if (memcmp(file.p + i, begin, len) == 0)
			return true;
	}
	return false;
}

static enum err
wanted_read(struct command *cmd, struct wanted *w)
{
	struct span file = name_bytes(cmd, 0);
	enum err e;

	if (looks_like_cert(file))
		return cert_read(cmd->name[0], file, &w->der);
	e = hex_read(cmd->name[0], &w->hex);
	if (e == ERR_INPUT) /* no hex digits: an entity's name, then */
		buf_clear(&w->hex);
	return e == ERR_INPUT ? OK : e;
}

static enum err
choose_one(const struct outcome *o, void *arg)
{
	struct wanted *w = arg;

	if (!is_wanted(w, o))
		return OK;
	w->found++;
	return w->each(o, w->arg);
}

enum err
cert_choose(struct command *cmd,
    enum err (*each)(const struct outcome *, void *arg), void *arg,
    unsigned *found)
{
	struct wanted w = { .entity = cmd->name[0], .each = each, .arg = arg };
	enum err e;

	if ((e = wanted_read(cmd, &w)) == OK)
		e = cert_each(&cmd->store, choose_one, &w);
	*found = w.found;
	buf_release(&w.hex);
	buf_release(&w.der);
	return e;
}

enum err
cert_none(const struct command *cmd)
{
	return say(ERR_NOTFOUND,
	    "no certificate %s, by serial, fingerprint, file or entity; `scep "
	    "cert list` shows them",
	    cmd->name[0]);
}

/* --- showing it ------------------------------------------------------ */

enum err
cert_revocation(
    const struct command *cmd, const struct outcome *o, struct revocation *r)
{
	struct issuer by = { o->ca, o->generation };
	enum err e = revoked_find(&cmd->store, &by, o->serial, r);

	if (e == ERR_NOTFOUND)
		*r = (struct revocation){ .n = 0 };
	return e == ERR_NOTFOUND ? OK : e;
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

/* Text of what only the certificate itself says. */
struct sight {
	struct buf subject, issuer, san, sha256, sha1, id;
	struct revocation revoked;
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
	if ((e = cert_revocation(cmd, o, &s->revoked)) != OK)
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

static const char *
state(const struct outcome *o, const struct revocation *r, int64_t now)
{
	if (r->n % 2 == 1)
		return r->reason == REASON_HOLD ? "held" : "revoked";
	return o->not_after < now ? "expired" : "valid";
}

static void
print_cert(
    FILE *out, const struct outcome *o, const struct sight *s, int64_t now)
{
	print_field(out, "Serial:", o->serial);
	print_field(out, "State:", state(o, &s->revoked, now));
	if (s->revoked.n % 2 == 1) {
		print_time(out, "Revoked:", s->revoked.date);
		print_field(out, "Reason:", reason_name(s->revoked.reason));
	}
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
json_cert(
    FILE *out, const struct outcome *o, const struct sight *s, int64_t now)
{
	json_begin(out);
	json_text(out, "serial", o->serial);
	json_text(out, "state", state(o, &s->revoked, now));
	if (s->revoked.n % 2 == 1) {
		json_time(out, "revoked", s->revoked.date);
		json_text(out, "reason", reason_name(s->revoked.reason));
	}
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
	e = sight_fill(cmd, o, &s);
	if (e == OK && opt_flag(cmd, "json"))
		json_cert(cmd->out, o, &s, cmd->now);
	else if (e == OK && show->shown > 0)
		(void)fputc('\n', cmd->out);
	if (e == OK && !opt_flag(cmd, "json"))
		print_cert(cmd->out, o, &s, cmd->now);
	show->shown++;
	sight_release(&s);
	return e;
}

static enum err
run_show(struct command *cmd)
{
	struct showing show = { cmd, 0 };
	unsigned found = 0;
	enum err e = cert_choose(cmd, show_one, &show, &found);

	return e == OK && found == 0 ? cert_none(cmd) : e;
}

/* --- lists ----------------------------------------------------------- */

static bool
differs(const char *option, const char *value)
{
	return option != NULL && (value == NULL || strcmp(option, value) != 0);
}

struct listing {
	struct command *cmd;
	struct ca_filter filter;
};

static bool
is_listed(const struct listing *l, const struct outcome *o)
{
	const struct command *cmd = l->cmd;
	const char *match = opt_text(cmd, "match");

	if (!ca_filter_lets(&l->filter, o->ca) ||
	    differs(opt_text(cmd, "entity"), o->entity))
		return false;
	if (o->issued < opt_time(cmd, "since", INT64_MIN))
		return false;
	if (match == NULL)
		return true;
	return (o->entity != NULL && fnmatch(match, o->entity, 0) == 0) ||
	       (o->subject != NULL && fnmatch(match, o->subject, 0) == 0);
}

static enum err
list_one(const struct outcome *o, void *arg)
{
	const struct listing *l = arg;
	struct command *cmd = l->cmd;
	char until[TIME_TEXT];
	struct revocation r;
	struct sight s;
	enum err e = OK;

	if (!is_listed(l, o))
		return OK;
	if (opt_flag(cmd, "json")) {
		if ((e = sight_fill(cmd, o, &s)) == OK)
			json_cert(cmd->out, o, &s, cmd->now);
		sight_release(&s);
		return e;
	}
	if ((e = cert_revocation(cmd, o, &r)) != OK)
		return e;
	time_text(o->not_after, until);
	print_cell(cmd->out, o->serial, 40);
	print_cell(cmd->out, until, 20);
	print_cell(cmd->out, state(o, &r, cmd->now), 7);
	print_cell(cmd->out, o->ca, 16);
	print_cell(cmd->out, o->entity, 16);
	print_cell(cmd->out, o->subject, 0);
	return OK;
}

static enum err
run_list(struct command *cmd)
{
	struct listing l = { .cmd = cmd };
	enum err e;

	if ((e = ca_filter_open(cmd, &l.filter)) == OK)
		e = cert_each(&cmd->store, list_one, &l);
	ca_filter_close(&l.filter);
	return e;
}

static const struct option list_options[] = {
	{ "match", NULL, OPT_TEXT, "GLOB",
	    "only entities or subjects like it" },
	{ "entity", "username", OPT_TEXT, "NAME", "only those of this entity" },
	{ "ca", NULL, OPT_TEXT, "NAME", "only those of this CA" },
	{ "since", NULL, OPT_SINCE, "TIME", "only issued since: 7d, a date" },
	{ "json", NULL, OPT_FLAG, NULL, "one JSON object a line" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};
static const struct option show_options[] = {
	{ "json", NULL, OPT_FLAG, NULL, "one JSON object a line" },
	{ "pem", NULL, OPT_FLAG, NULL, "the certificate itself" },
	{ "out", NULL, OPT_OUT, "FILE", "the certificate itself, to FILE" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};

static const struct verb cert_verbs[] = {
	{ "list", { NULL }, "", 0, 0, list_options, run_list,
	    "list them: serial, end, state, CA, entity, subject", NULL, false,
	    false, NAMES_PLAIN },
	{ "show", { NULL }, "WHICH", 1, 1, show_options, run_show,
	    "show a certificate",
	    "WHICH is its serial number (hex; colons and leading zeros are "
	    "free), its SHA-256\nor SHA-1 fingerprint, a file, or its entity "
	    "(all of that entity's).\n\n"
	    "  scep cert show router1\n"
	    "  scep cert show 5d:03:9f --pem",
	    false, false, NAMES_MAYBE },
	{ "revoke", { NULL }, "WHICH", 1, 1, revoke_options, run_revoke,
	    "revoke a certificate, or hold it",
	    "WHICH as for `scep cert show`; an entity's name means all of its "
	    "certificates\nthat have not expired.  The next CRL that anybody "
	    "fetches has it.\n\n"
	    "Reasons: keyCompromise, cACompromise, affiliationChanged, "
	    "superseded,\ncessationOfOperation, privilegeWithdrawn, "
	    "aACompromise, unspecified (default), and\ncertificateHold, the "
	    "only one that `scep cert unrevoke` takes back.\n\n"
	    "  scep cert revoke router1 --reason keyCompromise\n"
	    "  scep cert revoke 5d:03:9f --reason superseded --date 2026-11-01",
	    true, false, NAMES_MAYBE },
	{ "unrevoke", { NULL }, "WHICH", 1, 1, unrevoke_options, run_unrevoke,
	    "let a held certificate go", NULL, true, false, NAMES_MAYBE },
	{ "import", { NULL }, "FILE...", 1, -1, cert_import_options,
	    run_cert_import,
	    "take over certificates that were issued elsewhere",
	    "FILE has one or more certificates, PEM or DER, of a CA that is "
	    "here (`scep ca\nimport`); a directory means all files in it.  "
	    "--index says which are revoked:\nan index.txt of openssl ca, or "
	    "a CSV file with the columns serial,date,reason.\nAll or nothing; "
	    "what is here already is left alone.\n\n"
	    "  scep cert import newcerts --index index.txt --dry-run",
	    true, false, NAMES_TREES },
	{ .name = NULL },
};

const struct noun noun_cert = { "cert", "issued certificates", cert_verbs };
