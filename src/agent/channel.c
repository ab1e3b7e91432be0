/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/agent/channel.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

void agent_channel_report(const struct agent_child *child, const struct agent_report *report)
{
	if (TEMP_FAILURE_RETRY(send(child->control_fd, report, sizeof(*report), MSG_NOSIGNAL)) < 0)
		_exit(EXIT_FAILURE);
}

/*
 * Binds the process to one processor, the same for both built-in ends of a trial. What a veth
 * carries waits in the backlog of the processor that sent it (net/core/dev.c: netif_rx(),
 * enqueue_to_backlog()). If the two ends ran on two processors, a FIN could overtake the ACK before
 * it, which no cable does, and the TIME_WAIT that then gets the old ACK is reset within 60 us. The
 * trials of a process take turns among the processors. A command may want more than one processor
 * and is not bound, so its packets may overtake each other.
 */
static void stay(unsigned int place)
{
	cpu_set_t allowed, one;
	unsigned int n;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0 || CPU_COUNT(&allowed) < 2)
		return;
	n = place % (unsigned int)CPU_COUNT(&allowed);
	CPU_ZERO(&one);
	for (unsigned int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; cpu++) {
		if (CPU_ISSET(cpu, &allowed) && n-- == 0)
			CPU_SET(cpu, &one);
	}
	sched_setaffinity(0, sizeof(one), &one);
}

void agent_channel_settle(const struct agent_spec *spec)
{
	prctl(PR_SET_NAME, spec->node == NODE_CLIENT ? "deadpeer-client" : "deadpeer-server");
	if (!agent_is_command(spec))
		stay(spec->place);
}
