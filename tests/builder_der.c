#include "builder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/rand.h>

#define CHUNK 200 /* bytes of a piece of a constructed OCTET STRING */
#define MOST  (16L * 1024 * 1024)

void
die(const char *what)
{
	fprintf(stderr, "builder: %s\n", what);
	ERR_print_errors_fp(stderr);
	exit(1); /* NOLINT(concurrency-mt-unsafe) */
}

/* Kept in a list, so that a leak checker sees who holds them. */
struct held {
	struct held *next;
	unsigned char data[];
};
static struct held *all;

unsigned char *
hold(size_t n)
{
	struct held *h = calloc(1, sizeof(*h) + n + 1);

	if (h == NULL)
		die("no memory");
	h->next = all;
	all = h;
	return h->data;
}

struct bytes
raw(const void *p, size_t n)
{
	struct bytes b = { hold(n), n };

	if (n > 0)
		memcpy(b.p, p, n);
	return b;
}

struct bytes
text(const char *s)
{
	return raw(s, strlen(s));
}

struct bytes
join(const struct bytes *part, size_t n)
{
	struct bytes b = { NULL, 0 };
	size_t at = 0;

	for (size_t i = 0; i < n; i++)
		b.n += part[i].n;
	b.p = hold(b.n);
	for (size_t i = 0; i < n; i++) {
		if (part[i].n > 0)
			memcpy(b.p + at, part[i].p, part[i].n);
		at += part[i].n;
	}
	return b;
}

struct bytes
tlv(unsigned tag, struct bytes body)
{
	unsigned char head[10];
	size_t n = 0, more = 0;

	head[n++] = (unsigned char)tag;
	if (body.n < 0x80) {
		head[n++] = (unsigned char)body.n;
	} else {
		while (body.n >> (8 * more) != 0)
			more++;
		head[n++] = (unsigned char)(0x80 | more);
		while (more-- > 0)
			head[n++] = (unsigned char)(body.n >> (8 * more));
	}
	return JOIN(raw(head, n), body);
}

/* With ber: an indefinite length. */
struct bytes
tlv_ber(bool ber, unsigned tag, struct bytes body)
{
	unsigned char head[2] = { (unsigned char)tag, 0x80 };

	if (!ber)
		return tlv(tag, body);
	return JOIN(raw(head, 2), body, raw("\0\0", 2));
}

/*
 * An OCTET STRING under a tag (0x04, or 0x80 for [0] IMPLICIT); with ber
 * constructed, in pieces.
 */
struct bytes
octets(bool ber, unsigned tag, struct bytes body)
{
	struct bytes pieces = NOTHING;

	if (!ber)
		return tlv(tag, body);
	for (size_t at = 0; at < body.n; at += CHUNK) {
		size_t n = body.n - at < CHUNK ? body.n - at : CHUNK;

		pieces = JOIN(pieces, tlv(0x04, raw(body.p + at, n)));
	}
	return tlv_ber(true, tag | 0x20, pieces);
}

static int
compare(const void *a, const void *b)
{
	const struct bytes *x = a, *y = b;
	int c = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);

	if (c != 0)
		return c;
	return x->n < y->n ? -1 : x->n > y->n;
}

/* Sorts the parts as DER wants a SET OF. */
struct bytes
set_of(unsigned tag, struct bytes *part, size_t n)
{
	qsort(part, n, sizeof(*part), compare);
	return tlv(tag, join(part, n));
}

struct bytes
take(unsigned char *der, int len)
{
	struct bytes b;

	if (len < 0 || (len > 0 && der == NULL))
		die("encoding");
	b = raw(der, (size_t)len);
	OPENSSL_free(der);
	return b;
}

struct bytes
oid(const char *dotted)
{
	ASN1_OBJECT *obj = OBJ_txt2obj(dotted, 1);
	unsigned char *der = NULL;
	int n;

	if (obj == NULL)
		die(dotted);
	n = i2d_ASN1_OBJECT(obj, &der);
	ASN1_OBJECT_free(obj);
	return take(der, n);
}

struct bytes
number(long n)
{
	unsigned char c[2] = { (unsigned char)(n >> 8), (unsigned char)n };

	if (n < 0 || n > 0x7fff)
		die("number out of range");
	return n < 0x80 ? tlv(0x02, raw(c + 1, 1)) : tlv(0x02, raw(c, 2));
}

struct bytes
algorithm(const char *dotted)
{
	return SEQ(oid(dotted), tlv(0x05, NOTHING));
}

struct bytes
bit_string(struct bytes body)
{
	return tlv(0x03, JOIN(raw("", 1), body));
}

struct bytes
noise(size_t n)
{
	struct bytes b = { hold(n), n };

	if (n > 0 && RAND_bytes(b.p, (int)n) != 1)
		die("random bytes");
	return b;
}

struct bytes
hex(const char *digits)
{
	long n = 0;
	unsigned char *p = OPENSSL_hexstr2buf(digits, &n);

	if (p == NULL && *digits != '\0')
		die("not hex");
	return take(p, (int)n);
}

static int
digit(char c)
{
	return OPENSSL_hexchar2int((unsigned char)c);
}

struct bytes
unescape(const char *s)
{
	struct bytes b = { hold(strlen(s)), 0 };

	while (*s != '\0') {
		if (s[0] == '\\' && s[1] == 'x' && digit(s[2]) >= 0 &&
		    digit(s[3]) >= 0) {
			b.p[b.n++] =
			    (unsigned char)(digit(s[2]) << 4 | digit(s[3]));
			s += 4;
		} else {
			b.p[b.n++] = (unsigned char)*s++;
		}
	}
	return b;
}

struct bytes
read_file(const char *path)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	struct bytes b = NOTHING;
	unsigned char chunk[16384];
	size_t n;

	if (f == NULL)
		die(path);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0) {
		b = JOIN(b, raw(chunk, n));
		if (b.n > MOST)
			die("file too large");
	}
	if (ferror(f))
		die(path);
	if (f != stdin)
		fclose(f);
	return b;
}

void
write_file(const char *path, struct bytes b)
{
	FILE *f = strcmp(path, "-") == 0 ? stdout : fopen(path, "wb");

	if (f == NULL || fwrite(b.p, 1, b.n, f) != b.n || fflush(f) != 0)
		die(path);
	if (f != stdout)
		fclose(f);
}
