/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * One trial: testbed, timeline, agents and observer brought together until there
 * is a record. Theory of operation: a trial is a state machine in an event loop,
 * so that hundreds run in one process, on the host as in a guest. The server is
 * started, then the client; when the client's connection is ESTABLISHED the
 * timeline begins. The trial is over when every watched endpoint has met its end,
 * or has proved that it survived, or when the horizon is reached.
 */

#include "src/agent/agent.h"
#include "src/observer/observer.h"
#include "src/record/record.h"
#include "src/scenario/scenario.h"
#include "src/trial/pool.h"
#include "src/util/loop.h"
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

/* Builds the testbed and starts the agents. Everything after that happens in the loop. */
int trial_start(struct loop *loop, struct observer *observer, const struct trial_spec *spec,
		trial_func func, void *userdata, struct trial **ret_trial, struct error *err);
/* Ends everything in it that moves, and leaves the namespaces to trial_free(): taking them away
 * takes the kernel long enough to disturb the others. Allowed in `func`. */
void trial_retire(struct trial *trial);
bool trial_retired(const struct trial *trial);
struct trial *trial_free(struct trial *trial);
DEFINE_CLEANUP(struct trial *, trial_free)

/* Looks how the kernel counts its ticks, which takes some of them; else the first trial with a
 * pinned phase does. */
void trial_learn_ticks(void);

/* Lets a trial that waits connect its client. */
void trial_go(struct trial *trial);
/* Whether it waits for that. */
bool trial_ready(const struct trial *trial);

/* When it next has something to do that must not come late: its client's start or an event of its
 * timeline; NSEC_NEVER when there is nothing more. */
nsec_t trial_next_event(const struct trial *trial);

/* Lets a held timeline begin. */
void trial_begin(struct trial *trial);

/* What is being waited for, in a few words, and for how long at most. */
struct trial_status {
	char text[128];
	nsec_t at_most_nsec; /* from now; NSEC_NEVER while nothing bounds it */
};
void trial_status(const struct trial *trial, struct trial_status *ret_status);

const struct trial_spec *trial_spec(const struct trial *trial);
struct testbed;
const struct testbed *trial_testbed(const struct trial *trial);
