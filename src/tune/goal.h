/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What is to be reached by settings, and the settings. Everything is about the end that must
 * notice that its peer is gone: it has keepalive on, and either TCP_USER_TIMEOUT on its socket, or,
 * where a program cannot set that, tcp_retries2 of its machine.
 */

#include <stdbool.h>

#include "src/model/prediction.h"

enum tune_workload {
	TUNE_IDLE, /* nothing is said: keepalive alone tells */
	TUNE_BUSY, /* a small request each tune_interval(): data is in flight when the peer is
		      lost */
	_TUNE_WORKLOAD_MAX,
};
DECLARE_NAMES(tune_workload, enum tune_workload) /* "idle", "busy" */

#define TUNE_FACTS_MAX 8

struct tune_goal {
	nsec_t detect_nsec;  /* every silent loss of the peer is detected within */
	nsec_t survive_nsec; /* no outage of the path that is as long ends a connection */
	double loss;	     /* share of the packets that is lost, in each direction */
	nsec_t rtt_nsec;     /* of the path */
	bool workloads[_TUNE_WORKLOAD_MAX];
	struct model_facts facts[TUNE_FACTS_MAX]; /* of each kernel */
	size_t n_facts;
};

/* A tenth of a second, or two round trips, so that one request at a time is on its way. */
static inline nsec_t tune_interval(const struct tune_goal *goal)
{
	return nsec_max(100 * NSEC_PER_MSEC, 2 * goal->rtt_nsec);
}

struct tune_settings {
	unsigned int idle, interval, count; /* of keepalive; seconds, seconds, probes */
	nsec_t user_timeout_nsec;	    /* whole milliseconds; 0: not set */
	unsigned int retries2;		    /* 0: the kernel's default */
};

/* What the model makes of settings: the worst over all kernels and all phases of the timer wheel.
 */
struct tune_figures {
	nsec_t detect_nsec[_TUNE_WORKLOAD_MAX]; /* the latest detection; NSEC_NEVER: none is sure */
	nsec_t survive_nsec[_TUNE_WORKLOAD_MAX]; /* the longest outage that never ends a connection
						  */
	unsigned int
		tries[_TUNE_WORKLOAD_MAX]; /* so many packets in a row must be lost to end one */
	double alarms_a_day; /* healthy connections that loss ends, of one connection */
	double probes_a_day; /* that keepalive sends on an idle connection */
};
