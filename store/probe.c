#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/names.h"
#include "store/store.h"

/*
 * Each step does on this file system what the store lives by, and looks at
 * what is there afterwards; none believes a return code alone.
 */
struct probe {
	int dir;	  /* store/tmp */
	char name[3][48]; /* names of its own in there */
};

static const struct span one = { (const uint8_t *)"one\n", 4 };
static const struct span two = { (const uint8_t *)"two\n", 4 };

static bool
holds(const struct probe *p, const char *name, struct span want)
{
	struct buf text = BUF_INIT;
	bool same;

	same = file_read(p->dir, name, 64, &text) == OK &&
	       span_eq(buf_span(&text), want);
	buf_release(&text);
	return same;
}

static bool
try_create(const struct probe *p)
{
	return file_create_once(
		   p->dir, p->dir, p->name[0], one, FILE_RECORD, true) == OK &&
	       holds(p, p->name[0], one);
}

static bool
try_taken(const struct probe *p)
{
	return file_create_once(p->dir, p->dir, p->name[0], two, FILE_RECORD,
		   true) == ERR_EXISTS &&
	       holds(p, p->name[0], one);
}

static bool
try_link(const struct probe *p)
{
	return file_link(p->dir, p->name[0], p->name[1]) == OK &&
	       holds(p, p->name[1], one) &&
	       file_unlink(p->dir, p->name[1]) == OK &&
	       holds(p, p->name[0], one);
}

static bool
try_rename(const struct probe *p)
{
	return file_mark(p->dir, p->dir, p->name[1], two) == OK &&
	       file_rename(p->dir, p->name[1], p->name[0]) == OK &&
	       holds(p, p->name[0], two) &&
	       file_exists(p->dir, p->name[1]) == ERR_NOTFOUND;
}

static bool
try_claim(const struct probe *p)
{
	return file_claim(p->dir, p->name[2], "../one") == OK &&
	       file_claim(p->dir, p->name[2], "../two") == ERR_EXISTS &&
	       file_claim(p->dir, p->name[2], "../one") == OK;
}

static bool
try_sync(const struct probe *p)
{
	return dir_sync(p->dir, ".") == OK;
}

static bool
try_mode(const struct probe *p)
{
	struct file_facts f;

	return file_facts(p->dir, p->name[0], &f) == OK &&
	       f.type == FILE_REGULAR && f.mode == FILE_RECORD;
}

static const struct {
	bool (*works)(const struct probe *p);
	const char *what;
} steps[] = {
	{ try_create, "link(2) of a new name, with fsync" },
	{ try_taken, "link(2) to a taken name (EEXIST)" },
	{ try_link, "a second hard link of a file" },
	{ try_rename, "rename(2) over a file" },
	{ try_claim, "symlink(2) to a new and to a taken name (EEXIST)" },
	{ try_sync, "fsync(2) of a directory" },
	{ try_mode, "file modes" },
};

static enum err
run_steps(const struct probe *p)
{
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (steps[i].works(p))
			continue;
		log_error("the file system of this home does not do what the "
			  "store needs: %s; choose a home on a local or "
			  "network file system that does",
		    steps[i].what);
		return ERR_REFUSED;
	}
	return OK;
}

static enum err
open_room(int home, int *dir)
{
	enum err e;

	e = dir_make(home, "store");
	if (e == OK || e == ERR_EXISTS)
		e = dir_make(home, "store/tmp");
	if (e == OK || e == ERR_EXISTS)
		e = dir_open(home, "store/tmp", dir);
	return e;
}

enum err
store_probe(int home)
{
	struct probe p = { .dir = -1 };
	char random[33];
	size_t i;
	enum err e;

	e = random_hex(random, 16);
	if (e != OK)
		return e;
	for (i = 0; i < 3; i++)
		(void)snprintf(p.name[i], sizeof(p.name[i]), "probe.%s.%c",
		    random, (char)('a' + i));
	e = open_room(home, &p.dir);
	if (e != OK)
		return e;
	e = run_steps(&p);
	for (i = 0; i < 3; i++)
		(void)file_unlink(p.dir, p.name[i]);
	file_close(&p.dir);
	return e;
}
