#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "ca/ca.h"
#include "message/message.h"
#include "tests/fuzz/fuzz.h"

/*
 * message_open() with a fixed CA key (tests/fuzz/ca-key.pem, made for this
 * and used nowhere else), so that the corpus can reach behind the envelope.
 */
static void
discard(const char *line, void *arg)
{
	(void)line;
	(void)arg;
}

static enum err
import_ca(int here, int home)
{
	struct buf cert = BUF_INIT;
	struct buf key = BUF_SECRET;
	struct ca_import in = { .name = "FuzzCA" };
	enum err e;

	if ((e = file_read(here, "tests/fuzz/ca.pem", MAX_PEM, &cert)) != OK)
		goto out;
	e = file_read(here, "tests/fuzz/ca-key.pem", MAX_PEM, &key);
	if (e != OK)
		goto out;
	in.cert = buf_span(&cert);
	in.key = buf_span(&key);
	if ((e = dir_make(home, "ca")) == OK)
		e = ca_import(home, &in);
out:
	buf_release(&key);
	buf_release(&cert);
	return e;
}

static void
remove_home(const char *home)
{
	static const char *const names[] = { "ca/FuzzCA/1/cert.pem",
		"ca/FuzzCA/1/key.pem", "ca/FuzzCA/1", "ca/FuzzCA", "ca", "" };
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "%s/%s", home, names[i]);
		(void)remove(path);
	}
}

/* The one CA, kept for the life of the process; its files need not be. */
static const struct ca *
fixed_ca(void)
{
	static struct cas *cas;
	const struct ca *ca = NULL;
	char path[] = "/tmp/fuzz.XXXXXX";
	int here = -1;
	int home = -1;

	if (mkdtemp(path) == NULL || dir_open(AT_FDCWD, ".", &here) != OK ||
	    dir_open(AT_FDCWD, path, &home) != OK ||
	    import_ca(here, home) != OK || cas_new(home, &cas) != OK ||
	    cas_find(cas, "FuzzCA", &ca) != OK)
		abort();
	remove_home(path);
	file_close(&here);
	return ca;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct message_policy policy = {
		.sha1 = true, .des3 = true, .samekey = true
	};
	static const struct ca *ca;
	struct pkimsg msg;

	log_sink(discard, NULL);
	if (ca == NULL)
		ca = fixed_ca();
	pkimsg_init(&msg);
	(void)message_open(&ca, 1, &policy, span_of(data, len), &msg);
	pkimsg_release(&msg);
	return 0;
}
