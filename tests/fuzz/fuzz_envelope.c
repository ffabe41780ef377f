#include <stdlib.h>

#include "base/log.h"
#include "message/csr.h"
#include "message/envelope.h"
#include "tests/fuzz/fuzz.h"

/*
 * An envelope by itself, which in a message stands behind a signature that a
 * fuzzer cannot forge: its recipients, and all that a password opens.
 */
static void
discard(const char *line, void *arg)
{
	(void)line;
	(void)arg;
}

static void
look_inside(struct span plain)
{
	struct csr_check check;
	struct csr csr;
	const char *why;

	csr_init(&csr);
	(void)csr_scan(plain, &csr, &check, &why);
	csr_release(&csr);
}

/* One iteration, whatever is asked for: the count was held against limits. */
static void
open_password(const struct envelope *env)
{
	struct pwri in;
	struct unwrap how = { .cipher = CIPHER_AES128,
		.pwri = &in,
		.secret = span_of("fuzz", 4) };
	const struct cipher_kind *kind = cipher_find(env->cipher.oid);
	struct buf plain = BUF_SECRET;
	const char *why = NULL;
	unsigned good = 0;
	size_t len = 0;

	if (!pwri_read(env->password, &in, &why))
		return;
	if (in.iterations < MIN_PBKDF2 || in.iterations > MAX_PBKDF2)
		abort();
	in.iterations = 1;
	if (kind != NULL && kind->never == NULL)
		how.cipher = kind->id;
	if (envelope_unwrap(env, &how, &plain, &good, &len) == OK) {
		if (len > plain.len)
			abort();
		look_inside(buf_span(&plain));
	}
	buf_release(&plain);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct span in = span_of(data, len);
	struct envelope env;
	const char *why = NULL;

	log_sink(discard, NULL);
	if (envelope_read(in, &env, &why) != OK)
		return 0;
	for (size_t i = 0; i < env.n; i++) {
		enum transport how;

		(void)transport_read(&env.recipient[i].transport, &how);
	}
	if (env.passwords > 0)
		open_password(&env);
	return 0;
}
