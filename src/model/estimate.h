/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What it takes to run a scenario, estimated without running it: the parts of the
 * kernel beyond namespaces that it needs, its time, and its packets.
 */

#include "src/model/model.h"
#include "src/scenario/scenario.h"

/* A part of the kernel, or a program, that not every machine has. */
enum need {
	NEED_NETEM,	/* sch_netem */
	NEED_NF_TABLES, /* with the ingress hook */
	NEED_CONNTRACK, /* with NAT and the nf_tables expressions for it */
	NEED_LINUX_6_5, /* for a sysctl that came with this version; the next two likewise */
	NEED_LINUX_6_11,
	NEED_LINUX_6_15,
	NEED_COMMAND, /* the user's own program */
	_NEED_MAX,
};

/* Ticks a second that work is estimated with, the same on every machine: those of Debian's kernels.
 */
#define ESTIMATE_HZ 250

/* Mask of 1 << enum need. */
unsigned int estimate_needs(const struct scenario *scenario);
/* "netem, nf_tables", or "-". Returns `buffer`; 64 bytes are enough. */
char *estimate_format_needs(unsigned int needs, char *buffer, size_t size);

/* Roughly how long a trial takes from its connection to its end: until the first event, and for the
 * time that is predicted or expected after it; if nothing is, until the horizon. `kernel` is what
 * is known of the kernel that runs it. */
nsec_t estimate_span(const struct scenario *scenario, enum family family,
		     const struct model_facts *kernel);
/* Roughly how many packets are sent in a trial of that span. */
double estimate_packets(const struct scenario *scenario, nsec_t span_nsec);

/* The time that a trial costs a processor in a guest, and the time that a guest costs. Both were
 * measured on one machine: their ratios matter more than their size. */
nsec_t estimate_guest_work(nsec_t span_nsec, double packets, bool programs);
#define ESTIMATE_GUEST_START (400 * NSEC_PER_MSEC)
/* Roughly how long `n` scenarios take on the qemu engine of a machine with so many processors, one
 * trial each. */
nsec_t estimate_virtual_time(struct scenario *const *scenarios, size_t n, enum family family,
			     const struct model_facts *kernel, unsigned int processors);

/* One unit is enough for a rough time: "0.5 s", "12 s", "16 min", "2.2 h", "30 d"; "-" for
 * NSEC_NONE. Returns `buffer`; 32 bytes are enough. */
char *estimate_format_span(nsec_t span_nsec, char *buffer, size_t size);
