/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * "did you mean": names the one of the words that would have been right that is nearest
 * to what was written, or all of them when none is near and they are few.
 */

#include <stddef.h>

struct suggestion {
	const char *word;      /* what was written; must outlive this */
	char best[96];	       /* the nearest so far, or empty */
	unsigned int distance; /* edits from word to best */
	char all[256];	       /* "a, b, c"; as long as they fit */
	size_t n_all;	       /* bytes they would take */
};

void suggestion_init(struct suggestion *suggestion, const char *word);
void suggestion_offer(struct suggestion *suggestion, const char *candidate);
/* "; did you mean 'x'?", "; it is one of a, b, c" or "". Returns `buffer`. */
#define SUGGESTION_SIZE 288
const char *suggestion_text(const struct suggestion *suggestion, char *buffer, size_t size);
