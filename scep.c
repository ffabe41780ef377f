#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "admin/admin.h"
#include "fetch/fetch.h"
#include "serve.h"

/* Is descriptor 0 a listening socket, as spawners of FastCGI leave it? */
static bool
listening(void)
{
	int on = 0;
	socklen_t len = sizeof(on);

	return getsockopt(0, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) == 0 && on;
}

/*
 * Which of three hats (DESIGN 3).  The order is security: a web server hands
 * a query string without '=' to a CGI program as argv, so argv is not looked
 * at before it is certain that no web server has started us.  The command line
 * has a hidden word: so the helper of fetch/ is this program too.
 */
int
main(int argc, char **argv)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	if (getenv("REQUEST_METHOD") || getenv("GATEWAY_INTERFACE"))
		return serve(false);
	if (listening())
		return serve(true);
	if (argc == 2 && strcmp(argv[1], "helper") == 0)
		return fetch_helper();
	return admin_main(argc, argv);
}
