/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/text/suggest.h"

#include <stdio.h>
#include <string.h>

#define LONGEST 95

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* The number of edits (insert, delete, replace, swap of neighbours) that make b of a. This is the
 * optimal string alignment distance, computed in three rolling rows. */
static unsigned int edits(const char *a, const char *b)
{
	unsigned int rows[3][LONGEST + 1];
	unsigned int *before = rows[0], *last = rows[1], *now = rows[2];
	size_t na = strlen(a), nb = strlen(b);

	for (size_t j = 0; j <= nb; j++)
		last[j] = (unsigned int)j;
	for (size_t i = 1; i <= na; i++) {
		unsigned int *oldest = before;

		now[0] = (unsigned int)i;
		for (size_t j = 1; j <= nb; j++) {
			now[j] = least(least(last[j], now[j - 1]) + 1,
				       last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], before[j - 2] + 1);
		}
		before = last;
		last = now;
		now = oldest;
	}
	return last[nb];
}

/* So many edits and more make another word. */
static unsigned int allowed(const char *word)
{
	return least((unsigned int)strlen(word) / 3 + 1, 4);
}

/* What stands behind the last dot of a key such as "client.keepalive.idle". */
static const char *last_part(const char *key)
{
	const char *dot = strrchr(key, '.');

	return dot ? dot + 1 : key;
}

/* How many bytes two words have in common at their beginning. */
static size_t begins_alike(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] && a[n] == b[n])
		n++;
	return n;
}

void suggestion_init(struct suggestion *suggestion, const char *word)
{
	suggestion->word = word;
	suggestion->best[0] = '\0';
	suggestion->all[0] = '\0';
	suggestion->n_all = 0;
	suggestion->distance = allowed(word);
}

void suggestion_offer(struct suggestion *suggestion, const char *candidate)
{
	size_t at = suggestion->n_all;
	unsigned int distance;

	suggestion->n_all += strlen(candidate) + (at ? 2 : 0);
	if (suggestion->n_all < sizeof(suggestion->all))
		sprintf(suggestion->all + at, "%s%s", at ? ", " : "", candidate);
	if (strlen(suggestion->word) > LONGEST || strlen(candidate) > LONGEST)
		return;
	distance = edits(suggestion->word, candidate);
	if (distance > suggestion->distance ||
	    (distance == suggestion->distance &&
	     (!suggestion->best[0] || begins_alike(suggestion->word, candidate) <=
					      begins_alike(suggestion->word, suggestion->best))) ||
	    edits(last_part(suggestion->word), last_part(candidate)) >=
		    allowed(last_part(suggestion->word)))
		return;
	suggestion->distance = distance;
	snprintf(suggestion->best, sizeof(suggestion->best), "%s", candidate);
}

const char *suggestion_text(const struct suggestion *suggestion, char *buffer, size_t size)
{
	if (suggestion->best[0])
		snprintf(buffer, size, "; did you mean '%s'?", suggestion->best);
	else if (suggestion->n_all && suggestion->n_all < sizeof(suggestion->all))
		snprintf(buffer, size, "; it is one of %s", suggestion->all);
	else
		buffer[0] = '\0';
	return buffer;
}
