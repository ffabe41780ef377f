#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/args.h"
#include "base/file.h"
#include "base/log.h"
#include "base/time.h"

#define NOW INT64_C(1700000000)

static char last_line[512];

static void
keep_line(const char *line, void *arg)
{
	(void)arg;
	(void)snprintf(last_line, sizeof(last_line), "%s", line);
}

static enum err
run_nothing(struct command *cmd)
{
	(void)cmd;
	return OK;
}

static const struct option options[] = {
	{ "subject", "dn", OPT_TEXT, "DN", "a name" },
	{ "json", NULL, OPT_FLAG, NULL, "a flag" },
	{ "count", NULL, OPT_NUMBER, "N", "a number" },
	{ "ttl", "valid", OPT_TIME, "TIME", "a time to come" },
	{ "since", NULL, OPT_SINCE, "TIME", "a time that was" },
	{ "cert", NULL, OPT_FILE, "FILE", "a file" },
	{ "password", NULL, OPT_SECRET, "P", "a secret" },
	{ "out", NULL, OPT_OUT, "FILE", "where to" },
	{ "codes", NULL, OPT_OUT_SECRET, "FILE", "where secrets go" },
	{ "username", NULL, OPT_OBJECT, "NAME", "the first name" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};
static const struct verb verb = { .name = "do",
	.args = "NAME [NAME]",
	.min = 1,
	.max = 2,
	.options = options,
	.run = run_nothing,
	.help = "do it" };
static const struct noun noun = { "thing", "things", &verb };

#define MAX_WORDS 16

/* A command and words of its own that may be wiped, as argv may. */
struct typed {
	struct command cmd;
	char *argv[MAX_WORDS];
	int argc;
};

static enum err
type(struct typed *t, const char *const *words)
{
	*t = (struct typed){
		.cmd = { .noun = &noun, .verb = &verb, .home = -1, .now = NOW }
	};
	for (; words[t->argc] != NULL; t->argc++)
		assert_non_null(t->argv[t->argc] = str_dup(words[t->argc]));
	last_line[0] = '\0';
	return args_parse(&t->cmd, t->argc, t->argv);
}

static void
done(struct typed *t)
{
	int i;

	args_release(&t->cmd);
	args_release(&t->cmd); /* twice is fine */
	for (i = 0; i < t->argc; i++)
		free(t->argv[i]);
}

#define TYPE(t, ...) type((t), (const char *const[]){ __VA_ARGS__, NULL })

static void
values_and_names(void **state)
{
	struct typed t;

	(void)state;
	assert_int_equal(TYPE(&t, "a", "--subject", "CN=x", "--count=7", "b",
			     "--json", "--ttl=30d", "--since", "2h"),
	    OK);
	assert_int_equal(t.cmd.names, 2);
	assert_string_equal(t.cmd.name[0], "a");
	assert_string_equal(t.cmd.name[1], "b");
	assert_string_equal(opt_text(&t.cmd, "subject"), "CN=x");
	assert_int_equal(opt_number(&t.cmd, "count", 1), 7);
	assert_true(opt_flag(&t.cmd, "json"));
	assert_int_equal(opt_time(&t.cmd, "ttl", 0), NOW + 30 * DAY);
	assert_int_equal(opt_time(&t.cmd, "since", 0), NOW - 7200);
	assert_null(opt_text(&t.cmd, "cert"));
	assert_false(opt_given(&t.cmd, "password"));
	assert_int_equal(opt_number(&t.cmd, "nothing", 42), 42);
	assert_null(opt_out(&t.cmd, "out"));
	assert_int_equal(opt_bytes(&t.cmd, "cert").len, 0);
	done(&t);
}

static void
other_spellings(void **state)
{
	struct typed t;

	(void)state;
	assert_int_equal(TYPE(&t, "a", "--dn=CN=x,O=y", "--valid", "1d"), OK);
	assert_string_equal(opt_text(&t.cmd, "subject"), "CN=x,O=y");
	assert_int_equal(opt_time(&t.cmd, "ttl", 0), NOW + DAY);
	done(&t);
	/* the first name as an option, wherever it stands */
	assert_int_equal(TYPE(&t, "second", "--username", "first"), OK);
	assert_int_equal(t.cmd.names, 2);
	assert_string_equal(t.cmd.name[0], "first");
	assert_string_equal(t.cmd.name[1], "second");
	done(&t);
	assert_int_equal(TYPE(&t, "--home=/x", "--", "--json"), OK);
	assert_string_equal(t.cmd.home_path, "/x");
	assert_string_equal(t.cmd.name[0], "--json");
	assert_false(opt_flag(&t.cmd, "json"));
	done(&t);
	assert_int_equal(TYPE(&t, "--help"), OK); /* wants no name then */
	assert_true(t.cmd.help);
	done(&t);
	/* an empty value is a value */
	assert_int_equal(TYPE(&t, "a", "--subject="), OK);
	assert_string_equal(opt_text(&t.cmd, "subject"), "");
	done(&t);
}

static void
typed_wrong(void **state)
{
	static const char *const wrong[][6] = {
		{ NULL },
		{ "a", "b", "c", NULL },
		{ "a", "--subject", NULL },
		{ "a", "--json=yes", NULL },
		{ "a", "--json", "--json", NULL },
		{ "a", "--subject=x", "--dn=y", NULL },
		{ "a", "--count", "-1", NULL },
		{ "a", "--count", "+1", NULL },
		{ "a", "--count", " 1", NULL },
		{ "a", "--count", "1x", NULL },
		{ "a", "--count", "", NULL },
		{ "a", "--count", "99999999999999999999", NULL },
		{ "a", "--ttl", "soon", NULL },
		{ "a", "--nothing", NULL },
		{ "a", "-j", NULL },
		{ "a", "b", "--username=c", NULL },
	};
	struct typed t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(type(&t, wrong[i]), ERR_INPUT);
		assert_int_equal(t.cmd.exit_status, 2);
		assert_string_not_equal(last_line, "");
		done(&t);
	}
}

static void
nearest_option(void **state)
{
	struct typed t;

	(void)state;
	assert_int_equal(TYPE(&t, "a", "--subjcet=x"), ERR_INPUT);
	assert_non_null(strstr(last_line, "did you mean --subject"));
	done(&t);
	assert_int_equal(TYPE(&t, "a", "--hoem=x"), ERR_INPUT);
	assert_non_null(strstr(last_line, "did you mean --home"));
	done(&t);
}

static const char *
word_of(int i, const void *arg)
{
	const char *const *words = arg;

	return words[i];
}

static void
nearest_word(void **state)
{
	static const char *const words[] = { "add", "list", "show", "setpwd",
		"set" };
	const char *huge = "lissssssssssssssssssssssssssssssssssssssssssst";

	(void)state;
	assert_string_equal(nearest("lsit", 5, word_of, words), "list");
	assert_string_equal(nearest("ad", 5, word_of, words), "add");
	assert_string_equal(nearest("setpw", 5, word_of, words), "setpwd");
	assert_string_equal(nearest("", 5, word_of, words), "add");
	assert_string_not_equal(nearest(huge, 5, word_of, words), "");
	assert_string_equal(nearest("x", 0, word_of, words), "");
}

/* A directory for the test and what it put there. */
static char dir[256];

static void
path_in(char out[512], const char *name)
{
	(void)snprintf(out, 512, "%s/%s", dir, name);
}

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void
files_are_read(void **state)
{
	char path[512], none[512];
	struct typed t;

	(void)state;
	path_in(path, "cert.pem");
	path_in(none, "none.pem");
	write_file(path, "hello\n");
	assert_int_equal(TYPE(&t, "a", "--cert", path), OK);
	assert_int_equal(args_load(&t.cmd), OK);
	assert_true(span_eq(opt_bytes(&t.cmd, "cert"), span_of("hello\n", 6)));
	done(&t);
	assert_int_equal(TYPE(&t, "a", "--cert", none), OK);
	assert_int_equal(args_load(&t.cmd), ERR_NOTFOUND);
	assert_non_null(strstr(last_line, "none.pem"));
	done(&t);
	(void)unlink(path);
}

static void
secrets_are_wiped(void **state)
{
	struct typed t;

	(void)state;
	assert_int_equal(TYPE(&t, "a", "--password=geheim"), OK);
	assert_int_equal(args_load(&t.cmd), OK);
	assert_true(
	    span_eq(opt_bytes(&t.cmd, "password"), span_of("geheim", 6)));
	assert_string_equal(t.argv[1], "--password=");
	done(&t);
}

/* Runs args_load() with standard input from text. */
static enum err
load_from(struct typed *t, const char *text)
{
	int was = dup(STDIN_FILENO), fd;
	char path[512];
	enum err e;

	path_in(path, "stdin");
	write_file(path, text);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0 && was >= 0);
	assert_true(dup2(fd, STDIN_FILENO) >= 0);
	(void)close(fd);
	e = args_load(&t->cmd);
	assert_true(dup2(was, STDIN_FILENO) >= 0);
	(void)close(was);
	(void)unlink(path);
	return e;
}

static void
secret_line(const char *text, const char *wanted)
{
	struct typed t;

	assert_int_equal(TYPE(&t, "a", "--password", "-"), OK);
	assert_int_equal(load_from(&t, text), OK);
	assert_true(span_eq(
	    opt_bytes(&t.cmd, "password"), span_of(wanted, strlen(wanted))));
	done(&t);
}

static void
secrets_from_stdin(void **state)
{
	static char huge[6000];
	struct typed t;

	(void)state;
	secret_line("one\ntwo\n", "one");
	secret_line("no newline", "no newline");
	secret_line("windows\r\n", "windows");
	secret_line(" blanks stay \n", " blanks stay ");
	secret_line("\n", "");
	/* a pipe that failed says nothing, not even an empty line */
	assert_int_equal(TYPE(&t, "a", "--password", "-"), OK);
	assert_int_equal(load_from(&t, ""), ERR_REFUSED);
	done(&t);
	memset(huge, 'x', sizeof(huge) - 1);
	assert_int_equal(TYPE(&t, "a", "--password", "-"), OK);
	assert_int_equal(load_from(&t, huge), ERR_TOOBIG);
	done(&t);
	/* two cannot share it */
	assert_int_equal(TYPE(&t, "a", "--password", "-", "--cert", "-"), OK);
	assert_int_equal(load_from(&t, "x\n"), ERR_INPUT);
	assert_int_equal(t.cmd.exit_status, 2);
	done(&t);
}

static void
outputs(void **state)
{
	char path[512];
	struct typed t;
	struct stat st;

	(void)state;
	path_in(path, "codes");
	assert_int_equal(TYPE(&t, "a", "--codes", path, "--out=-"), OK);
	assert_int_equal(args_load(&t.cmd), OK);
	assert_ptr_equal(opt_out(&t.cmd, "out"), stdout);
	assert_true(fputs("x", opt_out(&t.cmd, "codes")) >= 0);
	assert_int_equal(args_close(&t.cmd), OK);
	done(&t);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 1);
	/* secrets are not written over what is there */
	assert_int_equal(TYPE(&t, "a", "--codes", path), OK);
	assert_int_equal(args_load(&t.cmd), ERR_EXISTS);
	done(&t);
	/* an empty file of our own is taken, and becomes private */
	write_file(path, "");
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(TYPE(&t, "a", "--codes", path), OK);
	assert_int_equal(args_load(&t.cmd), OK);
	assert_int_equal(args_close(&t.cmd), OK);
	done(&t);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	(void)unlink(path);
	/* a directory that is not there */
	path_in(path, "no/where");
	assert_int_equal(TYPE(&t, "a", "--out", path), OK);
	assert_int_equal(args_load(&t.cmd), ERR_REFUSED);
	done(&t);
}

/* --out PATH, into which a command writes text. */
static void
write_out(const char *path, const char *text)
{
	struct typed t;

	assert_int_equal(TYPE(&t, "a", "--out", path), OK);
	assert_int_equal(args_load(&t.cmd), OK);
	assert_true(fputs(text, opt_out(&t.cmd, "out")) >= 0);
	assert_int_equal(args_close(&t.cmd), OK);
	done(&t);
}

static void
expect_file(const char *path, const char *wanted)
{
	struct buf text = BUF_INIT;

	assert_int_equal(file_read(AT_FDCWD, path, 100, &text), OK);
	assert_string_equal(buf_cstr(&text), wanted);
	buf_release(&text);
}

static void
outputs_over_files(void **state)
{
	char path[512];

	(void)state;
	path_in(path, "out");
	write_out(path, "long content");
	expect_file(path, "long content");
	write_out(path, ""); /* nothing found: nothing lost */
	expect_file(path, "long content");
	write_out(path, "short");
	expect_file(path, "short");
	write_out("/dev/null", "gone");
	(void)unlink(path);
}

static int
start(void **state)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	const char *tmp = getenv("TMPDIR");

	(void)state;
	(void)snprintf(
	    dir, sizeof(dir), "%s/scep-args-XXXXXX", tmp ? tmp : "/tmp");
	log_sink(keep_line, NULL);
	return mkdtemp(dir) == NULL ? -1 : 0;
}

static int
end(void **state)
{
	(void)state;
	log_sink(NULL, NULL);
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_and_names),
		cmocka_unit_test(other_spellings),
		cmocka_unit_test(typed_wrong),
		cmocka_unit_test(nearest_option),
		cmocka_unit_test(nearest_word),
		cmocka_unit_test(files_are_read),
		cmocka_unit_test(secrets_are_wiped),
		cmocka_unit_test(secrets_from_stdin),
		cmocka_unit_test(outputs),
		cmocka_unit_test(outputs_over_files),
	};

	return cmocka_run_group_tests(tests, start, end);
}
