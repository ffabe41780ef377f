#ifndef STORE_ENTITY_H
#define STORE_ENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

/*
 * A registered device or person.  Each change links the next version
 * (entity/9c/router4711,3); the highest is the present one.  Versions are
 * never removed and have no gaps, so readers gallop and bisect to the
 * highest without listing a directory.  Deleting links a version that says
 * so; adding again links the one after.  entity/9c/router4711,blocked is
 * there while the entity is blocked.
 */
struct entity {
	char *username; /* 1..MAX_USERNAME bytes, no control characters */
	char *subject;	/* DN as text (ca/dn.h); NULL: the request's */
	char *san;	/* text (ca/san.h), "request", or NULL: none */
	char *ca;	/* name of its CA */
	char *profile;	/* certificate profile; NULL: the alias's */
	char *email;	/* for people; may be NULL */
	char *code;	/* id of its present code (store/code.h), or NULL */
	char *alias;	/* RA mode: the alias that made this version, or NULL */
	char *transaction; /* and "<transaction>,<attempt>" it was made for */
	int64_t created;   /* first version's time */
	int64_t changed;   /* this version's time */
	unsigned version;  /* 0: not stored yet */
	bool deleted;	   /* this version is its grave */
	bool blocked;	   /* may have nothing (read from ,blocked) */
};

#define ENTITY_INIT \
	{           \
		0   \
	}
void entity_release(struct entity *e);

/* ERR_NOTFOUND also for a deleted one, and for what is no username. */
enum err entity_find(
    const struct store *st, struct span username, struct entity *out);

/*
 * Links version 1, or the one after a grave.  ERR_EXISTS: there is one.
 * ERR_INPUT (logged): username or CA missing, or no such username.
 * A block outlives the grave; e->blocked then says so.
 */
enum err entity_add(const struct store *st, struct entity *e);

/*
 * Links e->version + 1 and counts e->version up.  ERR_BUSY: somebody else
 * changed it since it was read; read again.
 */
enum err entity_update(const struct store *st, struct entity *e);

/* Creates or removes ,blocked; doing it twice is fine. */
enum err entity_block(const struct store *st, const char *username, bool on);

/* Every living entity, in order of shard and name (administrators only). */
enum err entity_each(const struct store *st,
    enum err (*each)(const struct entity *, void *arg), void *arg);

#endif
