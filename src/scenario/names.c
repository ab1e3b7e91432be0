/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names that scenario files and output have for the values of enums. */
#include "src/scenario/scenario.h"

DEFINE_NAMES(
	node,
	_NODE_MAX, [NODE_CLIENT] = "client", [NODE_SERVER] = "server", [NODE_ROUTER] = "router")
DEFINE_NAMES(family, _FAMILY_MAX, [FAMILY_IPV4] = "ipv4", [FAMILY_IPV6] = "ipv6")
DEFINE_NAMES(path_kind, _PATH_KIND_MAX, [PATH_ROUTED] = "routed", [PATH_SWITCHED] = "switched",
	     [PATH_DIRECT] = "direct")
DEFINE_NAMES(direction, _DIRECTION_MAX, [DIRECTION_BOTH] = "both",
	     [DIRECTION_FORWARD] = "client-to-server", [DIRECTION_BACKWARD] = "server-to-client")
DEFINE_NAMES(workload, _WORKLOAD_MAX, [WORKLOAD_IDLE] = "idle", [WORKLOAD_REQUEST] = "request",
	     [WORKLOAD_STREAM] = "stream", [WORKLOAD_HEARTBEAT] = "heartbeat",
	     [WORKLOAD_ECHO] = "echo", [WORKLOAD_SINK] = "sink", [WORKLOAD_NO_ACCEPT] = "no-accept",
	     [WORKLOAD_COMMAND] = "command")
DEFINE_NAMES(fault,
	     _FAULT_KIND_MAX, [FAULT_BLACKHOLE] = "blackhole", [FAULT_UNREACHABLE] = "unreachable",
	     [FAULT_PROHIBIT] = "prohibit", [FAULT_CABLE_PULL] = "cable-pull",
	     [FAULT_INTERFACE_DOWN] = "interface-down", [FAULT_ADDRESS_REMOVE] = "address-remove",
	     [FAULT_DROP] = "drop", [FAULT_NETEM] = "netem", [FAULT_POWER_LOSS] = "power-loss",
	     [FAULT_REBOOT] = "reboot", [FAULT_CRASH] = "crash", [FAULT_FREEZE] = "freeze",
	     [FAULT_CONNTRACK_FLUSH] = "conntrack-flush", [FAULT_TAKE_OVER] = "take-over")
DEFINE_NAMES(action, _ACTION_MAX, [ACTION_CONNECT] = "connect", [ACTION_SEND] = "send",
	     [ACTION_SHUTDOWN] = "shutdown", [ACTION_CLOSE] = "close",
	     [ACTION_PAUSE_READING] = "pause-reading", [ACTION_RESUME_READING] = "resume-reading",
	     [ACTION_FREE_DESCRIPTORS] = "free-descriptors", [ACTION_EXIT] = "exit",
	     [ACTION_START] = "start")
DEFINE_NAMES(untracked, _FIREWALL_UNTRACKED_MAX, [FIREWALL_PASS] = "pass", [FIREWALL_DROP] = "drop",
	     [FIREWALL_RESET] = "reset")
