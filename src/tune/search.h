/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Finds settings that reach a goal. Theory of operation. A connection survives an outage if one of
 * its probes comes after it, so that for each interval the number of probes follows from the
 * outage; the longest time before the first probe, which costs the fewest probes a day, then
 * follows from the detection, by bisection over what the model says. TCP_USER_TIMEOUT, which
 * overrules the number of probes where it is set, is the shortest with which both a probe and a
 * retransmission still come after the outage. What none of the others beats in detection, in false
 * alarms and in probes a day is the frontier.
 */

#include "src/tune/figures.h"

#define TUNE_FRONTIER_MAX 12
#define TUNE_PROBES_MAX	  127 /* MAX_TCP_KEEPCNT, include/net/tcp.h */

/* A false alarm of one connection in 27 years is taken for none. */
#define TUNE_ALARMS_FEW 1e-4

struct tune_point {
	struct tune_settings settings;
	struct tune_figures figures;
};

struct tune_result {
	struct tune_point frontier[TUNE_FRONTIER_MAX]; /* the fewest probes a day first */
	size_t n;
	size_t chosen; /* the one that is proposed */
	/* The same for programs that cannot set TCP_USER_TIMEOUT, by tcp_retries2; retries2 0: no
	 * value of it reaches the goal. */
	struct tune_point by_retries2;
};

/* Returns 1 if there is such a point, 0 if the goal is impossible, and negative on an error. */
int tune_search(const struct tune_goal *goal, struct tune_result *ret, struct error *err);
/* The nearest goals that are possible: the shortest detection for that outage, and the longest
 * outage for that detection (0: there is none). */
int tune_nearest(const struct tune_goal *goal, nsec_t *ret_detect_nsec, nsec_t *ret_survive_nsec,
		 struct error *err);
