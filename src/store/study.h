/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What a store is of: the study whose trials it holds, and how they are run. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/util/error.h"

/* A store that `run --db` made has no study. */
struct store_study {
	char *name, *file, *text;   /* of the study; NULL: there is none; owned */
	char *engine;		    /* name of the engine that runs the trials; owned */
	char *deadpeer;		    /* the version of deadpeer that made the store; owned */
	uint64_t seed;		    /* of the study's trials */
	bool quick;		    /* they have the scenarios' quick settings */
	size_t trials;		    /* their number in the whole study */
	unsigned int shard, shards; /* the shard of the study that it holds; 1 of 1: all of it */
};

void store_study_deinit(struct store_study *study);
/* Copies `study` with its texts. store_study_deinit() frees *ret_study, also after an error. */
int store_study_copy(struct store_study *ret_study, const struct store_study *study,
		     struct error *err);
/* Returns NULL if trials of `study` may be added to a store of `store`, else what the store has
 * otherwise ("another seed"). */
const char *store_study_differs(const struct store_study *store, const struct store_study *study);
