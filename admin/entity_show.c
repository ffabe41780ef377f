#include "admin/entity.h"
#include "admin/ca.h"

#include <fnmatch.h>

#include "base/time.h"

static const char *const forms[CODE__MAX] = { "generated (sha256)",
	"chosen (scrypt)", "recoverable (sealed)" };

/* What is known about an entity's code; never the code. */
struct code_state {
	struct code code;
	bool there;
	unsigned used;
	int64_t locked; /* until then; 0: not locked */
};

static enum err
state_read(const struct command *cmd, const struct entity *entity,
    struct code_state *s)
{
	enum err e;

	*s = (struct code_state){ .there = false };
	if (entity->code == NULL)
		return OK;
	e = code_find(&cmd->store, entity->username, entity->code, &s->code);
	if (e == ERR_NOTFOUND)
		return OK;
	if (e != OK)
		return e;
	s->there = true;
	if ((e = code_used(&cmd->store, &s->code, &s->used)) != OK)
		return e;
	return code_locked(&cmd->store, s->code.id, cmd->now, &s->locked);
}

static const char *
code_word(const struct code_state *s, int64_t now)
{
	if (!s->there)
		return "none";
	if (s->code.expires != 0 && s->code.expires <= now)
		return "expired";
	if (s->used >= s->code.count)
		return "used up";
	return s->locked != 0 ? "locked" : "good";
}

enum err
entity_code_word(
    const struct command *cmd, const struct entity *entity, const char **word)
{
	struct code_state s = { .there = false };
	enum err e = state_read(cmd, entity, &s);

	if (e == OK)
		*word = code_word(&s, cmd->now);
	if (s.there)
		code_release(&s.code);
	return e;
}

static void
print_state(const struct command *cmd, const struct code_state *s)
{
	FILE *out = cmd->out;

	print_field(out, "Code:", code_word(s, cmd->now));
	if (!s->there)
		return;
	print_field(out, "Code id:", s->code.id);
	print_field(out, "Code form:", forms[s->code.form]);
	(void)fprintf(
	    out, "%-14s%u of %u\n", "Code used:", s->used, s->code.count);
	print_time(out, "Code made:", s->code.created);
	if (s->code.expires != 0)
		print_time(out, "Code expires:", s->code.expires);
	else
		print_field(out, "Code expires:", "never");
	if (s->locked != 0)
		print_time(out, "Locked until:", s->locked);
}

static void
print_entity(const struct command *cmd, const struct entity *entity,
    const struct code_state *s)
{
	FILE *out = cmd->out;

	print_field(out, "Name:", entity->username);
	print_field(out, "State:", entity->blocked ? "blocked" : "active");
	print_field(out, "Subject:",
	    entity->subject == NULL ? "(the request's)" : entity->subject);
	print_field(out, "SAN:", entity->san == NULL ? "(none)" : entity->san);
	print_field(out, "CA:", entity->ca);
	print_field(out, "Profile:",
	    entity->profile == NULL ? "(the alias's)" : entity->profile);
	print_field(out, "Email:", entity->email);
	print_time(out, "Added:", entity->created);
	print_time(out, "Changed:", entity->changed);
	(void)fprintf(out, "%-14s%u\n", "Version:", entity->version);
	print_state(cmd, s);
}

/* s may be NULL, as in lists, which do not open every code. */
static void
json_entity(const struct command *cmd, const struct entity *entity,
    const struct code_state *s)
{
	FILE *out = cmd->out;

	json_begin(out);
	json_text(out, "username", entity->username);
	json_bool(out, "blocked", entity->blocked);
	json_text(out, "subject", entity->subject);
	json_text(out, "san", entity->san);
	json_text(out, "ca", entity->ca);
	json_text(out, "profile", entity->profile);
	json_text(out, "email", entity->email);
	json_time(out, "created", entity->created);
	json_time(out, "changed", entity->changed);
	json_num(out, "version", entity->version);
	json_text(out, "code_id", entity->code);
	if (s != NULL)
		json_text(out, "code", code_word(s, cmd->now));
	if (s != NULL && s->there) {
		json_text(out, "code_form", forms[s->code.form]);
		json_num(out, "code_used", s->used);
		json_num(out, "code_count", s->code.count);
		json_time(out, "code_created", s->code.created);
		if (s->code.expires != 0)
			json_time(out, "code_expires", s->code.expires);
		if (s->locked != 0)
			json_time(out, "locked_until", s->locked);
	}
	json_end(out);
}

enum err
run_entity_show(struct command *cmd)
{
	struct entity entity = ENTITY_INIT;
	struct code_state s = { .there = false };
	enum err e;

	if ((e = entity_get(cmd, cmd->name[0], &entity)) != OK ||
	    (e = state_read(cmd, &entity, &s)) != OK)
		goto out;
	if (opt_flag(cmd, "json"))
		json_entity(cmd, &entity, &s);
	else
		print_entity(cmd, &entity, &s);
out:
	if (s.there)
		code_release(&s.code);
	entity_release(&entity);
	return e;
}

struct listing {
	struct command *cmd;
	struct ca_filter filter;
};

static enum err
list_one(const struct entity *entity, void *arg)
{
	const struct listing *l = arg;
	const struct command *cmd = l->cmd;
	const char *match = opt_text(cmd, "match");
	FILE *out = cmd->out;

	if (match != NULL && fnmatch(match, entity->username, 0) != 0)
		return OK;
	if (!ca_filter_lets(&l->filter, entity->ca))
		return OK;
	if (opt_flag(cmd, "json")) {
		json_entity(cmd, entity, NULL);
		return OK;
	}
	print_cell(out, entity->username, 24);
	print_cell(out, entity->ca, 16);
	print_cell(out, entity->profile, 8);
	print_cell(out, entity->blocked ? "blocked" : "active", 7);
	print_cell(out, entity->subject, 0);
	return OK;
}

enum err
run_entity_list(struct command *cmd)
{
	static const struct heading columns[] = { { "NAME", 24 }, { "CA", 16 },
		{ "PROFILE", 8 }, { "STATE", 7 }, { "SUBJECT", 0 } };
	struct listing l = { .cmd = cmd };
	enum err e;

	print_heading(cmd, columns);
	if ((e = ca_filter_open(cmd, &l.filter)) == OK)
		e = entity_each(&cmd->store, list_one, &l);
	ca_filter_close(&l.filter);
	return e;
}
