/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The trials of a study. A trial is a few numbers: its cell (a scenario at one
 * place on each axis), kernel, family and repeat; scenarios are made of cells only
 * when they are about to run, so that a plan of 100,000 trials is small. Its
 * identity is a hash of what it is (scenario, settings, engine, kernel, family,
 * repeat, seed), not of where it stands: phase, shard and what is already done
 * follow from that alone.
 */

#include "src/engine/engine.h"
#include "src/study/study.h"

#define STUDY_MAX_TRIALS 100000 /* unless the user wants more */

struct study_options {
	const struct engine *engine;
	uint64_t seed;
	bool quick;
	char **kernels; /* instead of the study's; NULL-terminated, or NULL */
	size_t max_trials;
};

/* How much work a cell's trial is, for one family. */
struct study_load {
	nsec_t span_nsec; /* from the connection to the trial's end */
	double packets;
};

struct study_cell {
	size_t subject, combination; /* of the places on all axes */
	struct study_load load[_FAMILY_MAX];
	uint64_t key;	    /* its identity */
	unsigned int needs; /* as of estimate_needs() */
	bool by_chance;	    /* the kernel draws which packets are lost */
};

struct study_trial {
	uint64_t id;
	size_t cell;
	unsigned int kernel, repeat;
	enum family family;
	int64_t phase;
};

struct study_plan {
	const struct study *study;
	struct study_options options;
	char **kernels; /* their names; NULL-terminated, owned */
	size_t n_kernels;
	struct study_cell *cells;
	size_t n_cells;
	struct study_trial *trials; /* in the study's order */
	size_t n_trials;
};

/* `study` must outlive the plan, and what is in `options` too. ERROR_INPUT for a combination that
 * cannot be, for no trials and for too many. */
int study_plan_new(const struct study *study, const struct study_options *options,
		   struct study_plan **ret_plan, struct error *err);
struct study_plan *study_plan_free(struct study_plan *plan);
DEFINE_CLEANUP(struct study_plan *, study_plan_free)

/* The scenario of a cell. */
int study_plan_scenario(const struct study_plan *plan, size_t cell, struct scenario **ret_scenario,
			struct error *err);
/* Its place on an axis. */
const struct study_value *study_plan_value(const struct study_plan *plan, size_t cell, size_t axis);
/* "power-loss-busy with client.net.ipv4.tcp_retries2=3, ...". Returns `buffer`. */
char *study_plan_describe(const struct study_plan *plan, size_t cell, char *buffer, size_t size);

/* What a trial costs: of this machine's time (host), or of a processor's (qemu). The same on every
 * machine. */
nsec_t study_plan_work(const struct study_plan *plan, const struct study_trial *trial,
		       const struct engine *engine);
/* How long those of the trials take, all in all, roughly. */
nsec_t study_plan_time(const struct study_plan *plan, const struct study_trial *const *trials,
		       size_t n, const struct engine *engine, unsigned int jobs);

/* Those of shard `k` of `n` (1 of 1: all), the longest first; the caller frees. NULL: no memory. */
const struct study_trial **study_plan_shard(const struct study_plan *plan, unsigned int k,
					    unsigned int n, size_t *ret_count);
