/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of scenario files and output. */
#include <assert.h>
#include <string.h>

#include "src/scenario/scenario.h"

static const char *const node_names[] = {
	[NODE_CLIENT] = "client",
	[NODE_SERVER] = "server",
	[NODE_ROUTER] = "router",
};
static_assert(ARRAY_SIZE(node_names) == _NODE_MAX, "every node has a name");

static const char *const family_names[] = {
	[FAMILY_IPV4] = "ipv4",
	[FAMILY_IPV6] = "ipv6",
};
static_assert(ARRAY_SIZE(family_names) == _FAMILY_MAX, "every family has a name");

static const char *const path_kind_names[] = {
	[PATH_ROUTED] = "routed",
	[PATH_SWITCHED] = "switched",
	[PATH_DIRECT] = "direct",
};
static_assert(ARRAY_SIZE(path_kind_names) == _PATH_KIND_MAX, "every path has a name");

static const char *const direction_names[] = {
	[DIRECTION_BOTH] = "both",
	[DIRECTION_TO_SERVER] = "client-to-server",
	[DIRECTION_TO_CLIENT] = "server-to-client",
};
static_assert(ARRAY_SIZE(direction_names) == _DIRECTION_MAX, "every direction has a name");

static const char *const workload_names[] = {
	[WORKLOAD_IDLE] = "idle",	    [WORKLOAD_REQUEST] = "request",
	[WORKLOAD_STREAM] = "stream",	    [WORKLOAD_HEARTBEAT] = "heartbeat",
	[WORKLOAD_ECHO] = "echo",	    [WORKLOAD_SINK] = "sink",
	[WORKLOAD_NO_ACCEPT] = "no-accept", [WORKLOAD_COMMAND] = "command",
};
static_assert(ARRAY_SIZE(workload_names) == _WORKLOAD_MAX, "every workload has a name");

static const char *const fault_names[] = {
	[FAULT_BLACKHOLE] = "blackhole",
	[FAULT_UNREACHABLE] = "unreachable",
	[FAULT_PROHIBIT] = "prohibit",
	[FAULT_CABLE_PULL] = "cable-pull",
	[FAULT_INTERFACE_DOWN] = "interface-down",
	[FAULT_ADDRESS_REMOVE] = "address-remove",
	[FAULT_DROP] = "drop",
	[FAULT_NETEM] = "netem",
	[FAULT_POWER_LOSS] = "power-loss",
	[FAULT_REBOOT] = "reboot",
	[FAULT_CRASH] = "crash",
	[FAULT_FREEZE] = "freeze",
	[FAULT_CONNTRACK_FLUSH] = "conntrack-flush",
	[FAULT_TAKE_OVER] = "take-over",
};
static_assert(ARRAY_SIZE(fault_names) == _FAULT_KIND_MAX, "every fault has a name");

static const char *const action_names[] = {
	[ACTION_CONNECT] = "connect",
	[ACTION_SEND] = "send",
	[ACTION_SHUTDOWN] = "shutdown",
	[ACTION_CLOSE] = "close",
	[ACTION_PAUSE_READING] = "pause-reading",
	[ACTION_RESUME_READING] = "resume-reading",
	[ACTION_FREE_DESCRIPTORS] = "free-descriptors",
	[ACTION_EXIT] = "exit",
	[ACTION_START] = "start",
};
static_assert(ARRAY_SIZE(action_names) == _ACTION_MAX, "every action has a name");

static const char *const untracked_names[] = {
	[FIREWALL_PASS] = "pass",
	[FIREWALL_DROP] = "drop",
	[FIREWALL_RESET] = "reset",
};
static_assert(ARRAY_SIZE(untracked_names) == _FIREWALL_UNTRACKED_MAX, "every policy has a name");

static int lookup(const char *const *names, int count, const char *name)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

const char *node_name(enum node_id node)
{
	return node_names[node];
}

const char *family_name(enum family family)
{
	return family_names[family];
}

const char *path_kind_name(enum path_kind kind)
{
	return path_kind_names[kind];
}

const char *direction_name(enum direction direction)
{
	return direction_names[direction];
}

const char *workload_name(enum workload workload)
{
	return workload_names[workload];
}

const char *fault_name(enum fault_kind fault)
{
	return fault_names[fault];
}

const char *action_name(enum action action)
{
	return action_names[action];
}

const char *untracked_name(enum firewall_untracked untracked)
{
	return untracked_names[untracked];
}

int node_from_name(const char *name)
{
	return lookup(node_names, _NODE_MAX, name);
}

int family_from_name(const char *name)
{
	return lookup(family_names, _FAMILY_MAX, name);
}

int path_kind_from_name(const char *name)
{
	return lookup(path_kind_names, _PATH_KIND_MAX, name);
}

int direction_from_name(const char *name)
{
	return lookup(direction_names, _DIRECTION_MAX, name);
}

int workload_from_name(const char *name)
{
	return lookup(workload_names, _WORKLOAD_MAX, name);
}

int fault_from_name(const char *name)
{
	return lookup(fault_names, _FAULT_KIND_MAX, name);
}

int action_from_name(const char *name)
{
	return lookup(action_names, _ACTION_MAX, name);
}

int untracked_from_name(const char *name)
{
	return lookup(untracked_names, _FIREWALL_UNTRACKED_MAX, name);
}
