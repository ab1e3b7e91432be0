/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * "did you mean": of the words that would have been right, the one nearest to
 * what was written.
 */

#include <stddef.h>

struct suggestion {
	const char *word;      /* what was written; must outlive this */
	char best[96];	       /* the nearest so far, or empty */
	unsigned int distance; /* edits from word to best */
};

void suggestion_init(struct suggestion *suggestion, const char *word);
void suggestion_offer(struct suggestion *suggestion, const char *candidate);
/* "; did you mean 'x'?", or "" when nothing is near. Valid as long as `buffer`; 128 bytes are
 * enough. */
const char *suggestion_text(const struct suggestion *suggestion, char *buffer, size_t size);
