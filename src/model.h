/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the kernel's source says must happen: settings in, an interval and its
 * mechanism out. Pure. Theory of operation: the kernel's timers are played through
 * (net/ipv4/tcp_timer.c), once with every timer on time and once with each as late
 * as the timer wheel allows (kernel/time/timer.c), which is why the answer is an
 * interval: where the wheel stands when the fault strikes is not known.
 */

#include "src/scenario.h"

struct model_facts {
	unsigned int hz; /* timer ticks a second */
	nsec_t rto_nsec; /* of the connection before the fault; NSEC_NONE: from path.delay */
	nsec_t rtt_nsec; /* smoothed, likewise; 0 where the RTO is not known */
	nsec_t established_nsec; /* before the first event */
};

struct prediction {
	enum mechanism mechanism;	   /* NONE: nothing is predicted */
	nsec_t earliest_nsec, latest_nsec; /* since the first event */
};

/* Ticks a second of the running kernel. */
unsigned int model_hz(void);

/* What should become of that end. Only the loss of the peer or of the path behind the first hop
 * is predicted, and only where nothing heals it. */
struct prediction model_predict(const struct scenario *scenario, enum family family,
				enum node_id node, const struct model_facts *facts);

/* By how much a timer of `span_nsec` may be late: the granule of its level of the timer wheel. */
nsec_t model_granule(unsigned int hz, nsec_t span_nsec);
/* The time that `tcp_retries2` stands for: tcp_model_timeout() of net/ipv4/tcp_timer.c. */
nsec_t model_threshold(unsigned int retries, nsec_t rto_min_nsec, nsec_t rto_max_nsec);
