/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What a socket looked like when its state changed. */

#include <stdbool.h>
#include <stdint.h>

#include "src/util/nsec.h"

/* What a program has set on a socket by then. Tracepoints tell it but for the last three; of a
 * user's program all of it is read before the first event (trial/options.h). */
struct socket_options {
	bool present;
	bool keepalive; /* SO_KEEPALIVE */
	/* TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT; NSEC_NONE and -1: the sysctl holds. */
	nsec_t keepalive_idle_nsec, keepalive_interval_nsec;
	int keepalive_count;
	nsec_t user_timeout_nsec; /* TCP_USER_TIMEOUT; NSEC_NONE: none */
	bool nodelay;		  /* TCP_NODELAY */
	nsec_t linger_nsec;	  /* SO_LINGER; NSEC_NONE: off */
	/* SO_SNDBUF and SO_RCVBUF, bytes as they were asked for; -1: the kernel chooses. */
	int64_t send_buffer, receive_buffer;
};

/* The cause of an end is told from these facts. Facts that are derived from packets have only
 * retransmits, probes, unacknowledged, and keepalive once a probe was sent. Where an end is silent,
 * retransmits, probes and unsent come from tcp_info. */
struct socket_facts {
	bool present;	      /* the socket was seen; else nothing here holds */
	bool dead;	      /* SOCK_DEAD: no process holds it (orphan) */
	bool keepalive;	      /* SO_KEEPALIVE is on */
	uint32_t retransmits; /* icsk_retransmits: consecutive unanswered RTOs */
	uint32_t probes;      /* icsk_probes_out: keepalive or zero window probes unanswered */
	uint32_t user_timeout_msec; /* icsk_user_timeout, 0: none */
	uint32_t unacknowledged; /* snd_nxt - snd_una, bytes sent and not acknowledged; SYN and FIN
				  * count as one each */
	uint32_t unsent;	 /* write_seq - snd_nxt, bytes queued and not sent */
	int error;		 /* sk_err, positive errno */
	int soft_error;		 /* sk_err_soft */
	struct socket_options options;
};
