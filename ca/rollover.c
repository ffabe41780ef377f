#include "ca/ca.h"

/*
 * The generations of a CA in time:
 *
 *	former -> current -> next
 *
 * Nothing is written when the next one's time has come.  A former key opens
 * envelopes for a while, and signs its CRLs for good (C-130, C-202).
 */

const struct generation *
ca_current(const struct ca *ca, int64_t now)
{
	for (size_t i = ca->ngen; i > 0; i--)
		if (ca->gen[i - 1].not_before <= now)
			return &ca->gen[i - 1];
	return NULL;
}

/* All above the current one are ahead: it is the highest that has begun. */
const struct generation *
ca_next(const struct ca *ca, int64_t now)
{
	const struct generation *g = ca_current(ca, now);

	return g != NULL && ++g < ca->gen + ca->ngen ? g : NULL;
}

unsigned
ca_top(const struct ca *ca)
{
	return ca->ngen > 0 ? ca->gen[ca->ngen - 1].folder : 0;
}

const struct generation *
ca_of_key(const struct ca *ca, unsigned n)
{
	for (size_t i = ca->ngen; i > 0; i--)
		if (ca->gen[i - 1].n == n)
			return &ca->gen[i - 1];
	return NULL;
}

bool
ca_serves(const struct ca *ca, unsigned n, int64_t now, int64_t grace)
{
	const struct generation *current = ca_current(ca, now), *g;
	int64_t end = now;

	g = ca_of_key(ca, n);
	if (current == NULL || g == NULL || g >= current)
		return true;
	/* it ended when the first of the later ones began */
	for (g++; g <= current; g++)
		if (g->not_before < end)
			end = g->not_before;
	return now - end < grace;
}

const struct generation *
ca_issuer(const struct ca *ca, unsigned n, int64_t now)
{
	const struct generation *current = ca_current(ca, now), *ahead = NULL;

	for (size_t i = ca->ngen; i > 0 && current != NULL; i--) {
		const struct generation *g = &ca->gen[i - 1];

		if (g->n != n || now >= g->not_after)
			continue;
		if (g->not_before <= now)
			return g;
		ahead = g;
	}
	return ahead != NULL ? ahead : current;
}
