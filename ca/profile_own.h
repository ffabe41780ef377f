#ifndef CA_PROFILE_OWN_H
#define CA_PROFILE_OWN_H

#include "ca/profile.h"

/*
 * What takes the value of a key (profile_take.c, for profile_read.c's table).
 * `at` is what the row says: the offset of a member, an index, or nothing.
 * The value is cut up in place and lives as long as the profile.  NULL, or
 * what is wrong with it: a constant sentence.
 */
const char *profile_take_validity(struct profile *p, size_t at, char *value);
const char *profile_take_backdate(struct profile *p, size_t at, char *value);
const char *profile_take_keys(struct profile *p, size_t at, char *value);
const char *profile_take_bits(struct profile *p, size_t at, char *value);
const char *profile_take_usages(struct profile *p, size_t at, char *value);
const char *profile_take_usages_ec(struct profile *p, size_t at, char *value);
const char *profile_take_eku(struct profile *p, size_t at, char *value);
const char *profile_take_copy(struct profile *p, size_t at, char *value);
const char *profile_take_policies(struct profile *p, size_t at, char *value);
const char *profile_take_urls(struct profile *p, size_t at, char *value);
const char *profile_take_template(struct profile *p, size_t at, char *value);
const char *profile_take_template_name(
    struct profile *p, size_t at, char *value);
/* Of [entity] and [approval] (entity_rules.c). */
const char *profile_take_yes(struct profile *p, size_t at, char *value);
const char *profile_take_cas(struct profile *p, size_t at, char *value);
const char *profile_take_profiles(struct profile *p, size_t at, char *value);
const char *profile_take_enrolments(struct profile *p, size_t at, char *value);
const char *profile_take_approval(struct profile *p, size_t at, char *value);

/* Cuts off blanks at both ends, in place. */
void profile_trim(char **word);

/*
 * Calls take() with each item of a list; "none" is the empty list.  The value
 * is cut into pieces in place, and lives as long as the profile.
 */
const char *profile_each_item(struct profile *p, char *value,
    const char *separator,
    const char *(*take)(struct profile *p, size_t at, char *item), size_t at);

#endif
