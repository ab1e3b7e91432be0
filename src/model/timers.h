/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The settings that the TCP timers of one end go by, as numbers. The files of the model share this
 * header, and outside the model only its unit test includes it.
 */

#include "src/model/prediction.h"

/* include/net/tcp.h: TCP_RTO_MIN, TCP_TIMEOUT_INIT. */
#define TIMERS_RTO_MIN (200 * NSEC_PER_MSEC)
#define TIMERS_SYN_RTO NSEC_PER_SEC

struct timers {
	unsigned int hz; /* ticks a second */
	nsec_t rto_min_nsec, rto_max_nsec;
	nsec_t user_timeout_nsec; /* TCP_USER_TIMEOUT; 0: none */
	unsigned int retries2, orphan_retries, syn_retries, syn_linear, synack_retries;
	nsec_t synack_max_nsec;		 /* the longest wait between two SYN-ACKs */
	nsec_t fin_timeout_nsec;	 /* tcp_fin_timeout */
	bool loss_probes;		 /* tcp_early_retrans and tcp_sack allow them */
	bool thin;			 /* tcp_thin_linear_timeouts */
	bool collapse;			 /* tcp_retrans_collapse */
	bool keepalive;			 /* SO_KEEPALIVE is on */
	nsec_t idle_nsec, interval_nsec; /* of keepalive */
	int64_t count;			 /* of keepalive: probes */
};

/* Reads them from the scenario, and from the kernel's defaults where the scenario says nothing. */
struct timers timers_of(const struct scenario *scenario, enum node_id node,
			const struct model_facts *facts);

/* The time that a number of retries stands for: tcp_model_timeout() of net/ipv4/tcp_timer.c. The
 * kernel computes it from TCP_RTO_MIN, whatever tcp_rto_min_us says. */
nsec_t timers_threshold(unsigned int retries, nsec_t rto_min_nsec, nsec_t rto_max_nsec);
