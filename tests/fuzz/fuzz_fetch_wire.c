#include "fetch/wire.h"
#include "tests/fuzz/fuzz.h"

/*
 * What a child of the helper, or the helper, may say.  Whatever is read is
 * written again: the same bytes, as there is one way to write each.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct buf again = BUF_INIT;
	struct wire wire;

	if (wire_get(span_of(data, len), &wire) != OK)
		return 0;
	if (wire_put(&again, wire.kind, &wire.is) != OK ||
	    !span_eq(buf_span(&again), span_of(data, len)))
		__builtin_trap();
	wire_release(&wire);
	buf_release(&again);
	return 0;
}
