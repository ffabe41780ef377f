#include "admin/args.h"

#define WORD 32 /* letters that are compared */

static int
least(int a, int b, int c)
{
	int m = a < b ? a : b;

	return m < c ? m : c;
}

/* Edit distance where swapped neighbours count as one mistake, not two. */
static int
distance(const char *a, const char *b)
{
	int d[WORD + 1][WORD + 1];
	int la = (int)strnlen(a, WORD), lb = (int)strnlen(b, WORD);
	int i, j;

	for (i = 0; i <= la; i++)
		d[i][0] = i;
	for (j = 0; j <= lb; j++)
		d[0][j] = j;
	for (i = 1; i <= la; i++) {
		for (j = 1; j <= lb; j++) {
			d[i][j] = least(d[i - 1][j] + 1, d[i][j - 1] + 1,
			    d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				d[i][j] =
				    least(d[i][j], d[i - 2][j - 2] + 1, WORD);
		}
	}
	return d[la][lb];
}

const char *
nearest(const char *word, int n, const char *(*get)(int i, const void *arg),
    const void *arg)
{
	const char *best = NULL;
	int least_yet = 2 * WORD + 1;
	int i, d;

	for (i = 0; i < n; i++) {
		d = distance(word, get(i, arg));
		if (d < least_yet) {
			least_yet = d;
			best = get(i, arg);
		}
	}
	return best == NULL ? "" : best;
}
