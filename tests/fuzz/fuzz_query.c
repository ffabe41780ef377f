#include "query.h"
#include "route.h"
#include "tests/fuzz/fuzz.h"

/* What a URL can say: query string, base64 in it, path. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct span query = span_of(data, len);
	struct span raw = { NULL, 0 };
	char alias[MAX_ALIAS + 1];
	struct buf out = BUF_INIT;

	(void)query_value(query, "operation", &raw);
	if (query_value(query, "message", &raw)) {
		(void)percent_decode(raw, &out);
		buf_clear(&out);
		(void)message_decode(raw, &out);
	}
	buf_clear(&out);
	(void)message_decode(query, &out);
	(void)route_alias(query, NULL, alias);
	buf_release(&out);
	return 0;
}
