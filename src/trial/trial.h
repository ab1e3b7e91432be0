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

#include "src/observer/observer.h"
#include "src/trial/spec.h"
#include "src/util/loop.h"

/* Builds the testbed and starts the agents. Everything after that happens in the loop. */
int trial_start(struct loop *loop, struct observer *observer, const struct trial_spec *spec,
		trial_func func, void *userdata, struct trial **ret_trial, struct error *err);
/* Ends everything in it that moves, and leaves the namespaces to trial_free(): taking them away
 * takes the kernel long enough to disturb the others. Allowed in `func`. */
void trial_retire(struct trial *trial);
bool trial_retired(const struct trial *trial);
struct trial *trial_free(struct trial *trial);
DEFINE_CLEANUP(struct trial *, trial_free)

/* Lets a trial that waits connect its client. From here on it is the repetition `repeat`, with this
 * phase, and its record has this seed. */
void trial_go(struct trial *trial, unsigned int repeat, int64_t phase, uint64_t seed);
/* Whether it waits for trial_go(), or has gone on already. */
bool trial_ready(const struct trial *trial);

/* When it next does something that must not come late, which is to start its client or an event of
 * its timeline; NSEC_NEVER when nothing more is to come. */
nsec_t trial_next_event(const struct trial *trial);

/* Ends a trial whose ends have all detected, and that only waits for what is left of them to be
 * gone. Returns false, and does nothing, if there is more to come. */
bool trial_finish(struct trial *trial);

/* Lets a held timeline begin. */
void trial_begin(struct trial *trial);

/* What is being waited for, in a few words, and for how long at most. */
struct trial_status {
	char text[128];
	nsec_t at_most_nsec; /* from now; NSEC_NEVER while nothing bounds it */
};
void trial_status(const struct trial *trial, struct trial_status *ret_status);

struct testbed;
const struct testbed *trial_testbed(const struct trial *trial);
