/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What is due when; the module asks no clock and no kernel. Theory of operation:
 * each event becomes a step; a reboot becomes two, the loss of power and its return.
 * Which fault a heal ends was found out when the scenario was checked, and stands in
 * its event.
 */

#include "src/scenario/scenario.h"

enum step_kind {
	STEP_FAULT,
	STEP_HEAL,
	STEP_POWER_ON, /* the second half of a reboot */
	STEP_ACTION,
};

struct timeline_step {
	nsec_t at_nsec; /* since the timeline began */
	enum step_kind kind;
	const struct event *event; /* what the file says; HEAL: the fault that ends */
	size_t fault; /* FAULT, HEAL, POWER_ON: index of the fault's event, to pair them */
};

struct timeline {
	struct timeline_step *steps; /* ordered by time, in file order where equal; owned */
	size_t n_steps;
	size_t next; /* the first step not yet taken */
};

int timeline_init(struct timeline *timeline, const struct scenario *scenario, struct error *err);
void timeline_deinit(struct timeline *timeline);

/* When the next step is due, or NSEC_NEVER after the last. */
nsec_t timeline_next_nsec(const struct timeline *timeline);
/* Takes the next step if it is due at `now_nsec`; NULL when none is. */
const struct timeline_step *timeline_take(struct timeline *timeline, nsec_t now_nsec);
