/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What a store is of: the study whose trials it holds, and how that was run. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/util/error.h"

/* A store that `run --db` made has no study. */
struct store_study {
	char *name, *file, *text; /* of the study; NULL without one; owned as all here */
	char *engine, *deadpeer;  /* deadpeer: the version that made it */
	uint64_t seed;
	bool quick;
	size_t trials;		    /* in the whole study */
	unsigned int shard, shards; /* 1 of 1: not sharded, or merged */
};

void store_study_deinit(struct store_study *study);
/* Copies all its texts. What there is of *ret_study is freed by store_study_deinit() in any case.
 */
int store_study_copy(struct store_study *ret_study, const struct store_study *study,
		     struct error *err);
/* NULL where nothing speaks against going on in this store with `study`; or what does. */
const char *store_study_differs(const struct store_study *store, const struct store_study *study);
