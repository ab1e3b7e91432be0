/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Which part of a study is this process's: given as K/N, or found in what a Slurm
 * array or a Kubernetes indexed Job tells its tasks. No task talks to another.
 */

#include "src/util/error.h"

#define SHARD_MAX 10000

struct shard {
	unsigned int k, n; /* the k-th of n, from 1; 1 of 1 is all */
	const char *from;  /* "Slurm", ..., or NULL: nobody said anything; static */
};

/* "2/4" */
int shard_parse(const char *text, struct shard *ret_shard, struct error *err);
/* What the environment says: SLURM_ARRAY_TASK_ID with _COUNT, _MIN and _STEP, or
 * JOB_COMPLETION_INDEX with JOB_COMPLETIONS. 1 of 1 where it says nothing. */
int shard_from_environment(struct shard *ret_shard, struct error *err);
