#include "admin/entity.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/names.h"

#define GROUPS	4
#define LETTERS 7 /* of 5 bits in each group: 140 bits */
#define SHORT	8 /* characters of a chosen password that is warned of */

/*
 * Four groups of seven of 32 letters and digits; no 0, 1, I or O, which look
 * like others when somebody types them into a router.
 */
enum err
code_generate(struct new_code *c)
{
	static const char alphabet[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
	uint8_t random[GROUPS * LETTERS];
	enum err e;
	size_t i;

	buf_clear(&c->secret);
	if ((e = random_bytes(random, sizeof(random))) != OK)
		return e;
	for (i = 0; i < sizeof(random) && e == OK; i++) {
		if (i > 0 && i % LETTERS == 0 && !buf_byte(&c->secret, '-'))
			e = ERR_SYSTEM;
		if (!buf_byte(&c->secret, (uint8_t)alphabet[random[i] & 31]))
			e = ERR_SYSTEM;
	}
	wipe(random, sizeof(random));
	c->form = CODE_SHA256;
	return e;
}

/*
 * Short passwords are taken, for there are devices with printed ones, but
 * not in silence: ten guesses an hour is all that protects them.
 */
enum err
code_choose(struct new_code *c, struct span secret)
{
	if (secret.len == 0)
		return say(ERR_REFUSED, "an empty password is none; --generate "
					"makes a good one");
	if (secret.len > MAX_CHALLENGE)
		return say(ERR_TOOBIG,
		    "a password has at most %d bytes, as no request can carry "
		    "more",
		    MAX_CHALLENGE);
	if (memchr(secret.p, '\0', secret.len) != NULL)
		return say(ERR_INPUT, "a password has no NUL byte");
	if (secret.len < SHORT)
		log_warn("a password of less than %d characters can be "
			 "guessed; --generate makes a good one",
		    SHORT);
	c->form = CODE_SCRYPT;
	buf_clear(&c->secret);
	return buf_add(&c->secret, secret.p, secret.len) ? OK : ERR_SYSTEM;
}

/* The first line of a file. */
static struct span
first_line(struct span text)
{
	const uint8_t *end = NULL;

	if (text.len > 0)
		end = memchr(text.p, '\n', text.len);
	if (end != NULL)
		text.len = (size_t)(end - text.p);
	if (text.len > 0 && text.p[text.len - 1] == '\r')
		text.len--;
	return text;
}

enum err
code_wanted(struct command *cmd)
{
	return usage(cmd,
	    "say one of --generate, --password - (reads a line), "
	    "--password-file FILE%s",
	    strcmp(cmd->verb->name, "add") == 0 ?
		", or --no-code if another judge says yes to it" :
		"");
}

static int
ways(const struct command *cmd)
{
	return opt_given(cmd, "password") + opt_given(cmd, "password-file") +
	       opt_given(cmd, "generate");
}

/* The secret itself, and its form. */
static enum err
take_secret(struct command *cmd, struct new_code *c)
{
	enum err e;

	if (opt_given(cmd, "recoverable") && !opt_given(cmd, "generate"))
		return usage(cmd,
		    "--recoverable goes with --generate: what protects a "
		    "message must have 128 random bits");
	if (opt_given(cmd, "password"))
		return code_choose(c, opt_bytes(cmd, "password"));
	if (opt_given(cmd, "password-file"))
		return code_choose(
		    c, first_line(opt_bytes(cmd, "password-file")));
	e = code_generate(c);
	if (opt_given(cmd, "recoverable"))
		c->form = CODE_SEALED;
	return e;
}

enum err
code_asked(struct command *cmd, struct new_code *c)
{
	int64_t count = opt_number(cmd, "count", 1);

	if (ways(cmd) != 1)
		return code_wanted(cmd);
	if (count < 1 || count > MAX_CODE_COUNT)
		return usage(cmd, "--count is 1 to %d", MAX_CODE_COUNT);
	c->count = (unsigned)count;
	c->expires = opt_time(cmd, "ttl", 0);
	if (opt_given(cmd, "ttl") && c->expires <= cmd->now)
		return usage(cmd, "--ttl is a time in the past");
	return take_secret(cmd, c);
}

enum err
code_asked_or_none(struct command *cmd, struct new_code *c, bool *open)
{
	bool none = opt_flag(cmd, "no-code");

	*open = ways(cmd) == 0 && !none;
	if (!*open && !none)
		return code_asked(cmd, c);
	if (ways(cmd) > 0)
		return code_wanted(cmd);
	if (opt_given(cmd, "ttl") || opt_given(cmd, "count") ||
	    opt_given(cmd, "recoverable"))
		return usage(cmd,
		    "--ttl, --count and --recoverable are of a code: say one "
		    "of --generate, --password -, --password-file FILE");
	return OK;
}

void
code_print(const struct command *cmd, const struct new_code *c)
{
	if (c->form != CODE_SCRYPT)
		(void)fprintf(cmd->out, "%s\n", buf_cstr(&c->secret));
}

enum err
entity_register(
    const struct command *cmd, struct entity *entity, const struct new_code *c)
{
	char id[CODE_ID] = "";
	bool has = c->secret.len > 0;
	enum err e = OK;

	if (has)
		e = code_add(&cmd->store, entity->username,
		    buf_span(&c->secret), c->form, c->count, c->expires, id);
	if (e != OK)
		return e;
	free(entity->code);
	entity->code = has ? str_dup(id) : NULL;
	e = has && entity->code == NULL ? ERR_SYSTEM :
					  entity_add(&cmd->store, entity);
	if (e != OK && has)
		(void)code_retire(&cmd->store, entity->username, id);
	if (e == ERR_EXISTS)
		return say(e, "somebody else just added %s", entity->username);
	return e;
}

/* The end of a code, which may have ended before, or not be: NULL. */
static enum err
end_code(const struct command *cmd, const char *username, const char *id)
{
	enum err e;

	if (id == NULL)
		return OK;
	e = code_retire(&cmd->store, username, id);
	return e == ERR_NOTFOUND ? OK : e;
}

enum err
entity_bury(const struct command *cmd, const char *username)
{
	struct entity entity = ENTITY_INIT;
	char *code = NULL;
	enum err e = ERR_BUSY;
	int i;

	for (i = 0; i < RETRIES && e == ERR_BUSY; i++) {
		entity_release(&entity);
		entity = (struct entity)ENTITY_INIT;
		free(code);
		code = NULL;
		if ((e = entity_get(cmd, username, &entity)) != OK)
			break;
		code = str_dup(entity.code);
		free(entity.code);
		entity.code = NULL;
		entity.deleted = true;
		e = entity_update(&cmd->store, &entity);
	}
	if (e == OK)
		e = end_code(cmd, username, code);
	entity_release(&entity);
	free(code);
	return e;
}

/* The record with the new code; *old is the one that it had. */
static enum err
install(const struct command *cmd, struct entity *entity, const char *id,
    char **old)
{
	*old = entity->code;
	entity->code = str_dup(id);
	if (entity->code == NULL)
		return ERR_SYSTEM;
	return entity_update(&cmd->store, entity);
}

/* The same; a code that cannot come in does not stay. */
static enum err
replace(const struct command *cmd, struct entity *entity, const char *id,
    char **old)
{
	enum err e = install(cmd, entity, id, old);

	if (e == OK)
		return e;
	(void)code_retire(&cmd->store, entity->username, id);
	if (e == ERR_BUSY)
		return say(e, "somebody else just changed %s; try again",
		    entity->username);
	return e;
}

/*
 * A new code is written, the record points to it, the old one ends: at each
 * step one of the two is good, and an old password never redeems a new code.
 */
enum err
run_setpwd(struct command *cmd)
{
	struct entity entity = ENTITY_INIT;
	struct new_code c = NEW_CODE_INIT;
	char id[CODE_ID] = "";
	char *old = NULL;
	enum err e;

	if ((e = code_asked(cmd, &c)) != OK ||
	    (e = entity_get(cmd, cmd->name[0], &entity)) != OK ||
	    (e = code_count(cmd, &entity, opt_given(cmd, "count"), &c)) != OK)
		goto out;
	e = code_add(&cmd->store, entity.username, buf_span(&c.secret), c.form,
	    c.count, c.expires, id);
	if (e != OK || (e = replace(cmd, &entity, id, &old)) != OK)
		goto out;
	code_print(cmd, &c);
	(void)buf_printf(&cmd->detail, "code id: %s", id);
	e = end_code(cmd, entity.username, old);
out:
	free(old);
	entity_release(&entity);
	buf_release(&c.secret);
	return e;
}

enum err
run_unlock(struct command *cmd)
{
	struct entity entity = ENTITY_INIT;
	unsigned removed = 0;
	enum err e;

	if ((e = entity_get(cmd, cmd->name[0], &entity)) != OK)
		goto out;
	if (entity.code == NULL) {
		e = say(ERR_NOTFOUND,
		    "%s has no code; `scep entity setpwd` gives it one",
		    entity.username);
		goto out;
	}
	e = code_unlock(&cmd->store, entity.code, cmd->now, &removed);
	if (e == OK)
		(void)fprintf(
		    cmd->out, "%u wrong passwords forgotten\n", removed);
out:
	entity_release(&entity);
	return e;
}

/* The present code, into *out; ERR_REFUSED (said) where none can be used. */
static enum err
living_code(
    const struct command *cmd, const struct entity *entity, struct code *out)
{
	enum err e = ERR_NOTFOUND;

	if (entity->code != NULL)
		e = code_find(&cmd->store, entity->username, entity->code, out);
	if (e == ERR_NOTFOUND)
		return say(ERR_REFUSED,
		    "%s has no code any more; `scep entity setpwd` gives it "
		    "one",
		    entity->username);
	if (e == OK && out->expires != 0 && out->expires <= cmd->now)
		return say(ERR_REFUSED,
		    "the code of %s has expired; `scep entity setpwd` gives "
		    "it another",
		    entity->username);
	return e;
}

enum err
entity_rearm(const struct command *cmd, const char *username)
{
	struct entity entity = ENTITY_INIT;
	struct code code = { 0 };
	char id[CODE_ID] = "";
	char *old = NULL;
	unsigned used = 0;
	enum err e;

	if ((e = entity_get(cmd, username, &entity)) != OK ||
	    (e = living_code(cmd, &entity, &code)) != OK ||
	    (e = code_used(&cmd->store, &code, &used)) != OK || used == 0)
		goto out;
	if ((e = code_again(&cmd->store, &code, username, code.count, id)) !=
		OK ||
	    (e = replace(cmd, &entity, id, &old)) != OK)
		goto out;
	e = end_code(cmd, username, old);
out:
	free(old);
	code_release(&code);
	entity_release(&entity);
	return e;
}

enum err
entity_disarm(const struct command *cmd, const char *username)
{
	struct entity entity = ENTITY_INIT;
	enum err e;

	if ((e = entity_get(cmd, username, &entity)) == OK)
		e = end_code(cmd, username, entity.code);
	entity_release(&entity);
	return e;
}

/* What is left of the one's code becomes the other's. */
static enum err
carry_code(const struct command *cmd, const char *from, const char *id,
    struct entity *to)
{
	char fresh[CODE_ID] = "";
	struct code code = { 0 };
	char *old = NULL;
	unsigned used = 0;
	enum err e;

	e = code_find(&cmd->store, from, id, &code);
	if (e == OK)
		e = code_used(&cmd->store, &code, &used);
	if (e == OK && used < code.count &&
	    (e = code_again(&cmd->store, &code, to->username, code.count - used,
		 fresh)) == OK)
		e = replace(cmd, to, fresh, &old);
	free(old);
	code_release(&code);
	return e == ERR_NOTFOUND ? OK : e;
}

/*
 * The new one gets its block before its code.  A crash in between leaves
 * both, and the former can be deleted.
 */
enum err
entity_rename(const struct command *cmd, const char *from, const char *to)
{
	struct entity entity = ENTITY_INIT;
	char *code = NULL;
	bool blocked;
	enum err e;

	if ((e = check_username(to)) != OK ||
	    (e = entity_get(cmd, from, &entity)) != OK ||
	    (e = entity_refuse_twin(cmd, to)) != OK)
		goto out;
	code = entity.code;
	entity.code = NULL;
	blocked = entity.blocked;
	free(entity.username);
	entity.username = str_dup(to);
	entity.version = 0;
	e = entity.username == NULL ? ERR_SYSTEM :
				      entity_add(&cmd->store, &entity);
	if (e == OK && blocked)
		e = entity_block(&cmd->store, to, true);
	if (e == OK && code != NULL)
		e = carry_code(cmd, from, code, &entity);
	if (e == OK)
		e = entity_bury(cmd, from);
out:
	free(code);
	entity_release(&entity);
	return e;
}
