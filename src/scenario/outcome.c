/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/scenario/outcome.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "src/util/cleanup.h"

static const char *const outcome_names[] = {
	[OUTCOME_NONE] = NULL,
	[OUTCOME_CLOSED] = "closed",
	[OUTCOME_RESET] = "reset",
	[OUTCOME_TIMED_OUT] = "timed-out",
	[OUTCOME_UNREACHABLE] = "unreachable",
	[OUTCOME_SURVIVED] = "survived",
	[OUTCOME_UNDETECTED] = "undetected",
	[OUTCOME_REFUSED] = "refused",
};
static_assert(ARRAY_SIZE(outcome_names) == _OUTCOME_MAX, "every outcome has a name");

static const char *const mechanism_names[] = {
	[MECHANISM_NONE] = NULL,
	[MECHANISM_RETRANSMISSION] = "retransmission",
	[MECHANISM_KEEPALIVE] = "keepalive",
	[MECHANISM_USER_TIMEOUT] = "user-timeout",
	[MECHANISM_PERSIST] = "persist",
	[MECHANISM_SYN] = "syn",
	[MECHANISM_SYNACK] = "synack",
	[MECHANISM_ORPHAN] = "orphan",
	[MECHANISM_FIN_WAIT_2] = "fin-wait-2",
	[MECHANISM_TIME_WAIT] = "time-wait",
	[MECHANISM_FIN_RECEIVED] = "fin-received",
	[MECHANISM_RST_RECEIVED] = "rst-received",
	[MECHANISM_ICMP] = "icmp",
	[MECHANISM_HEARTBEAT] = "heartbeat",
	[MECHANISM_LOCAL] = "local",
};
static_assert(ARRAY_SIZE(mechanism_names) == _MECHANISM_MAX, "every mechanism has a name");

static int lookup(const char *const *names, int count, const char *name)
{
	for (int i = 0; i < count; i++)
		if (names[i] && !strcmp(names[i], name))
			return i;
	return -1;
}

const char *outcome_name(enum outcome outcome)
{
	return outcome_names[outcome];
}

const char *mechanism_name(enum mechanism mechanism)
{
	return mechanism_names[mechanism];
}

int outcome_from_name(const char *name)
{
	return lookup(outcome_names, _OUTCOME_MAX, name);
}

int mechanism_from_name(const char *name)
{
	return lookup(mechanism_names, _MECHANISM_MAX, name);
}
