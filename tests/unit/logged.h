#ifndef TESTS_UNIT_LOGGED_H
#define TESTS_UNIT_LOGGED_H

#include "base/buf.h"
#include "base/log.h"

/* A test that looks at what was logged: setup, teardown, and the text. */

static struct buf logged;

static void
logged_line(const char *line, void *arg)
{
	(void)arg;
	(void)buf_str(&logged, line);
}

static int
logged_setup(void **state)
{
	(void)state;
	buf_clear(&logged);
	log_sink(logged_line, NULL);
	return 0;
}

static int
logged_teardown(void **state)
{
	(void)state;
	log_sink(NULL, NULL);
	buf_release(&logged);
	return 0;
}

#endif
