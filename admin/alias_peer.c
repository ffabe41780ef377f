#include "admin/alias.h"

#include "base/log.h"
#include "ca/cert.h"
#include "ca/key.h"
#include "judge/web.h"

/*
 * What `alias check` knows of the files by which an alias reaches a server, as
 * each request reads them.
 */

/* The certificate that the server is shown is that of the key. */
static enum err
check_client(const struct peer_rules *peer, const struct peer_files *files)
{
	struct buf cert = BUF_INIT;
	struct cert_view view = { .spki = { NULL, 0 } };
	struct key *key = NULL;
	enum err e;

	e = cert_read(peer->clientcert, buf_span(&files->cert), &cert);
	if (e == OK)
		e = cert_view(buf_span(&cert), &view);
	if (e == OK)
		e = key_read(peer->clientkey, buf_span(&files->key),
		    span_of("", 0), &key);
	if (e == OK && !key_fits(key, view.spki)) {
		log_error("clientkey: %s is not the key of %s", peer->clientkey,
		    peer->clientcert);
		e = ERR_INPUT;
	}
	key_close(key);
	buf_release(&cert);
	return e;
}

static enum err
each_certificate(struct span der, void *arg)
{
	(void)der;
	(void)arg;
	return OK;
}

enum err
alias_check_peer(int home, const struct peer_rules *peer)
{
	struct peer_files files = PEER_FILES_INIT;
	enum err e = alias_peer(home, peer, &files);

	if (e == OK && peer->cafile != NULL)
		e = certs_each(
		    peer->cafile, buf_span(&files.ca), each_certificate, NULL);
	if (e == OK && peer->clientcert != NULL)
		e = check_client(peer, &files);
	peer_files_release(&files);
	return e;
}

enum err
alias_check_web(
    const struct command *cmd, const char *path, const struct alias *a)
{
	const struct web_rules *web = &a->web;
	struct buf secret = BUF_SECRET;
	enum err e = alias_check_peer(cmd->home, &web->peer);

	if (e == OK && web->keyfile != NULL)
		e = web_key(cmd->home, web, &secret);
	if (e == OK && web->bearerfile != NULL)
		e = web_token(cmd->home, web, &secret);
	if (web->keyfile == NULL && web->bearerfile == NULL &&
	    web->peer.clientcert == NULL)
		log_warn("%s: [web]: without secretfile, bearerfile or "
			 "clientcert the service cannot know who asks it",
		    path);
	buf_release(&secret);
	return e;
}
