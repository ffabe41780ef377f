#include <string.h>

#include "access.h"
#include "base/limits.h"
#include "ca/cert.h"
#include "ca/dn.h"
#include "query.h"
#include "visit.h"

/*
 * Who asks is known from the web server alone: struct request has what it
 * verified, never what the client says of itself in a header.
 */

/*
 * PEM as the servers give it: as it is; with a tab in front of each line but
 * the first (nginx's $ssl_client_cert); in percent escapes (nginx's
 * $ssl_client_escaped_cert).
 */
static enum err
plain_pem(const char *cert, struct buf *pem)
{
	struct buf decoded = BUF_INIT;
	enum err e = OK;

	if (strchr(cert, '%') != NULL)
		e = percent_decode(span_of(cert, strlen(cert)), &decoded);
	else if (!buf_str(&decoded, cert))
		e = ERR_SYSTEM;
	for (size_t i = 0; e == OK && i < decoded.len; i++)
		if (decoded.data[i] != '\t' && !buf_byte(pem, decoded.data[i]))
			e = ERR_SYSTEM;
	buf_release(&decoded);
	return e;
}

/* The subject of the certificate itself. */
static enum err
subject_of(const char *cert, struct buf *subject)
{
	struct buf pem = BUF_INIT, der = BUF_INIT;
	struct cert_view view;
	enum err e;

	if ((e = plain_pem(cert, &pem)) == OK &&
	    (e = cert_read("SSL_CLIENT_CERT", buf_span(&pem), &der)) == OK &&
	    (e = cert_view(buf_span(&der), &view)) == OK &&
	    !buf_add(subject, view.subject.p, view.subject.len))
		e = ERR_SYSTEM;
	buf_release(&pem);
	buf_release(&der);
	return e;
}

/*
 * Where the server gives the certificate, that is what counts.  Else its text,
 * which lighttpd cuts off behind 255 bytes.
 */
static enum err
peer_subject(const struct request *r, struct buf *subject)
{
	if (*r->peer_cert != '\0')
		return subject_of(r->peer_cert, subject);
	if (*r->peer == '\0')
		return ERR_NOTFOUND;
	if (strlen(r->peer) > MAX_PEER_TEXT)
		return ERR_INPUT;
	return dn_server(r->peer, subject);
}

/* A line of peers that cannot be read was told of, and is nobody. */
static enum err
listed(const struct alias *a, struct span subject, bool *yes)
{
	struct buf peer = BUF_INIT;
	enum err e = OK;

	*yes = false;
	for (size_t i = 0; i < a->npeers && !*yes && e != ERR_SYSTEM; i++) {
		buf_clear(&peer);
		e = dn_parse(a->peers[i], &peer);
		*yes = e == OK && dn_eq(buf_span(&peer), subject);
	}
	buf_release(&peer);
	return e == ERR_SYSTEM ? e : OK;
}

static enum err
refuse(struct visit *v, const char *reason, const char *text)
{
	log_text(&v->line, "reason", reason);
	return answer_text(v->reply, 403, text);
}

enum err
access_admit(struct visit *v, bool *admitted)
{
	struct buf subject = BUF_INIT, text = BUF_INIT;
	enum err e;

	*admitted = v->alias->npeers == 0;
	if (*admitted)
		return OK;
	e = peer_subject(v->request, &subject);
	if (e == OK)
		e = dn_text(buf_span(&subject), &text);
	if (e == ERR_NOTFOUND)
		e = refuse(v, "no verified client certificate",
		    "a client certificate is needed here");
	else if (e == ERR_INPUT)
		e = refuse(v,
		    "the client certificate's subject cannot be read; let "
		    "the web server hand over SSL_CLIENT_CERT",
		    "this client certificate cannot be read");
	else if (e == OK &&
		 (e = listed(v->alias, buf_span(&subject), admitted)) == OK) {
		log_text(&v->line, "peer", buf_cstr(&text));
		if (!*admitted)
			e = refuse(v, "not one of [access] peers",
			    "this client certificate may not ask here");
	}
	buf_release(&subject);
	buf_release(&text);
	return e;
}
