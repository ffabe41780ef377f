#include <string.h>

#include "base/log.h"
#include "crl.h"
#include "message/signed.h"
#include "queue.h"
#include "queue_own.h"
#include "queue_text.h"

/* The letters of news, on the CA's host. */

static enum err
make_next(const struct queue_desk *desk, const struct ca *ca, struct buf *out)
{
	struct span certs[MAX_CERTS];
	size_t n = 0;

	if (ca_next_certs(ca, desk->now, certs, &n) != OK)
		return OK;
	return message_next(ca_current(ca, desk->now), certs, n, out);
}

static enum err
make_crl(const struct queue_desk *desk, const struct ca *ca,
    const struct generation *gen, struct crl *out)
{
	const struct crl_source from = { desk->store, ca, gen,
		{ desk->site->crlvalidity, desk->site->crloverlap } };

	return crl_current(&from, out);
}

/* The present certificate, and its issuers. */
static bool
put_certs(const struct generation *gen, struct buf *out)
{
	bool good = buf_add(out, gen->cert.data, gen->cert.len);

	for (size_t i = 0; good && i < gen->nchain; i++)
		good = buf_add(out, gen->chain[i].data, gen->chain[i].len);
	return good;
}

/* Signed by the present key: the text, and these parts. */
static enum err
seal(const struct queue_desk *desk, const struct ca *ca, const char *name,
    const struct queue_news *news, const struct span part[LETTER_PARTS],
    struct buf *file)
{
	struct letter letter = {
		.kind = LETTER_NEWS, .name = name, .part = { part[0], part[1] }
	};
	struct buf text = BUF_INIT, der = BUF_INIT;
	enum err e;

	if ((e = queue_news_text(news, &text)) == OK)
		e = random_bytes(letter.nonce, LETTER_NONCE);
	letter.text = buf_span(&text);
	if (e == OK)
		e = letter_seal(&letter, ca_current(ca, desk->now), NULL, &der);
	if (e == OK)
		e = queue_file("news", name, buf_span(&der), file);
	buf_release(&text);
	buf_release(&der);
	return e;
}

static enum err
make_present(const struct queue_desk *desk, const struct ca *ca,
    char name[QUEUE_NEWS_NAME], struct buf *file)
{
	const struct generation *gen = ca_current(ca, desk->now);
	struct queue_news news = { desk->now, BUF_INIT };
	struct span part[LETTER_PARTS];
	struct buf next = BUF_INIT;
	struct crl crl = CRL_INIT;
	enum err e;

	if (gen == NULL) {
		log_error("CA %s is not valid yet", ca->called);
		return ERR_BUSY;
	}
	if (!put_certs(gen, &news.certs)) {
		e = ERR_SYSTEM;
		goto out;
	}
	if ((e = queue_news_name(ca, name)) != OK ||
	    (e = make_crl(desk, ca, gen, &crl)) != OK ||
	    (e = make_next(desk, ca, &next)) != OK)
		goto out;
	part[0] = buf_span(&crl.der);
	part[1] = buf_span(&next);
	e = seal(desk, ca, name, &news, part, file);
out:
	queue_news_release(&news);
	crl_release(&crl);
	buf_release(&next);
	return e;
}

/* What a key has issued ends before the last of its certificates. */
static bool
has_ended(const struct ca *ca, const struct generation *gen, int64_t now)
{
	for (size_t i = 0; i < ca->ngen; i++)
		if (ca->gen[i].n == gen->n && now < ca->gen[i].not_after)
			return false;
	return true;
}

/* ERR_NOTFOUND: it is none, or nothing that lives is its. */
static enum err
make_former(const struct queue_desk *desk, const struct ca *ca, size_t i,
    char name[QUEUE_NEWS_NAME], struct buf *file)
{
	const struct generation *gen = queue_former(ca, i, desk->now);
	const struct queue_news news = { desk->now, BUF_INIT };
	struct span part[LETTER_PARTS] = { { NULL, 0 } };
	struct crl crl = CRL_INIT;
	enum err e;

	if (gen == NULL || key_elsewhere(gen->key) ||
	    has_ended(ca, gen, desk->now))
		return ERR_NOTFOUND;
	if ((e = queue_former_name(gen, name)) == OK)
		e = make_crl(desk, ca, gen, &crl);
	part[0] = buf_span(&crl.der);
	if (e == OK)
		e = seal(desk, ca, name, &news, part, file);
	crl_release(&crl);
	return e;
}

enum err
queue_news_each(const struct queue_desk *desk, const struct ca *ca,
    enum err (*each)(const char *name, struct span file, void *arg), void *arg,
    unsigned *missing)
{
	enum err e = OK, one;

	for (size_t i = 0; i <= ca->ngen && e == OK; i++) {
		struct buf file = BUF_INIT;
		char name[QUEUE_NEWS_NAME];

		one = i == 0 ? make_present(desk, ca, name, &file) :
			       make_former(desk, ca, i - 1, name, &file);
		if (one == OK)
			e = each(name, buf_span(&file), arg);
		else if (one != ERR_NOTFOUND)
			++*missing; /* logged */
		buf_release(&file);
	}
	return e;
}
