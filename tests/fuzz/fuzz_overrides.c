#include "base/log.h"
#include "judge/judge.h"
#include "tests/fuzz/fuzz.h"

static void
discard(const char *line, void *arg)
{
	(void)line;
	(void)arg;
}

/* What a program that judges may print. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct judgement j;

	log_sink(discard, NULL);
	judgement_init(&j);
	(void)overrides_read("fuzz", span_of(data, len), &j);
	if (j.ruling != RULING_NO || j.why.len > MAX_WHY)
		__builtin_trap();
	judgement_release(&j);
	return 0;
}
