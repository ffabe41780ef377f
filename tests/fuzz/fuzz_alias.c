#include "aliases/alias.h"
#include "base/log.h"
#include "tests/fuzz/fuzz.h"

static void
discard(const char *line, void *arg)
{
	(void)line;
	(void)arg;
}

/* A configuration file, as a person or half a copy may leave it. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct alias *alias = NULL;

	log_sink(discard, NULL);
	if (alias_parse("fuzz", "fuzz.ini", span_of(data, len), NULL, NULL,
		&alias) == OK)
		alias_free(alias);
	return 0;
}
