#include "base/log.h"
#include "ca/profile.h"
#include "tests/fuzz/fuzz.h"

static void
discard(const char *line, void *arg)
{
	(void)line;
	(void)arg;
}

/* A certificate profile, as a person or half a copy may leave it. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct profile *profile = NULL;

	log_sink(discard, NULL);
	if (profile_parse("fuzz", "fuzz.ini", span_of(data, len), &profile) ==
	    OK)
		profile_free(profile);
	return 0;
}
