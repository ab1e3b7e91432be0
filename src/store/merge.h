/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Merges the stores of a study's shards into one. Merging a store again changes nothing. A store
 * of another study, version or kernel is refused, and so is a trial that ended differently in
 * two stores.
 */

#include "src/store/store.h"

struct store_merge_counts {
	size_t trials;	 /* trials in the output afterwards */
	size_t expected; /* trials of the whole study; 0: there is no study */
	size_t problems; /* trials of the output that have no record */
};

/* Merges all inputs and what `output` holds already. The new file takes the place of `output` only
 * when it is complete. */
int store_merge(const char *const *inputs, size_t n_inputs, const char *output,
		struct store_merge_counts *ret_counts, struct error *err);
