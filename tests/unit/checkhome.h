#ifndef TESTS_UNIT_CHECKHOME_H
#define TESTS_UNIT_CHECKHOME_H

#include "tests/unit/storehome.h"

#include "store/audit.h"

/* A furnished home, and what store_check() says of it. */

/* What store_check() said, one "where: what" a line. */
static struct buf findings;
static unsigned fixed, warnings;

static inline void
note(const struct finding *f, void *arg)
{
	(void)arg;
	fixed += f->fixed;
	warnings += f->warning;
	assert_true(buf_printf(&findings, "%s: %s\n", f->where, f->what));
}

static inline unsigned
check(const struct house *h, bool repair)
{
	struct store st = h->st;
	unsigned left = 99;

	buf_clear(&findings);
	fixed = warnings = 0;
	assert_int_equal(store_check(&st, repair, note, NULL, &left), OK);
	return left;
}

static inline void
clean(const struct house *h)
{
	assert_int_equal(check(h, false), 0);
	assert_string_equal(buf_cstr(&findings), "");
}

/* Damage that stays until a person comes; where and what name it. */
static inline void
damaged(const struct house *h, const char *where, const char *what)
{
	for (int repair = 0; repair < 2; repair++) {
		assert_int_equal(check(h, repair), 1);
		assert_int_equal(fixed, 0);
		assert_int_equal(warnings, 0);
		assert_non_null(strstr(buf_cstr(&findings), where));
		assert_non_null(strstr(buf_cstr(&findings), what));
	}
}

/* Litter or derived names: told, mended by repair, then clean. */
static inline void
mended(const struct house *h, const char *where, bool warning)
{
	assert_int_equal(check(h, false), !warning);
	assert_int_equal(warnings, warning);
	assert_int_equal(fixed, 0);
	assert_non_null(strstr(buf_cstr(&findings), where));
	assert_int_equal(check(h, true), 0);
	assert_int_equal(fixed, 1);
	assert_non_null(strstr(buf_cstr(&findings), where));
	clean(h);
}

/* Lets a name look older. */
static inline void
age(const struct house *h, const char *path, int64_t seconds)
{
	struct timespec t[2] = { { 0, 0 }, { 0, 0 } };

	t[0].tv_sec = t[1].tv_sec = (time_t)(time_now() - seconds);
	assert_int_equal(
	    utimensat(h->st.root, path, t, AT_SYMLINK_NOFOLLOW), 0);
}

/* A home with an entity, a code, a certificate and an audit line. */
static inline void
furnish(const struct house *h, struct code *code, struct outcome *o)
{
	const struct audit a = { .who = "x", .verb = "y", .outcome = "z" };
	struct entity e = ENTITY_INIT;
	struct transaction t;
	char by[SHA256_HEX], id[CODE_ID];

	assert_int_equal(
	    code_add(&h->st, "router1", text("s"), CODE_SHA256, 2, 0, id), OK);
	e.username = str_dup("router1");
	e.ca = str_dup("Test CA");
	e.profile = str_dup("ENDUSER");
	e.code = str_dup(id);
	assert_int_equal(entity_add(&h->st, &e), OK);
	assert_int_equal(entity_block(&h->st, "router1", true), OK);
	assert_int_equal(entity_update(&h->st, &e), OK);
	entity_release(&e);
	assert_int_equal(code_find(&h->st, "router1", id, code), OK);
	make_transaction(&t, "1", KEY_A);
	make_outcome(&t, 1, SERIAL_1, o);
	o->code = str_dup(id);
	assert_int_equal(code_claim(&h->st, code, t.name, 1, by), OK);
	assert_int_equal(outcome_link(&h->st, o), OK);
	assert_int_equal(audit_write(&h->st, &a), OK);
	clean(h);
}

static struct code code;
static struct outcome outcome;
static char entity_2[128], secret[160], claim[128], attempt[160];

#define CERT_1 "cert/Test%20CA/1/5d/" SERIAL_1 ".pem"
#define CERT_2 "cert/Test%20CA/1/5d/" SERIAL_2 ".pem"

static inline int
build(void **state)
{
	struct buf b = BUF_INIT;
	struct house *h;

	assert_int_equal(house_build(state), 0);
	h = *state;
	furnish(h, &code, &outcome);
	assert_int_equal(
	    store_path(&h->st, "entity", text("router1"), ",2", &b), OK);
	(void)snprintf(entity_2, sizeof(entity_2), "%s", buf_cstr(&b));
	buf_clear(&b);
	assert_int_equal(
	    store_path(&h->st, "secret", text("router1"), ",", &b), OK);
	(void)snprintf(secret, sizeof(secret), "%s%s", buf_cstr(&b), code.id);
	(void)snprintf(claim, sizeof(claim), "used/%.2s/%s,%d", code.id,
	    code.id,
	    (int)(strtoul((char[]){ outcome.transaction[6], '\0' }, NULL, 16) %
		  2));
	(void)snprintf(attempt, sizeof(attempt),
	    "transaction/%.2s/%s,1,outcome", outcome.transaction,
	    outcome.transaction);
	buf_release(&b);
	return 0;
}

static inline int
raze(void **state)
{
	code_release(&code);
	outcome_release(&outcome);
	buf_release(&findings);
	return house_raze(state);
}

#endif
