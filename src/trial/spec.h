/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What a trial is asked to do, and the functions that it calls on its way and at its end.
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
	const char *engine, *kernel; /* names for the record; they outlive the trial */
	struct testbed_pool *pool;   /* where the testbed is taken from, or NULL; not owned */
	const char *pcap_dir; /* where captures are written, or NULL; it outlives the trial */
	const char *logs_dir; /* likewise for what programs write */
	bool unjudged;	      /* the record is not compared with what the scenario expects */
	bool trace;	      /* the record gets what its trace is made of */
	bool wait;     /* the client waits for trial_go(), so that all trials are set up first */
	int64_t phase; /* where the timer wheel is to stand at the first event, in ticks modulo
			* TICK_PHASES; -1: anywhere */
	/* Returns when, from `now_nsec` on, a trial that is over may take its time to make its
	 * record. NULL: at once. */
	nsec_t (*quiet_at)(nsec_t now_nsec, void *userdata);
	/* Notes the `n` moments as this trial's, or returns false if one is too near to a moment of
	 * another trial; then a trial with a pinned phase begins a round of the timer wheel later.
	 * NULL: any moment will do. */
	bool (*reserve)(const nsec_t *moments_nsec, size_t n, void *userdata);
	bool hold;			 /* the timeline waits for trial_begin(); for the shell */
	const struct trial_hooks *hooks; /* or NULL; outlives the trial */
};

/* What a trial tells those who use its testbed while it runs, as the shell does. Each function may
 * be NULL, and none may call trial_free(). */
struct trial_hooks {
	/* The timeline is about to begin: there is a connection, or none is wanted so far. */
	void (*connected)(void *userdata);
	/* `ns` is the new namespace of `node`. NULL: `node` is about to lose the one it has, and
	 * whoever holds that one must let go of it. */
	void (*node_changed)(enum node_id node, const struct netns *ns, void *userdata);
	void *userdata;
};

struct trial;

/* The trial is over. The callee frees `record`; if it is NULL, `err` says why there is none.
 * trial_free() is allowed here. */
typedef void (*trial_func)(struct trial *trial, struct record *record, const struct error *err,
			   void *userdata);
