#ifndef ALIASES_ALIAS_OWN_H
#define ALIASES_ALIAS_OWN_H

#include "aliases/alias.h"
#include "base/ini.h"

/*
 * What the files of one alias share.  alias.c: the whole file; alias_take.c:
 * the table of keys and [scep]; alias_rules.c: [ra], [renewal], [approval];
 * alias_far.c: judges and distance; alias_mode.c: the rules between keys;
 * alias_intune.c: those of Intune;
 * alias_file.c: files that it names; alias_secret.c: authpwdfile.
 */

extern const char alias_no_memory[];

/*
 * A file becomes a struct by tables: each row names a key and the function
 * that takes its value.  A taker returns NULL, or what is wrong with it: a
 * constant that never holds the value.
 */
struct alias_row {
	const char *section, *key;
	const char *(*take)(struct alias *a, size_t at, const char *value);
	size_t at; /* offset of the member in struct alias */
};

/* alias_far.c: sections of judges and of distance; ends with section NULL. */
extern const struct alias_row alias_far_rows[];
bool alias_far_defaults(struct alias *a);
void alias_far_release(struct alias *a);

/*
 * Takes one entry into a; NULL, or what is wrong with it: a constant that
 * never holds the value.
 */
const char *alias_take(struct alias *a, const struct ini_entry *entry);

/*
 * Takers of one value, as alias_take(); `at` is the offset of the member in
 * struct alias where the taker is for several.
 */
const char *alias_take_bool(struct alias *a, size_t at, const char *value);
const char *alias_take_text(struct alias *a, size_t at, const char *value);
const char *alias_take_any_text(struct alias *a, size_t at, const char *value);
const char *alias_take_duration(struct alias *a, size_t at, const char *value);
const char *alias_take_limit(struct alias *a, size_t at, const char *value);
const char *alias_take_required(struct alias *a, size_t at, const char *value);
const char *alias_take_window(struct alias *a, size_t at, const char *value);
const char *alias_take_ignore(struct alias *a, size_t at, const char *value);
const char *alias_take_supersede(struct alias *a, size_t at, const char *value);
const char *alias_take_renewal_cas(
    struct alias *a, size_t at, const char *value);
const char *alias_take_secret(struct alias *a, size_t at, const char *value);
const char *alias_take_scheme(struct alias *a, size_t at, const char *value);
const char *alias_take_affix(struct alias *a, size_t at, const char *value);
const char *alias_take_existing(struct alias *a, size_t at, const char *value);

/* A list with commas, which replaces what *words and *n are. */
const char *alias_take_list(char ***words, size_t *n, const char *value);
void alias_list_free(char ***words, size_t *n);

/* The index of the word, in any case; -1 if it is none of them. */
int alias_word(const char *const *words, int n, const char *value);

/* Defaults of everything that has one; false: out of memory (logged). */
bool alias_defaults(struct alias *a);

/*
 * Is [section] key written out?  1 and a line in the log if not; callers add
 * these up, so that people hear of everything at once.
 */
unsigned alias_needs(
    const struct ini *ini, const char *section, const char *key);
/* The line of [section] key, and what is wrong there; always 1. */
unsigned alias_wrong(const struct ini *ini, const char *section,
    const char *key, const char *why);

/* The rules between keys that the operation mode makes; how many are broken. */
unsigned alias_check_mode(const struct ini *ini, const struct alias *a);

/* The same for an alias whose judge is Intune (alias_intune.c). */
unsigned alias_check_intune(const struct ini *ini, const struct alias *a);

/* The judge where the file names none, by the mode. */
void alias_put_judge(struct alias *a);

/* RA mode: defaultca is among cas, and is the first where it was not. */
bool alias_put_first(struct alias *a);

#endif
