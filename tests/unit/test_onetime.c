/*
 * One-time codes: found by themselves, kept as salted hashes (C-97, C-171),
 * and spent by a request that waits (C-115, C-139).
 */
#include "tests/unit/checkhome.h"

#include "base/limits.h"
#include "store/inside.h"
#include "store/onetime.h"
#include "store/waiting.h"

/* Makes one; what is read back of it, and the code itself. */
static void
make(const struct house *h, unsigned count, const char *subject,
    struct onetime *out, char typed[ONETIME_CODE])
{
	struct onetime o = { .alias = str_dup("net"),
		.subject = str_dup(subject),
		.by = str_dup("uid 0 (root)"),
		.code = { .count = count, .expires = time_now() + 3600 } };
	struct buf made = BUF_SECRET;

	assert_int_equal(onetime_add(&h->st, &o, &made), OK);
	assert_int_equal(made.len, 32);
	assert_int_equal(strspn(buf_cstr(&made), "0123456789ABCDEF"), made.len);
	memcpy(typed, made.data, made.len);
	typed[made.len] = '\0';
	assert_int_equal(onetime_get(&h->st, o.code.id, out), OK);
	onetime_release(&o);
	buf_release(&made);
}

static void
path_of(const struct onetime *o, char out[80])
{
	(void)snprintf(out, 80, "onetime/%.2s/%s", o->code.id, o->code.id);
}

static void
is_found_by_itself(void **state)
{
	struct house *h = *state;
	char typed[ONETIME_CODE], other[ONETIME_CODE], path[80];
	struct onetime o = ONETIME_INIT, again = ONETIME_INIT;
	struct buf file = BUF_INIT;

	make(h, 3, "CN=a,O=100%", &o, typed);
	assert_string_equal(o.alias, "net");
	assert_string_equal(o.subject, "CN=a,O=100%");
	assert_null(o.entity);
	assert_null(o.profile);
	assert_string_equal(o.by, "uid 0 (root)");
	assert_int_equal(o.code.count, 3);
	assert_true(o.code.onetime);
	path_of(&o, path);
	assert_int_equal(file_read(h->st.root, path, 4096, &file), OK);
	assert_null(strstr(buf_cstr(&file), typed));
	assert_int_equal(onetime_find(&h->st, text(typed), &again), OK);
	assert_string_equal(again.code.id, o.code.id);
	onetime_release(&again);
	for (size_t i = 0; typed[i] != '\0'; i++)
		other[i] = (char)(typed[i] >= 'A' ? typed[i] | 0x20 : typed[i]);
	assert_int_equal(onetime_find(&h->st, span_of(other, 32), &again), OK);
	assert_string_equal(again.code.id, o.code.id);
	clean(h);
	onetime_release(&again);
	onetime_release(&o);
	onetime_release(&o);
	buf_release(&file);
}

static void
is_not_found_by_less(void **state)
{
	static const char *const wrong[] = { "", "0",
		"0123456789ABCDEF0123456789ABCDEF",
		"0123456789ABCDEF0123456789ABCDE/",
		"../../../../../../../../etc/pass" };
	struct house *h = *state;
	struct onetime o = ONETIME_INIT, none = ONETIME_INIT;
	char typed[ONETIME_CODE];

	make(h, 1, NULL, &o, typed);
	assert_null(o.subject);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(
		    onetime_find(&h->st, text(wrong[i]), &none), ERR_NOTFOUND);
	assert_int_equal(
	    onetime_find(&h->st, span_of(typed, 33), &none), ERR_NOTFOUND);
	assert_int_equal(
	    onetime_find(&h->st, span_of(typed, 31), &none), ERR_NOTFOUND);
	/* its id is not its code */
	assert_int_equal(
	    onetime_find(&h->st, text(o.code.id), &none), ERR_NOTFOUND);
	assert_int_equal(onetime_get(&h->st, "../x", &none), ERR_NOTFOUND);
	onetime_release(&o);
}

/* Whatever is missing, nobody gets more by it. */
static void
damage_opens_nothing(void **state)
{
	static const char *const lines[] = { "alias", "by", "form", "salt",
		"hash", "count", "created", "expires" };
	struct house *h = *state;
	struct onetime o = ONETIME_INIT, none = ONETIME_INIT;
	struct buf file = BUF_INIT, cut = BUF_INIT;
	char typed[ONETIME_CODE], path[80];

	make(h, 1, NULL, &o, typed);
	path_of(&o, path);
	assert_int_equal(file_read(h->st.root, path, 4096, &file), OK);
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		char *line = strstr((char *)file.data, lines[i]), *end;

		while (line > (char *)file.data && line[-1] != '\n')
			line = strstr(line + 1, lines[i]);
		assert_non_null(line);
		end = strchr(line, '\n') + 1;
		buf_clear(&cut);
		assert_true(buf_add(&cut, file.data,
				(size_t)(line - (char *)file.data)) &&
			    buf_str(&cut, end));
		scribble(h, path, buf_cstr(&cut));
		assert_int_equal(
		    onetime_find(&h->st, text(typed), &none), ERR_SYSTEM);
		damaged(h, path, "cannot be read");
	}
	scribble(h, path, buf_cstr(&file));
	clean(h);
	scribble(h, "onetime/00/11", "x");
	damaged(h, "onetime/00/11", "does not give");
	assert_int_equal(file_unlink(h->st.root, "onetime/00/11"), OK);
	/* the record of another: its hash is not this code's */
	make(h, 1, NULL, &none, typed);
	path_of(&none, path);
	scribble(h, path, buf_cstr(&file));
	onetime_release(&none);
	assert_int_equal(onetime_find(&h->st, text(typed), &none), ERR_SYSTEM);
	assert_non_null(strstr(said, "another code's"));
	onetime_release(&o);
	buf_release(&file);
	buf_release(&cut);
}

static void
name_of(unsigned i, char out[SHA256_HEX])
{
	assert_int_equal(sha256_hex(span_of(&i, sizeof(i)), out), OK);
}

static unsigned
used(const struct house *h, const struct onetime *o)
{
	unsigned n = 99;

	assert_int_equal(code_used(&h->st, &o->code, &n), OK);
	return n;
}

static void
pays_as_any_code(void **state)
{
	struct house *h = *state;
	struct onetime o = ONETIME_INIT, none = ONETIME_INIT;
	char typed[ONETIME_CODE], name[SHA256_HEX], by[SHA256_HEX];
	unsigned ok = 0;

	make(h, 3, NULL, &o, typed);
	for (unsigned i = 0; i < 9; i++) {
		name_of(i, name);
		ok += code_claim(&h->st, &o.code, name, 1, by) == OK;
	}
	assert_int_equal(ok, 3);
	assert_int_equal(used(h, &o), 3);
	assert_int_equal(onetime_retire(&h->st, o.code.id), OK);
	assert_int_equal(onetime_retire(&h->st, o.code.id), OK);
	assert_int_equal(
	    onetime_find(&h->st, text(typed), &none), ERR_NOTFOUND);
	/* who had looked at it before finds it gone */
	assert_int_equal(code_claim(&h->st, &o.code, name, 1, by), ERR_BUSY);
	clean(h);
	onetime_release(&o);
}

static enum err
count_id(const char *id, void *arg)
{
	unsigned *n = arg;

	assert_int_equal(strlen(id), 32);
	++*n;
	return OK;
}

static void
are_listed(void **state)
{
	struct house *h = *state;
	struct onetime o = ONETIME_INIT;
	char typed[ONETIME_CODE];
	unsigned n = 0;

	for (int i = 0; i < 5; i++) {
		make(h, 1, NULL, &o, typed);
		onetime_release(&o);
	}
	assert_int_equal(onetime_each(&h->st, count_id, &n), OK);
	assert_int_equal(n, 5);
}

static void
make_waiting(const struct house *h, const char *name, const char *typed)
{
	struct waiting w = { .attempt = 1,
		.alias = str_dup("net"),
		.ca = str_dup("Test CA"),
		.generation = 1,
		.username = str_dup("router1"),
		.profile = str_dup("ENDUSER"),
		.code = str_dup(typed),
		.required = 1,
		.created = time_now() - 3600,
		.expires = time_now() + DAY };
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	unsigned char *p = NULL;
	int len = i2d_PUBKEY(key, &p);

	memcpy(w.transaction, name, SHA256_HEX);
	memset(w.signer, 'a', 64);
	memset(w.csr, 'b', 64);
	memset(w.spki, 'c', 64);
	assert_true(buf_str(&w.txid, "id"));
	assert_true(buf_add(&w.spki_der, p, (size_t)len));
	assert_int_equal(waiting_link(&h->st, &w), OK);
	OPENSSL_free(p);
	EVP_PKEY_free(key);
	waiting_release(&w);
}

static void
decide(const struct house *h, const char *name, enum outcome_kind kind)
{
	struct outcome o = { .kind = kind,
		.attempt = 1,
		.alias = (char *)(uintptr_t) "net",
		.by = (char *)(uintptr_t) "uid 0 (root)",
		.issued = time_now() };

	memcpy(o.transaction, name, sizeof(o.transaction));
	assert_int_equal(outcome_decide(&h->st, &o), OK);
}

/* What put a request into the queue is spent, whatever becomes of it. */
static void
waiting_spends_it(void **state)
{
	static const enum outcome_kind ends[] = { OUTCOME_DENIED,
		OUTCOME_EXPIRED, OUTCOME_ABANDONED };
	struct house *h = *state;
	struct onetime o = ONETIME_INIT, b = ONETIME_INIT;
	struct waiting w = WAITING_INIT;
	char typed[ONETIME_CODE], name[SHA256_HEX], other[SHA256_HEX];
	char by[SHA256_HEX];
	enum outcome_kind kind;

	name_of(99, other);
	for (unsigned i = 0; i < 3; i++) {
		make(h, 1, NULL, &o, typed);
		make(h, 1, NULL, &b, typed);
		name_of(i, name);
		assert_int_equal(code_claim(&h->st, &o.code, name, 1, by), OK);
		make_waiting(h, name, o.code.id);
		assert_int_equal(waiting_find(&h->st, name, 1, &w), OK);
		assert_string_equal(w.code, o.code.id);
		waiting_release(&w);
		/* the second code of the same attempt bought nothing */
		assert_int_equal(code_claim(&h->st, &b.code, name, 1, by), OK);
		assert_int_equal(used(h, &o), 1);
		assert_int_equal(
		    code_claim(&h->st, &o.code, other, 1, by), ERR_REFUSED);
		/* it may end while it waits, and the request goes on */
		assert_int_equal(onetime_retire(&h->st, b.code.id), OK);
		assert_int_equal(
		    outcome_kind(&h->st, name, 1, &kind), ERR_NOTFOUND);
		decide(h, name, ends[i]);
		assert_int_equal(used(h, &o), 1);
		assert_int_equal(used(h, &b), 0);
		assert_int_equal(
		    code_claim(&h->st, &o.code, other, 1, by), ERR_REFUSED);
		onetime_release(&o);
		onetime_release(&b);
	}
}

/* What may be swept away, and what becomes of who comes too late. */
static void
is_spent_by_what_came_of_it(void **state)
{
	struct house *h = *state;
	struct onetime o = ONETIME_INIT;
	struct outcome no = { .kind = OUTCOME_REFUSED,
		.attempt = 1,
		.by = (char *)(uintptr_t) "Test CA" };
	char typed[ONETIME_CODE], name[SHA256_HEX], by[SHA256_HEX];
	enum outcome_kind kind;
	unsigned n = 9;

	make(h, 2, NULL, &o, typed);
	name_of(1, name);
	assert_int_equal(code_claim(&h->st, &o.code, name, 1, by), OK);
	assert_int_equal(code_spent(&h->st, &o.code, &n), OK);
	assert_int_equal(n, 0);
	assert_int_equal(used(h, &o), 1);
	make_waiting(h, name, o.code.id);
	assert_int_equal(code_spent(&h->st, &o.code, &n), OK);
	assert_int_equal(n, 1);
	assert_int_equal(code_paid(&h->st, &o.code, name, 1), OK);
	/* a no of the CA elsewhere, which keeps who paid for it */
	name_of(2, name);
	assert_int_equal(code_claim(&h->st, &o.code, name, 1, by), OK);
	memcpy(no.transaction, name, sizeof(no.transaction));
	no.code = o.code.id;
	assert_int_equal(outcome_decide(&h->st, &no), OK);
	assert_int_equal(used(h, &o), 2);
	assert_int_equal(code_spent(&h->st, &o.code, &n), OK);
	assert_int_equal(n, 2);
	/* the code is gone: what was linked meanwhile ends, else nothing */
	assert_int_equal(onetime_retire(&h->st, o.code.id), OK);
	assert_int_equal(code_paid(&h->st, &o.code, name, 1), OK);
	name_of(3, name);
	make_waiting(h, name, o.code.id);
	assert_int_equal(code_paid(&h->st, &o.code, name, 1), ERR_BUSY);
	assert_int_equal(outcome_kind(&h->st, name, 1, &kind), OK);
	assert_int_equal(kind, OUTCOME_ABANDONED);
	assert_int_equal(code_paid(&h->st, &o.code, name, 1), ERR_BUSY);
	onetime_release(&o);
}

/* An old claim whose request waits is nobody's death. */
static void
check_lets_it_wait(void **state)
{
	struct house *h = *state;
	struct onetime o = ONETIME_INIT;
	char typed[ONETIME_CODE], name[SHA256_HEX], by[SHA256_HEX], path[80];

	make(h, 1, NULL, &o, typed);
	name_of(7, name);
	assert_int_equal(code_claim(&h->st, &o.code, name, 1, by), OK);
	(void)snprintf(
	    path, sizeof(path), "used/%.2s/%s,0", o.code.id, o.code.id);
	age(h, path, 3 * 3600);
	assert_int_equal(check(h, false), 0);
	assert_int_equal(warnings, 1);
	assert_non_null(strstr(buf_cstr(&findings), "died before it issued"));
	make_waiting(h, name, o.code.id);
	clean(h);
	onetime_release(&o);
}

static void
run_out_of_range(void **state)
{
	struct house *h = *state;
	struct onetime o = ONETIME_INIT;
	struct buf made = BUF_SECRET;

	o.alias = str_dup("net");
	o.by = str_dup("uid 0");
	o.code.expires = time_now() + 60;
	assert_int_equal(onetime_add(&h->st, &o, &made), ERR_INPUT);
	o.code.count = MAX_CODE_COUNT + 1;
	assert_int_equal(onetime_add(&h->st, &o, &made), ERR_INPUT);
	assert_int_equal(made.len, 0);
	onetime_release(&o);
}

/* A store of an older version has no such room until the first one. */
static void
makes_its_room(void **state)
{
	struct house *h = *state;
	struct onetime o = ONETIME_INIT;
	char typed[ONETIME_CODE], path[600];
	const char *const args[] = { "rm", "-r", path, NULL };
	unsigned n = 0;

	(void)snprintf(path, sizeof(path), "%s/store/onetime", h->path);
	run("rm", args);
	assert_int_equal(onetime_each(&h->st, count_id, &n), OK);
	assert_int_equal(
	    onetime_find(&h->st, text("0123456789ABCDEF0123456789ABCDEF"), &o),
	    ERR_NOTFOUND);
	assert_int_equal(check(h, false), 1);
	make(h, 1, NULL, &o, typed);
	clean(h);
	onetime_release(&o);
	/* whoever made it was killed before its shards were there */
	run("rm", args);
	assert_int_equal(dir_make(h->st.root, "onetime"), OK);
	make(h, 1, NULL, &o, typed);
	clean(h);
	onetime_release(&o);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, house_build, house_raze)
	const struct CMUnitTest tests[] = {
		TEST(is_found_by_itself),
		TEST(is_not_found_by_less),
		TEST(damage_opens_nothing),
		TEST(pays_as_any_code),
		TEST(are_listed),
		TEST(waiting_spends_it),
		TEST(is_spent_by_what_came_of_it),
		TEST(check_lets_it_wait),
		TEST(run_out_of_range),
		TEST(makes_its_room),
	};

	return cmocka_run_group_tests_name("onetime", tests, NULL, NULL);
}
