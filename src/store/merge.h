/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Merges stores of one study, as its shards leave them, into one. Merging what is
 * there already changes nothing. Other studies, versions and kernels are refused; so is a
 * trial that ended differently in two of them.
 */

#include "src/store/store.h"

struct store_merge_counts {
	size_t trials;	 /* in the output, afterwards */
	size_t expected; /* in the whole study; 0 without one */
	size_t problems; /* trials that no shard could run */
};

/* Merges all inputs and what `output` holds already. The new file takes the place of `output` only
 * when it is complete. */
int store_merge(const char *const *inputs, size_t n_inputs, const char *output,
		struct store_merge_counts *ret_counts, struct error *err);
