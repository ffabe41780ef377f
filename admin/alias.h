#ifndef ADMIN_ALIAS_H
#define ADMIN_ALIAS_H

#include "admin/admin.h"
#include "aliases/alias.h"

/* What the files of the noun `alias` share. */

/* "aliases/NAME.ini"; ERR_REFUSED (said) for a name that cannot be one. */
enum err alias_path(const char *name, struct buf *path);

/* Path and content of an alias's file; ERR_NOTFOUND was said. */
enum err alias_load(const struct command *cmd, const char *name,
    struct buf *path, struct buf *text);

/* The names of the home's CAs, for alias_parse(). */
struct known_cas {
	char **name; /* owned */
	size_t n;
};
enum err known_cas_read(int home, struct known_cas *out);
void known_cas_release(struct known_cas *known);

/*
 * Is this text a good alias, and do its CAs exist?  ERR_REFUSED: what is
 * wrong was said.  out may be NULL; else the caller frees it.
 */
enum err alias_check_text(const struct command *cmd, const char *name,
    const char *path, struct span text, struct alias **out);

/*
 * Lets a person edit a copy of text, as visudo does: what save() refuses is
 * edited again or thrown away, and the file is never left broken.
 */
enum err edit_text(struct command *cmd, const char *path, struct span text,
    enum err (*save)(struct command *cmd, const char *path, struct span text));

/* The verbs that only look. */
enum err alias_list(struct command *cmd);
enum err alias_show(struct command *cmd);
enum err alias_check(struct command *cmd);

#endif
