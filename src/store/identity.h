/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What makes a trial that trial and no other: its scenario with every setting
 * (together: its cell), engine, kernel, family, seed and repeat, hashed. The same
 * trial has the same identity in every study, shard and store.
 */

#include "src/scenario/scenario.h"

struct identity {
	uint64_t cell, trial;
	int64_t phase; /* where the timer wheel is to stand at the first event, in ticks */
};

uint64_t identity_of_cell(const struct scenario *scenario);
/* `kernel` is the name that the user gave, not the release that it stands for. */
struct identity identity_of_trial(uint64_t cell, const char *engine, const char *kernel,
				  enum family family, uint64_t seed, unsigned int repeat);
#define IDENTITY_TEXT 17 /* bytes: sixteen hexadecimal digits and the terminating zero */
char *identity_format(uint64_t id, char text[IDENTITY_TEXT]);
