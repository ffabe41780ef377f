#include "fetch/wire.h"

enum member_kind { NUMBER, SIZE, FLAG, TEXT, BYTES, LIST };

/* A member of a struct: how it is written, and where it stands. */
struct member {
	enum member_kind kind;
	size_t at;
};

static const struct member http_members[] = {
	{ TEXT, offsetof(struct http_ask, method) },
	{ TEXT, offsetof(struct http_ask, url) },
	{ LIST, offsetof(struct http_ask, header) },
	{ BYTES, offsetof(struct http_ask, body) },
	{ BYTES, offsetof(struct http_ask, ca) },
	{ BYTES, offsetof(struct http_ask, cert) },
	{ BYTES, offsetof(struct http_ask, key) },
	{ TEXT, offsetof(struct http_ask, pin) },
	{ TEXT, offsetof(struct http_ask, proxy) },
	{ TEXT, offsetof(struct http_ask, proxyuser) },
	{ NUMBER, offsetof(struct http_ask, timeout) },
	{ SIZE, offsetof(struct http_ask, limit) },
	{ FLAG, offsetof(struct http_ask, plain) },
};

static const struct member run_members[] = {
	{ TEXT, offsetof(struct run_ask, path) },
	{ LIST, offsetof(struct run_ask, arg) },
	{ LIST, offsetof(struct run_ask, env) },
	{ BYTES, offsetof(struct run_ask, input) },
	{ BYTES, offsetof(struct run_ask, secret) },
	{ NUMBER, offsetof(struct run_ask, timeout) },
	{ SIZE, offsetof(struct run_ask, limit) },
};

static const struct member answer_members[] = {
	{ NUMBER, offsetof(struct answer, err) },
	{ TEXT, offsetof(struct answer, why) },
	{ NUMBER, offsetof(struct answer, status) },
	{ TEXT, offsetof(struct answer, type) },
	{ BYTES, offsetof(struct answer, body) },
	{ BYTES, offsetof(struct answer, complaint) },
};

#define TABLE(t) t, sizeof(t) / sizeof(*(t))

static const struct {
	const struct member *members;
	size_t n;
} structs[WIRE__MAX] = {
	[WIRE_HTTP] = { TABLE(http_members) },
	[WIRE_RUN] = { TABLE(run_members) },
	[WIRE_ANSWER] = { TABLE(answer_members) },
};

static bool
put_number(struct buf *out, uint64_t n, int bytes)
{
	while (bytes-- > 0) {
		if (!buf_byte(out, (uint8_t)(n >> (8 * bytes))))
			return false;
	}
	return true;
}

static enum err
put_bytes(struct buf *out, const void *p, size_t len)
{
	if (len > UINT32_MAX)
		return ERR_INPUT;
	if (!put_number(out, len, 4) || !buf_add(out, p, len))
		return ERR_SYSTEM;
	return OK;
}

static enum err
put_text(struct buf *out, const char *text)
{
	return put_bytes(out, text, text == NULL ? 0 : strlen(text) + 1);
}

static enum err
put_list(struct buf *out, const char *const *list)
{
	enum err e = OK;
	size_t n = 0;

	while (list != NULL && list[n] != NULL)
		n++;
	if (n > WIRE_MAX_LIST)
		return ERR_INPUT;
	if (!put_number(out, n, 4))
		return ERR_SYSTEM;
	for (size_t i = 0; i < n && e == OK; i++)
		e = put_text(out, list[i]);
	return e;
}

/* The value of a member, whatever it is. */
union value {
	int64_t number;
	size_t size;
	bool flag;
	const char *text;
	struct span bytes;
	const char *const *list;
};

static const size_t sizes[] = {
	[NUMBER] = sizeof(int64_t),
	[SIZE] = sizeof(size_t),
	[FLAG] = sizeof(bool),
	[TEXT] = sizeof(const char *),
	[BYTES] = sizeof(struct span),
	[LIST] = sizeof(const char *const *),
};

static enum err
put_member(struct buf *out, enum member_kind kind, const union value *v)
{
	if (kind == TEXT)
		return put_text(out, v->text);
	if (kind == BYTES)
		return put_bytes(out, v->bytes.p, v->bytes.len);
	if (kind == LIST)
		return put_list(out, v->list);
	if (!put_number(out,
		kind == NUMBER ? (uint64_t)v->number :
		kind == SIZE   ? v->size :
				 v->flag,
		8))
		return ERR_SYSTEM;
	return OK;
}

enum err
wire_put(struct buf *out, enum wire_kind kind, const void *from)
{
	enum err e = OK;

	if (!buf_byte(out, (uint8_t)kind))
		return ERR_SYSTEM;
	for (size_t i = 0; i < structs[kind].n && e == OK; i++) {
		const struct member *m = &structs[kind].members[i];
		union value v = { 0 };

		memcpy(&v, (const char *)from + m->at, sizes[m->kind]);
		e = put_member(out, m->kind, &v);
	}
	return e;
}

static bool
get_number(struct span *in, int bytes, uint64_t *n)
{
	if (in->len < (size_t)bytes)
		return false;
	for (*n = 0; bytes > 0; bytes--) {
		*n = *n << 8 | *in->p++;
		in->len--;
	}
	return true;
}

static bool
get_bytes(struct span *in, struct span *out)
{
	uint64_t len;

	if (!get_number(in, 4, &len) || len > in->len)
		return false;
	*out = span_of(len > 0 ? in->p : NULL, (size_t)len);
	in->p += len;
	in->len -= (size_t)len;
	return true;
}

static bool
get_text(struct span *in, const char **out)
{
	struct span s;

	if (!get_bytes(in, &s))
		return false;
	*out = (const char *)s.p;
	/* One NUL, and that at the end. */
	return s.len == 0 || memchr(s.p, '\0', s.len) == s.p + s.len - 1;
}

/* The list stands in memory of `w`, until that is released. */
static enum err
get_list(struct span *in, struct wire *w, const char *const **out)
{
	const char ***room = w->list[0] == NULL ? &w->list[0] : &w->list[1];
	uint64_t n;

	*out = NULL;
	if (!get_number(in, 4, &n) || n > WIRE_MAX_LIST || n > in->len)
		return ERR_INPUT;
	if (n == 0)
		return OK;
	if ((*room = calloc((size_t)n + 1, sizeof(**room))) == NULL)
		return ERR_SYSTEM;
	for (uint64_t i = 0; i < n; i++) {
		if (!get_text(in, &(*room)[i]) || (*room)[i] == NULL)
			return ERR_INPUT;
	}
	*out = *room;
	return OK;
}

static enum err
get_member(
    struct span *in, enum member_kind kind, struct wire *w, union value *v)
{
	uint64_t n;

	if (kind == TEXT)
		return get_text(in, &v->text) ? OK : ERR_INPUT;
	if (kind == BYTES)
		return get_bytes(in, &v->bytes) ? OK : ERR_INPUT;
	if (kind == LIST)
		return get_list(in, w, &v->list);
	if (!get_number(in, 8, &n))
		return ERR_INPUT;
	if (kind == NUMBER)
		v->number = (int64_t)n;
	else if (kind == SIZE)
		v->size = (size_t)n;
	else if (n <= 1)
		v->flag = n == 1;
	else
		return ERR_INPUT;
	return OK;
}

enum err
wire_get(struct span bytes, struct wire *out)
{
	struct wire w = { .kind = WIRE__MAX };
	enum err e = OK;
	uint64_t kind;

	if (!get_number(&bytes, 1, &kind) || kind >= WIRE__MAX)
		return ERR_INPUT;
	w.kind = (enum wire_kind)kind;
	for (size_t i = 0; i < structs[kind].n && e == OK; i++) {
		const struct member *m = &structs[kind].members[i];
		union value v = { 0 };

		e = get_member(&bytes, m->kind, &w, &v);
		memcpy((char *)&w.is + m->at, &v, sizes[m->kind]);
	}
	if (e == OK && bytes.len > 0)
		e = ERR_INPUT;
	if (e == OK && w.kind == WIRE_ANSWER &&
	    (w.is.answer.err < OK || w.is.answer.err >= ERR__MAX))
		e = ERR_INPUT;
	if (e == OK)
		*out = w;
	else
		wire_release(&w);
	return e;
}

void
wire_release(struct wire *w)
{
	for (size_t i = 0; i < 2; i++) {
		free(w->list[i]);
		w->list[i] = NULL;
	}
}
