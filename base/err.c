#include "base/err.h"

/* One row for each error: what the world outside gets for it. */
static const struct {
	const char *name;
	int http; /* C-17, C-166 */
	int exit; /* CLI.md */
} errors[ERR__MAX] = {
	[OK] = { "ok", 200, 0 },
	[ERR_INPUT] = { "bad input", 400, 1 },
	[ERR_REFUSED] = { "refused", 403, 1 },
	[ERR_NOTFOUND] = { "not found", 404, 1 },
	[ERR_EXISTS] = { "exists already", 503, 1 },
	[ERR_TOOBIG] = { "too big", 413, 1 },
	[ERR_BUSY] = { "busy", 503, 75 },
	[ERR_CRYPTO] = { "crypto failure", 503, 75 },
	[ERR_SYSTEM] = { "system failure", 503, 75 },
};

/* A value outside the enum is our own trouble. */
static enum err
known(enum err e)
{
	return (unsigned)e < ERR__MAX ? e : ERR_SYSTEM;
}

int
err_http(enum err e)
{
	return errors[known(e)].http;
}

int
err_exit(enum err e)
{
	return errors[known(e)].exit;
}

const char *
err_name(enum err e)
{
	return errors[known(e)].name;
}
