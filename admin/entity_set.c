#include "admin/entity.h"

#include "base/log.h"
#include "base/names.h"

/* The verbs that write a record: add and set. */

/* Puts an option's text into a field; "" empties it, absence leaves it. */
static enum err
take(const struct command *cmd, const char *option, char **field,
    enum err (*check)(const char *))
{
	const char *text = opt_text(cmd, option);
	char *copy = NULL;
	enum err e;

	if (text == NULL)
		return OK;
	if (*text != '\0') {
		if (check != NULL && (e = check(text)) != OK)
			return e;
		if ((copy = str_dup(text)) == NULL)
			return ERR_SYSTEM;
	}
	free(*field);
	*field = copy;
	return OK;
}

static enum err
take_ca(const struct command *cmd, struct entity *entity)
{
	struct ca_list cas = { NULL, 0 };
	const char *name;
	enum err e;

	if (entity->ca != NULL && !opt_given(cmd, "ca"))
		return OK;
	if ((e = ca_list_read(cmd, &cas)) != OK)
		return e;
	name = ca_list_choose(cmd, &cas, opt_text(cmd, "ca"));
	if (name == NULL) {
		e = ERR_REFUSED;
	} else {
		free(entity->ca);
		entity->ca = str_dup(name);
		e = entity->ca == NULL ? ERR_SYSTEM : OK;
	}
	ca_list_release(&cas);
	return e;
}

/* Does the command say anything that a profile has rules for? */
static bool
names_given(const struct command *cmd)
{
	return opt_given(cmd, "subject") || opt_given(cmd, "san") ||
	       opt_given(cmd, "ca") || opt_given(cmd, "profile");
}

/* The fields that `add` and `set` share. */
static enum err
take_fields(const struct command *cmd, struct entity *entity)
{
	enum err e;

	if ((e = take(cmd, "subject", &entity->subject, check_subject)) != OK ||
	    (e = take(cmd, "san", &entity->san, check_san)) != OK ||
	    (e = take(cmd, "email", &entity->email, NULL)) != OK ||
	    (e = take(cmd, "profile", &entity->profile, NULL)) != OK ||
	    (e = take_ca(cmd, entity)) != OK)
		return e;
	return names_given(cmd) ? entity_fits(cmd, entity) : OK;
}

static const char *const fields[] = { "subject", "san", "ca", "profile",
	"email" };
#define N_FIELDS (sizeof(fields) / sizeof(*fields))

/* What the audit tells of the record: the fields as they were typed. */
static void
tell_fields(struct command *cmd)
{
	const char *text;
	size_t i;

	for (i = 0; i < N_FIELDS; i++) {
		text = opt_text(cmd, fields[i]);
		if (text != NULL)
			(void)buf_printf(&cmd->detail, "%s%s: %s",
			    cmd->detail.len == 0 ? "" : "; ", fields[i], text);
	}
}

enum err
entity_refuse_twin(const struct command *cmd, const char *username)
{
	struct entity twin = ENTITY_INIT;
	enum err e;

	e = entity_find(
	    &cmd->store, span_of(username, strlen(username)), &twin);
	entity_release(&twin);
	if (e == ERR_NOTFOUND)
		return OK;
	if (e != OK)
		return e;
	return say(ERR_EXISTS,
	    "there is an entity %s already; `scep entity set` changes it, "
	    "`scep entity setpwd` gives it a new code",
	    username);
}

/* What was left open: no code, if nobody asks for one. */
static enum err
do_without(struct command *cmd, const struct entity *entity)
{
	bool needed = true;
	enum err e = entity_needs_code(cmd, entity->ca, &needed);

	if (e == OK && needed)
		e = code_wanted(cmd);
	if (e == OK)
		(void)fprintf(stderr,
		    "scep: %s has no code: no alias of %s asks for one\n",
		    entity->username, entity->ca);
	return e;
}

enum err
run_entity_add(struct command *cmd)
{
	struct entity entity = ENTITY_INIT;
	struct new_code c = NEW_CODE_INIT;
	const char *username = cmd->name[0];
	bool open = false;
	enum err e;

	tell_fields(cmd);
	if ((e = check_username(username)) != OK ||
	    (e = code_asked_or_none(cmd, &c, &open)) != OK ||
	    (e = entity_refuse_twin(cmd, username)) != OK)
		goto out;
	if ((entity.username = str_dup(username)) == NULL) {
		e = ERR_SYSTEM;
		goto out;
	}
	if ((e = take_fields(cmd, &entity)) != OK ||
	    (open && (e = do_without(cmd, &entity)) != OK) ||
	    (e = code_count(cmd, &entity, opt_given(cmd, "count"), &c)) != OK ||
	    (e = entity_register(cmd, &entity, &c)) != OK)
		goto out;
	if (strchr(username, ' ') != NULL)
		log_warn("%s: a request's name ends at its first blank unless "
			 "the alias says cutusername = no",
		    username);
	code_print(cmd, &c);
out:
	entity_release(&entity);
	buf_release(&c.secret);
	return e;
}

/* Reads, changes, links the next version; again if another was faster. */
static enum err
change(struct command *cmd, const char *username,
    enum err (*edit)(const struct command *, struct entity *))
{
	struct entity entity = ENTITY_INIT;
	enum err e = ERR_BUSY;
	int i;

	for (i = 0; i < RETRIES && e == ERR_BUSY; i++) {
		entity_release(&entity);
		entity = (struct entity)ENTITY_INIT;
		if ((e = entity_get(cmd, username, &entity)) != OK ||
		    (e = edit(cmd, &entity)) != OK)
			break;
		e = entity_update(&cmd->store, &entity);
	}
	entity_release(&entity);
	if (e == ERR_BUSY)
		return say(e, "others are changing %s; try again", username);
	return e;
}

enum err
run_entity_set(struct command *cmd)
{
	size_t i, given = 0;

	tell_fields(cmd);
	for (i = 0; i < N_FIELDS; i++)
		given += opt_given(cmd, fields[i]);
	if (given == 0)
		return usage(cmd,
		    "set what? --subject, --san, --ca, --profile or --email; "
		    "codes: `scep entity setpwd`");
	return change(cmd, cmd->name[0], take_fields);
}
