/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Runs a study's trials and stores them. Theory of operation: the trials that the store does not
 * have are handed to the engine in jobs, kernel by kernel and the longest trials first. A job
 * has as many trials as may run at once. Scenarios exist only for the trials of the running job,
 * so that memory does not grow with the study. Each trial is stored when it ends, in a
 * transaction of its own.
 */

#include "src/store/store.h"
#include "src/study/plan.h"

struct sweep_counts {
	size_t total, done;  /* trials of this shard, and those of them that have a record, from
				earlier sessions too */
	size_t failed;	     /* trials whose verdict is `fail`, from earlier sessions too */
	size_t inconclusive; /* likewise `inconclusive`: those that this session has still to run
				are not among them */
	size_t finished;     /* trials that got a record in this session */
	size_t problems;     /* trials of this session that got none */
	nsec_t span_nsec;    /* sum of the spans of this session's trials */
	nsec_t elapsed_nsec; /* since this session began */
	nsec_t left_nsec; /* estimated time until all are done; NSEC_NEVER: it is not known yet */
};

struct sweep {
	const struct study_plan *plan;	   /* not owned */
	const struct study_trial **trials; /* the trials of this shard; not owned */
	size_t n_trials;
	struct store *store;	    /* where the trials go; not owned */
	unsigned int jobs;	    /* at most so many trials run at once; 0: the engine decides */
	const char *kernel_modules; /* of --modules, or NULL; not owned */
	char **releases; /* releases of the plan's kernels, from sweep_find_kernels(); owned by the
			    caller */
	bool no_snapshot, derived_only; /* as in struct engine_job */
	/* How often each trial is tried then that has no conclusive record yet; 0 and 1: once. The
	 * records say it. */
	unsigned int tries;
	/* Called a few times a second; NULL: nobody wants to know. */
	void (*progress)(const struct sweep_counts *counts, void *userdata);
	/* Called when a trial has no record, once for each reason. Not NULL. */
	void (*problem)(const struct error *err, void *userdata);
	void *userdata; /* of the two functions */
};

/* Finds the releases that the plan's kernels stand for on this machine. The list is
 * NULL-terminated, and the caller frees it. Fails if a kernel is not at hand. */
int sweep_find_kernels(const struct sweep *sweep, char ***ret_releases, struct error *err);
/* Runs the trials that the store does not have. ERROR_INTERRUPTED after SIGINT or SIGTERM. After an
 * error, too, finished trials are stored and *ret_counts is filled. *ret_worst is the worst error
 * of a trial without a record, if there is one. */
int sweep_run(const struct sweep *sweep, struct sweep_counts *ret_counts, struct error *ret_worst,
	      struct error *err);
