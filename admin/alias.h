#ifndef ADMIN_ALIAS_H
#define ADMIN_ALIAS_H

#include "admin/admin.h"
#include "aliases/alias.h"
#include "base/ini.h"
#include "ca/ca.h"

/* What the files of the noun `alias` share. */

/* "aliases/NAME.ini"; ERR_REFUSED (said) for a name that cannot be one. */
enum err alias_path(const char *name, struct buf *path);

/* Path and content (secret) of an alias's file; ERR_NOTFOUND was said. */
enum err alias_load(const struct command *cmd, const char *name,
    struct buf *path, struct buf *text);

/* The names of the home's CAs, for alias_parse(). */
struct known_cas {
	char **name; /* owned */
	size_t n;
	int home; /* where former names are asked for */
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
 * The same for what alias_parse() cannot know: the profiles and attributes
 * that are named, and the secret of authpwdfile, which is read into a.
 * ERR_INPUT: what is wrong was logged.
 */
enum err alias_check_rest(const struct command *cmd, const char *path,
    struct span text, struct alias *a);

/*
 * A part of that: the DNs of [access] peers, and what [proxy] names: PEM, and
 * the key fits the certificate.  ERR_INPUT: what is wrong was logged.
 */
enum err alias_check_proxy(const struct command *cmd, const char *path,
    const struct ini *ini, const struct alias *a);

/*
 * Another: the certificates of an external RA, those of [queue] ra and, on
 * its own host, its own; that they end soon is a warning.  ERR_INPUT: what is
 * wrong was logged.
 */
enum err alias_check_queue(const struct command *cmd, const char *path,
    const struct ini *ini, const struct alias *a);

/* How long does the RA certificate of a CA last?  Appends what to do. */
enum ra_end { RA_LASTS, RA_ENDS, RA_ENDED };
enum ra_end alias_ra_end(const struct ca *ca, int64_t now, struct buf *text);

/* A line for people: where a proxy passes on, and as whom; others: none. */
void alias_tell_proxy(const struct command *cmd, const struct alias *a);

/* The text of a new proxy's file, by the options of `alias add`. */
enum err alias_proxy_text(
    struct command *cmd, const char *name, struct buf *text);

/*
 * Between the two, error lines are gathered in heard, which the caller
 * releases.  alias_heard() says them as one sentence, if there are any, and
 * returns e (ERR_REFUSED for ERR_INPUT).
 */
void alias_listen(struct buf *heard);
enum err alias_heard(const struct buf *heard, enum err e);

/*
 * Waits for the administrators before us (alias_file.c says why); the lock is
 * let go by file_close().  For every verb that changes what is there.
 */
enum err alias_lock(const struct command *cmd, int *out);

/*
 * Replaces an alias's file by text, if text is good (ERR_REFUSED, said) and
 * the file still holds `was`: ERR_BUSY (silent) if not.  Under the lock.
 */
enum err alias_swap(const struct command *cmd, const char *name,
    struct span was, struct span text);

/*
 * Changes an alias's file by edit->edit(), which appends the new text to fresh;
 * what it logs is said as one sentence.  It may be called again, if somebody
 * else changes the file meanwhile.
 */
struct alias_edit {
	enum err (*edit)(const struct ini *ini, struct span text,
	    struct buf *fresh, void *arg);
	void *arg;
};
enum err alias_rewrite(
    struct command *cmd, const char *name, const struct alias_edit *edit);

/* Is it the file of an alias?  Then its name is appended. */
bool alias_of_file(const char *file, struct buf *name);

/* ERR_EXISTS (said) if there is a file for this name. */
enum err alias_vacant(
    const struct command *cmd, const char *path, const char *name);

/*
 * Makes the file of a new alias; ERR_EXISTS, ERR_REFUSED (said).  `checked` is
 * what must be good: text itself, or text with what an administrator is still
 * to fill in; empty: nothing is looked at.
 */
enum err alias_create(const struct command *cmd, const char *name,
    struct span checked, struct span text);

/* The key of that name, of a section or the first of any (NULL); or NULL. */
const struct alias_key *alias_key_find(const char *section, const char *key);

/*
 * Which key does a bare word mean, for the alias cmd->name[0]?  That of
 * [scep]; else the only one of that name; else the only one whose section
 * counts for this alias.  Where that says nothing: ERR_INPUT, said, with the
 * words that would.  *out is NULL for a word that is no key at all.
 */
enum err alias_key_guess(
    struct command *cmd, const char *word, const struct alias_key **out);

/* Does this key mean anything with the alias's mode and judge? */
bool alias_key_counts(const struct alias *a, const struct alias_key *key);

/* The verbs by which aliases come and go (alias_add.c, alias_name.c). */
enum err alias_add(struct command *cmd);
enum err alias_copy(struct command *cmd);
enum err alias_rename(struct command *cmd);
enum err alias_delete(struct command *cmd);

/* Lets a person edit a copy of the file, as visudo does (edit.c). */
enum err alias_edit(struct command *cmd);

/* The verbs that only look. */
enum err alias_list(struct command *cmd);
enum err alias_show(struct command *cmd);
enum err alias_check(struct command *cmd);

/*
 * Can the files of a peer be used: certificates, and the key that belongs to
 * ours?  Errors are logged.
 */
enum err alias_check_peer(int home, const struct peer_rules *peer);

/*
 * The files of [web]; a warning where nothing tells the service who asks.
 * path is the alias's, for messages.  Errors are logged.
 */
enum err alias_check_web(
    const struct command *cmd, const char *path, const struct alias *a);

#endif
