/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/scenario/call.h"

#include <assert.h>
#include <string.h>

#include "src/util/cleanup.h"

static const char *const call_names[] = {
	[AGENT_CALL_SOCKET] = "socket",	      [AGENT_CALL_BIND] = "bind",
	[AGENT_CALL_LISTEN] = "listen",	      [AGENT_CALL_CONNECT] = "connect",
	[AGENT_CALL_ACCEPT] = "accept",	      [AGENT_CALL_READ] = "read",
	[AGENT_CALL_WRITE] = "write",	      [AGENT_CALL_SHUTDOWN] = "shutdown",
	[AGENT_CALL_CLOSE] = "close",	      [AGENT_CALL_EXEC] = "exec",
	[AGENT_CALL_HEARTBEAT] = "heartbeat", [AGENT_CALL_EXIT] = "exit",
};
static_assert(ARRAY_SIZE(call_names) == _AGENT_CALL_MAX, "a name for every call");

const char *call_name(enum agent_call call)
{
	return call_names[call];
}

int call_from_name(const char *name)
{
	for (int i = 0; i < _AGENT_CALL_MAX; i++)
		if (!strcmp(call_names[i], name))
			return i;
	return -1;
}
