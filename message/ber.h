#ifndef MESSAGE_BER_H
#define MESSAGE_BER_H

#include "base/buf.h"
#include "base/err.h"

/*
 * BER before anything else looks at it (C-44, C-52, C-82).  One loop checks
 * the shape: nesting, number of elements, every length inside its parent.
 * What is not in definite lengths is rewritten: indefinite lengths become
 * definite, constructed OCTET STRINGs become primitive.  Elements without
 * either inside are copied byte for byte, so that certificates, names and
 * signed attributes stay as they were signed.  All readers behind this one
 * walk with ca/der.h and allocate nothing.
 */
struct ber {
	struct span der; /* the element; borrows from the input or from own */
	size_t used;	 /* its bytes in the input */
	struct buf own;	 /* where it was rewritten; secret */
};

/*
 * Reads the first element of in.  ERR_INPUT (silent): *why is a constant.
 * ber_release() after it in every case; out needs no preparation.
 */
enum err ber_read(struct span in, struct ber *out, const char **why);
void ber_release(struct ber *b);

/* Is there nothing behind but at most two bytes of CR and LF (C-91)? */
bool ber_tail(struct span in, size_t used);

#endif
