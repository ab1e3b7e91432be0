/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the kernel's source says must happen: settings and facts go in, and an
 * interval and its mechanism come out. The model asks no clock, file or kernel.
 *
 * Theory of operation. The kernel's timers are played through (net/ipv4/tcp_timer.c),
 * with all timers on time and with all of them as late as the timer wheel allows
 * (kernel/time/timer.c). How late they are depends on where the wheel stands when the
 * fault strikes; that is not known, so the answer is an interval over all cases.
 */

#include "src/scenario/scenario.h"

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
struct model_facts model_facts_of(unsigned int hz, bool has_syn_linear);

/* What should become of that end: when the peer or the path behind the first hop is lost, and
 * nothing heals it, before or after it connects; and when the peer stops reading. */
struct prediction model_predict(const struct scenario *scenario, enum family family,
				enum node_id node, const struct model_facts *facts);

/* How long what is left of a connection stays, by what ends it: TIME_WAIT, FIN_WAIT_2, ORPHAN (from
 * its FIN on) or SYNACK (from the SYN on); for other mechanisms nothing is predicted. Holds if
 * nothing comes from the peer any more. */
struct prediction model_gone(const struct scenario *scenario, enum node_id node,
			     const struct model_facts *facts, enum mechanism mechanism);

/* By how much a timer of `span_nsec` may be late: the granule of its level of the timer wheel. */
nsec_t model_granule(unsigned int hz, nsec_t span_nsec);
/* The time that `tcp_retries2` stands for: tcp_model_timeout() of net/ipv4/tcp_timer.c. */
nsec_t model_threshold(unsigned int retries, nsec_t rto_min_nsec, nsec_t rto_max_nsec);
