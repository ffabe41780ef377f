#include "base/ini.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <iniparser/iniparser.h>

#include "base/ini_line.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/names.h"

#define MAX_ENTRIES	  4000 /* looking for duplicates takes the square */
#define MFD_CLOSE_ON_EXEC 0x1U /* MFD_CLOEXEC is for _GNU_SOURCE alone */

/* iniparser writes to standard error otherwise; we say it ourselves. */
static int __attribute__((format(printf, 1, 2)))
say_nothing(const char *fmt, ...)
{
	(void)fmt;
	return 0;
}

static int
write_all(int fd, struct span text)
{
	size_t done = 0;
	ssize_t n;

	while (done < text.len) {
		n = write(fd, text.p + done, text.len - done);
		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0)
			done += (size_t)n;
	}
	return 0;
}

/* iniparser 4.1 reads from a path alone: it gets the path of a memory file. */
static enum err
load(const char *where, struct span text, dictionary **out)
{
	char path[64];
	enum err e = ERR_SYSTEM;
	int fd;

	fd = (int)syscall(SYS_memfd_create, "ini", MFD_CLOSE_ON_EXEC);
	if (fd < 0 || write_all(fd, text) != 0) {
		log_errno("%s: cannot put it into memory", where);
		goto out;
	}
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (access(path, R_OK) != 0) {
		log_errno("%s: cannot read it through %s", where, path);
		goto out;
	}
	iniparser_set_error_callback(say_nothing);
	*out = iniparser_load(path);
	if (*out == NULL) {
		log_error("%s: iniparser cannot read it", where);
		e = ERR_INPUT;
		goto out;
	}
	e = OK;
out:
	if (fd >= 0)
		(void)close(fd);
	return e;
}

/* Values may be secrets. */
static void
unload(dictionary *d)
{
	ssize_t i;

	if (d == NULL)
		return;
	for (i = 0; i < d->size; i++) {
		if (d->val[i] != NULL)
			wipe(d->val[i], strlen(d->val[i]));
	}
	iniparser_freedict(d);
}

/* A lower-case copy; names are ASCII (ini_name_wrong()). */
static char *
lower_copy(struct span name)
{
	char *s;
	size_t i;

	s = malloc(name.len + 1);
	if (s == NULL) {
		log_error("out of memory: a name of %zu bytes", name.len);
		return NULL;
	}
	for (i = 0; i < name.len; i++) {
		s[i] = (char)name.p[i];
		if (s[i] >= 'A' && s[i] <= 'Z')
			s[i] = (char)(s[i] - 'A' + 'a');
	}
	s[name.len] = '\0';
	return s;
}

/* Room for one more entry, all NULL; the array grows by doubling. */
static struct ini_entry *
more(struct ini *ini)
{
	struct ini_entry *bigger;
	size_t n = ini->n;

	if ((n & (n - 1)) == 0) { /* 0 and the powers of two */
		bigger =
		    realloc(ini->entry, (n == 0 ? 1 : 2 * n) * sizeof(*bigger));
		if (bigger == NULL) {
			log_error("out of memory: %zu entries", n);
			return NULL;
		}
		ini->entry = bigger;
	}
	ini->entry[n] = (struct ini_entry){ .line = 0 };
	ini->n++;
	return &ini->entry[n];
}

static enum err
wrong(const struct ini *ini, int line, const char *what)
{
	log_error("%s:%d: %s", ini->where, line, what);
	return ERR_INPUT;
}

/* One `key = value` line: its names, not yet its value. */
static enum err
add_key(struct ini *ini, const char *section, const struct ini_line *l)
{
	const struct ini_entry *old;
	struct ini_entry *new;
	char *key;

	if (section == NULL)
		return wrong(ini, l->number, "a key before any [section]");
	if (ini->n >= MAX_ENTRIES)
		return wrong(ini, l->number, "more than 4000 keys");
	key = lower_copy(l->name);
	if (key == NULL)
		return ERR_SYSTEM;
	old = ini_find(ini, section, key);
	if (old != NULL) {
		log_error("%s:%d: %s stands in [%s] already, in line %d",
		    ini->where, l->number, key, section, old->line);
		free(key);
		return ERR_INPUT;
	}
	new = more(ini);
	if (new == NULL) {
		free(key);
		return ERR_SYSTEM;
	}
	new->key = key;
	new->line = l->number;
	new->cut = ini_value_cut(l->value);
	new->section = str_dup(section);
	return new->section == NULL ? ERR_SYSTEM : OK;
}

/* Our own look: names and lines, and what iniparser would pass over. */
static enum err
read_lines(struct ini *ini, struct span text)
{
	struct ini_line l = { .number = 0 };
	char *section = NULL;
	size_t at = 0;
	enum err e = OK;

	while (e == OK && ini_line_next(text, &at, &l)) {
		if (l.wrong != NULL) {
			e = wrong(ini, l.number, l.wrong);
		} else if (l.kind == INI_SECTION) {
			free(section);
			section = lower_copy(l.name);
			if (section == NULL)
				e = ERR_SYSTEM;
		} else if (l.kind == INI_KEY) {
			e = add_key(ini, section, &l);
		}
	}
	free(section);
	return e;
}

/* The values, as iniparser reads them. */
static enum err
read_values(struct ini *ini, const dictionary *d)
{
	char name[2 * INI_NAME + 2];
	struct ini_entry *entry;
	const char *value;
	size_t i;

	for (i = 0; i < ini->n; i++) {
		entry = &ini->entry[i];
		(void)snprintf(
		    name, sizeof(name), "%s:%s", entry->section, entry->key);
		value = iniparser_getstring(d, name, NULL);
		if (value == NULL)
			return wrong(
			    ini, entry->line, "iniparser finds no value");
		entry->value = str_dup(value);
		if (entry->value == NULL)
			return ERR_SYSTEM;
	}
	return OK;
}

enum err
ini_parse(const char *where, struct span text, struct ini **out)
{
	struct ini *ini = NULL;
	dictionary *d = NULL;
	enum err e = ERR_SYSTEM;

	ini = calloc(1, sizeof(*ini));
	if (ini == NULL) {
		log_error("%s: out of memory", where);
		goto out;
	}
	ini->where = str_dup(where);
	if (ini->where == NULL)
		goto out;
	if (text.len > MAX_INI) {
		log_error("%s: over %d bytes", where, MAX_INI);
		e = ERR_TOOBIG;
		goto out;
	}
	e = read_lines(ini, text);
	if (e == OK)
		e = load(where, text, &d);
	if (e == OK)
		e = read_values(ini, d);
	if (e == OK) {
		*out = ini;
		ini = NULL;
	}
out:
	unload(d);
	ini_free(ini);
	return e;
}

void
ini_free(struct ini *ini)
{
	struct ini_entry *entry;
	size_t i;

	if (ini == NULL)
		return;
	for (i = 0; i < ini->n; i++) {
		entry = &ini->entry[i];
		if (entry->value != NULL)
			wipe(entry->value, strlen(entry->value));
		free(entry->section);
		free(entry->key);
		free(entry->value);
	}
	free(ini->entry);
	free(ini->where);
	free(ini);
}

const struct ini_entry *
ini_find(const struct ini *ini, const char *section, const char *key)
{
	const struct ini_entry *entry;
	size_t i;

	for (i = 0; i < ini->n; i++) {
		entry = &ini->entry[i];
		if (strcmp(entry->section, section) == 0 &&
		    strcmp(entry->key, key) == 0)
			return entry;
	}
	return NULL;
}
