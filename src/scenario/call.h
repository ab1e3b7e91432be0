/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The calls of a program that its agent reports, with the names that records and
 * expectations have for them.
 */

#include "src/util/names.h"

enum agent_call {
	/* socket() or a setsockopt(), only when it failed; `detail` says which. */
	AGENT_CALL_SOCKET,
	AGENT_CALL_BIND,   /* only when it failed; a server ends then, as after SOCKET and LISTEN */
	AGENT_CALL_LISTEN, /* a server is ready to be connected to */
	AGENT_CALL_CONNECT, /* the result of connect(), once it is known */
	AGENT_CALL_ACCEPT,
	AGENT_CALL_READ,  /* the first that got data, the one that met the end (result 0), and each
			     that failed */
	AGENT_CALL_WRITE, /* the first, the first of each ACTION_SEND, and each that failed */
	AGENT_CALL_SHUTDOWN,
	AGENT_CALL_CLOSE,     /* how long it blocked is time_nsec - start_nsec */
	AGENT_CALL_HEARTBEAT, /* no system call: the program declared its peer dead */
	AGENT_CALL_EXEC,      /* a command: 0 once it runs, or the error of execvp() */
	AGENT_CALL_EXIT,      /* the agent, or its command, ended; result: status as of waitpid() */
	_AGENT_CALL_MAX,
};

DECLARE_NAMES(call, enum agent_call) /* "connect", "read", ... */
