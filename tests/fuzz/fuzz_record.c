#include "base/log.h"
#include "store/record.h"
#include "tests/fuzz/fuzz.h"

static void
discard(const char *line, void *arg)
{
	(void)line;
	(void)arg;
}

/* A store file: the reader that all kinds of record share. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char *const kinds[] = { "entity", "code", "certificate" };
	struct record r;
	int64_t n;

	log_sink(discard, NULL);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (record_parse("fuzz", kinds[i], span_of(data, len), &r) !=
		    OK)
			continue;
		(void)record_get(&r, "username");
		(void)record_get_num(&r, "count", &n);
		(void)record_get_time(&r, "created", &n);
		record_release(&r);
	}
	return 0;
}
