/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The kernel's TCP timers of one end, played through in the kernel's own arithmetic, each on time
 * or late. The files of the model share this header, and outside the model only its unit test
 * includes it.
 */

#include "src/model/prediction.h"

/* include/net/tcp.h: TCP_RTO_MIN. */
#define TIMERS_RTO_MIN (200 * NSEC_PER_MSEC)

/* A timer goes off between its time and one granule of the timer wheel later. A prediction tries
 * each lateness from 0 (on time) over 1 (half a granule) to TIMERS_LATE_MAX (a whole one). */
#define TIMERS_LATE_MAX 2

/* The settings that the timers of one end go by. */
struct timers {
	unsigned int hz;   /* ticks a second */
	unsigned int late; /* each timer is late by late/TIMERS_LATE_MAX of its granule */
	nsec_t rto_min_nsec, rto_max_nsec;
	nsec_t user_timeout_nsec; /* TCP_USER_TIMEOUT; 0: none */
	unsigned int retries2, syn_retries, syn_linear;
	nsec_t idle_nsec, interval_nsec; /* of keepalive */
	int64_t count;			 /* of keepalive: probes */
	bool keepalive;			 /* SO_KEEPALIVE is on */
};

/* Reads them from the scenario, and from the kernel's defaults where the scenario says nothing. */
struct timers timers_of(const struct scenario *scenario, enum node_id node,
			const struct model_facts *facts);
/* The value of a sysctl in the scenario, within what the kernel takes, or `usual`. */
int64_t timers_sysctl_or(const struct scenario *scenario, enum node_id node, const char *key,
			 int64_t usual);

/* By how much a timer of `span_nsec` may be late: the granule of its level of the timer wheel. */
nsec_t timers_granule(unsigned int hz, nsec_t span_nsec);
/* The time that `tcp_retries2` stands for: tcp_model_timeout() of net/ipv4/tcp_timer.c. */
nsec_t timers_threshold(unsigned int retries, nsec_t rto_min_nsec, nsec_t rto_max_nsec);

/* How long after it was armed a timer of that span goes off. */
nsec_t timers_fire(const struct timers *timers, nsec_t span_nsec);
/* How long it takes until tcp_retries2 or the user timeout ends a connection whose segment is not
 * acknowledged. `probe`: a loss probe is sent before the first timeout. */
nsec_t timers_retransmission_death(const struct timers *timers, nsec_t rto_nsec, bool probe);
/* How long an attempt to connect lasts that nobody answers. */
nsec_t timers_syn_death(const struct timers *timers);
/* When a connection ends whose peer's window closed at `closed_nsec`, with a peer that answers
 * until `lost_nsec` (NSEC_NEVER: always). NSEC_NEVER: it does not end. */
nsec_t timers_persist_death(const struct timers *timers, nsec_t rto_nsec, nsec_t closed_nsec,
			    nsec_t lost_nsec);
/* How long after the last packet from the peer keepalive ends a connection. */
nsec_t timers_keepalive_death(const struct timers *timers);

/* Makes the interval of a prediction contain `at_nsec`, and names its mechanism. */
void timers_widen(struct prediction *prediction, nsec_t at_nsec, enum mechanism mechanism);
