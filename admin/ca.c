#include "admin/admin.h"

#include "base/names.h"
#include "base/time.h"
#include "ca/ca.h"
#include "ca/cert.h"
#include "ca/dn.h"
#include "store/cert.h"

#define KEY_KIND "rsa:3072"
#define CA_DAYS	 3650

/* Names of keyUsage bits (RFC 5280 4.2.1.3) as OpenSSL numbers them. */
static const struct {
	unsigned bit;
	const char *name;
} usages[] = {
	{ 0x0080, "digitalSignature" },
	{ 0x0040, "nonRepudiation" },
	{ 0x0020, "keyEncipherment" },
	{ 0x0010, "dataEncipherment" },
	{ 0x0008, "keyAgreement" },
	{ 0x0004, "keyCertSign" },
	{ 0x0002, "cRLSign" },
	{ 0x0001, "encipherOnly" },
	{ 0x8000, "decipherOnly" },
};

static const char *const key_types[KEY__MAX] = { "RSA", "EC", "EdDSA" };

static void
put_usage(struct buf *out, unsigned usage_bits)
{
	size_t i;

	if (usage_bits == UINT32_MAX) {
		(void)buf_str(out, "any");
		return;
	}
	for (i = 0; i < sizeof(usages) / sizeof(*usages); i++) {
		if (usage_bits & usages[i].bit)
			(void)buf_printf(out, "%s%s", out->len == 0 ? "" : ", ",
			    usages[i].name);
	}
}

/* Everything about a generation as text, for both forms of output. */
struct sight {
	struct buf subject, issuer, serial, key, usage, sha256, sha1, md5;
	int64_t days; /* left */
};

static void
sight_release(struct sight *s)
{
	buf_release(&s->subject);
	buf_release(&s->issuer);
	buf_release(&s->serial);
	buf_release(&s->key);
	buf_release(&s->usage);
	buf_release(&s->sha256);
	buf_release(&s->sha1);
	buf_release(&s->md5);
}

static enum err
sight_fill(const struct generation *g, int64_t now, struct sight *s)
{
	struct span der = buf_span(&g->cert);
	enum err e;

	*s = (struct sight){ .days = (g->not_after - now) / DAY };
	put_usage(&s->usage, g->usage);
	if (!buf_hex(&s->serial, g->serial.p, g->serial.len) ||
	    !buf_printf(&s->key, "%s %u", key_types[key_type(g->key)],
		key_bits(g->key)))
		return ERR_SYSTEM;
	if ((e = dn_text(g->subject, &s->subject)) != OK ||
	    (e = dn_text(g->issuer, &s->issuer)) != OK ||
	    (e = fingerprint(der, FP_SHA256, &s->sha256)) != OK ||
	    (e = fingerprint(der, FP_SHA1, &s->sha1)) != OK)
		return e;
	return fingerprint(der, FP_MD5, &s->md5);
}

static void
print_generation(struct command *cmd, const char *name,
    const struct generation *g, const struct sight *s)
{
	FILE *out = cmd->out;

	print_field(out, "CA:", name);
	(void)fprintf(out, "%-14s%u\n", "Generation:", g->n);
	print_field(out, "Subject:", buf_cstr(&s->subject));
	print_field(out, "Issuer:", buf_cstr(&s->issuer));
	print_field(out, "Serial:", buf_cstr(&s->serial));
	print_time(out, "Valid from:", g->not_before);
	print_time(out, "Valid until:", g->not_after);
	(void)fprintf(out, "%-14s%lld\n", "Days left:", (long long)s->days);
	print_field(out, "Key:", buf_cstr(&s->key));
	print_field(out, "Key usage:", buf_cstr(&s->usage));
	print_field(out, "SHA-256:", buf_cstr(&s->sha256));
	print_field(out, "SHA-1:", buf_cstr(&s->sha1));
	print_field(out, "MD5:", buf_cstr(&s->md5));
	(void)fprintf(out, "%-14s%zu\n", "Chain:", g->nchain);
}

static void
json_generation(struct command *cmd, const char *name,
    const struct generation *g, const struct sight *s)
{
	FILE *out = cmd->out;

	json_begin(out);
	json_text(out, "name", name);
	json_num(out, "generation", g->n);
	json_text(out, "subject", buf_cstr(&s->subject));
	json_text(out, "issuer", buf_cstr(&s->issuer));
	json_text(out, "serial", buf_cstr(&s->serial));
	json_time(out, "not_before", g->not_before);
	json_time(out, "not_after", g->not_after);
	json_num(out, "days_left", s->days);
	json_text(out, "key", buf_cstr(&s->key));
	json_text(out, "key_usage", buf_cstr(&s->usage));
	json_text(out, "sha256", buf_cstr(&s->sha256));
	json_text(out, "sha1", buf_cstr(&s->sha1));
	json_text(out, "md5", buf_cstr(&s->md5));
	json_num(out, "chain", (int64_t)g->nchain);
	json_end(out);
}

/* One line of `list`: of the generation that issues now. */
static void
print_ca(struct command *cmd, const char *name, const struct generation *g,
    const struct sight *s)
{
	char until[TIME_TEXT];

	(void)g;
	time_text(g->not_after, until);
	print_cell(cmd->out, name, 20);
	print_cell(cmd->out, until, 20);
	print_cell(cmd->out, buf_cstr(&s->key), 9);
	print_cell(cmd->out, buf_cstr(&s->subject), 0);
}

static enum err
show_generation(struct command *cmd, const char *name,
    const struct generation *g,
    void (*print)(struct command *, const char *, const struct generation *,
	const struct sight *))
{
	struct sight s;
	enum err e;

	e = sight_fill(g, cmd->now, &s);
	if (e == OK && opt_flag(cmd, "json"))
		json_generation(cmd, name, g, &s);
	else if (e == OK)
		print(cmd, name, g, &s);
	sight_release(&s);
	return e;
}

/* The CA of that name, borrowed from cas, which the caller frees. */
static enum err
find_ca(struct command *cmd, const char *name, struct cas **cas,
    const struct ca **out)
{
	enum err e;

	if ((e = cas_new(cmd->home, cas)) != OK)
		return e;
	e = cas_find(*cas, name, out);
	if (e == ERR_NOTFOUND)
		return say(e, "no CA %s; `scep ca list` shows them", name);
	return e;
}

/* The generation that issues now, or the first that will. */
static const struct generation *
present(const struct ca *ca, int64_t now)
{
	const struct generation *g = ca_current(ca, now);

	return g == NULL && ca->ngen > 0 ? &ca->gen[0] : g;
}

static enum err
run_show(struct command *cmd)
{
	const struct ca *ca = NULL;
	struct cas *cas = NULL;
	enum err e;
	size_t i;

	e = find_ca(cmd, cmd->name[0], &cas, &ca);
	for (i = 0; e == OK && i < ca->ngen; i++)
		e = show_generation(
		    cmd, ca->name, &ca->gen[i], print_generation);
	cas_free(cas);
	return e;
}

static enum err
list_one(struct command *cmd, struct cas *cas, const char *name)
{
	const struct ca *ca = NULL;
	const struct generation *g;
	enum err e;

	if ((e = cas_find(cas, name, &ca)) != OK)
		return e;
	g = present(ca, cmd->now);
	return g == NULL ? OK : show_generation(cmd, name, g, print_ca);
}

static enum err
run_list(struct command *cmd)
{
	struct cas *cas = NULL;
	char **names = NULL;
	size_t i, n = 0;
	enum err e, one;

	if ((e = ca_names(cmd->home, &names, &n)) != OK)
		return e;
	e = cas_new(cmd->home, &cas);
	/* One that cannot be loaded (it was logged) does not hide the rest. */
	for (i = 0; i < n; i++) {
		one = cas == NULL ? OK : list_one(cmd, cas, names[i]);
		e = e == OK ? one : e;
		free(names[i]);
	}
	free(names);
	cas_free(cas);
	return e;
}

static enum err
run_export(struct command *cmd)
{
	const struct generation *g = NULL;
	const struct ca *ca = NULL;
	struct buf pem = BUF_INIT;
	struct cas *cas = NULL;
	enum err e;
	size_t i;

	if ((e = find_ca(cmd, cmd->name[0], &cas, &ca)) != OK)
		goto out;
	if ((g = present(ca, cmd->now)) == NULL) {
		e = say(ERR_NOTFOUND, "CA %s has no certificate", ca->name);
		goto out;
	}
	e = cert_pem(buf_span(&g->cert), &pem);
	for (i = 0; e == OK && opt_flag(cmd, "chain") && i < g->nchain; i++)
		e = cert_pem(buf_span(&g->chain[i]), &pem);
	if (e == OK)
		(void)fwrite(buf_cstr(&pem), 1, pem.len, cmd->out);
out:
	buf_release(&pem);
	cas_free(cas);
	return e;
}

/* Its folder stands: what the store needs for it, and a line about it. */
static enum err
finish(struct command *cmd)
{
	const char *name = cmd->name[0];
	const struct generation *g;
	const struct ca *ca = NULL;
	struct buf sha256 = BUF_INIT;
	struct cas *cas = NULL;
	enum err e;

	if ((e = cert_rooms(&cmd->store, name, 1)) != OK ||
	    (e = find_ca(cmd, name, &cas, &ca)) != OK)
		goto out;
	g = present(ca, cmd->now);
	if (g == NULL ||
	    (e = fingerprint(buf_span(&g->cert), FP_SHA256, &sha256)) != OK)
		goto out;
	(void)buf_printf(&cmd->detail, "SHA-256 %s", buf_cstr(&sha256));
	print_field(cmd->out, "CA:", name);
	print_time(cmd->out, "Valid until:", g->not_after);
	print_field(cmd->out, "SHA-256:", buf_cstr(&sha256));
out:
	buf_release(&sha256);
	cas_free(cas);
	return e;
}

static enum err
exists(const struct command *cmd, enum err e)
{
	if (e != ERR_EXISTS)
		return e;
	return say(e, "there is a CA %s already; `scep ca show %s` shows it",
	    cmd->name[0], cmd->name[0]);
}

static enum err
run_create(struct command *cmd)
{
	struct ca_order order = { .name = cmd->name[0],
		.subject = opt_text(cmd, "subject"),
		.key = opt_text(cmd, "key"),
		.days = opt_number(cmd, "days", CA_DAYS) };
	enum err e;

	if (order.subject == NULL || *order.subject == '\0')
		return usage(cmd, "ca create wants --subject DN, as "
				  "--subject CN=MyCA,O=Lab,C=SE");
	if (order.key == NULL)
		order.key = KEY_KIND;
	if (order.days < 1 || order.days > 36500)
		return usage(cmd, "--days is 1 to 36500");
	e = ca_create(cmd->home, &order, cmd->now);
	return e == OK ? finish(cmd) : exists(cmd, e);
}

static enum err
run_import(struct command *cmd)
{
	struct ca_import in = { .name = cmd->name[0],
		.cert = opt_bytes(cmd, "cert"),
		.key = opt_bytes(cmd, "key"),
		.chain = opt_bytes(cmd, "chain"),
		.pkcs12 = opt_bytes(cmd, "pkcs12"),
		.passphrase = opt_bytes(cmd, "passphrase") };
	bool pair = opt_given(cmd, "cert") && opt_given(cmd, "key");
	enum err e;

	if (opt_given(cmd, "pkcs12") ?
		(opt_given(cmd, "cert") || opt_given(cmd, "key")) :
		!pair)
		return usage(cmd, "ca import wants --cert FILE and --key FILE, "
				  "or --pkcs12 FILE");
	e = ca_import(cmd->home, &in);
	return e == OK ? finish(cmd) : exists(cmd, e);
}

#define JSON                                                           \
	{                                                              \
		"json", NULL, OPT_FLAG, NULL, "one JSON object a line" \
	}
#define CA_NAME                                            \
	{                                                  \
		"name", "ca", OPT_OBJECT, "NAME", "the CA" \
	}
#define END                                      \
	{                                        \
		NULL, NULL, OPT_FLAG, NULL, NULL \
	}

static const struct option create_options[] = {
	{ "subject", "dn", OPT_TEXT, "DN", "its name: CN=MyCA,O=Lab,C=SE" },
	{ "key", NULL, OPT_TEXT, "KIND",
	    "rsa:2048 to rsa:8192, ec:P-256, ec:P-384; default " KEY_KIND },
	{ "days", "validity", OPT_NUMBER, "N", "how long; default 3650" },
	CA_NAME,
	END,
};
static const struct option import_options[] = {
	{ "cert", NULL, OPT_FILE, "FILE", "its certificate, PEM or DER" },
	{ "key", NULL, OPT_FILE, "FILE", "its private key, PEM" },
	{ "chain", NULL, OPT_FILE, "FILE",
	    "certificates of its issuers, nearest first, PEM" },
	{ "pkcs12", "p12", OPT_FILE, "FILE", "all of them in one PKCS#12" },
	{ "passphrase", "pass", OPT_SECRET, "P",
	    "of the key or PKCS#12; - reads a line; ps shows P" },
	CA_NAME,
	END,
};
static const struct option list_options[] = { JSON, END };
static const struct option show_options[] = { JSON, CA_NAME, END };
static const struct option export_options[] = {
	{ "out", NULL, OPT_OUT, "FILE", "where to; default standard output" },
	{ "chain", NULL, OPT_FLAG, NULL, "its issuers' certificates too" },
	CA_NAME,
	END,
};

static const struct verb ca_verbs[] = {
	{ "create", { "add", "new", NULL }, "NAME", 1, 1, create_options,
	    run_create, "make a CA with a new key",
	    "  scep ca create ManagementCA --subject CN=ManagementCA,O=Lab",
	    true, false, NAMES_PLAIN },
	{ "import", { NULL }, "NAME", 1, 1, import_options, run_import,
	    "bring a CA's key and certificate",
	    "  scep ca import Old --pkcs12 old.p12 --passphrase -\n"
	    "  scep ca import Sub --cert sub.pem --key sub.key --chain "
	    "root.pem",
	    true, false, NAMES_PLAIN },
	{ "export", { NULL }, "NAME", 1, 1, export_options, run_export,
	    "write its certificate (PEM), never its key", NULL, false, false,
	    NAMES_PLAIN },
	{ "list", { NULL }, "", 0, 0, list_options, run_list,
	    "list the CAs: name, end, key, subject", NULL, false, false,
	    NAMES_PLAIN },
	{ "show", { NULL }, "NAME", 1, 1, show_options, run_show,
	    "show its certificates and fingerprints", NULL, false, false,
	    NAMES_PLAIN },
	{ .name = NULL },
};

const struct noun noun_ca = { "ca", "certification authorities", ca_verbs };
