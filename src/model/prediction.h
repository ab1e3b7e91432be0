/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What goes into a prediction beside the scenario, and what comes out. */

#include "src/scenario/scenario.h"

/* net/ipv4/tcp_ipv4.c: tcp_sk_init() sets tcp_syn_linear_timeouts to this. */
#define MODEL_SYN_LINEAR 4

/* What is known of the kernel that runs the trial, and of the connection before the fault. */
struct model_facts {
	unsigned int hz; /* timer ticks a second */
	nsec_t rto_nsec; /* of the connection before the fault; NSEC_NONE: from path.delay */
	nsec_t rtt_nsec; /* smoothed, likewise; 0 where the RTO is not known */
	uint64_t window; /* bytes that may be in flight by then; 0 where that is not known */
	nsec_t established_nsec; /* the time from the connection to the first event */
	nsec_t late_nsec;	 /* by so much the other events may have come late */
	unsigned int syn_linear; /* what tcp_syn_linear_timeouts is unless the scenario says; 0
				  * where the kernel has none (before Linux 6.5) */
};

struct prediction {
	enum mechanism mechanism;	   /* NONE: nothing is predicted */
	nsec_t earliest_nsec, latest_nsec; /* since the first event */
};

/* What is known before there is a connection: a kernel of so many ticks a second, with or without
 * tcp_syn_linear_timeouts. */
static inline struct model_facts model_facts_of(unsigned int hz, bool has_syn_linear)
{
	return (struct model_facts){ .hz = hz,
				     .rto_nsec = NSEC_NONE,
				     .syn_linear = has_syn_linear ? MODEL_SYN_LINEAR : 0 };
}
