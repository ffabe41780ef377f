#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "store/inside.h"
#include "store/kept.h"

/* The room of an alias for answers that are kept, when many are asked for. */

/* One of them; those alike are answers to the same, and the same. */
struct seen {
	char name[SHA256_HEX];
	char head[SHA256_HEX];	 /* of the question, up to its '?' */
	char answer[SHA256_HEX]; /* of that, type and body */
	bool plain;		 /* a question that has no '?' */
	int64_t mtime;
};

struct room {
	const struct store *st;
	const char *alias;
	struct seen seen[KEPT_MAX + 16]; /* as many workers write at a time */
	size_t n;
};
#define SEEN (sizeof(((struct room *)NULL)->seen) / sizeof(struct seen))

/* Its first bytes, up to its '?' if it has one. */
static struct span
head_of(struct span question)
{
	const uint8_t *end =
	    question.len > 0 ? memchr(question.p, '?', question.len) : NULL;

	return end == NULL ? question :
			     span_of(question.p, (size_t)(end - question.p));
}

static bool
is_plain(struct span question)
{
	return head_of(question).len == question.len;
}

static enum err
hashes(struct span question, const struct kept *k, char head[SHA256_HEX],
    char answer[SHA256_HEX])
{
	struct buf all = BUF_INIT;
	enum err e = sha256_hex(head_of(question), head);

	if (e == OK && k != NULL)
		e = buf_printf(&all, "%s %s\n", head, k->type) &&
			    buf_add(&all, k->body.data, k->body.len) ?
			sha256_hex(buf_span(&all), answer) :
			ERR_SYSTEM;
	buf_release(&all);
	return e;
}

static bool
room_path(const struct room *room, const char *name, struct buf *out)
{
	return buf_printf(out, "kept/%s/%s", room->alias, name);
}

static enum err
read_seen(const struct room *room, const char *name, struct kept *k,
    struct buf *question)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (room_path(room, name, &path) &&
	    (e = file_read(
		 room->st->root, buf_cstr(&path), MAX_RECORD, &text)) == OK)
		e = kept_parse(buf_cstr(&path), buf_span(&text), question, k);
	buf_release(&path);
	buf_release(&text);
	return e;
}

/* What cannot be read counts, and is alike: it goes first. */
static enum err
look_at(const char *name, void *arg)
{
	struct room *room = arg;
	struct seen *s = &room->seen[room->n];
	struct kept k = KEPT_INIT;
	struct buf path = BUF_INIT, question = BUF_INIT;
	struct file_facts facts;
	enum err e = ERR_SYSTEM;

	if (!kept_name(name) || room->n == SEEN)
		return OK;
	*s = (struct seen){ .mtime = 0 };
	memcpy(s->name, name, SHA256_HEX);
	if (!room_path(room, name, &path))
		goto out;
	e = file_facts(room->st->root, buf_cstr(&path), &facts);
	if (e == OK && (e = read_seen(room, name, &k, &question)) == OK)
		e = hashes(buf_span(&question), &k, s->head, s->answer);
	s->plain = e == OK && is_plain(buf_span(&question));
	if (e == OK)
		s->mtime = facts.mtime;
	if (e != ERR_NOTFOUND)
		room->n++;
	if (e == ERR_NOTFOUND || e == ERR_INPUT || e == ERR_TOOBIG)
		e = OK;
out:
	kept_release(&k);
	buf_release(&path);
	buf_release(&question);
	return e;
}

static enum err
look(struct room *room)
{
	struct buf path = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (room_path(room, "", &path))
		e = dir_each(room->st->root, buf_cstr(&path), look_at, room);
	buf_release(&path);
	return e;
}

static unsigned
count(const struct room *room, const char answer[SHA256_HEX])
{
	unsigned n = 0;

	for (size_t i = 0; i < room->n; i++)
		n += strcmp(room->seen[i].answer, answer) == 0;
	return n;
}

/* Is it kept twice, and did somebody make it up?  Damage is worth nothing. */
static bool
is_twin(const struct room *room, const struct seen *s)
{
	return s->answer[0] == '\0' ||
	       (!s->plain && count(room, s->answer) > 1);
}

/* The oldest; of those that are kept twice, if there are any. */
static const struct seen *
choose(const struct room *room, bool *twice)
{
	const struct seen *oldest = NULL;

	*twice = false;
	for (size_t i = 0; i < room->n; i++) {
		const struct seen *s = &room->seen[i];
		bool again = is_twin(room, s);

		if (oldest == NULL || (again && !*twice) ||
		    (again == *twice && s->mtime < oldest->mtime))
			oldest = s;
		*twice = *twice || again;
	}
	return oldest;
}

enum err
kept_place(const struct store *st, const char *alias, struct span question,
    const struct kept *k, int64_t age)
{
	struct room room = { .st = st, .alias = alias };
	char head[SHA256_HEX], answer[SHA256_HEX];
	struct buf path = BUF_INIT;
	const struct seen *s;
	bool twice, old, fresh;
	enum err e;

	if ((e = look(&room)) != OK || room.n < KEPT_MAX)
		return e == ERR_NOTFOUND ? OK : e;
	if ((e = hashes(question, k, head, answer)) != OK)
		return e;
	s = choose(&room, &twice);
	old = s != NULL && s->mtime < k->fetched - age;
	fresh = count(&room, answer) == 0 || is_plain(question);
	if (s == NULL || (!fresh && !old) || (!twice && !(fresh && old)))
		return ERR_TOOBIG;
	e = room_path(&room, s->name, &path) ?
		file_unlink(st->root, buf_cstr(&path)) :
		ERR_SYSTEM;
	buf_release(&path);
	return e == ERR_NOTFOUND ? OK : e;
}

/* The youngest of those to the same, if they are all alike. */
static const struct seen *
find_common(const struct room *room, const char head[SHA256_HEX])
{
	const struct seen *found = NULL;

	for (size_t i = 0; i < room->n; i++) {
		const struct seen *s = &room->seen[i];

		if (strcmp(s->head, head) != 0)
			continue;
		if (found != NULL && strcmp(s->answer, found->answer) != 0)
			return NULL;
		if (found == NULL || s->mtime > found->mtime)
			found = s;
	}
	return found;
}

enum err
kept_common(const struct store *st, const char *alias, struct span question,
    struct kept *out)
{
	struct room room = { .st = st, .alias = alias };
	struct kept k = KEPT_INIT;
	struct buf asked = BUF_INIT;
	char head[SHA256_HEX];
	const struct seen *s;
	enum err e;

	if ((e = look(&room)) != OK ||
	    (e = hashes(question, NULL, head, NULL)) != OK)
		return e;
	s = room.n < KEPT_MAX ? NULL : find_common(&room, head);
	e = s == NULL ? ERR_NOTFOUND : read_seen(&room, s->name, &k, &asked);
	if (e == OK) {
		kept_release(out);
		*out = k;
		k = (struct kept)KEPT_INIT;
	}
	kept_release(&k);
	buf_release(&asked);
	return e;
}
