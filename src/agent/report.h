/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What an agent tells of the calls that its program makes, and of the bytes that it moves. */

#include <linux/tcp.h>
#include <stdbool.h>
#include <stdint.h>

#include "src/scenario/call.h"
#include "src/util/nsec.h"

struct agent_report {
	enum agent_call call;
	uint32_t connection;		    /* which of those that were made or accepted, from 0 */
	nsec_t start_nsec, time_nsec;	    /* before and after the call */
	int64_t result;			    /* what the call returned; >= 0 */
	int error;			    /* errno, or 0 */
	uint64_t bytes_read, bytes_written; /* on that connection so far */
	uint16_t local_port, peer_port;	    /* of the connection, once known; host order */
	uint64_t cookie;		    /* SO_COOKIE of the connection, 0 when there is none */
	bool has_info;			    /* `info` is filled in */
	struct tcp_info info; /* at that moment: with errors, the end, CONNECT, ACCEPT, HEARTBEAT */
	bool left_others;     /* EXIT of a command: other processes go on */
	char detail[64];      /* "setsockopt(TCP_USER_TIMEOUT)", or empty */
};

/* What the program has read from its first connection and written to it, in shared memory: exact at
 * any moment, also after its death. Nothing for a command. */
struct agent_counters {
	uint64_t bytes_read, bytes_written;
};
