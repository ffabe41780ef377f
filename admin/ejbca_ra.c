#include "admin/ejbca.h"

#include <strings.h>

#include "admin/args.h"
#include "admin/cert.h"
#include "admin/entity.h"
#include "ca/ca.h"
#include "ca/cert.h"
#include "ca/dn.h"
#include "store/issued.h"

/* `ra`: entities in EJBCA's spelling. */

/* ---- addendentity, setpwd and the like -------------------------------------- */

/*
 * EJBCA has a profile for names and one for certificates; ours has both
 * parts, so two that differ cannot be had.
 */
static enum err
one_profile(struct command *cmd)
{
	const char *ee = opt_text(cmd, "eeprofile");
	const char *cert = opt_text(cmd, "certprofile");

	if (ee == NULL || strcmp(ee, "EMPTY") == 0)
		return OK;
	if (cert == NULL)
		args_means(cmd, "eeprofile", "certprofile");
	else if (strcmp(ee, cert) != 0)
		return say(ERR_REFUSED,
		    "--eeprofile %s and --certprofile %s: an entity has one "
		    "profile here, with rules for names and for certificates; "
		    "give one of them, or --eeprofile EMPTY",
		    ee, cert);
	return OK;
}

static enum err
check_kind(const struct command *cmd)
{
	const char *type = opt_text(cmd, "type");
	const char *token = opt_text(cmd, "token");

	if (type != NULL && strcmp(type, "1") != 0)
		return say(ERR_REFUSED,
		    "--type %s is not here: administrators and operators are "
		    "users of this machine; a device is --type 1",
		    type);
	if (token != NULL && strcasecmp(token, "USERGENERATED") != 0)
		return say(ERR_REFUSED,
		    "--token %s is not here: a key is made by the device and "
		    "never comes here; say --token USERGENERATED",
		    token);
	return OK;
}

enum err
ejbca_want(struct command *cmd, const char *option)
{
	if (opt_given(cmd, option))
		return OK;
	return usage(cmd, "%s %s wants %s%s", cmd->noun->name, cmd->verb->name,
	    *option == '-' ? "" : "--", option);
}

static enum err
run_add(struct command *cmd)
{
	enum err e;

	if ((e = ejbca_want(cmd, "password")) == OK &&
	    (e = check_kind(cmd)) == OK && (e = one_profile(cmd)) == OK)
		e = run_entity_add(cmd);
	if (e == OK)
		(void)fprintf(cmd->out, "Added end entity: %s\n", cmd->name[0]);
	return e;
}

static enum err
run_password(struct command *cmd)
{
	enum err e;

	if ((e = ejbca_want(cmd, "password")) == OK)
		e = run_setpwd(cmd);
	if (e == OK)
		(void)fprintf(cmd->out,
		    "New password for end entity %s, good for one "
		    "certificate\n",
		    cmd->name[0]);
	return e;
}

static enum err
run_rename(struct command *cmd)
{
	enum err e;

	(void)buf_printf(&cmd->detail, "to %s", cmd->name[1]);
	e = entity_rename(cmd, cmd->name[0], cmd->name[1]);
	if (e == OK)
		(void)fprintf(cmd->out,
		    "Renamed end entity '%s' to '%s'; certificates that it "
		    "has stay in the name of '%s'\n",
		    cmd->name[0], cmd->name[1], cmd->name[0]);
	return e;
}

static enum err
run_setdn(struct command *cmd)
{
	enum err e = ejbca_want(cmd, "dn");

	return e == OK ? run_entity_set(cmd) : e;
}

static enum err
run_delete(struct command *cmd)
{
	enum err e = run_entity_delete(cmd);

	if (e == OK)
		(void)fprintf(
		    cmd->out, "Deleted end entity: %s\n", cmd->name[0]);
	return e;
}

/* ---- certificates -------------------------------------------------------------- */

static enum err
run_getcert(struct command *cmd)
{
	struct outcome newest = OUTCOME_INIT;
	struct buf pem = BUF_INIT;
	enum err e = issued_latest(&cmd->store, cmd->name[0], &newest);

	if (e == ERR_NOTFOUND)
		e = say(e, "no certificate of %s; `scep cert list` shows all",
		    cmd->name[0]);
	if (e == OK && (e = cert_pem(buf_span(&newest.cert), &pem)) == OK)
		(void)fwrite(buf_cstr(&pem), 1, pem.len, cmd->out);
	outcome_release(&newest);
	buf_release(&pem);
	return e;
}

/* Blocked first: no request slips in between. */
static enum err
run_revoke_entity(struct command *cmd)
{
	const char *name = cmd->name[0];
	enum err e;

	if ((e = revoke_words(cmd)) != OK ||
	    (e = entity_set_block(cmd, name, true)) != OK ||
	    (e = revoke_entity(cmd, name)) != OK)
		return e;
	(void)fprintf(cmd->out, "Revoked end entity: %s\n", name);
	return OK;
}

static enum err
run_unrevoke_entity(struct command *cmd)
{
	const char *name = cmd->name[0];
	struct entity entity = ENTITY_INIT;
	enum err e;

	if ((e = entity_get(cmd, name, &entity)) == OK &&
	    (e = release_entity(cmd, name)) == OK &&
	    (e = entity_set_block(cmd, name, false)) == OK)
		(void)fprintf(cmd->out, "Unrevoked end entity: %s\n", name);
	entity_release(&entity);
	return e;
}

static bool
is_called(const struct ca *ca, struct span name)
{
	for (size_t i = 0; i < ca->ngen; i++)
		if (dn_eq(ca->gen[i].subject, name))
			return true;
	return false;
}

/* The CA of that subject, borrowed from cas; only one may have it. */
static enum err
find_issuer(const struct command *cmd, struct cas *cas, const char *dn,
    const struct ca **out)
{
	struct ca_list list = { NULL, 0 };
	struct buf name = BUF_INIT;
	const struct ca *ca = NULL;
	size_t found = 0;
	enum err e;

	if ((e = dn_parse(dn, &name)) != OK ||
	    (e = ca_list_read(cmd, &list)) != OK)
		goto out;
	for (size_t i = 0; i < list.n; i++) {
		if (cas_find(cas, list.name[i], &ca) != OK ||
		    !is_called(ca, buf_span(&name)))
			continue;
		*out = ca;
		found++;
	}
	if (found == 0)
		e = say(ERR_NOTFOUND,
		    "no CA whose subject is %s; `scep ca listcas` shows them",
		    dn);
	else if (found > 1)
		e = say(ERR_REFUSED,
		    "several CAs have the subject %s; `scep cert revoke "
		    "SERIAL --ca NAME` says which",
		    dn);
out:
	buf_release(&name);
	ca_list_release(&list);
	return e;
}

static enum err
run_revokecert(struct command *cmd)
{
	const struct ca *ca = NULL;
	struct cas *cas = NULL;
	enum err e;

	if ((e = ejbca_want(cmd, "dn")) != OK ||
	    (e = ejbca_want(cmd, "-s")) != OK ||
	    (e = cas_new(cmd->home, &cas)) != OK)
		goto out;
	e = find_issuer(cmd, cas, opt_text(cmd, "dn"), &ca);
	if (e == OK && !buf_str(&cmd->object, opt_text(cmd, "-s")))
		e = ERR_SYSTEM;
	if (e == OK)
		e = revoke_serial(cmd, ca, opt_text(cmd, "-s"));
out:
	cas_free(cas);
	return e;
}

/* ---- the noun -------------------------------------------------------------------- */

#define WHO                                                       \
	{                                                         \
		"username", NULL, OPT_OBJECT, "NAME", "which one" \
	}
#define PASSWORD                                               \
	{                                                      \
		"password", "pwd", OPT_SECRET, "P",            \
		    "its password; - reads a line; ps shows P" \
	}
#define STATUS(about)                                     \
	{                                                 \
		"-S", "status", OPT_NUMBER, "CODE", about \
	}
#define REASON                                             \
	{                                                  \
		"-r", "reason", OPT_TEXT, "R",             \
		    "CRLReason, number or name; default 0" \
	}

static const struct option who_options[] = { WHO, EJBCA_END };
static const struct option add_options[] = {
	WHO,
	PASSWORD,
	{ "dn", "subject", OPT_TEXT, "DN", "subject of its certificates" },
	{ "altname", "san", OPT_TEXT, "SAN", "dNSName=a, iPAddress=10.0.0.1" },
	{ "caname", "ca", OPT_TEXT, "NAME", "its CA; default the only one" },
	{ "email", NULL, OPT_TEXT, "ADDRESS", "for people" },
	{ "type", NULL, OPT_TEXT, "1", "1, as devices are" },
	{ "token", NULL, OPT_TEXT, "T", "USERGENERATED, as there is no other" },
	{ "certprofile", "profile", OPT_TEXT, "NAME", "its profile" },
	{ "eeprofile", NULL, OPT_TEXT, "NAME", "the same, or EMPTY" },
	EJBCA_END,
};
static const struct option password_options[] = { WHO, PASSWORD, EJBCA_END };
static const struct option status_options[] = { WHO, STATUS("10, 40, 50 or 60"),
	EJBCA_END };
static const struct option list_options[] = { STATUS("0, the default: all"),
	EJBCA_END };
static const struct option no_options[] = { EJBCA_END };
static const struct option rename_options[] = {
	{ "current", NULL, OPT_OBJECT, "NAME", "its name now" },
	{ "new", NULL, OPT_SECOND, "NAME", "its name then" },
	EJBCA_END,
};
static const struct option dn_options[] = {
	WHO,
	{ "dn", "subject", OPT_TEXT, "DN", "subject of its certificates" },
	EJBCA_END,
};
static const struct option delete_options[] = {
	WHO,
	{ "-force", "yes", OPT_FLAG, NULL, "do not ask" },
	EJBCA_END,
};
static const struct option revoke_entity_options[] = { WHO, REASON, EJBCA_END };
static const struct option revokecert_options[] = {
	{ "dn", NULL, OPT_TEXT, "DN", "subject of the CA" },
	{ "-s", NULL, OPT_TEXT, "SERIAL", "serial number, hex" },
	REASON,
	EJBCA_END,
};

static const struct verb ra_verbs[] = {
	{ "addendentity", { "adduser", NULL }, "--username NAME --password P",
	    1, 1, add_options, run_add, "as `entity add`",
	    "  scep ra addendentity --username router1 --password foo123 "
	    "--dn CN=router1,O=Lab \\\n      --caname ManagementCA --type 1 "
	    "--token USERGENERATED",
	    true, false, NAMES_OPTIONS },
	{ "setpwd", { "setuserpwd", NULL }, "--username NAME --password P", 1,
	    1, password_options, run_password,
	    "as `entity setpwd`: the old one ends", NULL, true, false,
	    NAMES_OPTIONS },
	{ "setclearpwd", { NULL }, "--username NAME --password P", 1, 1,
	    password_options, run_password,
	    "the same: here too only a hash is kept", NULL, true, false,
	    NAMES_OPTIONS },
	{ "setendentitystatus", { "setuserstatus", NULL },
	    "--username NAME -S CODE", 1, 1, status_options,
	    ejbca_run_setstatus, "let it enrol again, or no more",
	    "10 (NEW): its password is good once more, and a block ends\n"
	    "40 (GENERATED): its password is spent\n"
	    "50 (REVOKED), 60 (HISTORICAL): the same, and it is blocked; its "
	    "certificates stay",
	    true, false, NAMES_OPTIONS },
	{ "findendentity", { "finduser", NULL }, "--username NAME", 1, 1,
	    who_options, ejbca_run_find, "as `entity show`, with its status",
	    NULL, false, false, NAMES_OPTIONS },
	{ "listendentities", { "listusers", NULL }, "[-S CODE]", 0, 0,
	    list_options, ejbca_run_list, "name, status, CA and subject", NULL,
	    false, false, NAMES_OPTIONS },
	{ "listnewendentities", { "listnewusers", NULL }, "", 0, 0, no_options,
	    ejbca_run_listnew, "those of status 10", NULL, false, false,
	    NAMES_OPTIONS },
	{ "renameendentity", { "renameuser", NULL },
	    "--current NAME --new NAME", 2, 2, rename_options, run_rename,
	    "give it another name; its password stays", NULL, true, false,
	    NAMES_OPTIONS },
	{ "setsubjectdn", { "setuserdn", NULL }, "--username NAME --dn DN", 1,
	    1, dn_options, run_setdn, "as `entity set --subject`", NULL, true,
	    false, NAMES_OPTIONS },
	{ "getendentitycert", { "getusercert", NULL }, "--username NAME", 1, 1,
	    who_options, run_getcert, "its newest certificate, PEM", NULL,
	    false, false, NAMES_OPTIONS },
	{ "revokeendentity", { "revokeuser", NULL }, "--username NAME -r R", 1,
	    1, revoke_entity_options, run_revoke_entity,
	    "as `entity block --revoke`", NULL, true, false, NAMES_OPTIONS },
	{ "unrevokeendentity", { "unrevokeuser", NULL }, "--username NAME", 1,
	    1, who_options, run_unrevoke_entity,
	    "let go what is held, and unblock it", NULL, true, false,
	    NAMES_OPTIONS },
	{ "delendentity", { "deluser", NULL }, "--username NAME", 1, 1,
	    delete_options, run_delete, "as `entity delete`", NULL, true, false,
	    NAMES_OPTIONS },
	{ "revokecert", { NULL }, "--dn DN -s SERIAL -r R", 0, 0,
	    revokecert_options, run_revokecert,
	    "as `cert revoke SERIAL`, of one CA", NULL, true, false,
	    NAMES_OPTIONS },
	{ .name = NULL },
};

const struct noun noun_ejbca_ra = { "ra", "EJBCA's spelling of entity and cert",
	ra_verbs };
