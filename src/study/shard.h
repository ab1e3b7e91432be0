/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The part of a study that this process runs. The user gives it as K/N, or it is found in the
 * environment of a task of a Slurm array or of a Kubernetes indexed Job. Tasks do not talk to
 * each other.
 */

#include "src/util/error.h"

#define SHARD_MAX 10000

struct shard {
	unsigned int k, n; /* the k-th of n parts, counted from 1; 1 of 1 is the whole study */
	const char *from;  /* who said so: "--shard", "Slurm", "Kubernetes"; NULL: nobody; static */
};

/* Reads "2/4". */
int shard_parse(const char *text, struct shard *ret_shard, struct error *err);
/* Reads the environment: SLURM_ARRAY_TASK_ID with _COUNT, _MIN and _STEP, or JOB_COMPLETION_INDEX
 * with JOB_COMPLETIONS. Without any of them the shard is 1 of 1. */
int shard_from_environment(struct shard *ret_shard, struct error *err);
