/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A list of trials to run and what is told while they run: what a runner takes, and
 * an engine hands on to the runner of the kernel that it provides.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/record/record.h"
#include "src/scenario/scenario.h"

struct engine_trial {
	const struct scenario *scenario;
	enum family family;
	unsigned int repeat;
	int64_t phase; /* of the timer wheel at the first event; where phases are pinned; -1: drawn
			*/
	bool alone;    /* shares its kernel with no other trial, where there is more than one
			* kernel: what the kernel draws by chance is then the trial's own */
};

/* What the engine tells while it runs. All pointers are valid during the call only, but the
 * record is handed over. */
struct engine_listener {
	/* A trial is over; `record` NULL: `err` says why it has none. */
	void (*done)(size_t trial, struct record *record, const struct error *err, void *userdata);
	/* What is being waited for, and for how long at most (NSEC_NEVER: not known); called a few
	 * times a second. `done` of `total` are over. */
	void (*progress)(const char *text, nsec_t at_most_nsec, size_t done, size_t total,
			 void *userdata);
	void *userdata;
};

struct engine_job {
	/* Each one's `repeat` and `phase`, and the `seed`, count from when all are ready. */
	const struct engine_trial *trials;
	size_t n_trials;
	unsigned int jobs;   /* at most so many at once; 0: as many as the engine finds good */
	size_t guest_trials; /* qemu: each guest is made for at least so many trials, so that
			      * jobs of any size run in the same one */
	uint64_t seed;
	const char *pcap_dir;	 /* or NULL */
	const char *logs_dir;	 /* or NULL */
	bool trace;		 /* records are to have what a trace is made of */
	bool pin_phases;	 /* wait for the tick that has the trial's phase: free in
				  * virtual time */
	bool unjudged;		 /* in a guest: the host compares records with expectations */
	bool no_snapshot;	 /* qemu: boot each guest from the start */
	bool derived_only;	 /* observe without BPF */
	const char *kernel_name; /* qemu: which one, or NULL */
	const char *kernel_modules;
	/* Where phases are pinned: called when every trial is ready for its client, and may change
	 * what counts from then on; or NULL. */
	void (*ready)(void *userdata);
	void *ready_userdata;
	const bool *stop; /* set by the listener's `done`: end as after SIGINT; or NULL */
};
