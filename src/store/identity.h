/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The identity of a trial. It is a hash of its cell, which is the scenario with every setting,
 * and of engine, kernel, family, seed and repeat. The same trial has the same identity in every
 * study, shard and store.
 */

#include "src/scenario/scenario.h"

struct identity {
	uint64_t cell, trial; /* hashes of the cell and of the whole trial */
	int64_t phase;	      /* where the timer wheel is to stand at the first event; ticks */
};

/* Hashes a scenario with all its settings. */
uint64_t identity_of_cell(const struct scenario *scenario);
/* `kernel` is the name that the user gave, not the release that it stands for. */
struct identity identity_of_trial(uint64_t cell, const char *engine, const char *kernel,
				  enum family family, uint64_t seed, unsigned int repeat);
/* The identity of the same trial when it is done once more beside the first time, for the `n`-th
 * time; the first is 0 and has the identity above. */
uint64_t identity_again(uint64_t trial, unsigned int n);
/* Bytes of the text: sixteen hexadecimal digits and the terminating zero. */
#define IDENTITY_TEXT 17
/* Writes an identity as hexadecimal digits. Returns `text`. */
char *identity_format(uint64_t id, char text[IDENTITY_TEXT]);
