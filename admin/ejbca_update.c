#include "admin/ejbca.h"

#include <strings.h>

#include "admin/alias.h"
#include "base/log.h"
#include "base/names.h"

/*
 * `config scep updatealias`.  Scripts for EJBCA change the mode first and the
 * rest after it, but a file of ours is whole at each step.  So a change of
 * mode writes what the new one needs, takes away what means nothing in it,
 * and tells of both; the secret of RA mode is one that nobody knows until it
 * is set.
 */
struct update {
	const struct ejbca_key *key;
	struct buf typed, value; /* EJBCA's and ours; secret */
	struct buf old;		 /* EJBCA's, for people */
	struct buf also;	 /* what was changed besides, for people */
};

static void
update_release(struct update *u)
{
	buf_release(&u->typed);
	buf_release(&u->value);
	buf_release(&u->old);
	buf_release(&u->also);
}

/* Writes a key (NULL: removes it) besides the one that was asked for. */
static enum err
also(struct update *u, struct buf *text, const char *section, const char *key,
    const char *value)
{
	enum err e = ejbca_put(text, section, key, value);
	bool told;

	if (e != OK)
		return e;
	if (value == NULL)
		told = buf_printf(
		    &u->also, "Removed with it: [%s] %s\n", section, key);
	else if (alias_key_secret(section, key))
		told = buf_printf(&u->also,
		    "Written with it: [%s] %s, a random one: set ra.authPwd\n",
		    section, key);
	else
		told = buf_printf(&u->also, "Written with it: [%s] %s = %s\n",
		    section, key, value);
	return told ? OK : ERR_SYSTEM;
}

/* The CA that the alias has had: its default, else the first one. */
static enum err
put_ca(struct update *u, const struct ini *ini, struct buf *text)
{
	const struct ini_entry *ca = ini_find(ini, "scep", "defaultca");
	struct buf name = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (ca == NULL)
		ca = ini_find(ini, "scep", "cas");
	if (ca == NULL)
		return OK; /* the check of the whole says so */
	if (buf_add(&name, ca->value, strcspn(ca->value, ",")))
		e = also(u, text, "ra", "defaultca", buf_cstr(&name));
	buf_release(&name);
	return e;
}

static enum err
make_ra(struct update *u, const struct ini *ini, struct buf *text)
{
	static const char *const idle[] = { "defaultca", "profile",
		"cutusername" };
	const struct ini_entry *profile = ini_find(ini, "scep", "profile");
	char secret[2 * 16 + 1] = "";
	enum err e;

	if ((e = put_ca(u, ini, text)) == OK &&
	    (e = random_hex(secret, 16)) == OK)
		e = also(u, text, "ra", "authpwd", secret);
	wipe(secret, sizeof(secret));
	if (e == OK && profile != NULL)
		e = also(u, text, "ra", "certificateprofile", profile->value);
	if (e == OK)
		e = also(u, text, "approval", "required", "0");
	for (size_t i = 0; i < sizeof(idle) / sizeof(*idle) && e == OK; i++)
		if (ini_find(ini, "scep", idle[i]) != NULL)
			e = also(u, text, "scep", idle[i], NULL);
	return e;
}

static enum err
make_ca(struct update *u, const struct ini *ini, struct buf *text)
{
	const struct ini_entry *ca = ini_find(ini, "ra", "defaultca");
	const struct ini_entry *profile =
	    ini_find(ini, "ra", "certificateprofile");
	enum err e = OK;

	if (ca != NULL && ini_find(ini, "scep", "cas") == NULL)
		e = also(u, text, "scep", "cas", ca->value);
	if (e == OK && profile != NULL)
		e = also(u, text, "scep", "profile", profile->value);
	for (size_t i = 0; i < ini->n && e == OK; i++) {
		const struct ini_entry *entry = &ini->entry[i];

		if (strcmp(entry->section, "ra") == 0 ||
		    strcmp(entry->section, "approval") == 0 ||
		    (ejbca_has_intune(ini) &&
			(strcmp(entry->section, "intune") == 0 ||
			    strcmp(entry->key, "judge") == 0)))
			e = also(u, text, entry->section, entry->key, NULL);
	}
	return e;
}

/* One secret: a file of its own, where there was one, counts no more. */
static enum err
put_rest(struct update *u, const struct ini *ini, bool ra, struct buf *text)
{
	bool will = strcmp(buf_cstr(&u->value), "ra") == 0;

	if (u->key->form == EJBCA_SECRET &&
	    ini_find(ini, "ra", "authpwdfile") != NULL)
		return also(u, text, "ra", "authpwdfile", NULL);
	if (strcmp(u->key->key, "aadappkey") == 0 &&
	    ini_find(ini, "intune", "aadappkeyfile") != NULL)
		return also(u, text, "intune", "aadappkeyfile", NULL);
	if (strcmp(u->key->key, "operationmode") != 0 || will == ra)
		return OK;
	return will ? make_ra(u, ini, text) : make_ca(u, ini, text);
}

static enum err
edit_key(const struct ini *ini, struct span text, struct buf *fresh, void *arg)
{
	const struct ini_entry *mode = ini_find(ini, "scep", "operationmode");
	bool ra = mode != NULL && strcasecmp(mode->value, "ra") == 0;
	struct update *u = arg;
	const struct ejbca_key *k = u->key;
	enum err e;

	buf_clear(&u->old);
	buf_clear(&u->also);
	if (k->ra && !ra)
		return say(ERR_REFUSED,
		    "%s is of RA mode: updatealias --key operationmode "
		    "--value ra comes first",
		    k->name);
	if (ejbca_is_intune(k) && !ejbca_has_intune(ini))
		return say(ERR_REFUSED,
		    "%s counts where the judge is Intune: write [challenge] "
		    "judge = intune and [intune] first (scep-alias(5))",
		    k->name);
	if (!buf_str(&u->old, ejbca_present(ini, k)) ||
	    !buf_add(fresh, text.p, text.len))
		return ERR_SYSTEM;
	e = ejbca_put(fresh, k->section, k->key, buf_cstr(&u->value));
	return e == OK ? put_rest(u, ini, ra, fresh) : e;
}

/* `uploaded.includeca` of the alias uploaded is includeca. */
static const char *
without_alias(const char *key, const char *alias)
{
	size_t len = strlen(alias);

	return strncmp(key, alias, len) == 0 && key[len] == '.' ?
		   key + len + 1 :
		   key;
}

static enum err
check_update(const char *word, struct update *u)
{
	const char *value = buf_cstr(&u->typed);

	if ((u->key = ejbca_key_find(word)) == NULL)
		return say(ERR_REFUSED, "no key %s; did you mean %s?", word,
		    ejbca_key_near(word));
	if (u->key->form == EJBCA_INTUNE)
		return say(ERR_REFUSED,
		    "%s: a file of ours is whole at each step, and Intune "
		    "needs several keys: write [challenge] judge = intune and "
		    "[intune] into it (scep-alias(5)), or take uploadfile",
		    word);
	if ((u->key->form == EJBCA_BOOL || u->key->form == EJBCA_CREATE) &&
	    strcasecmp(value, "true") != 0 && strcasecmp(value, "false") != 0)
		return say(
		    ERR_REFUSED, "%s is true or false, not %s", word, value);
	if (u->key->form == EJBCA_MODE && strcasecmp(value, "ra") != 0 &&
	    strcasecmp(value, "ca") != 0)
		return say(ERR_REFUSED, "%s is ca or ra, not %s", word, value);
	if (u->key->form == EJBCA_SECRET && *value == '\0')
		log_warn("an empty %s becomes none: whoever asks gets a "
			 "certificate",
		    word);
	return ejbca_value(u->key, value, &u->value);
}

enum err
ejbca_run_updatealias(struct command *cmd)
{
	struct update u = { .typed = BUF_SECRET, .value = BUF_SECRET };
	struct span typed = opt_bytes(cmd, "value");
	const char *name = cmd->name[0], *word = opt_text(cmd, "key");
	const char *shown;
	enum err e;

	if (word == NULL || !opt_given(cmd, "value"))
		return usage(cmd, "config scep updatealias wants --alias X "
				  "--key K --value V");
	word = without_alias(word, name);
	e = buf_add(&u.typed, typed.p, typed.len) ? OK : ERR_SYSTEM;
	if (e != OK || (e = ejbca_alias_known(cmd, name)) != OK ||
	    (e = check_update(word, &u)) != OK)
		goto out;
	shown = ejbca_shown(u.key, buf_cstr(&u.value));
	(void)buf_printf(&cmd->detail, "%s = %s", word, shown);
	e = alias_rewrite(cmd, name, &(struct alias_edit){ edit_key, &u });
	if (e != OK)
		goto out;
	(void)fprintf(cmd->out,
	    "Alias '%s': %s was '%s'\nAlias '%s': %s is now '%s'\n%s", name,
	    word, buf_cstr(&u.old), name, word, shown, buf_cstr(&u.also));
out:
	update_release(&u);
	return e;
}
