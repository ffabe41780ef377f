#include "base/log.h"
#include "ca/dn.h"
#include "ca/san.h"
#include "message/message.h"
#include "tests/fuzz/fuzz.h"

static void
discard(const char *line, void *arg)
{
	(void)line;
	(void)arg;
}

/* What stands behind the envelope, which a fuzzer cannot forge. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct csr csr = { .der = BUF_SECRET, .challenge = BUF_SECRET };
	struct buf text = BUF_INIT;
	const char *reason = NULL;
	bool verified = false;

	log_sink(discard, NULL);
	if (csr_read(span_of(data, len), &csr, &verified, &reason) == OK) {
		(void)dn_text(csr.subject, &text);
		buf_clear(&text);
		(void)dn_value(csr.subject, "CN", &text);
		if (csr.san.len > 0)
			(void)san_check(csr.san);
	}
	buf_release(&text);
	csr_release(&csr);
	return 0;
}
