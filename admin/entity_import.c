#include "admin/entity.h"

#include <unistd.h>

#include "admin/args.h"
#include "admin/csv.h"
#include "base/log.h"
#include "base/names.h"
#include "base/time.h"

/*
 * A CSV file of entities: every line is checked before the first entity is
 * added, and what was added is taken back if a later one cannot be, so that
 * the file can be mended and given again.
 */
enum column {
	COL_USERNAME,
	COL_PASSWORD,
	COL_SUBJECT,
	COL_SAN,
	COL_CA,
	COL_EMAIL,
	COL_PROFILE,
	COL_TTL,
	COL__MAX
};

static const char *const columns[COL__MAX] = { "username", "password",
	"subject", "san", "ca", "email", "profile", "ttl" };

struct row {
	int line;
	struct entity entity;
	struct new_code code;
};

struct import {
	struct command *cmd;
	struct ca_list cas;
	int place[COL__MAX]; /* which field a column is; -1: not there */
	int width;	     /* fields of the header line */
	struct row *row;
	size_t rows, room;
	bool generated; /* a line wants a code to be made */
};

static const char *
column_name(int i, const void *arg)
{
	(void)arg;
	return columns[i];
}

static int
column_find(const char *name)
{
	int i;

	for (i = 0; i < COL__MAX; i++) {
		if (strcmp(columns[i], name) == 0)
			return i;
	}
	return -1;
}

static enum err
read_header(struct import *im, struct csv *c)
{
	const char *name;
	int i, col;

	for (i = 0; i < COL__MAX; i++)
		im->place[i] = -1;
	for (i = 0; i < c->fields; i++) {
		name = buf_cstr(&c->field[i]);
		col = column_find(name);
		if (col < 0)
			return say(ERR_INPUT,
			    "line %d: no column is called \"%s\"; did you mean "
			    "%s?",
			    c->line, name,
			    nearest(name, COL__MAX, column_name, NULL));
		if (im->place[col] >= 0)
			return say(ERR_INPUT,
			    "line %d: two columns are called %s", c->line,
			    name);
		im->place[col] = i;
	}
	im->width = c->fields;
	if (im->place[COL_USERNAME] < 0)
		return say(ERR_INPUT,
		    "line %d: the header line has no column username", c->line);
	return OK;
}

/* The field of a column, NULL where it is empty or not there. */
static const char *
cell(const struct import *im, const struct csv *c, enum column col)
{
	const char *s;

	if (im->place[col] < 0)
		return NULL;
	s = buf_cstr(&c->field[im->place[col]]);
	return *s == '\0' ? NULL : s;
}

static enum err
copy(char **field, const char *text)
{
	if (text == NULL)
		return OK;
	*field = str_dup(text);
	return *field == NULL ? ERR_SYSTEM : OK;
}

static enum err
take_code(struct import *im, const struct csv *c, struct row *row)
{
	const char *password = cell(im, c, COL_PASSWORD);
	const char *ttl = cell(im, c, COL_TTL);
	int64_t now = im->cmd->now;
	enum err e;

	row->code.count = 1;
	if ((e = code_count(im->cmd, &row->entity, false, &row->code)) != OK)
		return e;
	row->code.expires = opt_time(im->cmd, "ttl", 0);
	if (ttl != NULL &&
	    (time_option(ttl, 0, now, &row->code.expires) != OK ||
		row->code.expires <= now))
		return say(
		    ERR_INPUT, "\"%s\" is no time to come, as 30d is", ttl);
	if (password != NULL)
		return code_choose(
		    &row->code, span_of(password, strlen(password)));
	if (opt_flag(im->cmd, "no-code"))
		return ttl == NULL ?
			   OK :
			   say(ERR_INPUT, "a ttl is of a code, and --no-code "
					  "says there is none");
	im->generated = true;
	return code_generate(&row->code);
}

static enum err
take_fields(struct import *im, const struct csv *c, struct row *row)
{
	struct entity *to = &row->entity;
	const char *subject = cell(im, c, COL_SUBJECT);
	const char *san = cell(im, c, COL_SAN);
	const char *profile = cell(im, c, COL_PROFILE);
	const char *ca = cell(im, c, COL_CA);
	enum err e;

	if (profile == NULL)
		profile = opt_text(im->cmd, "profile");
	ca = ca_list_choose(
	    im->cmd, &im->cas, ca == NULL ? opt_text(im->cmd, "ca") : ca);
	if (ca == NULL)
		return ERR_NOTFOUND;
	if ((subject != NULL && (e = check_subject(subject)) != OK) ||
	    (san != NULL && (e = check_san(san)) != OK) ||
	    (e = copy(&to->subject, subject)) != OK ||
	    (e = copy(&to->san, san)) != OK ||
	    (e = copy(&to->profile, profile)) != OK ||
	    (e = copy(&to->ca, ca)) != OK ||
	    (e = copy(&to->email, cell(im, c, COL_EMAIL))) != OK)
		return e;
	return entity_fits(im->cmd, to);
}

static enum err
refuse_twin(const struct import *im, const char *username)
{
	struct entity twin = ENTITY_INIT;
	enum err e;

	e = entity_find(
	    &im->cmd->store, span_of(username, strlen(username)), &twin);
	entity_release(&twin);
	if (e == OK)
		return say(
		    ERR_EXISTS, "there is an entity %s already", username);
	return e == ERR_NOTFOUND ? OK : e;
}

static enum err
take_row(struct import *im, const struct csv *c, struct row *row)
{
	const char *username = cell(im, c, COL_USERNAME);
	enum err e;

	if (c->fields != im->width)
		return say(ERR_INPUT, "%d fields, but the header line has %d",
		    c->fields, im->width);
	if (username == NULL)
		return say(ERR_INPUT, "no username");
	if ((e = check_username(username)) != OK ||
	    (e = copy(&row->entity.username, username)) != OK ||
	    (e = refuse_twin(im, username)) != OK ||
	    (e = take_fields(im, c, row)) != OK)
		return e;
	return take_code(im, c, row);
}

static enum err
more_room(struct import *im)
{
	size_t room = im->room == 0 ? 64 : im->room * 2;
	struct row *row;

	if (im->rows < im->room)
		return OK;
	row = realloc(im->row, room * sizeof(*row));
	if (row == NULL)
		return say(ERR_SYSTEM, "out of memory");
	im->row = row;
	im->room = room;
	return OK;
}

/* What is said about a line begins with its number. */
static void
say_line(const char *said_line, void *arg)
{
	const int *line = arg;

	if (strncmp(said_line, "scep: ", 6) == 0)
		said_line += 6;
	(void)fprintf(stderr, "scep: line %d: %s\n", *line, said_line);
}

/* Every line is read and checked, and all that are wrong are named. */
static enum err
read_rows(struct import *im, struct csv *c)
{
	enum err e, one, first = OK;
	struct row *row;

	while ((e = csv_next(c)) == OK) {
		if ((e = more_room(im)) != OK)
			return e;
		row = &im->row[im->rows++];
		*row = (struct row){ .line = c->line, .code = NEW_CODE_INIT };
		log_sink(say_line, &row->line);
		one = take_row(im, c, row);
		log_sink(NULL, NULL);
		first = first == OK ? one : first;
	}
	if (e == ERR_INPUT)
		return say(e, "line %d: %s", c->line, c->wrong);
	return e == ERR_NOTFOUND ? first : e;
}

static int
by_name(const void *a, const void *b)
{
	const struct row *const *x = a, *const *y = b;
	int d = strcmp((*x)->entity.username, (*y)->entity.username);

	return d != 0 ? d : (*x)->line - (*y)->line;
}

/* Two lines for one name. */
static enum err
refuse_doubles(const struct import *im)
{
	const struct row **sorted;
	enum err e = OK;
	size_t i;

	sorted = calloc(im->rows + 1, sizeof(const struct row *));
	if (sorted == NULL)
		return say(ERR_SYSTEM, "out of memory");
	for (i = 0; i < im->rows; i++)
		sorted[i] = &im->row[i];
	qsort(sorted, im->rows, sizeof(const struct row *), by_name);
	for (i = 1; i < im->rows; i++) {
		if (strcmp(sorted[i - 1]->entity.username,
			sorted[i]->entity.username) == 0)
			e = say(ERR_INPUT, "line %d: %s stands in line %d too",
			    sorted[i]->line, sorted[i]->entity.username,
			    sorted[i - 1]->line);
	}
	free(sorted);
	return e;
}

/* A generated code goes out before it can be needed. */
static enum err
write_code(const struct import *im, const struct row *row)
{
	FILE *out = opt_out(im->cmd, "out");
	struct buf line = BUF_SECRET;
	enum err e;

	if (row->code.form != CODE_SHA256)
		return OK;
	if ((e = csv_put(&line, row->entity.username)) == OK &&
	    (!buf_byte(&line, ',') ||
		!buf_str(&line, buf_cstr(&row->code.secret)) ||
		!buf_byte(&line, '\n')))
		e = ERR_SYSTEM;
	if (e == OK && fwrite(buf_cstr(&line), 1, line.len, out) != line.len)
		e = say(ERR_SYSTEM, "cannot write the codes to --out");
	buf_release(&line);
	return e;
}

/* None of them is good; an empty file can be named again. */
static void
forget_codes(const struct import *im)
{
	FILE *out = opt_out(im->cmd, "out");

	if (out == NULL || out == stdout || fflush(out) != 0)
		return;
	rewind(out);
	if (ftruncate(fileno(out), 0) != 0)
		log_warn("the codes in --out are void");
}

static enum err
add_all(struct import *im)
{
	enum err e = OK;
	size_t i, back;

	if (im->generated &&
	    fputs("username,password\n", opt_out(im->cmd, "out")) < 0)
		return say(ERR_SYSTEM, "cannot write the codes to --out");
	for (i = 0; i < im->rows && e == OK; i++) {
		e = write_code(im, &im->row[i]);
		if (e == OK)
			e = entity_register(
			    im->cmd, &im->row[i].entity, &im->row[i].code);
		if (e != OK)
			break;
	}
	if (e == OK && im->generated && fflush(opt_out(im->cmd, "out")) != 0)
		e = say(ERR_SYSTEM, "cannot write the codes to --out");
	if (e == OK)
		return OK;
	forget_codes(im);
	for (back = i; back > 0; back--)
		(void)entity_bury(im->cmd, im->row[back - 1].entity.username);
	if (i < im->rows)
		return say(e, "line %d could not be added; nothing was added",
		    im->row[i].line);
	return e;
}

static const char *
entities(const struct import *im)
{
	return im->rows == 1 ? "entity" : "entities";
}

static enum err
finish(struct import *im)
{
	struct command *cmd = im->cmd;
	enum err e;
	size_t i;

	if (opt_flag(cmd, "dry-run")) {
		cmd->unchanged = true;
		(void)fprintf(stderr, "scep: %zu %s could be added\n", im->rows,
		    entities(im));
		return OK;
	}
	if (im->generated && opt_out(cmd, "out") == NULL)
		return usage(cmd,
		    "some lines have no password; --out FILE says where their "
		    "codes go, --no-code that they have none");
	if ((e = add_all(im)) != OK)
		return e;
	for (i = 0; i < im->rows; i++)
		(void)audit_object(cmd, im->row[i].entity.username);
	(void)buf_printf(&cmd->detail, "%zu %s", im->rows, entities(im));
	(void)fprintf(stderr, "scep: %zu %s added\n", im->rows, entities(im));
	return OK;
}

static void
import_release(struct import *im)
{
	size_t i;

	for (i = 0; i < im->rows; i++) {
		entity_release(&im->row[i].entity);
		buf_release(&im->row[i].code.secret);
	}
	free(im->row);
	ca_list_release(&im->cas);
}

enum err
run_entity_import(struct command *cmd)
{
	struct import im = { .cmd = cmd };
	struct csv c;
	enum err e;

	csv_init(&c, name_bytes(cmd, 0));
	if ((e = ca_list_read(cmd, &im.cas)) != OK)
		goto out;
	if ((e = csv_next(&c)) != OK) {
		e = say(ERR_INPUT, "%s: %s", cmd->name[0],
		    e == ERR_NOTFOUND ? "empty; the first line names columns" :
					c.wrong);
		goto out;
	}
	if ((e = read_header(&im, &c)) != OK ||
	    (e = read_rows(&im, &c)) != OK || (e = refuse_doubles(&im)) != OK ||
	    (e = finish(&im)) != OK)
		goto out;
out:
	import_release(&im);
	csv_release(&c);
	return e;
}
