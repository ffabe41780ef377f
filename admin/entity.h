#ifndef ADMIN_ENTITY_H
#define ADMIN_ENTITY_H

#include "admin/admin.h"
#include "store/code.h"
#include "store/entity.h"

/*
 * What the files of the noun `entity` share: entity.c (the table, delete,
 * block), entity_set.c (add, set), entity_code.c (secrets, and what happens to
 * an entity and its code together), entity_judge.c (does it need one),
 * entity_rules.c (what its profile says of it), entity_show.c,
 * entity_import.c; and what EJBCA's `ra` uses of them (ejbca_ra.c).
 */
#define RETRIES 5 /* times that a change is tried when others change too */

/* A secret on its way into the store. */
struct new_code {
	struct buf secret; /* the exact bytes that are compared; none: empty */
	enum code_form form;
	unsigned count;	 /* certificates it may pay for */
	int64_t expires; /* 0: never */
};
#define NEW_CODE_INIT                         \
	{                                     \
		BUF_SECRET, CODE_SCRYPT, 1, 0 \
	}

/* A code of 140 bits without letters that look alike, for new_code.secret. */
enum err code_generate(struct new_code *c);

/* A chosen one: 1 to MAX_CHALLENGE bytes, no NUL; short ones are warned of. */
enum err code_choose(struct new_code *c, struct span secret);

/*
 * The code that --password, --password-file or --generate, --ttl and --count
 * ask for; exactly one of the three, or it was typed wrong.
 */
enum err code_asked(struct command *cmd, struct new_code *c);

/*
 * The same for `entity add`, where --no-code is the fourth way: c->secret stays
 * empty.  None of the four: it does too, and *open says that entity_needs_code()
 * has to be asked.
 */
enum err code_asked_or_none(
    struct command *cmd, struct new_code *c, bool *open);

/* The usage error of a code that is needed and was not given. */
enum err code_wanted(struct command *cmd);

/*
 * Is there an alias of CA mode for that CA whose judge is the entity's own
 * code?  Also where there is none for it at all, or a file cannot be read.
 */
enum err entity_needs_code(struct command *cmd, const char *ca, bool *yes);

/* Prints a generated one, alone, on standard output; others not at all. */
void code_print(const struct command *cmd, const struct new_code *c);

/*
 * code_add(), if there is a secret, then entity_add() with it; the code does
 * not outlive failure.
 */
enum err entity_register(
    const struct command *cmd, struct entity *e, const struct new_code *c);

/* Its grave, and the end of its code. */
enum err entity_bury(const struct command *cmd, const char *username);

/*
 * Its code can be used again as often as when it was new, though nobody here
 * knows it: another code of the same secret takes its place.  ERR_REFUSED
 * (said) where there is none, or it has expired.
 */
enum err entity_rearm(const struct command *cmd, const char *username);

/* Its code ends. */
enum err entity_disarm(const struct command *cmd, const char *username);

/*
 * The same entity, code and block under another name; the former one gets its
 * grave.  What was issued stays in the former name.  ERR_EXISTS (said).
 */
enum err entity_rename(
    const struct command *cmd, const char *from, const char *to);

/* May it have no more certificates until it is unblocked? */
enum err entity_set_block(
    const struct command *cmd, const char *username, bool on);

/* "good", "locked", "used up", "expired" or "none": its code at present. */
enum err entity_code_word(
    const struct command *cmd, const struct entity *entity, const char **word);

/* ERR_EXISTS (said) if there is an entity of that name. */
enum err entity_refuse_twin(const struct command *cmd, const char *username);

/* The living entity, or a line that says there is none. */
enum err entity_get(
    const struct command *cmd, const char *username, struct entity *out);

/* What stands in a field of an entity, checked at once; each logs. */
enum err check_username(const char *username);
enum err check_subject(const char *subject);
enum err check_san(const char *san);

/*
 * Do the names and the CA of a record fit the rules of the profile that it
 * names, as far as they are known (entity_rules.c)?  ERR_REFUSED was said.
 */
enum err entity_fits(const struct command *cmd, const struct entity *who);

/*
 * What the profile's `enrolments` make of c->count: so many where nobody
 * asked for a number, and no more.  ERR_REFUSED was said.
 */
enum err code_count(const struct command *cmd, const struct entity *who,
    bool asked, struct new_code *c);

/* Names of the home's CAs. */
struct ca_list {
	char **name;
	size_t n;
};
enum err ca_list_read(const struct command *cmd, struct ca_list *out);
void ca_list_release(struct ca_list *l);
/* name if it is a CA; the only CA for NULL; NULL (said) else. */
const char *ca_list_choose(
    const struct command *cmd, const struct ca_list *l, const char *name);

enum err run_entity_add(struct command *cmd);
enum err run_entity_set(struct command *cmd);
enum err run_entity_delete(struct command *cmd);
enum err run_setpwd(struct command *cmd);
enum err run_unlock(struct command *cmd);
enum err run_entity_show(struct command *cmd);
enum err run_entity_list(struct command *cmd);
enum err run_entity_import(struct command *cmd);

#endif
