#include "base/log.h"
#include "ca/dn.h"
#include "ca/profile.h"
#include "ca/san.h"
#include "message/message.h"
#include "tests/fuzz/fuzz.h"

static void
discard(const char *line, void *arg)
{
	(void)line;
	(void)arg;
}

/* What the greediest profile makes of it. */
static void
shape(const struct csr *csr)
{
	static const char text[] =
	    "[certificate]\neku = clientAuth\n"
	    "copy = keyUsage, extendedKeyUsage, sid, tlsFeature, 1.2.3\n";
	struct generation gen = { .n = 1, .not_after = INT64_MAX };
	struct leaf leaf = {
		.spki = csr->spki, .asked = csr->asked, .nasked = csr->nasked
	};
	struct profile *p = NULL;
	const char *why = NULL;
	struct shape s;

	if (profile_parse(
		"fuzz", "fuzz", span_of(text, sizeof(text) - 1), &p) != OK)
		return;
	(void)profile_shape(p, &gen, &leaf, 1800000000, &s, &why);
	shape_release(&s);
	profile_free(p);
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
		shape(&csr);
	}
	buf_release(&text);
	csr_release(&csr);
	return 0;
}
