/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What goes between deadpeer and an agent's process: what the child is told over the control
 * socket, and how it reports its calls. It is the bottom of the child's code; nothing
 * in it knows which program the child runs.
 */

#include <stdint.h>

#include "src/agent/report.h"
#include "src/agent/spec.h"

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
	const struct agent_spec *spec; /* NULL: it comes over the control socket; not owned */
	int netns_fd;		       /* the namespace that the child is to enter */
	int control_fd;		       /* SOCK_SEQPACKET: orders in, reports out */
	int output_fd; /* command: the pipe its standard output and error become; else -1 */
	int ack_fd;    /* command: an eventfd, for orders that are waited for; else -1 */
	struct agent_counters *counters; /* shared with deadpeer */
	uint64_t clock_failures;	 /* nsec_clock_failures() when the process began */
};

/* Sends a report; the end of the control socket ends the agent, and so does a clock that could not
 * be read. */
void agent_channel_report(const struct agent_child *child, const struct agent_report *report);

/* Ends the process, because something that its reports depend on failed with errno. deadpeer is
 * told `what`, and fails the trial. */
_Noreturn void agent_channel_give_up(const struct agent_child *child, const char *what);

/* Gives the process the name that `spec` asks for, and a built-in agent its processor. A built-in
 * agent does so before anything else. */
void agent_channel_settle(const struct agent_spec *spec);
