/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * One thing done to the testbed at a time, and its end. One table has a line for
 * each kind: what applies it and what heals it. To add a fault is to add a line
 * there, one in enum fault_kind and its name in scenario.c.
 */

#include "src/agent/agent.h"
#include "src/testbed/testbed.h"

/* What is kept of a fault that holds, until it is healed. */
struct fault_handle {
	const struct event *event; /* the scenario's */
	struct fault_handle *next; /* the one that held before it, or NULL; not owned */
	unsigned int rule[2];	   /* packet filter rules, one a direction */
};

/* What a fault works on. The two functions are the trial's: it owns agents and observers, which
 * must be gone before a node is, and back when it is. */
struct fault_stage {
	struct testbed *testbed;
	struct agent *agent[_ENDPOINT_MAX]; /* NULL where there is none */
	struct agent *dying[_ENDPOINT_MAX]; /* of hosts that lost power; NULL where there is none */
	struct fault_handle *holding;	    /* the faults that hold, the latest first; not owned */
	int (*let_go)(struct fault_stage *stage, enum node_id node, struct error *err);
	int (*take_up)(struct fault_stage *stage, enum node_id node, bool service,
		       struct error *err);
};

/* `handle` stays with the fault until it is healed. */
int fault_apply(struct fault_stage *stage, const struct event *event, struct fault_handle *handle,
		struct error *err);
int fault_heal(struct fault_stage *stage, const struct event *event, struct fault_handle *handle,
	       struct error *err);
/* The return of power after a reboot's downtime. */
int fault_power_on(struct fault_stage *stage, const struct event *event, struct error *err);
