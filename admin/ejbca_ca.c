#include "admin/ejbca.h"

#include <strings.h>

#include "admin/ca.h"
#include "admin/cert.h"
#include "admin/entity.h"
#include "admin/movein.h"
#include "base/names.h"
#include "ca/passphrase.h"
#include "crl.h"

/* EJBCA's verbs of `ca`. */

/* ---- init ---------------------------------------------------------------- */

/* Kinds of keys by --keytype and --keyspec; NULL: a number of bits. */
static const struct {
	const char *type, *spec, *kind, *signature;
} kinds[] = {
	{ "RSA", NULL, "rsa:", "SHA256WithRSA" },
	{ "ECDSA", "prime256v1", "ec:P-256", "SHA256withECDSA" },
	{ "ECDSA", "secp256r1", "ec:P-256", "SHA256withECDSA" },
	{ "ECDSA", "P-256", "ec:P-256", "SHA256withECDSA" },
	{ "ECDSA", "secp384r1", "ec:P-384", "SHA384withECDSA" },
	{ "ECDSA", "P-384", "ec:P-384", "SHA384withECDSA" },
};

/* Not given, or EJBCA's word for it. */
static bool
is_null(const char *text)
{
	return text == NULL || strcasecmp(text, "null") == 0;
}

static enum err
choose_key(struct command *cmd, struct buf *kind)
{
	const char *type = opt_text(cmd, "keytype");
	const char *spec = opt_text(cmd, "keyspec");
	const char *signature = opt_text(cmd, "sigalg");
	size_t i, n = sizeof(kinds) / sizeof(*kinds);

	if (is_null(type))
		type = "RSA";
	if (is_null(spec))
		spec = strcasecmp(type, "RSA") == 0 ? "3072" : "P-256";
	for (i = 0; i < n; i++)
		if (strcasecmp(kinds[i].type, type) == 0 &&
		    (kinds[i].spec == NULL ||
			strcasecmp(kinds[i].spec, spec) == 0))
			break;
	if (i == n)
		return say(ERR_REFUSED,
		    "--keytype %s --keyspec %s is not here: RSA 2048 to 8192, "
		    "ECDSA P-256 or P-384",
		    type, spec);
	if (!is_null(signature) &&
	    strcasecmp(signature, kinds[i].signature) != 0)
		return say(ERR_REFUSED,
		    "-s %s is not here: a key like this signs with %s",
		    signature, kinds[i].signature);
	return buf_printf(kind, "%s%s", kinds[i].kind,
		   kinds[i].spec == NULL ? spec : "") ?
		   OK :
		   ERR_SYSTEM;
}

/*
 * EJBCA keeps the token's password; we keep none, and the server must be able
 * to open the key.  So it has to be the one that the server will be given.
 */
static enum err
choose_password(struct command *cmd, bool *encrypt)
{
	struct span typed = opt_bytes(cmd, "tokenPass");
	struct buf known = BUF_SECRET;
	enum err e;

	if (typed.len == 0 || span_eq(typed, span_of("null", 4)))
		return OK;
	e = passphrase_find(cmd->home, cmd->name[0], &known);
	*encrypt = e == OK && secret_eq(typed, buf_span(&known));
	if (e == ERR_NOTFOUND || (e == OK && !*encrypt))
		e = say(ERR_REFUSED,
		    "--tokenPass is not what SCEP_KEY_PASSPHRASE or [keys] "
		    "passphrasefile in scep.ini say, and the server would not "
		    "open the key; set one of them to it, or say null: a key "
		    "file that is not encrypted");
	buf_release(&known);
	return e;
}

static enum err
run_init(struct command *cmd)
{
	const char *token = opt_text(cmd, "tokenType");
	struct ca_order order = { .name = cmd->name[0],
		.subject = opt_text(cmd, "dn"),
		.days = opt_number(cmd, "days", 3650) };
	struct buf kind = BUF_INIT;
	enum err e;

	if ((e = ejbca_want(cmd, "dn")) != OK)
		return e;
	if (!is_null(token) && strcasecmp(token, "soft") != 0)
		return say(ERR_REFUSED,
		    "--tokenType %s is not here: keys are files; say soft",
		    token);
	if (!is_null(opt_text(cmd, "policy")))
		return say(ERR_REFUSED,
		    "--policy %s is not here for CAs: say null; policies of "
		    "certificates stand in profiles/NAME.ini",
		    opt_text(cmd, "policy"));
	if ((e = choose_key(cmd, &kind)) == OK &&
	    (e = choose_password(cmd, &order.encrypt)) == OK) {
		order.key = buf_cstr(&kind);
		e = ca_run_order(cmd, &order);
	}
	buf_release(&kind);
	return e;
}

/* ---- what it hands out ---------------------------------------------------- */

static enum err
run_getcacert(struct command *cmd)
{
	const struct generation *g = NULL;
	const struct ca *ca = NULL;
	struct cas *cas = NULL;
	enum err e;

	if (!opt_flag(cmd, "-der"))
		return ca_run_export(cmd);
	cmd->unchanged = true;
	if ((e = ca_find(cmd, cmd->name[0], &cas, &ca)) == OK &&
	    (g = ca_present(ca, cmd->now)) == NULL)
		e = say(ERR_NOTFOUND, "CA %s has no certificate", ca->called);
	if (e == OK && g != NULL)
		(void)fwrite(g->cert.data, 1, g->cert.len, cmd->out);
	cas_free(cas);
	return e;
}

/* The newest that was issued, of the key that signs now. */
static enum err
run_getcrl(struct command *cmd)
{
	const struct generation *g = NULL;
	const struct ca *ca = NULL;
	struct crl crl = CRL_INIT;
	struct cas *cas = NULL;
	enum err e;

	if ((e = ca_find(cmd, cmd->name[0], &cas, &ca)) != OK)
		goto out;
	e = ERR_NOTFOUND;
	if ((g = ca_present(ca, cmd->now)) != NULL)
		e = crl_last(&cmd->store, ca->name, g->n, &crl);
	if (e == ERR_NOTFOUND)
		e = say(e, "CA %s has no CRL yet; `scep ca createcrl` makes it",
		    ca->called);
	if (e == OK)
		e = crl_write(cmd, &crl);
out:
	crl_release(&crl);
	cas_free(cas);
	return e;
}

static enum err
run_exportca(struct command *cmd)
{
	enum err e;

	if ((e = ejbca_want(cmd, "-f")) == OK &&
	    (e = ejbca_want(cmd, "-kspassword")) == OK)
		e = ca_run_export(cmd);
	return e;
}

/* ---- what it takes -------------------------------------------------------- */

static enum err
run_importca(struct command *cmd)
{
	enum err e = ejbca_want(cmd, "p12");

	return e == OK ? ca_run_import(cmd) : e;
}

/* Its owner, where there is none of that name: without a code. */
static enum err
add_owner(struct command *cmd, const char *username, bool *added)
{
	struct entity there = ENTITY_INIT, entity = ENTITY_INIT;
	struct ca_list cas = { NULL, 0 };
	const char *profile = opt_text(cmd, "certprofile");
	const char *ca = NULL;
	enum err e;

	e = entity_find(
	    &cmd->store, span_of(username, strlen(username)), &there);
	if (e != ERR_NOTFOUND || (e = check_username(username)) != OK ||
	    (e = ca_list_read(cmd, &cas)) != OK)
		goto out;
	if ((ca = ca_list_choose(cmd, &cas, opt_text(cmd, "ca"))) == NULL) {
		e = ERR_REFUSED;
		goto out;
	}
	entity.username = str_dup(username);
	entity.ca = str_dup(ca);
	entity.email = str_dup(opt_text(cmd, "email"));
	entity.profile = str_dup(profile);
	e = entity.username == NULL || entity.ca == NULL ?
		ERR_SYSTEM :
		entity_add(&cmd->store, &entity);
	*added = e == OK;
	if (e == OK)
		(void)fprintf(cmd->out,
		    "Added end entity: %s, without a password; `scep ra "
		    "setpwd` gives it one when it is to enrol\n",
		    username);
out:
	entity_release(&there);
	entity_release(&entity);
	ca_list_release(&cas);
	return e;
}

static enum err
run_importcert(struct command *cmd)
{
	const char *username = opt_text(cmd, "username");
	const char *state = opt_text(cmd, "-a");
	bool added = false;
	enum err e;

	if ((e = ejbca_want(cmd, "username")) != OK)
		return e;
	if (state != NULL && strcasecmp(state, "ACTIVE") != 0)
		return say(ERR_REFUSED,
		    "-a %s is not here: say ACTIVE, then `scep ra revokecert`; "
		    "or `scep cert import FILE --index INDEX`, which knows "
		    "when and why",
		    state);
	if ((e = add_owner(cmd, username, &added)) != OK)
		return e;
	e = run_cert_import(cmd);
	if (e != OK && added)
		(void)entity_bury(cmd, username);
	return e;
}

/* Same key, new certificate: `ca renew`. */
static enum err
run_renewca(struct command *cmd)
{
	if (opt_flag(cmd, "-R"))
		return say(ERR_REFUSED,
		    "a new key is `scep ca rollover %s`: clients must be able "
		    "to follow it",
		    cmd->name[0]);
	return ca_run_renew(cmd);
}

/* ---- the noun --------------------------------------------------------------- */

#define NAME                                                   \
	{                                                      \
		"caname", "name", OPT_OBJECT, "NAME", "the CA" \
	}
#define TO(kind, what)                               \
	{                                            \
		"-f", what, kind, "FILE", "where to" \
	}
#define PASSWORD(ours)                                           \
	{                                                        \
		"-kspassword", ours, OPT_SECRET, "P",            \
		    "of the PKCS#12; - reads a line; ps shows P" \
	}

static const struct option init_options[] = {
	NAME,
	{ "dn", "subject", OPT_TEXT, "DN", "its name: CN=MyCA,O=Lab,C=SE" },
	{ "tokenType", NULL, OPT_TEXT, "T", "soft, as keys are files" },
	{ "tokenPass", "tokenPwd", OPT_SECRET, "P",
	    "null, or the passphrase that the server is given" },
	{ "keyspec", NULL, OPT_TEXT, "S", "2048 to 8192, P-256, P-384" },
	{ "keytype", NULL, OPT_TEXT, "T", "RSA or ECDSA" },
	{ "-v", "days", OPT_NUMBER, "N", "how many days; default 3650" },
	{ "policy", NULL, OPT_TEXT, "P", "null" },
	{ "-s", "sigalg", OPT_TEXT, "A", "SHA256WithRSA and the like" },
	EJBCA_END,
};
static const struct option json_options[] = { CA_JSON, EJBCA_END };
static const struct option info_options[] = { NAME, CA_JSON, EJBCA_END };
static const struct option name_options[] = { NAME, EJBCA_END };
static const struct option getcacert_options[] = {
	NAME,
	TO(OPT_OUT, "out"),
	{ "-der", NULL, OPT_FLAG, NULL, "DER instead of PEM" },
	EJBCA_END,
};
static const struct option getcrl_options[] = {
	NAME,
	TO(OPT_OUT, "out"),
	{ "-pem", "pem", OPT_FLAG, NULL, "PEM instead of DER" },
	EJBCA_END,
};
static const struct option importca_options[] = {
	NAME,
	{ "p12", "pkcs12", OPT_FILE, "FILE", "key, certificate and issuers" },
	PASSWORD("passphrase"),
	EJBCA_END,
};
static const struct option exportca_options[] = {
	NAME,
	TO(OPT_OUT_SECRET, "pkcs12"),
	PASSWORD("password"),
	EJBCA_END,
};
static const struct option importcert_options[] = {
	{ "-f", "file", OPT_OBJECT, "FILE", "the certificate, PEM or DER" },
	{ "username", NULL, OPT_TEXT, "NAME", "whose it is; made if need be" },
	{ "password", NULL, OPT_SECRET, "P", "not kept" },
	{ "caname", "ca", OPT_TEXT, "NAME", "which CA issued it" },
	{ "-a", NULL, OPT_TEXT, "STATE", "ACTIVE" },
	{ "email", NULL, OPT_TEXT, "ADDRESS", "for people" },
	{ "certprofile", "profile", OPT_TEXT, "NAME", "of the entity" },
	{ "eeprofile", NULL, OPT_TEXT, "NAME", "is not needed" },
	EJBCA_END,
};
static const struct option importcacert_options[] = {
	NAME,
	{ "-f", "file", OPT_SECOND, "FILE", "the certificate, PEM or DER" },
	EJBCA_END,
};
static const struct option renewca_options[] = {
	NAME,
	{ "-R", NULL, OPT_FLAG, NULL, "refused: a new key is `ca rollover`" },
	EJBCA_END,
};

static const struct verb ca_verbs[] = {
	{ "init", { NULL }, "--caname NAME --dn DN", 1, 1, init_options,
	    run_init, "as `ca create`",
	    "  scep ca init ManagementCA CN=ManagementCA,O=Lab soft null 2048 "
	    "RSA 3650 null \\\n      SHA256WithRSA",
	    true, false, NAMES_OPTIONS },
	{ "listcas", { NULL }, "", 0, 0, json_options, ca_run_list,
	    "as `ca list`", NULL, false, false, NAMES_OPTIONS },
	{ "info", { NULL }, "--caname NAME", 1, 1, info_options, ca_run_show,
	    "as `ca show`", NULL, false, false, NAMES_OPTIONS },
	{ "getcacert", { NULL }, "--caname NAME -f FILE", 1, 1,
	    getcacert_options, run_getcacert, "as `ca export`", NULL, false,
	    false, NAMES_OPTIONS },
	{ "createcrl", { NULL }, "[--caname NAME]", 0, 1, name_options,
	    run_crl_issue, "as `crl issue`", NULL, true, false, NAMES_OPTIONS },
	{ "getcrl", { NULL }, "--caname NAME -f FILE", 1, 1, getcrl_options,
	    run_getcrl, "the newest CRL of the CA's present key", NULL, false,
	    false, NAMES_OPTIONS },
	{ "importca", { NULL }, "--caname NAME --p12 FILE -kspassword P", 1, 1,
	    importca_options, run_importca, "as `ca import`", NULL, true, false,
	    NAMES_OPTIONS },
	{ "exportca", { NULL }, "--caname NAME -f FILE -kspassword P", 1, 1,
	    exportca_options, run_exportca, "as `ca export --pkcs12`", NULL,
	    true, false, NAMES_OPTIONS },
	{ "importcert", { NULL }, "--username NAME --caname NAME -f FILE", 1, 1,
	    importcert_options, run_importcert,
	    "as `cert import`, of one entity", NULL, true, false, NAMES_TREES },
	{ "importcacert", { NULL }, "--caname NAME -f FILE", 2, 2,
	    importcacert_options, ca_run_install, "as `ca install`", NULL, true,
	    false, NAMES_MAYBE },
	{ "renewca", { NULL }, "--caname NAME", 1, 1, renewca_options,
	    run_renewca, "as `ca renew`", NULL, true, false, NAMES_OPTIONS },
	{ .name = NULL },
};

const struct noun noun_ejbca_ca = { "ca", "EJBCA's spelling of ca and crl",
	ca_verbs };
