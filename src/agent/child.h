/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The agent's side of the fork: what agent.c hands to its child, the orders that
 * come over the control socket, and the two programs a child can be: the built-in
 * agent and the small init above a user's command. Nothing here returns to the
 * parent's code: the child leaves by _exit().
 */

#include <stdint.h>

#include "src/agent/agent.h"

enum agent_order_kind {
	AGENT_ORDER_ACT,    /* built-in: do `action` */
	AGENT_ORDER_FREEZE, /* command: SIGSTOP to everything below init, then acknowledge */
	AGENT_ORDER_THAW,   /* the same with SIGCONT */
};

/* One datagram from deadpeer to the agent; reports go the other way. */
struct agent_order {
	enum agent_order_kind kind;
	enum action action;
	uint64_t value; /* ACTION_SEND: bytes; ACTION_CONNECT: local port, 0: any */
};

/* What an agent that stood by is told, as its first datagram: its specification without `ns`, and
 * without a command. */
struct agent_part {
	struct agent_spec spec;
	struct scenario_agent options; /* what spec.options is to point to */
};

/* The descriptors a child keeps, all close-on-exec. */
struct agent_child {
	const struct agent_spec *spec; /* NULL: it comes over the control socket */
	int netns_fd;		       /* until it is there */
	int control_fd;		       /* SOCK_SEQPACKET: orders in, reports out */
	int output_fd; /* command: the pipe its standard output and error become; else -1 */
	int ack_fd;    /* command: an eventfd, for orders that are waited for; else -1 */
	struct agent_counters *counters; /* shared with deadpeer */
};

/* Sends a report; the end of the control socket ends the agent. */
void agent_child_report(const struct agent_child *child, const struct agent_report *report);

/* Takes the place and the name that the specification says: a built-in agent, before it does
 * anything. */
void agent_child_settle(const struct agent_spec *spec);

/* Moves the new process into its namespace and runs its program. */
_Noreturn void agent_child_main(const struct agent_child *child);

_Noreturn void agent_builtin_main(const struct agent_child *child);
_Noreturn void agent_command_main(const struct agent_child *child);
