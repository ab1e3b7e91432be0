/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * One thing done to the testbed at a time, and its end. One table has a line for
 * each kind: the function that begins and ends it. To add a fault is to add a line
 * there, one in enum fault_kind and its name in scenario.c.
 */

#include "src/trial/state.h"

/* What is kept of a fault that holds, until it is healed. */
struct fault_handle {
	const struct event *event;	   /* the scenario's; not owned */
	struct fault_handle *next;	   /* the one that held before it, or NULL; not owned */
	unsigned int rule[_DIRECTION_MAX]; /* numbers of packet filter rules, by direction */
};

/* `handle` belongs to the fault until it is healed, and is to be passed to fault_heal(). */
int fault_apply(struct trial *trial, const struct event *event, struct fault_handle *handle,
		struct error *err);
int fault_heal(struct trial *trial, const struct event *event, struct fault_handle *handle,
	       struct error *err);
/* Brings a host back after the downtime of its reboot. */
int fault_power_on(struct trial *trial, const struct event *event, struct error *err);
