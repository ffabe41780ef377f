#include "fresh.h"

#include <string.h>

#include "base/time.h"

/* One item of the list: "abc", W/"abc" or *. */
static bool
names_tag(const char *item, size_t len, const char *etag)
{
	size_t n = strlen(etag);

	while (len > 0 && (*item == ' ' || *item == '\t')) {
		item++;
		len--;
	}
	while (len > 0 && (item[len - 1] == ' ' || item[len - 1] == '\t'))
		len--;
	if (len == 1 && *item == '*')
		return true;
	/* The weak comparison is the one for GET (RFC 9110 13.1.2). */
	if (len > 2 && memcmp(item, "W/", 2) == 0) {
		item += 2;
		len -= 2;
	}
	return len == n + 2 && item[0] == '"' && item[len - 1] == '"' &&
	       memcmp(item + 1, etag, n) == 0;
}

/* Tags of ours have no comma inside, so commas separate. */
static bool
lists_tag(const char *list, const char *etag)
{
	size_t len;

	for (;; list += len + 1) {
		len = strcspn(list, ",");
		if (names_tag(list, len, etag))
			return true;
		if (list[len] == '\0')
			return false;
	}
}

bool
fresh(const struct request *r, const struct reply *reply)
{
	int64_t since = 0;

	if (r->none_match != NULL)
		return *reply->etag != '\0' &&
		       lists_tag(r->none_match, reply->etag);
	return r->modified_since != NULL && reply->modified != 0 &&
	       time_http_read(r->modified_since, &since) == OK &&
	       reply->modified == since;
}
