#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/*
 * A fuzz target is an ordinary function on bytes.  With libFuzzer it is
 * driven by that (`make fuzz`); without, by replay.c (`make check`).
 * Returns 0.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#endif
