/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A study's trials, run and stored. Theory of operation: what is not in the store
 * yet is handed to the engine in jobs, kernel by kernel and the longest trials
 * first, of as many trials as run at once well; scenarios exist for the trials of
 * one job only, so that memory does not grow with the study. Each trial is stored
 * as it comes, in a transaction of its own.
 */

#include "src/store/store.h"
#include "src/study/plan.h"

struct sweep_counts {
	size_t total, done; /* of this shard; those of earlier sessions included */
	size_t failed;	    /* verdicts, likewise */
	size_t finished;    /* trials that got a record in this session */
	size_t problems;    /* trials without a record, of this session */
	nsec_t span_nsec;   /* that the trials of this session lasted, together */
	nsec_t elapsed_nsec;
	nsec_t left_nsec; /* until all are done; NSEC_NEVER: no idea yet */
};

struct sweep {
	const struct study_plan *plan;
	const struct study_trial **trials; /* this shard's */
	size_t n_trials;
	struct store *store;
	unsigned int jobs; /* at most so many at once; 0: what is good */
	const char *kernel_modules;
	char **releases; /* of the plan's kernels, from sweep_find_kernels() */
	bool no_snapshot, derived_only;
	/* A few times a second, or NULL. */
	void (*progress)(const struct sweep_counts *counts, void *userdata);
	/* A trial has no record; called for each reason once. Not NULL. */
	void (*problem)(const struct error *err, void *userdata);
	void *userdata;
};

/* The releases that the plan's kernels stand for on this machine; NULL-terminated, the caller
 * frees. Fails where one is not at hand. */
int sweep_find_kernels(const struct sweep *sweep, char ***ret_releases, struct error *err);
/* Runs what is missing. ERROR_INTERRUPTED after SIGINT or SIGTERM; whatever is returned, what was
 * finished is stored and *ret_counts tells. `ret_worst`: of the trials that have no record. */
int sweep_run(const struct sweep *sweep, struct sweep_counts *ret_counts, struct error *ret_worst,
	      struct error *err);
