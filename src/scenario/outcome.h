/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What became of an endpoint, and what ended it, with the names that every result has
 * for them.
 */

#include "src/util/names.h"

enum outcome {
	OUTCOME_NONE,	/* nothing is said: nobody watched the endpoint, or the fault killed it */
	OUTCOME_CLOSED, /* it ended in an orderly way */
	OUTCOME_RESET,	/* by a RST, received or sent */
	OUTCOME_TIMED_OUT,   /* a timer gave up; ETIMEDOUT */
	OUTCOME_UNREACHABLE, /* a timer gave up and the network had said why, or said so at once */
	OUTCOME_SURVIVED,    /* the fault was healed, and the connection is usable */
	OUTCOME_UNDETECTED,  /* the peer is gone, and this end did not notice by the horizon */
	OUTCOME_REFUSED,     /* there never was a connection */
	_OUTCOME_MAX,
};

enum mechanism {
	MECHANISM_NONE,
	MECHANISM_RETRANSMISSION, /* tcp_retries2 */
	MECHANISM_KEEPALIVE,
	MECHANISM_USER_TIMEOUT, /* TCP_USER_TIMEOUT, whichever timer looked at it */
	MECHANISM_PERSIST,	/* zero window probes */
	MECHANISM_SYN,		/* tcp_syn_retries */
	MECHANISM_SYNACK,	/* tcp_synack_retries */
	MECHANISM_ORPHAN,	/* tcp_orphan_retries */
	MECHANISM_FIN_WAIT_2,	/* tcp_fin_timeout */
	MECHANISM_TIME_WAIT,
	MECHANISM_FIN_RECEIVED,
	MECHANISM_RST_RECEIVED,
	MECHANISM_ICMP,	     /* an ICMP error ended it at once */
	MECHANISM_HEARTBEAT, /* the application gave up */
	MECHANISM_LOCAL,     /* this end closed, or its process died */
	_MECHANISM_MAX,
};

DECLARE_NAMES(outcome, enum outcome)	 /* "timed-out"; NONE has no name */
DECLARE_NAMES(mechanism, enum mechanism) /* "retransmission"; NONE has no name */
