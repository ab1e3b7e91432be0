/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What a trial is asked to do, and whom it calls: at its end, and on the way there.
 */

#include "netns/netns.h"
#include "src/record/record.h"
#include "src/scenario/scenario.h"
#include "src/trial/pool.h"
#include "src/util/tick.h"

struct trial_spec {
	const struct scenario *scenario; /* outlives the trial */
	enum family family;
	uint64_t seed;
	unsigned int repeat;
	unsigned int place; /* trials of different places have agents on different processors,
			     * where there are enough */
	const char *engine, *kernel; /* names for the record */
	struct testbed_pool *pool;   /* where the testbed is taken from, or NULL */
	const char *pcap_dir;	     /* or NULL */
	bool trace;		     /* the record gets what its trace is made of */
	bool wait; /* once the server listens, wait for trial_go(): all trials are set up first */
	int64_t phase; /* where the timer wheel is to stand at the first event, in ticks modulo
			* TICK_PHASES; -1: wherever it happens to */
	/* Or NULL: when, from `now` on, a trial that is over may take its time to make its record.
	 */
	nsec_t (*quiet_at)(nsec_t now, void *userdata);
	/* Or NULL: takes `n` moments down as this trial's, unless one is too near to another's;
	 * with a pinned phase the trial then comes a round of the timer wheel later. */
	bool (*reserve)(const nsec_t *moments, size_t n, void *userdata);
	bool hold;			 /* the timeline waits for trial_begin(); for the shell */
	const struct trial_hooks *hooks; /* or NULL; outlives the trial */
};

/* For who lives in the testbed with the trial. Each may be NULL; trial_free() is not allowed in
 * them. */
struct trial_hooks {
	/* There is a connection (or none is wanted at the start), the timeline is about to begin.
	 */
	void (*connected)(void *userdata);
	/* `node` has another namespace now; NULL: it is about to lose the one it has, and whoever
	 * holds that one must let go of it. */
	void (*node_changed)(enum node_id node, const struct netns *ns, void *userdata);
	void *userdata;
};

struct trial;

/* The trial is over: `record` is the callee's to free; or it is NULL and `err` says why there is
 * none. trial_free() is allowed here. */
typedef void (*trial_func)(struct trial *trial, struct record *record, const struct error *err,
			   void *userdata);
