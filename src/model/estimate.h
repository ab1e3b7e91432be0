/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What a scenario asks of whoever runs it, told without running it: parts of the
 * kernel beyond namespaces, and time.
 */

#include "src/scenario/scenario.h"

enum need {
	NEED_NETEM,	/* sch_netem */
	NEED_NF_TABLES, /* with the ingress hook */
	NEED_CONNTRACK, /* with NAT and nf_tables' part of it */
	NEED_LINUX_6_5, /* for a sysctl that came with it; likewise the others */
	NEED_LINUX_6_11,
	NEED_LINUX_6_15,
	NEED_COMMAND, /* a program of the user's */
	_NEED_MAX,
};

/* Mask of 1 << enum need. */
unsigned int estimate_needs(const struct scenario *scenario);
/* "netem, nf_tables", or "-". Returns `buffer`; 64 bytes are enough. */
char *estimate_format_needs(unsigned int needs, char *buffer, size_t size);

/* Roughly how long a trial takes from its connection to its end: the first event, and what is
 * predicted or expected after it; the horizon where nothing is. */
nsec_t estimate_span(const struct scenario *scenario, enum family family);
/* The same for a kernel of so many ticks a second. */
nsec_t estimate_span_at(const struct scenario *scenario, enum family family, unsigned int hz);
/* Roughly how many packets are sent in a trial of that span. */
double estimate_packets(const struct scenario *scenario, nsec_t span_nsec);

/* What a trial costs a processor in a guest, and what a guest costs: measured on one machine, their
 * ratios matter more than their size. */
nsec_t estimate_guest_work(nsec_t span_nsec, double packets);
#define ESTIMATE_GUEST_START (400 * NSEC_PER_MSEC)
/* Roughly how long `n` scenarios take on the qemu engine of this machine, one trial each. */
nsec_t estimate_virtual_time(struct scenario *const *scenarios, size_t n, enum family family);

/* One unit is enough for a rough time: "0.5 s", "12 s", "16 min", "2.2 h", "30 d"; "-" for
 * NSEC_NONE. Returns `buffer`; 32 bytes are enough. */
char *estimate_format_span(nsec_t span, char *buffer, size_t size);
