#include "ca/ca.h"

#include <openssl/x509v3.h>

#include "base/log.h"
#include "base/time.h"
#include "ca/dn.h"
#include "ca/folder.h"

#define BACKDATE 600   /* seconds: clocks of clients are slow */
#define MAX_DAYS 36600 /* a hundred years */

/* C-196, and what SCEP needs of the certificate that clients encrypt to. */
#define CA_USAGE                                                 \
	(KU_KEY_CERT_SIGN | KU_CRL_SIGN | KU_DIGITAL_SIGNATURE | \
	    KU_KEY_ENCIPHERMENT)

static enum err
order_check(const struct ca_order *order, struct span subject)
{
	if (dn_empty(subject)) {
		log_error("a CA needs a subject, such as CN=%s", order->name);
		return ERR_INPUT;
	}
	if (strncmp(order->key, "rsa:", 4) != 0) {
		log_error("a CA needs an RSA key to receive requests: clients "
			  "encrypt to it, which EC keys cannot; --key rsa:3072 "
			  "and the like");
		return ERR_REFUSED;
	}
	if (order->days < 1 || order->days > MAX_DAYS) {
		log_error("a CA lives for 1 to %d days", MAX_DAYS);
		return ERR_INPUT;
	}
	return OK;
}

enum err
ca_create(int home, const struct ca_order *order, int64_t now)
{
	struct buf subject = BUF_INIT, pem = BUF_SECRET, der = BUF_INIT;
	struct root root = { .usage = CA_USAGE };
	struct key *key = NULL;
	enum err e;

	/* a taken name is known before a key is made */
	if ((e = ca_vacant(home, order->name)) != OK ||
	    (e = dn_parse(order->subject, &subject)) != OK ||
	    (e = order_check(order, buf_span(&subject))) != OK)
		goto out;
	root.subject = buf_span(&subject);
	root.not_before = now - BACKDATE;
	root.not_after = now + order->days * DAY;
	if ((e = key_generate(order->key, &pem)) != OK ||
	    (e = key_read("new key", buf_span(&pem), span_of("", 0), &key)) !=
		OK ||
	    (e = key_root(key, &root, &der)) != OK)
		goto out;
	e = ca_store(home, order->name, key, buf_span(&der), NULL, 0);
out:
	key_close(key);
	buf_release(&subject);
	buf_release(&pem);
	buf_release(&der);
	return e;
}
