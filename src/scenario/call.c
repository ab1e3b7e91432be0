/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/scenario/call.h"

DEFINE_NAMES(call, _AGENT_CALL_MAX, [AGENT_CALL_SOCKET] = "socket", [AGENT_CALL_BIND] = "bind",
	     [AGENT_CALL_LISTEN] = "listen", [AGENT_CALL_CONNECT] = "connect",
	     [AGENT_CALL_ACCEPT] = "accept", [AGENT_CALL_READ] = "read",
	     [AGENT_CALL_WRITE] = "write", [AGENT_CALL_SHUTDOWN] = "shutdown",
	     [AGENT_CALL_CLOSE] = "close", [AGENT_CALL_EXEC] = "exec",
	     [AGENT_CALL_HEARTBEAT] = "heartbeat", [AGENT_CALL_EXIT] = "exit")
