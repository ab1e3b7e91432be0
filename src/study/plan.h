/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The trials of a study. A trial is a few numbers: its cell (a scenario at one place on each
 * axis), kernel, family and repeat. A scenario is made of a cell only when the cell's trials are
 * about to run, so that a plan of 100,000 trials is small. The identity of a trial is a hash of
 * its scenario, settings, engine, kernel, family, repeat and seed, and does not depend on its
 * place in the study. Its phase, its shard and whether it is done follow from the identity
 * alone.
 */

#include "src/engine/engine.h"
#include "src/study/study.h"

#define STUDY_MAX_TRIALS 100000 /* the user may allow more with --max-trials */

struct study_options {
	const struct engine *engine; /* that runs the trials; static */
	uint64_t seed;		     /* of what is drawn by chance */
	bool quick;		     /* the scenarios have their quick settings */
	char **kernels; /* in place of the study's, NULL-terminated; NULL: the study's; not owned */
	size_t max_trials; /* a plan of more is refused */
};

/* The work of a cell's trial for one family. */
struct study_load {
	nsec_t span_nsec; /* time from the connection to the trial's end */
	double packets;	  /* sent in that time */
};

/* A scenario at one place on each axis. */
struct study_cell {
	size_t subject;			     /* its place among the study's subjects */
	size_t combination;		     /* number of its combination of places on the axes */
	struct study_load load[_FAMILY_MAX]; /* by family */
	uint64_t key;			     /* its identity, as of identity_of_cell() */
	unsigned int needs;		     /* mask, as of estimate_needs() */
	bool by_chance;			     /* the kernel draws which packets are lost */
	bool programs;			     /* hosts run programs of the user's */
};

struct study_trial {
	uint64_t id;	     /* its identity, as of identity_of_trial() */
	size_t cell;	     /* its place among the plan's cells */
	unsigned int kernel; /* its place among the plan's kernels */
	unsigned int repeat; /* counted from 0 */
	enum family family;
	int64_t phase; /* where the timer wheel is to stand at the first event; ticks */
};

struct study_plan {
	const struct study *study; /* not owned */
	struct study_options options;
	char **kernels; /* names of kernels, NULL-terminated; owned */
	size_t n_kernels;
	struct study_cell *cells; /* owned */
	size_t n_cells;
	struct study_trial *trials; /* all trials in the study's order; owned */
	size_t n_trials;
};

/* Makes the plan of a study, which must outlive it, as must what `options` points to. ERROR_INPUT
 * says which combination cannot be, or that there are no trials or too many. */
int study_plan_new(const struct study *study, const struct study_options *options,
		   struct study_plan **ret_plan, struct error *err);
struct study_plan *study_plan_free(struct study_plan *plan);
DEFINE_CLEANUP(struct study_plan *, study_plan_free)

/* Makes the scenario of a cell. *ret_scenario is NULL where --quick leaves it out. */
int study_plan_scenario(const struct study_plan *plan, size_t cell, struct scenario **ret_scenario,
			struct error *err);
/* Returns the value of a cell on an axis. */
const struct study_value *study_plan_value(const struct study_plan *plan, size_t cell, size_t axis);
/* Writes "power-loss-busy with client.net.ipv4.tcp_retries2=3, ...". Returns `buffer`. */
char *study_plan_describe(const struct study_plan *plan, size_t cell, char *buffer, size_t size);

/* Estimates the time that a trial takes: its duration on the host engine, or time of one processor
 * on the qemu engine. The result is the same on every machine. */
nsec_t study_plan_work(const struct study_plan *plan, const struct study_trial *trial,
		       const struct engine *engine);
/* Estimates how long `n` trials take together. `jobs` is how many run at once; 0: the engine's
 * default. */
nsec_t study_plan_time(const struct study_plan *plan, const struct study_trial *const *trials,
		       size_t n, const struct engine *engine, unsigned int jobs);

/* Returns the trials of shard `k` of `n`, the longest first. Shard 1 of 1 has all trials. The
 * caller frees the array. NULL: out of memory. */
const struct study_trial **study_plan_shard(const struct study_plan *plan, unsigned int k,
					    unsigned int n, size_t *ret_count);
