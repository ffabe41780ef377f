#include "base/json.h"
#include "tests/fuzz/fuzz.h"

/* What a web service answers; what was read is written and read again. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct json *j = NULL, *again = NULL;
	struct buf out = BUF_SECRET;
	const char *text = NULL;
	int64_t n = 0;
	bool yes = false;

	if (json_parse(span_of(data, len), &j) != OK)
		return 0;
	(void)json_get_bool(j, "allow", &yes);
	(void)json_get0_text(j, "code", &text);
	(void)json_get_number(j, "expires_in", &n);
	for (const struct json *i = json_first(j); i; i = json_next(i))
		(void)json_text0(i);
	if (json_print(j, &out) == OK &&
	    json_parse(buf_span(&out), &again) == ERR_INPUT)
		__builtin_trap();
	json_free(again);
	json_free(j);
	buf_release(&out);
	return 0;
}
