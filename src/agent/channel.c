/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/agent/channel.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define SEND_TRIES 3

static void send_report(const struct agent_child *child, const struct agent_report *report)
{
	ssize_t n = -1;

	for (int tries = SEND_TRIES; n < 0 && tries--;)
		n = TEMP_FAILURE_RETRY(
			send(child->control_fd, report, sizeof(*report), MSG_NOSIGNAL));
	if (n < 0)
		_exit(EXIT_FAILURE);
}

_Noreturn void agent_channel_give_up(const struct agent_child *child, const char *what)
{
	struct agent_report report = {
		.call = child->spec && agent_is_command(child->spec) ? AGENT_CALL_EXEC
								     : AGENT_CALL_SOCKET,
		.error = errno,
	};

	report.start_nsec = report.time_nsec = nsec_now();
	strncpy(report.detail, what, sizeof(report.detail) - 1);
	send_report(child, &report);
	_exit(EXIT_FAILURE);
}

void agent_channel_report(const struct agent_child *child, const struct agent_report *report)
{
	if (nsec_clock_failures() != child->clock_failures) {
		errno = EIO;
		agent_channel_give_up(child, "clock_gettime()");
	}
	send_report(child, report);
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
	char name[32];

	snprintf(name, sizeof(name), "deadpeer-%s", spec->name); /* the kernel keeps 15 bytes */
	prctl(PR_SET_NAME, name);
	if (!agent_is_command(spec))
		stay(spec->place);
}
