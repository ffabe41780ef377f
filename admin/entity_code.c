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
code_asked(struct command *cmd, struct new_code *c)
{
	int64_t count = opt_number(cmd, "count", 1);
	int ways = opt_given(cmd, "password") +
		   opt_given(cmd, "password-file") + opt_given(cmd, "generate");

	if (ways != 1)
		return usage(cmd,
		    "say one of --generate, --password - (reads a line), "
		    "--password-file FILE");
	if (count < 1 || count > MAX_CODE_COUNT)
		return usage(cmd, "--count is 1 to %d", MAX_CODE_COUNT);
	c->count = (unsigned)count;
	c->expires = opt_time(cmd, "ttl", 0);
	if (opt_given(cmd, "ttl") && c->expires <= cmd->now)
		return usage(cmd, "--ttl is a time in the past");
	if (opt_given(cmd, "recoverable") && !opt_given(cmd, "generate"))
		return usage(cmd,
		    "--recoverable goes with --generate: what protects a "
		    "message must have 128 random bits");
	if (opt_given(cmd, "generate")) {
		enum err e = code_generate(c);

		if (opt_given(cmd, "recoverable"))
			c->form = CODE_SEALED;
		return e;
	}
	if (opt_given(cmd, "password"))
		return code_choose(c, opt_bytes(cmd, "password"));
	return code_choose(c, first_line(opt_bytes(cmd, "password-file")));
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
	enum err e;

	e = code_add(&cmd->store, entity->username, buf_span(&c->secret),
	    c->form, c->count, c->expires, id);
	if (e != OK)
		return e;
	free(entity->code);
	entity->code = str_dup(id);
	e = entity->code == NULL ? ERR_SYSTEM : entity_add(&cmd->store, entity);
	if (e != OK)
		(void)code_retire(&cmd->store, entity->username, id);
	if (e == ERR_EXISTS)
		return say(e, "somebody else just added %s", entity->username);
	return e;
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
	if (e == OK && code != NULL)
		e = code_retire(&cmd->store, username, code);
	if (e == ERR_NOTFOUND && code != NULL)
		e = OK; /* it was gone already */
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
	if (e != OK)
		goto out;
	if ((e = install(cmd, &entity, id, &old)) != OK) {
		(void)code_retire(&cmd->store, entity.username, id);
		if (e == ERR_BUSY)
			(void)say(e, "somebody else just changed %s; try again",
			    entity.username);
		goto out;
	}
	code_print(cmd, &c);
	(void)buf_printf(&cmd->detail, "code id: %s", id);
	if (old != NULL)
		e = code_retire(&cmd->store, entity.username, old);
	if (e == ERR_NOTFOUND)
		e = OK; /* the old one was gone already */
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
