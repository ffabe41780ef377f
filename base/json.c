#include "base/json.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_own.h"
#include "base/log.h"
#include "base/names.h"
#include "base/utf8.h"

#define EXACT 9007199254740992.0 /* 2^53: whole numbers that a double holds */

/* What others know by the name of struct json is cJSON's own. */
static cJSON *
inner(const struct json *j)
{
	return (cJSON *)(uintptr_t)j;
}

static struct json *
outer(const cJSON *c)
{
	return (struct json *)(uintptr_t)c;
}

/* ---- memory -------------------------------------------------------------- */

/* In front of each piece, as aligned as malloc's: how much there is to wipe. */
union piece {
	size_t size;
	max_align_t align;
};

static void *
piece_new(size_t size)
{
	union piece *p;

	if (size > SIZE_MAX - sizeof(*p) ||
	    (p = malloc(sizeof(*p) + size)) == NULL)
		return NULL;
	p->size = size;
	return p + 1;
}

static void
piece_free(void *memory)
{
	union piece *p = memory;

	if (p == NULL)
		return;
	p--;
	wipe(p + 1, p->size);
	free(p);
}

/* With allocators of its own cJSON never calls realloc(), which wipes not. */
static void
hook(void)
{
	cJSON_Hooks hooks = { piece_new, piece_free };

	cJSON_InitHooks(&hooks);
}

static enum err
no_memory(void)
{
	log_error("out of memory for JSON");
	return ERR_SYSTEM;
}

/* ---- reading ------------------------------------------------------------- */

static bool
blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

enum err
json_parse(struct span text, struct json **out)
{
	const char *end = NULL;
	cJSON *c;
	enum err e;

	if (text.len > MAX_JSON)
		return ERR_TOOBIG;
	if (text.len == 0)
		return ERR_INPUT;
	if ((e = json_words(text)) != OK)
		return e;
	hook();
	c = cJSON_ParseWithLengthOpts((const char *)text.p, text.len, &end, 0);
	/* it does not tell bad text from no memory; a retry tells the latter */
	if (c == NULL)
		return ERR_INPUT;
	while (end < (const char *)text.p + text.len && blank((uint8_t)*end))
		end++;
	if (end != (const char *)text.p + text.len) {
		cJSON_Delete(c);
		return ERR_INPUT;
	}
	*out = outer(c);
	return OK;
}

void
json_free(struct json *j)
{
	cJSON_Delete(inner(j));
}

enum json_kind
json_kind(const struct json *j)
{
	static const struct {
		int type;
		enum json_kind kind;
	} kinds[] = { { cJSON_False, JSON_BOOL }, { cJSON_True, JSON_BOOL },
		{ cJSON_Number, JSON_NUMBER }, { cJSON_String, JSON_TEXT },
		{ cJSON_Array, JSON_ARRAY }, { cJSON_Object, JSON_OBJECT },
		{ cJSON_Raw, JSON_NUMBER } };

	for (size_t i = 0; j != NULL && i < sizeof(kinds) / sizeof(*kinds); i++)
		if ((inner(j)->type & 0xff) == kinds[i].type)
			return kinds[i].kind;
	return JSON_NULL;
}

enum err
json_get0(const struct json *object, const char *name, const struct json **out)
{
	const cJSON *i, *found = NULL;

	if (json_kind(object) != JSON_OBJECT)
		return ERR_INPUT;
	for (i = inner(object)->child; i != NULL; i = i->next) {
		if (strcmp(i->string, name) != 0)
			continue;
		if (found != NULL)
			return ERR_INPUT;
		found = i;
	}
	if (found == NULL)
		return ERR_NOTFOUND;
	*out = outer(found);
	return OK;
}

static enum err
get_kind(const struct json *object, const char *name, enum json_kind kind,
    const struct json **out)
{
	const struct json *found = NULL;
	enum err e = json_get0(object, name, &found);

	if (e != OK)
		return e;
	if (json_kind(found) == JSON_NULL)
		return ERR_NOTFOUND;
	if (json_kind(found) != kind)
		return ERR_INPUT;
	*out = found;
	return OK;
}

enum err
json_get0_text(const struct json *object, const char *name, const char **out)
{
	const struct json *found = NULL;
	enum err e = get_kind(object, name, JSON_TEXT, &found);

	if (e == OK)
		*out = inner(found)->valuestring;
	return e;
}

enum err
json_get0_object(
    const struct json *object, const char *name, const struct json **out)
{
	return get_kind(object, name, JSON_OBJECT, out);
}

enum err
json_get0_array(
    const struct json *object, const char *name, const struct json **out)
{
	return get_kind(object, name, JSON_ARRAY, out);
}

enum err
json_get_number(const struct json *object, const char *name, int64_t *out)
{
	const struct json *found = NULL;
	enum err e = get_kind(object, name, JSON_NUMBER, &found);
	double d;

	if (e != OK)
		return e;
	d = inner(found)->valuedouble;
	if (!(d > -EXACT && d < EXACT) || d != (double)(int64_t)d)
		return ERR_INPUT;
	*out = (int64_t)d;
	return OK;
}

enum err
json_get_bool(const struct json *object, const char *name, bool *out)
{
	const struct json *found = NULL;
	enum err e = get_kind(object, name, JSON_BOOL, &found);

	if (e == OK)
		*out = cJSON_IsTrue(inner(found));
	return e;
}

const struct json *
json_first(const struct json *array)
{
	enum json_kind kind = json_kind(array);

	return kind == JSON_ARRAY || kind == JSON_OBJECT ?
		   outer(inner(array)->child) :
		   NULL;
}

const struct json *
json_next(const struct json *item)
{
	return outer(inner(item)->next);
}

size_t
json_count(const struct json *array)
{
	size_t n = 0;

	for (const struct json *i = json_first(array); i; i = json_next(i))
		n++;
	return n;
}

const char *
json_text0(const struct json *item)
{
	return json_kind(item) == JSON_TEXT ? inner(item)->valuestring : NULL;
}

/* ---- writing ------------------------------------------------------------- */

struct json *
json_new(void)
{
	cJSON *c;

	hook();
	if ((c = cJSON_CreateObject()) == NULL)
		no_memory();
	return outer(c);
}

/* Takes `value`, also when it fails. */
static enum err
put(struct json *in, const char *name, cJSON *value)
{
	cJSON_bool ok;

	if (in == NULL || value == NULL)
		ok = 0;
	else if (name == NULL)
		ok = cJSON_AddItemToArray(inner(in), value);
	else
		ok = cJSON_AddItemToObject(inner(in), name, value);
	if (ok)
		return OK;
	cJSON_Delete(value);
	return no_memory();
}

enum err
json_put_text(struct json *in, const char *name, struct span text)
{
	struct buf copy = BUF_SECRET;
	enum err e = ERR_INPUT;

	hook();
	if ((text.len > 0 && memchr(text.p, '\0', text.len) != NULL) ||
	    !utf8_valid(text))
		log_error("JSON: %s cannot be said: it is no UTF-8 text",
		    name != NULL ? name : "an item");
	else if (!buf_add(&copy, text.p, text.len))
		e = ERR_SYSTEM;
	else
		e = put(in, name, cJSON_CreateString(buf_cstr(&copy)));
	buf_release(&copy);
	return e;
}

enum err
json_put_str(struct json *in, const char *name, const char *text)
{
	return json_put_text(in, name, span_of(text, strlen(text)));
}

/* As text: a double would round beyond 2^53. */
enum err
json_put_number(struct json *in, const char *name, int64_t number)
{
	char text[24];

	hook();
	snprintf(text, sizeof(text), "%" PRId64, number);
	return put(in, name, cJSON_CreateRaw(text));
}

enum err
json_put_bool(struct json *in, const char *name, bool yes)
{
	hook();
	return put(in, name, cJSON_CreateBool(yes));
}

enum err
json_put_null(struct json *in, const char *name)
{
	hook();
	return put(in, name, cJSON_CreateNull());
}

struct json *
json_put_object(struct json *in, const char *name)
{
	cJSON *c;

	hook();
	c = cJSON_CreateObject();
	return put(in, name, c) == OK ? outer(c) : NULL;
}

struct json *
json_put_array(struct json *in, const char *name)
{
	cJSON *c;

	hook();
	c = cJSON_CreateArray();
	return put(in, name, c) == OK ? outer(c) : NULL;
}

enum err
json_print(const struct json *j, struct buf *out)
{
	char *text = NULL;
	bool ok;

	hook();
	if (j != NULL)
		text = cJSON_PrintUnformatted(inner(j));
	if (text == NULL)
		return no_memory();
	ok = buf_str(out, text);
	cJSON_free(text);
	return ok ? OK : ERR_SYSTEM;
}
