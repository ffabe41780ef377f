#include "base/log.h"
#include "message/letter.h"
#include "queue_text.h"
#include "store/queue.h"
#include "tests/fuzz/fuzz.h"

static void
discard(const char *line, void *arg)
{
	(void)line;
	(void)arg;
}

/* What comes from the other host: a file, its letter, content and text. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct span in = span_of(data, len), none = { NULL, 0 };
	const struct letter_rule rule = {
		.kind = LETTER_REQUEST, .name = "x", .signer = &none, .n = 1
	};
	struct letter_opened opened;
	struct queue_request request;
	struct queue_result result;
	struct queue_news news;
	struct buf letter = BUF_INIT;
	struct span part[LETTER_PARTS], text;
	const char *why;

	log_sink(discard, NULL);
	if (queue_unfile(in, &letter) == OK)
		(void)letter_verify(buf_span(&letter), &rule, &opened, &why);
	buf_release(&letter);
	(void)letter_verify(in, &rule, &opened, &why);
	(void)letter_content(in, &text, part);
	if (queue_request_read(in, &request) == OK)
		queue_request_release(&request);
	if (queue_result_read(in, &result) == OK)
		queue_result_release(&result);
	if (queue_news_read(in, &news) == OK)
		queue_news_release(&news);
	return 0;
}
