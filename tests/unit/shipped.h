#ifndef TESTS_UNIT_SHIPPED_H
#define TESTS_UNIT_SHIPPED_H

/* A built-in profile, parsed once; NULL if there is none of that name. */
#include <strings.h>

#include "ca/profile.h"

static const struct profile *
shipped(const char *name)
{
	static struct profile *kept[16];
	const char *spelled;
	struct span text;

	for (size_t i = 0; profile_shipped(i, &spelled, &text); i++) {
		if (strcasecmp(spelled, name) != 0)
			continue;
		if (kept[i] == NULL)
			(void)profile_parse(spelled, spelled, text, &kept[i]);
		return kept[i];
	}
	return NULL;
}

#endif
