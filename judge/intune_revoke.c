#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "judge/intune.h"

/* Which certificates Intune wants revoked, and what became of that. */

#define REQUESTS "CertificateAuthorityRequests/"

static void
revocation_release(struct intune_revocation *r)
{
	free(r->context);
	free(r->serial);
	free(r->issuer);
}

void
intune_revocations_release(struct intune_revocations *r)
{
	for (size_t i = 0; i < r->n; i++)
		revocation_release(&r->item[i]);
	free(r->item);
	*r = (struct intune_revocations){ .n = 0 };
}

/* A copy of a member that is a text; "" where there is none. */
static char *
text_of(const struct json *item, const char *name)
{
	const char *text = "";

	(void)json_get0_text(item, name, &text);
	return str_dup(text);
}

/* Without a context nobody could be told what became of it. */
static enum err
take(const struct intune *in, const struct json *item,
    struct intune_revocations *out)
{
	struct intune_revocation *one = &out->item[out->n];

	*one = (struct intune_revocation){ .context =
					       text_of(item, "requestContext"),
		.serial = text_of(item, "serialNumber"),
		.issuer = text_of(item, "issuerName"),
		.result = INTUNE_BAD };
	out->n++;
	if (one->context == NULL || one->serial == NULL || one->issuer == NULL)
		return ERR_SYSTEM;
	if (*one->issuer == '\0') {
		free(one->issuer);
		one->issuer = text_of(item, "caConfiguration");
	}
	if (one->issuer == NULL)
		return ERR_SYSTEM;
	if (*one->context != '\0')
		return OK;
	log_warn("alias %s: Intune sends a revocation request without "
		 "requestContext, which nobody can answer",
	    in->alias);
	revocation_release(one);
	out->n--;
	return OK;
}

static enum err
take_all(const struct intune *in, const struct json *answer, int64_t max,
    struct intune_revocations *out)
{
	const struct json *list = NULL, *item;
	size_t n;
	enum err e = OK;

	if (json_get0_array(answer, "value", &list) != OK) {
		log_error("alias %s: Intune's answer has no list of "
			  "revocation requests",
		    in->alias);
		return ERR_BUSY;
	}
	n = json_count(list);
	if (n > (size_t)max) {
		log_error("alias %s: Intune sends %zu revocation requests; "
			  "%lld were asked for",
		    in->alias, n, (long long)max);
		return ERR_BUSY;
	}
	if ((out->item = calloc(n + 1, sizeof(*out->item))) == NULL) {
		log_error("out of memory");
		return ERR_SYSTEM;
	}
	for (item = json_first(list); item != NULL && e == OK;
	     item = json_next(item))
		e = take(in, item, out);
	return e;
}

enum err
intune_download(const struct intune *in, int64_t max, const char *issuer,
    struct intune_revocations *out)
{
	struct json *ask = json_new(), *answer = NULL;
	struct json *how = json_put_object(ask, "downloadParameters");
	enum err e = json_put_number(how, "maxRequests", max);

	if (e == OK)
		e = issuer == NULL ? json_put_null(how, "issuerName") :
				     json_put_str(how, "issuerName", issuer);
	if (e == OK)
		e = intune_call(in, INTUNE_REVOCATION,
		    REQUESTS "downloadRevocationRequests", ask, &answer);
	if (e == OK)
		e = take_all(in, answer, max, out);
	json_free(ask);
	json_free(answer);
	return e;
}

static enum err
put_result(struct json *list, const struct intune_revocation *r)
{
	struct json *one = json_put_object(list, NULL);
	enum err e;

	if ((e = json_put_str(one, "requestContext", r->context)) != OK ||
	    (e = json_put_bool(one, "succeeded", r->result == INTUNE_DONE)) !=
		OK ||
	    (e = json_put_number(one, "errorCode", r->result)) != OK)
		return e;
	return r->why == NULL ? json_put_null(one, "errorMessage") :
				json_put_str(one, "errorMessage", r->why);
}

enum err
intune_upload(const struct intune *in, const struct intune_revocations *r)
{
	struct json *ask = json_new(), *answer = NULL;
	struct json *list = json_put_array(ask, "results");
	bool taken = false;
	enum err e = OK;

	for (size_t i = 0; i < r->n && e == OK; i++)
		e = put_result(list, &r->item[i]);
	if (e == OK)
		e = intune_call(in, INTUNE_REVOCATION,
		    REQUESTS "uploadRevocationResults", ask, &answer);
	if (e == OK &&
	    (json_get_bool(answer, "value", &taken) != OK || !taken)) {
		log_error(
		    "alias %s: Intune does not take the results", in->alias);
		e = ERR_BUSY;
	}
	json_free(ask);
	json_free(answer);
	return e;
}
